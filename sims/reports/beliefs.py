"""What a controller thought of its players, from a sample that does not grow with the run.

Beliefs have no range of their own, so they cannot be counted in cells. Every so many players of a cohort are kept
whole: which ones follows from players.csv alone, so batches of any size give the same sample.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sims.reports.people import People
from sims.reports.row_batches import Integers, Numbers

_MOST: Final = 200_000  # attempts of all cohorts together, about


class Beliefs:
    """The first of a controller's beliefs, before each attempt of the players in the sample."""

    def __init__(self, name: str, people: People, cohorts: int) -> None:
        """name: as in its column, without belief_; "" for a controller without beliefs."""
        self.name = name
        self.every = [1] * cohorts  # of each cohort, one player in so many is in the sample
        self._cohort = people.cohort
        self._chosen = np.zeros(len(people.key), bool)
        for j in range(cohorts):
            own = np.flatnonzero(people.of(j))
            self.every[j] = max(1, math.ceil(int(people.attempts[own].sum()) * cohorts / _MOST))
            self._chosen[own[:: self.every[j]]] = True
        self._parts: list[tuple[Integers, Integers, Numbers]] = []

    def add(self, whose: Integers, bins: Integers, values: Numbers) -> None:
        """Take in a batch of rows, one item each. whose: place of the player; bins: of the attempt's number."""
        taken = np.flatnonzero(self._chosen[whose] & np.isfinite(values))
        self._parts.append((self._cohort[whose[taken]], bins[taken], values[taken]))

    def quartiles(self, cohort: int, place: int) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile in one bin of attempts; NaN where there is no value."""
        parts = [values[(owner == cohort) & (bins == place)] for owner, bins, values in self._parts]
        values = np.concatenate(parts) if parts else np.zeros(0)
        if not len(values):
            return math.nan, math.nan, math.nan
        low, middle, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
        return low, middle, high
