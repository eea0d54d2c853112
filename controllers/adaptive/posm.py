"""POSM: partially ordered set master, a belief about which difficulty is just right, halved wherever it proves wrong.

A win says that the difficulty was too low, and with it every lower one: their weights are multiplied by a factor below
1; a loss does so to every higher one. It plays the difficulty with the most weight on its lighter side, so every
outcome removes as much weight as can be guaranteed. The method was published for "just right"; here exponents with the
target move the balance to the target win rate. It needs only an order, and keeps its regret bound even against a player
who tries to mislead it. A named baseline.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from controllers.common.dial_bounds import inside
from controllers.common.particles import Numbers
from engine.arithmetic import exp, log
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation

SETTINGS: Final = 41  # 0, 0.025 ... 1
HALF_STEP: Final = 0.5 / (SETTINGS - 1)
NEAR: Final = 1e-9  # how much of a difficulty is rounding


class Options(NamedTuple):
    beta: float = 0.9
    floor: float = 1e-6
    scaling: float = 0.0


class State(NamedTuple):
    weight: Numbers  # of each setting; their sum is about 1, `tell` makes it so
    difficulty: float  # the setting that is played next


def middle(weight: Numbers) -> float:
    """The setting with the most weight on its lighter side, itself included on both."""
    above = 0.0
    for i in range(SETTINGS):
        above += weight[i]
    below = 0.0
    best = 0
    most = -1.0
    for i in range(SETTINGS):
        below += weight[i]
        lighter = min(below, above)
        if lighter > most:
            best = i
            most = lighter
        above -= weight[i]
    return best / (SETTINGS - 1)


def start(options: Options, target: float) -> State:
    weight = np.full(SETTINGS, 1.0 / SETTINGS)
    return State(weight, middle(weight))


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    if not seen.weight > 0.0:
        return state
    count = exp(options.scaling * log(seen.weight))
    won = exp(count * seen.won * 2.0 * (1.0 - seen.target) * log(options.beta))
    lost = exp(count * (1.0 - seen.won) * 2.0 * seen.target * log(options.beta))
    weight = state.weight.copy()
    whole = 0.0
    for i in range(SETTINGS):
        place = i / (SETTINGS - 1)
        if place <= seen.difficulty + NEAR:
            weight[i] *= won
        if place >= seen.difficulty - NEAR:
            weight[i] *= lost
        whole += weight[i]
    for i in range(SETTINGS):
        weight[i] = max(weight[i] / whole, options.floor)
    return State(weight, middle(weight))


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    """Settings that the dial does not reach have no weight; the two nearest to it may lie half a step beyond."""
    if bounds.floor <= 0.0 and bounds.ceiling >= 1.0:
        return state
    weight = state.weight.copy()
    for i in range(SETTINGS):
        place = i / (SETTINGS - 1)
        if place < bounds.floor - HALF_STEP or place > bounds.ceiling + HALF_STEP:
            weight[i] = 0.0
    return State(weight, inside(middle(weight), bounds))


CONTROLLER: Final = ControllerKind(
    name="posm",
    mode="adaptive",
    summary="Multiplicative weights on an ordered set of settings: as good as the classic up-down, and as jittery.",
    formula="play the i of largest min(sum of w_j, j <= i; sum of w_j, j >= i); a win: w_i beta^(2 (1 - target)) for "
    "all up to the difficulty played; a loss: w_i beta^(2 target) for all from it; normalise, floor",
    source="Missura and Gaertner 2011, Predicting dynamic difficulty, NIPS; the exponents with the target are ours",
    use="Where only the order of settings is known, or players may try to mislead the rule. Elsewhere kalman is "
    "nearer to the target. Weights are learnt for one target, so not where targets differ between levels.",
    options=Options,
    option_list=(
        Option("beta", 0.01, 0.999, "factor that a wrong setting's weight takes per outcome at target 0.5"),
        Option("floor", 1e-12, 0.01, "smallest weight: how soon an excluded setting can return"),
        Option("scaling", 0.0, 1.0, "weight of several outcomes in a step: this power of their number; 0: one outcome"),
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty",), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
)
