"""C: one file_header for C99 and C++, with its implementation where DIFFICULTY_IMPLEMENTATION is defined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from engine.translation.syntax import (
    ARRAY,
    BOOL,
    FLOAT,
    INT,
    PHILOX,
    VOID,
    Constant,
    Expression,
    Function,
    RecordType,
    ValueType,
    calls_in,
    names_read,
)
from sims.shipping.languages.printer import ATOM, Printer, field_spans, fields_of
from sims.shipping.languages.template import file_header, filled, numbers_of, spread, words_of
from sims.shipping.shipped_rule import POINTS, ShippedRule

_TYPES: Final = {FLOAT: "double", INT: "int64_t", BOOL: "int", ARRAY: "fd_array", VOID: "void"}
_ZERO: Final = {FLOAT: "0.0", INT: "0", BOOL: "0", ARRAY: "{0, 0}"}


class C(Printer):
    """Records are structs, arrays are a pointer with a count."""

    words = words_of("c", "words")
    taken = words_of("c", "taken")
    whole = "int64_t"
    step_in = "    "
    primitives: ClassVar = {
        "min": "fd_min({0}, {1})",
        "max": "fd_max({0}, {1})",
        "min_int": "fd_min_whole({0}, {1})",
        "max_int": "fd_max_whole({0}, {1})",
        "abs": "fabs({0})",
        "abs_int": "llabs({0})",
        "sqrt": "sqrt({0})",
        "floor": "(int64_t)floor({0})",
        "trunc": "(int64_t)({0})",
        "floor_div": "fd_floor_div({0}, {1})",
        "floor_mod": "fd_floor_mod({0}, {1})",
        "floor_div_int": "fd_floor_div_whole({0}, {1})",
        "floor_mod_int": "fd_floor_mod_whole({0}, {1})",
        "scale": "ldexp({0}, (int)({1}))",
        "mantissa": "fd_mantissa({0})",
        "exponent": "fd_exponent({0})",
        "is_nan": "isnan({0})",
    }

    def kind(self, kind: ValueType) -> str:
        """The name of a type."""
        return f"fd_{kind.name}" if isinstance(kind, RecordType) else _TYPES[kind]

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        if name == "philox":
            return f"fd_philox({', '.join(arguments)})"
        return super().primitive(name, arguments)

    def number(self, value: Constant) -> str:
        if value.type == BOOL:
            return "1" if value.value else "0"
        text = super().number(value)
        return {"inf": "(double)INFINITY", "-inf": "-(double)INFINITY"}.get(text, text)

    def item(self, array: str, index: Expression) -> str:
        return f"{array}.at[{self.expression(index)}]"

    def length(self, array: str) -> str:
        return f"{array}.count"

    def function_name(self, name: str) -> str:
        return f"fd_rule_{name}"

    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        return f"fd_make_{kind.name}({', '.join(arguments)})"

    def convert(self, of: Expression, kind: ValueType) -> str:
        return f"({self.kind(kind)}){self.expression(of, ATOM)}"

    def fresh(self, length: str) -> str:
        return f"fd_fresh({length})"

    def record(self, kind: RecordType) -> str:
        """A struct and the function that makes one."""
        own = f"fd_{kind.name}"
        lines = ["typedef struct {"]
        lines += [f"    {self.kind(of)} {self.field(name)};" for name, of in kind.fields]
        parameters = ", ".join(f"{self.kind(of)} {self.name(name)}" for name, of in kind.fields)
        lines += [f"}} {own};", "", f"static inline {own} fd_make_{kind.name}({parameters}) {{", f"    {own} made;"]
        lines += [f"    made.{self.field(name)} = {self.name(name)};" for name, _ in kind.fields]
        return "\n".join([*lines, "    return made;", "}"])

    def function(self, one: Function) -> str:
        parameters = ", ".join(f"{self.kind(of)} {self.name(name)}" for name, of in one.parameters)
        lines = [f"/* {one.about.replace('*/', '* /')} */"] if one.about else []
        lines.append(f"static {self.kind(one.result)} {self.function_name(one.name)}({parameters}) {{")
        for name, of in one.locals:
            zero = f" = {_ZERO[of]}" if isinstance(of, str) else ""
            lines.append(f"    {self.kind(of)} {self.name(name)}{zero};")
        unused = [name for name, _ in one.parameters]
        lines += [f"    (void){self.name(name)};" for name in unused if not _reads(one, name)]
        return "\n".join([*lines, *self.inner(one.body), "}"])

    def unpacked(self, kind: RecordType, widths: Sequence[int], name: str, *, copied: bool) -> Iterator[str]:
        """The function from a flat array to a record."""
        yield f"static fd_{kind.name} {name}(const double *numbers) {{"
        yield f"    fd_{kind.name} made;"
        for field, width, (first, _) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            of = f"numbers + {first}" if first else "numbers"
            array = f"fd_copy({of}, {width})" if copied else f"fd_view({of}, {width})"
            yield f"    made.{self.field(field)} = {array if width else f'numbers[{first}]'};"
        yield "    return made;"
        yield "}"

    def packed(self, kind: RecordType, widths: Sequence[int]) -> Iterator[str]:
        """The function from a state into a flat array."""
        yield f"static void fd_pack_state(fd_{kind.name} state, double *numbers) {{"
        for field, width, (first, _) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            to = f"numbers + {first}" if first else "numbers"
            own = f"state.{self.field(field)}"
            yield (
                f"    memcpy({to}, {own}.at, {width} * sizeof(double));" if width else f"    numbers[{first}] = {own};"
            )
        yield "}"


def _reads(function: Function, name: str) -> bool:
    return name in names_read(function.body)


def c_file(shipped: ShippedRule) -> str:
    """The whole file."""
    printer, rule = C(), shipped.rule
    groups = []
    for group in shipped.groups:
        bounds = ", ".join(map(repr, group.bounds))
        own = [", ".join(map(repr, numbers)) for numbers in (group.targets, group.shifts)]
        groups.append(f'    {{"{group.name}", {{{own[0]}}}, {{{own[1]}}}, {{{bounds}}}, {group.first}}},')
    knobs = []
    for one in shipped.dial:
        choice = one.knob.scale == "choice"
        values = [one.knob.real(value) for value in one.values]
        stepped = int(choice or one.knob.scale == "integer")
        unit = "place in " + ", ".join(one.knob.choices) if choice else one.knob.unit
        knobs.append(f'    {{"{one.knob.name}", "{unit}", {stepped}, {{{", ".join(map(repr, values))}}}}},')
    learned = (
        f"state = fd_rule_{rule.anti_windup}(fd_constants_now(), state, group->bounds);" if rule.anti_windup else ""
    )
    return filled(
        "c.h",
        HEADER=file_header(shipped, " * "),
        NUMBERS=str(rule.state_layout.size),
        GROUP_COUNT=str(len(shipped.groups)),
        GROUP_NAMES="\n".join(f"#define FD_GROUP_{_macro(g.name)} {i}" for i, g in enumerate(shipped.groups)),
        KNOB_NAMES="\n".join(f"#define FD_KNOB_{_macro(k.knob.name)} {i}" for i, k in enumerate(shipped.dial)),
        LEVEL_COUNT=str(len(shipped.groups[0].targets)),
        KNOB_COUNT=str(len(shipped.dial)),
        POINTS=str(POINTS),
        CONSTANTS=spread(numbers_of(shipped.constants, "INFINITY")),
        FIRST_COUNT=str(len(shipped.first_states)),
        FIRST=",\n".join(f"    {{{spread(numbers_of(first, 'INFINITY'))}}}" for first in shipped.first_states),
        GROUPS="\n".join(groups),
        KNOBS="\n".join(knobs),
        FLOOR=repr(shipped.floor),
        CEILING=repr(shipped.ceiling),
        RESTING=repr(shipped.resting),
        UNIT=_unit(shipped.unit),
        RECORDS="\n\n".join(printer.record(one) for one in rule.program.records if one is not rule.bounds),
        PHILOX=_philox(printer, rule.program.functions),
        FUNCTIONS="\n\n".join(printer.function(one) for one in rule.program.functions),
        LAYOUTS="\n".join(
            [
                *printer.unpacked(rule.options, rule.options_layout.widths, "fd_unpack_constants", copied=False),
                *printer.unpacked(rule.state, rule.state_layout.widths, "fd_unpack_state", copied=True),
                *printer.packed(rule.state, rule.state_layout.widths),
            ]
        ),
        OPTIONS=f"fd_{rule.options.name}",
        STATE=f"fd_{rule.state.name}",
        ASK=f"fd_rule_{rule.ask}",
        TELL=f"fd_rule_{rule.tell}",
        LEARNED=learned,
    )


def _unit(place: int) -> str:
    return f"    player->numbers[{place}] = unit;" if place >= 0 else "    (void)unit;"


def _macro(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).upper()


def _philox(printer: C, functions: Sequence[Function]) -> str:
    for one in functions:
        if any(call.function == PHILOX for call in calls_in(one.body)):
            assert isinstance(one.result, RecordType)
            return filled("philox.c", WORDS=printer.kind(one.result), MAKE=f"fd_make_{one.result.name}")
    return ""
