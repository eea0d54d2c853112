"""Every controller that is found keeps the contract; a broken one is told; and ours do what their sources promise."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from controllers.adaptive import kalman, weighted_up_down
from engine.arithmetic import exp, logistic
from engine.contract.checks import check_controller
from engine.controller import Observation, Option, Rule, Setting, Situation
from engine.kernel import compiled
from engine.randomness import CHANCE, CONTROLLER, TRAITS, key_of, standard_normal, uniform, words
from sims.catalog import Catalog

CATALOG = Catalog()
CLASSIC = weighted_up_down.CONTROLLER


# One of each kind here, the others in the thorough tier: a schedule, gain rules, a filter, a search.
QUICK = ("constant", "weighted_up_down", "kalman", "cma_es")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(entry.name, marks=() if entry.name in QUICK else pytest.mark.thorough)
        for entry in CATALOG.controllers()
    ],
)
def test_a_controller_that_is_found_keeps_the_contract(name):
    assert check_controller(CATALOG.controller(name)) == []


# --- One broken promise each


class Counted(NamedTuple):
    difficulty: int


class Traced(NamedTuple):
    recent: np.ndarray


class IntegerOptions(NamedTuple):
    step: int = 1
    start: float = 0.5
    scaling: float = 0.0


def integer_start(options, target):
    return Counted(0)


def free_tell(options, state, seen):
    return weighted_up_down.State(state.difficulty + options.step * (seen.won - seen.target))


def turned_tell(options, state, seen):
    moved = state.difficulty - options.step * (seen.won - seen.target)
    return weighted_up_down.State(min(max(moved, 0.0), 1.0))


def dividing_tell(options, state, seen):
    return weighted_up_down.State(state.difficulty + math.inf * (seen.won - 2.0))


def traced_start(options, target):
    return Traced(np.zeros(3))


def traced_ask(options, state, situation):
    return 0.5


def traced_tell(options, state, seen):
    state.recent[0] += 1.0
    return state


HISTORY: list[Situation] = []


def remembering_ask(options, state, situation):
    HISTORY.append(situation)
    return 0.5 + 0.1 * (len(HISTORY) % 2)


def uncompilable_ask(options, state, situation):
    return min(float(json.dumps(0.5)), 1.0)


def libm_tell(options, state, seen):
    """Not wrong in itself, but a kernel that counts with 32-bit floats would be."""
    return weighted_up_down.State(
        float(np.float32(state.difficulty) * 0.5 + np.float32(0.1) * exp(seen.progress) / 9.0)
    )


def steady_tell(options, state, seen):
    return state


class Defaulted(NamedTuple):
    difficulty: float = 0.5


def defaulted_start(options, target):
    return Defaulted()


def failing_tell(options, state, seen):
    raise LookupError("no such outcome")


def refusing_make(options, brief):
    raise SystemExit(0)


class Stub:
    """A controller whose parts a test replaces."""

    def __init__(self, beliefs=("level",), ask=None, describe=None, tell=None):
        self.beliefs = beliefs
        self._ask, self._describe, self._tell = ask, describe, tell
        self.level = 0.5

    def ask(self, who):
        return self._ask(self, who) if self._ask else Setting(self.level)

    def tell(self, outcome):
        if self._tell:
            self._tell(self, outcome)
        else:
            self.level = min(max(self.level + 0.05 * (outcome.won - outcome.who.situation.target), 0.0), 1.0)

    def describe(self, who):
        return self._describe(self) if self._describe else {"level": self.level}


SHARED = [0.5]
CALLS = [0]


def shared_tell(stub, outcome):
    SHARED[0] = min(max(SHARED[0] + 0.05 * (outcome.won - 0.5), 0.0), 1.0)


def whimsical_ask(stub, who):
    CALLS[0] += 1
    return Setting(0.5 + 0.3 * math.sin(CALLS[0]))


def to_the_middle(options, state, bounds):
    return weighted_up_down.State(0.5 * (state.difficulty + 0.5))


class Drawing(NamedTuple):
    difficulty: float
    attempt: float
    unit: float


def drawing_prepare(options, brief):
    return Seeded(options.step, float(brief.seed))


class Seeded(NamedTuple):
    step: float
    seed: float


def drawing_start(plan, target):
    return Drawing(0.5, 0.0, 0.0)


def drawing_tell(plan, state, seen):
    moved = min(max(state.difficulty + plan.step * (seen.won - seen.target), 0.0), 1.0)
    return Drawing(moved, state.attempt + 1.0, state.unit)


def jittered(plan, state, unit):
    luck = uniform(key_of(int(plan.seed), 0, CONTROLLER, int(unit), int(state.attempt)), 0)
    return min(max(state.difficulty + 0.1 * (luck - 0.5), 0.0), 1.0)


def own_ask(plan, state, situation):
    return jittered(plan, state, state.unit)


def shared_ask(plan, state, situation):
    return jittered(plan, state, 0.0)


def at_first_shared_ask(plan, state, situation):
    return jittered(plan, state, 0.0 if state.attempt < 10.0 else state.unit)


def losing_tell(plan, state, seen):
    moved = drawing_tell(plan, state, seen)
    return Drawing(moved.difficulty, moved.attempt, 0.0)


def drawing_anti_windup(plan, state, bounds):
    return Drawing(min(max(state.difficulty, bounds.floor), bounds.ceiling), state.attempt, state.unit)


def drawn(ask, tell=drawing_tell):
    """The classic rule with a jitter of its own luck."""
    rule = Rule(drawing_start, ask, tell, prepare=drawing_prepare, anti_windup=drawing_anti_windup, unit="unit")
    return dataclasses.replace(CLASSIC, rule=rule)


class SharedDraws:
    """A controller whose settings depend on the seed and the attempt, and on no player."""

    beliefs = ()

    def __init__(self, options, brief):
        self._brief = brief
        self._levels: dict[int, float] = {}

    def ask(self, who):
        luck = uniform(key_of(self._brief.seed, 0, CONTROLLER, 0, who.situation.attempt), 0)
        return Setting(min(max(self._levels.get(who.player, 0.5) + 0.1 * (luck - 0.5), 0.0), 1.0))

    def tell(self, outcome):
        level = self._levels.get(outcome.who.player, 0.5) + 0.05 * (outcome.won - outcome.who.situation.target)
        self._levels[outcome.who.player] = min(max(level, self._brief.floor), self._brief.ceiling)

    def describe(self, who):
        return {}


def strict_tell(stub, outcome):
    if outcome.setting.ticket > 0:
        raise LookupError("nobody asked for that")


def changed(**changes: Any):
    """The classic controller with fields that may hold anything."""
    return dataclasses.replace(CLASSIC, **changes)


def made_of(**parts):
    """A kind whose controllers are stubs with these parts replaced."""
    return dataclasses.replace(
        CLASSIC, rule=None, make=lambda options, brief: Stub(**parts), mode="self_adaptive", scopes=("everyone",)
    )


def ruled(start=weighted_up_down.start, ask=weighted_up_down.ask, tell=weighted_up_down.tell, **changes):
    return dataclasses.replace(CLASSIC, rule=Rule(start, ask, tell), **changes)


FIRST, SECOND, *REST = CLASSIC.option_list
BROKEN = {
    "name": (changed(name="Up Down"), "name must be"),
    "mode": (changed(mode="clever"), "mode must be"),
    "source": (changed(source=""), "source must be one line"),
    "scope": (changed(scopes=("planet",)), "scopes must be"),
    "options are a dict": (changed(options=dict), "options must be a NamedTuple"),
    "options in another order": (changed(option_list=(SECOND, FIRST, *REST)), "option_list must name"),
    "an option without bounds": (
        changed(option_list=(FIRST._replace(high=math.inf), SECOND, *REST)),
        "option step must have finite bounds",
    ),
    "a default out of range": (
        changed(option_list=(FIRST._replace(low=0.5), SECOND, *REST)),
        "option step must have its default in",
    ),
    "a default that is whole": (changed(options=IntegerOptions), "default that is a float"),
    "an option without meaning": (
        changed(option_list=(Option("step", 0.0, 1.0, ""), SECOND, *REST)),
        "option step must have a meaning",
    ),
    "a gain that is no option": (changed(gains=("speed",)), "gains must name options"),
    "a gain that cannot be 0": (
        changed(option_list=(FIRST._replace(low=0.01), SECOND, *REST)),
        "gains must name options whose range begins at 0",
    ),
    "neither rule nor make": (changed(rule=None), "got neither"),
    "a state of whole numbers": (ruled(start=integer_start), "state.difficulty must be a float"),
    "a state with defaults": (ruled(start=defaulted_start), "the state must have no default values"),
    "a maker that exits": (dataclasses.replace(CLASSIC, rule=None, make=refusing_make), "SystemExit in refusing_make"),
    "a state that is changed": (ruled(traced_start, traced_ask, traced_tell), "changes its state or options"),
    "a memory": (ruled(ask=remembering_ask), "gives two results"),
    "a proposal off the dial": (ruled(tell=free_tell), "ask must stay in [0, 1]"),
    "a state at infinity": (ruled(ask=traced_ask, tell=dividing_tell), "state must stay finite"),
    "a sign the wrong way": (ruled(tell=turned_tell), "check the sign"),
    "what numba cannot compile": (ruled(ask=uncompilable_ask), "ask does not compile"),
    "arithmetic of other width": (ruled(tell=libm_tell, mode="deterministic"), "tell gives different bits"),
    "deaf though adaptive": (ruled(tell=steady_tell), "strong players must end at a higher difficulty"),
    "hearing though deterministic": (ruled(mode="deterministic"), "must not react to outcomes"),
    "no setting": (made_of(ask=lambda stub, who: 0.5), "Setting"),
    "a setting off the dial": (made_of(ask=lambda stub, who: Setting(1.5)), "difficulty must lie in"),
    "positions for other knobs": (made_of(ask=lambda stub, who: Setting(0.5, (0.5,) * 9)), "one position per knob"),
    "a position off the cube": (made_of(ask=lambda stub, who: Setting(0.5, (2.0,) * 5)), "units must lie in"),
    "an unknown ticket refused": (made_of(tell=strict_tell), "LookupError in strict_tell()"),
    "beliefs that repeat": (made_of(beliefs=("level", "level")), "distinct identifiers"),
    "beliefs that are not described": (made_of(describe=lambda stub: {}), "describe must return"),
    "an infinite belief": (made_of(describe=lambda stub: {"level": math.inf}), "finite numbers"),
    "a state beyond the bounds": (ruled(), "a state must not run on beyond the ceiling"),
    "a state that is moved on the whole dial": (
        changed(
            rule=Rule(weighted_up_down.start, weighted_up_down.ask, weighted_up_down.tell, None, None, to_the_middle)
        ),
        "anti_windup must leave a state as it is",
    ),
    "luck that players share": (drawn(shared_ask), "players with the same outcomes must not draw the same numbers"),
    "luck that is shared at first": (drawn(at_first_shared_ask), "in attempts 0 to 5 they are asked the same"),
    "luck that players share, by an object": (
        dataclasses.replace(CLASSIC, rule=None, make=SharedDraws, mode="self_adaptive"),
        "players with the same outcomes must not draw the same numbers",
    ),
    "a unit that is lost": (drawn(own_ask, losing_tell), "tell must hand on state.unit"),
    "shared state": (made_of(tell=shared_tell, ask=lambda stub, who: Setting(SHARED[0])), "share state"),
    "a whim": (made_of(ask=whimsical_ask), "gave different settings"),
    "bounds that are not reached": (
        made_of(ask=lambda stub, who: Setting(0.3 + 0.4 * stub.level)),
        "must end near difficulty",
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "told"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_promise_is_told_in_a_sentence(kind, told):
    findings = check_controller(kind)
    assert any(told in finding for finding in findings), findings
    assert all("\n" not in finding for finding in findings)


@pytest.mark.thorough
def test_a_rule_that_draws_by_its_unit_keeps_the_contract_but_cannot_be_exported():
    (found,) = check_controller(drawn(own_ask))
    assert found.startswith("a rule must have a translation for export-controller, but key_of calculates")


def test_one_fault_is_told_once():
    assert len(check_controller(ruled(tell=failing_tell))) == 1
    assert len(check_controller(dataclasses.replace(CLASSIC, rule=None, make=refusing_make))) == 1


def test_what_is_no_controller_is_told_so():
    assert check_controller(weighted_up_down) == ["a controller is an engine.controller.ControllerKind, got module"]


# --- Rules against the arithmetic of their sources


def test_the_classic_rule_steps_as_published():
    options = weighted_up_down.Options()
    state = weighted_up_down.start(options, 0.55)
    assert (options.step, state.difficulty) == (0.05, 0.5)
    up = weighted_up_down.tell(options, state, Observation(0.5, 1.0, 1.0, 1.0, 0.55, 0, 1.0, 1.0))
    down = weighted_up_down.tell(options, state, Observation(0.5, 0.0, 0.2, 0.2, 0.55, 0, 1.0, 1.0))
    assert (up.difficulty, down.difficulty) == pytest.approx((0.5 + 0.05 * 0.45, 0.5 - 0.05 * 0.55))


def matrix_kalman(options, target, seen_list):
    """The filter in matrices and libm, as the slow and obvious twin: mean and covariance after all observations."""
    x = np.array([options.skill0, 0.0, 0.0])
    P = np.diag([options.sd0**2, (options.tilt_sd / options.slope) ** 2, options.tire_sd**2])
    up = down = 0.0
    certain = 1.0 - options.guess - options.lapse
    for seen in seen_list:
        sign = 2.0 * target - 1.0 if seen.last < 0.0 else 2.0 * seen.last - 1.0
        h = np.array([1.0, sign, -min(seen.place / 49.0, 1.0)])
        c = 1.0 / (1.0 + math.exp(-options.slope * (h @ x - seen.difficulty)))
        p = options.guess + certain * c
        G = certain * options.slope * c * (1.0 - c)
        R = p * (1.0 - p) / seen.weight
        v = P @ (G * h)
        K = v / (G * h @ v + R)
        x = np.clip(x + K * (seen.won - p), -0.3, 1.2)
        P = P - np.outer(K, v)
        P[0, 0] += options.q**2
        z = (seen.won - p) / math.sqrt(R)
        up, down = max(0.0, up + z - 0.5), max(0.0, down - z - 0.5)
        if options.reopen > 0.0 and max(up, down) > options.reopen:
            P[0, 0] = max(P[0, 0], 0.08**2)
            up = down = 0.0
    return x, P


@pytest.mark.parametrize(
    "options",
    [
        kalman.Options(),
        kalman.Options(tilt_sd=0.3, tire_sd=0.1, reopen=4.0),
        kalman.Options(sd0=0.3, slope=9.0, q=0.02),
    ],
    ids=["one state", "all parts", "other options"],
)
def test_kalman_agrees_with_its_matrix_form(options):
    key = key_of(80, 0, CHANCE, 0, 0)
    seen_list = []
    for i in range(200):
        luck, where = uniform(key, i), uniform(key, 1000 + i)
        won = 1.0 if luck < logistic(8.0 * (0.5 - where)) else 0.0
        seen_list.append(Observation(where, won, won, won, 0.55, i % 60, float(i % 3) - 1.0, 1.0 + 19.0 * (i % 2)))
    state = kalman.start(options, 0.55)
    for seen in seen_list:
        state = kalman.tell(options, state, seen)
    x, P = matrix_kalman(options, 0.55, seen_list)
    assert (state.skill, state.tilt, state.tire) == pytest.approx(tuple(x), rel=1e-9, abs=1e-12)
    variances = (state.var_skill, state.var_tilt, state.var_tire)
    assert variances == pytest.approx(tuple(np.diag(P)), rel=1e-8, abs=1e-12)
    covariances = (state.cov_skill_tilt, state.cov_skill_tire, state.cov_tilt_tire)
    assert covariances == pytest.approx((P[0, 1], P[0, 2], P[1, 2]), rel=1e-8, abs=1e-12)


def test_kalman_asks_where_its_expectation_is_the_target():
    options = kalman.Options()
    for target in (0.3, 0.55, 0.8):
        asked = kalman.ask(options, kalman.start(options, target), Situation(target, 0, 0, 0, 1.0))
        assert 0.02 + 0.96 / (1.0 + math.exp(-6.0 * (0.5 - asked))) == pytest.approx(target)


def test_every_difficulty_is_within_reach_of_kalman_for_every_target():
    options = kalman.Options(q=0.05)
    for target in (0.1, 0.5, 0.9):
        for won, end in ((1.0, 1.0), (0.0, 0.0)):
            state = kalman.start(options, target)
            for _ in range(2000):
                asked = kalman.ask(options, state, Situation(target, 0, 0, 0, won))
                state = kalman.tell(options, state, Observation(asked, won, won, won, target, 0, won, 1.0))
            assert kalman.ask(options, state, Situation(target, 0, 0, 0, won)) == end


# --- The arena: true win probability against the target, in worlds with a known answer

CROWD = 2000
ATTEMPTS = 200


@cache
def arena_of(rule):
    """(options, tilt, tire, jump, seed) -> RMSE of the true win probability over attempts 21 to 200 at target 0.55."""
    start, ask, tell = rule.start, rule.ask, rule.tell

    def arena(options, tilt, tire, jump, seed):
        total = 0.0
        for player in range(CROWD):
            born = words(key_of(seed, 0, TRAITS, player, 0), 0)
            skill = min(max(0.5 + 0.15 * standard_normal(born[0]), 0.08), 0.95)
            slope = 8.0 * exp(0.4 * standard_normal(born[1]))
            state = start(options, 0.55)
            last = 1.0
            for t in range(ATTEMPTS):
                place = t % 50
                asked = ask(options, state, Situation(0.55, t, 0, place, last))
                now = skill - tire * place / 49.0 + (jump if t >= 100 else 0.0)
                p = 0.02 + 0.96 * logistic(slope * (now - asked) + tilt * (2.0 * last - 1.0))
                won = 1.0 if uniform(key_of(seed, 0, CHANCE, player, t), 0) < p else 0.0
                state = tell(options, state, Observation(asked, won, won, won, 0.55, place, last, 1.0))
                last = won
                if t >= 20:
                    total += (p - 0.55) * (p - 0.55)
        return math.sqrt(total / (CROWD * (ATTEMPTS - 20.0)))

    return compiled(arena)


@pytest.mark.thorough
def test_the_classic_rule_has_the_error_that_theory_gives_it():
    assert 0.105 <= arena_of(CLASSIC.rule)(weighted_up_down.Options(), 0.0, 0.0, 0.0, 81) <= 0.116


@pytest.mark.thorough
def test_kalman_is_near_the_statistical_limit():
    assert 0.056 <= arena_of(kalman.CONTROLLER.rule)(kalman.Options(), 0.0, 0.0, 0.0, 81) <= 0.066


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("part", "world"),
    [
        (kalman.Options(tilt_sd=0.3), (0.8, 0.0, 0.0)),
        (kalman.Options(tire_sd=0.1), (0.0, 0.25, 0.0)),
        (kalman.Options(reopen=4.0), (0.0, 0.0, 0.35)),
    ],
    ids=["tilt", "tire", "reopen"],
)
def test_each_part_of_kalman_pays_where_its_effect_is(part, world):
    arena = arena_of(kalman.CONTROLLER.rule)
    assert arena(part, *world, 82) < 0.9 * arena(kalman.Options(), *world, 82)
