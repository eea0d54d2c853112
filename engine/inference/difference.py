"""What changed between two runs: the difference of two rates, paired by player or replica, and how sure it is.

Two runs on one seed have the same players and the same luck. So the contributions of a cluster (a player, or a replica
of a shared controller) to both rates are correlated. The difference is more certain than either rate. The variance is
that of the clusters' joint influence on both rates, so the covariance is counted and never assumed.

Sources: ratio estimator and the difference of two of them over the same sample: Cochran, Sampling Techniques, 3rd ed.
1977, chapter 6; clusters left out one by one: Efron and Stein, Annals of Statistics 9, 1981; common random numbers:
Law, Simulation Modeling and Analysis, 5th ed. 2015, section 11.2; two rates without spread: Newcombe, Statistics in
Medicine 17, 1998, p. 873, method 10; sign test: Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.4.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.inference.intervals import CONFIDENCE, t_half_width, wilson

Sums = npt.NDArray[np.float64]  # shape (clusters, 2): numerator and denominator of each cluster

_ROUNDING: Final = 1e-12  # influences this small, relative to the rates, are rounding errors of zero


class Difference(NamedTuple):
    """A difference and how sure it is; NaN where nothing can be said."""

    before: float  # rate: sum of numerators / sum of denominators
    after: float
    value: float  # after - before
    low: float  # its interval
    high: float
    error: float  # standard error, paired; 0 where no cluster differs from the others in what changed
    clusters: int  # with anything counted before or after
    p_value: float  # two-sided, of no difference
    unpaired_error: float  # standard error if the same rates had come from two runs with different players

    @property
    def pairing_factor(self) -> float:
        """How many times the players would have been needed without pairing; infinite where nothing was left to chance.

        Below 1 where the two runs had so little in common that pairing made it worse; NaN where it is not known.
        """
        if self.error == 0.0:
            return math.inf if self.unpaired_error > 0.0 else math.nan
        return (self.unpaired_error / self.error) ** 2


def paired_difference(
    before_sums: npt.ArrayLike, after_sums: npt.ArrayLike, confidence: float = CONFIDENCE
) -> Difference:
    """Difference of two rates over the same clusters, clustered and paired.

    before_sums, after_sums: shape (clusters, 2), numerator and denominator (not below 0) of each cluster, clusters in
    the same order; a cluster with a denominator of 0 was not seen on that side, and counts with sums of zero, as the
    ratio estimator wants it. Raises ValueError when the shapes differ.

    The error is that of clusters left out one by one. The degrees of freedom are those of the clusters whose sums
    changed, as effective ones: where only a few did, or a few made most attempts, the others say nothing of the
    spread. The interval of a share's change ends at -1 and 1. Where clusters changed but all in the same way, there is
    no spread to go by: then each cluster counts as one attempt, the interval is Newcombe's for two unpaired proportions
    (too wide rather than too narrow), and p the larger of that interval's and the sign test's. With fewer than two
    clusters on a side nothing is sure.
    """
    before, after = np.asarray(before_sums, np.float64), np.asarray(after_sums, np.float64)
    if before.shape != after.shape or before.ndim != 2 or before.shape[1] != 2:
        raise ValueError(f"sums must be two arrays of shape (clusters, 2), got {before.shape} and {after.shape}")
    seen = (before[:, 1] > 0.0) | (after[:, 1] > 0.0)
    before, after = before[seen], after[seen]
    m = len(before)
    was, is_ = (_share(one[:, 0].sum(), one[:, 1].sum()) for one in (before, after))
    value = is_ - was
    if m < 2 or math.isnan(value):
        return Difference(was, is_, value, math.nan, math.nan, math.nan, m, math.nan, math.nan)
    unpaired_error = math.hypot(ratio_error(before, was), ratio_error(after, is_))
    if not np.any(before != after):
        return Difference(was, is_, 0.0, 0.0, 0.0, 0.0, m, 1.0, unpaired_error)
    if any(np.any(one[:, 1] >= one[:, 1].sum()) for one in (before, after)):  # all that one side has is one cluster's
        return Difference(was, is_, value, math.nan, math.nan, math.nan, m, math.nan, math.nan)
    influence = _influence(after, is_) - _influence(before, was)
    size = max(float(np.abs(one[:, 0]).max() / one[:, 1].mean()) for one in (before, after))
    if float(np.abs(influence).max()) <= _ROUNDING * size:
        sides = _Sides(before, after, was, is_)
        p_value = _p_without_spread(sides, m) if abs(value) > _ROUNDING * size else 1.0
        return Difference(was, is_, value, *_newcombe(sides, confidence), 0.0, m, p_value, unpaired_error)
    spread = spread_of(before, after)
    error, degrees = float(spread.error), float(spread.degrees)
    half = t_half_width(degrees, confidence) * error
    p_value = float(two_sided(value / error, degrees))
    most = math.inf if _beyond_share(before, after) else 1.0  # a share cannot change by more
    low, high = max(value - half, -most), min(value + half, most)
    return Difference(was, is_, value, low, high, error, m, p_value, unpaired_error)


def of_one_more(difference: Difference, confidence: float = CONFIDENCE) -> Difference:
    """The difference in one more cluster, where each is one of the worlds that may be the true one.

    Its interval does not get as narrow as there are many clusters.

    Args:
        difference: of the mean over clusters.
        confidence: of the interval, in (0, 1).
    """
    m, error = difference.clusters, difference.error * math.sqrt(difference.clusters + 1.0)
    if not error > 0.0:
        return difference
    half = t_half_width(m - 1.0, confidence) * error
    most = 1.0 if difference.low >= -1.0 and difference.high <= 1.0 else math.inf
    low, high = max(difference.value - half, -most), min(difference.value + half, most)
    return difference._replace(
        low=low, high=high, error=error, p_value=float(two_sided(difference.value / error, m - 1.0)),
        unpaired_error=difference.unpaired_error * math.sqrt(m + 1.0),
    )  # fmt: skip


def unpaired_difference(
    before_sums: npt.ArrayLike, after_sums: npt.ArrayLike, confidence: float = CONFIDENCE
) -> Difference:
    """Difference of two rates over clusters that have nothing to do with each other: two runs with different players.

    Args:
        before_sums: shape (clusters, 2), numerator and denominator (not below 0) of each cluster.
        after_sums: the same of the other run, whose clusters are others and may be more or fewer.
        confidence: of the interval, in (0, 1).

    Returns:
        As `paired_difference`, with the clusters of both; the paired error is the unpaired one. The degrees of freedom
        are those of Welch, Biometrika 34, 1947: the clusters of the two runs may differ in number and in spread.

    Raises:
        ValueError: a shape differs.
    """
    sides = []
    for given in (before_sums, after_sums):
        sums = np.asarray(given, np.float64)
        if sums.ndim != 2 or sums.shape[1] != 2:
            raise ValueError(f"sums must be an array of shape (clusters, 2), got {sums.shape}")
        sides.append(sums[sums[:, 1] > 0.0])
    before, after = sides
    was, is_ = (_share(one[:, 0].sum(), one[:, 1].sum()) for one in sides)
    value, m = is_ - was, len(before) + len(after)
    if min(map(len, sides)) < 2 or math.isnan(value):
        return Difference(was, is_, value, math.nan, math.nan, math.nan, m, math.nan, math.nan)
    errors = [ratio_error(one, rate) for one, rate in ((before, was), (after, is_))]
    error = math.hypot(*errors)
    size = max(float(np.abs(one[:, 0]).max() / one[:, 1].mean()) for one in sides)
    if error <= _ROUNDING * size:
        pair = _Sides(before, after, was, is_)
        p_value = _p_without_spread(pair, min(map(len, sides))) if abs(value) > _ROUNDING * size else 1.0
        return Difference(was, is_, value, *_newcombe(pair, confidence), 0.0, m, p_value, 0.0)
    parts = [own**4 / (len(one) - 1) for own, one in zip(errors, sides, strict=True)]
    degrees = error**4 / sum(parts)
    half = t_half_width(degrees, confidence) * error
    most = math.inf if _beyond_share(before, after) else 1.0  # a share cannot change by more
    low, high = max(value - half, -most), min(value + half, most)
    return Difference(was, is_, value, low, high, error, m, float(two_sided(value / error, degrees)), error)


class SpreadOfDifferences(NamedTuple):
    """How sure differences are. Arrays, one item a difference; NaN where nothing can be said."""

    value: npt.NDArray[np.float64]  # after - before
    error: npt.NDArray[np.float64]  # standard error, paired
    degrees: npt.NDArray[np.float64]  # of freedom, from 1


def spread_of(before: Sums, after: Sums) -> SpreadOfDifferences:
    """Many paired differences at once, by leaving out one cluster after the other (the jackknife: Efron and Stein,
    Annals of Statistics 9, 1981).

    before, after: shape (..., clusters, 2), as for `paired_difference`; the results have the shape (...).
    """
    moves, weights = np.zeros(before.shape[:-1]), np.zeros(before.shape[:-1])
    value = np.zeros(before.shape[:-2])
    with np.errstate(divide="ignore", invalid="ignore"):
        for sums, sign in ((after, 1.0), (before, -1.0)):
            part, whole = sums[..., 0], sums[..., 1]
            total = whole.sum(axis=-1, keepdims=True)
            rate = part.sum(axis=-1, keepdims=True) / total
            moves += sign * (part - rate * whole) / (total - whole)  # of the rate when the cluster comes in
            weights += whole / total
            value += sign * rate[..., 0]
        m = (weights > 0.0).sum(axis=-1)
        error = np.sqrt(np.square(moves).sum(axis=-1) * (m - 1) / m)
        weights *= np.any(before != after, axis=-1)
        degrees = weights.sum(axis=-1) ** 2 / np.square(weights).sum(axis=-1) - 1.0
    return SpreadOfDifferences(value, error, np.fmax(degrees, 1.0))


def _beyond_share(before: Sums, after: Sums) -> bool:
    """Whether a rate is no share: some numerator is below 0 or above its denominator."""
    return any(np.any((one[:, 0] < 0.0) | (one[:, 0] > one[:, 1])) for one in (before, after))


def _influence(sums: Sums, rate: float) -> npt.NDArray[np.float64]:
    """What each cluster adds to the error of the rate, times the number of clusters; their sum is 0."""
    found: npt.NDArray[np.float64] = (sums[:, 0] - rate * sums[:, 1]) / sums[:, 1].mean()
    return found


def ratio_error(sums: Sums, rate: float) -> float:
    """Standard error of one rate alone, over the clusters that were seen; NaN with fewer than two."""
    seen = sums[sums[:, 1] > 0.0]
    m = len(seen)
    if m < 2:
        return math.nan
    moves = (seen[:, 0] - rate * seen[:, 1]) / (seen[:, 1].sum() - seen[:, 1])
    return math.sqrt(float(np.square(moves).sum()) * (m - 1) / m)


class _Sides(NamedTuple):
    """Two runs whose clusters do not differ from each other."""

    before: Sums
    after: Sums
    was: float
    is_: float


def _newcombe(sides: _Sides, confidence: float) -> tuple[float, float]:
    """Newcombe's interval of the difference, each cluster counted as one attempt.

    What is not a proportion is taken as a part of the range from 0, or the lower rate, to the higher rate.
    """
    bottom, top = 0.0, 1.0
    if _beyond_share(sides.before, sides.after):
        bottom, top = min(0.0, sides.was, sides.is_), max(0.0, sides.was, sides.is_)
    ways = []  # from each rate to the ends of its interval
    for sums, rate in ((sides.before, sides.was), (sides.after, sides.is_)):
        m = int((sums[:, 1] > 0.0).sum())
        place = (rate - bottom) / (top - bottom)
        low, high = wilson(place * m, m, confidence)
        ways.append((place - low, high - place))
    (down_before, up_before), (down_after, up_after) = ways
    value, width = sides.is_ - sides.was, top - bottom
    return value - width * math.hypot(down_after, up_before), value + width * math.hypot(up_after, down_before)


def _p_without_spread(sides: _Sides, clusters: int) -> float:
    """The larger of the sign test's p and of that at which Newcombe's interval ends at 0, down to 1e-15."""
    low, high = -15.0, 0.0  # of log10 p
    while high - low > 1e-3:
        middle = 0.5 * (low + high)
        ends = _newcombe(sides, 1.0 - 10.0**middle)
        if ends[0] <= 0.0 <= ends[1]:
            low = middle
        else:
            high = middle
    return max(math.pow(10.0, high), math.ldexp(1.0, 1 - clusters))


def two_sided(t: npt.ArrayLike, degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Two-sided p-values of Student's t."""
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(np.asarray(degrees, np.float64), -np.abs(np.asarray(t, np.float64))), np.float64)


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan
