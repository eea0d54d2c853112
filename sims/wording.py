"""Phrases that several rooms share: numbers, lists and shares as words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.scenario_file.calibration_label import CalibrationLabel

UNCALIBRATED: Final = (
    "These players are simulated and not fitted to your game yet (uncalibrated). "
    "Trust comparisons more than the percentages themselves."
)

_CAUTIONS: Final = {
    "calibrated": "These players are simulated and {}.",
    "changed": "These players are simulated and {}. What was changed is not fitted to your game.",
    "outside": "These players are simulated and {}. What lies outside is the model's guess.",
}

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def caution_of(label: CalibrationLabel) -> str:
    """What a reader must know of the players behind win rates."""
    return _CAUTIONS[label.state].format(label.words) if label.state in _CAUTIONS else UNCALIBRATED


def badge_of(label: CalibrationLabel, plain: str = "uncalibrated") -> tuple[str, str]:
    """A word above a page's title, and what it means. plain: what stands there of players who were never fitted."""
    return (plain if label.state == "uncalibrated" else label.words.partition(":")[0]), caution_of(label)


def weakest(labels: Iterable[CalibrationLabel]) -> CalibrationLabel:
    """The label that promises least, the first of equals; for results of several scenarios."""
    order = ("uncalibrated", "changed", "outside", "calibrated")
    return min(labels, key=lambda label: order.index(label.state))


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
