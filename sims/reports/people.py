"""players.csv as a report needs it: the players, how far they came, and why they left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sims.reports.row_batches import BatchArrays, Integers, Numbers, batches

_NAMES: Final = ("replica", "player", "cohort", "attempts", "wins", "level", "trait_skill", "left")


@dataclass(frozen=True, eq=False)
class People:
    """One item a player, sorted by replica and player."""

    key: Integers  # replica and player in one number, see BatchArrays.keys
    cohort: Integers
    attempts: Integers
    wins: Integers
    level: Integers  # next level of a campaign; 0 in an endless stream
    skill: Numbers  # at birth; NaN of a person
    left: Integers  # place in `reasons`
    reasons: tuple[str, ...]
    losing_run: Integers  # longest row of losses; counted while the rows are read

    def of(self, cohort: int | None) -> npt.NDArray[np.bool_]:
        """Which of them are of a cohort; None for all."""
        return np.ones(len(self.key), bool) if cohort is None else self.cohort == cohort

    def own_rates(self, cohort: int, least: int) -> Numbers:
        """Win rates of the cohort's players with so many attempts or more, sorted."""
        chosen = (self.cohort == cohort) & (self.attempts >= least)
        return np.sort(self.wins[chosen] / self.attempts[chosen])

    def losing_runs(self, cohort: int) -> Integers:
        """The longest losing streak of each of the cohort's players who played at all, sorted."""
        return np.sort(self.losing_run[(self.cohort == cohort) & (self.attempts > 0)])

    def leavings(self, cohort: int) -> Counter[str]:
        """How many of a cohort left for which reason."""
        counts = np.bincount(self.left[self.cohort == cohort], minlength=len(self.reasons))
        return Counter({word: int(number) for word, number in zip(self.reasons, counts, strict=True) if number})

    def places(self, key: Integers) -> Integers:
        """The place of each key among all players. Raises KeyError for a key that is not there."""
        places = np.minimum(np.searchsorted(self.key, key), max(len(self.key) - 1, 0))
        if len(key) and (not len(self.key) or np.any(self.key[places] != key)):
            raise KeyError("a player of the table of attempts is not in players.csv")
        return places


def read_people(path: Path, cohorts: Sequence[str]) -> People:
    """Read players.csv, a block at a time, since text and table of all would take several times the memory.

    Raises OSError, KeyError or ArrowException when it is not as a run wrote it.
    """
    reasons: dict[str, int] = {}
    columns: list[list[npt.NDArray[Any]]] = [[] for _ in range(7)]
    for batch in batches(path, _NAMES, {}, None):
        for pieces, column in zip(columns, _columns(BatchArrays(batch, cohorts), reasons), strict=True):
            pieces.append(column)
    if not columns[0]:
        nothing = np.zeros(0, np.int64)
        return People(nothing, nothing, nothing, nothing, nothing, np.zeros(0), nothing, (), nothing)
    order = np.argsort(np.concatenate(columns[0]), kind="stable")
    key, cohort, attempts, wins, level, skill, left = (_whole(pieces)[order] for pieces in columns)
    return People(
        key, cohort, attempts, wins, level, skill, left, tuple(reasons), losing_run=np.zeros(len(key), np.int64)
    )


def _columns(table: BatchArrays, reasons: dict[str, int]) -> list[npt.NDArray[Any]]:
    """The columns of some rows, as copies, so that the rest can be let go. reasons: grows by those that are new."""
    words, left = table.words("left")
    places = np.array([reasons.setdefault(word, len(reasons)) for word in words], np.int64)
    numbers = [np.array(table.numbers(name)) for name in ("attempts", "wins", "level", "trait_skill")]
    return [table.keys(), table.cohort, *numbers, places[left]]


def _whole(pieces: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """A column, whose pieces are let go."""
    column = np.concatenate(pieces)
    pieces.clear()
    return column
