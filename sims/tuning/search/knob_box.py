"""The knobs that a search may turn, as a box: every point of it lies in [0, 1]^d and stands for values of the game.

A point is a setting without the knobs that are held, so 0 is each knob's easiest end. Whole numbers and choices have
cells of equal width; a point that is played stands in the middle of its cells, see `snapped`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.parameters import ParameterSpace

_LAST_DIGITS: Final = 1e-13  # of a knob's range

Numbers = npt.NDArray[np.float64]
Point = tuple[float, ...]  # in [0, 1]^d, snapped


@dataclass(frozen=True, eq=False)
class Cube:
    """A box of knobs: how many values each takes (0: a continuous one), and whether these are names."""

    names: tuple[str, ...]
    levels: tuple[int, ...]
    named: tuple[bool, ...]  # a choice: its values need not be in order

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
        """Positions of the knobs that are names."""
        return tuple(j for j, named in enumerate(self.named) if named)

    def snapped(self, points: npt.ArrayLike) -> Numbers:
        """The points that can be played, shape (n, d): held in the box, discrete knobs in the middle of their cell."""
        found = np.clip(np.array(points, dtype=np.float64, ndmin=2), 0.0, 1.0)
        for j, levels in enumerate(self.levels):
            if levels:
                found[:, j] = (np.minimum(np.floor(found[:, j] * levels), levels - 1) + 0.5) / levels
        return found

    def cells(self, points: Numbers, j: int) -> npt.NDArray[np.int64]:
        """Which value of discrete knob j each point has, counted from 0, shape (n,)."""
        found: npt.NDArray[np.int64] = np.floor(points[:, j] * self.levels[j]).astype(np.int64)
        return np.minimum(found, self.levels[j] - 1)


def cube_of(space: ParameterSpace) -> Cube:
    """The knobs of a space that are not held."""
    knobs = [space[j] for j in space.free]
    return Cube(
        tuple(knob.name for knob in knobs),
        tuple(knob.levels for knob in knobs),
        tuple(knob.scale == "choice" for knob in knobs),
    )


def values_of(space: ParameterSpace, point: Sequence[float]) -> list[float]:
    """A point as values of all knobs as rules see them, held ones included, shape (knobs,).

    Where the way to the cube and back has cost a default its last digits, it gets them again.
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
