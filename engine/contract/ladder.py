"""Ladder: the closed-form game of the controller contract, with knobs of every kind.

One tick: a player of skill s (as a difficulty) and slope a wins with probability 0.02 + 0.96 logistic(a (s - h)). The
hardness h is the mean position of the knobs that are not fixed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.arithmetic import log, logistic
from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.players import Distribution, distribution_table
from engine.randomness import Key, uniform

SPACE: Final = ParameterSpace(
    Knob("speed", 1.0, 3.0, 2.0),
    Knob("window_s", 0.1, 1.0, 0.5, harder="low", scale="log"),
    Knob("enemies", 1, 8, 4, scale="integer"),
    Knob("mode", default="calm", scale="choice", choices=("calm", "busy", "wild")),
    Knob("lives", 1, 3, 2, harder="low", scale="integer"),
    held={"lives": 2},
)
_LOG_RANGE: Final = 2.302585092994046  # log(1.0 / 0.1), of window_s


class Params(NamedTuple):
    """The knobs, as the rules see them."""

    speed: float
    window_s: float
    enemies: int
    mode: int
    lives: int


class Level(NamedTuple):
    """There is nothing to lay out."""

    size: int


class State(NamedTuple):
    """Before and after the one tick."""

    luck: float
    result: int


def win_probability(params: Params, faculties: Faculties) -> float:
    """The closed form."""
    speed = (params.speed - 1.0) / 2.0
    window = -log(params.window_s) / _LOG_RANGE
    hardness = (speed + window + (params.enemies - 1) / 7.0 + params.mode / 2.0) / 4.0
    return 0.02 + 0.96 * logistic(faculties.slope * (faculties.skill - hardness))


def build(params: Params, key: Key) -> Level:
    """Nothing to lay out."""
    return Level(1)


def start(params: Params, level: Level, key: Key) -> State:
    """The luck of the attempt."""
    return State(uniform(key, 0), RUNNING)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """1 to win."""
    return 1 if state.luck < win_probability(params, faculties) else 0


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    """The end."""
    return State(state.luck, WON if action == 1 else LOST)


def status(params: Params, level: Level, state: State) -> int:
    """The outcome."""
    return state.result


def progress(params: Params, level: Level, state: State) -> float:
    """1 when won, else the share of luck that was not used."""
    return 1.0 if state.result == WON else 1.0 - state.luck


def cause(params: Params, level: Level, state: State) -> int:
    """The only way to lose."""
    return 0


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    """No picture."""
    return []


LADDER: Final = Game(
    name="ladder",
    version=1,
    summary="Closed-form win probability in skill minus the mean position of the knobs.",
    pace="abstract",
    tick_seconds=30.0,
    max_ticks=1,
    actions=("fail", "solve"),
    space=SPACE,
    params=Params,
    causes=("failed",),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    win_probability=win_probability,
)
CLIMBERS: Final = distribution_table(
    {
        "skill": Distribution("normal", 0.5, 0.15),
        "slope": Distribution("fixed", 8.0),
        "learning": Distribution("fixed", 0.0),
        "fatigue": Distribution("fixed", 0.0),
    }
)
