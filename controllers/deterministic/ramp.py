"""Ramp: difficulty rises (or falls) in a straight line over a player's first attempts, whatever happens."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.controller import ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0


class State(NamedTuple):
    difficulty: float  # of the attempt heard of last


def start(options: Options, target: float) -> State:
    return State(options.start)


def ask(options: Options, state: State, situation: Situation) -> float:
    share = min(situation.attempt / (options.length - 1.0), 1.0)
    return options.start + (options.end - options.start) * share


def tell(options: Options, state: State, seen: Observation) -> State:
    return State(seen.difficulty)


CONTROLLER: Final = ControllerKind(
    name="ramp",
    mode="deterministic",
    summary="A straight line from one difficulty to another over a player's attempts, deaf to outcomes.",
    formula="d = start + (end - start) min(attempt / (length - 1), 1)",
    source="the difficulty curve drawn by hand; deterministic control of Eiben, Hinterding, Michalewicz 1999",
    use="As a baseline, and to sweep the whole dial once to see where players stand. It ignores who is playing.",
    options=Options,
    option_list=(
        Option("start", 0.0, 1.0, "difficulty of a player's first attempt"),
        Option("end", 0.0, 1.0, "difficulty from attempt number `length` on"),
        Option("length", 2.0, 1000000.0, "attempts from the first to the end of the ramp, both included"),
    ),
    rule=Rule(start, ask, tell),
)
