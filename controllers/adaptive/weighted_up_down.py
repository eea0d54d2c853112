"""Weighted up-down: the classic staircase with steps that balance exactly at the target."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    step: float = 0.05
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float


def start(options: Options, target: float) -> State:
    return State(options.start)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    step = gain_for(options.step, seen.weight, options.scaling)
    moved = state.difficulty + step * (seen.won - seen.target)  # Kaernbach 1991: up s(1-T), down s T
    return State(min(max(moved, 0.0), 1.0))


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds))


CONTROLLER: Final = ControllerKind(
    name="weighted_up_down",
    mode="adaptive",
    summary="Steps up after a win and down after a loss, balanced at the target: simple, tracks slow change, noisy.",
    formula="d <- clip(d + step (won - target), 0, 1)",
    source="Kaernbach 1991, Simple adaptive testing with the weighted up-down method",
    use="A well-known baseline. About twice the error of a filter where nothing changes, and poor with late outcomes.",
    options=Options,
    option_list=(
        Option("step", 0.0, 1.0, "sum of the step up after a win and the step down after a loss"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("step",),
)
