"""The data of the live charts: win rate over the latest attempts with its margin, difficulty, and a belief.

Memory is bounded: when there are too many points, every other one is dropped, and new ones are kept half as often. Only
the past is thinned out: the last point is always that of the latest attempt.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import rate_interval, sums_of
from sims.window.panels import Dot

WINDOW: Final = 150  # attempts that a rate is computed over
_MOST_POINTS: Final = 240
FEWEST: Final = 12  # a rate of fewer attempts says nothing


class _Attempt(NamedTuple):
    cluster: tuple[int, int]  # replica and player
    won: bool
    difficulty: float
    belief: float


class RollingRate:
    """Win rate, difficulty and a belief over the latest attempts of a group of players."""

    def __init__(self) -> None:
        self.attempts = 0
        self.wins = 0
        self._rates: list[Dot] = []
        self._dials: list[Dot] = []
        self._beliefs: list[Dot] = []
        self._x = 0.0  # of the latest attempt
        self._latest: deque[_Attempt] = deque(maxlen=WINDOW)
        self._every = 1

    def add(self, x: int, replica: int, player: int, won: bool, difficulty: float, belief: float) -> None:
        """Add one attempt. x: its place in the charts, the number of attempts of all players up to it."""
        self.attempts += 1
        self.wins += won
        self._latest.append(_Attempt((replica, player), won, difficulty, belief))
        self._x = float(x)
        if self.attempts % self._every == 0:
            self._note()

    def forget_beliefs(self) -> None:
        """Drop the beliefs, when the controller is switched: they were those of the previous one."""
        self._beliefs.clear()
        self._latest = deque((one._replace(belief=math.nan) for one in self._latest), maxlen=WINDOW)

    @property
    def rates(self) -> list[Dot]:
        """Win rates with their margins, up to the latest attempt; empty before there are FEWEST."""
        return self._up_to_now(self._rates, self._rate)

    @property
    def dials(self) -> list[Dot]:
        """Difficulties, up to the latest attempt."""
        return self._up_to_now(self._dials, self._dial)

    @property
    def beliefs(self) -> list[Dot]:
        """The controller's first belief, up to the latest attempt that has one."""
        return self._up_to_now(self._beliefs, self._belief)

    def _up_to_now(self, dots: list[Dot], point: Callable[[], Dot | None]) -> list[Dot]:
        if dots and dots[-1].x == self._x:
            return dots
        latest = point()
        return dots if latest is None else [*dots, latest]

    def _note(self) -> None:
        kept = ((self._rates, self._rate()), (self._dials, self._dial()), (self._beliefs, self._belief()))
        for dots, point in kept:
            if point is not None:
                dots.append(point)
        if len(self._dials) >= _MOST_POINTS:
            self._every *= 2
            for dots, _ in kept:
                del dots[-2::-2]

    def _dial(self) -> Dot | None:
        return _middle(self._x, [one.difficulty for one in self._latest]) if self._latest else None

    def _belief(self) -> Dot | None:
        believed = [one.belief for one in self._latest if not math.isnan(one.belief)]
        return _middle(self._x, believed) if believed else None

    def _rate(self) -> Dot | None:
        if self.attempts < FEWEST:
            return None
        groups: dict[tuple[int, int], list[int]] = {}
        for one in self._latest:
            group = groups.setdefault(one.cluster, [0, 0])
            group[0] += one.won
            group[1] += 1
        wins, made = np.array(list(groups.values()), np.int64).T
        found = rate_interval(sums_of(wins, made), "player")
        return Dot(self._x, found.rate, found.low, found.high)


def _middle(x: float, values: list[float]) -> Dot:
    """The median with the range of the central 80 %."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Dot(x, ordered[last // 2], ordered[round(0.1 * last)], ordered[round(0.9 * last)])
