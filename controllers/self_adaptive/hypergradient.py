"""Hypergradient: a rule that learns its own gain, longer where errors agree, shorter where they alternate.

The error of one step, seen as a function of the gain of the step before, has the derivative -e e_before times a
positive slope: two errors of one sign say that the last step was too short, two of different signs that it was too
long. In a steady world, errors after such steps alternate a little more than by chance. So the gain falls until what is
left to learn balances that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    gain: float = 0.05
    hyper: float = 0.5
    floor: float = 0.01
    ceiling: float = 0.15
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    gain: float
    error: float  # of the outcome before; 0 before the first


def start(options: Options, target: float) -> State:
    return State(options.start, options.gain, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    error = seen.won - seen.target
    # Baydin et al. 2018, the multiplicative rule; errors are below 1 in size, so they need no norm.
    grown = state.gain * (1.0 + options.hyper * error * state.error)
    gain = min(max(grown, min(options.floor, options.gain)), max(options.ceiling, options.gain))
    moved = state.difficulty + gain_for(gain, seen.weight, options.scaling) * error
    return State(min(max(moved, 0.0), 1.0), gain, error)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.gain, state.error)


CONTROLLER: Final = ControllerKind(
    name="hypergradient",
    mode="self_adaptive",
    summary="Learns its own gain from whether an error agrees with the last: needs no tuning, but learns it slowly.",
    formula="gain <- clip(gain (1 + hyper e e_before), floor, ceiling), d <- clip(d + gain e, 0, 1), e = won - target",
    source="Baydin et al. 2018, Online learning rate adaptation with hypergradient descent (multiplicative rule)",
    use="Where the right gain is unknown and may change. One pair of outcomes says almost nothing about a gain: it "
    "does not settle within 200 attempts of one player. Late outcomes agree for too long, so it swings.",
    options=Options,
    option_list=(
        Option("gain", 0.0, 1.0, "first gain: change of difficulty per unit of error and outcome"),
        Option("hyper", 0.0, 0.9, "relative change of the gain per unit of the product of two errors"),
        Option("floor", 0.0, 1.0, "smallest gain, unless the first one is smaller"),
        Option("ceiling", 0.0, 1.0, "largest gain, unless the first one is larger"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "gain"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("gain",),
    belief_units={"gain": "dial"},
)
