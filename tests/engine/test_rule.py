"""Rules at work: state in and out of flat arrays, compiled as plain, shared dials, and memory."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from controllers.adaptive.kalman import CONTROLLER as KALMAN
from engine.contract.controller_conduct import brief_for
from engine.controller import Bounds, Observation, Outcome, Rule, Setting, Situation, Who
from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, uniforms
from engine.rule import (
    PerPlayer,
    belief_names,
    flat,
    layout_of,
    note_of,
    pack_of,
    prepare_options,
    shifted_bounds,
    unpack_of,
)

HEARD = 8  # observations that the note-taking rule has room for
FIELDS = len(Observation._fields)


class Pages(NamedTuple):
    number: float
    first: Any
    rate: float
    one: Any
    last: Any


PAGES = Pages(-0.0, np.array([1.5, -2.5, 1e-308]), math.pi, np.array([math.inf]), np.array([math.nan, 7.0]))


# --- Layouts


def test_a_layout_counts_arrays_by_their_length():
    layout = layout_of(PAGES)
    assert (layout.kind, layout.names) == (Pages, Pages._fields)
    assert layout.widths == (0, 3, 0, 1, 2)
    assert layout.size == 8 == len(flat(PAGES))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("at_speed", [False, True])
def test_numbers_go_in_and_come_out_bit_for_bit(shared, at_speed):
    layout = layout_of(PAGES)
    unpack, pack = unpack_of(layout, shared=shared), pack_of(layout)
    if at_speed:
        unpack, pack = compiled(unpack), compiled(pack)
    numbers = flat(PAGES)
    found = unpack(numbers)
    assert type(found).__name__ == "Pages"
    for value, wanted in zip(found, PAGES, strict=True):
        assert np.asarray(value, dtype=float).tobytes() == np.asarray(wanted, dtype=float).tobytes()
    out = np.zeros(layout.size)
    pack(found, out)
    assert out.tobytes() == numbers.tobytes()


@pytest.mark.parametrize("shared", [False, True])
def test_arrays_are_copies_unless_they_are_shared_tables(shared):
    numbers = flat(PAGES)
    found = unpack_of(layout_of(PAGES), shared=shared)(numbers)
    found.first[0] = 99.0
    assert bool(numbers[1] == 99.0) is shared


def test_beliefs_are_scalar_fields_in_the_order_asked_for():
    assert belief_names(Rule(start, ask, tell), PAGES) == ("number", "rate")
    assert belief_names(Rule(start, ask, tell, beliefs=("rate", "number")), PAGES) == ("rate", "number")
    for name in ("first", "unheard"):
        with pytest.raises(ValueError, match=rf"scalar fields of its state \(number, rate\), got \['{name}'\]"):
            belief_names(Rule(start, ask, tell, beliefs=("rate", name)), PAGES)
    noted = np.zeros(2)
    note_of(("rate", "number"))(PAGES, noted)
    assert noted.tolist() == [math.pi, 0.0]
    note_of(())(PAGES, np.zeros(0))


# --- A rule that writes down what it hears


class Options(NamedTuple):
    step: float = 0.1


class Tables(NamedTuple):
    step: float
    weights: Any
    high: float


class State(NamedTuple):
    heard: float
    difficulty: float
    pages: Any  # HEARD observations, their fields one after the other
    goal: float


def prepare(options: Options, brief: Any) -> Tables:
    return Tables(options.step, np.array([1.0, 0.5, 0.25]), brief.ceiling)


def start(tables: Tables, target: float) -> State:
    return State(0.0, 0.5, np.full(HEARD * FIELDS, -9.0), target)


def ask(tables: Tables, state: State, situation: Situation) -> float:
    return min(state.difficulty + 0.01 * situation.place, tables.high)


def tell(tables: Tables, state: State, seen: Observation) -> State:
    pages = state.pages
    first = int(state.heard) % HEARD * FIELDS
    pages[first] = seen.difficulty
    pages[first + 1] = seen.won
    pages[first + 2] = seen.progress
    pages[first + 3] = seen.score
    pages[first + 4] = seen.target
    pages[first + 5] = seen.place
    pages[first + 6] = seen.last
    pages[first + 7] = seen.weight
    weight = tables.weights[min(int(state.heard), 2)]
    return State(
        state.heard + 1.0, state.difficulty + weight * tables.step * (seen.won - seen.target), pages, state.goal
    )


NOTES = Rule(start, ask, tell, beliefs=("heard", "difficulty"), prepare=prepare)


def heard(controller: PerPlayer, who: Who) -> list[Observation]:
    state = controller.state(who)
    return [Observation(*state.pages[FIELDS * i : FIELDS * (i + 1)]) for i in range(int(state.heard))]


def someone(player=1, cohort=0, target=0.55, place=0, last=1.0) -> Who:
    return Who(player, cohort, Situation(target, place, 0, place, last))


def outcome(who: Who, difficulty: float, won: bool, progress: float = 0.5, score: float = 0.4) -> Outcome:
    return Outcome(who, Setting(difficulty), won, progress, score, 0.0)


def test_a_rule_gets_what_it_prepared_in_place_of_its_options():
    brief = brief_for("player")
    tables = prepare_options(NOTES, Options(), brief)
    assert tables.high == brief.ceiling
    assert KALMAN.rule is not None
    assert prepare_options(KALMAN.rule, KALMAN.options(), brief) == KALMAN.options()
    assert PerPlayer(NOTES, Options(), brief).ask(someone(place=400)).difficulty == brief.ceiling


@pytest.mark.parametrize(
    ("rule", "options"), [(NOTES, Options()), (KALMAN.rule, KALMAN.options())], ids=["tables", "kalman"]
)
def test_the_controller_equals_the_plain_rule_bit_for_bit(rule, options):
    brief = brief_for("player")
    controller = PerPlayer(rule, options, brief)
    constants = prepare_options(rule, options, brief)
    state, last = rule.start(constants, 0.6), 1.0
    for attempt in range(200):
        luck, progress, score, _ = uniforms(key_of(91, 0, CHANCE, 0, attempt), 0)
        who = someone(target=0.6, place=attempt % 7, last=last)
        difficulty = rule.ask(constants, state, who.situation)
        asked = controller.ask(who).difficulty
        assert asked.hex() == float(difficulty).hex()
        played = min(max(asked, 0.0), 1.0)
        controller.tell(outcome(who, played, luck < 0.6, progress, score))
        seen = Observation(played, float(luck < 0.6), progress, score, 0.6, float(attempt % 7), last, 1.0)
        state = rule.tell(constants, state, seen)
        assert flat(controller.state(who)).tobytes() == flat(state).tobytes()
        described = controller.describe(who)
        assert list(described) == list(controller.beliefs)
        assert [described[name].hex() for name in described] == [
            float(getattr(state, name)).hex() for name in controller.beliefs
        ]
        last = float(luck < 0.6)


def test_a_player_s_own_rule_hears_each_outcome_by_itself():
    controller = PerPlayer(NOTES, Options(), brief_for("player"))
    mine, other = someone(1), someone(2)
    for won in (True, False, True):
        controller.tell(outcome(mine, 0.5, won))
    assert [seen.won for seen in heard(controller, mine)] == [1.0, 0.0, 1.0]
    assert {seen.weight for seen in heard(controller, mine)} == {1.0}
    assert heard(controller, other) == []


# --- Bounds and units


class Counted(NamedTuple):
    difficulty: float
    unit: float
    heard: float


def counted_start(options: Options, target: float) -> Counted:
    return Counted(0.9, 0.0, 0.0)


def counted_ask(options: Options, state: Counted, situation: Situation) -> float:
    return state.difficulty


def counted_tell(options: Options, state: Counted, seen: Observation) -> Counted:
    return Counted(state.difficulty + options.step * (seen.won - seen.target), state.unit, state.heard + 1.0)


def kept(options: Options, state: Counted, bounds: Bounds) -> Counted:
    """Within bounds, and the targets of the bounds added, to be seen."""
    inside = min(max(state.difficulty, bounds.floor), bounds.ceiling)
    return Counted(inside, state.unit, bounds.least_target + 10.0 * bounds.most_target)


COUNTED = Rule(counted_start, counted_ask, counted_tell, anti_windup=kept, unit="unit")
TARGETS = np.array([[0.6, 0.9], [0.4, 0.5]])


@pytest.mark.parametrize(
    ("scope", "targets"), [("player", (0.4, 0.5)), ("cohort", (0.4, 0.5)), ("everyone", (0.4, 0.9))]
)
def test_a_state_is_kept_within_bounds_after_the_start_and_every_outcome(scope, targets):
    brief = brief_for(scope)._replace(floor=0.2, ceiling=0.7, targets=TARGETS)
    controller = PerPlayer(COUNTED, Options(step=5.0), brief)
    who = someone(11, cohort=1, target=0.5)
    wanted = targets[0] + 10.0 * targets[1]
    assert (controller.ask(who).difficulty, controller.state(who).heard) == (0.7, wanted)
    for won, end in ((False, 0.2), (True, 0.7)):
        controller.tell(outcome(who, 0.5, won))
        assert (controller.ask(who).difficulty, controller.state(who).heard) == (end, wanted)


def test_bounds_are_wider_where_the_dial_is_moved_for_levels():
    """On a level whose dial is moved down by .3, a rule at 1 still plays the ceiling of .7."""
    brief = brief_for("player")._replace(floor=0.2, ceiling=0.7, targets=TARGETS)
    controller = PerPlayer(COUNTED, Options(step=5.0), brief, np.array([[0.0, 0.1], [-0.3, 0.15]]))
    who = someone(11, cohort=1, target=0.5)
    assert controller.ask(who).difficulty == 0.7
    ends = []
    for won in (False, True):
        controller.tell(outcome(who, 0.5, won))
        ends.append(controller.ask(who).difficulty)
    assert ends == pytest.approx([0.05, 1.0])
    assert shifted_bounds(Bounds(0.2, 0.7, 0.5, 0.6), 0.1, 0.2) == pytest.approx((0.0, 0.7, 0.5, 0.6))


@pytest.mark.parametrize(("scope", "units"), [("player", (3, 11)), ("cohort", (0, 1)), ("everyone", (0, 0))])
def test_a_state_has_the_number_of_its_unit(scope, units):
    controller = PerPlayer(COUNTED, Options(), brief_for(scope))
    assert tuple(controller.state(who).unit for who in (someone(3, 0), someone(11, 1))) == units
    assert controller.beliefs == ("difficulty", "heard")


def test_a_unit_is_a_scalar_field():
    with pytest.raises(ValueError, match=r"its unit must be scalar fields of its state \(.*\), got \['player'\]"):
        belief_names(dataclasses.replace(COUNTED, unit="player"), Counted(0.5, 0.0, 0.0))


# --- Shared dials


@pytest.mark.parametrize("scope", ["cohort", "everyone"])
def test_a_shared_rule_hears_outcomes_of_one_difficulty_and_target_as_one(scope):
    controller = PerPlayer(NOTES, Options(), brief_for(scope))
    told = [
        outcome(someone(1, place=0, last=1.0), 0.4, True, 1.0, 0.9),
        outcome(someone(2, place=3, last=-1.0), 0.6, False, 0.2, 0.1),
        outcome(someone(3, place=2, last=0.0), 0.4, False, 0.3, 0.2),
        outcome(someone(4, place=4, last=-1.0), 0.4, True, 1.0, 0.7),
        outcome(someone(5, target=0.7, place=1, last=0.0), 0.4, True, 1.0, 0.5),
        outcome(someone(6, place=5, last=-1.0), 0.6, False, 0.4, 0.4),
    ]
    for one in told:
        controller.tell(one)
    controller.ask(someone())
    first, second, third = heard(controller, someone())
    assert tuple(first) == pytest.approx((0.4, 2 / 3, 2.3 / 3, 0.6, 0.55, 2.0, 0.5, 3.0))
    assert tuple(second) == pytest.approx((0.6, 0.0, 0.3, 0.25, 0.55, 4.0, -1.0, 2.0))
    assert tuple(third) == pytest.approx((0.4, 1.0, 1.0, 0.5, 0.7, 1.0, 0.0, 1.0))


def test_outcomes_on_either_side_of_an_ask_are_different_observations():
    controller = PerPlayer(NOTES, Options(), brief_for("everyone"))
    for asks in (False, True, False):
        controller.tell(outcome(someone(), 0.4, True))
        if asks:
            controller.ask(someone())
    assert [seen.weight for seen in heard(controller, someone())] == [2.0, 1.0]


@pytest.mark.parametrize(("scope", "same"), [("player", 1), ("cohort", 2), ("everyone", 4)])
def test_the_scope_says_who_shares_a_state(scope, same):
    controller = PerPlayer(NOTES, Options(), brief_for(scope))
    controller.tell(outcome(someone(1, cohort=0), 0.5, True))
    everybody = [someone(1, 0), someone(2, 0), someone(11, 1), someone(12, 1)]
    assert sum(bool(heard(controller, who)) for who in everybody) == same


def test_a_state_starts_with_the_target_it_is_first_met_with():
    controller = PerPlayer(NOTES, Options(), brief_for("player"))
    controller.ask(someone(1, target=0.8))
    controller.ask(someone(1, target=0.3))
    assert controller.state(someone(1, target=0.3)).goal == 0.8


# --- Memory


@pytest.mark.parametrize("scope", ["player", "cohort", "everyone"])
def test_memory_goes_through_json_and_changes_nothing(scope):
    brief = brief_for(scope)
    whole, parts = PerPlayer(NOTES, Options(), brief), PerPlayer(NOTES, Options(), brief)
    for attempt in range(12):
        who = someone(attempt % 3, attempt % 2, place=attempt, last=-1.0 if attempt % 4 == 3 else 1.0)
        saved = json.dumps(parts.memory(), allow_nan=False)
        parts = PerPlayer(NOTES, Options(), brief)
        parts.remember(json.loads(saved))
        for controller in (whole, parts):
            if attempt % 5 == 4:
                controller.ask(who)
            controller.tell(outcome(who, 0.5, attempt % 2 == 0, attempt / 12.0))
    assert json.dumps(parts.memory()) == json.dumps(whole.memory())
    for who in (someone(0, 0), someone(1, 1), someone(2, 0)):
        assert heard(parts, who) == heard(whole, who)


def test_asking_for_the_memory_does_not_disturb():
    asked, left = (PerPlayer(NOTES, Options(), brief_for("everyone")) for _ in range(2))
    for controller in (asked, left):
        controller.tell(outcome(someone(), 0.4, True))
        if controller is asked:
            controller.memory()
        controller.tell(outcome(someone(), 0.4, False))
    assert heard(asked, someone()) == heard(left, someone())
    assert len(heard(asked, someone())) == 1


def test_remembering_replaces_what_was_known():
    controller = PerPlayer(NOTES, Options(), brief_for("everyone"))
    nothing = controller.memory()
    controller.tell(outcome(someone(), 0.4, True))
    controller.ask(someone())
    controller.tell(outcome(someone(), 0.4, True))
    controller.remember(json.loads(json.dumps(nothing)))
    assert heard(controller, someone()) == []
