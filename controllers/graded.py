"""Graded outcomes: what a lost attempt says beyond having been lost, learnt from the game itself.

How far a lost attempt got is evidence too, but each game has a scale of its own. So many attempts are simulated over
skills and places on the dial, the progress of those that were lost is cut into bins, and the chance of each bin is
fitted as a function of z, the logit of the chance of winning (multinomial logistic regression):

    P(bin b | lost, z) = exp(intercept_b + slope_b z) / sum over all bins

A controller multiplies its likelihood by that. Where the bins do not depend on z nothing is learnt from them. A win is
a win: progress is 1 whatever it was worth.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from engine.arithmetic import exp, logit
from engine.batch import Crowd, batch_rows
from engine.controller import Brief
from engine.game import LOST
from engine.parameters import along
from engine.players import TRAIT_NAMES

BINS: Final = 6
SKILLS: Final = (-1.0, 0.0, 1.0)  # standard deviations from the population's mean
PLACES: Final = 9
PLAYERS: Final = 400  # at each place, one attempt each
SEED: Final = 7_301
WIDEST: Final = 4.0  # z is held so near to 0 where the bins are fitted and used
PENALTY: Final = 1.0  # of the squared coefficients: without losses nothing is learnt
DIGITS: Final = 4

Numbers = npt.NDArray[np.float64]


class Graded(NamedTuple):
    """The bins and their chances."""

    edges: Numbers  # shape (BINS - 1,), ascending: bin b holds progress from edge b - 1 up to edge b
    intercept: Numbers  # shape (BINS,)
    slope: Numbers  # shape (BINS,)


NOTHING: Final = Graded(np.zeros(BINS - 1), np.zeros(BINS), np.zeros(BINS))
_KNOWN: dict[Any, Graded] = {}


def graded_of(brief: Brief) -> Graded:
    """The bins of the brief's game on its dial, for the players of all cohorts together."""
    key = (brief.game, brief.path.tobytes(), brief.space.table().tobytes(), brief.traits.tobytes())
    if key not in _KNOWN:
        _KNOWN[key] = _fitted(*_lost(brief))
    return _KNOWN[key]


def _lost(brief: Brief) -> tuple[Numbers, Numbers]:
    """z and progress of simulated attempts that were lost; z from the share that was won in the same cell."""
    place = TRAIT_NAMES.index("skill")
    units = [[along(brief.path, j, d / (PLACES - 1)) for j in range(len(brief.space))] for d in range(PLACES)]
    values = np.array([brief.space.real(u) for u in units])
    found_z, found_progress = [], []
    for cohort, table in enumerate(brief.traits):
        mean, sd = _moments(table[place])
        for number, step in enumerate(SKILLS):
            traits = table.copy()
            traits[place] = (0.0, mean + step * sd, 0.0, -1e300, 1e300, 0.0)
            crowd = Crowd(traits, PLAYERS, cohort=cohort, first=number * PLAYERS)
            rows = batch_rows(brief.game, values, crowd, SEED)[:, :, 0]
            for cell in rows:
                lost = cell["outcome"] == LOST
                won = float(PLAYERS - lost.sum())
                found_z.append(np.full(int(lost.sum()), logit((won + 0.5) / (PLAYERS + 1.0))))
                found_progress.append(cell["progress"][lost])
    return np.concatenate(found_z), np.concatenate(found_progress)


def _moments(row: Numbers) -> tuple[float, float]:
    """Mean and standard deviation of a trait from its row of the distribution table."""
    kind, a, b, common = int(row[0]), float(row[1]), float(row[2]), float(row[5])
    if kind in (3, 4):  # uniform, also of the logarithm: as good here
        return (a + b) / 2.0, (b - a) / math.sqrt(12.0)
    return a, math.hypot(b, common) if kind else 0.0


def _fitted(z: Numbers, progress: Numbers) -> Graded:
    """The regression. Rounded: the last digits of a search differ from machine to machine."""
    if len(z) < 10 * BINS:
        return NOTHING
    z = np.clip(z, -WIDEST, WIDEST)
    edges = np.quantile(progress, np.arange(1, BINS) / BINS)
    of = np.searchsorted(edges, progress, side="right")

    def loss(numbers: Numbers) -> tuple[float, Numbers]:
        intercept, slope = numbers[:BINS], numbers[BINS:]
        scores = intercept + np.outer(z, slope)
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(axis=1, keepdims=True)
        value = -np.log(shares[np.arange(len(z)), of]).sum() + 0.5 * PENALTY * (numbers @ numbers)
        shares[np.arange(len(z)), of] -= 1.0
        gradient = np.concatenate([shares.sum(axis=0), z @ shares]) + PENALTY * numbers
        return float(value), gradient

    found = np.round(minimize(loss, np.zeros(2 * BINS), jac=True, method="L-BFGS-B").x, DIGITS)
    return Graded(edges, found[:BINS], found[BINS:])


class Evidence(NamedTuple):
    """What a bin says at one z."""

    chance: float  # of the bin
    score: float  # derivative of its logarithm by z
    information: float  # variance of the score over all bins


def evidence(edges: Any, intercept: Any, slope: Any, progress: float, z: float) -> Evidence:
    """What the progress of a lost attempt says of z. It compiles."""
    z = min(max(z, -WIDEST), WIDEST)
    mine = 0
    for b in range(len(edges)):
        if progress >= edges[b]:
            mine = b + 1
    total = 0.0
    mean = 0.0
    square = 0.0
    for b in range(len(slope)):
        share = exp(intercept[b] + slope[b] * z)
        total += share
        mean += share * slope[b]
        square += share * slope[b] * slope[b]
    mean /= total
    chance = exp(intercept[mine] + slope[mine] * z) / total
    return Evidence(chance, slope[mine] - mean, max(square / total - mean * mean, 0.0))
