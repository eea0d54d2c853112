"""Coin River: a canoe in white water. A whole game in one file, to copy and change.

The rules
---------
The river has three lanes and 24 rows. Each row holds a coin in one lane, and rocks in some of the others. The canoe
drifts by itself; the player only steers it towards a lane. Every rock that it runs onto costs a plank of the hull.
Come through with `toll` coins or more and win; lose by the last plank, or by coming through too poor.

What makes it hard is how fast the water is, how late a row comes out of the mist, how many lanes have rocks, how many
planks there are, and how many coins are wanted. A player steers late, wrongly or not at all, as in every game of real
time; foresight is the share of `sight` that a player uses.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms

TICK_S: Final = 1.0 / 30.0
ROWS: Final = 24
LANES: Final = 3
REACH: Final = 5.0 * TICK_S  # lanes in a tick that the canoe is steered
DRIFT: Final = 0  # actions 1 to 3 steer towards lane 0 to 2


class Params(NamedTuple):
    speed: float
    sight: float
    hull: int
    toll: int
    water: int


class Level(NamedTuple):
    coins: Any  # int64 array, shape (ROWS,): the lane of each row's coin
    rocks: Any  # int64 array, shape (ROWS, LANES): 1 where a rock is


class State(NamedTuple):
    lane: float  # 0 left to 2 right
    way: float  # rows; row i is met at i + 1
    hull: int
    coins: int


def build(params: Params, key: Key) -> Level:
    """A coin for each row; rocks in the other two lanes, on average 0.5, 1 or 1.5 of them, as the water is."""
    coins, rocks = np.zeros(ROWS, np.int64), np.zeros((ROWS, LANES), np.int64)
    for row in range(ROWS):
        where, side, many, _ = uniforms(key, row)
        coins[row] = int(where * LANES)
        first = (coins[row] + 1 + int(side * 2.0)) % LANES
        if params.water > 0 or many < 0.5:
            rocks[row, first] = 1
        if params.water == 2 and many < 0.5:
            rocks[row, LANES - coins[row] - first] = 1  # the third lane, since 0 + 1 + 2 = 3
    return Level(coins, rocks)


def start(params: Params, level: Level, key: Key) -> State:
    return State(1.0, 0.0, params.hull, 0)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """Steer for the coin of the next row as soon as it can be seen."""
    row = min(int(state.way), ROWS - 1)
    if row + 1.0 - state.way > params.sight * min(faculties.foresight, 1.0):
        return DRIFT
    return int(level.coins[row]) + 1


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    lane = state.lane
    if action != DRIFT:
        lane = lane + min(max(action - 1 - lane, -REACH), REACH)
    way = state.way + params.speed * TICK_S
    hull, coins = state.hull, state.coins
    if int(way) > int(state.way):
        row, at = int(way) - 1, int(lane + 0.5)
        hull, coins = hull - int(level.rocks[row, at]), coins + (1 if level.coins[row] == at else 0)
    return State(lane, way, hull, coins)


def status(params: Params, level: Level, state: State) -> int:
    if state.hull <= 0:
        return LOST
    if state.way < ROWS:
        return RUNNING
    return WON if state.coins >= params.toll else LOST


def progress(params: Params, level: Level, state: State) -> float:
    """Half for the way, half for the toll. The row that wrecks the canoe is not passed."""
    passed = state.way if state.hull > 0 else state.way - 1.0
    return 0.5 * min(passed / ROWS, 1.0) + 0.5 * min(state.coins / params.toll, 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return 0 if state.hull <= 0 else 1


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "ground"), Shape("rect", 0.2, 0.0, 0.6, 1.0, "sky")]
    for row in range(max(int(state.way) - 1, 0), min(int(state.way) + 1, ROWS)):  # the one behind and the next one
        away = row + 1 - state.way
        if away <= params.sight:
            y = 0.15 + 0.8 * away
            rocks = [0.22 + 0.2 * lane for lane in range(LANES) if level.rocks[row, lane]]
            shapes += [Shape("triangle", x, y, 0.16, 0.1, "danger") for x in rocks]
            shapes.append(Shape("circle", 0.3 + 0.2 * int(level.coins[row]), y + 0.05, 0.05, 0.05, "goal"))
    shapes.append(Shape("rect", 0.28 + 0.2 * state.lane, 0.05, 0.04, 0.12, "player"))
    shapes.append(Shape("triangle", 0.28 + 0.2 * state.lane, 0.17, 0.04, 0.06, "player"))
    shapes += [Shape("rect", 0.02 + 0.016 * plank, 0.92, 0.01, 0.05, "good") for plank in range(state.hull)]
    return [*shapes, Shape("text", 0.82, 0.92, 0.0, 0.05, "text", f"{state.coins} of {params.toll}")]


GAME: Final = Game(
    name="coin_river",
    version=1,
    summary="Steer a canoe through rocks and bring enough coins.",
    pace="real_time",
    tick_seconds=TICK_S,
    max_ticks=30 * 60,
    actions=("drift", "left", "middle", "right"),
    space=ParameterSpace(
        Knob("speed", 0.8, 1.8, 1.1, "rows/s", "how fast the water is", scale="log"),
        Knob("sight", 0.6, 1.0, 0.8, "row", "how far ahead a row is seen", harder="low"),
        Knob("hull", 4, 8, 7, "1", "rocks that wreck the canoe", harder="low", scale="integer"),
        Knob("toll", 10, 20, 15, "1", "coins to bring", scale="integer"),
        Knob("water", default="rocky", meaning="rocks", scale="choice", choices=("calm", "rocky", "white")),
    ),
    params=Params,
    causes=("wrecked", "too few coins"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    keys={"left": 1, "up": 2, "down": 2, "right": 3},
    how_to=("Bring as many coins through as the toll asks for. Rocks break planks; the last one ends it.",),
)
