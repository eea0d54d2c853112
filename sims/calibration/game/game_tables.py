"""The part of a scenario that says what is played: a game with its dial, as the file has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims.calibration.game.game_plays import GamePlays

_DIGITS = 6


def game_tables(played: GamePlays) -> dict[str, Any]:
    """The tables game, dial, levels and controller.

    A dial keeps within the settings of the file, so that no controller leaves what was fitted. A list of settings
    becomes a campaign, one level for each.

    Args:
        played: the game and its settings.
    """
    game, settings = played.game, played.settings
    space = settings.space
    fixed = {name: knob_value(played, name, value) for name, value in space.held.items()}
    if settings.listed and settings.moving:
        return _listed(played, fixed)
    if not settings.moving:  # one setting: the dial is free to move from it
        fixed = {}
    low, high = (round(end, 4) for end in settings.span) if settings.moving else (0.0, 1.0)
    high = max(high, low)
    paths = {
        name: [round(float(one), _DIGITS) for one in settings.path[:, space.names.index(name)]]
        for name in settings.moving
        if len(settings.path) > 2
    }
    return {
        "game": {"name": game.name, "params": fixed},
        "dial": {
            "knobs": list(settings.moving) or list(space.names),
            "floor": low,
            "ceiling": high,
            **({"path": paths} if paths else {}),
        },
        "levels": {"kind": "endless"},
        "controller": {"name": "constant", "options": {"difficulty": round(float(np.median(settings.dial)), 4)}},
    }


def _listed(played: GamePlays, fixed: dict[str, Any]) -> dict[str, Any]:
    settings = played.settings
    space = settings.space
    values = [space.real(list(units)) for units in settings.path[: len(played.table.plays.levels)]]  # type: ignore[union-attr]
    params = {
        name: [knob_value(played, name, row[space.names.index(name)]) for row in values] for name in settings.moving
    }
    return {
        "game": {"name": played.game.name, "params": fixed},
        "dial": {"floor": 0.0, "ceiling": 1.0},
        "levels": {"kind": "campaign", "count": len(values), "params": params},
        "controller": {"name": "constant", "options": {"difficulty": 0.5}},
    }


def knob_value(played: GamePlays, name: str, value: float) -> Any:
    """A value of a knob as a file says it."""
    knob = played.game.space[played.game.space.names.index(name)]
    shown = knob.shown(value)
    return round(shown, 9) if isinstance(shown, float) else shown
