"""A change as text: its numbers, and its cells in a table."""

from __future__ import annotations

import math
from typing import Final

from sims.comparison.differences import EVERYBODY, Change

HEADINGS: Final = ("metric", "who", "before", "after", "change", "effect", "p")
_LEAST_P: Final = 0.001
_MOST_DIGITS: Final = 6


def players_text(change: Change) -> str:
    """Name the players whose metric it is."""
    return "all players" if change.cohort == EVERYBODY else change.cohort


def _digits(change: Change) -> int:
    """Decimals that the interval is worth: two digits of its half width, and more where its end would look like 0."""
    difference = change.difference
    half = (difference.high - difference.low) / 2.0
    if not half > 0.0:
        return 3 if change.metric.kind == "share" else 1
    digits = min(max(1 - math.floor(math.log10(half)), 0), _MOST_DIGITS)
    if difference.low > 0.0 or difference.high < 0.0:  # a flagged change must not read as if it touched 0
        nearest = min(abs(difference.low), abs(difference.high))
        while digits < _MOST_DIGITS and round(nearest, digits) == 0.0:
            digits += 1
    return digits


def _number(value: float, digits: int, sign: str = "") -> str:
    if math.isnan(value):
        return "-"
    return format(round(value, digits) + 0.0, f"{sign},.{digits}f")  # no -0.000


def value_texts(change: Change) -> tuple[str, str]:
    """The metric before and after."""
    return _number(change.difference.before, _digits(change)), _number(change.difference.after, _digits(change))


def by_text(change: Change) -> str:
    """The change alone."""
    return _number(change.difference.value, _digits(change), "+")


def ends_text(change: Change) -> str:
    """Its interval; empty where there is none, or no luck in it."""
    difference, digits = change.difference, _digits(change)
    if math.isnan(difference.low):
        return ""
    return f"{_number(difference.low, digits, '+')} to {_number(difference.high, digits, '+')}"


def change_text(change: Change) -> str:
    """The change with its interval."""
    ends = ends_text(change)
    return f"{by_text(change)} ({ends})" if ends else by_text(change)


def effect_text(change: Change) -> str:
    """The effect; players who do not differ have no spread to measure it by."""
    if math.isinf(change.effect):
        return "all alike"
    return _number(change.effect, 2, "+")


def p_text(change: Change) -> str:
    """The adjusted p-value."""
    if math.isnan(change.p_adjusted):
        return "-"
    return f"<{_LEAST_P:g}" if change.p_adjusted < _LEAST_P else f"{change.p_adjusted:.3f}"


def change_cells(change: Change) -> tuple[str, ...]:
    """A change as text under HEADINGS."""
    unit = f", {change.metric.unit}" if change.metric.unit != "1" else ""
    label = f"{change.metric.label}{unit}"
    numbers = (*value_texts(change), change_text(change), effect_text(change), p_text(change))
    return label, players_text(change), *numbers
