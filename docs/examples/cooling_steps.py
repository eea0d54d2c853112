"""Steps that cool down: long while a player is new, short once the level suits them. A whole controller."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    step: float = 0.3
    shortest: float = 0.04


class State(NamedTuple):
    difficulty: float
    told: float  # outcomes so far


def start(options: Options, target: float) -> State:
    return State(0.4, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    step = max(options.step / (1.0 + 0.2 * state.told), options.shortest)
    return State(min(max(state.difficulty + step * (seen.won - seen.target), 0.0), 1.0), state.told + seen.weight)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(min(max(state.difficulty, bounds.floor), bounds.ceiling), state.told)


CONTROLLER: Final = ControllerKind(
    name="cooling_steps", mode="adaptive", summary="Steps that get shorter with every outcome, down to a floor.",
    formula="d <- clip(d + max(step / (1 + n / 5), shortest) (won - target), 0, 1)", source="none", use="To copy.",
    options=Options, rule=Rule(start, ask, tell, ("difficulty",), None, anti_windup), gains=("step", "shortest"),
    option_list=(Option("step", 0.0, 1.0, "the first step"), Option("shortest", 0.0, 1.0, "the last step")),
)  # fmt: skip
