"""Printing a program: what all languages have in common. Each language is a subclass with its words and its marks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from engine.translation.syntax import (
    ARRAY,
    BOOL,
    FLOAT,
    INT,
    Assign,
    Binary,
    Break,
    Build,
    Call,
    Constant,
    Convert,
    Do,
    Expression,
    FieldOf,
    For,
    Function,
    If,
    Instruction,
    Item,
    Length,
    Logic,
    Negative,
    New,
    Not,
    Put,
    RecordType,
    Relation,
    Return,
    Selection,
    ValueType,
    Variable,
    While,
)

_CHOICE, _OR, _AND, _COMPARISON, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)  # how tightly an expression holds together
_BINARY: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


class Printer(ABC):
    """Text of a program in one language."""

    words: ClassVar[frozenset[str]] = frozenset()  # of the language: nothing can be called so
    taken: ClassVar[frozenset[str]] = frozenset()  # names of functions that the file uses
    logic: ClassVar[Mapping[str, str]] = {"and": "&&", "or": "||"}
    unequal: ClassVar[str] = "!="
    negation: ClassVar[str] = "!"
    primitives: ClassVar[Mapping[str, str]] = {}  # name of a primitive -> text with {0}, {1} for its arguments
    step_in: ClassVar[str] = "  "

    def name(self, name: str) -> str:
        """A name that the language allows."""
        return f"{name}_" if name in self.words or name in self.taken else name

    def field(self, name: str) -> str:
        """The name of a field."""
        return f"{name}_" if name in self.words else name

    # --- Expressions

    def expression(self, value: Expression, least: int = _CHOICE) -> str:
        """The text of an expression, in brackets where it holds less tightly than is needed."""
        text, tightness = self._text(value)
        return text if tightness >= least else f"({text})"

    def _text(self, value: Expression) -> tuple[str, int]:
        match value:
            case Constant():
                text = self.number(value)
                return text, _SIGN if text.startswith("-") else _ATOM
            case Variable(id=name):
                return self.name(name), _ATOM
            case FieldOf(of=of, name=name):
                return f"{self.expression(of, _ATOM)}.{self.field(name)}", _ATOM
            case Item(array=array, place=index):
                return self.item(self.expression(array, _ATOM), index), _ATOM
            case Length(array=array):
                return self.length(self.expression(array, _ATOM)), _ATOM
            case Binary(op=op, left=left, right=right):
                hold = _BINARY[op]
                return f"{self.expression(left, hold)} {op} {self.expression(right, hold + 1)}", hold
            case Relation(op=op, left=left, right=right):
                sign = self.unequal if op == "!=" else self.equal if op == "==" else op
                return f"{self.expression(left, _SUM)} {sign} {self.expression(right, _SUM)}", _COMPARISON
            case Logic(op=op, left=left, right=right):
                hold = _AND if op == "and" else _OR
                other = _COMPARISON  # and within or, too, in brackets: readers need not know which comes first
                left_text = self.expression(left, hold if isinstance(left, Logic) and left.op == op else other)
                return f"{left_text} {self.logic[op]} {self.expression(right, other)}", hold
            case Not(of=of):
                return f"{self.negation}{self.expression(of, _ATOM)}", _SIGN
            case Negative(of=of):
                return f"-{self.expression(of, _ATOM)}", _SIGN
            case Selection():
                return self.choice(value)
            case Call(function=function, arguments=arguments, primitive=True):
                return self.primitive(function, [self.expression(one) for one in arguments]), _ATOM
            case Call(function=function, arguments=arguments):
                return f"{self.function_name(function)}({', '.join(map(self.expression, arguments))})", _ATOM
            case Build(arguments=arguments, type=kind):
                return self.build(kind, [self.expression(one) for one in arguments]), _ATOM
            case Convert(of=of, type=kind):
                return self.convert(of, kind), _ATOM
        raise TypeError(value)

    equal: ClassVar[str] = "=="

    def number(self, value: Constant) -> str:
        """A constant. Doubles are written with all digits that tell them from their neighbours."""
        if value.type == BOOL:
            return "true" if value.value else "false"
        return str(int(value.value)) if value.type == INT else repr(float(value.value))

    def item(self, array: str, index: Expression) -> str:
        """A number of an array."""
        return f"{array}[{self.expression(index)}]"

    def length(self, array: str) -> str:
        """Numbers in an array."""
        return f"{array}.length"

    def choice(self, value: Selection) -> tuple[str, int]:
        """One of two values."""
        test, yes = self.expression(value.test, _OR), self.expression(value.yes, _OR)
        return f"{test} ? {yes} : {self.expression(value.no)}", _CHOICE

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        """A call of what the language brings."""
        return self.primitives[name].format(*arguments)

    def function_name(self, name: str) -> str:
        """The name of a translated function."""
        return self.name(name)

    @abstractmethod
    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        """A record."""

    @abstractmethod
    def convert(self, of: Expression, kind: ValueType) -> str:
        """A whole number or a truth value as another kind of number."""

    # --- Statements

    def lines(self, body: Sequence[Instruction], depth: int) -> Iterator[str]:
        """Lines of statements, `depth` steps in."""
        for one in body:
            for line in self.statement(one):
                yield f"{self.step_in * depth}{line}" if line else line

    def inner(self, body: Sequence[Instruction]) -> Iterator[str]:
        """Lines of a body, one step in."""
        yield from self.lines(body, 1)

    def statement(self, one: Instruction) -> Iterator[str]:
        """Lines of a statement, for languages with braces."""
        match one:
            case Assign(name=name, value=value):
                yield f"{self.name(name)} = {self.expression(value)};"
            case New(name=name, length=length):
                yield f"{self.name(name)} = {self.fresh(self.expression(length))};"
            case Put(array=array, place=index, value=value):
                yield f"{self.item(self.expression(array, _ATOM), index)} = {self.expression(value)};"
            case If(test=test, yes=yes, no=no):
                yield f"if ({self.expression(test)}) {{"
                yield from self.inner(yes)
                while len(no) == 1 and isinstance(no[0], If):
                    yield f"}} else if ({self.expression(no[0].test)}) {{"
                    yield from self.inner(no[0].yes)
                    no = no[0].no
                if no:
                    yield "} else {"
                    yield from self.inner(no)
                yield "}"
            case While(test=test, body=body):
                yield f"while ({self.expression(test)}) {{"
                yield from self.inner(body)
                yield "}"
            case For(counter=counter, start=start, stop=stop, step=step, body=body):
                name = self.name(counter)
                going = f"{name} {'<' if step > 0 else '>'} {self.expression(stop, _SUM)}"
                stride = f"{name}{'++' if step > 0 else '--'}" if abs(step) == 1 else f"{name} += {step}"
                yield f"for ({self.whole} {name} = {self.expression(start)}; {going}; {stride}) {{"
                yield from self.inner(body)
                yield "}"
            case Return(value=value):
                yield "return;" if value is None else f"return {self.expression(value)};"
            case Break():
                yield "break;"
            case Do(call=call):
                yield f"{self.expression(call)};"

    whole: ClassVar[str] = "let"  # how a counter is declared

    @abstractmethod
    def fresh(self, length: str) -> str:
        """A new array of zeros."""

    # --- Functions

    @abstractmethod
    def function(self, one: Function) -> str:
        """The text of a function."""


def fields_of(kind: RecordType) -> list[str]:
    """The names of a record's fields."""
    return [name for name, _ in kind.fields]


def field_spans(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Where each field of a layout begins and ends in a flat array."""
    found, at = [], 0
    for width in widths:
        found.append((at, at + max(width, 1)))
        at += max(width, 1)
    return found


ATOM: Final = _ATOM
SUM: Final = _SUM
__all__ = ["ARRAY", "ATOM", "BOOL", "FLOAT", "INT", "SUM", "Printer", "field_spans", "fields_of"]
