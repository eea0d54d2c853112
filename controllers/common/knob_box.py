"""The part of the unit cube that a search over several knobs moves in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from controllers.common.local_response import Vector
from engine.controller import Setting
from engine.errors import ScenarioError
from engine.parameters import ParameterSpace, along

DIGITS: Final = 6  # of a proposed position: the last bits of linear algebra differ between machines


class KnobBox:
    """The part of the unit cube that is searched: free knobs with more than one value between floor and ceiling.

    path: the dial, shape (points, knobs). digits: decimals that proposed positions are rounded to. Raises ScenarioError
    where no knob is left to search.
    """

    def __init__(
        self,
        space: ParameterSpace,
        path: npt.NDArray[np.float64],
        floor: float,
        ceiling: float,
        digits: int = DIGITS,
    ) -> None:
        self._space, self._path, self._floor, self._ceiling = space, path, floor, ceiling
        self.digits = digits
        self.knobs: list[int] = []  # their numbers in the space
        bounds: list[tuple[float, float, float]] = []  # low, high, step (0 for a continuous knob)
        for j in space.free:
            levels = space[j].levels
            if levels == 0:
                low, high, step = floor, ceiling, 0.0
            else:
                first = min(math.floor(floor * levels), levels - 1)
                last = max(math.ceil(ceiling * levels) - 1, first)
                low, high, step = (first + 0.5) / levels, (last + 0.5) / levels, 1.0 / levels
            if low < high:
                self.knobs.append(j)
                bounds.append((low, high, step))
        if not self.knobs:
            raise ScenarioError(
                "cma_es needs a knob that is not fixed and has two or more values between floor and ceiling"
            )
        self.low, self.high, self.step = (np.array(column) for column in zip(*bounds, strict=True))
        self._dial = np.array([self.on_dial(floor + i / 100.0 * (ceiling - floor)) for i in range(101)])

    def on_dial(self, difficulty: float) -> Vector:
        """The dial at a difficulty in [0, 1], kept within the bounds, shape (knobs searched,)."""
        return self.held([along(self._path, j, difficulty) for j in self.knobs])

    def dial_direction(self) -> Vector:
        """Direction from the dial's easiest to its hardest point, of length 1, shape (knobs searched,); else zeros."""
        whole: Vector = self._dial[-1] - self._dial[0]
        length = math.sqrt(float(whole @ whole))
        return whole / length if length > 0 else np.zeros(len(whole))

    def held(self, place: Sequence[float] | Vector) -> Vector:
        """The place moved into the bounds."""
        inside: Vector = np.minimum(np.maximum(np.asarray(place, dtype=np.float64), self.low), self.high)
        return inside

    def playable(self, place: Vector) -> Vector:
        """The nearest place that can be played: within bounds, in the middle of cells, rounded."""
        inside = self.held(place)
        cells = np.floor((inside - self.low) / np.where(self.step > 0, self.step, 1.0) + 0.5)
        return np.where(self.step > 0, self.low + cells * self.step, np.round(inside, self.digits))

    def nearest(self, place: Vector) -> tuple[float, float]:
        """Difficulty of the nearest point of the dial, and the mean squared distance from it per knob."""
        distances = np.mean((self._dial - place) ** 2, axis=1)
        i = int(np.argmin(distances))
        return self._floor + i / 100.0 * (self._ceiling - self._floor), float(distances[i])

    def setting(self, place: Vector, ticket: int) -> Setting:
        """The setting of a place: all knobs of the space; those not searched are on the dial."""
        difficulty = self.nearest(place)[0]
        units = [along(self._path, j, difficulty) for j in range(len(self._space))]
        for j, position in zip(self.knobs, place, strict=True):
            units[j] = position
        return Setting(difficulty, tuple(float(min(max(u, self._floor), self._ceiling)) for u in units), ticket)
