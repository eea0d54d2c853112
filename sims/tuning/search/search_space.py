"""The knobs that a search may turn, as a box: every point in [0, 1]^d stands for values of the game.

A point is a setting without the knobs that are held, so 0 is the easiest end of each knob. Whole numbers and choices
have cells of equal width. A point that is played lies in the middle of its cells, see `SearchSpace.snap`.

A knob that acts in whole ticks (a staircase) is searched like a whole number: each tick is a cell, for which one value
stands. That value lies a quarter of a tick after the step. So no step depends on rounding, even where rules add two
such knobs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.parameters import Knob, ParameterSpace

_LAST_DIGITS: Final = 1e-13  # share of a knob's range
_QUARTER: Final = (0.1, 0.4)  # parts of a tick between which a staircase's values lie

Numbers = npt.NDArray[np.float64]
Point = tuple[float, ...]  # in [0, 1]^d, snapped


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """The free knobs of a game: how many values each has, and whether these values are names."""

    names: tuple[str, ...]
    levels: tuple[int, ...]  # number of values; 0 for a continuous knob
    named: tuple[bool, ...]  # True for a choice: its values have no order
    steps: tuple[tuple[float, ...], ...] = ()  # by knob: values of a staircase, easiest first; none of other knobs

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


def search_space_of(space: ParameterSpace, stairs: Mapping[str, float] = MappingProxyType({})) -> SearchSpace:
    """The knobs of a game that are not held. stairs: knobs that act in whole ticks, and the tick."""
    knobs = [space[j] for j in space.free]
    steps = tuple(steps_of(knob, stairs[knob.name]) if knob.name in stairs else () for knob in knobs)
    return SearchSpace(
        tuple(knob.name for knob in knobs),
        tuple(len(some) or knob.levels for knob, some in zip(knobs, steps, strict=True)),
        tuple(knob.scale == "choice" for knob in knobs),
        steps if any(steps) else (),
    )


def steps_of(knob: Knob, tick: float) -> tuple[float, ...]:
    """A value for each tick of a knob's range, easiest first: the default, or a number with few digits."""
    default = float(knob.default)
    values = []
    for step in range(math.floor(knob.low / tick), math.floor(knob.high / tick) + 1):
        low, high = (min(max((step + part) * tick, knob.low), knob.high) for part in _QUARTER)
        if step == math.floor(default / tick + _LAST_DIGITS):
            values.append(default)
        elif low < high:
            values.append(roundest(low, high))
    return tuple(values if knob.harder == "high" else reversed(values))


def roundest(low: float, high: float) -> float:
    """The number in [low, high] with the fewest decimal places, near the middle; low < high."""
    middle = (low + high) / 2.0
    digits = 0
    while not low <= (found := round(middle, digits)) <= high:
        digits += 1
    return found


def values_of(space: ParameterSpace, point: Sequence[float], steps: Sequence[Sequence[float]] = ()) -> list[float]:
    """A point as values of all knobs, held ones included, as rules see them, shape (knobs,).

    A default that lost its last digits on the way to a point and back gets them again, and so does a number with few
    digits. steps: of the search space.
    """
    setting = [0.0] * len(space)
    for j, u in zip(space.free, point, strict=True):
        setting[j] = u
    defaults = zip(space, space.real(setting), space.defaults(), strict=True)
    values = [_tidy(knob, value, default) for knob, value, default in defaults]
    for j, u, own in zip(space.free, point, steps or ((),) * len(point), strict=True):
        if own:
            values[j] = own[min(int(u * len(own)), len(own) - 1)]
    return values


def point_of(space: ParameterSpace, values: Sequence[float], steps: Sequence[Sequence[float]] = ()) -> Point:
    """Inverse of values_of. A value between two steps of a staircase becomes the nearest one."""
    setting = space.setting(values)
    point = [setting[j] for j in space.free]
    for place, (j, own) in enumerate(zip(space.free, steps or ((),) * len(point), strict=True)):
        if own:
            cell = min(range(len(own)), key=lambda c: abs(own[c] - values[j]))
            point[place] = (cell + 0.5) / len(own)
    return tuple(point)


def _tidy(knob: Knob, value: float, default: float) -> float:
    """The default, or the number of twelve digits, where the value differs from it in its last digits only."""
    room = _LAST_DIGITS * (knob.high - knob.low)
    short = float(f"{value:.12g}")
    return default if abs(value - default) <= room else short if abs(value - short) <= room else value
