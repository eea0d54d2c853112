"""Signals: a small, sound game of turns, into which flaws are planted.

Each of sixteen turns shows one of several signals, and the player answers it. A blurred signal takes a multiple of the
player's own latency to make out. Whoever cannot make it out in time gives the first answer. `goal` right answers win.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms

TURNS: Final = 16
MOST_KINDS: Final = 6
FIRST: Final = 1  # the answer to the first signal; 0 is to wait


class Params(NamedTuple):
    window_s: float
    alike: float
    kinds: int
    goal: int


class Level(NamedTuple):
    signals: Any  # int64 array, shape (TURNS,)
    blurs: Any  # float64 array, shape (TURNS,): latencies that it takes to make a signal out


class State(NamedTuple):
    turn: int
    right: int
    fault: int  # what the last mistake was: 0 a wrong answer, 1 none at all


def build(params: Params, key: Key) -> Level:
    signals, blurs = np.zeros(TURNS, np.int64), np.zeros(TURNS, np.float64)
    for turn in range(TURNS):
        which, blur, _, _ = uniforms(key, turn)
        signals[turn] = int(which * params.kinds)
        blurs[turn] = 0.3 + 3.0 * blur
    return Level(signals, blurs)


def start(params: Params, level: Level, key: Key) -> State:
    return State(0, 0, 0)


def is_seen(params: Params, level: Level, turn: int, faculties: Faculties) -> bool:
    """Whether a player makes the signal of a turn out in time."""
    latency_s = faculties.reaction_s + faculties.reaction_tail_s
    return bool(latency_s * float(level.blurs[turn]) * (1.0 + params.alike) <= params.window_s * faculties.foresight)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    if state.turn >= TURNS:
        return 0
    return int(level.signals[state.turn]) + 1 if is_seen(params, level, state.turn, faculties) else FIRST


def answered(level: Level, state: State, action: int) -> State:
    """A turn later, by the rules that all variants of the game share."""
    right = state.right + (1 if action == int(level.signals[min(state.turn, TURNS - 1)]) + 1 else 0)
    fault = state.fault
    if right == state.right:
        fault = 1 if action == 0 else 0
    return State(state.turn + 1, right, fault)


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    return answered(level, state, action)


def status(params: Params, level: Level, state: State) -> int:
    if state.right >= params.goal:
        return WON
    return LOST if state.turn >= TURNS else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.right / params.goal, 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return state.fault


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    signal = int(level.signals[min(state.turn, TURNS - 1)])
    return [Shape("rect", 0.1 + 0.13 * signal, 0.4, 0.1, 0.2, "goal")]


WINDOW: Final = Knob("window_s", 0.4, 1.6, 0.8, "s", "how long a signal is shown", harder="low", scale="log")
ALIKE: Final = Knob("alike", 0.0, 0.5, 0.25, "1", "how much longer it takes to tell signals apart")
KINDS: Final = Knob("kinds", 3, MOST_KINDS, 4, "1", "different signals", scale="integer")
GOAL: Final = Knob("goal", 7, 11, 9, "1", "right answers that win", scale="integer")

GAME: Final = Game(
    name="signals",
    version=1,
    summary="Answer sixteen signals, some of them too blurred to make out in time.",
    pace="turns",
    tick_seconds=2.0,
    max_ticks=TURNS,
    actions=("wait", "one", "two", "three", "four", "five", "six"),
    space=ParameterSpace(WINDOW, ALIKE, KINDS, GOAL),
    params=Params,
    causes=("wrong answer", "no answer"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    keys={str(number): number for number in range(1, MOST_KINDS + 1)},
)
