"""[levels] progression: numbered levels that get harder with their number at one difficulty, as a game's author means.

A game names the knobs that a designer would raise from level to level. The scenario says how far they go: from their
easiest value on level 1 to that share of their range on the last one. In a resolved scenario they are [levels] params
like any others, so whatever plays numbered levels plays these.
"""

from __future__ import annotations

from engine.external.external_game import AnyGame
from engine.parameters import ParameterSpace
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.scenario_faults import Faults
from engine.scenario_file.sections import Campaign, Endless, GameSection

_ADDRESS: KeyPath = ("levels", "progression")


def with_progression(
    levels: Endless | Campaign | None, section: GameSection, game: AnyGame
) -> Endless | Campaign | None:
    """The levels with values of their own for the knobs of the game's progression.

    Args:
        levels: as in the file. What has no progression comes back as it is.
        section: the scenario's bounds and fixed values; a knob that is fixed stays so.
        game: of the scenario.
    """
    if not isinstance(levels, Campaign) or levels.progression is None:
        return levels
    given = levels.params or {}
    rising = _rising_knobs(section, game) if levels.progression else []
    rising = [name for name in rising if name not in given]
    space = ParameterSpace(
        *(knob.narrowed(*section.bounds[knob.name]) if knob.name in section.bounds else knob for knob in game.space)
    )
    params = dict(given)
    for name in rising:
        j = space.names.index(name)
        params[name] = [
            space[j].shown(space.real([place] * len(space))[j]) for place in _places(levels.count, levels.progression)
        ]
    return levels.model_copy(update={"params": params or None, "progression": None})


def check_progression(levels: Endless | Campaign | None, section: GameSection, game: AnyGame, faults: Faults) -> None:
    """Refuse a progression that would move nothing. The knobs of the section must be those of the game."""
    if not isinstance(levels, Campaign) or not levels.progression or faults.touch("game"):
        return
    if not game.progression:
        faults.add(
            _ADDRESS, f"must be 0 for {game.name}, which names no knobs that rise from level to level; remove it"
        )
    elif not [name for name in _rising_knobs(section, game) if name not in (levels.params or {})]:
        rule = f"moves {', '.join(game.progression)}, but the scenario gives each a value"
        faults.add(_ADDRESS, f"{rule}; remove that value from [game.params] or [levels] params, or the progression")


def _rising_knobs(section: GameSection, game: AnyGame) -> list[str]:
    return [name for name in game.progression if name not in section.params]


def _places(count: int, progression: float) -> list[float]:
    """Where each level stands in a knob's range, from 0, easiest."""
    return [progression * number / max(count - 1, 1) for number in range(count)]
