"""Kesten: stochastic approximation whose steps shrink only when the error turns its sign.

The variant of Treutwein 1995: the step that answers the outcome which turns the sign is already the shorter one. By the
wording of 1958 it would be the next.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import SCALING, gain_for, reversal, sign_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    c: float = 0.4
    floor: float = 0.01
    start: float = 0.5
    scaling: float = 0.0


class State(NamedTuple):
    difficulty: float
    n: float  # outcomes so far; those that came together count as one
    reversals: float
    sign: float  # of the last error: -1, 1; 0 before the first


def start(options: Options, target: float) -> State:
    return State(options.start, 0.0, 0.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    error = seen.won - seen.target
    reversals = state.reversals + reversal(state.sign, error)
    divisor = n if n <= 2.0 else 2.0 + reversals  # one further only where the sign turns, this outcome included
    gain = gain_for(max(options.c / divisor, options.floor), seen.weight, options.scaling)
    moved = min(max(state.difficulty + gain * error, 0.0), 1.0)
    return State(moved, n, reversals, sign_after(state.sign, error))


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(inside(state.difficulty, bounds), state.n, state.reversals, state.sign)


CONTROLLER: Final = ControllerKind(
    name="kesten",
    mode="adaptive",
    summary="Steps stay long while outcomes agree and shrink with every reversal (Treutwein's variant), then freezes.",
    formula="d <- clip(d + gain (won - target), 0, 1); gain = max(c / n, floor) for n <= 2, then max(c / (2 + R), "
    "floor), R = changes of sign of the error so far, that of this outcome included",
    source="Kesten 1958, Accelerated stochastic approximation, in the variant of Treutwein 1995; Faes et al. 2007",
    use="Where players do not change, and for shared difficulty. Avoid it where outcomes arrive late: the sign then "
    "changes late, after the difficulty has moved far.",
    options=Options,
    option_list=(
        Option("c", 0.0, 10.0, "gain of the first step"),
        Option("floor", 0.0, 1.0, "smallest gain; 0 is the classic rule, which stops adapting"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "reversals"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("c", "floor"),
    belief_units={"reversals": "1"},
)
