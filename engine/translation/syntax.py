"""Syntax of translated rules: a small typed language that every target language can say.

Numbers are doubles or whole numbers, arrays are one-dimensional and hold doubles, records are named tuples. There is
no operation on whole arrays: loops over single numbers stand in its place, in the order in which numpy adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

ScalarType = Literal["float", "int", "bool", "array", "void"]

FLOAT: Final[ScalarType] = "float"
INT: Final[ScalarType] = "int"
BOOL: Final[ScalarType] = "bool"
ARRAY: Final[ScalarType] = "array"
VOID: Final[ScalarType] = "void"


@dataclass(frozen=True)
class RecordType:
    """A named tuple, or a plain tuple whose fields are called by their place."""

    name: str
    fields: tuple[tuple[str, ValueType], ...]


ValueType = ScalarType | RecordType


# --- Expressions


class Constant(NamedTuple):
    """A constant."""

    value: float | int | bool
    type: ValueType


class Variable(NamedTuple):
    """A variable, a parameter or a counter."""

    id: str
    type: ValueType


class FieldOf(NamedTuple):
    """A field of a record."""

    of: Expression
    name: str
    type: ValueType


class Item(NamedTuple):
    """A number of an array, counted from 0."""

    array: Expression
    place: Expression
    type: ValueType = FLOAT


class Length(NamedTuple):
    """How many numbers an array holds."""

    array: Expression
    type: ValueType = INT


class Binary(NamedTuple):
    """Arithmetic: + - * / of two numbers of one type; / of doubles only."""

    op: str
    left: Expression
    right: Expression
    type: ValueType


class Relation(NamedTuple):
    """Two numbers of one type compared: < <= > >= == !=."""

    op: str
    left: Expression
    right: Expression
    type: ValueType = BOOL


class Logic(NamedTuple):
    """Both, or one of two."""

    op: str  # and, or
    left: Expression
    right: Expression
    type: ValueType = BOOL


class Not(NamedTuple):
    """The opposite of a truth value."""

    of: Expression
    type: ValueType = BOOL


class Negative(NamedTuple):
    """A number with the other sign."""

    of: Expression
    type: ValueType


class Selection(NamedTuple):
    """One of two values."""

    test: Expression
    yes: Expression
    no: Expression
    type: ValueType


class Call(NamedTuple):
    """A call of a translated function, or of one that each language brings (see PRIMITIVES)."""

    function: str
    arguments: tuple[Expression, ...]
    type: ValueType
    primitive: bool = False


class Build(NamedTuple):
    """A record from its fields."""

    arguments: tuple[Expression, ...]
    type: RecordType


class Convert(NamedTuple):
    """A whole number or a truth value as a double or as a whole number."""

    of: Expression
    type: ValueType


Expression = (
    Constant
    | Variable
    | FieldOf
    | Item
    | Length
    | Binary
    | Relation
    | Logic
    | Not
    | Negative
    | Selection
    | Call
    | Build
    | Convert
)

# What each language brings by itself, with the types of the results.
PRIMITIVES: Final[Mapping[str, ValueType]] = {
    "min": FLOAT,  # the first of equals
    "max": FLOAT,
    "min_int": INT,
    "max_int": INT,
    "abs": FLOAT,
    "abs_int": INT,
    "sqrt": FLOAT,
    "floor": INT,  # of a double
    "trunc": INT,
    "floor_div": FLOAT,  # as Python's // and %: the sign of the divisor
    "floor_mod": FLOAT,
    "floor_div_int": INT,
    "floor_mod_int": INT,
    "scale": FLOAT,  # ldexp: exact, x 2^k
    "mantissa": FLOAT,  # the two halves of frexp
    "exponent": INT,
    "is_nan": BOOL,
}
PHILOX: Final = "philox"  # a primitive, too: six whole numbers in, a record of four words out


# --- Statements


class Assign(NamedTuple):
    """A variable gets a value."""

    name: str
    value: Expression


class New(NamedTuple):
    """A fresh array of zeros."""

    name: str
    length: Expression


class Put(NamedTuple):
    """A number goes into an array."""

    array: Expression
    place: Expression
    value: Expression


class If(NamedTuple):
    """What is done where the test holds, and where it does not."""

    test: Expression
    yes: tuple[Instruction, ...]
    no: tuple[Instruction, ...]


class While(NamedTuple):
    """What is done again as long as the test holds."""

    test: Expression
    body: tuple[Instruction, ...]


class For(NamedTuple):
    """counter = start, start + step ... before stop. The counter is declared here; nothing in the body assigns it."""

    counter: str
    start: Expression
    stop: Expression  # a number or a name
    step: int
    body: tuple[Instruction, ...]


class Return(NamedTuple):
    """The end of a function, with its result."""

    value: Expression | None


class Break(NamedTuple):
    """The end of the loop around."""


class Do(NamedTuple):
    """A call for its effect on an array."""

    call: Expression


Instruction = Assign | New | Put | If | While | For | Return | Break | Do


def names_read(what: object) -> Iterator[str]:
    """Names that are read in a statement, an expression, or a list of them, one for each time."""
    if isinstance(what, Variable):
        yield what.id
    elif isinstance(what, tuple):
        for part in what:
            yield from names_read(part)


def calls_in(what: object) -> Iterator[Call]:
    """All calls in a statement, an expression, or a list of them."""
    if isinstance(what, Call):
        yield what
    if isinstance(what, tuple):
        for part in what:
            yield from calls_in(part)


@dataclass(frozen=True)
class Function:
    """A translated function. locals: what it assigns besides its parameters, with types; for counters are not here."""

    name: str
    about: str  # first line of what is said of it
    parameters: tuple[tuple[str, ValueType], ...]
    result: ValueType
    locals: tuple[tuple[str, ValueType], ...]
    body: tuple[Instruction, ...]


@dataclass
class Program:
    """Functions in the order in which they may be defined: none calls a later one."""

    functions: list[Function] = field(default_factory=list)
    records: list[RecordType] = field(default_factory=list)
    primitives: set[str] = field(default_factory=set)
