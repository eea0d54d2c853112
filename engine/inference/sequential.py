"""How many players make intervals as narrow as wanted, without the bias of repeated looks.

A procedure that adds players until an interval is narrow tends to stop where they happen to differ little. So the
interval covers less than it says. Stopping at the first moment is right only in the limit of very narrow intervals, and
short by a few per cent otherwise (Chow and Robbins, Annals of Mathematical Statistics 36, 1965). So other players, the
pilot, decide the number (Stein, Annals of Mathematical Statistics 16, 1945). The luck of the reported run did not
choose its number of players, so its intervals are ordinary ones. The pilot grows geometrically until it is a tenth of
what is needed. Both variances, the pilot's and the run's, are uncertain by their kurtosis (variance of a sample
variance: Cramer, Mathematical Methods of Statistics, 1946, section 27.4). So the run gets more players. Then only one
run in a hundred is too wide where players differ evenly, and a few where some are far from the rest. Such a run is
played again with more. What the repetition costs in coverage is measured by `make calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

PILOT: Final = 200  # clusters of each rate in the first pilot, where clusters are players
LEAST: Final = 50  # clusters of each rate: players who play very unequally are then still worth 15 (intervals.FEW)
PILOT_REPLICAS: Final = 20  # the same where clusters are replicas, which are many players each
LEAST_REPLICAS: Final = 10
_GROWTH: Final = 2  # of the pilot from look to look
_SHARE: Final = 0.1  # of what is needed that a pilot must have
_SURE: Final = 2.326  # normal quantile of 0.99: so many runs are not wider than wanted
_NORMAL: Final = 3.0  # kurtosis
_ROUNDS: Final = 30


class Width(NamedTuple):
    """What a look sees of one rate."""

    clusters: int
    half_width: float  # of its interval, the longer side
    kurtosis: float = _NORMAL  # of what clusters add to its error


class Size(NamedTuple):
    """What a pilot found."""

    pilot: int  # size of the last pilot
    played: int  # sizes of all pilots together
    needed: int  # size with which all rates will be narrow enough in nearly all runs


def find_size(
    look: Callable[[int], Collection[Width]], wanted: float, *, first: int, least: int, affordable: int
) -> Size:
    """The size of a run whose intervals are to be `wanted` to either side.

    A size is what grows, and all clusters with it in proportion: players in all, or replicas. look: plays a pilot of a
    size and sees every rate; first: size of the first pilot; least: the smallest answer; affordable: most that all
    pilots together may have; the answer may be larger.
    """
    pilot = played = min(first, affordable)
    while True:
        needed = max(needed_size(pilot, look(pilot), wanted), least)
        larger = _GROWTH * pilot
        if pilot >= _SHARE * needed or played + larger > affordable:
            return Size(pilot, played, needed)
        pilot, played = larger, played + larger


def needed_size(size: int, widths: Collection[Width], wanted: float) -> int:
    """The size with which all intervals will be narrow enough in nearly all runs, by what one of this size saw.

    A rate of fewer than two clusters says nothing of its spread: then twice the size, and look again.
    """
    factors = [_factor(found, wanted) if found.clusters > 1 else 2.0 for found in widths]
    return math.ceil(size * max(factors, default=0.0))


def _factor(found: Width, wanted: float) -> float:
    """How many times the clusters it takes: f with f = (half / wanted)^2 exp(2.3 sd of the log of both variances)."""
    plain = factor = (found.half_width / wanted) ** 2
    for _ in range(_ROUNDS):  # converges, for each step turns back less than it went
        later = max(factor * found.clusters, 2.0)
        spread = math.sqrt((found.kurtosis - 1.0) * (1.0 / found.clusters + 1.0 / later))
        factor = math.sqrt(factor * plain * math.exp(_SURE * spread))
    return factor


def kurtosis_of(influence: npt.NDArray[np.float64]) -> float:
    """Fourth moment over the squared second, of what each cluster adds to the error of a rate; 3 without spread."""
    squares = np.square(influence)
    total = float(squares.sum())
    return len(influence) * float(np.square(squares).sum()) / total**2 if total > 0.0 else _NORMAL


def is_narrow(widths: Collection[Width], wanted: float) -> bool:
    """Whether every interval is as narrow as wanted."""
    return all(found.clusters > 1 and found.half_width <= wanted for found in widths)
