"""Entropy: keeps the unpredictability of the outcome at a set point, by multiplying the odds of the difficulty.

For a player who always wins, and for one who always loses, the end is certain: the outcome's entropy
H(p) = -p log2 p - (1 - p) log2(1 - p) is 0 bits, and 1 bit where p = 1/2. The set point is the entropy at the target.
Entropy does not say on which side of 1/2 a player stands, and is flat there. The rule therefore controls

    r(p) = sign(p - 1/2) sqrt(1 - H(p)),

the root of what is missing to one bit, with its side: it runs from -1 (sure to lose) to 1 (sure to win), near 1/2
in a straight line. r(p) = r(target) only at p = target, where H(p) = H(target).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.gain import SCALING, gain_for
from engine.arithmetic import exp, log
from engine.controller import ControllerKind, Observation, Option, Rule, Situation

BITS_PER_NAT: Final = 1.4426950408889634
RAREST: Final = 1e-6  # probabilities are taken to lie this far within 0 and 1
HIGHEST_ODDS: Final = 20.0  # odds from 1 : 20 to 20 : 1 are spread over the whole dial, ends included
EASIEST: Final = 1.0 / (1.0 + HIGHEST_ODDS)


class Options(NamedTuple):
    gain: float = 0.07
    memory: float = 0.2
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    odds: float  # of the dial
    excess: float  # exponential mean of won - target


def start(options: Options, target: float) -> State:
    share = EASIEST + (1.0 - 2.0 * EASIEST) * options.start
    return State(share / (1.0 - share), 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    share = state.odds / (1.0 + state.odds)
    return min(max((share - EASIEST) / (1.0 - 2.0 * EASIEST), 0.0), 1.0)


def predictability(chance: float) -> float:
    """r(p): the root of the bits missing to one, negative where losing is the likelier end."""
    p = min(max(chance, RAREST), 1.0 - RAREST)
    bits = -(p * log(p) + (1.0 - p) * log(1.0 - p)) * BITS_PER_NAT
    missing = math.sqrt(max(1.0 - bits, 0.0))
    return missing if p > 0.5 else -missing


def tell(options: Options, state: State, seen: Observation) -> State:
    excess = state.excess + options.memory * (seen.won - seen.target - state.excess)
    off = predictability(seen.target + excess) - predictability(seen.target)
    odds = state.odds * exp(gain_for(options.gain, seen.weight, options.scaling) * off)
    return State(min(max(odds, 1.0 / HIGHEST_ODDS), HIGHEST_ODDS), excess)


CONTROLLER: Final = ControllerKind(
    name="entropy",
    mode="adaptive",
    summary="Keeps the outcome's entropy, in bits, at that of the target by multiplying the odds of the difficulty.",
    formula="odds <- odds exp(gain (r(target + E) - r(target))), r(p) = sign(p - 1/2) sqrt(1 - H(p)), E <- E + memory "
    "(won - target - E), d = odds / (1 + odds) stretched over the dial",
    source="entropy: Shannon 1948; its set point: Haarnoja et al. 2018; multiplicative steps: Kivinen and Warmuth 1997",
    use="Where a designer thinks in suspense rather than in win rates. It is an integral rule with a lagging "
    "estimate, slower than the plain gain rules. It overshoots when its gain is large compared with its memory.",
    options=Options,
    option_list=(
        Option("gain", 0.0, 1.0, "logarithm of the odds per unit of missing entropy and outcome"),
        Option("memory", 0.01, 1.0, "weight of the newest outcome in the estimate of the win rate"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("odds", "excess")),
    scopes=("player", "cohort", "everyone"),
    gains=("gain",),
    belief_units={"odds": "1", "excess": "1"},
)
