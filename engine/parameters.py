"""A game's knobs and their map to and from the unit cube.

Params are values in the game's own units. A setting holds the same knobs in the unit cube, turned so that 0 is the
easiest end and 1 the hardest. The dial is the path through the cube that one scalar difficulty moves along.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, log

Scale = Literal["linear", "log", "integer", "choice"]
Value = float | int | str

_LINEAR: Final = 0.0
_LOG: Final = 1.0
_INTEGER: Final = 2.0
_CHOICE: Final = 3.0
_HELD: Final = 4.0
_KINDS: Final = {"linear": _LINEAR, "log": _LOG, "integer": _INTEGER, "choice": _CHOICE}

# Columns of a space's table, one row a knob.
_KIND: Final = 0
_LOW: Final = 1  # in real units; for a held knob its value
_SPAN: Final = 2  # high - low; for a log knob log(high / low)
_LEVELS: Final = 3
_TURNED: Final = 4  # 1 when the low end is the hard one
_HIGH: Final = 5
WIDTH: Final = 6  # columns that every space has; after them the values of numbered levels


@dataclass(frozen=True)
class Knob:
    """One parameter of a game.

    low and high are in the knob's unit and finite, low < high; `harder` names the end that is harder to win. A
    choice lists its options from easiest to hardest, its value is one of them, and rules see its index.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    default: Value = 0.0
    unit: str = "1"
    meaning: str = ""
    harder: Literal["high", "low"] = "high"
    scale: Scale = "linear"
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a knob's name must be an identifier, got {self.name!r}")
        if self.scale == "choice":
            if len(self.choices) < 2 or len(set(self.choices)) != len(self.choices):
                raise ValueError(f"{self.name}: a choice needs two or more different options, got {self.choices!r}")
            object.__setattr__(self, "low", 0.0)
            object.__setattr__(self, "high", float(len(self.choices) - 1))
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"{self.name}: bounds must be finite with low < high, got {self.low!r} and {self.high!r}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"{self.name}: a log scale needs bounds above 0, got low = {self.low!r}")
        if self.scale == "integer" and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ValueError(f"{self.name}: an integer knob needs whole bounds, got {self.low!r} and {self.high!r}")
        self.real(self.default)

    @property
    def levels(self) -> int:
        """Number of different values; 0 for a continuous knob."""
        return int(self.high - self.low) + 1 if self.scale in ("integer", "choice") else 0

    def real(self, value: Value) -> float:
        """The value as rules see it (a choice as its index). Raises ValueError with the rule and the value."""
        if self.scale == "choice":
            if value not in self.choices:
                raise ValueError(f"{self.name} is one of {', '.join(self.choices)}, got {value!r}")
            return float(self.choices.index(str(value)))
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise ValueError(f"{self.name} must be a finite number, got {value!r}")
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must lie in [{self.low:g}, {self.high:g}] {self.unit}, got {value!r}")
        if self.scale == "integer" and not float(value).is_integer():
            raise ValueError(f"{self.name} must be a whole number, got {value!r}")
        return float(value)

    def shown(self, real: float) -> Value:
        """What people read for a value that rules see: a choice's name, an integer, or the number itself."""
        if self.scale == "choice":
            return self.choices[int(real)]
        return int(real) if self.scale == "integer" else real

    def narrowed(self, low: float, high: float) -> Knob:
        """The same knob with tighter bounds; the default moves to the nearer bound when it falls outside."""
        if self.scale == "choice":
            raise ValueError(f"{self.name} is a choice and has no bounds to narrow; fix it below [game.params] instead")
        if not (self.low <= low < high <= self.high):
            raise ValueError(
                f"bounds of {self.name} must satisfy {self.low:g} <= low < high <= {self.high:g}, "
                f"got [{low!r}, {high!r}]"
            )
        return replace(self, low=low, high=high, default=min(max(float(self.default), low), high))


class ParameterSpace(Sequence[Knob]):
    """The knobs of a game in a fixed order, some of them possibly held at a value."""

    def __init__(
        self,
        *knobs: Knob,
        held: Mapping[str, Value] | None = None,
        levels: Mapping[str, Sequence[Value]] | None = None,
        made: Sequence[Sequence[float]] = (),
    ) -> None:
        """held: values that do not change; levels: values of held knobs on each numbered level; made: numbers of each
        numbered level that was made by hand."""
        names = [knob.name for knob in knobs]
        if not knobs or len(set(names)) != len(names):
            raise ValueError(f"a space needs one or more knobs with different names, got {names}")
        self.knobs = tuple(knobs)
        self.names = tuple(names)
        self.held = {name: self[names.index(name)].real(value) for name, value in (held or {}).items()}
        self.levels = {
            name: tuple(self[names.index(name)].real(value) for value in values)
            for name, values in (levels or {}).items()
        }
        self.made = tuple(tuple(map(float, numbers)) for numbers in made)

    def __getitem__(self, index: Any) -> Any:
        return self.knobs[index]

    def __len__(self) -> int:
        return len(self.knobs)

    def numbers_on(self, level: int) -> tuple[float, ...]:
        """The numbers of a level made by hand, which follow the params; none where it was not."""
        return self.made[level - 1] if 0 < level <= len(self.made) else ()

    @property
    def free(self) -> tuple[int, ...]:
        """Positions of the knobs that are not held."""
        return tuple(j for j, knob in enumerate(self.knobs) if knob.name not in self.held)

    def table(self) -> npt.NDArray[np.float64]:
        """The space as numbers for the kernels, shape (knobs, 6 + levels); NaN where a level has none.

        After the knobs come the numbers of levels made by hand, one row for each number.
        """
        count = max(max(map(len, self.levels.values()), default=0), len(self.made))
        rows = np.zeros((len(self.knobs) + (len(self.made[0]) if self.made else 0), WIDTH + count))
        rows[:, WIDTH:] = math.nan
        for level, numbers in enumerate(self.made):
            rows[len(self.knobs) :, WIDTH + level] = numbers
        for row, knob in zip(rows, self.knobs):
            own = self.levels.get(knob.name, ())
            row[WIDTH : WIDTH + len(own)] = own
            row[_LEVELS], row[_HIGH] = knob.levels, knob.high
            row[_TURNED] = float(knob.harder == "low" and knob.scale != "choice")
            if knob.name in self.held:
                row[_KIND], row[_LOW] = _HELD, self.held[knob.name]
            else:
                row[_KIND], row[_LOW] = _KINDS[knob.scale], knob.low
                row[_SPAN] = log(knob.high / knob.low) if knob.scale == "log" else _span(knob.low, knob.high)
        return rows

    def real(self, setting: Sequence[float]) -> list[float]:
        """Setting, shape (knobs,), each in [0, 1], to values as rules see them. Held knobs keep their value."""
        table = self.table()
        return [to_real(table, j, float(u)) for j, u in enumerate(setting)]

    def setting(self, real: Sequence[float]) -> list[float]:
        """Values as rules see them to a setting; whole numbers and choices go to the middle of their cell."""
        table = self.table()
        return [to_unit(table, j, float(value)) for j, value in enumerate(real)]

    def defaults(self) -> list[float]:
        """The values that the game's author chose, or the held ones, as rules see them."""
        return [self.held.get(knob.name, knob.real(knob.default)) for knob in self.knobs]


def _span(low: float, high: float) -> float:
    """The width from low to high, a rounding wider where the hard end would otherwise stop short of high."""
    span = high - low
    while low + span < high:
        span = math.nextafter(span, math.inf)
    return span


def to_real(table: npt.NDArray[np.float64], j: int, u: float) -> float:
    """Knob j at position u in [0, 1] (0 easiest, 1 hardest), as rules see it."""
    kind = table[j, 0]
    low = float(table[j, 1])
    if kind == _HELD:
        return low
    if table[j, 4] == 1.0:
        u = 1.0 - u
    if kind == _LINEAR:
        value = low + float(table[j, 2]) * u
    elif kind == _LOG:
        value = low * exp(float(table[j, 2]) * u)
    else:
        return low + min(math.floor(u * float(table[j, 3])), float(table[j, 3]) - 1.0)
    return min(max(value, low), float(table[j, 5]))


def to_unit(table: npt.NDArray[np.float64], j: int, value: float) -> float:
    """Inverse of to_real; a held knob gives 0."""
    kind = table[j, 0]
    low = float(table[j, 1])
    if kind == _HELD:
        return 0.0
    if kind == _LINEAR:
        u: float = (value - low) / float(table[j, 2])
    elif kind == _LOG:
        u = log(value / low) / float(table[j, 2])
    else:
        u = (value - low + 0.5) / float(table[j, 3])
    held: float = min(max(u, 0.0), 1.0)
    return 1.0 - held if float(table[j, 4]) == 1.0 else held


def along(path: npt.NDArray[np.float64], j: int, difficulty: float) -> float:
    """Position of knob j on a dial: path has shape (points, knobs), points at equal steps of difficulty in [0, 1]."""
    last = len(path) - 1
    place = difficulty * last
    i = min(int(place), last - 1)
    share = place - i
    return float(path[i, j]) * (1.0 - share) + float(path[i + 1, j]) * share


def value_at(
    table: npt.NDArray[np.float64], path: npt.NDArray[np.float64], j: int, difficulty: float, level: int
) -> float:
    """Knob j as rules see it: the value of a numbered level where it has one, else where the dial stands."""
    return level_value(table, j, level, to_real(table, j, along(path, j, difficulty)))


def level_value(table: npt.NDArray[np.float64], j: int, level: int, other: float) -> float:
    """The value that knob j has on a numbered level, or the other one where it has none of its own."""
    if 0 < level <= table.shape[1] - WIDTH:
        own = float(table[j, WIDTH + level - 1])
        if not math.isnan(own):
            return own
    return other


def put_made(table: npt.NDArray[np.float64], knobs: int, level: int, values: npt.NDArray[np.float64]) -> None:
    """Put the numbers of a level made by hand after the params; values: shape (len(table),)."""
    for j in range(knobs, len(table)):
        values[j] = level_value(table, j, level, 0.0)


def straight_path(space: ParameterSpace) -> npt.NDArray[np.float64]:
    """The dial that moves every knob from its easiest to its hardest end together, shape (2, knobs)."""
    path = np.zeros((2, len(space)))
    path[1] = 1.0
    return path
