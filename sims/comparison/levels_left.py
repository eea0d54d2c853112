"""Who is left: the share of players who passed each level before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.inference.difference import Difference, of_one_more, paired_difference, unpaired_difference

HEADING: Final = "Who is left: players who passed a level"
NOTE: Final = "Levels are counted on each side from the first. All margins of the table hold at once."
HEADINGS: Final = ("level", "before, %", "after, %", "change (margin)")
_SURE: Final = 0.95  # that all margins of a campaign hold at once
_MOST_ROWS: Final = 12  # of a table

Numbers = npt.NDArray[np.float64]


class LevelLeft(NamedTuple):
    """One level, counted from 1 on each side."""

    level: int
    difference: Difference  # of the share of players who passed it

    def cells(self) -> tuple[str, ...]:
        """As text under HEADINGS."""
        found = self.difference
        change = f"{100.0 * found.value:+.1f} ({100.0 * found.low:+.1f} to {100.0 * found.high:+.1f})"
        return str(self.level), f"{100.0 * found.before:.1f}", f"{100.0 * found.after:.1f}", change

    def to_json(self) -> dict[str, float | int | None]:
        """For comparison.json; None for unknown values."""
        found = self.difference
        numbers = {
            "before": found.before, "after": found.after, "change": found.value,
            "change_low": found.low, "change_high": found.high,
        }  # fmt: skip
        return {"level": self.level} | {name: None if math.isnan(one) else one for name, one in numbers.items()}


def levels_left(
    before: Sequence[Numbers],
    after: Sequence[Numbers],
    levels: int,
    *,
    paired: bool,
    by_replica: bool,
    drawn: bool = False,
) -> tuple[LevelLeft, ...]:
    """Compare the shares of players who passed each level.

    Args:
        before: levels that each player passed, by cohort, shape (replicas, players).
        after: the same of the other scenario; the same players where they are paired.
        levels: that both campaigns have.
        paired: whether the players are the same.
        by_replica: whether the players of a replica share a controller or a draw of what was fitted, and count as one.
        drawn: whether each replica draws what was fitted, so that the next one is meant.

    Returns:
        One for each level, with margins that hold for all of them at once (Bonferroni).
    """
    difference_of = paired_difference if paired else unpaired_difference
    confidence = 1.0 - (1.0 - _SURE) / max(levels, 1)
    found = []
    for level in range(1, levels + 1):
        sides = []
        for side in (before, after):
            passed = np.concatenate([cohort >= level for cohort in side], axis=1).astype(np.float64)
            sums = np.stack((passed, np.ones_like(passed)), axis=2)
            sides.append(sums.sum(axis=1) if by_replica else sums.reshape(-1, 2))
        difference = difference_of(sides[0], sides[1], confidence)
        found.append(LevelLeft(level, of_one_more(difference, confidence) if drawn else difference))
    return tuple(found)


def shown_levels(left: Sequence[LevelLeft]) -> list[LevelLeft]:
    """As many as a table has room for, evenly from the first to the last."""
    if len(left) <= _MOST_ROWS:
        return list(left)
    places = np.unique(np.round(np.linspace(0, len(left) - 1, _MOST_ROWS)).astype(int))
    return [left[place] for place in places.tolist()]
