"""What a study is about: the knobs to tune, the segments with their targets, and the designer's defaults.

The dial is not used: every knob is tuned within [game.bounds] that the scenario does not hold in [game.params].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from engine.contract.game_stairs import is_staircase, may_be_staircase
from engine.errors import FlowdialError, ScenarioError
from engine.external.external_game import AnyGame, ExternalGame
from engine.parameters import Knob, ParameterSpace, Value
from engine.scenario import Scenario, load, parse, setup_of
from engine.scenario_file import toml
from engine.scenario_file.overrides import apply_overrides
from engine.scenario_file.scenario_faults import Faults, printable, suggestion
from engine.setup import Setup
from sims.catalog import Catalog
from sims.tuning.budget import Effort
from sims.tuning.conditions import Conditions, Control, RehearsedPart, aims_of, conditions_of, controls_of, slopes_of
from sims.tuning.search.counts import Segment
from sims.tuning.search.search_space import Point, SearchSpace, point_of, search_space_of, values_of
from sims.tuning.whole_runs import run_setup

LEAST_KNOBS: Final = 2
MOST_KNOBS: Final = 20
Pairs = Sequence[tuple[str, str]]  # dotted keys of a scenario and values as TOML


@dataclass(frozen=True, eq=False)
class Problem:
    """A scenario as a search sees it."""

    scenario: Scenario
    space: ParameterSpace
    search_space: SearchSpace
    segments: tuple[Segment, ...]
    start: Point  # the designer's defaults
    locked: tuple[str, ...] = ()  # knobs that the user has locked for this study
    beside: str = ""  # the tier whose values stand in place of the designer's defaults; empty for none

    @property
    def home(self) -> str:
        """What people read for the setting that the study starts from, a plural."""
        return f"the values of {self.beside}" if self.beside else "your defaults"

    @property
    def home_first(self) -> str:
        """The same at the beginning of a sentence."""
        return self.home[0].upper() + self.home[1:]

    @cached_property
    def conditions(self) -> Conditions:
        """In which conditions a run judges the players."""
        return conditions_of(self._setup, self.segments, self.scenario.after_attempts)

    def slopes(self, rehearsed: Sequence[RehearsedPart]) -> tuple[float, ...]:
        """How much skill decides, by segment, see sims.tuning.conditions."""
        return slopes_of(self.segments, self.conditions, rehearsed)

    def aims(self, slopes: Sequence[float]) -> tuple[Segment, ...]:
        """The segments with the targets that a search must look for."""
        return aims_of(self._setup, self.segments, self.scenario.after_attempts, self.conditions, slopes)

    def controls(
        self, slopes: Sequence[float] | None, blocks: Sequence[tuple[int, tuple[int, ...]]]
    ) -> tuple[Control, ...]:
        """What the stand-in says of the players of a measurement, by segment."""
        return controls_of(self._setup, self.segments, self.scenario.after_attempts, slopes, blocks)

    @cached_property
    def _setup(self) -> Setup:
        return run_setup(self.scenario)

    def values(self, point: Sequence[float]) -> list[float]:
        """A point as values of all knobs, held ones included, as rules see them."""
        return values_of(self.space, point, self.search_space.steps)

    def point(self, values: Sequence[float]) -> Point:
        """The point of some values of all knobs."""
        return point_of(self.space, values, self.search_space.steps)

    def effort(self, slopes: Sequence[float] | None = None) -> Effort:
        """What a measurement costs. slopes: how much skill decides, None before that is known."""
        if slopes is None:
            return Effort(self.conditions.costs, self.conditions.wastes)
        found = conditions_of(self._setup, self.segments, self.scenario.after_attempts, slopes)
        return Effort(found.costs, found.wastes)


def problem_of(
    scenario: Scenario,
    level: int | None = None,
    locked: Sequence[str] = (),
    *,
    beside: str = "",
    values: Mapping[str, Value] = MappingProxyType({}),
) -> Problem:
    """The problem of a scenario of `load_free` or `free_knobs`.

    level: the only level of a campaign to tune for, from 1, None for all; locked: the knobs that the user locked;
    beside: the tier whose values stand in place of the designer's defaults; values: those of its knobs. Raises
    ScenarioError where the scenario cannot be tuned.
    """
    setup = setup_of(scenario, Catalog())
    space = _with_defaults(setup.space, values)
    search_space = search_space_of(space, _stairs(setup))
    free = ", ".join(search_space.names)
    name = printable(scenario.name)
    if search_space.size < (1 if beside else LEAST_KNOBS):
        raise ScenarioError(
            f"{name}: tuning needs two or more free knobs, but only {free} is free; free another one, or see what this "
            f"one does alone: flowdial describe {scenario.form.game.name} --dial"
        )
    if search_space.size > MOST_KNOBS:
        raise ScenarioError(
            f"{name}: tuning takes at most {MOST_KNOBS} knobs, got {search_space.size}: {free}; lock some"
        )
    start = point_of(space, space.defaults(), search_space.steps)
    return Problem(scenario, space, search_space, segments_of(scenario, level), start, tuple(locked), beside)


def _with_defaults(space: ParameterSpace, values: Mapping[str, Value]) -> ParameterSpace:
    """The space with other defaults of some knobs."""
    if not values:
        return space
    knobs = [replace(knob, default=values.get(knob.name, knob.default)) for knob in space]
    held = {knob.name: knob.shown(space.held[knob.name]) for knob in space if knob.name in space.held}
    levels = {
        name: [space[space.names.index(name)].shown(value) for value in own] for name, own in space.levels.items()
    }
    return ParameterSpace(*knobs, held=held, levels=levels)


def _stairs(setup: Setup) -> dict[str, float]:
    """Free knobs that act in whole ticks, and the tick. A game that cannot be played shows its fault in the search."""
    found: dict[str, float] = {}
    game = setup.game
    if isinstance(game, ExternalGame):  # what its knobs do within a tick is nobody's business here
        return found
    for j in setup.space.free:
        try:
            if may_be_staircase(game, j) and is_staircase(game, setup.space.defaults(), j):
                found[setup.space[j].name] = game.tick_seconds
        except (FlowdialError, MemoryError, OSError):
            raise
        except (Exception, SystemExit):  # noqa: BLE001 - a plug-in may raise anything
            continue
    return found


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
    return parse(data, str(path), catalog, pairs, allow_long=True, folder=path.parent)


def free_knobs(scenario: Scenario, locks: Sequence[str] = ()) -> Scenario:
    """A scenario with a dial that moves every knob that it moved before, but for locks. Raises ScenarioError.

    In a scenario that was read, knobs that its dial does not move are held.
    """
    catalog, section = Catalog(), scenario.form.game
    pairs = _freeing(scenario.name, catalog.game(section.name), section.params, section.bounds, locks)
    return parse(scenario.resolved_toml().encode(), scenario.name, catalog, pairs, allow_long=True)


def _freeing(
    name: str, game: AnyGame, held: Mapping[str, Any], bounds: Mapping[str, Sequence[float]], locks: Sequence[str]
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


def _locked_at(name: str, game: AnyGame, bounds: Mapping[str, Sequence[float]]) -> Value:
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
