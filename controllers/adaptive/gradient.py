"""Gradient: the optimisers of machine learning, walking along the dial.

Half the squared distance of the win probability from the target has the gradient (p - target) dp/dd along the dial. The
slope dp/dd is negative and unknown, so it goes into the gain, and won - target stands for p - target: the direction of
descent is e = won - target. `method` chooses what is made of e, `schedule` how the gain changes with outcomes.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import PROGRESS, SCALING, error_of, gain_for, gap_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation
from engine.scheduling.shapes import (
    cosine,
    exponential,
    knots_of,
    linear,
    one_cycle,
    piecewise,
    sawtooth,
    share_done,
    stairs,
    warm_up_cosine,
    warm_up_decay,
)

EPSILON: Final = 1e-8

SGD: Final = 0.0
MOMENTUM: Final = 1.0
NESTEROV: Final = 2.0
ADAGRAD: Final = 3.0
RMSPROP: Final = 4.0
ADAMW: Final = 5.0
LION: Final = 6.0

CONSTANT: Final = 0.0
LINEAR: Final = 1.0
COSINE: Final = 2.0
EXPONENTIAL: Final = 3.0
STEP: Final = 4.0
PIECEWISE: Final = 5.0
WARM_UP_COSINE: Final = 6.0
WARM_UP_DECAY: Final = 7.0
ONE_CYCLE: Final = 8.0
SAWTOOTH: Final = 9.0


class Options(NamedTuple):
    method: float = 0.0
    gain: float = 0.12
    schedule: float = 3.0
    first: float = 0.2
    last: float = 0.15
    length: float = 60.0
    warm_up: float = 0.1
    rate: float = 4.0
    teeth: float = 4.0
    at1: float = 0.25
    height1: float = 0.6
    at2: float = 0.5
    height2: float = 0.4
    at3: float = 0.75
    height3: float = 0.25
    beta1: float = 0.5
    beta2: float = 0.9
    decay: float = 0.0
    prior: float = 0.5
    clip: float = 1.0
    start: float = 0.5
    scaling: float = 0.0
    progress: float = 0.0


class State(NamedTuple):
    difficulty: float
    n: float  # outcomes so far; those that came together count as one
    mean: float  # exponential mean of e, from 0
    square: float  # sum (Adagrad) or exponential mean of e^2, from 0
    left1: float  # beta1^n: what of `mean` is still the 0 it began with
    left2: float
    gap: float  # mean of progress minus win


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def share_of_gain(options: Options, outcomes: float) -> float:
    """The height of the schedule, as a share of the gain, after so many outcomes."""
    u = share_done(outcomes, options.length)
    kind = math.floor(options.schedule + 0.5)
    if kind == LINEAR:
        return linear(u, 1.0, options.last)
    if kind == COSINE:
        return cosine(u, 1.0, options.last)
    if kind == EXPONENTIAL:
        return exponential(u, 1.0, options.last, options.rate)
    if kind in (STEP, PIECEWISE):
        knots = knots_of(options)
        return stairs(u, 1.0, options.last, knots) if kind == STEP else piecewise(u, 1.0, options.last, knots)
    if kind == WARM_UP_COSINE:
        return warm_up_cosine(u, options.first, 1.0, options.last, options.warm_up)
    if kind == WARM_UP_DECAY:
        return warm_up_decay(u, options.first, 1.0, options.last, options.warm_up)
    if kind == ONE_CYCLE:
        return one_cycle(u, options.first, 1.0, options.last, options.warm_up)
    if kind == SAWTOOTH:
        return sawtooth(u, 1.0, options.last, options.teeth, 0.0, 0.0)
    return 1.0


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    gap = gap_after(state.gap, n, seen)
    e = min(max(error_of(seen, options.progress, gap), -options.clip), options.clip)
    beta1 = options.beta1
    beta2 = options.beta2
    mean = beta1 * state.mean + (1.0 - beta1) * e
    square = beta2 * state.square + (1.0 - beta2) * e * e
    left1 = beta1 * state.left1
    left2 = beta2 * state.left2
    method = math.floor(options.method + 0.5)
    move = e
    if method == MOMENTUM:
        move = mean
    elif method == NESTEROV:
        move = beta1 * mean + (1.0 - beta1) * e
    elif method == ADAGRAD:
        square = state.square + e * e
        move = e / (math.sqrt(square) + EPSILON)
    elif method == RMSPROP:
        move = e / (math.sqrt(square) + EPSILON)
    elif method == ADAMW:
        move = (mean / (1.0 - left1)) / (math.sqrt(square / (1.0 - left2)) + EPSILON)
    elif method == LION:
        blend = mean  # beta1 weighs the step, beta2 the memory
        move = 1.0 if blend > 0.0 else -1.0 if blend < 0.0 else 0.0
        mean = beta2 * state.mean + (1.0 - beta2) * e
    gain = gain_for(options.gain * share_of_gain(options, state.n), seen.weight, options.scaling)
    moved = state.difficulty + gain * (move - options.decay * (state.difficulty - options.prior))
    return State(min(max(moved, 0.0), 1.0), n, mean, square, left1, left2, gap)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(
        inside(state.difficulty, bounds), state.n, state.mean, state.square, state.left1, state.left2, state.gap
    )


CONTROLLER: Final = ControllerKind(
    name="gradient",
    mode="adaptive",
    summary="Seven optimisers of machine learning, with any schedule of the gain: hardly better than plain steps.",
    formula="d <- clip(d + gain shape(n / (length - 1)) (move(e) - decay (d - prior)), 0, 1), e = won - target held "
    "within +-clip; move by method",
    source="momentum: Polyak 1964; Nesterov 1983; Adagrad: Duchi et al. 2011; RMSProp: Tieleman and Hinton 2012; "
    "AdamW: Loshchilov and Hutter 2019; Lion: Chen et al. 2023; clipping: Pascanu et al. 2013",
    use="To see the effect of an optimiser or a gain schedule. Momentum gains nothing from one bit per step. Adagrad "
    "is best where nothing changes and worst after a jump. Methods 4 to 6 need half the gain or less. Lion settles "
    "where wins equal losses, whatever the target.",
    options=Options,
    option_list=(
        Option(
            "method", 0.0, 6.0, "0 SGD, 1 momentum, 2 Nesterov, 3 Adagrad, 4 RMSProp, 5 AdamW, 6 Lion; a whole number"
        ),
        Option("gain", 0.0, 1.0, "change of difficulty per unit of the method's output, at the top of the schedule"),
        Option(
            "schedule",
            0.0,
            9.0,
            "shape of the gain: 0 constant, 1 linear, 2 cosine, 3 exponential, 4 step, 5 piecewise, 6 warm-up and "
            "cosine, 7 warm-up and decay, 8 one cycle, 9 sawtooth; a whole number",
        ),
        Option("first", 0.0, 1.0, "share of the gain at the start of schedules 6 to 8"),
        Option("last", 0.0, 1.0, "share of the gain at the end of every schedule except the constant one"),
        Option("length", 2.0, 1000000.0, "outcomes from the first to the end of the schedule"),
        Option("warm_up", 0.0, 0.49, "share of the length until the full gain, in schedules 6 to 8"),
        Option("rate", 0.0, 20.0, "e-folds of schedule 3 from its first to its last share"),
        Option("teeth", 1.0, 1000.0, "restarts of schedule 9, the first included; a whole number"),
        Option("at1", 0.0, 1.0, "first knot of schedules 4 and 5, as a share of the length"),
        Option("height1", 0.0, 1.0, "share of the gain at the first knot"),
        Option("at2", 0.0, 1.0, "second knot; not before the first"),
        Option("height2", 0.0, 1.0, "share of the gain at the second knot"),
        Option("at3", 0.0, 1.0, "third knot; not before the second"),
        Option("height3", 0.0, 1.0, "share of the gain at the third knot"),
        Option("beta1", 0.0, 0.999, "memory of the mean error, in methods 1, 2, 5 and 6"),
        Option("beta2", 0.0, 0.9999, "memory of the mean square in methods 4 and 5, of the mean error in method 6"),
        Option("decay", 0.0, 1.0, "decoupled pull towards the prior, per unit of gain"),
        Option("prior", 0.0, 1.0, "difficulty towards which `decay` pulls"),
        Option(
            "clip",
            0.01,
            2.0,
            "largest error that counts; below the larger of target and 1 - target it biases the result",
        ),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
        PROGRESS,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "mean"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("gain",),
    belief_units={"mean": "1"},
)
