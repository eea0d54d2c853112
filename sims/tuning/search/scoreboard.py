"""What a search that sees one loss a point has been told, and which points came nearest to their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.tuning.search.counts import Counts, Segment, Tell, debiased_loss, scales_of
from sims.tuning.search.knob_box import Cube, Numbers, Point

_LEAST: Final = 2  # attempts in each segment without which a loss says nothing
_CAUTION: Final = 2.0  # standard errors of its loss that a point must be good for


def losses_of(
    attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], targets: Numbers, scales: Numbers | float = 1.0
) -> Numbers:
    """Debiased losses, shape (points,), always finite.

    attempts, wins: shape (points, segments); targets, scales: shape (segments,), see debiased_loss. A point that has
    fewer than two attempts in a segment, because they failed, gets the number of segments, which is more than any other
    loss.
    """
    found = np.full(len(attempts), float(len(targets)))
    enough = attempts.min(axis=1) >= _LEAST
    found[enough] = debiased_loss(attempts[enough], wins[enough], targets, scales)
    return found


def standard_errors(
    attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], targets: Numbers, scales: Numbers | float = 1.0
) -> Numbers:
    """Standard errors of debiased losses, shape (points,).

    A win rate is taken for normal with variance v, so its squared distance from a target t has the variance
    4 (p - t)^2 v + 2 v^2. A win and a loss more than were seen keep v above 0. Near the target the distance that was
    seen is mostly noise, and the answer is too large by up to sqrt(3).
    """
    rates = (wins + 1.0) / (attempts + 2.0)
    v = rates * (1.0 - rates) / np.maximum(attempts, 1)
    found: Numbers = np.sqrt(((4.0 * (rates - targets) ** 2 * v + 2.0 * v**2) * scales**4).sum(axis=1))
    return found


class Scoreboard:
    """Counts of all points, and their ranks."""

    def __init__(self, cube: Cube, segments: Sequence[Segment], start: Point | None) -> None:
        """start: a point to answer with as long as nothing has been told; without one, the middle of the cube."""
        self._counts = Counts()
        self.targets: Numbers = np.array([segment.target for segment in segments])
        self.scales = scales_of(segments)
        self._start = start or playable(cube, np.full(cube.size, 0.5))[0]

    def add(self, tells: Sequence[Tell]) -> None:
        """Take in what came of some asks."""
        for tell in tells:
            self._counts.add(tell)

    def best(self, most: int) -> list[Point]:
        """The points that are good for sure, best first: the least loss plus two of its standard errors.

        The least loss alone would be that of a lucky point with few attempts. Of equals the one told first.
        """
        if not len(self._counts):
            return [self._start]
        counts = self._counts.attempts, self._counts.wins, self.targets, self.scales
        order = np.argsort(losses_of(*counts) + _CAUTION * standard_errors(*counts), kind="stable")[:most]
        return [tuple(point) for point in self._counts.points[order].tolist()]


def playable(cube: Cube, points: npt.ArrayLike) -> list[Point]:
    """Points as they can be played, from shape (n, d)."""
    return [tuple(point) for point in cube.snapped(points).tolist()]
