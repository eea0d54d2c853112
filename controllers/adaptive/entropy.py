"""Entropy: keeps the unpredictability of the outcome at a set point, by multiplying the odds of the difficulty.

For a player who always wins, and for one who always loses, the end is certain: the outcome's entropy
H(p) = -p log2 p - (1 - p) log2(1 - p) is 0 bits, and 1 bit where p = 1/2. The set point is the entropy at the target.
Entropy does not say on which side of 1/2 a player stands, and is flat there. The rule therefore controls

    r(p) = sign(p - 1/2) sqrt(1 - H(p)),

the root of what is missing to one bit, with its side: it runs from -1 (sure to lose) to 1 (sure to win), near 1/2
in a straight line. r(p) = r(target) only at p = target, where H(p) = H(target).

r bends, and an estimate p + noise would settle where the mean of r is right and p is not (Jensen): at .940 for .95. So
the estimate decides how far a step goes, and the outcome which way: a step is the slope of r between the target and the
estimate before this outcome, times won - target. It is zero on average exactly where p = target.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for
from engine.arithmetic import exp, log
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation

BITS_PER_NAT: Final = 1.4426950408889634
RAREST: Final = 1e-6  # probabilities are taken to lie this far within 0 and 1
NEAREST: Final = 1e-3  # of an estimate to the target, where its slope is taken: nearer, digits would cancel
HIGHEST_ODDS: Final = 20.0  # odds from 1 : 20 to 20 : 1 are spread over the whole dial, ends included
EASIEST: Final = 1.0 / (1.0 + HIGHEST_ODDS)


class Options(NamedTuple):
    gain: float = 0.07
    memory: float = 0.2
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    excess: float  # exponential mean of won - target


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def predictability(chance: float) -> float:
    """r(p): the root of the bits missing to one, negative where losing is the likelier end."""
    p = min(max(chance, RAREST), 1.0 - RAREST)
    bits = -(p * log(p) + (1.0 - p) * log(1.0 - p)) * BITS_PER_NAT
    missing = math.sqrt(max(1.0 - bits, 0.0))
    return missing if p > 0.5 else -missing


def steepness(target: float, excess: float) -> float:
    """Slope of r between the target and the estimate, which is not taken nearer to it than NEAREST."""
    off = max(excess, NEAREST) if excess >= 0.0 else min(excess, -NEAREST)
    estimate = min(max(target + off, RAREST), 1.0 - RAREST)
    if abs(estimate - target) < 0.5 * NEAREST:  # a target at the very end: the other side has room
        estimate = target - off
    return (predictability(estimate) - predictability(target)) / (estimate - target)


def tell(options: Options, state: State, seen: Observation) -> State:
    error = seen.won - seen.target
    gain = gain_for(options.gain, seen.weight, options.scaling) * steepness(seen.target, state.excess)
    share = EASIEST + (1.0 - 2.0 * EASIEST) * state.difficulty
    odds = share / (1.0 - share) * exp(gain * error)
    moved = (odds / (1.0 + odds) - EASIEST) / (1.0 - 2.0 * EASIEST)
    return State(min(max(moved, 0.0), 1.0), state.excess + options.memory * (error - state.excess))


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.excess)


CONTROLLER: Final = ControllerKind(
    name="entropy",
    mode="adaptive",
    summary="Keeps the outcome's entropy, in bits, at that of the target by multiplying the odds of the difficulty.",
    formula="odds <- odds exp(gain (r(target + E) - r(target)) / E (won - target)), r(p) = sign(p - 1/2) sqrt(1 - "
    "H(p)), E <- E + memory (won - target - E) after that, d = odds / (1 + odds) stretched over the dial",
    source="entropy: Shannon 1948; its set point: Haarnoja et al. 2018; multiplicative steps: Kivinen and Warmuth 1997",
    use="Where a designer thinks in suspense rather than in win rates. Its steps are longer where "
    "outcomes are surer. Near even odds it is the weighted up-down.",
    options=Options,
    option_list=(
        Option("gain", 0.0, 1.0, "logarithm of the odds per unit of missing entropy and outcome"),
        Option("memory", 0.01, 1.0, "weight of the newest outcome in the estimate of the win rate"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "excess"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("gain",),
    belief_units={"excess": "1"},
)
