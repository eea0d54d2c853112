"""A rule whose options change with outcomes: the same rule, told other options as they come.

The schedule comes with the brief, so all scenarios of a controller share one compiled rule.
"""

from __future__ import annotations

import dataclasses
import math
from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.attempt import define_function
from engine.controller import Bounds, Brief, ControllerKind, Observation, Rule, Situation
from engine.scheduling.option_schedule import OptionSchedule, stairs_at

_LEAST_KNOTS: Final = 16  # tables have room for a power of two, so that schedules of like lengths share a kernel


class Clock(NamedTuple):
    """What a scheduled rule remembers besides its own state."""

    told: float = 0.0  # outcomes
    share: float = 1.0  # of the gain, by the plateau
    waited: float = 0.0  # outcomes of the present window; below 0 while it rests after a cut
    total: float = 0.0  # errors in it
    best: float = 1.0  # smallest mean error of a window


class Watch(NamedTuple):
    """When a plateau cuts the gain, see engine.scheduling.option_schedule."""

    patience: float = math.inf
    factor: float = 1.0
    least: float = 1.0
    threshold: float = 0.0
    cooldown: float = 0.0


def why_unscheduled(kind: ControllerKind) -> str | None:
    """Why the options of a controller cannot change with outcomes; None where they can."""
    if kind.rule is None:
        return f"{kind.name} is no rule on numbers"
    if kind.rule.prepare is not None:
        return f"{kind.name} makes tables of its options once"
    return None


def why_no_gain_schedule(kind: ControllerKind) -> str | None:
    """Why the gain of a controller cannot follow a shape; None where it can."""
    if not kind.gains:
        return f"{kind.name} has no gain"
    reason = why_unscheduled(kind)
    if reason is not None or kind.rule is None:
        return reason
    state = kind.rule.start(kind.options(), 0.5)
    return f"{kind.name} changes its gain by itself" if set(kind.gains) & set(state._fields) else None


@cache
def scheduled_kind(kind: ControllerKind) -> ControllerKind:
    """The same controller, whose options change as the brief says. It must be one that can."""
    assert kind.rule is not None
    return dataclasses.replace(kind, rule=_scheduled(kind.rule, kind.options, kind.gains))


def _scheduled(rule: Rule, options: type[Any], gains: tuple[str, ...]) -> Rule:
    state = rule.start(options(), 0.5)
    names = tuple(state._fields)
    clock = tuple(f"clock_{name}" for name in Clock._fields)
    options_at, split, join = _options_at(options, gains), _split(type(state), names), _join(names, clock)
    start_rule, ask_rule, tell_rule, anti_windup_rule = rule.start, rule.ask, rule.tell, rule.anti_windup

    def start(chosen: Any, target: float) -> Any:
        fresh = Clock(0.0, 1.0, 0.0, 0.0, 1.0)
        return join(start_rule(options_at(chosen, fresh), target), fresh)

    def ask(chosen: Any, state: Any, situation: Situation) -> float:
        inner, clock = split(state)
        return ask_rule(options_at(chosen, clock), inner, situation)

    def tell(chosen: Any, state: Any, seen: Observation) -> Any:
        inner, clock = split(state)
        return join(tell_rule(options_at(chosen, clock), inner, seen), clock_after(chosen, clock, seen))

    def anti_windup(chosen: Any, state: Any, bounds: Bounds) -> Any:
        inner, clock = split(state)
        return join(anti_windup_rule(options_at(chosen, clock), inner, bounds), clock)  # type: ignore[misc]

    scalars = [name for name, value in zip(names, state, strict=True) if not isinstance(value, np.ndarray)]
    beliefs = tuple(name for name in scalars if name != rule.unit) if rule.beliefs is None else rule.beliefs

    def prepare(chosen: Any, brief: Brief) -> Any:
        return _tables(chosen, brief.schedule, gains)

    return Rule(start, ask, tell, beliefs, prepare, None if anti_windup_rule is None else anti_windup, rule.unit)


def clock_after(chosen: Any, clock: Clock, seen: Observation) -> Clock:
    """The clock after an outcome: one more, and the gain cut where a window was no better than the best."""
    share = clock.share
    best = clock.best
    waited = clock.waited + 1.0
    total = clock.total + (seen.won - seen.target) if waited > 0.0 else 0.0
    if waited >= chosen.watch_patience:
        mean = abs(total) / waited
        waited = 0.0
        total = 0.0
        if mean < best - chosen.watch_threshold:
            best = mean
        else:
            share = min(share, max(share * chosen.watch_factor, chosen.watch_least))
            waited = -chosen.watch_cooldown
    return Clock(clock.told + 1.0, share, waited, total, best)


def knot_at(knots: Any, told: float) -> int:
    """Place of the last knot that is not beyond so many outcomes. knots: rising, shape (a power of two,)."""
    low = 0
    high = len(knots)
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= told:
            low = middle
        else:
            high = middle
    return low


def _options_at(options: type[Any], gains: tuple[str, ...]) -> Callable[..., Any]:
    """The plain function (tables, clock) -> the options in force."""
    values = [f"chosen.{name}[k]{' * clock.share' if name in gains else ''}" for name in options._fields]
    text = "def options_at(chosen, clock):\n    k = knot_at(chosen.watch_knots, clock.told)\n"
    return define_function(
        "options_at", f"{text}    return Options({', '.join(values)})\n", {"Options": options, "knot_at": knot_at}
    )


def _split(kind: type[Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """The plain function state -> (the rule's own state, clock)."""
    inner = ", ".join(f"state.{name}" for name in names)
    clock = ", ".join(f"state.clock_{name}" for name in Clock._fields)
    return define_function(
        "split", f"def split(state):\n    return Inner({inner}), Clock({clock})\n", {"Inner": kind, "Clock": Clock}
    )


def _join(names: tuple[str, ...], clock: tuple[str, ...]) -> Callable[..., Any]:
    """The plain function (the rule's own state, clock) -> state."""
    kind = namedtuple("ScheduledState", (*names, *clock))  # type: ignore[misc]
    inner = [f"inner.{name}" for name in names]
    values = ", ".join([*inner, *(f"clock.{name}" for name in Clock._fields)])
    return define_function("join", f"def join(inner, clock):\n    return State({values})\n", {"State": kind})


@cache
def _tables_kind(fields: tuple[str, ...]) -> type[Any]:
    watch = (f"watch_{name}" for name in Watch._fields)
    return namedtuple("ScheduledOptions", (*fields, "watch_knots", *watch))


def _tables(options: Any, schedule: OptionSchedule, gains: tuple[str, ...]) -> Any:
    """What the rule gets as options: a table for each, over the knots of the schedule, and when to cut the gain."""
    knots = schedule.knots()
    stairs, gain = dict(schedule.stairs), schedule.gain
    room = _LEAST_KNOTS
    while room < len(knots):
        room *= 2
    shares = [1.0 if gain is None else gain.share(knot) for knot in knots]
    tables = []
    for name in options._fields:
        values = list(stairs_at(stairs.get(name, ((0, getattr(options, name)),)), knots))
        if name in gains:
            values = [value * share for value, share in zip(values, shares, strict=True)]
        tables.append(np.array(values + values[-1:] * (room - len(values))))
    watch = Watch()
    if gain is not None and gain.shape == "plateau":
        watch = Watch(gain.patience, gain.factor, gain.last, gain.threshold, gain.cooldown)
    places = np.array([float(knot) for knot in knots] + [math.inf] * (room - len(knots)))
    return _tables_kind(tuple(options._fields))(*tables, places, *watch)
