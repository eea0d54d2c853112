"""Whether targets that were missed can be met at all, by the model of all counts.

For one target alone, the model finds the win rate nearest to it that the free knobs allow. That is an extreme, and
extremes of an uncertain model are too optimistic. So its near end comes from draws of the posterior, each with an
extreme of its own, and its far end from one setting that is known to reach it. A claim needs both ends to agree and no
count against it. The nearest rate is reported as a number only where the two ends are close.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, wilson
from sims.tuning.final_race import Rate
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Counts, Segment, Tell
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.nearest_points import PointFinder
from sims.tuning.search.pooled_model import chance
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

ReachVerdict = Literal["out of reach", "within reach", "cannot tell"]

_MOST: Final = 6  # segments that are examined: those furthest from their targets
_NEAR: Final = 0.5  # width of the weights, as a share of each knob's range: wider than around a reported setting
_DRAWS: Final = 200
_POOL: Final = 3000  # random points
_SWEEPS: Final = 3  # over all knobs
_PLACES: Final = 11  # values of a continuous knob in a sweep
_WIDEST: Final = 0.1  # widest interval with which the nearest rate is reported as a number
_JOINT_DRAWS: Final = 60
_STARTS: Final = 10


class ReachableRate(NamedTuple):
    """The win rate nearest to its target that a segment could reach, if no other segment mattered."""

    segment: Segment
    above: bool  # whether the segment wins too often, so that this is its least rate
    rate: float  # NaN where nothing is known
    low: float
    high: float

    @property
    def verdict(self) -> ReachVerdict:
        """Whether the segment's own target can be met."""
        if self.high <= self.segment.high if self.above else self.low >= self.segment.low:
            return "within reach"
        beyond = self.low > self.segment.high if self.above else self.high < self.segment.low
        return "out of reach" if beyond else "cannot tell"

    @property
    def known(self) -> bool:
        """Whether the nearest rate is exact enough to be reported as a number."""
        return self.high - self.low <= _WIDEST


class Feasibility(NamedTuple):
    """Which targets the free knobs can meet."""

    alone: tuple[ReachableRate, ...]  # of the missed segments, the furthest off first
    conflict: bool  # whether each can be met alone, but not all targets at once


def feasibility_of(problem: Problem, tells: Sequence[Tell], point: Point, rates: Sequence[Rate]) -> Feasibility:
    """Whether the targets that a point missed can be met.

    tells: all counts of the study; rates: the measured win rates of the point.
    """
    dice = np.random.Generator(np.random.Philox(key=[problem.scenario.seed, 0x72656163]))
    missed = [k for k, segment in enumerate(problem.segments) if rates[k].missed(segment)]
    missed = sorted(missed, key=lambda k: -abs(rates[k].rate - problem.segments[k].target))[:_MOST]
    alone = tuple(_alone(problem, tells, point, k, rates[k].low > problem.segments[k].high, dice) for k in missed)
    within = bool(alone) and all(reach.verdict == "within reach" for reach in alone)
    return Feasibility(alone, within and len(problem.segments) > 1 and _conflict(problem, tells, point, dice))


def _alone(
    problem: Problem, tells: Sequence[Tell], point: Point, k: int, above: bool, dice: np.random.Generator
) -> ReachableRate:
    segment, space = problem.segments[k], problem.search_space
    if not tells:
        return ReachableRate(segment, above, *(math.nan,) * 3)
    sign = 1.0 if above else -1.0
    pool = _pool(space, tells, point, dice)
    best = np.array(point)
    for _ in range(2):  # the model is best where it looks from
        model = LocalModel(space, tells, best, _NEAR)
        best = _extremes(space, model, sign * model.beta[k][None], pool)[0]
    betas = model.draw(_DRAWS, dice)
    places = _extremes(space, model, sign * betas[:, k], pool)
    reached = chance((model.terms.of(places) * betas[:, k]).sum(axis=1))
    kept = model.chances_by(betas, best[None])[:, 0, k]
    tail = (1.0 - CONFIDENCE) / 2.0
    if above:
        low, high = float(np.quantile(reached, tail)), float(np.quantile(kept, 1.0 - tail))
    else:
        low, high = float(np.quantile(kept, tail)), float(np.quantile(reached, 1.0 - tail))
    if _contradicted(tells, k, low if above else high, above=above):
        low, high = 0.0, 1.0
    return ReachableRate(segment, above, min(max(float(model.chances(best[None])[0, k]), low), high), low, high)


def _pool(space: SearchSpace, tells: Sequence[Tell], point: Point, dice: np.random.Generator) -> Numbers:
    """Points all over the search space, all points that were played, and the point itself, shape (n, d)."""
    return np.vstack([space.snap(dice.random((_POOL, space.size))), Counts(tells).points, point])


def _extremes(space: SearchSpace, model: LocalModel, betas: Numbers, pool: Numbers) -> Numbers:
    """For each row of coefficients the point of the least log-odds, shape (draws, d).

    From the best point of the pool, one knob after the other goes to its best place.
    """
    points: Numbers = pool[np.argmin(model.terms.of(pool) @ betas.T, axis=0)]
    for _ in range(_SWEEPS):
        for j, levels in enumerate(space.levels):
            grid = (np.arange(levels) + 0.5) / levels if levels else np.linspace(0.0, 1.0, _PLACES)
            tried = np.repeat(points[:, None], len(grid) + 1, axis=1)
            tried[:, 1:, j] = grid
            phi = model.terms.of(tried.reshape(-1, space.size)).reshape(len(points), len(grid) + 1, -1)
            best = np.argmin(np.einsum("ngt,nt->ng", phi, betas), axis=1)
            points = tried[np.arange(len(points)), best]
    return points


def _contradicted(tells: Sequence[Tell], k: int, bound: float, *, above: bool) -> bool:
    """Whether the counts of some point lie beyond the bound of the model."""
    counts = Counts(tells)
    confidence = 1.0 - (1.0 - CONFIDENCE) / len(counts)
    for attempts, wins in zip(counts.attempts[:, k].tolist(), counts.wins[:, k].tolist(), strict=True):
        if attempts:
            low, high = wilson(wins, attempts, confidence)
            if high < bound if above else low > bound:
                return True
    return False


def _conflict(problem: Problem, tells: Sequence[Tell], point: Point, dice: np.random.Generator) -> bool:
    """Whether no setting meets all targets by any draw from the model's posterior.

    A setting that met them would have a loss of at most the sum of the squared tolerances.
    """
    targets = np.array([segment.target for segment in problem.segments])
    most = sum(segment.tolerance**2 for segment in problem.segments)
    model = LocalModel(problem.search_space, tells, np.array(point), _NEAR)
    finder = PointFinder(problem.search_space, targets, dice)
    pool = _pool(problem.search_space, tells, point, dice)
    betas = model.draw(_JOINT_DRAWS, dice)
    solutions = zip(betas, finder.solve(model.terms, betas, pool, _STARTS), strict=True)
    return all(finder.loss(model.chances_by(beta[None], points)[0]).min() > most for beta, points in solutions)
