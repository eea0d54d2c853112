"""The loss of a trial, and how much smaller it is than the baseline's, for the same players with the same luck.

A loss is a ratio of two sums over clusters (players, or repeats where players share luck), or the mean over groups of
the squared distance of such a ratio from its target. A squared distance is too large by the variance of the ratio,
which is subtracted. All errors are those of clusters left out one by one (Efron and Stein, Annals of Statistics 9,
1981), as in engine.inference.difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.inference.intervals import CONFIDENCE, t_half_width

ClusterSums = npt.NDArray[np.float64]  # shape (clusters, 2): numerator and denominator of each cluster


class LossGroup(NamedTuple):
    """The clusters of a player group, or of all players."""

    clusters: npt.NDArray[np.int64]  # their numbers, ascending: the same in all trials of a block
    sums: ClusterSums
    target: float | None = None  # of the ratio; None where the ratio itself is the loss


class Gain(NamedTuple):
    """By how much a loss differs from the baseline's; below 0 is better. Each of them NaN where nothing can be said."""

    value: float
    error: float  # standard error, paired
    degrees: float  # of freedom

    @property
    def half(self) -> float:
        """Half the width of its 95 % interval."""
        return t_half_width(max(self.degrees, 1.0), CONFIDENCE) * self.error if self.error > 0.0 else self.error

    @property
    def low(self) -> float:
        """The lower end of its interval."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """The upper end: by this a trial goes on, so that a lucky mean is not enough."""
        return self.value + self.half


NO_GAIN = Gain(0.0, 0.0, math.inf)  # the baseline's own


class _Ratio(NamedTuple):
    value: float
    moves: npt.NDArray[np.float64]  # what each cluster adds to its error, shape (clusters,)

    @property
    def variance(self) -> float:
        m = len(self.moves)
        return float(np.square(self.moves).sum()) * (m - 1) / m if m > 1 else math.nan


def _ratio(sums: ClusterSums) -> _Ratio:
    part, whole = sums[:, 0], sums[:, 1]
    total = float(whole.sum())
    if total <= 0.0:
        return _Ratio(math.nan, np.full(len(sums), math.nan))
    value = float(part.sum()) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = (part - value * whole) / (total - whole)
    return _Ratio(value, moves)


def loss_of(groups: Sequence[LossGroup]) -> Gain:
    """A loss with its error. Close to its target a squared distance may come out below 0."""
    values, variances, degrees = [], [], math.inf
    for one in groups:
        ratio = _ratio(one.sums[one.sums[:, 1] > 0.0])
        degrees = min(degrees, len(ratio.moves) - 1.0)
        if one.target is None:
            values.append(ratio.value)
            variances.append(ratio.variance)
        else:
            off = ratio.value - one.target
            values.append(off**2 - ratio.variance)
            variances.append(4.0 * off**2 * ratio.variance + 2.0 * ratio.variance**2)
    return Gain(sum(values) / len(values), math.sqrt(sum(variances)) / len(values), degrees)


def gain_of(groups: Sequence[LossGroup], baseline: Sequence[LossGroup]) -> Gain:
    """The loss less the baseline's, paired. Both have the same groups; a cluster may be missing on a side."""
    values, variances, degrees = [], [], math.inf
    for one, usual in zip(groups, baseline, strict=True):
        mine, theirs = _aligned(one, usual)
        ratio, base = _ratio(mine), _ratio(theirs)
        m = len(mine)
        degrees = min(degrees, m - 1.0)
        difference = ratio.value - base.value
        moves = ratio.moves - base.moves
        variance = float(np.square(moves).sum()) * (m - 1) / m if m > 1 else math.nan
        if one.target is None or usual.target is None:
            values.append(difference)
            variances.append(variance)
            continue
        # a^2 - b^2 = (a - b) (a + b), with a and b the distances; both factors have errors. The linear term is taken at
        # distances that were measured, so very near to a target this is too wide. Less of it covers less than 95 %.
        a, b = ratio.value - one.target, base.value - usual.target
        values.append(a**2 - b**2 - (ratio.variance - base.variance))
        first = 2.0 * (a * ratio.moves - b * base.moves)
        both = ratio.variance + base.variance
        of_sum = max(2.0 * both - variance, 0.0)
        variances.append(float(np.square(first).sum()) * (m - 1) / m + variance * of_sum)
    return Gain(sum(values) / len(values), math.sqrt(sum(variances)) / len(values), degrees)


def _aligned(one: LossGroup, other: LossGroup) -> tuple[ClusterSums, ClusterSums]:
    """The sums of both over the same clusters: 0 where a cluster was not seen on a side, as a ratio wants it."""
    clusters = np.union1d(one.clusters, other.clusters)
    found = []
    for group in (one, other):
        sums = np.zeros((len(clusters), 2))
        sums[np.searchsorted(clusters, group.clusters)] = group.sums
        found.append(sums)
    mine, theirs = found
    seen = (mine[:, 1] > 0.0) | (theirs[:, 1] > 0.0)
    return mine[seen], theirs[seen]


def pooled(parts: Sequence[tuple[Gain, float]]) -> Gain:
    """The mean of several measurements on different players. parts: each with its weight."""
    if not parts:
        return Gain(math.nan, math.nan, math.nan)
    whole = sum(weight for _, weight in parts)
    value = sum(gain.value * weight for gain, weight in parts) / whole
    terms = [(gain.error * weight / whole) ** 2 for gain, weight in parts]
    variance = sum(terms)
    if variance <= 0.0:
        return Gain(value, 0.0, math.inf)
    # Welch and Satterthwaite
    spread = sum(term**2 / max(gain.degrees, 1.0) for term, (gain, _) in zip(terms, parts, strict=True))
    return Gain(value, math.sqrt(variance), variance**2 / spread if spread > 0.0 else math.inf)
