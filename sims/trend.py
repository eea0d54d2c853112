"""What a live chart remembers: a win rate over the latest attempts with its interval, and the difficulty beside it.

Memory stays flat: when there are too many points, every other one is dropped and new ones come half as often.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple

from engine.statistics import rate_interval
from sims.panels import Dot

WINDOW: Final = 150  # attempts that a rate is taken over
_MOST_POINTS: Final = 240
FEWEST: Final = 12  # before that a rate says nothing


class _Attempt(NamedTuple):
    cluster: tuple[int, int]  # replica and player
    won: bool
    difficulty: float
    belief: float


class Trend:
    """Win rate, difficulty and a belief over the latest attempts of a group of players."""

    def __init__(self) -> None:
        self.attempts = 0
        self.wins = 0
        self.rates: list[Dot] = []
        self.dials: list[Dot] = []
        self.beliefs: list[Dot] = []
        self._latest: deque[_Attempt] = deque(maxlen=WINDOW)
        self._every = 1

    def add(self, x: int, replica: int, player: int, won: bool, difficulty: float, belief: float) -> None:
        """Take one attempt in. x: its place in the charts, attempts of everybody up to it."""
        self.attempts += 1
        self.wins += won
        self._latest.append(_Attempt((replica, player), won, difficulty, belief))
        if self.attempts % self._every == 0:
            self._note(float(x))

    def forget_beliefs(self) -> None:
        """Another controller decides: what the one before believed says nothing about it."""
        self.beliefs.clear()
        self._latest = deque((one._replace(belief=math.nan) for one in self._latest), maxlen=WINDOW)

    def _note(self, x: float) -> None:
        if self.attempts >= FEWEST:
            self.rates.append(Dot(x, *self._rate()))
        self.dials.append(_middle(x, [one.difficulty for one in self._latest]))
        believed = [one.belief for one in self._latest if not math.isnan(one.belief)]
        if believed:
            self.beliefs.append(_middle(x, believed))
        if len(self.dials) > _MOST_POINTS:
            self._every *= 2
            for dots in (self.rates, self.dials, self.beliefs):
                del dots[-2::-2]

    def _rate(self) -> tuple[float, float, float]:
        groups: dict[tuple[int, int], list[int]] = {}
        for one in self._latest:
            group = groups.setdefault(one.cluster, [0, 0])
            group[0] += one.won
            group[1] += 1
        pairs = groups.values()
        found = rate_interval(
            (
                len(pairs),
                len(pairs),
                sum(n for _, n in pairs),
                sum(w for w, _ in pairs),
                sum(w * w for w, _ in pairs),
                sum(w * n for w, n in pairs),
                sum(n * n for _, n in pairs),
                0,
            ),
            "player",
        )
        return found.rate, found.low, found.high


def _middle(x: float, values: list[float]) -> Dot:
    """The median with the range of the middle eight in ten."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Dot(x, ordered[last // 2], ordered[round(0.1 * last)], ordered[round(0.9 * last)])
