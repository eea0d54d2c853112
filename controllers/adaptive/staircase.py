"""Staircase: weighted steps out of a list, one further down the list after each reversal."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for, reversal, sign_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    step1: float = 0.2
    step2: float = 0.1
    step3: float = 0.05
    step4: float = 0.03
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    reversals: float
    sign: float  # of the last error: -1, 1; 0 before the first


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def step_after(options: Options, reversals: float) -> float:
    """The list's step after so many reversals; the last one stays."""
    if reversals >= 3.0:
        return options.step4
    if reversals >= 2.0:
        return options.step3
    return options.step2 if reversals >= 1.0 else options.step1


def tell(options: Options, state: State, seen: Observation) -> State:
    error = seen.won - seen.target
    reversals = state.reversals + reversal(state.sign, error)
    step = gain_for(step_after(options, reversals), seen.weight, options.scaling)
    moved = min(max(state.difficulty + step * error, 0.0), 1.0)
    return State(moved, reversals, sign_after(state.sign, error))


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.reversals, state.sign)


CONTROLLER: Final = ControllerKind(
    name="staircase",
    mode="adaptive",
    summary="Four steps, each shorter than the last, changed at the first three reversals: fast start, noisy end.",
    formula="d <- clip(d + step_k (won - target), 0, 1), k = 1 + min(R, 3), R = changes of sign of the error so far",
    source="step lists of psychophysics as in PsychoPy's StairHandler, Peirce et al. 2019; weights: Kaernbach 1991",
    use="For a quick start with a well-known method. Later it is as noisy as a constant gain, and poor with late "
    "outcomes.",
    options=Options,
    option_list=(
        Option("step1", 0.0, 1.0, "step until the first reversal: up and down together"),
        Option("step2", 0.0, 1.0, "step from the first reversal on"),
        Option("step3", 0.0, 1.0, "step from the second reversal on"),
        Option("step4", 0.0, 1.0, "step from the third reversal on"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "reversals"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("step1", "step2", "step3", "step4"),
    belief_units={"reversals": "1"},
)
