"""CMA-ES with margin over numbers and choices together, by ask and tell; it sees the order of the losses and no more.

Hamano et al., CatCMA with margin: stochastic optimization for continuous, integer and categorical variables, 2025
(arXiv 2504.07884): a normal distribution over the numbers, in which no whole number can freeze in its cell, and for
each choice the chances of its options. The live controller cma_es wraps another strategy of the same library, which
follows a dial along which the options are in order; here they need not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sims.tuning.search.knob_box import Cube, Numbers, Point
from sims.tuning.search.scoreboard import playable

_FEW: Final = 2  # values: as good as a choice, as the library's authors advise


class MixedStrategy:
    """One run, from a first mean to wherever it settles."""

    def __init__(self, cube: Cube, start: Numbers, spread: float, population: int, seed: int) -> None:
        """start: shape (d,), in the cube; spread: first standard deviation, in widths of the cube; seed: below 2^32."""
        from cmaes import CatCMAwM  # where it is needed: it loads scipy.stats

        self._cube, self.population = cube, population
        self._floats = [j for j, levels in enumerate(cube.levels) if levels == 0]
        self._whole = [j for j in cube.numeric if cube.levels[j] > _FEW]
        self._named = [j for j in range(cube.size) if j not in (*self._floats, *self._whole)]
        numbers = [*self._floats, *self._whole]
        self._optimiser = CatCMAwM(
            x_space=[[0.0, 1.0]] * len(self._floats) or None,
            z_space=[((np.arange(cube.levels[j]) + 0.5) / cube.levels[j]).tolist() for j in self._whole] or None,
            c_space=[cube.levels[j] for j in self._named] or None,
            population_size=population,
            mean=start[numbers],
            sigma=spread,
            cov=np.eye(len(numbers)),
            seed=seed,
        )
        self._generation: list[tuple[Any, Point]] = []  # what the library proposed, and what is played for it
        self._weights = np.log((population + 1) / 2.0) - np.log(np.arange(1, population // 2 + 1))
        self.mean: Point = playable(cube, start)[0]  # of the better half of the last generation
        self.width = spread  # of the last generation: largest standard deviation of a continuous knob

    def ask(self) -> list[Point]:
        """A generation."""
        proposed = [self._optimiser.ask() for _ in range(self.population)]
        self._generation = list(zip(proposed, self._played(proposed), strict=True))
        return [point for _, point in self._generation]

    def tell(self, losses: Sequence[float] | Numbers) -> None:
        """What the points of the last generation lost, in their order. Of equals the earlier ranks first."""
        order = np.argsort(np.asarray(losses), kind="stable")
        self._optimiser.tell([(self._generation[i][0], float(rank)) for rank, i in enumerate(order)])
        points = np.array([self._generation[i][1] for i in order])
        self.width = float(points[:, self._floats].std(axis=0).max(initial=0.0))
        self.mean = self._mean(points[: len(self._weights)])

    def _played(self, proposed: Sequence[Any]) -> list[Point]:
        points = np.empty((len(proposed), self._cube.size))
        for point, solution in zip(points, proposed, strict=True):
            if self._floats:
                point[self._floats] = solution.x
            if self._whole:
                point[self._whole] = solution.z
            for j, chosen in zip(self._named, solution.c if self._named else (), strict=True):
                point[j] = (np.argmax(chosen) + 0.5) / self._cube.levels[j]
        return playable(self._cube, points)

    def _mean(self, better: Numbers) -> Point:
        """Of points from the best on: the weighted mean of numbers, the most voted option of choices."""
        mean = self._weights @ better / self._weights.sum()
        for j in self._named:
            votes = np.bincount(self._cube.cells(better, j), self._weights, self._cube.levels[j])
            mean[j] = (np.argmax(votes) + 0.5) / self._cube.levels[j]
        return playable(self._cube, mean)[0]
