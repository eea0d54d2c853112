"""The counts of a search that sees one loss a point, and which points came nearest to the targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.tuning.search.counts import Counts, Segment, Tell, debiased_loss, scales_of
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

_LEAST: Final = 2  # attempts in each segment that a loss needs
_CAUTION: Final = 2.0  # standard errors that are added to a loss before points are ranked


def losses_of(
    attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], targets: Numbers, scales: Numbers | float = 1.0
) -> Numbers:
    """Debiased losses, shape (points,), always finite.

    attempts, wins: shape (points, segments); targets, scales: shape (segments,), see debiased_loss. A point with fewer
    than two attempts in a segment, because attempts failed, gets the number of segments: more than any other loss.
    """
    losses = np.full(len(attempts), float(len(targets)))
    enough = attempts.min(axis=1) >= _LEAST
    losses[enough] = debiased_loss(attempts[enough], wins[enough], targets, scales)
    return losses


def standard_errors(
    attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64], targets: Numbers, scales: Numbers | float = 1.0
) -> Numbers:
    """Standard errors of debiased losses, shape (points,).

    A win rate is taken for normal with variance v, so its squared distance from a target t has the variance
    4 (p - t)^2 v + 2 v^2. One win and one loss are added to the counts to keep v above 0. Near the target the measured
    distance is mostly noise, and the result is too large by up to sqrt(3).
    """
    rates = (wins + 1.0) / (attempts + 2.0)
    v = rates * (1.0 - rates) / np.maximum(attempts, 1)
    errors: Numbers = np.sqrt(((4.0 * (rates - targets) ** 2 * v + 2.0 * v**2) * scales**4).sum(axis=1))
    return errors


class Scoreboard:
    """Counts of all points, and their ranks."""

    def __init__(self, space: SearchSpace, segments: Sequence[Segment], start: Point | None) -> None:
        """start: the best point while there are no counts; None for the middle of the search space."""
        self._counts = Counts()
        self.targets: Numbers = np.array([segment.target for segment in segments])
        self.scales = scales_of(segments)
        self._start = start or space.playable(np.full(space.size, 0.5))[0]

    def add(self, tells: Sequence[Tell]) -> None:
        """Add the counts of some asks."""
        for tell in tells:
            self._counts.add(tell)

    def best(self, most: int) -> list[Point]:
        """The points with the least loss plus two of its standard errors, best first.

        The least loss alone would often be that of a lucky point with few attempts. Of equals the earlier one is first.
        """
        if not len(self._counts):
            return [self._start]
        counts = self._counts.attempts, self._counts.wins, self.targets, self.scales
        order = np.argsort(losses_of(*counts) + _CAUTION * standard_errors(*counts), kind="stable")[:most]
        return [tuple(point) for point in self._counts.points[order].tolist()]
