"""The value of a further target and its margin, from its counts.

A share has the interval of a rate. A mean number of attempts or minutes is the reciprocal of a rate, passes or sessions
for each attempt or second, and has the reciprocal of its interval. A 90th percentile has the numbers of attempts at
which the interval of the share who needed no more contains nine tenths (Woodruff, Journal of the American Statistical
Association 47, 1952). All are clustered by player, or by replica where players share a controller, in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.further.further_target import QUANTILE, FurtherTarget
from engine.inference.intervals import CONFIDENCE, Cluster, Integers, rate_interval

_PER_MINUTE: Final = 60.0


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
    found = [rate_interval(sums, cluster, confidence) for sums in cells]
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


def _first(shares: Sequence[float]) -> float:
    """The least number of attempts, counted from 1, that so large a share needed; infinite where it is more."""
    return next((float(k) for k, share in enumerate(shares, 1) if share >= QUANTILE), math.inf)
