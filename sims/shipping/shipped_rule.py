"""What travels with a rule: its numbers, its player groups, its bounds, and the dial in the game's units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from engine.controller import Bounds, Situation
from engine.errors import ScenarioError
from engine.parameters import Knob, ParameterSpace, Value, value_at
from engine.response.level_shifts import level_shifts, shifts_levels
from engine.rule import Numbers, bounds_of, first_state, flat, prepare_options, shifted_bounds
from engine.session import clamp
from engine.setup import Setup
from engine.translation.sources import Untranslatable
from engine.translation.translated_rule import TranslatedRule, translate_rule

POINTS: Final = 21  # of the dial's table: difficulties 0, 0.05 ... 1
MOST_NUMBERS: Final = 100_000  # of tables in a file: about 2 MB of text, which a game still reads in a moment


class ShippedGroup(NamedTuple):
    """A player group: its wanted win rates, and what follows from them."""

    name: str
    targets: tuple[float, ...]  # one of each level; one in an endless stream
    shifts: tuple[float, ...]  # how far each level moves the dial for the rule
    bounds: Bounds  # where a state is kept
    first: int  # number of the state before the first attempt


class DialKnob(NamedTuple):
    """A parameter of the game as the dial moves it."""

    knob: Knob
    values: tuple[Value, ...]  # at the POINTS difficulties
    held: bool


@dataclass(frozen=True)
class ShippedRule:
    """A scenario's rule, ready to be printed in any language."""

    scenario: str
    digest: str
    version: str
    game: str
    controller: str
    scope: str
    rule: TranslatedRule
    constants: Numbers  # flat
    floor: float
    ceiling: float
    levels: int
    groups: tuple[ShippedGroup, ...]
    first_states: tuple[Numbers, ...]  # flat, each once
    dial: tuple[DialKnob, ...]
    level_knobs: tuple[str, ...]  # parameters with values of their own on numbered levels, which the dial does not move
    unit: int  # place of the state's number that holds the number of the player; -1 where there is none
    resting: float  # what is played while the rule is switched off: where it begins


def shipped_rule(setup: Setup, scenario: str, version: str) -> ShippedRule:
    """The rule of a scenario with all that it needs in a game.

    Raises:
        ScenarioError: a sentence why this rule cannot be exported.
    """
    kind = setup.kind
    if kind.rule is None:
        raise ScenarioError(
            f"only rules on numbers can be exported, but {kind.name} is an object of its own; "
            "choose another controller, such as kalman_bank."
        )
    if setup.scope != "player" and shifts_levels(setup):
        raise ScenarioError(
            f"{kind.name} learns where each level stands while it is shared by a {setup.scope}, which is not exported; "
            'set controller.scope = "player".'
        )
    constants = prepare_options(kind.rule, setup.options, setup.brief(0))
    numbers = flat(constants)
    sample = kind.rule.start(constants, float(setup.targets[0, 0]))
    size = len(numbers) + len(flat(sample))
    if size > MOST_NUMBERS:
        raise ScenarioError(
            f"{kind.name} works on tables of {size:,} numbers here, and a file for a game may hold {MOST_NUMBERS:,}; "
            "choose another controller, such as kalman_bank."
        )
    try:
        rule = translate_rule(kind.rule, constants, sample)
    except Untranslatable as fault:
        raise ScenarioError(f"{kind.name} cannot be exported to other languages, because {fault}.") from fault
    groups, first_states = _groups(setup, constants)
    asked = float(kind.rule.ask(constants, sample, Situation(groups[0].targets[0], 0, min(setup.levels, 1), 0, 1.0)))
    dial, own = dial_table(setup.space, setup.path), setup.space.levels
    return ShippedRule(
        scenario=scenario,
        digest=setup.digest,
        version=version,
        game=setup.game.name,
        controller=kind.name,
        scope=setup.scope,
        rule=rule,
        constants=numbers,
        floor=setup.floor,
        ceiling=setup.ceiling,
        levels=setup.levels,
        groups=groups,
        first_states=first_states,
        dial=tuple(one for one in dial if one.knob.name not in own) or dial,
        level_knobs=tuple(own),
        unit=-1 if kind.rule.unit is None else rule.state_layout.place(kind.rule.unit),
        resting=clamp(asked + groups[0].shifts[0], setup.floor, setup.ceiling),
    )


def _groups(setup: Setup, constants: Any) -> tuple[tuple[ShippedGroup, ...], tuple[Numbers, ...]]:
    """The player groups, and their first states."""
    rule = setup.kind.rule
    assert rule is not None
    shifts = level_shifts(setup)
    found = []
    states: dict[bytes, Numbers] = {}
    for number, name in enumerate(setup.cohorts):
        targets = setup.targets if setup.scope == "everyone" else setup.targets[number]
        bounds = bounds_of(setup.floor, setup.ceiling, targets)
        own = shifts[number]
        first = flat(first_state(rule, constants, float(setup.targets[number, 0]), bounds))
        kept = shifted_bounds(bounds, float(own.min()), float(own.max()))
        states.setdefault(first.tobytes(), first)
        place = list(states).index(first.tobytes())
        found.append(ShippedGroup(name, tuple(setup.targets[number].tolist()), tuple(own.tolist()), kept, place))
    return tuple(found), tuple(states.values())


def dial_table(space: ParameterSpace, path: Numbers) -> tuple[DialKnob, ...]:
    """Each parameter at POINTS difficulties at equal steps, in the game's own units."""
    table = space.table()
    found = []
    for j, knob in enumerate(space.knobs):
        values = tuple(knob.shown(value_at(table, path, j, i / (POINTS - 1), 0)) for i in range(POINTS))
        found.append(DialKnob(knob, values, knob.name in space.held))
    return tuple(found)
