"""What a search asks for and what it learns: counts of attempts and wins, and nothing else.

Targets, bands and losses are computed from counts. A block names the players and the random numbers: two points on one
block meet the same players and the same luck, two points on two blocks meet different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sims.tuning.search.search_space import Numbers, Point

_NARROWEST: Final = 1e-3  # smaller tolerances count as this one


class Segment(NamedTuple):
    """Players who have a target of their own: a cohort, or a cohort on one level of a campaign."""

    name: str
    cohort: int
    level: int  # counted from 1; 0 for an endless stream
    low: float  # the wanted band of win rates
    high: float

    @property
    def target(self) -> float:
        """The middle of the band."""
        return (self.low + self.high) / 2.0

    @property
    def tolerance(self) -> float:
        """Half the width of the band."""
        return (self.high - self.low) / 2.0


class Ask(NamedTuple):
    """A point to play: a number of attempts in each segment, by the players of a block."""

    point: Point
    attempts: tuple[int, ...]  # by segment
    block: int
    players: tuple[int, ...] = ()  # by segment, of its cohort: they play as in a run; empty: each makes one attempt
    part: tuple[int, int] = (0, 1)  # which of how many equal classes of skill play, the least skilled is class 0


class Tell(NamedTuple):
    """The counts of a played point."""

    point: Point
    attempts: tuple[int, ...]  # by segment; fewer than asked where attempts failed, or a run would not judge them
    wins: tuple[int, ...]
    block: int


class Counts:
    """The counts of all points. Attempts at one point add up."""

    def __init__(self, tells: Iterable[Tell] = ()) -> None:
        self._rows: dict[Point, int] = {}
        self._points: list[Point] = []
        self._attempts: list[list[int]] = []
        self._wins: list[list[int]] = []
        for tell in tells:
            self.add(tell)

    def __len__(self) -> int:
        return len(self._points)

    def add(self, tell: Tell) -> None:
        """Add the counts of one ask."""
        row = self._rows.setdefault(tell.point, len(self._points))
        if row == len(self._points):
            self._points.append(tell.point)
            self._attempts.append([0] * len(tell.attempts))
            self._wins.append([0] * len(tell.wins))
        for k, (attempts, wins) in enumerate(zip(tell.attempts, tell.wins, strict=True)):
            self._attempts[row][k] += attempts
            self._wins[row][k] += wins

    @property
    def points(self) -> Numbers:
        """Shape (points, d), in the order of their first tell."""
        return np.array(self._points)

    @property
    def attempts(self) -> npt.NDArray[np.int64]:
        """Shape (points, segments)."""
        return np.array(self._attempts, dtype=np.int64)

    @property
    def wins(self) -> npt.NDArray[np.int64]:
        """Shape (points, segments)."""
        return np.array(self._wins, dtype=np.int64)

    def of(self, point: Point) -> tuple[Sequence[int], Sequence[int]]:
        """Attempts and wins of one point by segment."""
        row = self._rows[point]
        return self._attempts[row], self._wins[row]


def scales_of(segments: Sequence[Segment]) -> Numbers:
    """The weight of a distance from each target, in (0, 1], shape (segments,): narrowest tolerance / own tolerance.

    A segment with twice the tolerance may be twice as far off. Where all bands are equally wide, each weight is 1.
    """
    tolerances = np.array([max(segment.tolerance, _NARROWEST) for segment in segments])
    scales: Numbers = np.round(tolerances.min() / tolerances, 9)  # equal widths may differ by rounding
    return scales


def debiased_loss(
    attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], targets: Numbers, scales: Numbers | float = 1.0
) -> Numbers:
    """Sum over segments of (scale x (win rate - target))^2 without the part that noise adds, shape (points,).

    E[(w / n - t)^2] = (p - t)^2 + p (1 - p) / n, and w / n (1 - w / n) / (n - 1) estimates the second term without
    bias. attempts, wins: shape (points, segments), at least 2 attempts; targets, scales: shape (segments,).
    """
    rate = wins / attempts
    losses: Numbers = (((rate - targets) ** 2 - rate * (1.0 - rate) / (attempts - 1)) * scales**2).sum(axis=1)
    return losses
