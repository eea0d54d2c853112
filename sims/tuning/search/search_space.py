"""The knobs that a search may turn, as a box: every point in [0, 1]^d stands for values of the game.

A point is a setting without the knobs that are held, so 0 is the easiest end of each knob. Whole numbers and choices
have cells of equal width. A point that is played lies in the middle of its cells, see `SearchSpace.snap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.parameters import ParameterSpace

_LAST_DIGITS: Final = 1e-13  # share of a knob's range

Numbers = npt.NDArray[np.float64]
Point = tuple[float, ...]  # in [0, 1]^d, snapped


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """The free knobs of a game: how many values each has, and whether these values are names."""

    names: tuple[str, ...]
    levels: tuple[int, ...]  # number of values; 0 for a continuous knob
    named: tuple[bool, ...]  # True for a choice: its values have no order

    @property
    def size(self) -> int:
        """Number of knobs, d."""
        return len(self.names)

    @cached_property
    def numeric(self) -> tuple[int, ...]:
        """Positions of the knobs that are numbers."""
        return tuple(j for j, named in enumerate(self.named) if not named)

    @cached_property
    def choices(self) -> tuple[int, ...]:
        """Positions of the knobs that are choices."""
        return tuple(j for j, named in enumerate(self.named) if named)

    def snap(self, points: npt.ArrayLike) -> Numbers:
        """The nearest points that can be played, shape (n, d): inside the box, discrete knobs in mid-cell."""
        snapped = np.clip(np.array(points, dtype=np.float64, ndmin=2), 0.0, 1.0)
        for j, levels in enumerate(self.levels):
            if levels:
                snapped[:, j] = (np.minimum(np.floor(snapped[:, j] * levels), levels - 1) + 0.5) / levels
        return snapped

    def playable(self, points: npt.ArrayLike) -> list[Point]:
        """The same as tuples, from shape (n, d)."""
        return [tuple(point) for point in self.snap(points).tolist()]

    def cells(self, points: Numbers, j: int) -> npt.NDArray[np.int64]:
        """Which value of discrete knob j each point has, counted from 0, shape (n,)."""
        cells: npt.NDArray[np.int64] = np.floor(points[:, j] * self.levels[j]).astype(np.int64)
        return np.minimum(cells, self.levels[j] - 1)


def search_space_of(space: ParameterSpace) -> SearchSpace:
    """The knobs of a game that are not held."""
    knobs = [space[j] for j in space.free]
    return SearchSpace(
        tuple(knob.name for knob in knobs),
        tuple(knob.levels for knob in knobs),
        tuple(knob.scale == "choice" for knob in knobs),
    )


def values_of(space: ParameterSpace, point: Sequence[float]) -> list[float]:
    """A point as values of all knobs, held ones included, as rules see them, shape (knobs,).

    A default that lost its last digits on the way to a point and back gets them again.
    """
    setting = [0.0] * len(space)
    for j, u in zip(space.free, point, strict=True):
        setting[j] = u
    defaults = zip(space, space.real(setting), space.defaults(), strict=True)
    return [
        default if abs(value - default) <= _LAST_DIGITS * (knob.high - knob.low) else value
        for knob, value, default in defaults
    ]


def point_of(space: ParameterSpace, values: Sequence[float]) -> Point:
    """Inverse of values_of."""
    setting = space.setting(values)
    return tuple(setting[j] for j in space.free)
