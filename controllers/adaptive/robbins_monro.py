"""Robbins-Monro: stochastic approximation, steps that shrink as one over the number of outcomes, down to a floor."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import PROGRESS, SCALING, error_of, gain_for, gap_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    c: float = 0.8
    n0: float = 3.0
    floor: float = 0.02
    start: float = 0.5
    scaling: float = 0.0
    progress: float = 0.0


class State(NamedTuple):
    difficulty: float
    n: float  # outcomes so far; those that came together count as one
    gap: float  # mean of progress minus win


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    gap = gap_after(state.gap, n, seen)
    gain = gain_for(max(options.c / (n + options.n0), options.floor), seen.weight, options.scaling)
    moved = state.difficulty + gain * error_of(seen, options.progress, gap)
    return State(min(max(moved, 0.0), 1.0), n, gap)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.n, state.gap)


CONTROLLER: Final = ControllerKind(
    name="robbins_monro",
    mode="adaptive",
    summary="Steps that shrink with every outcome down to a floor: the best rule here without a player model.",
    formula="d <- clip(d + max(c / (n + n0), floor) (won - target), 0, 1), n = 1 for the first outcome",
    source="Robbins and Monro 1951, A stochastic approximation method; the floor is ours",
    use="Where no player model is wanted. With floor = 0 (the classic rule), only where skill is constant. It loses "
    "much of its advantage when outcomes arrive late.",
    options=Options,
    option_list=(
        Option("c", 0.0, 10.0, "numerator of the gain; best near one over the slope of win probability at the target"),
        Option("n0", 0.0, 1000.0, "outcomes added to n: keeps the first steps short"),
        Option("floor", 0.0, 1.0, "smallest gain; 0 is the classic rule, which stops adapting"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
        PROGRESS,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty",), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("c", "floor"),
)
