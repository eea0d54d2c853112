"""Intervals of win rates, clustered by player or replica. Every printed margin of a rate is computed here.

A win rate is a ratio of sums over clusters that may be of very unequal size, near 0 or 1, with a few clusters far from
the rest. Then the usual interval, rate +- t standard errors, is too narrow and lies too near the middle. So:

- the standard error is unbiased where clusters spread alike (HC2: MacKinnon and White, Journal of Econometrics 29,
  1985; for clusters: Bell and McCaffrey, Survey Methodology 28, 2002);
- the t quantile has the degrees of freedom of *effective* clusters, (sum n)^2 / sum n^2 (Kish, Survey Sampling, 1965),
  and fewer where few clusters make most of the spread: by the kurtosis of what each adds to the error (Satterthwaite,
  Biometrics Bulletin 2, 1946, with the variance of a sample variance of Cramer, Mathematical Methods of Statistics,
  1946, section 27.4), and by its skewness;
- the interval is built on the logit scale, so it stays within 0 and 1;
- and shifted by the skewness of the estimate (the Cornish-Fisher quantiles of a studentized mean: Hall, The Bootstrap
  and Edgeworth Expansion, 1992, section 2.6; the terms of ratio and logit are derived in `_shift`). A few clusters show
  their own skewness badly. So most of it is that of players whose chances are beta, of this rate and spread (Skellam,
  Journal of the Royal Statistical Society B 10, 1948).

docs/statistics.md says what else was tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

# What is independent. By estimate: each replica has players of its own, drawn from what a fit leaves open.
Cluster = Literal["player", "replica", "estimate"]

Method = Literal["by player", "by replica", "by estimate", "Wilson", "Wilson over attempts", "none"]

METHODS: Final[dict[Cluster, Method]] = {
    "player": "by player", "replica": "by replica", "estimate": "by estimate"
}  # fmt: skip

DIAL_UNIT: Final = 2**30  # difficulties are counted in whole 2**-30: exact sums up to 8e9 attempts

CONFIDENCE: Final = 0.95

FEW: Final = 15  # effective players: with fewer, a 95 % interval of skewed players may cover less, down to 93 %
FEW_REPLICAS: Final = 10  # the same where clusters are replicas, which are many players each

_PAIRS: Final = tuple((i, order - i) for order in range(1, 5) for i in range(order, -1, -1))
_DIAL_STEP: Final = 512  # of the dial, in the sums for the spread of difficulty

# What is kept of each cell (a cohort's judged attempts, one level of them, one bin of a series). A moment "w2a1" is
# the sum over clusters of wins^2 attempts, both counted in the unit of the scheme (`engine.tally.Scheme.unit`) and
# rounded; difficulties in the last three are sums over attempts, in 1/512 of the dial and that unit.
_EXACT: Final = ("clusters", "players", "attempts", "wins", "wins_wins", "wins_attempts", "attempts_attempts", "dial")
MOMENTS: Final = tuple(f"w{i}a{j}" for i, j in _PAIRS)
SUMS: Final = (*_EXACT, *MOMENTS, "steps", "steps_steps", "steps_attempts")

# Cells of runs that were made before moments were kept have only the first eight.
FIRST_SUMS: Final = len(_EXACT)

_LEAST_SPREAD: Final = 0.5  # a rounded spread below this share of the exact one says nothing of its shape
# Fitted to 105 designs of other rates, sizes and seeds than those of `make calibration` (docs/statistics.md).
_MEASURED: Final = 0.6  # of the skewness: its measured part, which is too small in small samples ...
_MEASURED_OF_FEW: Final = 6.5  # ... by so much more, over the effective clusters
_EXPECTED: Final = 0.7  # of the skewness: the part of beta-binomial players
_UNSURE: Final = 0.03  # of the squared skewness, taken from the degrees of freedom
_LARGEST_SHIFT: Final = 2.0  # in standard errors


@dataclass(frozen=True)
class RateInterval:
    """A win rate and how sure it is. NaN everywhere when nothing was played."""

    rate: float  # [0, 1]
    low: float  # [0, rate]
    high: float  # [rate, 1]
    error: float  # standard error; NaN where clusters do not differ
    clusters: int
    attempts: int
    method: Method
    effective: float = math.nan  # clusters of equal size that would be as sure, at most `clusters`


NOTHING_PLAYED: Final = RateInterval(math.nan, math.nan, math.nan, math.nan, 0, 0, "none", 0.0)


def rate_interval(sums: Sequence[int] | Integers, cluster: Cluster, confidence: float = CONFIDENCE) -> RateInterval:
    """Win rate of one cell (its SUMS), clustered; Wilson's where that fails.

    Where two or more clusters do not differ at all (everybody won, or nobody), each effective cluster counts as one
    attempt: nothing says that its attempts are independent. Where each made one attempt, that is all there is, too.
    With one cluster only attempts can be counted; that interval says nothing of other clusters, and no verdict may
    rest on it.

    By estimate the interval is not of the mean over replicas, which gets as narrow as there are many. It is where one
    more replica lies: one of them would be the truth. So it holds what the fit leaves open, and the luck of as many
    players as a replica has.
    """
    m, _, attempts, wins, ww, wa, aa, _ = (int(number) for number in sums[:FIRST_SUMS])
    if attempts == 0:
        return NOTHING_PLAYED
    # Sum over clusters of (wins - rate * attempts)^2, times attempts^2: whole numbers, so nothing cancels.
    spread = ww * attempts**2 - 2 * wins * attempts * wa + wins**2 * aa
    rate, effective = wins / attempts, attempts**2 / max(aa, attempts)
    if m < 2:
        ends = wilson(wins, attempts, confidence)
        return RateInterval(rate, *ends, math.nan, m, attempts, "Wilson over attempts", effective)
    if spread <= 0 or wins in (0, attempts):
        ends = wilson(effective * rate, effective, confidence)
        return RateInterval(rate, *ends, math.nan, m, attempts, "Wilson", effective)
    if attempts == aa:
        error = math.sqrt(rate * (1.0 - rate) / (m - 1))
        return RateInterval(rate, *wilson(wins, m, confidence), error, m, attempts, "Wilson", effective)
    shape = _shape(sums, spread, effective)
    error = math.sqrt(spread / attempts**4 / (1.0 - shape.share))
    if cluster == "estimate":
        error *= math.sqrt(effective + 1.0)
        shape = _Shape(shape.share, 0.0, 0.0, 0.0)
    low, high = _logit_interval(rate, error, effective, shape, confidence)
    method: Method = METHODS[cluster]
    return RateInterval(rate, low, high, error, m, attempts, method, effective)


class _Shape(NamedTuple):
    """How what clusters add to the error of a rate is spread over them; each adds r = wins - rate attempts."""

    share: float  # of all attempts, that of a cluster, weighted by r^2: how far a cluster pulls the rate to itself
    skewness: float  # of the rate: measured, sum r^3 / (sum r^2)^(3/2), and expected
    excess: float  # sum r^4 / (sum r^2)^2, less that of a normal distribution, 0 or more
    pull: float  # sum r attempts / (attempts of all sqrt(sum r^2)): whether large clusters win more


def _shape(sums: Sequence[int] | Integers, spread: int, effective: float) -> _Shape:
    """The shape by the moments of a cell, in whole numbers up to the last division.

    spread: sum of r^2, times the squared attempts of all. Where the moments are missing, or too coarse for clusters as
    small as these, the shape of normal clusters of equal size.
    """
    plain = _Shape(min(1.0 / effective, 0.5), 0.0, 0.0, 0.0)
    values = [int(number) for number in sums[FIRST_SUMS : FIRST_SUMS + len(MOMENTS)]]
    moment = dict(zip(_PAIRS, values, strict=False))
    if len(moment) < len(MOMENTS) or moment[0, 1] == 0:
        return plain
    w, a = moment[1, 0], moment[0, 1]

    def power(order: int, more: int = 0) -> int:
        """Sum over clusters of (r a)^order attempts^more, with a of all clusters."""
        return sum(
            math.comb(order, i) * a**i * (-w) ** (order - i) * moment[i, order - i + more] for i in range(order + 1)
        )

    m, attempts, wins = (int(sums[SUMS.index(name)]) for name in ("clusters", "attempts", "wins"))
    second, unit = power(2), attempts / a
    exact = spread / attempts**2
    if not _LEAST_SPREAD <= second / a**2 * unit**2 / exact <= 1.0 / _LEAST_SPREAD:
        return plain
    skewness = (_MEASURED + _MEASURED_OF_FEW / effective) * power(3) / second**1.5
    skewness += _EXPECTED * _expected_skewness(wins / attempts, exact, attempts, effective, moment[0, 3] * unit**3)
    pull = (a * moment[1, 1] - w * moment[0, 2]) / (a * math.sqrt(second))
    share = power(2, 1) / (a * second)
    if share >= 1.0:  # no rows have such moments
        return plain
    return _Shape(share, skewness, max(power(4) / second**2 - 3.0 / m, 0.0), pull)


def _expected_skewness(rate: float, spread: float, attempts: int, effective: float, cubes: float) -> float:
    """Skewness of the wins of all clusters, if each has a chance of its own from the beta distribution of this rate.

    spread: sum of r^2, which tells how much chances differ (their intra-class correlation); cubes: sum of attempts^3.
    """
    variance, squares = rate * (1.0 - rate), attempts**2 / effective
    per_attempt = spread / variance * effective / max(effective - 1.0, 1e-9)
    alike = min(max((per_attempt - attempts) / max(squares - attempts, 1e-9), 0.0), 1.0)
    second = (1.0 - alike) * attempts + alike * squares
    third = (1.0 - alike) ** 2 * attempts + 3.0 * alike * (1.0 - alike) * squares + 2.0 * alike**2 * cubes
    return float((1.0 - 2.0 * rate) / math.sqrt(variance) * third / (1.0 + alike) / math.sqrt(second) ** 3)


def _logit_interval(
    rate: float, error: float, effective: float, shape: _Shape, confidence: float
) -> tuple[float, float]:
    """Both ends of a t interval on the logit scale, shifted by skewness."""
    lost = 1.0 / max(effective - 1.0, 1.0) + 0.5 * shape.excess + _UNSURE * shape.skewness**2
    half, shift = t_half_width(max(1.0 / lost, 1.0), confidence), _shift(rate, error, shape, confidence)
    scale, middle = error / (rate * (1.0 - rate)), math.log(rate / (1.0 - rate))
    return _logistic(middle - scale * (half + shift)), _logistic(middle + scale * (half - shift))


def _shift(rate: float, error: float, shape: _Shape, confidence: float) -> float:
    """How far both quantiles of (estimate - truth) / error lie from those of t, in standard errors.

    A studentized mean of skewness g has the quantile z - g (2 z^2 + 1) / 6. For a ratio of sums the error moves with
    the estimate by its covariance with the attempts, which adds pull z^2; the logit's curvature adds the last term.
    Beyond some value of its own the expansion means nothing, so the shift approaches a largest one.
    """
    z = normal_half_width(confidence)
    bend = (1.0 - 2.0 * rate) * error / (2.0 * rate * (1.0 - rate))
    shift = (shape.pull + bend) * z * z - shape.skewness * (2.0 * z * z + 1.0) / 6.0
    return _LARGEST_SHIFT * math.tanh(shift / _LARGEST_SHIFT)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > 0.0 else math.exp(x) / (1.0 + math.exp(x)) if x > -700.0 else 0.0


def sums_of(wins: Integers, attempts: Integers) -> tuple[int, ...]:
    """SUMS of one cell from the wins and attempts of each cluster, both of shape (clusters,), without a dial.

    A cluster without attempts does not count.
    """
    seen = attempts > 0
    w, a = wins[seen].astype(np.int64), attempts[seen].astype(np.int64)
    columns = cluster_sums(
        np.ones_like(w), w, a, np.zeros_like(w), 1 if len(w) == 0 else moment_unit(int(a.max()), len(w))
    )
    return tuple(int(column.sum()) for column in columns)


def cluster_sums(players: Integers, wins: Integers, attempts: Integers, dial: Integers, unit: int) -> list[Integers]:
    """What each cluster adds to SUMS; all arrays have shape (clusters,).

    dial: sum of its difficulties in DIAL_UNIT; unit: of its wins and attempts in the moments.
    """
    w, a = ((column + unit // 2) // unit for column in (wins, attempts))
    step = DIAL_UNIT // _DIAL_STEP * unit
    d = (dial + step // 2) // step
    ones = np.ones_like(wins)
    powers = [[ones], [ones]]
    for column, found in zip((w, a), powers, strict=True):
        for _ in range(4):
            found.append(found[-1] * column)
    moments = [powers[0][i] * powers[1][j] for i, j in _PAIRS]
    exact = [ones, players, attempts, wins, wins * wins, wins * attempts, attempts * attempts, dial]
    return [*exact, *moments, d, d * d, d * a]


def moment_unit(most: int, clusters: int) -> int:
    """The smallest power of two as a unit of attempts in which the moments of so many clusters fit into 63 bits.

    most: attempts of a cluster, at most.
    """
    unit = 1
    while (most // unit + 1) ** 4 * max(clusters, 1) >= 2**62:
        unit *= 2
    return unit


def wilson(wins: float, attempts: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
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


def dial_interval(sums: Sequence[int] | Integers, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Both ends of the mean difficulty of one cell, by t over clusters and within [0, 1]; NaN with fewer than two."""
    if int(sums[0]) < 2 or len(sums) < len(SUMS):
        return math.nan, math.nan
    m, mean = int(sums[0]), mean_dial(sums)
    found = {name: int(number) for name, number in zip(SUMS, sums, strict=True)}
    a, aa, cubes = (found[name] for name in ("w0a1", "w0a2", "w0a3"))
    if a <= 0 or aa <= 0 or cubes >= a * aa:  # all that is left after rounding is one cluster's
        return math.nan, math.nan
    d, dd, da = found["steps"], found["steps_steps"], found["steps_attempts"]
    spread = (dd * a**2 - 2 * d * a * da + d**2 * aa) / a**2
    if spread <= m:  # no cluster is further off than rounding
        return mean, mean
    error = math.sqrt(spread / (1.0 - cubes / (a * aa))) / (_DIAL_STEP * a)
    half = t_half_width(max(a**2 / aa - 1.0, 1.0), confidence) * error
    return max(mean - half, 0.0), min(mean + half, 1.0)
