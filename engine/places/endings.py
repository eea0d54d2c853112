"""Where attempts ended, by cohort, level, place and cause: whole numbers, which add up in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.game import FAILED, LOST, MOST_PLACES, TIMED_OUT
from engine.inference.intervals import Integers

PASSED: Final = ""  # in place of a cause: the attempt was won
TIME_LIMIT: Final = "time limit"  # the cause of an attempt that the clock ended


class Spot(NamedTuple):
    """Where and how an attempt can end."""

    cohort: int
    level: int  # of a campaign, from 1; 0 in an endless stream
    place: int  # as the game counts them, from 1
    cause: str  # PASSED where it was won


class PlaceLosses(NamedTuple):
    """The losses of one cohort at one place of one level."""

    cohort: int
    level: int
    place: int
    losses: int
    causes: tuple[tuple[str, int], ...]  # each with its losses, the most first
    attempts: int  # of the cohort on this level
    reached: int  # of these, that got to the place
    row: int  # of the table of attempts: the first loss there by the most frequent cause; -1 where there is no table


@dataclass
class Endings:
    """Attempts by where and how they ended; those that failed in a plug-in do not count."""

    counts: Counter[Spot] = field(default_factory=Counter)
    rows: dict[Spot, int] = field(default_factory=dict)  # number of the first row

    def __add__(self, other: Endings) -> Endings:
        """Both together; the rows of the first come first."""
        return Endings(self.counts + other.counts, {**other.rows, **self.rows})

    def add(
        self, cohort: Integers, level: Integers, place: Integers, ending: Integers, words: Sequence[str], first: int
    ) -> None:
        """Add attempts that did not fail, in the order of their rows.

        Args:
            cohort: of each attempt, like the next three of shape (attempts,).
            level: from 1, or 0 in an endless stream.
            place: where it ended.
            ending: index into words.
            words: causes, and PASSED.
            first: number of the first row in its table, -1 where there is none.

        Raises ValueError for a place that is none.
        """
        if not len(cohort):
            return
        if place.min() < 0 or place.max() > MOST_PLACES or level.min() < 0:
            raise ValueError(f"end_place must be a number from 0 to {MOST_PLACES}, and a level one from 0")
        width, high = MOST_PLACES + 1, int(level.max()) + 1
        keys = ((cohort * high + level) * width + place) * len(words) + ending
        found, rows, counts = np.unique(keys, return_index=True, return_counts=True)
        for key, row, count in zip(found.tolist(), rows.tolist(), counts.tolist(), strict=True):
            rest, word = divmod(key, len(words))
            rest, here = divmod(rest, width)
            one, number = divmod(rest, high)
            spot = Spot(one, number, here, words[word])
            self.counts[spot] += count
            if first >= 0:
                self.rows.setdefault(spot, first + row)

    @property
    def losses(self) -> int:
        """All attempts that were not won."""
        return sum(count for spot, count in self.counts.items() if spot.cause != PASSED)

    def by_place(self) -> list[PlaceLosses]:
        """One entry for each cohort, level and place with a loss; those that end most attempts first."""
        causes: dict[tuple[int, int, int], Counter[str]] = {}
        ended: dict[tuple[int, int], Counter[int]] = {}
        for spot, count in self.counts.items():
            ended.setdefault(spot[:2], Counter())[spot.place] += count
            if spot.cause != PASSED:
                causes.setdefault(spot[:3], Counter())[spot.cause] += count
        found = []
        for (cohort, level, place), words in causes.items():
            ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
            here = ended[cohort, level]
            reached = sum(count for other, count in here.items() if other >= place)
            row = self.rows.get(Spot(cohort, level, place, ranked[0][0]), -1)
            found.append(PlaceLosses(cohort, level, place, words.total(), tuple(ranked), here.total(), reached, row))
        return sorted(found, key=lambda one: (-one.losses, one.cohort, one.level, one.place))

    def to_json(self, cohorts: Sequence[str]) -> list[dict[str, Any]]:
        """Every cell of place x cause x cohort; the losses of all cells add up to all losses. cohorts: their names."""
        cells = []
        for one in self.by_place():
            for cause, losses in one.causes:
                where = {"cohort": cohorts[one.cohort], "level": one.level, "place": one.place}
                counts = {"cause": cause, "losses": losses, "reached": one.reached, "attempts": one.attempts}
                row = self.rows.get(Spot(one.cohort, one.level, one.place, cause))
                cells.append({**where, **counts} | ({} if row is None else {"row": row}))
        return cells


def endings_of(rows: npt.NDArray[np.void], causes: Sequence[str]) -> Endings:
    """The endings of rows that kernels wrote (engine.record.row_type). causes: those of the game."""
    played = rows[rows["outcome"] != FAILED]
    outcome = played["outcome"]
    late, won = len(causes), len(causes) + 1
    ending = np.where(outcome == LOST, played["cause"], np.where(outcome == TIMED_OUT, late, won))
    endings = Endings()
    cohort, level, place = (np.ascontiguousarray(played[name]) for name in ("cohort", "level", "end_place"))
    endings.add(cohort, level, place, ending, (*causes, TIME_LIMIT, PASSED), -1)
    return endings
