"""Lua: one module for Lua 5.1 to 5.5 and LuaJIT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from engine.translation.syntax import (
    BOOL,
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
)
from sims.shipping.languages.printer import ATOM, SUM, Printer, field_spans, fields_of
from sims.shipping.languages.template import file_header, filled, numbers_of, spread, words_of
from sims.shipping.shipped_rule import POINTS, ShippedRule


class Lua(Printer):
    """Records and arrays are tables; arrays begin at 1."""

    words = words_of("lua", "words")
    taken = words_of("lua", "taken")
    logic: ClassVar = {"and": "and", "or": "or"}
    unequal = "~="
    negation = "not "
    primitives: ClassVar = {
        "min": "least({0}, {1})",
        "max": "most({0}, {1})",
        "min_int": "least({0}, {1})",
        "max_int": "most({0}, {1})",
        "abs": "math.abs({0})",
        "abs_int": "math.abs({0})",
        "sqrt": "math.sqrt({0})",
        "floor": "math.floor({0})",
        "trunc": "trunc({0})",
        "floor_div": "floor_div({0}, {1})",
        "floor_mod": "floor_mod({0}, {1})",
        "floor_div_int": "math.floor(floor_div({0}, {1}))",
        "floor_mod_int": "math.floor(floor_mod({0}, {1}))",
        "scale": "scale({0}, {1})",
        "mantissa": "halves({0}).mantissa",
        "exponent": "halves({0}).exponent",
        "is_nan": "is_nan({0})",
    }

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        if name == "philox":
            return f"philox({', '.join(arguments)})"
        return super().primitive(name, arguments)

    def number(self, value: Constant) -> str:
        text = super().number(value)
        return {"inf": "math.huge", "-inf": "-math.huge"}.get(text, text)

    def item(self, array: str, index: Expression) -> str:
        if isinstance(index, Constant):
            return f"{array}[{int(index.value) + 1}]"
        return f"{array}[{self.expression(index, SUM)} + 1]"

    def length(self, array: str) -> str:
        return f"#{array}"

    def choice(self, value: Selection) -> tuple[str, int]:
        test, yes, no = (self.expression(one, ATOM) for one in (value.test, value.yes, value.no))
        if value.type == BOOL:  # `and ... or` takes a false first value for none
            return f"({test} and {yes} or not {test} and {no})", ATOM
        return f"({test} and {yes} or {no})", ATOM

    def function_name(self, name: str) -> str:
        return f"rule.{self.field(name)}"

    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        parts = zip(fields_of(kind), arguments, strict=True)
        return f"{{ {', '.join(f'{self.field(name)} = {value}' for name, value in parts)} }}"

    def convert(self, of: Expression, kind: ValueType) -> str:
        if of.type == BOOL:
            return f"({self.expression(of, ATOM)} and 1 or 0)"
        return f"({self.expression(of, SUM)} + 0.0)"

    def fresh(self, length: str) -> str:
        return f"zeros({length})"

    def statement(self, one: Instruction) -> Iterator[str]:
        match one:
            case Assign(name=name, value=value):
                yield f"{self.name(name)} = {self.expression(value)}"
            case New(name=name, length=length):
                yield f"{self.name(name)} = {self.fresh(self.expression(length))}"
            case Put(array=array, place=index, value=value):
                yield f"{self.item(self.expression(array, ATOM), index)} = {self.expression(value)}"
            case If(test=test, yes=yes, no=no):
                yield f"if {self.expression(test)} then"
                yield from self.inner(yes)
                while len(no) == 1 and isinstance(no[0], If):
                    yield f"elseif {self.expression(no[0].test)} then"
                    yield from self.inner(no[0].yes)
                    no = no[0].no
                if no:
                    yield "else"
                    yield from self.inner(no)
                yield "end"
            case While(test=test, body=body):
                yield f"while {self.expression(test)} do"
                yield from self.inner(body)
                yield "end"
            case For(counter=counter, start=start, stop=stop, step=step, body=body):
                last = f"{self.expression(stop, SUM)} {'-' if step > 0 else '+'} 1"
                stride = "" if step == 1 else f", {step}"
                yield f"for {self.name(counter)} = {self.expression(start)}, {last}{stride} do"
                yield from self.inner(body)
                yield "end"
            case Return(value=value):
                yield "do return end" if value is None else f"do return {self.expression(value)} end"
            case Break():
                yield "do break end"
            case Do(call=call):
                yield self.expression(call)

    def function(self, one: Function) -> str:
        parameters = ", ".join(self.name(name) for name, _ in one.parameters)
        lines = [f"-- {one.about}"] if one.about else []
        lines.append(f"function {self.function_name(one.name)}({parameters})")
        if one.locals:
            lines.append(f"  local {', '.join(self.name(name) for name, _ in one.locals)}")
        return "\n".join([*lines, *self.inner(one.body), "end"])

    def unpacked(self, kind: RecordType, widths: Sequence[int], name: str) -> Iterator[str]:
        """The function from a flat array to a record."""
        yield f"local function {name}(numbers)"
        yield "  return {"
        for field, width, (first, end) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            value = f"part_of(numbers, {first + 1}, {end})" if width else f"numbers[{first + 1}]"
            yield f"    {self.field(field)} = {value},"
        yield "  }"
        yield "end"

    def packed(self, kind: RecordType, widths: Sequence[int]) -> Iterator[str]:
        """The function from a state into a flat array."""
        yield "local function pack_state(state, numbers)"
        for field, width, (first, _) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            own = f"state.{self.field(field)}"
            if width:
                yield f"  for i = 1, {width} do numbers[{first} + i] = {own}[i] end"
            else:
                yield f"  numbers[{first + 1}] = {own}"
        yield "end"


def lua_file(shipped: ShippedRule) -> str:
    """The whole file."""
    printer, rule = Lua(), shipped.rule
    groups = []
    for group in shipped.groups:
        bounds = ", ".join(f"{name} = {value!r}" for name, value in group.bounds._asdict().items())
        targets, shifts = (", ".join(map(repr, numbers)) for numbers in (group.targets, group.shifts))
        groups.append(
            f'  {{ name = "{group.name}", targets = {{ {targets} }}, shifts = {{ {shifts} }}, '
            f"bounds = {{ {bounds} }}, first = {group.first + 1} }},"
        )
    knobs = []
    for one in shipped.dial:
        values = [f'"{value}"' if isinstance(value, str) else repr(value) for value in one.values]
        whole = "true" if one.knob.scale == "integer" else "false"
        words = f'name = "{one.knob.name}", unit = "{one.knob.unit}", whole = {whole}'
        knobs.append(f"  {{ {words}, values = {{ {', '.join(values)} }} }},")
    learned = f"state = rule.{rule.anti_windup}(constants(), state, group.bounds)" if rule.anti_windup else ""
    return filled(
        "lua.lua",
        HEADER=file_header(shipped, "-- "),
        CONSTANTS=spread(numbers_of(shipped.constants, "math.huge")),
        FIRST=",\n".join(
            f"    {{{spread(numbers_of(first, 'math.huge'), '      ', '    ')}}}" for first in shipped.first_states
        ),
        GROUPS="\n".join(groups),
        KNOBS="\n".join(knobs),
        POINTS=str(POINTS),
        FLOOR=repr(shipped.floor),
        CEILING=repr(shipped.ceiling),
        RESTING=repr(shipped.resting),
        UNIT=f"  numbers[{shipped.unit + 1}] = unit or 0" if shipped.unit >= 0 else "",
        FUNCTIONS="\n\n".join(printer.function(one) for one in rule.program.functions),
        LAYOUTS="\n".join(
            [
                *printer.unpacked(rule.options, rule.options_layout.widths, "unpack_constants"),
                *printer.unpacked(rule.state, rule.state_layout.widths, "unpack_state"),
                *printer.packed(rule.state, rule.state_layout.widths),
            ]
        ),
        ASK=f"rule.{rule.ask}",
        TELL=f"rule.{rule.tell}",
        LEARNED=learned,
    )
