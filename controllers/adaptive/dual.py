"""Dual: difficulty as the learned multiplier of the constraint "win rate = target", stepped by Adam.

Soft actor-critic keeps a policy's entropy at a set point by a multiplier. Gradient steps raise it while the constraint
is broken on one side, and lower it on the other. Here the constraint is the win rate and the multiplier is the
difficulty.

Adam divides an error by a mean square that contains this error. Of win and loss the rarer is the larger error, so it
shrinks more, and the win rate settles at .915 for .95. Here each error is divided by the mean square of the errors
before it (Zhou et al. 2019), at least by the variance of an outcome at the target. The mean step is zero exactly where
the win probability is the target.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    lr: float = 0.01
    beta1: float = 0.5
    beta2: float = 0.9
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    mean: float  # exponential mean of the error over its size, from 0
    square: float  # exponential mean of the error's square, from the variance at the target
    left: float  # beta1^n: what of `mean` is still the 0 it began with


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, target * (1.0 - target), 1.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    error = seen.won - seen.target
    size = math.sqrt(max(state.square, seen.target * (1.0 - seen.target)))
    mean = options.beta1 * state.mean + (1.0 - options.beta1) * error / size
    square = options.beta2 * state.square + (1.0 - options.beta2) * error * error
    left = options.beta1 * state.left
    moved = state.difficulty + gain_for(options.lr, seen.weight, options.scaling) * mean / (1.0 - left)
    return State(min(max(moved, 0.0), 1.0), mean, square, left)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.mean, state.square, state.left)


CONTROLLER: Final = ControllerKind(
    name="dual",
    mode="adaptive",
    summary="The multiplier that soft actor-critic learns, with steps like Adam's: a retuned up-down with momentum.",
    formula="d <- clip(d + lr M, 0, 1), M the bias-corrected exponential mean (beta1) of e / sqrt(max(V, target (1 - "
    "target))), V the exponential mean (beta2) of e^2 before this outcome, e = won - target",
    source="Haarnoja et al. 2018, Soft actor-critic algorithms and applications, section 5; Kingma and Ba 2015, Adam; "
    "squares of earlier errors: Zhou et al. 2019, AdaShift",
    use="To compare with what machine learning engineers try first. Momentum finds nothing in one bit per step.",
    options=Options,
    option_list=(
        Option("lr", 0.0, 1.0, "size of a step of difficulty"),
        Option("beta1", 0.0, 0.99, "memory of the mean error"),
        Option("beta2", 0.0, 0.9999, "memory of the mean square of the error"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty",), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("lr",),
)
