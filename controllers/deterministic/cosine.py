"""Cosine: like the ramp, but gentle at both ends."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.controller import ControllerKind, Observation, Option, Rule, Situation

QUARTER_TURN: Final = 1.5707963267948966


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0


class State(NamedTuple):
    difficulty: float  # of the attempt heard of last


def start(options: Options, target: float) -> State:
    return State(options.start)


def half_wave(share: float) -> float:
    """(1 - cos(pi share)) / 2 for share in [0, 1], error below 1e-15, the same bits on every machine.

    It is sin(pi share / 2) squared; the sine is its Taylor series of degree 21, whose next term is below 2e-18.
    """
    x = QUARTER_TURN * share
    z = x * x
    sine = 1.0
    for k in range(10, 0, -1):
        sine = 1.0 - sine * z / (2.0 * k * (2.0 * k + 1.0))
    sine = sine * x
    return min(sine * sine, 1.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    share = min(situation.attempt / (options.length - 1.0), 1.0)
    return options.start + (options.end - options.start) * half_wave(share)


def tell(options: Options, state: State, seen: Observation) -> State:
    return State(seen.difficulty)


CONTROLLER: Final = ControllerKind(
    name="cosine",
    mode="deterministic",
    summary="A half cosine wave from one difficulty to another over a player's attempts, deaf to outcomes.",
    formula="d = end + (start - end) (1 + cos(pi u)) / 2 with u = min(attempt / (length - 1), 1)",
    source="cosine annealing as a schedule, Loshchilov and Hutter 2017; deterministic parameter control",
    use="As a baseline with a slow start and a slow finish, where a ramp's corners would be noticed.",
    options=Options,
    option_list=(
        Option("start", 0.0, 1.0, "difficulty of a player's first attempt"),
        Option("end", 0.0, 1.0, "difficulty from attempt number `length` on"),
        Option("length", 2.0, 1000000.0, "attempts from the first to the end of the wave, both included"),
    ),
    rule=Rule(start, ask, tell),
)
