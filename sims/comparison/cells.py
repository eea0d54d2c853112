"""A change as text: its numbers, and its cells in a table."""

from __future__ import annotations

import math
from typing import Final

from sims.comparison.differences import EVERYBODY, Change

HEADINGS: Final = ("metric", "players", "before", "after", "change (margin)", "size")
_SIZES: Final = ((0.8, "large"), (0.5, "medium"), (0.2, "small"))  # standard deviations: Cohen 1988
_LITTLE: Final = "very small"
_MOST_DIGITS: Final = 6


def players_text(change: Change) -> str:
    """Name the players whose metric it is."""
    return "all players" if change.cohort == EVERYBODY else change.cohort


def _scale(change: Change) -> float:
    """What a value is multiplied with: shares are shown in percent."""
    return 100.0 if change.metric.kind == "share" else 1.0


def _digits(change: Change) -> int:
    """Decimals that the margin justifies: two digits of its half width, more if its end would look like 0."""
    low, high = (_scale(change) * end for end in (change.difference.low, change.difference.high))
    half = (high - low) / 2.0
    if not half > 0.0:
        return 3 if change.metric.kind == "dial" else 1
    digits = min(max(1 - math.floor(math.log10(half)), 0), _MOST_DIGITS)
    if low > 0.0 or high < 0.0:  # a significant change must not read as if it touched 0
        nearest = min(abs(low), abs(high))
        while digits < _MOST_DIGITS and round(nearest, digits) == 0.0:
            digits += 1
    return digits


def _number(change: Change, value: float, sign: str = "") -> str:
    if math.isnan(value):
        return "-"
    digits = _digits(change)
    return format(round(_scale(change) * value, digits) + 0.0, f"{sign},.{digits}f")  # no -0.000


def value_texts(change: Change) -> tuple[str, str]:
    """The metric before and after; shares in percent."""
    return _number(change, change.difference.before), _number(change, change.difference.after)


def by_text(change: Change) -> str:
    """The change alone; that of a share in percentage points."""
    return _number(change, change.difference.value, "+")


def margin_text(change: Change) -> str:
    """Both ends of its margin; empty if there is none, or no luck in it."""
    low, high = change.difference.low, change.difference.high
    return "" if math.isnan(low) else f"{_number(change, low, '+')} to {_number(change, high, '+')}"


def says_nothing(change: Change) -> bool:
    """Whether the margin of a share leaves everything possible, from none to all."""
    difference = change.difference
    return change.metric.kind == "share" and difference.low <= -1.0 and difference.high >= 1.0


def change_text(change: Change) -> str:
    """The change with its margin, as in a table."""
    if says_nothing(change):
        return "not known"
    margin = margin_text(change)
    return f"{by_text(change)} ({margin})" if margin else by_text(change)


def size_text(change: Change) -> str:
    """How large the change is beside the differences between players; "-" where either is unknown, or these are 0."""
    size = abs(change.effect)
    if math.isnan(size) or math.isinf(size) or says_nothing(change):
        return "-"
    return next((name for least, name in _SIZES if size >= least), _LITTLE)


def change_cells(change: Change) -> tuple[str, ...]:
    """A change as text under HEADINGS."""
    unit = unit_of(change)
    label = f"{change.metric.label}, {unit}" if unit else change.metric.label
    return label, players_text(change), *value_texts(change), change_text(change), size_text(change)


def unit_of(change: Change) -> str:
    """The unit of the values; empty for a plain number."""
    return "%" if change.metric.kind == "share" else change.metric.unit.removeprefix("1")


FOLLOWING_HEADINGS: Final = ("metric", "players", "before", "after", "why")


def following_cells(change: Change) -> tuple[str, ...]:
    """A change that follows from what was changed itself, as text under FOLLOWING_HEADINGS."""
    label, players, before, after, *_ = change_cells(change)
    return label, players, before, after, change.follows
