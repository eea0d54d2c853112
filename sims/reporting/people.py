"""players.csv as a report needs it: who there was, how far they came, and why they are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.reporting.tables import Integers, Numbers, Table, column_types

_NAMES: Final = ("replica", "player", "cohort", "attempts", "wins", "level", "trait_skill", "left")


@dataclass(frozen=True, eq=False)
class People:
    """One item a player, sorted by replica and player."""

    key: Integers  # replica and player in one number, see Table.keys
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
        """The longest losing run of each of the cohort's players who played at all, sorted."""
        return np.sort(self.losing_run[(self.cohort == cohort) & (self.attempts > 0)])

    def leavings(self, cohort: int) -> Counter[str]:
        """How many of a cohort left for which reason."""
        counts = np.bincount(self.left[self.cohort == cohort], minlength=len(self.reasons))
        return Counter({word: int(number) for word, number in zip(self.reasons, counts, strict=True) if number})

    def places(self, key: Integers) -> Integers:
        """The place of each key among all players. Raises KeyError for a key that is not there."""
        found = np.minimum(np.searchsorted(self.key, key), max(len(self.key) - 1, 0))
        if len(key) and (not len(self.key) or np.any(self.key[found] != key)):
            raise KeyError("a player of the table of attempts is not in players.csv")
        return found


def read_people(path: Path, cohorts: Sequence[str]) -> People:
    """Read players.csv. Raises OSError, KeyError or ArrowException when it is not as a run wrote it."""
    from pyarrow import csv

    options = csv.ConvertOptions(include_columns=list(_NAMES), column_types=column_types(_NAMES))
    found = csv.read_csv(path, convert_options=options)
    if not found.num_rows:
        nothing = np.zeros(0, np.int64)
        return People(nothing, nothing, nothing, nothing, nothing, np.zeros(0), nothing, (), nothing)
    batch = Table(found.combine_chunks().to_batches()[0], cohorts)
    key = batch.keys()
    order = np.argsort(key, kind="stable")
    reasons, left = batch.words("left")
    attempts, wins, level, skill = (batch.numbers(name)[order] for name in ("attempts", "wins", "level", "trait_skill"))
    losing_run = np.zeros(len(key), np.int64)
    return People(
        key[order], batch.cohort[order], attempts, wins, level, skill, left[order], tuple(reasons), losing_run
    )
