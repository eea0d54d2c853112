"""C#: one file for Unity, Godot and .NET. Doubles only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from engine.rule import Numbers
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
)
from sims.shipping.languages.printer import ATOM, Printer, field_spans, fields_of
from sims.shipping.languages.template import file_header, filled, numbers_of, spread, words_of
from sims.shipping.shipped_rule import POINTS, ShippedRule

_TYPES: Final = {FLOAT: "double", INT: "long", BOOL: "bool", ARRAY: "double[]", VOID: "void"}


class CSharp(Printer):
    """Records are structs, arrays are arrays."""

    words = words_of("csharp", "words")
    taken = words_of("csharp", "taken")
    whole = "long"
    step_in = "    "
    primitives: ClassVar = {
        "min": "Min({0}, {1})",
        "max": "Max({0}, {1})",
        "min_int": "Min({0}, {1})",
        "max_int": "Max({0}, {1})",
        "abs": "Math.Abs({0})",
        "abs_int": "Math.Abs({0})",
        "sqrt": "Math.Sqrt({0})",
        "floor": "(long)Math.Floor({0})",
        "trunc": "(long)({0})",
        "floor_div": "FloorDiv({0}, {1})",
        "floor_mod": "FloorMod({0}, {1})",
        "floor_div_int": "FloorDiv({0}, {1})",
        "floor_mod_int": "FloorMod({0}, {1})",
        "scale": "Scale({0}, {1})",
        "mantissa": "Mantissa({0})",
        "exponent": "Exponent({0})",
        "is_nan": "double.IsNaN({0})",
    }

    def kind(self, kind: ValueType) -> str:
        """The name of a type."""
        return f"R{kind.name}" if isinstance(kind, RecordType) else _TYPES[kind]

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        if name == PHILOX:
            return f"Philox({', '.join(arguments)})"
        return super().primitive(name, arguments)

    def number(self, value: Constant) -> str:
        text = super().number(value)
        known = {"inf": "double.PositiveInfinity", "-inf": "double.NegativeInfinity"}
        return known.get(text, f"{text}L" if value.type == INT else text)

    def length(self, array: str) -> str:
        return f"{array}.LongLength"

    def function_name(self, name: str) -> str:
        return f"Rule_{name}"

    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        return f"new {self.kind(kind)}({', '.join(arguments)})"

    def convert(self, of: Expression, kind: ValueType) -> str:
        if of.type == BOOL:
            one, zero = ("1.0", "0.0") if kind == FLOAT else ("1L", "0L")
            return f"({self.expression(of)} ? {one} : {zero})"
        return f"({self.kind(kind)}){self.expression(of, ATOM)}"

    def fresh(self, length: str) -> str:
        return f"new double[{length}]"

    def record(self, kind: RecordType) -> str:
        """A struct with a constructor."""
        own = self.kind(kind)
        lines = [f"private struct {own}", "{"]
        lines += [f"    public {self.kind(of)} {self.field(name)};" for name, of in kind.fields]
        parameters = ", ".join(f"{self.kind(of)} {self.field(name)}" for name, of in kind.fields)
        lines += [f"    public {own}({parameters})", "    {"]
        lines += [f"        this.{self.field(name)} = {self.field(name)};" for name, _ in kind.fields]
        return "\n".join([*lines, "    }", "}"])

    def function(self, one: Function) -> str:
        parameters = ", ".join(f"{self.kind(of)} {self.name(name)}" for name, of in one.parameters)
        lines = [f"// {one.about}"] if one.about else []
        lines += [f"private static {self.kind(one.result)} {self.function_name(one.name)}({parameters})", "{"]
        lines += [f"    {self.kind(of)} {self.name(name)} = default({self.kind(of)});" for name, of in one.locals]
        return "\n".join([*lines, *self.inner(one.body), "}"])

    def unpacked(self, kind: RecordType, widths: Sequence[int], name: str) -> Iterator[str]:
        """The function from a flat array to a record."""
        parts = [
            f"Part(numbers, {first}, {width})" if width else f"numbers[{first}]"
            for width, (first, _) in zip(widths, field_spans(widths), strict=True)
        ]
        yield f"private static {self.kind(kind)} {name}(double[] numbers)"
        yield "{"
        yield f"    return new {self.kind(kind)}("
        yield ",\n".join(f"        {part}" for part in parts) + ");"
        yield "}"

    def packed(self, kind: RecordType, widths: Sequence[int]) -> Iterator[str]:
        """The function from a state into a flat array."""
        yield f"private static void PackState({self.kind(kind)} state, double[] numbers)"
        yield "{"
        for field, width, (first, _) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            own = f"state.{self.field(field)}"
            copied = f"Array.Copy({own}, 0, numbers, {first}, {width});"
            yield f"    {copied}" if width else f"    numbers[{first}] = {own};"
        yield "}"


def csharp_file(shipped: ShippedRule) -> str:
    """The whole file."""
    printer, rule = CSharp(), shipped.rule
    groups = []
    for group in shipped.groups:
        targets, shifts = (", ".join(map(repr, numbers)) for numbers in (group.targets, group.shifts))
        bounds = ", ".join(map(repr, group.bounds))
        groups.append(
            f'new Group("{group.name}", new double[] {{ {targets} }}, new double[] {{ {shifts} }}, '
            f"new {printer.kind(rule.bounds)}({bounds}), {group.first}),"
        )
    knobs = []
    for one in shipped.dial:
        choice = one.knob.scale == "choice"
        values = ", ".join(repr(one.knob.real(value)) for value in one.values)
        unit = "place in " + ", ".join(one.knob.choices) if choice else one.knob.unit
        stepped = "true" if choice or one.knob.scale == "integer" else "false"
        knobs.append(f'new KnobRow("{one.knob.name}", "{unit}", {stepped}, new double[] {{ {values} }}),')
    learned = f"state = Rule_{rule.anti_windup}(Constants(), state, group.Bounds);" if rule.anti_windup else ""
    functions = rule.program.functions
    philox = next((one for one in functions if any(call.function == PHILOX for call in calls_in(one.body))), None)
    members = [
        *(printer.record(one) for one in rule.program.records),
        *([] if philox is None else [filled("philox.cs", WORDS=printer.kind(philox.result))]),
        *(printer.function(one) for one in functions),
        "\n".join(printer.unpacked(rule.options, rule.options_layout.widths, "UnpackConstants")),
        "\n".join(printer.unpacked(rule.state, rule.state_layout.widths, "UnpackState")),
        "\n".join(printer.packed(rule.state, rule.state_layout.widths)),
    ]
    return filled(
        "csharp.cs",
        HEADER=file_header(shipped, "// "),
        CONSTANTS=_listed(shipped.constants),
        FIRST="\n".join(f"        new double[] {{{_listed(first)}}}," for first in shipped.first_states),
        GROUPS="\n".join(f"        {one}" for one in groups),
        KNOBS="\n".join(f"        {one}" for one in knobs),
        POINTS=str(POINTS),
        FLOOR=repr(shipped.floor),
        CEILING=repr(shipped.ceiling),
        RESTING=repr(shipped.resting),
        UNIT=f"player.Numbers[{shipped.unit}] = unit;" if shipped.unit >= 0 else "",
        MEMBERS="\n\n".join(_indented(one) for one in members),
        SITUATION=printer.kind(rule.situation),
        OBSERVATION=printer.kind(rule.observation),
        OPTIONS=printer.kind(rule.options),
        STATE=printer.kind(rule.state),
        BOUNDS=printer.kind(rule.bounds),
        ASK=f"Rule_{rule.ask}",
        TELL=f"Rule_{rule.tell}",
        LEARNED=learned,
    )


def _listed(numbers: Numbers) -> str:
    return spread(numbers_of(numbers, "double.PositiveInfinity"), "            ", "        ")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
