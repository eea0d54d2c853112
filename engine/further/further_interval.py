"""The value of a further target and its margin, from its counts.

A share of players, of whom each counts once, has the mid-P interval of a binomial share (Lancaster, Journal of the
American Statistical Association 56, 1961; Berry and Armitage, The Statistician 44, 1995): near 0 and 1 Wilson's misses
too often on one side. Where mid-P would, an exact interval (Clopper and Pearson, Biometrika 26, 1934) of 3.4 % on each
side takes its place. Other shares have the interval of a rate.

A mean number of attempts or minutes is the reciprocal of a rate, passes or sessions for each attempt or second, and has
the reciprocal of its interval. A 90th percentile has the numbers of attempts at which the interval of the share who
needed no more contains nine tenths (Woodruff, Journal of the American Statistical Association 47, 1952). All are
clustered by player, or by replica where players share a controller, in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from engine.further.further_target import QUANTILE, FurtherTarget
from engine.inference.intervals import CONFIDENCE, SUMS, Cluster, Integers, RateInterval, rate_interval

_PER_MINUTE: Final = 60.0
_EXACT: Final = 1e-12
_SIDE: Final = 1.36  # of what an interval may miss on one side: 3.4 % where that is 2.5 %


class FurtherInterval(NamedTuple):
    """A value and how sure it is; NaN where nothing is known, infinite where it has no upper end."""

    value: float
    low: float
    high: float
    players: int  # who tell something of it
    clusters: int


def further_interval(
    target: FurtherTarget, cells: Integers, cluster: Cluster, confidence: float = CONFIDENCE
) -> FurtherInterval:
    """The value of a target. cells: its SUMS, shape (target.cells, SUMS)."""
    found = [_share(sums, cluster, confidence) for sums in cells]
    players = int(cells[-1][1])
    one = found[-1]
    if one.clusters == 0:
        return FurtherInterval(math.nan, math.nan, math.nan, 0, 0)
    if target.statistic == "p90":
        value = _first([rate.rate for rate in found])
        return FurtherInterval(
            value, _first([rate.high for rate in found]), _first([rate.low for rate in found]), players, one.clusters
        )
    if target.is_share:
        return FurtherInterval(one.rate, one.low, one.high, players, one.clusters)
    scale = 1.0 / _PER_MINUTE if target.unit == "minutes" else 1.0
    value, low, high = (scale / share if share > 0.0 else math.inf for share in (one.rate, one.high, one.low))
    return FurtherInterval(value, low, high, players, one.clusters)


def _share(sums: Integers, cluster: Cluster, confidence: float) -> RateInterval:
    """The interval of a share; mid-P where two or more clusters made one attempt each."""
    found = rate_interval(sums, cluster, confidence)
    if found.clusters < 2 or found.attempts != found.clusters:
        return found
    low, high = share_of_players(int(sums[SUMS.index("wins")]), found.attempts, confidence)
    return replace(found, low=low, high=high)


@lru_cache(maxsize=65_536)
def share_of_players(wins: int, attempts: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of a binomial share: mid-P, in which half of the chance of what was seen counts on either side.

    It never misses more often on one side than _SIDE allows.
    """
    from scipy.optimize import brentq
    from scipy.special import betainc, betaincinv

    def at_least(chance: float, number: int) -> float:
        """How likely so many wins or more are."""
        if number <= 0 or number > attempts:
            return float(number <= 0)
        return float(betainc(number, attempts - number + 1, chance))

    def beyond(chance: float) -> float:
        """How likely more wins are, with half of the chance of as many."""
        return 0.5 * (at_least(chance, wins) + at_least(chance, wins + 1))

    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if wins == 0 else brentq(lambda chance: beyond(chance) - tail, 0.0, 1.0, xtol=_EXACT)
    high = 1.0 if wins == attempts else brentq(lambda chance: beyond(chance) - 1.0 + tail, 0.0, 1.0, xtol=_EXACT)
    side = _SIDE * tail
    exact_low = 0.0 if wins == 0 else betaincinv(wins, attempts - wins + 1, side)
    exact_high = 1.0 if wins == attempts else betaincinv(wins + 1, attempts - wins, 1.0 - side)
    return float(min(low, exact_low)), float(max(high, exact_high))


def _first(shares: Sequence[float]) -> float:
    """The least number of attempts, counted from 1, that so large a share needed; infinite where it is more."""
    return next((float(k) for k, share in enumerate(shares, 1) if share >= QUANTILE), math.inf)
