"""GDScript 4: one script. Doubles that are no short fractions travel as bits, since Godot reads decimals inexactly."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

import numpy as np

from engine.translation.syntax import (
    BOOL,
    FLOAT,
    PHILOX,
    Assign,
    Break,
    Constant,
    Do,
    Expression,
    For,
    Function,
    If,
    Instruction,
    New,
    Put,
    RecordType,
    Return,
    Selection,
    ValueType,
    While,
    calls_in,
)
from sims.shipping.languages.printer import ATOM, Printer, field_spans, fields_of
from sims.shipping.languages.template import file_header, filled, words_of
from sims.shipping.shipped_rule import POINTS, ShippedRule

_SHORT: Final = 1024.0  # a multiple of 1 / 1024 below 1,000 is read exactly


class GDScript(Printer):
    """Records are inner classes, arrays are Arrays."""

    words = words_of("gdscript", "words")
    taken = words_of("gdscript", "taken")
    logic: ClassVar = {"and": "and", "or": "or"}
    negation = "not "
    step_in = "\t"
    primitives: ClassVar = {
        "min": "_least({0}, {1})",
        "max": "_most({0}, {1})",
        "min_int": "_least({0}, {1})",
        "max_int": "_most({0}, {1})",
        "abs": "abs({0})",
        "abs_int": "abs({0})",
        "sqrt": "sqrt({0})",
        "floor": "int(floor({0}))",
        "trunc": "int({0})",
        "floor_div": "_floor_div({0}, {1})",
        "floor_mod": "_floor_mod({0}, {1})",
        "floor_div_int": "int(_floor_div(float({0}), float({1})))",
        "floor_mod_int": "int(_floor_mod(float({0}), float({1})))",
        "scale": "_scale({0}, {1})",
        "mantissa": "_halves({0})[0]",
        "exponent": "_halves({0})[1]",
        "is_nan": "is_nan({0})",
    }

    def __init__(self) -> None:
        self.exact: list[float] = []  # constants that are read from their bits

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        if name == "philox":
            return f"_philox({', '.join(arguments)})"
        return super().primitive(name, arguments)

    def number(self, value: Constant) -> str:
        if value.type != FLOAT:
            return super().number(value)
        number = float(value.value)
        if number in (float("inf"), float("-inf")):
            return "INF" if number > 0 else "-INF"
        if abs(number) < 1000 and (number * _SHORT).is_integer():
            return repr(number)
        if number not in self.exact:
            self.exact.append(number)
        return f"exact[{self.exact.index(number)}]"

    def length(self, array: str) -> str:
        return f"{array}.size()"

    def choice(self, value: Selection) -> tuple[str, int]:
        yes, test, no = (self.expression(one, ATOM) for one in (value.yes, value.test, value.no))
        return f"({yes} if {test} else {no})", ATOM

    def function_name(self, name: str) -> str:
        return f"_rule_{name}"

    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        return f"R{kind.name}.new({', '.join(arguments)})"

    def convert(self, of: Expression, kind: ValueType) -> str:
        return f"{'float' if kind == FLOAT else 'int'}({self.expression(of)})"

    def fresh(self, length: str) -> str:
        return f"_zeros({length})"

    def inner(self, body: Sequence[Instruction]) -> Iterator[str]:
        yield from super().inner(body) if body else ("\tpass",)

    def statement(self, one: Instruction) -> Iterator[str]:
        match one:
            case Assign(name=name, value=value):
                yield f"{self.name(name)} = {self.expression(value)}"
            case New(name=name, length=length):
                yield f"{self.name(name)} = {self.fresh(self.expression(length))}"
            case Put(array=array, place=index, value=value):
                yield f"{self.item(self.expression(array, ATOM), index)} = {self.expression(value)}"
            case If(test=test, yes=yes, no=no):
                yield f"if {self.expression(test)}:"
                yield from self.inner(yes)
                while len(no) == 1 and isinstance(no[0], If):
                    yield f"elif {self.expression(no[0].test)}:"
                    yield from self.inner(no[0].yes)
                    no = no[0].no
                if no:
                    yield "else:"
                    yield from self.inner(no)
            case While(test=test, body=body):
                yield f"while {self.expression(test)}:"
                yield from self.inner(body)
            case For(counter=counter, start=start, stop=stop, step=step, body=body):
                steps = f"{self.expression(start)}, {self.expression(stop)}, {step}"
                yield f"for {self.name(counter)} in range({steps}):"
                yield from self.inner(body)
            case Return(value=value):
                yield "return" if value is None else f"return {self.expression(value)}"
            case Break():
                yield "break"
            case Do(call=call):
                yield self.expression(call)

    def record(self, kind: RecordType) -> str:
        """An inner class."""
        names = [self.field(name) for name in fields_of(kind)]
        lines = [f"class R{kind.name}:", *(f"\tvar {name}" for name in names), ""]
        lines += [f"\tfunc _init({', '.join(f'{name}_given' for name in names)}):"]
        return "\n".join([*lines, *(f"\t\t{name} = {name}_given" for name in names)])

    def function(self, one: Function) -> str:
        parameters = ", ".join(self.name(name) for name, _ in one.parameters)
        lines = [f"# {one.about}"] if one.about else []
        lines.append(f"func {self.function_name(one.name)}({parameters}):")
        lines += [f"\tvar {self.name(name)} = {'false' if of == BOOL else 'null'}" for name, of in one.locals]
        return "\n".join([*lines, *self.inner(one.body)])

    def unpacked(self, kind: RecordType, widths: Sequence[int], name: str) -> Iterator[str]:
        """The function from a flat array to a record."""
        parts = [
            f"numbers.slice({first}, {end})" if width else f"numbers[{first}]"
            for width, (first, end) in zip(widths, field_spans(widths), strict=True)
        ]
        yield f"func {name}(numbers):"
        yield f"\treturn R{kind.name}.new({', '.join(parts)})"

    def packed(self, kind: RecordType, widths: Sequence[int]) -> Iterator[str]:
        """The function from a state into a flat array."""
        yield "func _pack_state(state, numbers):"
        for field, width, (first, _) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            own = f"state.{self.field(field)}"
            if width:
                yield f"\tfor i in range({width}):"
                yield f"\t\tnumbers[{first} + i] = {own}[i]"
            else:
                yield f"\tnumbers[{first}] = {own}"


def _bits(numbers: Iterable[float]) -> str:
    """Doubles as text that Godot turns into the same bits."""
    data = base64.b64encode(np.asarray(list(numbers), dtype="<f8").tobytes()).decode()
    return f'_doubles("{data}")'


def gdscript_file(shipped: ShippedRule) -> str:
    """The whole file."""
    printer, rule = GDScript(), shipped.rule
    functions = "\n\n\n".join(printer.function(one) for one in rule.program.functions)
    groups = []
    for group in shipped.groups:
        bounds = f"_bounds({_bits(group.bounds)})"
        groups.append(
            f'\t{{"name": "{group.name}", "targets": {_bits(group.targets)}, "shifts": {_bits(group.shifts)}, '
            f'"bounds": {bounds}, "first": {group.first}}},'
        )
    knobs = []
    for one in shipped.dial:
        if one.knob.scale == "choice":
            values = "[" + ", ".join(f'"{value}"' for value in one.values) + "]"
        else:
            values = _bits(float(value) for value in one.values)
        stepped = "true" if one.knob.scale in ("choice", "integer") else "false"
        knobs.append(
            f'\t{{"name": "{one.knob.name}", "unit": "{one.knob.unit}", "stepped": {stepped}, "values": {values}}},'
        )
    learned = f'state = _rule_{rule.anti_windup}(_constants(), state, group["bounds"])' if rule.anti_windup else ""
    return filled(
        "gdscript.gd",
        HEADER=file_header(shipped, "# "),
        CONSTANTS=_bits(shipped.constants),
        FIRST="\n".join(f"\t{_bits(first)}," for first in shipped.first_states),
        GROUPS="\n".join(groups),
        KNOBS="\n".join(knobs),
        EXACT=_bits(printer.exact),
        POINTS=str(POINTS),
        FLOOR=_bits([shipped.floor]),
        CEILING=_bits([shipped.ceiling]),
        RESTING=_bits([shipped.resting]),
        UNIT=f"\tnumbers[{shipped.unit}] = float(unit)" if shipped.unit >= 0 else "",
        RECORDS="\n\n\n".join(printer.record(one) for one in rule.program.records),
        FUNCTIONS=functions,
        LAYOUTS="\n".join(
            [
                *printer.unpacked(rule.options, rule.options_layout.widths, "_unpack_constants"),
                "\n",
                *printer.unpacked(rule.state, rule.state_layout.widths, "_unpack_state"),
                "\n",
                *printer.packed(rule.state, rule.state_layout.widths),
            ]
        ),
        PHILOX=_philox(shipped),
        ASK=f"_rule_{rule.ask}",
        TELL=f"_rule_{rule.tell}",
        LEARNED=learned,
    )


def _philox(shipped: ShippedRule) -> str:
    for one in shipped.rule.program.functions:
        if any(call.function == PHILOX for call in calls_in(one.body)):
            assert isinstance(one.result, RecordType)
            return filled("philox.gd", WORDS=f"R{one.result.name}")
    return ""
