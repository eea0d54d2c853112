"""The form of JSON that anybody may have written, and where a value differs from it.

A form is a type, None, a function that says whether a value will do, a list with the form of all items, an `Each` or a
dict of entries, or a tuple of forms any of which will do. Entries are needed unless their name ends with a question
mark; what else is there is nobody's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.scenario_file.faults import clipped

_LARGEST: Final = 1e100  # of numbers: sums and squares of them are still numbers
_MISSING: Final = object()


@dataclass(frozen=True)
class Each:
    """A dict with whatever keys, all of which will do, and the form of its values."""

    form: Any
    key: Callable[[str], bool] = str.isprintable


def is_number(value: object) -> bool:
    """Whether it is a number to calculate with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def is_count(value: object) -> bool:
    """Whether it is a whole number from 0 that 64 bits hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def is_line(value: object) -> bool:
    """Whether it is a text that can neither break a line nor steer a terminal."""
    return isinstance(value, str) and value.isprintable()


def is_name(value: object) -> bool:
    """Whether it is such a text, and not empty."""
    return is_line(value) and value != ""


def is_text(value: object) -> bool:
    """Whether it is any text but the empty one."""
    return isinstance(value, str) and value != ""


def misfit(value: Any, form: Any, place: str = "") -> str | None:
    """The first place at which a value of JSON differs from a form, such as "knobs.0.low"; None where it fits."""
    if isinstance(form, tuple):
        tried = [misfit(value, one, place) for one in form]
        return None if None in tried else tried[0]
    inside: list[tuple[str, Any, Any]] = []
    if isinstance(form, list):
        fits = isinstance(value, list)
        inside = [(str(i), item, form[0]) for i, item in enumerate(value)] if isinstance(value, list) else []
    elif isinstance(form, Each):
        fits = isinstance(value, dict)
        for key, item in value.items() if isinstance(value, dict) else ():
            inside.append((key, item, form.form) if form.key(key) else (repr(key), item, _never))
    elif isinstance(form, Mapping):
        fits = isinstance(value, dict)
        for key, one in form.items() if isinstance(value, dict) else ():
            name = key.removesuffix("?")
            if name in value or name == key:
                inside.append((name, value.get(name, _MISSING), one))
    elif isinstance(form, type) or form is None:
        fits = value is None if form is None else isinstance(value, form)
    else:
        fits = form(value)
    if not fits:
        return place or "its form"
    found = (misfit(item, one, f"{place}.{clipped(name)}".lstrip(".")) for name, item, one in inside)
    return next((one for one in found if one is not None), None)


def _never(value: object) -> bool:
    """Nothing will do where the key does not."""
    return False
