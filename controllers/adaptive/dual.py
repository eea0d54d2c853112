"""Dual: difficulty as the learned multiplier of the constraint "win rate = target", stepped by Adam.

Soft actor-critic keeps a policy's entropy at a set point by a multiplier. Gradient steps raise it while the constraint
is broken on one side, and lower it on the other. Here the constraint is the win rate and the multiplier is the
difficulty.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.gain import SCALING, gain_for
from engine.controller import ControllerKind, Observation, Option, Rule, Situation

EPSILON: Final = 1e-8


class Options(NamedTuple):
    lr: float = 0.01
    beta1: float = 0.5
    beta2: float = 0.9
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    mean: float  # exponential mean of the error, from 0
    square: float  # exponential mean of its square, from 0
    left1: float  # beta1^n: what of `mean` is still the 0 it began with
    left2: float


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, 0.0, 1.0, 1.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    error = seen.won - seen.target
    mean = options.beta1 * state.mean + (1.0 - options.beta1) * error
    square = options.beta2 * state.square + (1.0 - options.beta2) * error * error
    left1 = options.beta1 * state.left1
    left2 = options.beta2 * state.left2
    # Kingma and Ba 2015, algorithm 1
    step = (mean / (1.0 - left1)) / (math.sqrt(square / (1.0 - left2)) + EPSILON)
    moved = state.difficulty + gain_for(options.lr, seen.weight, options.scaling) * step
    return State(min(max(moved, 0.0), 1.0), mean, square, left1, left2)


CONTROLLER: Final = ControllerKind(
    name="dual",
    mode="adaptive",
    summary="The multiplier that soft actor-critic learns, with Adam's steps: a retuned up-down, slightly too hard.",
    formula="d <- clip(d + lr M / (sqrt(V) + 1e-8), 0, 1), M and V the bias-corrected exponential means of e and e^2 "
    "with beta1 and beta2, e = won - target",
    source="Haarnoja et al. 2018, Soft actor-critic algorithms and applications, section 5; Kingma and Ba 2015, Adam",
    use="To compare with what machine learning engineers try first. The normalised step settles slightly too hard. It "
    "also wastes the information in many outcomes at once.",
    options=Options,
    option_list=(
        Option("lr", 0.0, 1.0, "size of a step of difficulty"),
        Option("beta1", 0.0, 0.99, "memory of the mean error"),
        Option("beta2", 0.0, 0.9999, "memory of the mean square of the error"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty",)),
    scopes=("player", "cohort", "everyone"),
    gains=("lr",),
)
