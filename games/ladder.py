"""Ladder: numbered levels of known difficulty, for players who were fitted to the plays of a real game.

The rules
---------
One tick, one draw. A player of skill s and slope a wins a level with probability

    p = guess + (1 - guess - lapse) / (1 + exp(-a (s + help - level_difficulty)))

`level_difficulty` is meant to be given for each level ([levels] params), as `flowdial calibrate` writes it. `help` is
what a designer can do about a level: the dial moves it, and 0 is the game as it was played. Skill, help and difficulty
share a unit: logits where the slope is 1. Reaction times and slips have no effect: the game is abstract. Each attempt
counts as 30 s of play.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.arithmetic import logistic
from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniform

FAIL: Final = 0
PASS: Final = 1


class Params(NamedTuple):
    level_difficulty: float
    help: float
    guess: float


class Level(NamedTuple):
    """There is no layout."""

    size: int


class State(NamedTuple):
    luck: float  # uniform in [0, 1): the attempt is won when it lies below the win probability
    result: int  # RUNNING, WON or LOST


def win_probability(params: Params, faculties: Faculties) -> float:
    """The closed form, for a player in their current condition."""
    return params.guess + (1.0 - params.guess - faculties.lapse) * logistic(
        faculties.slope * (faculties.skill + params.help - params.level_difficulty)
    )


def build(params: Params, key: Key) -> Level:
    return Level(1)


def start(params: Params, level: Level, key: Key) -> State:
    return State(uniform(key, 0), RUNNING)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return PASS if state.luck < win_probability(params, faculties) else FAIL


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    return State(state.luck, WON if action == PASS else LOST)


def status(params: Params, level: Level, state: State) -> int:
    return state.result


def progress(params: Params, level: Level, state: State) -> float:
    """How near the draw came to a win: 1 when won, otherwise 1 minus the draw."""
    return 1.0 if state.result == WON else 1.0 - state.luck


def cause(params: Params, level: Level, state: State) -> int:
    return 0


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    role = "good" if state.result == WON else "danger" if state.result == LOST else "neutral"
    rung = min(max((params.level_difficulty - params.help + 6.0) / 12.0, 0.0), 1.0)
    return [
        Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky"),
        Shape("rect", 0.2, 0.1, 0.03, 0.8, "far"),
        Shape("rect", 0.35, 0.1, 0.03, 0.8, "far"),
        *(Shape("rect", 0.2, 0.15 + 0.1 * i, 0.18, 0.015, "far") for i in range(8)),
        Shape("rect", 0.17, 0.1 + 0.8 * rung, 0.24, 0.02, "goal"),
        Shape("circle", 0.29, 0.1 + 0.8 * (1.0 - state.luck), 0.05, 0.05, role),
        Shape("text", 0.5, 0.5, 0.0, 0.05, "text", f"difficulty {params.level_difficulty:.2f}"),
        Shape("text", 0.5, 0.4, 0.0, 0.05, "text", f"help {params.help:+.2f}"),
    ]


GAME: Final = Game(
    name="ladder",
    version=1,
    summary="Numbered levels of known difficulty, fitted to your telemetry by flowdial calibrate: not a game to play.",
    pace="abstract",
    tick_seconds=30.0,
    max_ticks=1,
    actions=("fail", "pass"),
    space=ParameterSpace(
        Knob("level_difficulty", -12.0, 12.0, 0.0, "skill unit", "skill at which the level is won half of the time"),
        Knob("help", -3.0, 3.0, 0.0, "skill unit", "what is added to every player's skill", harder="low"),
        Knob("guess", 0.0, 0.5, 0.0, "1", "chance of winning without any skill", harder="low"),
    ),
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
    keys={"space": PASS},
    win_probability=win_probability,
)
