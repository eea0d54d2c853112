"""Phrases that several rooms share: numbers, lists and shares as words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

UNCALIBRATED: Final = (
    "These players are simulated and not fitted to your game yet (uncalibrated). "
    "Trust comparisons more than the percentages themselves."
)

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(number: int) -> str:
    """A whole number as a word up to ten."""
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def listed(names: Sequence[str]) -> str:
    """Names as one reads them out."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def share_text(share: float) -> str:
    """A share in words: whole per cent, with care at the ends."""
    if math.isnan(share):
        return "-"
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def share_of(part: int, whole: int) -> float:
    """A part of a whole; NaN of nothing."""
    return part / whole if whole else math.nan
