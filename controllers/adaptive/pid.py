"""PID: the engineer's controller, of the error, its sum and its change, with a sum that cannot wind up."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.gain import PROGRESS, SCALING, error_of, gain_for, gap_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    ki: float = 0.03
    kp: float = 0.1
    kd: float = 0.0
    alpha: float = 0.1
    start: float = 0.5
    scaling: float = 0.0
    progress: float = 0.0


class State(NamedTuple):
    integral: float  # on the dial, off the start
    error: float  # exponential mean of won - target
    before: float  # the same, one outcome earlier
    n: float  # outcomes so far; those that came together count as one
    gap: float  # mean of progress minus win


def start(options: Options, target: float) -> State:
    return State(0.0, 0.0, 0.0, 0.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    wanted = options.start + state.integral + options.kp * state.error + options.kd * (state.error - state.before)
    return min(max(wanted, 0.0), 1.0)


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    gap = gap_after(state.gap, n, seen)
    error = error_of(seen, options.progress, gap)
    ki = gain_for(options.ki, seen.weight, options.scaling)
    # Anti-windup: the sum alone never leaves the dial.
    integral = min(max(state.integral + ki * error, -options.start), 1.0 - options.start)
    smooth = state.error + options.alpha * (error - state.error)
    return State(integral, smooth, state.error, n, gap)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    integral = min(max(state.integral, bounds.floor - options.start), bounds.ceiling - options.start)
    return State(integral, state.error, state.before, state.n, state.gap)


CONTROLLER: Final = ControllerKind(
    name="pid",
    mode="adaptive",
    summary="Proportional, integral and derivative control of the error: only the integral helps, the rest is jitter.",
    formula="I <- clip(I + ki e, -start, 1 - start), E <- E + alpha (e - E), d = clip(start + I + kp E + kd (E - E "
    "before), 0, 1), e = won - target",
    source="Åström and Hägglund 1995, PID controllers; anti-windup by clipping the integral",
    use="To compare with what engineers try first. Attempts have no inertia, so kp = kd = 0 is better. Then it is "
    "weighted_up_down with step ki.",
    options=Options,
    option_list=(
        Option("ki", 0.0, 1.0, "integral gain: change of difficulty per unit of error and outcome"),
        Option("kp", 0.0, 2.0, "proportional gain: change of difficulty per unit of mean error"),
        Option(
            "kd",
            0.0,
            2.0,
            "derivative gain: change of difficulty per change of the mean error from one outcome to the next",
        ),
        Option("alpha", 0.01, 1.0, "weight of the newest outcome in the mean error"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
        PROGRESS,
    ),
    rule=Rule(start, ask, tell, beliefs=("integral", "error"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("ki", "kp", "kd"),
    belief_units={"integral": "dial", "error": "1"},
)
