"""JavaScript: one file for browsers, node, and engines that embed a JavaScript interpreter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

from engine.translation.syntax import ARRAY, FLOAT, Expression, Function, RecordType, ValueType
from sims.shipping.languages.printer import ATOM, Printer, field_spans, fields_of
from sims.shipping.languages.template import file_header, filled, list_text, numbers_of, spread, words_of
from sims.shipping.shipped_rule import POINTS, ShippedRule


class JavaScript(Printer):
    """Records are objects, arrays are typed arrays."""

    words = words_of("js", "words")
    taken = words_of("js", "taken")
    unequal = "!=="
    equal = "==="
    primitives: ClassVar = {
        "min": "least({0}, {1})",
        "max": "most({0}, {1})",
        "min_int": "least({0}, {1})",
        "max_int": "most({0}, {1})",
        "abs": "Math.abs({0})",
        "abs_int": "Math.abs({0})",
        "sqrt": "Math.sqrt({0})",
        "floor": "Math.floor({0})",
        "trunc": "Math.trunc({0})",
        "floor_div": "floorDiv({0}, {1})",
        "floor_mod": "floorMod({0}, {1})",
        "floor_div_int": "floorDiv({0}, {1})",
        "floor_mod_int": "floorMod({0}, {1})",
        "scale": "scale({0}, {1})",
        "mantissa": "halves({0}).mantissa",
        "exponent": "halves({0}).exponent",
        "is_nan": "Number.isNaN({0})",
    }

    def primitive(self, name: str, arguments: Sequence[str]) -> str:
        if name == "philox":
            return f"philox({', '.join(arguments)})"
        return super().primitive(name, arguments)

    def number(self, value):  # type: ignore[no-untyped-def]
        text = super().number(value)
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(text, text.removesuffix(".0") if "e" not in text else text)

    def function_name(self, name: str) -> str:
        return f"rule_{name}"

    def build(self, kind: RecordType, arguments: Sequence[str]) -> str:
        parts = zip(fields_of(kind), arguments, strict=True)
        return f"{{ {', '.join(f'{self.field(name)}: {value}' for name, value in parts)} }}"

    def convert(self, of: Expression, kind: ValueType) -> str:
        return f"Number({self.expression(of)})" if of.type == "bool" else self.expression(of, ATOM)

    def fresh(self, length: str) -> str:
        return f"new Float64Array({length})"

    def function(self, one: Function) -> str:
        parameters = ", ".join(self.name(name) for name, _ in one.parameters)
        lines = [f"// {one.about}"] if one.about else []
        lines.append(f"function {self.function_name(one.name)}({parameters}) {{")
        if one.locals:
            lines.append(f"  let {', '.join(self.name(name) for name, _ in one.locals)};")
        return "\n".join([*lines, *self.inner(one.body), "}"])

    def unpacked(self, kind: RecordType, widths: Sequence[int], name: str) -> Iterator[str]:
        """The function from a flat array to a record."""
        yield f"function {name}(numbers) {{"
        yield "  return {"
        for field, width, (first, end) in zip(fields_of(kind), widths, field_spans(widths), strict=True):
            value = f"Float64Array.from(numbers.slice({first}, {end}))" if width else f"numbers[{first}]"
            yield f"    {self.field(field)}: {value},"
        yield "  };"
        yield "}"

    def packed(self, kind: RecordType, widths: Sequence[int]) -> Iterator[str]:
        """The function from a state into a flat array."""
        yield "function packState(state, numbers) {"
        for (field, of), width, (first, _) in zip(kind.fields, widths, field_spans(widths), strict=True):
            if of == ARRAY:
                place = f"{first} + i" if first else "i"
                yield f"  for (let i = 0; i < {width}; i++) numbers[{place}] = state.{self.field(field)}[i];"
            elif of == FLOAT:
                yield f"  numbers[{first}] = state.{self.field(field)};"
        yield "}"


def javascript_file(shipped: ShippedRule) -> str:
    """The whole file."""
    printer = JavaScript()
    rule = shipped.rule
    functions = "\n\n".join(printer.function(one) for one in rule.program.functions)
    layouts = [
        *printer.unpacked(rule.options, rule.options_layout.widths, "unpackConstants"),
        *printer.unpacked(rule.state, rule.state_layout.widths, "unpackState"),
        *printer.packed(rule.state, rule.state_layout.widths),
    ]
    groups = [
        {
            "name": group.name,
            "targets": list(group.targets),
            "shifts": list(group.shifts),
            "bounds": group.bounds._asdict(),
            "first": group.first,
        }
        for group in shipped.groups
    ]
    knobs = [
        {"name": one.knob.name, "unit": one.knob.unit, "whole": one.knob.scale == "integer", "values": list(one.values)}
        for one in shipped.dial
    ]
    learned = f"state = rule_{rule.anti_windup}(constants(), state, group.bounds);" if rule.anti_windup else ""
    return filled(
        "javascript.js",
        HEADER=file_header(shipped, "// "),
        CONSTANTS=spread(numbers_of(shipped.constants, "Infinity"), "      ", "    "),
        FIRST=",\n".join(
            f"      [{spread(numbers_of(first, 'Infinity'), '        ', '      ')}]" for first in shipped.first_states
        ),
        GROUPS=list_text([json.dumps(one) for one in groups], "    ", "  "),
        KNOBS=list_text([json.dumps(one) for one in knobs], "    ", "  "),
        POINTS=str(POINTS),
        FLOOR=repr(shipped.floor),
        CEILING=repr(shipped.ceiling),
        RESTING=repr(shipped.resting),
        UNIT=str(shipped.unit),
        LAYOUTS="\n".join(layouts),
        FUNCTIONS=functions,
        ASK=f"rule_{rule.ask}",
        TELL=f"rule_{rule.tell}",
        LEARNED=learned,
        SITUATION="{ " + ", ".join(f"{name}: {_SITUATION[name]}" for name, _ in rule.situation.fields) + " }",
    )


_SITUATION = {
    "target": "target",
    "attempt": "situation.attempt",
    "level": "level",
    "place": "place",
    "last": "last",
    "session": "situation.session || 0",
    "day": "situation.day || 0",
}
