"""Grid: possible skills and slopes as cells with weights, and the best difficulty for these weights.

A cell's win probability at difficulty d is

    p = guess + (1 - guess - lapse) / (1 + reach e^(slope d)),   reach = e^-(slope skill + tilt),

the logistic written so that one exponential per slope serves all its cells. Cells are ordered by slope, then by tilt
where there is any, then by skill. An outcome multiplies a cell's weight by the chance that the cell gave it (Bayes'
rule). The best difficulty is that at which an expectation over the cells is least.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from controllers.common.particles import Numbers
from engine.arithmetic import exp, log

SKILLS: Final = 61
LOWEST_SKILL: Final = -0.1
SKILL_STEP: Final = 0.02
POINTS: Final = 41  # difficulties that are tried: 0, 0.025 ... 1
COARSE: Final = 4  # where every so many-th point is tried first, then all points around the best of these
PLACES: Final = 200  # answers are rounded to 1 / PLACES
FAINTEST: Final = 1e-100  # smallest weight: what seemed impossible can come back, and no sum is ever 0
NEGLIGIBLE: Final = 1e-9  # weight below which a cell has no say in where the dial goes
LEAST_CHANCE: Final = 1e-16  # whose logarithm is still taken


def skills() -> Numbers:
    """The skills of the grid, shape (SKILLS,), on the dial's scale."""
    return np.array([LOWEST_SKILL + SKILL_STEP * i for i in range(SKILLS)])


def total(numbers: Numbers) -> float:
    """Sum from the first to the last, the same bits compiled and in plain Python (numpy's own sum goes by blocks)."""
    return float(np.cumsum(numbers)[-1])


def skill_prior(skill0: float, sd0: float) -> Numbers:
    """Normal prior weights of the skills, sum 1."""
    weights = np.array([exp(-0.5 * ((skill - skill0) / sd0) ** 2) for skill in skills()])
    return weights / total(weights)


def slope_prior(slopes: Sequence[float], middle: float, log_sd: float) -> Numbers:
    """Log-normal prior weights of the slopes, sum 1."""
    weights = np.array([exp(-0.5 * (log(slope / middle) / log_sd) ** 2) for slope in slopes])
    return weights / total(weights)


def reach_of(slopes: Sequence[float], tilts: Sequence[float]) -> Numbers:
    """e^-(slope skill + tilt) of every cell, shape (slopes * tilts * SKILLS,). tilts: in logits."""
    return np.array([exp(-(slope * skill + tilt)) for slope in slopes for tilt in tilts for skill in skills()])


def cell_chances(reach: Numbers, slopes: Numbers, guess: float, lapse: float, difficulty: float) -> Numbers:
    """Win probability of every cell at a difficulty."""
    p = np.empty(len(reach))
    each = len(reach) // len(slopes)
    for k in range(len(slopes)):
        lift = exp(slopes[k] * difficulty)
        p[k * each : (k + 1) * each] = guess + (1.0 - guess - lapse) / (1.0 + reach[k * each : (k + 1) * each] * lift)
    return p


def chance_table(reach: Numbers, slopes: Numbers, guess: float, lapse: float) -> Numbers:
    """Win probability of every cell at every point, shape (cells * POINTS,), cell by cell."""
    columns = [cell_chances(reach, slopes, guess, lapse, point / (POINTS - 1)) for point in range(POINTS)]
    return np.ascontiguousarray(np.array(columns).T).ravel()


def entropy(p: float) -> float:
    """Of an outcome that is won with chance p, in nats."""
    p = min(max(p, LEAST_CHANCE), 1.0 - LEAST_CHANCE)
    return -p * log(p) - (1.0 - p) * log(1.0 - p)


def likelihood(p: Numbers, won: float, weight: float) -> Numbers:
    """Likelihood, up to a factor, of `weight` outcomes of which the share `won` was won: p^wins (1 - p)^losses."""
    if weight == 1.0:
        return won * p + (1.0 - won) * (1.0 - p)
    logs = np.empty(len(p))
    for cell in range(len(p)):
        win = log(max(p[cell], LEAST_CHANCE))
        loss = log(max(1.0 - p[cell], LEAST_CHANCE))
        logs[cell] = weight * (won * win + (1.0 - won) * loss)
    best = logs.max()
    for cell in range(len(p)):
        logs[cell] = exp(logs[cell] - best)
    return logs


def normalise(weights: Numbers) -> Numbers:
    """Weights of sum 1, none below FAINTEST."""
    return np.maximum(weights / total(weights), FAINTEST)


def expectations(
    weights: Numbers, chance: Numbers, second: Numbers, first: int, last: int, step: int, mean: Numbers, other: Numbers
) -> None:
    """Weighted means of two tables at the points first, first + step ... last, into mean and other."""
    for point in range(first, last + 1, step):
        mean[point] = 0.0
        other[point] = 0.0
    for cell in range(len(weights)):
        w = weights[cell]
        if w > NEGLIGIBLE:
            row = cell * POINTS
            for point in range(first, last + 1, step):
                mean[point] += w * chance[row + point]
                other[point] += w * second[row + point]


def badness(mean: float, other: float, target: float, informing: bool) -> float:
    """What the dial's place should make least.

    E (p - target)^2 less its constant, with mean = E p and other = E p^2. Informing: minus the mutual information of
    outcome and cell, with other = E H(p) (Watson 2017).
    """
    return other - entropy(mean) if informing else other - 2.0 * target * mean


def best_difficulty(weights: Numbers, chance: Numbers, second: Numbers, target: float, informing: bool) -> float:
    """The difficulty of least badness: the best point, moved by a parabola through it and its neighbours.

    The error has one valley, so coarse points show where it lies. Information has a hill on either side of the
    player's skill, and all points are tried.

    weights: shape (cells,), sum 1. chance: chance_table. second: of the same shape, p^2, or H(p) where informing.
    """
    mean, other, bad = np.zeros(POINTS), np.zeros(POINTS), np.zeros(POINTS)
    step = 1 if informing else COARSE
    expectations(weights, chance, second, 0, POINTS - 1, step, mean, other)
    centre = 0
    for point in range(0, POINTS, step):
        bad[point] = badness(mean[point], other[point], target, informing)
        if bad[point] < bad[centre]:
            centre = point
    first, last = max(centre - step + 1, 0), min(centre + step - 1, POINTS - 1)
    expectations(weights, chance, second, first, last, 1, mean, other)
    best = centre
    for point in range(first, last + 1):
        bad[point] = badness(mean[point], other[point], target, informing)
        if bad[point] < bad[best]:
            best = point
    place = float(best)
    if 0 < best < POINTS - 1:
        bend = bad[best - 1] - 2.0 * bad[best] + bad[best + 1]
        if bend > 0.0:
            place += 0.5 * (bad[best - 1] - bad[best + 1]) / bend
    return math.floor(place / (POINTS - 1) * PLACES + 0.5) / PLACES
