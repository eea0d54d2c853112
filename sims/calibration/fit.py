"""The fit: Newton steps on the joint likelihood with weak priors, and the covariance of its estimates.

Level difficulties have a normal prior around a smooth curve over the levels, whose spread is that of the levels
themselves (empirical Bayes). The curve has no prior: players of a campaign learn while levels get harder, and a prior
that held the levels together would take the learning away. The other priors are so wide that they matter only where
the file says nothing.

Guessing and lapses are fitted where a score test says that the file can tell of them; else they stay 0.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.calibration.histories import FATIGUE, LEARNING, REASONS, Histories
from sims.calibration.likelihood.likelihood_sums import LOGISTIC, LikelihoodSums, levels_of, predict_wins
from sims.calibration.likelihood.newton import Prior, find_top
from sims.calibration.likelihood.win_curves import PlainCurve
from sims.calibration.likelihood.win_map import WinMap

Numbers = npt.NDArray[np.float64]

SHAPES: Final = ("log_guess", "log_lapse")
_MOST_ROUNDS: Final = 5  # of fitting and of looking at the spread of the levels again
_LEVEL_SD: Final = 1.5  # of the first round, and with few levels of all
_FEW_LEVELS: Final = 8
_CURVE: Final = 3  # numbers of the curve
_WIDE: Final = 3.0  # sd of the prior of effects and reasons
_WIDEST: Final = 20.0  # and of what has a place but no size
_LOG_SD: Final = (math.log(0.9), 1.5)  # prior of log sd: mean and sd
_LOG_SHAPE: Final = (math.log(0.05), 1.5)  # prior of the logarithm of a chance of guessing or of a lapse
_RHO: Final = (0.0, 1.0)  # prior of atanh rho
_LEAST_LEVEL_SD: Final = 0.05
_SURE: Final = 6.0  # gain of log-likelihood: one file in two thousand without guessing seems to have it
_SAMPLE: Final = 20_000  # rows that are looked at for that
_FEW_STEPS: Final = 6  # of Newton
_TRIED: Final = tuple(PlainCurve(guess, lapse) for guess in (0.0, 0.03, 0.15) for lapse in (0.0, 0.03, 0.12))


@dataclass(frozen=True)
class Fit:
    """Estimates in the order of the point: levels, effects, log sd, shapes, and with quits reasons, log quit_sd, rho.

    The last is atanh rho. Of a game there is one level, whose difficulty is the negative of the mean skill.
    """

    levels: int
    effects: tuple[str, ...]
    shapes: tuple[str, ...]  # which of SHAPES the file tells of
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

    @property
    def mean_skill(self) -> float:
        """Mean skill of the players of a game, in units of its own players."""
        return -float(self.point[0])

    def wins_only(self) -> Fit:
        """The numbers of wins, to begin another fit of wins from."""
        size = self.levels + len(self.effects) + 1 + len(self.shapes)
        return replace(
            self, joint=False, point=self.point[:size], covariance=self.covariance[:size, :size], free=self.free[:size]
        )

    def effect(self, name: str) -> float:
        """The estimate of an effect; 0 where the file cannot tell."""
        return float(self.point[self.levels + self.effects.index(name)]) if name in self.effects else 0.0

    @property
    def plain_curve(self) -> PlainCurve:
        """Chances of guessing and of a lapse; 0 where the file cannot tell."""
        first = self.levels + len(self.effects) + 1
        found = {name: math.exp(self.point[first + j]) for j, name in enumerate(self.shapes)}
        return PlainCurve(found.get("log_guess", 0.0), found.get("log_lapse", 0.0))

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers after the difficulties are."""
        return number_names(self.effects, self.shapes, self.joint)

    def interval(self, place: int, width: float = 1.959964) -> tuple[float, float]:
        """The 95 % interval of one number of the point; from 0 where it is held there."""
        name = self.names[place - self.levels] if place >= self.levels else ""
        if name in self.held:
            return 0.0, self.held[name]
        error = math.sqrt(max(float(self.covariance[place, place]), 0.0))
        return float(self.point[place]) - width * error, float(self.point[place]) + width * error


def number_names(effects: tuple[str, ...], shapes: tuple[str, ...], joint: bool) -> tuple[str, ...]:
    """What the numbers of a point after the difficulties are."""
    return (*effects, "log_skill_sd", *shapes, *((*REASONS, "log_quit_sd", "atanh_rho") if joint else ()))


@dataclass(frozen=True)
class _Job:
    """What is fitted."""

    histories: Histories
    joint: bool
    win_map: WinMap | None
    threads: int


def fit(
    histories: Histories,
    *,
    threads: int = 1,
    start: Fit | None = None,
    quits: bool | None = None,
    held: Collection[str] = (),
    win_map: WinMap | None = None,
    shapes: bool = True,
) -> Fit:
    """Fit how players win and quit.

    Args:
        histories: the players.
        threads: of the sums; they change no number.
        start: a fit of nearly the same players, to begin from and to take the priors of; None for none.
        quits: whether to fit quitting; None where the file tells.
        held: numbers that stay 0, such as "atanh_rho" for traits that are not correlated.
        win_map: of the game that was played; None for the logistic curve.
        shapes: whether to look for guessing and lapses; never with a start or a map.

    Returns:
        The estimates. Learning and fatigue below 0 are held at 0, as the synthetic players have them.
    """
    joint = histories.tells_quits if quits is None else quits
    job = _Job(histories, joint, win_map, threads)
    found = _not_below(job, _fitted(job, start, frozenset(held), start.shapes if start else ()), frozenset(held))
    if not shapes or start is not None or win_map is not None:
        return found
    names, plain = _shapes_told(job, found)
    if not names:
        return found
    begin = _with_shapes(found, names, plain)
    told = _not_below(job, _fitted(job, begin, frozenset(held), names), frozenset(held))
    return replace(told, evaluations=told.evaluations + found.evaluations)


def _not_below(job: _Job, found: Fit, held: frozenset[str]) -> Fit:
    """The fit again with learning and fatigue at 0 where they were below."""
    below = [name for name in (LEARNING, FATIGUE) if found.effect(name) < 0.0]
    if not below:
        return found
    ends: dict[str, float] = {}
    for name in below:
        ends[name] = max(found.interval(found.levels + found.effects.index(name))[1], 0.0)
    return replace(_fitted(job, found, held | set(below), found.shapes), held=ends)


def _fitted(
    job: _Job, start: Fit | None, held: frozenset[str], shapes: tuple[str, ...], plain: PlainCurve | None = None
) -> Fit:
    """plain: chances that are tried, in a few steps; None to fit."""
    histories, joint = job.histories, job.joint
    levels, effects = levels_of(histories, job.win_map)[0], len(histories.effects)
    names = number_names(histories.effects, shapes, joint)
    size = levels + len(names)
    free = np.ones(size, bool)
    for name in held:
        free[levels + names.index(name)] = False
    if start is None:
        point = _first_point(histories, joint, levels, size)
        mean, spread, rounds = float(point[:levels].mean()), _LEVEL_SD, _MOST_ROUNDS
    else:
        point = start.point.copy()
        mean, spread, rounds = start.level_mean, start.level_sd, 1
    point[~free] = 0.0
    evaluations = 0
    for _ in range(rounds):
        sums = LikelihoodSums(
            histories, joint=joint, sd=math.exp(point[levels + effects]), shapes=shapes, plain=plain or LOGISTIC,
            win_map=job.win_map, threads=job.threads,
        )  # fmt: skip
        off_curve = _off_curve(levels)
        prior = _prior(levels, names, mean, off_curve / spread**2)
        point, top = find_top(sums, prior, point, free, None if plain is None else _FEW_STEPS)
        evaluations += sums.evaluations
        covariance = np.zeros((size, size))
        covariance[np.ix_(free, free)] = np.linalg.inv(-top.curvature[np.ix_(free, free)])
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
    return Fit(
        levels, histories.effects, shapes, joint, point, covariance, top.value, free, mean, spread, evaluations, {}
    )


def _shapes_told(job: _Job, found: Fit) -> tuple[tuple[str, ...], PlainCurve]:
    """Which of guessing and lapses the file tells of, and a chance of each to begin from.

    The likelihood may have one top without them and another far from it, so no slope at 0 can tell. Some of the players
    are fitted with small chances of each instead, by their wins alone; a chance must make them likelier by _SURE.
    """
    histories = job.histories
    some = np.arange(histories.players) < int(np.searchsorted(histories.starts, _SAMPLE))
    sample = replace(job, histories=histories.part(some), joint=False)
    value = {plain: _fitted(sample, found.wins_only(), frozenset(found.held), (), plain).value for plain in _TRIED}
    best: tuple[tuple[str, ...], PlainCurve] = ((), LOGISTIC)
    for count in (1, 2):
        tried = [plain for plain in _TRIED if (plain.guess > 0.0) + (plain.lapse > 0.0) == count]
        top = max(tried, key=lambda plain: value[plain])
        if value[top] > value[best[1]] + _SURE:
            names = tuple(name for name, chance in zip(SHAPES, top, strict=True) if chance > 0.0)
            best = (names, top)
    return best


def _with_shapes(found: Fit, shapes: tuple[str, ...], plain: PlainCurve) -> Fit:
    """A place to begin from: the fit, and these chances."""
    at = found.levels + len(found.effects) + 1
    chances = [math.log(chance) for chance in plain if chance > 0.0]
    return replace(found, shapes=shapes, point=np.insert(found.point, at, chances))


def _first_point(histories: Histories, joint: bool, levels: int, size: int) -> Numbers:
    point = np.zeros(size)
    if histories.dial is None:
        won = np.bincount(histories.level, histories.won, levels)
        tried = np.bincount(histories.level, minlength=levels)
        rate = (won + 2.0 * (won.sum() + 1.0) / (tried.sum() + 2.0)) / (tried + 2.0)
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


def _prior(levels: int, names: tuple[str, ...], mean: float, of_levels: Numbers) -> Prior:
    means, sds = np.zeros(levels + len(names)), np.full(levels + len(names), _WIDE)
    means[:levels], sds[:levels] = mean, _WIDEST
    known = {
        "log_skill_sd": _LOG_SD, "log_quit_sd": _LOG_SD, "atanh_rho": _RHO, "quit_frailty": (0.0, _WIDEST),
        **dict.fromkeys(SHAPES, _LOG_SHAPE),
    }  # fmt: skip
    for place, name in enumerate(names, levels):
        if name in known:
            means[place], sds[place] = known[name]
    precision = np.diag(1.0 / sds**2)
    precision[:levels, :levels] += of_levels
    return Prior(means, precision)


def predict(fitted: Fit, histories: Histories, *, threads: int = 1, win_map: WinMap | None = None) -> Numbers:
    """The chance of winning each attempt, shape (rows,), from what the same player did before it."""
    first = fitted.levels + len(fitted.effects) + 1
    point = np.delete(fitted.point, range(first, first + len(fitted.shapes)))
    return predict_wins(histories, point, fitted.plain_curve, win_map, threads=threads)
