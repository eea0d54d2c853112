"""Optuna's samplers: a tree-structured Parzen estimator and a Gaussian process. They see one loss for each point.

This is the only file that imports Optuna, which comes with the extra `search`. Neither sampler knows how noisy a loss
is, nor that it is a sum over segments. So they need more attempts than a model of the counts.

Bergstra et al., Algorithms for hyper-parameter optimization, NeurIPS 2011; Akiba et al., Optuna, KDD 2019.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.errors import EnvironmentFault
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.scoreboard import Scoreboard, losses_of
from sims.tuning.search.search_space import Point, SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study

_ATTEMPTS: Final = 100  # in each segment of a point, at most
_BATCH: Final = 8  # points
_SEEDS: Final = 2**32  # of a sampler's seed


class OptunaSearch:
    """An Optuna study in memory, asked for batches. Points still in play count as bad ones (constant liar)."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], sampler: BaseSampler, budget: int, start: Point | None
    ) -> None:
        """budget: attempts of the whole search; start: the first point to play."""
        import optuna

        self._space = space
        self._attempts = (max(min(_ATTEMPTS, budget // len(segments)), 1),) * len(segments)
        self._board = Scoreboard(space, segments, start)
        self._study = study_in_memory(sampler)
        self._knobs: dict[str, BaseDistribution] = {
            name: optuna.distributions.FloatDistribution(0.0, 1.0)
            if levels == 0
            else optuna.distributions.CategoricalDistribution(tuple(range(levels)))
            if named
            else optuna.distributions.IntDistribution(0, levels - 1)
            for name, levels, named in zip(space.names, space.levels, space.named, strict=True)
        }
        if start:
            self._study.enqueue_trial(self._values(start))
        self._trials: list[Any] = []  # of the last ask
        self._asked = 0

    def ask(self, left: int) -> list[Ask]:
        """A batch of points, or as many as the attempts allow."""
        count = min(left // sum(self._attempts), _BATCH)
        self._trials = [self._study.ask(self._knobs) for _ in range(count)]
        self._asked += count
        return [
            Ask(self._point(trial.params), self._attempts, self._asked - count + i)
            for i, trial in enumerate(self._trials)
        ]

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask."""
        self._board.add(tells)
        attempts, wins = (np.array(counts) for counts in zip(*((t.attempts, t.wins) for t in tells), strict=True))
        losses = losses_of(attempts, wins, self._board.targets, self._board.scales)
        for trial, loss in zip(self._trials, losses.tolist(), strict=True):
            self._study.tell(trial, loss)

    def finalists(self, most: int) -> list[Point]:
        """The points of least loss, best first."""
        return self._board.best(most)

    def _values(self, point: Point) -> dict[str, float]:
        """A point as Optuna's parameters: positions of continuous knobs, cells of the others."""
        cells = zip(self._space.names, point, self._space.levels, strict=True)
        return {name: int(u * levels) if levels else u for name, u, levels in cells}

    def _point(self, values: Mapping[str, float]) -> Point:
        cells = zip(self._space.names, self._space.levels, strict=True)
        place = [(values[name] + 0.5) / levels if levels else values[name] for name, levels in cells]
        return self._space.playable(place)[0]


class TpeSearch(OptunaSearch):
    """Tree-structured Parzen estimator over all knobs together."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget and start as of OptunaSearch. Raises EnvironmentFault without Optuna."""
        super().__init__(space, segments, tpe_sampler(seed), budget, start)


def tpe_sampler(seed: int, *, conditional: bool = False) -> BaseSampler:
    """Optuna's estimator over all parameters together. Raises EnvironmentFault without Optuna.

    seed: 0 or more; conditional: some parameters are asked for only where others have certain values.
    """
    _require("tpe", "optuna", "install flowdial[search]")
    import optuna

    with warnings.catch_warnings():  # Optuna 4 calls these options experimental, Optuna 5 does not
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=seed % _SEEDS, multivariate=True, group=conditional, constant_liar=True)


def gp_sampler(seed: int) -> BaseSampler:
    """Optuna's Gaussian process; seed: 0 or more. Raises EnvironmentFault without Optuna or PyTorch."""
    _require("gp", "optuna", "install flowdial[gp]")
    _require("gp", "torch", "install flowdial[gp]")
    import optuna

    with warnings.catch_warnings():  # Optuna 4 calls it experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.GPSampler(seed=seed % _SEEDS)


def study_in_memory(sampler: BaseSampler) -> Study:
    """An Optuna study that says nothing and leaves no file."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(storage=optuna.storages.InMemoryStorage(), sampler=sampler)


def tell_failure(study: Study, trial: Any) -> None:
    """Tell an Optuna study that a trial has no loss."""
    import optuna

    study.tell(trial, state=optuna.trial.TrialState.FAIL)


class GpSearch(OptunaSearch):
    """Gaussian process with expected improvement; its time grows with the cube of the number of points."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget and start as of OptunaSearch. Raises EnvironmentFault without Optuna or PyTorch."""
        super().__init__(space, segments, gp_sampler(seed), budget, start)


def _require(method: str, package: str, remedy: str) -> None:
    if find_spec(package) is None:
        raise EnvironmentFault(f"method {method} needs the package {package}, which is missing: {remedy}")
