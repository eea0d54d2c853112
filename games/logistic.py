"""Logistic: the game with a known answer, the oracle of every statistical test.

The rules
---------
One tick, one draw. A player of skill s and slope a wins with probability

    p = guess + (1 - guess - lapse) / (1 + exp(-a (s - difficulty)))

(the four-parameter logistic model of item response theory). `guess` is a knob of the game; `lapse` and the slope are
traits of the player. Skill and difficulty share a unit. Reaction times and slips have no effect: the game is abstract.
Each attempt counts as 30 s of play.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.arithmetic import logistic
from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniform

FAIL: Final = 0
SOLVE: Final = 1


class Params(NamedTuple):
    difficulty: float
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
        faculties.slope * (faculties.skill - params.difficulty)
    )


def build(params: Params, key: Key) -> Level:
    return Level(1)


def start(params: Params, level: Level, key: Key) -> State:
    return State(uniform(key, 0), RUNNING)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return SOLVE if state.luck < win_probability(params, faculties) else FAIL


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    return State(state.luck, WON if action == SOLVE else LOST)


def status(params: Params, level: Level, state: State) -> int:
    return state.result


def progress(params: Params, level: Level, state: State) -> float:
    """How near the draw came to a win: 1 when won, otherwise 1 minus the draw."""
    return 1.0 if state.result == WON else 1.0 - state.luck


def cause(params: Params, level: Level, state: State) -> int:
    return 0


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    role = "good" if state.result == WON else "danger" if state.result == LOST else "neutral"
    return [
        Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky"),
        Shape("rect", 0.1, 0.45, 0.8, 0.1, "far"),
        Shape("rect", 0.1 + 0.8 * state.luck - 0.005, 0.4, 0.01, 0.2, role),
        Shape("text", 0.1, 0.65, 0.0, 0.05, "text", f"difficulty {params.difficulty:.3f}"),
    ]


GAME: Final = Game(
    name="logistic",
    version=1,
    summary="Closed-form win probability in skill minus difficulty: the oracle for tests, not a game to play.",
    pace="abstract",
    tick_seconds=30.0,
    max_ticks=1,
    actions=("fail", "solve"),
    space=ParameterSpace(
        Knob("difficulty", -4.0, 4.0, 0.0, "skill unit", "skill at which the chance is halfway between its ends"),
        Knob("guess", 0.0, 0.5, 0.02, "1", "chance of winning without any skill", harder="low"),
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
    keys={"space": SOLVE},
    win_probability=win_probability,
)
