"""Intervals of win rates, clustered by player or replica."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

Cluster = Literal["player", "replica"]

Method = Literal["by player", "by replica", "Wilson", "Wilson over attempts", "none"]

DIAL_UNIT: Final = 2**30  # difficulties are counted in whole 2**-30: exact sums up to 8e9 attempts

CONFIDENCE: Final = 0.95

# What is kept of each cell (a cohort's judged attempts, one level of them, one bin of a series).
SUMS: Final = ("clusters", "players", "attempts", "wins", "wins_wins", "wins_attempts", "attempts_attempts", "dial")


@dataclass(frozen=True)
class RateInterval:
    """A win rate and how sure it is. NaN everywhere when nothing was played."""

    rate: float  # [0, 1]
    low: float  # [0, rate]
    high: float  # [rate, 1]
    error: float  # standard error; NaN for Wilson
    clusters: int
    attempts: int
    method: Method


NOTHING_PLAYED: Final = RateInterval(math.nan, math.nan, math.nan, math.nan, 0, 0, "none")


def rate_interval(sums: Sequence[int] | Integers, cluster: Cluster, confidence: float = CONFIDENCE) -> RateInterval:
    """Win rate of one cell (its SUMS), clustered; Wilson's where that fails.

    Where two or more clusters do not differ at all (all won, or all lost), each counts as one attempt: nothing shows
    that their attempts are independent. With one cluster only attempts can be counted. That interval says nothing about
    other clusters, and no verdict may rest on it.
    """
    m, _, attempts, wins, ww, wa, aa, _ = (int(number) for number in sums)
    if attempts == 0:
        return NOTHING_PLAYED
    # Sum over clusters of (wins - rate * attempts)^2, times attempts^2: whole numbers, so nothing cancels.
    spread = ww * attempts**2 - 2 * wins * attempts * wa + wins**2 * aa
    rate = wins / attempts
    if m < 2:
        return RateInterval(rate, *wilson(wins, attempts, confidence), math.nan, m, attempts, "Wilson over attempts")
    if spread <= 0:
        return RateInterval(rate, *wilson(m * wins / attempts, m, confidence), math.nan, m, attempts, "Wilson")
    error = math.sqrt(m * spread / ((m - 1) * attempts**4))
    half = t_half_width(m - 1, confidence) * error
    method: Method = "by player" if cluster == "player" else "by replica"
    return RateInterval(rate, max(0.0, rate - half), min(1.0, rate + half), error, m, attempts, method)


def sums_of(wins: Integers, attempts: Integers) -> tuple[int, ...]:
    """SUMS of one cell from the wins and attempts of each cluster, both of shape (clusters,), without a dial.

    A cluster without attempts does not count.
    """
    seen = attempts > 0
    w, a = wins[seen].astype(np.int64), attempts[seen].astype(np.int64)
    m = len(w)
    return m, m, int(a.sum()), int(w.sum()), int((w * w).sum()), int((w * a).sum()), int((a * a).sum()), 0


def wilson(wins: float, attempts: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval for a proportion of independent attempts, 0 <= wins <= attempts, attempts > 0."""
    z = normal_half_width(confidence)
    rate = wins / attempts
    middle = (rate + z * z / (2 * attempts)) / (1 + z * z / attempts)
    half = z / (1 + z * z / attempts) * math.sqrt(rate * (1 - rate) / attempts + z * z / (4 * attempts**2))
    # At the ends the formula gives the rate itself, up to a rounding error that must not show.
    return (0.0 if wins == 0 else middle - half), (1.0 if wins == attempts else middle + half)


@lru_cache(maxsize=4096)
def t_half_width(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Half width, in standard errors, of a two-sided interval by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))


@lru_cache(maxsize=64)
def normal_half_width(confidence: float = CONFIDENCE) -> float:
    """Half width, in standard errors, of a two-sided interval by the normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + confidence / 2))


def mean_dial(sums: Sequence[int] | Integers) -> float:
    """Mean difficulty of one cell (its SUMS), in [0, 1]; NaN when nothing was played."""
    attempts = int(sums[SUMS.index("attempts")])
    return int(sums[SUMS.index("dial")]) / (attempts * DIAL_UNIT) if attempts else math.nan
