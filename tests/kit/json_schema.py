"""A JSON schema held against a value: the second opinion on what the reader of scenarios accepts.

It knows the keywords that the schema of scenarios uses and fails on every other, so that no rule goes unheard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_SAID: Final = {"title", "description", "default", "discriminator", "$schema", "$defs"}  # say nothing about the value
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def against(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with the value; nothing when the schema holds."""
    return list(_faults(schema, value, schema, "."))


def _faults(node: dict[str, Any], value: Any, root: dict[str, Any], place: str) -> Iterator[str]:
    for word, rule in node.items():
        match word:
            case _ if word in _SAID:
                continue
            case "$ref":
                target = root
                for part in rule.removeprefix("#/").split("/"):
                    target = target[part]
                yield from _faults(target, value, root, place)
            case "type":
                if not isinstance(value, _TYPES[rule]) or (isinstance(value, bool) and rule != "boolean"):
                    yield f"{place} is not of type {rule}"
            case "const" | "enum":
                if value not in (rule if word == "enum" else [rule]):
                    yield f"{place} is not {rule}"
            case "anyOf" | "oneOf":
                fitting = [not list(_faults(option, value, root, place)) for option in rule].count(True)
                if fitting != 1 and not (word == "anyOf" and fitting):
                    yield f"{place} fits {fitting} of {len(rule)} forms"
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
                if isinstance(value, int | float) and not _in_order(word, value, rule):
                    yield f"{place} is beyond its {word} {rule}"
            case "minLength" | "minItems" | "maxLength" | "maxItems":
                sized = str if word.endswith("Length") else list
                if isinstance(value, sized) and not (len(value) >= rule if word[:3] == "min" else len(value) <= rule):
                    yield f"{place} is beyond its {word} {rule}"
            case "pattern":
                if isinstance(value, str) and not re.search(rule, value):
                    yield f"{place} has not the form {rule}"
            case "required":
                if isinstance(value, dict):
                    yield from (f"{place} lacks {key}" for key in rule if key not in value)
            case "properties":
                if isinstance(value, dict):
                    for key in rule.keys() & value.keys():
                        yield from _faults(rule[key], value[key], root, f"{place}.{key}")
            case "additionalProperties":
                known = node.get("properties", {})
                for key in value.keys() - known.keys() if isinstance(value, dict) else ():
                    if rule is False:
                        yield f"{place} must not have {key}"
                    elif rule is not True:
                        yield from _faults(rule, value[key], root, f"{place}.{key}")
            case "items":
                for number, item in enumerate(value if isinstance(value, list) else ()):
                    yield from _faults(rule, item, root, f"{place}[{number}]")
            case _:
                raise NotImplementedError(f"the keyword {word} of JSON schema")


def _in_order(word: str, value: float, rule: float) -> bool:
    match word:
        case "minimum":
            return value >= rule
        case "maximum":
            return value <= rule
        case "exclusiveMinimum":
            return value > rule
    return value < rule
