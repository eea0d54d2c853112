"""The fit: Newton steps on the joint likelihood with weak priors, and the covariance of its estimates.

Level difficulties have a normal prior around a smooth curve over the levels, whose spread is that of the levels
themselves (empirical Bayes). The curve has no prior: players of a campaign learn while levels get harder, and a prior
that held the levels together would take the learning away. The other priors are so wide that they matter only where
the file says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.kernel import compiled
from sims.calibration.histories import FATIGUE, LEARNING, REASONS, Histories
from sims.calibration.likelihood import add_players, predict_players

Numbers = npt.NDArray[np.float64]

REACH: Final = 4.2  # of the nodes, in standard deviations
_QUIT_NODES: Final = 31
_GRIDS: Final = (21, 31, 45, 65, 95, 141, 211)
_STEP_TO_WIDTH: Final = 1.3  # largest step of the nodes in standard deviations of what is known of a player
_CHUNKS: Final = 16  # of players; fixed, so that sums do not depend on threads
_MOST_STEPS: Final = 60
_MOST_ROUNDS: Final = 5  # of fitting and of looking at the spread of the levels again
_DONE: Final = 1e-10  # Newton decrement, squared: a hundred-thousandth of a standard error
_LEVEL_SD: Final = 1.5  # of the first round, and with few levels of all
_FEW_LEVELS: Final = 8
_CURVE: Final = 3  # numbers of the curve
_WIDE: Final = 3.0  # sd of the prior of effects and reasons
_WIDEST: Final = 20.0  # and of what has a place but no size
_LOG_SD: Final = (math.log(0.9), 1.5)  # prior of log sd: mean and sd
_RHO: Final = (0.0, 1.0)  # prior of atanh rho
_LEAST_LEVEL_SD: Final = 0.05


@dataclass(frozen=True)
class Fit:
    """Estimates in the order of the point: levels, effects, log sd, and with quits reasons, log quit_sd, atanh rho."""

    levels: int
    effects: tuple[str, ...]
    joint: bool
    point: Numbers
    covariance: Numbers
    value: float  # log-likelihood, without the priors
    free: npt.NDArray[np.bool_]  # whether an estimate was free to move
    level_mean: float
    level_sd: float
    evaluations: int
    held: Mapping[str, float]  # effects that are held at 0, since below it they are none: upper end of the interval

    @property
    def difficulty(self) -> Numbers:
        return self.point[: self.levels]

    @property
    def skill_sd(self) -> float:
        return math.exp(self.point[self.levels + len(self.effects)])

    def wins_only(self) -> Fit:
        """The numbers of wins, to begin another fit of wins from."""
        size = self.levels + len(self.effects) + 1
        return replace(
            self, joint=False, point=self.point[:size], covariance=self.covariance[:size, :size], free=self.free[:size]
        )

    def effect(self, name: str) -> float:
        """The estimate of an effect; 0 where the file cannot tell."""
        return float(self.point[self.levels + self.effects.index(name)]) if name in self.effects else 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers after the difficulties are."""
        return number_names(self.effects, self.joint)

    def interval(self, place: int, width: float = 1.959964) -> tuple[float, float]:
        """The 95 % interval of one number of the point; from 0 where it is held there."""
        name = self.names[place - self.levels] if place >= self.levels else ""
        if name in self.held:
            return 0.0, self.held[name]
        error = math.sqrt(max(float(self.covariance[place, place]), 0.0))
        return float(self.point[place]) - width * error, float(self.point[place]) + width * error


def number_names(effects: tuple[str, ...], joint: bool) -> tuple[str, ...]:
    """What the numbers of a point after the difficulties are."""
    return (*effects, "log_skill_sd", *((*REASONS, "log_quit_sd", "atanh_rho") if joint else ()))


@dataclass(frozen=True)
class _Prior:
    """A normal prior of the point."""

    mean: Numbers
    precision: Numbers  # shape (numbers, numbers)


def fit(
    histories: Histories,
    *,
    threads: int = 1,
    start: Fit | None = None,
    quits: bool | None = None,
    held: Collection[str] = (),
) -> Fit:
    """Fit how players win and quit.

    Args:
        histories: the players.
        threads: of the sums; they change no number.
        start: a fit of nearly the same players, to begin from and to take the priors of; None for none.
        quits: whether to fit quitting; None where the file tells.
        held: numbers that stay 0, such as "atanh_rho" for traits that are not correlated.

    Returns:
        The estimates. Learning and fatigue below 0 are held at 0, as the synthetic players have them.
    """
    joint = histories.tells_quits if quits is None else quits
    found = _fitted(histories, joint, threads, start, frozenset(held))
    below = [name for name in (LEARNING, FATIGUE) if found.effect(name) < 0.0]
    if not below:
        return found
    ends: dict[str, float] = {}
    for name in below:
        ends[name] = max(found.interval(found.levels + found.effects.index(name))[1], 0.0)
    return replace(_fitted(histories, joint, threads, found, frozenset((*held, *below))), held=ends)


def _fitted(histories: Histories, joint: bool, threads: int, start: Fit | None, held: frozenset[str]) -> Fit:
    levels, effects = len(histories.levels), len(histories.effects)
    size = levels + effects + 1 + (len(REASONS) + 2 if joint else 0)
    free = np.ones(size, bool)
    names = number_names(histories.effects, joint)
    for name in held:
        free[levels + names.index(name)] = False
    if start is None:
        point = _first_point(histories, joint, size)
        mean, spread, rounds = float(point[:levels].mean()), _LEVEL_SD, _MOST_ROUNDS
    else:
        point = start.point.copy()
        mean, spread, rounds = start.level_mean, start.level_sd, 1
    point[~free] = 0.0
    evaluations = 0
    for _ in range(rounds):
        work = _Work(histories, joint, math.exp(point[levels + effects]), threads)
        off_curve = _off_curve(levels)
        prior = _prior(size, effects, joint, mean, off_curve / spread**2)
        point, value, bend = _climb(work, prior, point, free)
        evaluations += work.evaluations
        covariance = np.zeros((size, size))
        covariance[np.ix_(free, free)] = np.linalg.inv(-bend[np.ix_(free, free)])
        own = point[:levels]
        if levels < _FEW_LEVELS:
            mean = float(own.mean())
            break
        away = float(own @ off_curve @ own) + float(np.sum(off_curve * covariance[:levels, :levels]))
        wanted = max(math.sqrt(away / (levels - _CURVE)), _LEAST_LEVEL_SD)
        settled = abs(math.log(wanted / spread)) < 0.02
        if rounds == 1 or settled:
            break
        mean, spread = float(own.mean()), wanted
    return Fit(levels, histories.effects, joint, point, covariance, value, free, mean, spread, evaluations, {})


def _first_point(histories: Histories, joint: bool, size: int) -> Numbers:
    levels = len(histories.levels)
    won = np.bincount(histories.level, histories.won, levels)
    tried = np.bincount(histories.level, minlength=levels)
    rate = (won + 2.0 * (won.sum() + 1.0) / (tried.sum() + 2.0)) / (tried + 2.0)
    point = np.zeros(size)
    point[:levels] = -np.log(rate / (1.0 - rate))
    if joint:
        share = (histories.quits.sum() + 0.5) / (histories.risk.sum() + 1.0)
        point[-len(REASONS) - 2] = math.log(share / (1.0 - share))
    return point


def _off_curve(levels: int) -> Numbers:
    """What is left of difficulties beside their curve, as a projection, shape (levels, levels)."""
    if levels < _FEW_LEVELS:
        return np.eye(levels)
    place = np.arange(levels) / levels
    curve, _ = np.linalg.qr(np.column_stack((np.ones(levels), place, np.log1p(np.arange(levels)))))
    left: Numbers = np.eye(levels) - curve @ curve.T
    return left


def _prior(size: int, effects: int, joint: bool, mean: float, of_levels: Numbers) -> _Prior:
    levels = len(of_levels)
    means, sds = np.zeros(size), np.full(size, _WIDE)
    means[:levels], sds[:levels] = mean, _WIDEST
    means[levels + effects], sds[levels + effects] = _LOG_SD
    if joint:
        sds[-len(REASONS) - 2] = _WIDEST
        means[-2], sds[-2] = _LOG_SD
        means[-1], sds[-1] = _RHO
    precision = np.diag(1.0 / sds**2)
    precision[:levels, :levels] += of_levels
    return _Prior(means, precision)


class _Work:
    """The sums over all players, chunk by chunk."""

    def __init__(self, histories: Histories, joint: bool, sd: float, threads: int) -> None:
        self.histories, self.joint, self.threads = histories, joint, threads
        self.evaluations = 0
        grids = grids_of(np.diff(histories.starts), sd)
        self._kernel = compiled(add_players)
        order = np.argsort(grids, kind="stable")  # players of one grid together
        if not (grids == grids[0]).all():
            self.histories = _reordered(histories, order)
        self._tasks = list(_tasks(self.histories.starts, grids[order]))
        h = self.histories
        sizes = np.diff(h.starts)
        self._arrays = (
            h.starts, h.level, h.won, np.ascontiguousarray(h.features), h.risk, h.quits, np.ascontiguousarray(h.reasons)
        )  # fmt: skip
        self._longest = int(sizes.max())

    def evaluate(self, point: Numbers) -> tuple[float, Numbers, Numbers]:
        """Log-likelihood, gradient and curvature at a point."""
        self.evaluations += 1
        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        total = 0.0
        with ThreadPoolExecutor(self.threads) as pool:
            for value, slope, bend in pool.map(lambda task: self._part(task, point), self._tasks):
                total += value
                gradient += slope
                curvature += bend
        upper = np.triu(curvature, 1)
        curvature = np.tril(curvature) + upper.T
        return total, gradient, curvature + np.tril(curvature, -1).T

    def _part(self, task: tuple[int, int, int], point: Numbers) -> tuple[float, Numbers, Numbers]:
        first, last, grid = task
        h = self.histories
        levels, effects = len(h.levels), len(h.effects)
        nodes, quit_nodes = np.linspace(-REACH, REACH, grid), np.linspace(-REACH, REACH, _QUIT_NODES)
        longest = int(np.diff(h.starts[first : last + 1]).max())
        own = min(longest, levels) + effects + 1
        room = (
            np.empty((longest, grid)), np.empty((longest if self.joint else 1, _QUIT_NODES)), np.empty((own, grid)),
            np.empty((len(REASONS) + 1, _QUIT_NODES)), np.full(levels, -1), np.empty(longest, np.int64),
            np.empty(own, np.int64), np.empty(grid), np.empty(_QUIT_NODES), np.empty(own), np.empty((own, own)),
        )  # fmt: skip
        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        value = self._kernel(
            first, last, *self._arrays, point, levels, int(self.joint), nodes, quit_nodes, room, gradient, curvature
        )
        return value, gradient, curvature


def grids_of(sizes: npt.NDArray[np.int64], sd: float) -> npt.NDArray[np.int64]:
    """How many nodes each player needs: what is known of a player with many attempts is narrow."""
    width = 1.0 / np.sqrt(1.0 + sd * sd * sizes / 4.0)
    wanted = 2.0 * REACH / (_STEP_TO_WIDTH * width) + 1.0
    places = np.searchsorted(_GRIDS, wanted)
    grids: npt.NDArray[np.int64] = np.array(_GRIDS)[np.minimum(places, len(_GRIDS) - 1)]
    return grids


def _tasks(starts: npt.NDArray[np.int64], grids: npt.NDArray[np.int64]) -> Any:
    """Chunks of whole players of one grid, in a fixed order: (first, last, nodes)."""
    players = len(starts) - 1
    work = np.cumsum(np.diff(starts) * grids)
    edges = {0, players, *(int(np.searchsorted(work, work[-1] * k / _CHUNKS)) for k in range(1, _CHUNKS))}
    edges |= set((np.flatnonzero(np.diff(grids)) + 1).tolist())
    ends = sorted(edges)
    for first, last in pairwise(ends):
        yield first, last, int(grids[first])


def _reordered(histories: Histories, order: npt.NDArray[np.int64]) -> Histories:
    sizes = np.diff(histories.starts)[order]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    rows = np.repeat(histories.starts[:-1][order] - starts[:-1], sizes) + np.arange(histories.rows)
    return replace(
        histories, starts=starts, level=histories.level[rows], won=histories.won[rows],
        features=histories.features[rows], risk=histories.risk[rows], quits=histories.quits[rows],
        reasons=histories.reasons[rows], fold=histories.fold[order],
    )  # fmt: skip


def _climb(work: _Work, prior: _Prior, point: Numbers, free: npt.NDArray[np.bool_]) -> tuple[Numbers, float, Numbers]:
    """Newton with a ridge where the curvature is not that of a maximum, and shorter steps where one is too long."""

    def at(place: Numbers) -> tuple[float, float, Numbers, Numbers]:
        value, gradient, bend = work.evaluate(place)
        away = place - prior.mean
        pull = prior.precision @ away
        height = value - 0.5 * float(away @ pull)
        return height, value, gradient - pull, bend - prior.precision

    height, value, gradient, bend = at(point)
    inside = np.ix_(free, free)
    ridge = 0.0
    for _ in range(_MOST_STEPS):
        step = np.zeros(len(point))
        step[free], ridge = _newton_step(-bend[inside], gradient[free], ridge)
        if float(step @ gradient) < _DONE:
            break
        share = 1.0
        while True:
            tried = at(point + share * step)
            if tried[0] > height or share < 1e-6:
                break
            share *= 0.4
        if tried[0] <= height:
            break
        gained = tried[0] - height
        point = point + share * step
        height, value, gradient, bend = tried
        ridge = 0.0 if share == 1.0 else ridge
        if gained < _DONE:
            break
    else:
        raise ScenarioError(
            f"the fit did not settle in {_MOST_STEPS} steps; leave out columns or levels that say little, and report "
            "it as a fault of Flowdial."
        )
    return point, value, bend


def _newton_step(information: Numbers, gradient: Numbers, ridge: float) -> tuple[Numbers, float]:
    """The step, held to 2 in its longest part, and the ridge that made the information positive."""
    scale = np.diag(np.abs(np.diag(information)) + 1e-8)
    while True:
        try:
            root = np.linalg.cholesky(information + ridge * scale)
        except np.linalg.LinAlgError:
            ridge = max(2.0 * ridge, 0.05)
            continue
        step = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
        longest = float(np.abs(step).max())
        return step * min(1.0, 2.0 / max(longest, 1e-300)), ridge


def predict(fitted: Fit, histories: Histories, *, threads: int = 1) -> Numbers:
    """The chance of winning each attempt, shape (rows,), from what the same player did before it."""
    out = np.empty(histories.rows)
    grids = grids_of(np.diff(histories.starts), fitted.skill_sd)
    nodes = np.linspace(-REACH, REACH, int(grids.max()))
    kernel = compiled(predict_players)
    edges = np.linspace(0, histories.players, _CHUNKS + 1).astype(int).tolist()

    def part(ends: tuple[int, int]) -> None:
        kernel(
            *ends, histories.starts, histories.level, histories.won, np.ascontiguousarray(histories.features),
            fitted.point, fitted.levels, nodes, out,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, pairwise(edges)))
    return out
