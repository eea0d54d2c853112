"""The sums over all players, chunk by chunk in a fixed order: the same bits for any number of threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.kernel import compiled
from sims.calibration.histories import REASONS, Histories
from sims.calibration.likelihood.grids import fill_density
from sims.calibration.likelihood.player_parts import Attempts, Room
from sims.calibration.likelihood.player_sums import player_sums_of
from sims.calibration.likelihood.predictions import predictions_of
from sims.calibration.likelihood.win_curves import MapCurve, PlainCurve, guessing_rows, logistic_rows, mapped_rows
from sims.calibration.likelihood.win_map import WinMap

Numbers = npt.NDArray[np.float64]

LOGISTIC: Final = PlainCurve(0.0, 0.0)
REACH: Final = 4.2  # of the nodes, in standard deviations
QUIT_NODES: Final = 31
GRIDS: Final = (21, 31, 45, 65, 95, 141, 211)
_STEP_TO_WIDTH: Final = 1.3  # largest step of the nodes in standard deviations of what is known of a player
_CHUNKS: Final = 16  # of players; fixed, so that sums do not depend on threads
_MATRICES: Final = 32_000_000  # numbers in the curvatures of all chunks: with many levels there are fewer chunks
_SHIFT: Final = 1e-3  # of a number whose slope is a difference


class LogLikelihood(NamedTuple):
    """The log-likelihood at a point, with its gradient and its curvature."""

    value: float
    gradient: Numbers
    curvature: Numbers

    def plus(self, other: LogLikelihood) -> LogLikelihood:
        """Both together."""
        return LogLikelihood(self.value + other.value, self.gradient + other.gradient, self.curvature + other.curvature)


class LikelihoodSums:
    """The log-likelihood of players as a function of the point.

    Attributes:
        evaluations: how often it was calculated.
    """

    def __init__(
        self,
        histories: Histories,
        *,
        joint: bool,
        sd: float,
        shapes: tuple[str, ...] = (),
        plain: PlainCurve = LOGISTIC,
        win_map: WinMap | None = None,
        threads: int = 1,
    ) -> None:
        """sd: about the spread of skill; shapes: which of log_guess and log_lapse the point has after log sd.

        plain: the chances of guessing and of a lapse where the point has neither.
        """
        self._joint, self._shapes, self._plain, self._map, self._threads = joint, shapes, plain, win_map, threads
        self.evaluations = 0
        grids = grids_of(np.diff(histories.starts), sd)
        order = np.argsort(grids, kind="stable")  # players of one grid together
        self._histories = h = histories if (grids == grids[0]).all() else _reordered(histories, order)
        self._levels, level = levels_of(h, win_map)
        self._tasks = list(_tasks(h.starts, grids[order], min(_CHUNKS, max(_MATRICES // self._levels**2, 2))))
        self._plays = Attempts(
            h.starts, level, h.won, np.ascontiguousarray(h.features), h.risk, h.quits, np.ascontiguousarray(h.reasons)
        )

    @property
    def exactness(self) -> float:
        """Squared Newton decrement that is as good as none: a hundred-thousandth of a standard error, or a thousandth
        where slopes are differences."""
        return 1e-6 if self._shapes else 1e-10

    @property
    def _at_shape(self) -> int:
        return self._levels + len(self._histories.effects) + 1

    def evaluate(self, point: Numbers) -> LogLikelihood:
        """Log-likelihood, gradient and curvature at a point; those of the shapes are differences."""
        if not self._shapes:
            return self.at(point, self._plain)
        at, count = self._at_shape, len(self._shapes)
        shapes, rest = point[at : at + count], np.delete(point, range(at, at + count))
        keep = np.delete(np.arange(len(point)), range(at, at + count))

        def moved(*moves: tuple[int, float]) -> LogLikelihood:
            numbers = shapes.copy()
            for place, move in moves:
                numbers[place] += move
            chances = dict(zip(self._shapes, np.exp(numbers).tolist(), strict=True))
            return self.at(rest, PlainCurve(chances.get("log_guess", 0.0), chances.get("log_lapse", 0.0)))

        middle = moved()
        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        gradient[keep], curvature[np.ix_(keep, keep)] = middle.gradient, middle.curvature
        for j in range(count):
            up, down = moved((j, _SHIFT)), moved((j, -_SHIFT))
            gradient[at + j] = (up.value - down.value) / (2.0 * _SHIFT)
            curvature[at + j, at + j] = (up.value - 2.0 * middle.value + down.value) / _SHIFT**2
            curvature[at + j, keep] = curvature[keep, at + j] = (up.gradient - down.gradient) / (2.0 * _SHIFT)
        if count == 2:
            corners = [a * b * moved((0, a * _SHIFT), (1, b * _SHIFT)).value for a in (1, -1) for b in (1, -1)]
            curvature[at, at + 1] = curvature[at + 1, at] = math.fsum(corners) / (4.0 * _SHIFT**2)
        return LogLikelihood(middle.value, gradient, curvature)

    def at(self, point: Numbers, plain: PlainCurve) -> LogLikelihood:
        """The same at a point without shapes. plain: chances of guessing and of a lapse, where there is no map."""
        self.evaluations += 1
        rule, curve = _curve_of(self._histories, self._map, plain)
        kernel = compiled(player_sums_of(rule))
        total = LogLikelihood(0.0, np.zeros(len(point)), np.zeros((len(point), len(point))))

        def part(task: tuple[int, int, int]) -> LogLikelihood:
            return self._part(task, kernel, curve, point)

        with ThreadPoolExecutor(self._threads) as pool:
            for found in pool.map(part, self._tasks):
                total = total.plus(found)
        upper = np.triu(total.curvature, 1)
        lower = np.tril(total.curvature) + upper.T
        return total._replace(curvature=lower + np.tril(lower, -1).T)

    def _part(
        self, task: tuple[int, int, int], kernel: Callable[..., float], curve: Any, point: Numbers
    ) -> LogLikelihood:
        first, last, grid = task
        h = self._histories
        levels, effects = self._levels, len(h.effects)
        nodes, density, kind = grid_of(grid, self._map)
        if isinstance(curve, MapCurve):
            curve = curve._replace(kind=kind)
        longest = int(np.diff(h.starts[first : last + 1]).max())
        own = min(longest, levels) + effects + 1
        wide = len(nodes)
        room = Room(
            np.empty((longest, wide)), np.empty((longest, wide)),
            np.empty((longest if self._joint else 1, QUIT_NODES)), np.empty((own, wide)),
            np.empty((len(REASONS) + 1, QUIT_NODES)), np.full(levels, -1), np.empty(longest, np.int64),
            np.empty(own, np.int64), np.empty(wide), np.empty(QUIT_NODES), np.empty(own), np.empty((own, own)),
        )  # fmt: skip
        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        value = kernel(
            first, last, self._plays, curve, point, levels, int(self._joint), nodes, density,
            np.linspace(-REACH, REACH, QUIT_NODES), room, gradient, curvature,
        )  # fmt: skip
        return LogLikelihood(value, gradient, curvature)


def grid_of(grid: int, win_map: WinMap | None) -> tuple[Numbers, Numbers, npt.NDArray[np.int64]]:
    """Nodes, the density on them, and which kind of player each is; the kinds one after the other."""
    line = np.linspace(-REACH, REACH, grid)
    density = np.empty(grid)
    fill_density(line, density)
    shares = np.ones(1) if win_map is None else win_map.shares
    kinds = np.repeat(np.arange(len(shares)), grid)
    return np.tile(line, len(shares)), np.concatenate([share * density for share in shares]), kinds


def levels_of(histories: Histories, win_map: WinMap | None) -> tuple[int, npt.NDArray[np.int64]]:
    """How many difficulties are fitted, and which is that of each attempt: one where a game's rules know them."""
    if win_map is None:
        return len(histories.levels), histories.level
    return 1, np.zeros(histories.rows, np.int64)


def _curve_of(histories: Histories, win_map: WinMap | None, plain: PlainCurve) -> tuple[Callable[..., float], Any]:
    """The rule of a win curve, and what it is drawn from."""
    if win_map is None:
        return (guessing_rows if plain != LOGISTIC else logistic_rows), plain
    assert histories.dial is not None  # a file for a game tells settings
    place, share = win_map.between(histories.dial)
    nothing = np.empty(0, np.int64)
    return mapped_rows, MapCurve(place, share, nothing, win_map.splines, win_map.lowest, win_map.step)


def grids_of(sizes: npt.NDArray[np.int64], sd: float) -> npt.NDArray[np.int64]:
    """How many nodes each player needs: what is known of a player with many attempts is narrow."""
    width = 1.0 / np.sqrt(1.0 + sd * sd * sizes / 4.0)
    wanted = 2.0 * REACH / (_STEP_TO_WIDTH * width) + 1.0
    places = np.searchsorted(GRIDS, wanted)
    grids: npt.NDArray[np.int64] = np.array(GRIDS)[np.minimum(places, len(GRIDS) - 1)]
    return grids


def predict_wins(
    histories: Histories, point: Numbers, plain: PlainCurve, win_map: WinMap | None, *, threads: int = 1
) -> Numbers:
    """The chance of winning each attempt, shape (rows,), from what the same player did before it.

    point: without shapes.
    """
    out = np.empty(histories.rows)
    levels, level = levels_of(histories, win_map)
    sd = math.exp(point[levels + len(histories.effects)])
    rule, curve = _curve_of(histories, win_map, plain)
    nodes, density, kind = grid_of(int(grids_of(np.diff(histories.starts), sd).max()), win_map)
    if isinstance(curve, MapCurve):
        curve = curve._replace(kind=kind)
    kernel = compiled(predictions_of(rule))
    edges = np.linspace(0, histories.players, _CHUNKS + 1).astype(int).tolist()
    features = np.ascontiguousarray(histories.features)

    def part(ends: tuple[int, int]) -> None:
        kernel(
            *ends, histories.starts, level, histories.won, features, curve, point, levels, nodes, density,
            out,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, pairwise(edges)))
    return out


def _tasks(starts: npt.NDArray[np.int64], grids: npt.NDArray[np.int64], chunks: int) -> Iterator[tuple[int, int, int]]:
    """Chunks of whole players of one grid, in a fixed order: (first, last, nodes)."""
    players = len(starts) - 1
    work = np.cumsum(np.diff(starts) * grids)
    edges = {0, players, *(int(np.searchsorted(work, work[-1] * k / chunks)) for k in range(1, chunks))}
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
        dial=None if histories.dial is None else histories.dial[rows],
    )  # fmt: skip
