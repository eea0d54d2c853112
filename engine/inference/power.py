"""How many players (or replicas) it takes: to see an effect, or to know a rate so well; and what so many would see.

What counts is the variance of one cluster: clusters times the squared standard error of whatever is estimated, a rate
(`engine.inference.intervals`) or a difference (`engine.inference.difference`). Two runs of different players differ
with the sum of their variances, so for two alike it is twice that of one. Clusters of unequal size have fewer degrees
of freedom than their number says.

Sources: power of the t test by the noncentral t distribution: Cohen, Statistical Power Analysis for the Behavioral
Sciences, 2nd ed. 1988, chapters 2 and 12; samples of clusters: Donner and Klar, Design and Analysis of Cluster
Randomization Trials in Health Research, 2000, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from engine.inference.intervals import CONFIDENCE, RateInterval, t_half_width

POWER: Final = 0.9
MOST_CLUSTERS: Final = 10**12  # more cannot be played; larger needs are reported as this one


def evenness(found: RateInterval) -> float:
    """Effective clusters of an interval over its clusters, in (0, 1]: 1 where all are of equal size."""
    return min(found.effective / found.clusters, 1.0)


def cluster_variance(found: RateInterval) -> float:
    """Variance of one cluster's rate, by the interval of two clusters or more.

    Clusters that do not differ show no spread, which does not say that there is none: each counts as one attempt, as in
    their interval, with the largest variance p (1 - p) of the rates in it.
    """
    if not math.isnan(found.error):
        return found.clusters * found.error**2
    nearest = min(max(0.5, found.low), found.high)
    return nearest * (1.0 - nearest)


def power_of(clusters: int, variance: float, effect: float, confidence: float = CONFIDENCE, even: float = 1.0) -> float:
    """Chance that a two-sided t test at this confidence finds an effect of this size, and in the right direction.

    clusters: 2 or more, in each run; variance: of one cluster, above 0; effect: true difference, above 0; even: the
    evenness of clusters, in (0, 1].
    """
    from scipy.special import nctdtr

    shift, degrees = effect * math.sqrt(clusters / variance), _degrees(clusters, even)
    limit = t_half_width(degrees, confidence)
    return 1.0 - float(nctdtr(degrees, shift, limit))


def _degrees(clusters: int, even: float) -> float:
    return max(even * clusters - 1.0, 1.0)


def clusters_for_effect(
    variance: float, effect: float, power: float = POWER, confidence: float = CONFIDENCE, even: float = 1.0
) -> int:
    """Fewest clusters, 2 or more, in each run with which an effect of this size is found with this power.

    variance: of one cluster, 0 or more; effect: above 0; power: in (0.5, 1); even: as for `power_of`.
    """
    if variance == 0.0:
        return 2
    return _fewest(lambda clusters: power_of(clusters, variance, effect, confidence, even) >= power)


def clusters_for_half_width(
    variance: float, half_width: float, confidence: float = CONFIDENCE, even: float = 1.0
) -> int:
    """Fewest clusters, 2 or more, with which an interval is so narrow on average: one time in two it will be wider."""
    return _fewest(
        lambda clusters: (
            t_half_width(_degrees(clusters, even), confidence) * math.sqrt(variance / clusters) <= half_width
        )
    )


def effect_seen(
    clusters: int, variance: float, power: float = POWER, confidence: float = CONFIDENCE, even: float = 1.0
) -> float:
    """The smallest effect that so many clusters (2 or more) find with this power."""
    low, high = 0.0, math.sqrt(variance)
    if high == 0.0:
        return 0.0
    while power_of(clusters, variance, high, confidence, even) < power:
        low, high = high, 2.0 * high
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        if power_of(clusters, variance, middle, confidence, even) < power:
            low = middle
        else:
            high = middle
    return high


def _fewest(enough: Callable[[int], bool]) -> int:
    """The smallest number from 2 to MOST_CLUSTERS that is enough, where every larger one is too."""
    low, high = 1, 2
    while high < MOST_CLUSTERS and not enough(high):
        low, high = high, min(2 * high, MOST_CLUSTERS)
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high
