"""Stages 2 and 3 of the controller contract: a rule, as pure functions on its state."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from engine.contract.controller_conduct import brief_for
from engine.contract.findings import first_line
from engine.controller import Bounds, ControllerKind, Observation, Rule, Situation
from engine.kernel import compiled
from engine.randomness import CONTROLLER, key_of, uniforms
from engine.rule import first_state, layout_of, prepare_options

SEED: Final = 30
TARGETS: Final = (0.55, 0.001, 0.999)
STREAK: Final = 150  # outcomes of one kind in a row
OBSERVATIONS: Final = 2000
LARGE: Final = 100  # numbers of a state, beyond which plain Python is too slow for all of that


class Case(NamedTuple):
    """A rule with options and a target."""

    rule: Rule
    options: Any
    target: float
    words: str


def cases(kind: ControllerKind) -> Iterator[Case]:
    """The rule at its defaults and with each option at either end of its range, for ordinary and extreme targets.

    Options are as the rule was prepared with them.
    """
    rule = kind.rule
    if rule is None:
        return
    brief = brief_for(kind.scopes[0])
    chosen: list[tuple[Any, str]] = [(kind.options(), "default options")]
    for option in kind.option_list:
        for value in (option.low, option.high):
            chosen.append((kind.options(**{option.name: float(value)}), f"{option.name} = {value:g}"))
    for given, words in chosen:
        options = prepare_options(rule, given, brief)
        for target in TARGETS:
            yield Case(rule, options, target, f"{words} and target {target:g}")


def usual_options(kind: ControllerKind, rule: Rule) -> Any:
    """The default options, as the rule was prepared with them."""
    return prepare_options(rule, kind.options(), brief_for(kind.scopes[0]))


def observations(target: float, count: int, streak: int = STREAK) -> Iterator[Observation]:
    """Streaks of extreme outcomes, then arbitrary ones: shared dials, unknown last outcomes, long sessions."""
    for won, difficulty in ((1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)):
        for place in range(streak):
            yield Observation(difficulty, won, won, won, target, float(place), won, 1.0)
    key = key_of(SEED, 0, CONTROLLER, 0, 0)
    for block in range(count):
        a, b, c, d = uniforms(key, 2 * block)
        e, f, g, _ = uniforms(key, 2 * block + 1)
        weight = 1.0 if e < 0.7 else float(1 + int(30 * f))
        won = float(int(b * (weight + 1.0))) / weight
        difficulty = 0.0 if c < 0.05 else 1.0 if c > 0.95 else a
        yield Observation(difficulty, min(won, 1.0), d, f, target, 1000.0 * g * g * g, float(int(3 * f)) - 1.0, weight)


def at_speed(rule: Rule) -> Rule:
    """The same rule, compiled: `compiled_equals_plain` has shown that it is the same."""
    return replace(rule, start=compiled(rule.start), ask=compiled(rule.ask), tell=compiled(rule.tell))


def in_plain_python(rule: Rule, options: Any, target: float) -> Iterator[Observation]:
    """As many observations as plain Python can take of this rule."""
    size = layout_of(rule.start(options, target)).size
    return observations(target, OBSERVATIONS) if size <= LARGE else observations(target, LARGE // 5, LARGE // 10)


def situation_after(seen: Observation, attempt: int) -> Situation:
    """What the rule may know before the attempt after this one."""
    return Situation(seen.target, attempt, 0, int(seen.place) + 1, 1.0 if seen.won > 0.5 else 0.0)


def state_is_numbers(kind: ControllerKind) -> Iterator[str]:
    """A state is a named tuple of floats and one-dimensional float arrays."""
    if kind.rule is None:
        return
    state = kind.rule.start(usual_options(kind, kind.rule), 0.55)
    if not isinstance(state, tuple) or not hasattr(state, "_fields") or not state._fields:
        yield f"start must return a NamedTuple with one or more fields, got {type(state).__name__}"
        return
    defaults: Any = getattr(state, "_field_defaults", None)
    if defaults:
        yield f"the state must have no default values, which do not compile, got {defaults!r}"
    for name, value in zip(state._fields, state, strict=True):
        if isinstance(value, np.ndarray):
            if value.ndim != 1 or value.dtype != np.float64 or not len(value):
                yield f"state.{name} must be a one-dimensional float64 array, got shape {value.shape} of {value.dtype}"
        elif not isinstance(value, float):
            yield f"state.{name} must be a float, got {value!r}; write 0.0 rather than 0"


def rule_is_pure(kind: ControllerKind) -> Iterator[str]:
    """Ask and tell change neither options nor state, and answer the same question the same way."""
    if kind.rule is None:
        return
    rule, options = kind.rule, usual_options(kind, kind.rule)
    kept_options = bits(options)
    for target in TARGETS:
        state = rule.start(options, target)
        for i, seen in enumerate(in_plain_python(rule, options, target)):
            if i % 37:
                state = rule.tell(options, state, seen)
                continue
            kept = copy.deepcopy(state)
            asked = [rule.ask(options, state, situation_after(seen, i)) for _ in range(2)]
            told = [rule.tell(options, state, seen) for _ in range(2)]
            if bits(kept) != bits(state) or bits(options) != kept_options:
                yield "ask or tell changes its state or options; return a new state, and copy arrays"
                return
            if bits(asked[0]) != bits(asked[1]) or bits(told[0]) != bits(told[1]):
                yield "ask or tell gives two results for the same arguments; keep no memory outside the state"
                return
            state = told[0]


def bits(value: Any) -> Any:
    """A value as something that compares by bits."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return tuple(bits(item) for item in value) if isinstance(value, tuple) else float(value).hex()


def proposals_stay_on_the_dial(kind: ControllerKind) -> Iterator[str]:
    """Proposals and states stay finite, and proposals in [0, 1], after any outcomes and with any options."""
    for case in cases(kind):
        rule = at_speed(case.rule)
        state = rule.start(case.options, case.target)
        for i, seen in enumerate(observations(case.target, 400)):
            state = rule.tell(case.options, state, seen)
            asked = rule.ask(case.options, state, situation_after(seen, i))
            if not 0.0 <= asked <= 1.0:
                yield f"ask must stay in [0, 1], got {asked!r} with {case.words} after {seen}"
                return
            if not all(_finite(value) for value in state):
                yield f"state must stay finite, got {state} with {case.words} after {seen}"
                return


def _finite(value: Any) -> bool:
    return bool(np.isfinite(value).all()) if isinstance(value, np.ndarray) else math.isfinite(value)


def state_survives_json(kind: ControllerKind) -> Iterator[str]:
    """A state goes through JSON and comes back with the same bits."""
    for case in cases(kind):
        rule = at_speed(case.rule)
        state = rule.start(case.options, case.target)
        for seen in observations(case.target, 5):
            state = rule.tell(case.options, state, seen)
        lists = [value.tolist() if isinstance(value, np.ndarray) else value for value in state]
        back = json.loads(json.dumps(lists, allow_nan=False))
        state_back = type(state)(*(np.array(value) if isinstance(value, list) else value for value in back))
        if bits(state_back) != bits(state):
            yield f"state must be the same after JSON, got {state_back} for {state}"
            return


def wins_never_make_it_easier(kind: ControllerKind) -> Iterator[str]:
    """An adaptive rule without luck of its own never gets easier after nothing but wins, nor harder after losses."""
    if kind.rule is None or kind.mode != "adaptive" or draws(kind, kind.rule):
        return
    rule, options = at_speed(kind.rule), usual_options(kind, kind.rule)
    for won, words in ((1.0, "wins"), (0.0, "losses")):
        state = rule.start(options, 0.55)
        before = rule.ask(options, state, Situation(0.55, 0, 0, 0, won))
        for attempt in range(STREAK):
            state = rule.tell(options, state, Observation(before, won, won, won, 0.55, 0.0, won, 1.0))
            asked = rule.ask(options, state, Situation(0.55, attempt + 1, 0, 0, won))
            if (asked - before) * (1.0 if won else -1.0) < -1e-12:
                yield f"after {attempt + 1} {words} difficulty went from {before:.6g} to {asked:.6g}; check the sign"
                return
            before = asked


def nothing_is_moved_on_the_whole_dial(kind: ControllerKind) -> Iterator[str]:
    """With floor 0 and ceiling 1, anti_windup leaves a state as it is."""
    rule = kind.rule
    if rule is None or rule.anti_windup is None:
        return
    brief = brief_for(kind.scopes[0])._replace(floor=0.0, ceiling=1.0)
    options = prepare_options(rule, kind.options(), brief)
    bounds = Bounds(0.0, 1.0, 0.55, 0.55)
    state = rule.start(options, 0.55)
    for seen in observations(0.55, 100, 60):
        if bits(rule.anti_windup(options, state, bounds)) != bits(state):
            yield f"anti_windup must leave a state as it is with floor 0 and ceiling 1, but it changed {state}"
            return
        state = rule.tell(options, state, seen)


def units_are_handed_on(kind: ControllerKind) -> Iterator[str]:
    """A rule that draws keeps the number of its unit in its state."""
    rule = kind.rule
    if rule is None or rule.unit is None:
        return
    options = prepare_options(rule, kind.options(), brief_for(kind.scopes[0]))
    bounds = Bounds(0.05, 0.95, 0.55, 0.55)
    state: Any = first_state(rule, options, 0.55, bounds, 7)
    for seen in observations(0.55, 20, 10):
        state = rule.tell(options, state, seen)
        if getattr(state, rule.unit) != 7.0:
            yield f"tell must hand on state.{rule.unit}, the unit of the draws, got {getattr(state, rule.unit)!r} for 7"
            return


def draws(kind: ControllerKind, rule: Rule) -> bool:
    """Whether the rule has luck of its own: what it is prepared as then depends on the seed."""
    brief = brief_for(kind.scopes[0])
    this, other = (prepare_options(rule, kind.options(), brief._replace(seed=seed)) for seed in (SEED, SEED + 1))
    return bool(bits(this) != bits(other))


def compiled_equals_plain(kind: ControllerKind) -> Iterator[str]:
    """Compiled and in plain Python, a rule gives the same bits."""
    if kind.rule is None:
        return
    rule = kind.rule
    options = usual_options(kind, rule)
    for name, arguments in (
        ("start", (options, 0.55)),
        ("ask", (options, rule.start(options, 0.55), Situation(0.55, 0, 0, 0, 1.0))),
        ("tell", (options, rule.start(options, 0.55), next(observations(0.55, 0)))),
    ):
        try:
            compiled(getattr(rule, name))(*arguments)
        except Exception as fault:  # noqa: BLE001 - numba raises many kinds; the reader needs the function's name
            yield f"{name} does not compile: {first_line(fault)}; see the numba messages for {name}"
            return
    start, ask, tell = compiled(rule.start), compiled(rule.ask), compiled(rule.tell)
    slow = rule.start(options, 0.55)
    if bits(start(options, 0.55)) != bits(slow):
        yield f"start gives different bits compiled and plain: {start(options, 0.55)} and {slow}"
        return
    for i, seen in enumerate(in_plain_python(rule, options, 0.55)):
        situation = situation_after(seen, i)
        if bits(ask(options, slow, situation)) != bits(rule.ask(options, slow, situation)):
            yield f"ask gives different bits compiled and plain in {situation} with {slow}; see engine.arithmetic"
            return
        fast, slow = tell(options, slow, seen), rule.tell(options, slow, seen)
        if bits(fast) != bits(slow):
            yield f"tell gives different bits compiled and plain after {seen}: {fast} and {slow}; see engine.arithmetic"
            return
