"""Doors: visitors look out of six doors, and the player greets them. A game of ticks with two knobs in seconds.

It is here for its flaw: a door opens and closes only when a tick ends, so `open_s` and `pause_s` act in whole ticks.
Between two steps nothing changes, and at a step win rates jump (engine.contract.game_stairs).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms

TICK_S: Final = 1.0 / 30.0
VISITORS: Final = 36
DOORS: Final = 6
MISTAKES: Final = 3  # strangers greeted that lose the attempt


class Params(NamedTuple):
    open_s: float
    pause_s: float
    quota: int
    strangers: float


class Level(NamedTuple):
    doors: Any  # int64 array, shape (VISITORS,)
    strange: Any  # int64 array, shape (VISITORS,): 1 for a stranger


class State(NamedTuple):
    clock_s: float  # since the last door closed
    visitor: int  # the next one, or the one who looks out
    greeted: int  # 1 once this visitor was greeted
    friends: int
    mistakes: int


def build(params: Params, key: Key) -> Level:
    doors, strange = np.zeros(VISITORS, np.int64), np.zeros(VISITORS, np.int64)
    for i in range(VISITORS):
        where, who, _, _ = uniforms(key, i)
        doors[i] = int(where * DOORS)
        strange[i] = 1 if i % 2 == 1 and who < params.strangers else 0
    return Level(doors, strange)


def start(params: Params, level: Level, key: Key) -> State:
    return State(0.0, 0, 0, 0, 0)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    if state.visitor >= VISITORS or state.clock_s < params.pause_s or state.greeted == 1:
        return 0
    return 0 if level.strange[state.visitor] == 1 else int(level.doors[state.visitor]) + 1


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    clock_s, visitor, greeted, friends, mistakes = state
    clock_s = clock_s + TICK_S
    seen = visitor < VISITORS and clock_s >= params.pause_s
    if seen and greeted == 0 and action == int(level.doors[min(visitor, VISITORS - 1)]) + 1:
        greeted = 1
        if level.strange[visitor] == 1:
            mistakes = mistakes + 1
        else:
            friends = friends + 1
    if clock_s >= params.pause_s + params.open_s:
        clock_s, visitor, greeted = 0.0, visitor + 1, 0
    return State(clock_s, visitor, greeted, friends, mistakes)


def status(params: Params, level: Level, state: State) -> int:
    if state.mistakes >= MISTAKES:
        return LOST
    if state.friends >= params.quota:
        return WON
    return RUNNING if state.visitor < VISITORS else LOST


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.friends / params.quota, 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return 0 if state.mistakes >= MISTAKES else 1


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "ground")]
    for door in range(DOORS):
        x, y = 0.2 + 0.3 * (door % 3), 0.3 + 0.35 * (door // 3)
        shapes.append(Shape("rect", x - 0.07, y - 0.1, 0.14, 0.2, "far"))
        looks = state.visitor < VISITORS and int(level.doors[min(state.visitor, VISITORS - 1)]) == door
        if looks and state.clock_s >= params.pause_s and state.greeted == 0:
            shapes.append(Shape("circle", x, y, 0.06, 0.06, "danger" if level.strange[state.visitor] == 1 else "goal"))
    return shapes


GAME: Final = Game(
    name="doors",
    version=1,
    summary="Greet friends at six doors, but no strangers: two knobs in seconds act in whole ticks.",
    pace="real_time",
    tick_seconds=TICK_S,
    max_ticks=30 * 300,
    actions=("wait", "one", "two", "three", "four", "five", "six"),
    space=ParameterSpace(
        Knob("open_s", 0.3, 1.5, 0.8, "s", "how long a visitor looks out", harder="low", scale="log"),
        Knob("pause_s", 0.1, 1.0, 0.4, "s", "time between visitors", harder="low", scale="log"),
        Knob("quota", 8, 26, 18, "1", "friends to greet", scale="integer"),
        Knob("strangers", 0.0, 0.6, 0.3, "1", "share of every second visitor who is a stranger"),
    ),
    params=Params,
    causes=("mistakes", "too few"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    keys={str(door): door for door in range(1, DOORS + 1)},
    how_to=("Greet visitors with the keys 1 to 6.",),
)
