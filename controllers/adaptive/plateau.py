"""Plateau: the gain or the difficulty is cut when progress stalls.

cut = 0: the gain. Outcomes are taken in windows of `patience`; a window whose mean error is not nearer to zero than the
best so far cuts the gain by `factor`, down to `floor`. It is how training runs lower a learning rate.
cut = 1: the difficulty. After `patience` attempts in a row without a win or new progress, it is cut by `factor`, down
to `floor`: the mercy rule of many games. The gain stays.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.dial_bounds import inside
from controllers.common.gain import PROGRESS, SCALING, error_of, gain_for, gap_after
from engine.controller import Bounds, ControllerKind, Observation, Option, Rule, Situation


class Options(NamedTuple):
    gain: float = 0.1
    cut: float = 0.0
    patience: float = 10.0
    factor: float = 0.6
    floor: float = 0.02
    start: float = 0.5
    scaling: float = 0.0
    progress: float = 0.0


class State(NamedTuple):
    difficulty: float
    gain: float
    waited: float  # outcomes of the present window, or attempts without getting further
    total: float  # sum of errors in the present window
    best: float  # smallest mean error of a window, or furthest progress since the last win or cut
    n: float  # outcomes so far; those that came together count as one
    gap: float  # mean of progress minus win


def start(options: Options, target: float) -> State:
    return State(options.start, options.gain, 0.0, 0.0, 1.0 if options.cut < 0.5 else 0.0, 0.0, 0.0)


def ask(options: Options, state: State, situation: Situation) -> float:
    return state.difficulty


def cut_down(value: float, options: Options) -> float:
    """The value after a cut; the floor stops cuts but raises nothing."""
    return min(value, max(value * options.factor, options.floor))


def tell(options: Options, state: State, seen: Observation) -> State:
    n = state.n + 1.0
    gap = gap_after(state.gap, n, seen)
    error = error_of(seen, options.progress, gap)
    gain = state.gain
    moved = min(max(state.difficulty + gain_for(gain, seen.weight, options.scaling) * error, 0.0), 1.0)
    waited = state.waited + 1.0
    total = state.total + error
    best = state.best
    if options.cut < 0.5:
        if waited >= options.patience:
            mean = abs(total) / waited
            if mean < best:
                best = mean
            else:
                gain = cut_down(gain, options)
            waited = 0.0
            total = 0.0
    else:
        total = 0.0
        if seen.won > 0.0:
            waited = 0.0
            best = 0.0
        elif seen.progress > best:
            waited = 0.0
            best = seen.progress
        elif waited >= options.patience:
            moved = cut_down(moved, options)
            waited = 0.0
            best = 0.0
    return State(moved, gain, waited, total, best, n, gap)


def anti_windup(options: Options, state: State, bounds: Bounds) -> State:
    return State(
        inside(state.difficulty, bounds), state.gain, state.waited, state.total, state.best, state.n, state.gap
    )


CONTROLLER: Final = ControllerKind(
    name="plateau",
    mode="adaptive",
    summary="Cuts its gain, or the difficulty itself, by a factor whenever progress stalls for too long.",
    formula="d <- clip(d + gain (won - target), 0, 1); cut = 0: gain <- max(factor gain, floor) after `patience` "
    "outcomes whose mean error beats no earlier one; cut = 1: d <- max(factor d, floor) after `patience` attempts "
    "without a win or new best progress",
    source="reduction on plateau as in PyTorch's ReduceLROnPlateau and Keras; the cut of difficulty is ours",
    use="cut = 0 for a quick start and a quiet end without a schedule. A gain once cut stays small, so not where "
    "skill jumps. cut = 1 where being stuck is the worst case. It settles at an easier difficulty than the target's.",
    options=Options,
    option_list=(
        Option("gain", 0.0, 1.0, "first gain: change of difficulty per unit of error and outcome"),
        Option("cut", 0.0, 1.0, "what is cut: 0 the gain, 1 the difficulty"),
        Option("patience", 1.0, 1000.0, "outcomes in a window, or attempts without new best progress, before a cut"),
        Option("factor", 0.05, 1.0, "factor that is left after a cut"),
        Option("floor", 0.0, 1.0, "limit of cuts: the smallest gain, or the lowest difficulty"),
        Option("start", 0.0, 1.0, "difficulty of the first attempt"),
        SCALING,
        PROGRESS,
    ),
    rule=Rule(start, ask, tell, beliefs=("difficulty", "gain"), anti_windup=anti_windup),
    scopes=("player", "cohort", "everyone"),
    gains=("gain", "floor"),
    belief_units={"gain": "dial"},
)
