"""Types of fields in JSON files that anybody may have written, and the place at which such a file is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from engine.scenario_file.scenario_faults import shorten_key

STRICT: Final = ConfigDict(strict=True)  # a number is no text, a truth value is no number
_LARGEST: Final = 1e100  # of numbers: sums and squares of them are still numbers


def fits(test: Callable[[Any], bool]) -> AfterValidator:
    """A rule for pydantic: a value will do when the test says so."""

    def check(value: Any) -> Any:
        if not test(value):
            raise ValueError("it will not do")
        return value

    return AfterValidator(check)


def is_number(value: object) -> bool:
    """Whether it is a number to calculate with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def is_count(value: object) -> bool:
    """Whether it is a whole number from 0 that 64 bits hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_scalar(value: object) -> bool:
    return (
        value is None or isinstance(value, bool) or is_number(value) or (isinstance(value, str) and value.isprintable())
    )


Count = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
TextLine = Annotated[str, fits(str.isprintable)]  # it can neither break a line nor steer a terminal
Name = Annotated[TextLine, Field(min_length=1)]
Scalar = Annotated[Any, fits(_is_scalar)]


def place_of(fault: ValidationError) -> str:
    """The first place at which a file differs from its model, such as "knobs.0.low"."""
    parts = [
        str(part) for part in fault.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
    ]
    if parts[-1:] == ["[key]"]:  # the key itself will not do
        parts = [*parts[:-2], repr(parts[-2])]
    return ".".join(map(shorten_key, parts)) or "its form"
