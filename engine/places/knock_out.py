"""What one place of a level costs: attempts that were made, made again on the same level with nothing at the place.

The same player, as they were, meets the same setting with the same luck. Whatever came before the place is as it was,
so only attempts that got there are played. The difference of the share won is paired by player.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import opening_without, play_of
from engine.game import WON, Game
from engine.inference.difference import Difference, paired_difference
from engine.inference.intervals import Integers
from engine.kernel import compiled
from engine.response.win_probability import faculties_in


class PlaceCost(NamedTuple):
    """What one place costs one cohort on one level."""

    cohort: int
    level: int  # of a campaign, from 1; 0 in an endless stream
    place: int
    difference: Difference  # of the win rate: before as it is, after without the place
    attempts: int  # that this was measured on
    row: int = -1  # of the table of attempts: a loss at the place; -1 where there is none

    def to_json(self, cohorts: tuple[str, ...]) -> Mapping[str, Any]:
        """As values of JSON; None for what is not known. cohorts: their names."""
        found = self.difference
        numbers = {
            "win_rate": found.before, "win_rate_without": found.after, "cost": found.value,
            "cost_low": found.low, "cost_high": found.high, "error": found.error,
        }  # fmt: skip
        known = {name: None if np.isnan(number) else number for name, number in numbers.items()}
        where = {"cohort": cohorts[self.cohort], "level": self.level, "place": self.place}
        return {**where, **known, "attempts": self.attempts, "row": None if self.row < 0 else self.row}


@cache
def again_of(game: Game) -> Callable[..., None]:
    """The plain kernel: (rows, place, seed, won): whether each row is won without the place, into won, 0 or 1."""
    opening, play = opening_without(game), play_of(game)

    def again(rows: Any, place: int, seed: int, won: Any) -> None:
        for i in range(len(rows)):
            row = rows[i]
            opened = opening(
                row["params"],
                place,
                seed,
                int(row["replica"]),
                int(row["player"]),
                int(row["attempt"]),
                int(row["level"]),
                int(row["layout_seed"]),
            )
            won[i] = 1 if play(opened, faculties_in(row)).outcome == WON else 0

    return again


def won_without(game: Game, rows: npt.NDArray[np.void], place: int, seed: int) -> Integers:
    """Whether each attempt is won without a place, 0 or 1, shape (rows,).

    Args:
        game: of the rows; one that can leave out a place.
        rows: of engine.record.row_type.
        place: from 1.
        seed: of the run.
    """
    won: Integers = (rows["outcome"] == WON).astype(np.int64)
    met = np.flatnonzero(rows["end_place"] >= place)
    if len(met):
        found = np.zeros(len(met), np.int64)
        compiled(again_of(game))(rows[met], place, seed, found)
        won[met] = found
    return won


def place_cost(game: Game, rows: npt.NDArray[np.void], place: int, seed: int, cluster: Integers) -> Difference:
    """The win rate of attempts as they were and without a place. cluster: what is independent, shape (rows,).

    The other arguments are those of `won_without`.
    """
    _, whose = np.unique(cluster, return_inverse=True)
    before, after = (
        np.stack((np.bincount(whose, won), np.bincount(whose)), axis=1)
        for won in ((rows["outcome"] == WON).astype(np.int64), won_without(game, rows, place, seed))
    )
    return paired_difference(before, after)
