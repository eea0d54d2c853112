"""What a study is about: the knobs to tune, the segments with their targets, and the designer's defaults.

The dial is not used: every knob is tuned within [game.bounds] that the scenario does not hold in [game.params].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.errors import ScenarioError
from engine.game import Game
from engine.parameters import Knob, ParameterSpace, Value
from engine.players import TRAIT_NAMES
from engine.scenario import Scenario, load, parse, setup_of
from engine.scenario_file import toml
from engine.scenario_file.overrides import apply_overrides
from engine.scenario_file.scenario_faults import Faults, printable, suggestion
from engine.setup import Setup
from sims.catalog import Catalog
from sims.tuning.search.counts import Segment
from sims.tuning.search.search_space import Point, SearchSpace, point_of, search_space_of

LEAST_KNOBS: Final = 2
MOST_KNOBS: Final = 20
Pairs = Sequence[tuple[str, str]]  # dotted keys of a scenario and values as TOML
_LEARNT: Final = tuple(TRAIT_NAMES.index(name) for name in ("learning", "practice_gain", "jump"))


@dataclass(frozen=True, eq=False)
class Problem:
    """A scenario as a search sees it."""

    scenario: Scenario
    space: ParameterSpace
    search_space: SearchSpace
    segments: tuple[Segment, ...]
    start: Point  # the designer's defaults
    locked: tuple[str, ...] = ()  # knobs that the user has locked for this study
    practised: bool = False  # whether earlier attempts change how some players play


def problem_of(scenario: Scenario, level: int | None = None, locked: Sequence[str] = ()) -> Problem:
    """The problem of a scenario of `load_free` or `free_knobs`.

    level: the only level of a campaign to tune for, from 1, None for all; locked: the knobs that the user locked.
    Raises ScenarioError where the scenario cannot be tuned.
    """
    setup = setup_of(scenario, Catalog())
    space = setup.space
    search_space = search_space_of(space)
    free = ", ".join(search_space.names)
    name = printable(scenario.name)
    if search_space.size < LEAST_KNOBS:
        raise ScenarioError(
            f"{name}: tuning needs two or more free knobs, but only {free} is free; free another one, or see what this "
            f"one does alone: flowdial describe {scenario.form.game.name} --dial"
        )
    if search_space.size > MOST_KNOBS:
        raise ScenarioError(
            f"{name}: tuning takes at most {MOST_KNOBS} knobs, got {search_space.size}: {free}; lock some"
        )
    start = point_of(space, space.defaults())
    return Problem(scenario, space, search_space, segments_of(scenario, level), start, tuple(locked), _practised(setup))


def _practised(setup: Setup) -> bool:
    """Whether some cohort has a practice trait other than the constant 0."""
    return bool((setup.traits[:, _LEARNT, :2] != 0.0).any())


def segments_of(scenario: Scenario, level: int | None = None) -> tuple[Segment, ...]:
    """Each cohort, in a campaign on each level or on the given one. Raises ScenarioError for a missing level."""
    if level is not None and not 1 <= level <= scenario.levels:
        there = f"it has {scenario.levels} levels" if scenario.levels else "its levels are endless"
        raise ScenarioError(f"{printable(scenario.name)}: level must be one of the campaign, got {level}; {there}")
    levels = [level] if level is not None else list(range(1, scenario.levels + 1)) or [0]
    return tuple(
        Segment(f"{name} level {number}" if number else name, cohort, number, *scenario.band(cohort, number or None))
        for cohort, name in enumerate(scenario.cohorts)
        for number in levels
    )


def load_free(path: Path, settings: Pairs = (), locks: Sequence[str] = ()) -> Scenario:
    """The scenario of a file with a dial that moves every knob that is neither held in its [game.params] nor locked.

    settings: overrides of the file; locks: knobs to hold at their defaults. Raises ScenarioError for a wrong scenario,
    for locks that cannot be, and where no knob is free.
    """
    catalog = Catalog()
    load(path, catalog, settings, allow_long=True)  # is it right? What a run would cost does not matter to a study
    data = toml.read(path)
    document = toml.parse_toml(data, str(path))
    section = apply_overrides(document.tree, settings, Faults(str(path), document.lines))["game"]
    game = catalog.game(section["name"])
    pairs = [*settings, *_freeing(str(path), game, section.get("params", {}), section.get("bounds", {}), locks)]
    return parse(data, str(path), catalog, pairs, allow_long=True)


def free_knobs(scenario: Scenario, locks: Sequence[str] = ()) -> Scenario:
    """A scenario with a dial that moves every knob that it moved before, but for locks. Raises ScenarioError.

    In a scenario that was read, knobs that its dial does not move are held.
    """
    catalog, section = Catalog(), scenario.form.game
    pairs = _freeing(scenario.name, catalog.game(section.name), section.params, section.bounds, locks)
    return parse(scenario.resolved_toml().encode(), scenario.name, catalog, pairs, allow_long=True)


def _freeing(
    name: str, game: Game, held: Mapping[str, Any], bounds: Mapping[str, Sequence[float]], locks: Sequence[str]
) -> list[tuple[str, str]]:
    """The overrides that free all knobs but those that are held or locked. name: of the scenario."""
    locked = {knob: _locked_at(knob, game, bounds) for knob in locks if knob not in held}
    free = [knob for knob in game.space.names if knob not in {*held, *locked}]
    if not free:
        raise ScenarioError(
            f"{printable(name)}: tuning needs two or more free knobs, but all {len(game.space)} are held in "
            "[game.params] or locked; free some"
        )
    return [
        *((f"game.params.{knob}", toml.format_toml(value)) for knob, value in locked.items()),
        ("dial.knobs", toml.format_toml(free)),
        ("dial.path", "{}"),
    ]


def _locked_at(name: str, game: Game, bounds: Mapping[str, Sequence[float]]) -> Value:
    """The default at which a lock holds a knob. Raises ScenarioError for an unknown knob, or outside its bounds."""
    if name not in game.space.names:
        close = suggestion(name, game.space.names)
        raise ScenarioError(
            f"cannot lock {printable(name)}: {game.name} has the knobs {', '.join(game.space.names)}{close}"
        )
    knob: Knob = game.space[game.space.names.index(name)]
    low, high = bounds.get(name, (-math.inf, math.inf))
    if knob.scale != "choice" and not low <= float(knob.default) <= high:
        raise ScenarioError(
            f"cannot lock {name} at its default {knob.default}: [game.bounds] allows {low:g} to {high:g}; set it in "
            "[game.params] instead, or change its bounds"
        )
    return knob.default
