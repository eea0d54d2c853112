"""The settings of a file as places on a game's dial, or as a list of hand-made settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.game import Game
from engine.parameters import Knob, ParameterSpace, to_unit
from engine.scenario_file.scenario_faults import suggestion

Numbers = npt.NDArray[np.float64]

PREFIX: Final = "param_"
MOST_SETTINGS: Final = 60  # of a file whose settings lie on no dial
PLACES: Final = 10  # of the dial, at which win rates are compared
_POINTS: Final = 33  # of a dial that is not straight
_NEAR: Final = 0.01  # of the dial: how far a knob may be from it


@dataclass(frozen=True, eq=False)
class PlaySettings:
    """How the settings of a file move.

    Attributes:
        space: the game's knobs; those that do not vary are held.
        moving: names of the knobs that vary.
        path: positions of all knobs, shape (points, knobs): the dial, or a list of settings.
        dial: where each attempt was, in [0, 1], shape (attempts,); of a list, its index over the last index.
        listed: whether the settings are a list, which no dial joins.
        assumed: knobs that the file does not tell, held at their defaults.
    """

    space: ParameterSpace
    moving: tuple[str, ...]
    path: Numbers
    dial: Numbers
    listed: bool
    assumed: tuple[str, ...]

    @property
    def span(self) -> tuple[float, float]:
        """Between which places of the dial most attempts were: all but a hundredth at each end."""
        low, high = np.quantile(self.dial, (0.01, 0.99)).tolist()
        return low, high

    def places(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Names of the places at which win rates are compared, and that of each attempt."""
        if self.listed:
            names = tuple(f"setting {i + 1}" for i in range(len(self.path)))
            return names, np.rint(self.dial * max(len(self.path) - 1, 1)).astype(np.int64)
        cell = np.minimum((self.dial * PLACES).astype(np.int64), PLACES - 1)
        used, place = np.unique(cell, return_inverse=True)
        return tuple(f"difficulty {k / PLACES:g}-{(k + 1) / PLACES:g}" for k in used), place.astype(np.int64)


def setting_readers(game: Game, columns: Mapping[str, Any]) -> dict[str, tuple[Callable[[str], float], str]]:
    """Column -> how its cells are read, and the rule that they follow.

    Args:
        game: whose knobs they are.
        columns: of the file.

    Raises:
        ScenarioError: the file has no setting, or one that the game does not know.
    """
    knobs = {knob.name: knob for knob in game.space}
    found: dict[str, tuple[Callable[[str], float], str]] = {}
    for column in columns:
        name = column.removeprefix(PREFIX)
        if name in knobs:
            found[column] = _reader_of(knobs[name])
        elif column.startswith(PREFIX):
            raise ScenarioError(
                f"every column that begins with {PREFIX} must be a knob of {game.name} ({', '.join(knobs)}), got "
                f"{column!r}{suggestion(name, tuple(knobs)) or '.'}"
            )
    if not found:
        example = f"{PREFIX}{game.space[0].name}"
        raise ScenarioError(
            f"--game {game.name} needs the settings of each attempt, in columns such as {example!r}; the knobs are "
            f"{', '.join(knobs)}."
        )
    return found


def _reader_of(knob: Knob) -> tuple[Callable[[str], float], str]:
    if knob.scale == "choice":
        return lambda text: knob.real(text if text in knob.choices else knob.shown(float(text))), (
            f"must be one of {', '.join(knob.choices)}"
        )
    return lambda text: knob.real(float(text)), f"must be from {knob.low:g} to {knob.high:g} {knob.unit}"


def settings_of(game: Game, names: tuple[str, ...], values: Numbers) -> PlaySettings:
    """Where the settings of a file lie.

    Args:
        game: that was played.
        names: of the columns.
        values: of the attempts, as rules see them, shape (attempts, columns).

    Raises:
        ScenarioError: the settings lie on no dial, and are too many for a list.
    """
    knobs = [name.removeprefix(PREFIX) for name in names]
    table = game.space.table()
    units = np.column_stack([_units(table, game.space.names.index(knob), values[:, i]) for i, knob in enumerate(knobs)])
    varies = values.max(axis=0) > values.min(axis=0)
    moving = tuple(knob for knob, one in zip(knobs, varies, strict=True) if one)
    fixed = {knob: float(values[0, i]) for i, knob in enumerate(knobs) if not varies[i]}
    assumed = tuple(knob.name for knob in game.space if knob.name not in knobs)
    held = {
        knob.name: knob.shown(fixed[knob.name]) if knob.name in fixed else knob.default
        for knob in game.space
        if knob.name not in moving
    }
    space = ParameterSpace(*game.space, held=held)
    if moving:
        places = [game.space.names.index(knob) for knob in moving]
        own = units[:, varies]
        found = _dial_through(game, places, own)
        if found is not None:
            return PlaySettings(space, moving, found[0], found[1], False, assumed)
    return _listed(game, space, moving, units[:, varies], assumed)


def _units(table: Numbers, j: int, values: Numbers) -> Numbers:
    distinct, place = np.unique(values, return_inverse=True)
    found: Numbers = np.array([to_unit(table, j, float(value)) for value in distinct])[place]
    return found


def _dial_through(game: Game, places: list[int], units: Numbers) -> tuple[Numbers, Numbers] | None:
    """The dial on which all settings lie, and where each lies on it; None where there is none.

    A straight dial where the knobs are at the same position; else the curve along which they rise together.
    """
    cells = np.array([_NEAR + (0.5 / game.space[j].levels if game.space[j].levels else 0.0) for j in places])
    smooth = [i for i, j in enumerate(places) if not game.space[j].levels] or list(range(len(places)))
    along = units[:, smooth].mean(axis=1)
    straight = np.abs(units - along[:, None]) <= cells
    path = np.zeros((2, len(game.space)))
    path[1] = 1.0
    if straight.all():
        return path, along
    order = np.argsort(along, kind="stable")
    grid = np.linspace(0.0, 1.0, _POINTS)
    curve = np.zeros((_POINTS, len(game.space)))
    curve[-1] = 1.0
    for i, j in enumerate(places):
        curve[:, j] = np.clip(np.interp(grid, along[order], units[order, i]), 0.0, 1.0)
        off = np.abs(np.interp(along, grid, curve[:, j]) - units[:, i])
        if (off > cells[i] + _NEAR).any():
            return None
    return curve, along


def _listed(
    game: Game, space: ParameterSpace, moving: tuple[str, ...], units: Numbers, assumed: tuple[str, ...]
) -> PlaySettings:
    rows = len(units)
    distinct, place = np.unique(units, axis=0, return_inverse=True) if moving else (np.empty((1, 0)), np.zeros(rows))
    if len(distinct) > MOST_SETTINGS:
        raise ScenarioError(
            f"the settings of a file must lie on one dial, on which all knobs get harder together, or be at most "
            f"{MOST_SETTINGS}, got {len(distinct):,} different ones; give the plays of one part of the game."
        )
    order = np.argsort(distinct.mean(axis=1), kind="stable") if moving else np.zeros(1, np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    path = np.zeros((max(len(order), 2), len(game.space)))
    for i, knob in enumerate(moving):
        path[: len(order), game.space.names.index(knob)] = distinct[order, i]
    if len(order) == 1:
        path[1] = path[0]
    dial = rank[place.ravel().astype(np.int64)] / (len(path) - 1.0)
    return PlaySettings(space, moving, path, dial, True, assumed)
