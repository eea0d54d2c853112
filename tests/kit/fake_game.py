"""A small game that keeps every promise, made to be broken one promise at a time: climb five steps in ten turns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.arithmetic import logistic
from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniform

WAIT = 0
CLIMB = 1
STEPS = 5
TURNS = 10


class Params(NamedTuple):
    steepness: float
    wind: int


class Level(NamedTuple):
    height: int


class State(NamedTuple):
    luck: float  # of the next try
    height: int
    turns: int
    tracks: Any  # int64 array, shape (TURNS,): the height after each turn


def build(params: Params, key: Key) -> Level:
    return Level(STEPS)


def start(params: Params, level: Level, key: Key) -> State:
    return State(uniform(key, 0), 0, 0, np.zeros(TURNS, np.int64))


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    return CLIMB if state.luck < logistic(2.0 + faculties.skill - params.steepness - 0.2 * params.wind) else WAIT


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    height = state.height + (1 if action == CLIMB else 0)
    tracks = state.tracks.copy()
    tracks[state.turns] = height
    return State(uniform(key, tick + 1), height, state.turns + 1, tracks)


def status(params: Params, level: Level, state: State) -> int:
    if state.height >= level.height:
        return WON
    return LOST if state.turns >= TURNS else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.height / level.height, 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return 0 if state.height > 0 else 1


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    return [Shape("rect", 0.4, 0.1, 0.2, 0.8 * state.height / level.height, "player")]


GAME = Game(
    name="climb",
    version=1,
    summary="Climb five steps in ten turns.",
    pace="abstract",
    tick_seconds=1.0,
    max_ticks=20,
    actions=("wait", "climb"),
    space=ParameterSpace(Knob("steepness", 0.0, 6.0, 2.0), Knob("wind", 0, 4, 1, scale="integer")),
    params=Params,
    causes=("ran out of turns", "never began"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    keys={"up": CLIMB},
)
