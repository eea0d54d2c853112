"""Rules whose difficulty follows a shape over attempts, levels, sessions or days, and the options that they share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from controllers.common.dial_bounds import inside
from engine.controller import Bounds, Observation, Option, Rule, Situation
from engine.scheduling.shapes import share_done

LEVELS: Final = 1.0
SESSIONS: Final = 2.0
DAYS: Final = 3.0


class State(NamedTuple):
    difficulty: float  # of the attempt with the latest outcome


def time_of(clock: float, situation: Situation) -> float:
    """What the clock of a schedule shows, from 0: attempts, levels, sessions or days of the run."""
    kind = math.floor(clock + 0.5)
    if kind == LEVELS:
        return max(situation.level - 1.0, 0.0)
    if kind == SESSIONS:
        return float(situation.session)
    if kind == DAYS:
        return float(situation.day)
    return float(situation.attempt)


def schedule_rule(height: Callable[[Any, float], float]) -> Rule:
    """The rule whose difficulty is height(options, u); `length` of the options is the steps of its clock it takes."""

    def start(options: Any, target: float) -> State:
        return State(height(options, 0.0))

    def ask(options: Any, state: State, situation: Situation) -> float:
        return height(options, share_done(time_of(options.clock, situation), options.length))

    def tell(options: Any, state: State, seen: Observation) -> State:
        return State(seen.difficulty)

    def anti_windup(options: Any, state: State, bounds: Bounds) -> State:
        return State(inside(state.difficulty, bounds))

    return Rule(start, ask, tell, anti_windup=anti_windup)


# Options that deterministic controllers share.
START: Final = Option("start", 0.0, 1.0, "difficulty of a player's first attempt")
END: Final = Option("end", 0.0, 1.0, "difficulty from attempt number `length` on")
LENGTH: Final = Option(
    "length",
    2.0,
    1000000.0,
    "steps of the clock, such as attempts, from the first to the last of the shape, both included",
)
CLOCK: Final = Option(
    "clock",
    0.0,
    3.0,
    "what moves the shape: 0 attempts, 1 levels, 2 sessions of the player, 3 days of the run; a whole number",
)
PEAK: Final = Option("peak", 0.0, 1.0, "difficulty at the peak")
WARM_UP: Final = Option("warm_up", 0.0, 0.9, "share of the length until the peak")
KNOTS: Final = (
    Option("at1", 0.0, 1.0, "place of the first knot, as a share of the length"),
    Option("height1", 0.0, 1.0, "difficulty at the first knot"),
    Option("at2", 0.0, 1.0, "place of the second knot; not before the first"),
    Option("height2", 0.0, 1.0, "difficulty at the second knot"),
    Option("at3", 0.0, 1.0, "place of the third knot; not before the second"),
    Option("height3", 0.0, 1.0, "difficulty at the third knot"),
)
