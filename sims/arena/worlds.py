"""The worlds of the arena: ten on `logistic`, two games, and players who lose on purpose.

The ten differ in what changes while a player plays (docs/controllers.md). gap_runner and boss_duel have the players of
the first world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.errors import ScenarioError
from engine.scenario import Scenario, load
from engine.scenario_file.scenario_faults import suggestion
from sims.catalog import Catalog

WORLDS: Final = (
    "stationary", "learning", "fatigue", "jump", "lapses", "delay5", "batch20", "warped", "tilt", "combined",
)  # fmt: skip
GAMES: Final = ("gap_runner", "boss_duel")
SANDBAGGING: Final = "sandbagging"
ALL: Final = (*WORLDS, *GAMES, SANDBAGGING)
THROWN: Final = 3  # attempts that sandbaggers lose on purpose at the start of each session
_FOLDER: Final = "arena/"
_SHARED: Final = 20  # players who share a dial in the world of cohorts


def world_of(
    world: str, players: int, seed: int | None, catalog: Catalog, further: Sequence[tuple[str, str]] = ()
) -> Scenario:
    """The scenario of a world.

    Args:
        world: its name.
        players: how many players.
        seed: None for that of the world.
        catalog: where the scenario and its game are found.
        further: other keys to override, and their values.

    Raises:
        ScenarioError: if there is no such world.
    """
    if world not in ALL:
        raise ScenarioError(f"there is no world {world[:64]!r}; there are {', '.join(ALL)}{suggestion(world, ALL)}")
    count = ("run.replicas", str(max(players // _SHARED, 2))) if world == "batch20" else ("players.count", str(players))
    settings = [count, *further, *([("seed", str(seed))] if seed is not None else [])]
    return load(catalog.scenario(_FOLDER + world), catalog, settings, allow_long=True)
