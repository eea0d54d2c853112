"""CatCMA with margin: CMA-ES over numbers and choices together, by ask and tell. It sees only the order of the losses.

Hamano et al., CatCMA with margin: stochastic optimization for continuous, integer and categorical variables, 2025
(arXiv 2504.07884). The numbers have a normal distribution whose margin keeps whole numbers from freezing in one cell.
Each choice has a probability for each of its values. The live controller cma_es wraps another strategy of the same
library, for a dial along which the values are in order; here they need not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sims.tuning.search.search_space import Numbers, Point, SearchSpace

_FEW: Final = 2  # a whole number of so few values is treated as a choice, as the library's authors advise


class CatCma:
    """One run of the strategy, from its first mean until it settles."""

    def __init__(self, space: SearchSpace, start: Numbers, spread: float, population: int, seed: int) -> None:
        """Begin a run.

        start: the first mean, shape (d,); spread: the first standard deviation, as a share of each knob's range;
        population: points in a generation; seed: below 2^32.
        """
        from cmaes import CatCMAwM  # here, since it loads scipy.stats

        self._space, self.population = space, population
        self._floats = [j for j, levels in enumerate(space.levels) if levels == 0]
        self._whole = [j for j in space.numeric if space.levels[j] > _FEW]
        self._named = [j for j in range(space.size) if j not in (*self._floats, *self._whole)]
        numbers = [*self._floats, *self._whole]
        self._optimiser = CatCMAwM(
            x_space=[[0.0, 1.0]] * len(self._floats) or None,
            z_space=[((np.arange(space.levels[j]) + 0.5) / space.levels[j]).tolist() for j in self._whole] or None,
            c_space=[space.levels[j] for j in self._named] or None,
            population_size=population,
            mean=start[numbers],
            sigma=spread,
            cov=np.eye(len(numbers)),
            seed=seed,
        )
        self._generation: list[tuple[Any, Point]] = []  # what the library proposed, and the point played for it
        self._weights = np.log((population + 1) / 2.0) - np.log(np.arange(1, population // 2 + 1))
        self.mean: Point = space.playable(start)[0]  # of the better half of the last generation
        self.width = spread  # of the last generation: largest standard deviation of a continuous knob

    def ask(self) -> list[Point]:
        """A generation."""
        proposed = [self._optimiser.ask() for _ in range(self.population)]
        self._generation = list(zip(proposed, self._points_of(proposed), strict=True))
        return [point for _, point in self._generation]

    def tell(self, losses: Sequence[float] | Numbers) -> None:
        """Learn the losses of the last generation, in its order. Of equal losses the earlier one ranks first."""
        order = np.argsort(np.asarray(losses), kind="stable")
        self._optimiser.tell([(self._generation[i][0], float(rank)) for rank, i in enumerate(order)])
        points = np.array([self._generation[i][1] for i in order])
        self.width = float(points[:, self._floats].std(axis=0).max(initial=0.0))
        self.mean = self._mean(points[: len(self._weights)])

    def _points_of(self, proposed: Sequence[Any]) -> list[Point]:
        points = np.empty((len(proposed), self._space.size))
        for point, solution in zip(points, proposed, strict=True):
            if self._floats:
                point[self._floats] = solution.x
            if self._whole:
                point[self._whole] = solution.z
            for j, chosen in zip(self._named, solution.c if self._named else (), strict=True):
                point[j] = (np.argmax(chosen) + 0.5) / self._space.levels[j]
        return self._space.playable(points)

    def _mean(self, better: Numbers) -> Point:
        """Of points, best first: the weighted mean of numbers, the value of a choice with the most weight."""
        mean = self._weights @ better / self._weights.sum()
        for j in self._named:
            votes = np.bincount(self._space.cells(better, j), self._weights, self._space.levels[j])
            mean[j] = (np.argmax(votes) + 0.5) / self._space.levels[j]
        return self._space.playable(mean)[0]
