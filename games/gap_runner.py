"""Gap Runner: a 60 Hz side-scroller about timing. The game of reflexes.

The rules
---------
The runner moves to the right at a constant speed. Three kinds of obstacle come at a beat with some jitter:

* a **gap** in the ground: be in the air above it;
* a **spike** on the ground: be higher than it;
* a **beam** overhead: duck under it (it reaches too high to jump over).

A jump is always the same arc (0.7 s, 1.84 m high) and needs a fresh press on the ground; a duck lasts as long as it
is held. Each mistake costs a heart and puts the runner past the obstacle; the last heart ends the attempt. Past the
last obstacle stands the flag: reach it and win.

Every level can be won by a perfect player: obstacles are never closer than one jump and its landing, and a gap is a
share of the jump's length, whatever the speed. What makes it hard is the room for error in time, how early the
obstacle is seen, how many there are, and how many mistakes are forgiven. One unit of foresight is the whole
visible stretch (`sight_s` seconds); who has less sees an obstacle later.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms

TICK_S: Final = 1.0 / 60.0
GRAVITY: Final = 30.0  # m/s2
TAKE_OFF: Final = 10.5  # m/s upward
AIR_S: Final = 2.0 * TAKE_OFF / GRAVITY  # 0.7 s
HALF_WIDTH: Final = 0.3  # m, of the runner
STANDING: Final = 1.6  # m
DUCKING: Final = 0.8  # m
SPIKE_HEIGHT: Final = 0.6  # m
BEAM_CLEARANCE: Final = 1.0  # m under the beam
SPIKE_WIDTH: Final = 0.7  # m
BEAM_WIDTH: Final = 0.8  # m
RUN_UP_S: Final = 2.0
JITTER: Final = 0.15  # of the spacing

GAP: Final = 0
SPIKE: Final = 1
BEAM: Final = 2

RUN: Final = 0
JUMP: Final = 1
DUCK: Final = 2

KINDS_IN: Final = ("gaps", "gaps_spikes", "gaps_spikes_beams")


class Params(NamedTuple):
    speed: float
    gap_share: float
    spacing_s: float
    sight_s: float
    obstacles: int
    hearts: int
    hazards: int


class Level(NamedTuple):
    """The layout is a function of (key, index of the obstacle): nothing needs to be stored."""

    key: Key
    goal: float  # m, where the flag stands


class State(NamedTuple):
    x: float  # m, the runner's middle
    y: float  # m, feet above the ground
    vy: float  # m/s
    held: int  # the action of the tick before: a jump needs a fresh press
    ducking: int
    ahead: int  # index of the obstacle ahead
    at: float  # m, where that obstacle begins
    width: float  # m
    kind: int
    hearts: int
    hurt_by: int  # kind of the last obstacle hit; -1 so far


class Obstacle(NamedTuple):
    at: float
    width: float
    kind: int


def obstacle(params: Params, level: Level, index: int) -> Obstacle:
    """Obstacle number index, from 0; beyond the last one lies one far behind the flag."""
    if index >= params.obstacles:
        return Obstacle(level.goal + 1000.0, 1.0, GAP)
    where, what, size, _ = uniforms(level.key, index)
    at = params.speed * (RUN_UP_S + params.spacing_s * (index + JITTER * where))
    kind = int(what * (params.hazards + 1))
    if kind == GAP:
        return Obstacle(at, params.speed * AIR_S * params.gap_share * (0.8 + 0.2 * size), GAP)
    return Obstacle(at, SPIKE_WIDTH if kind == SPIKE else BEAM_WIDTH, kind)


def build(params: Params, key: Key) -> Level:
    return Level(key, params.speed * (RUN_UP_S + params.spacing_s * params.obstacles))


def start(params: Params, level: Level, key: Key) -> State:
    first = obstacle(params, level, 0)
    return State(0.0, 0.0, 0.0, RUN, 0, 0, first.at, first.width, first.kind, params.hearts, -1)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """Jump so that the middle of the obstacle passes at the top of the arc; duck early and stay down.

    Whoever sees the obstacle in time starts earlier by the own usual latency, as practised players do.
    """
    if state.y > 0.0:
        return RUN
    visible_s = params.sight_s * min(faculties.foresight, 1.0)
    if state.at - state.x > params.speed * visible_s:
        return RUN
    lead_s = faculties.reaction_s + faculties.reaction_tail_s
    if state.kind == BEAM:
        return DUCK if state.at - HALF_WIDTH - state.x <= params.speed * (lead_s + 0.15) else RUN
    to_take_off = state.at + 0.5 * state.width - state.x - 0.5 * AIR_S * params.speed
    return JUMP if to_take_off <= params.speed * lead_s else RUN


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    x = state.x + params.speed * TICK_S
    y = state.y
    vy = state.vy
    if y <= 0.0 and action == JUMP and state.held != JUMP:
        vy = TAKE_OFF
    if y > 0.0 or vy > 0.0:
        y = y + vy * TICK_S
        vy = vy - GRAVITY * TICK_S
        if y <= 0.0:
            y = 0.0
            vy = 0.0
    ducking = 1 if action == DUCK and y <= 0.0 else 0
    hearts = state.hearts
    hurt_by = state.hurt_by
    ahead = state.ahead
    at = state.at
    width = state.width
    kind = state.kind
    if x + HALF_WIDTH > at:
        if touches(x, y, ducking, at, width, kind):
            hearts = hearts - 1
            hurt_by = kind
            x = at + width + HALF_WIDTH
            y = 0.0
            vy = 0.0
        if x - HALF_WIDTH >= at + width:
            ahead = ahead + 1
            thing = obstacle(params, level, ahead)
            at = thing.at
            width = thing.width
            kind = thing.kind
    return State(x, y, vy, action, ducking, ahead, at, width, kind, hearts, hurt_by)


def touches(x: float, y: float, ducking: int, at: float, width: float, kind: int) -> bool:
    """Whether the runner at x, y is hurt. A gap takes who stands over it; the others take who overlaps them."""
    if kind == GAP:
        return y <= 0.0 and at < x < at + width
    if x - HALF_WIDTH >= at + width:
        return False
    if kind == SPIKE:
        return y < SPIKE_HEIGHT
    return y + (DUCKING if ducking else STANDING) > BEAM_CLEARANCE


def status(params: Params, level: Level, state: State) -> int:
    if state.hearts <= 0:
        return LOST
    return WON if state.x >= level.goal else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.x / level.goal, 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return state.hurt_by


VIEW_WIDTH: Final = 16.0  # m
VIEW_HEIGHT: Final = 9.0  # m
GROUND: Final = 2.5  # m from the lower edge of the view
RUNNER_AT: Final = 3.5  # m from the left edge


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    left = state.x - RUNNER_AT

    def rect(x: float, y: float, width: float, height: float, role: str) -> Shape:
        return Shape(
            "rect", (x - left) / VIEW_WIDTH, (y + GROUND) / VIEW_HEIGHT, width / VIEW_WIDTH, height / VIEW_HEIGHT, role
        )

    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky")]
    for depth, width, height in ((0.2, 5.0, 3.2), (0.5, 3.0, 1.8)):  # hills that move slower the farther they are
        shift = left * (1.0 - depth)
        first = int((left - shift) // (width * 1.5))
        for i in range(first - 1, first + int(VIEW_WIDTH / (width * 1.5)) + 2):
            shapes.append(rect(shift + i * width * 1.5, 0.0, width, height * (0.6 + 0.4 * (i % 3) / 2), "far"))
    shapes.append(rect(left, -GROUND, VIEW_WIDTH, GROUND, "ground"))
    for index in range(max(state.ahead - 4, 0), params.obstacles):
        thing = obstacle(params, level, index)
        if thing.at > left + VIEW_WIDTH:
            break
        if thing.kind == GAP:
            shapes.append(rect(thing.at, -GROUND, thing.width, GROUND, "danger"))
        elif thing.kind == SPIKE:
            spike = rect(thing.at, 0.0, thing.width, SPIKE_HEIGHT, "danger")
            shapes.append(spike._replace(kind="triangle"))
        else:
            shapes.append(rect(thing.at, BEAM_CLEARANCE, thing.width, VIEW_HEIGHT, "danger"))
    shapes.append(rect(level.goal, 0.0, 0.12, 3.0, "goal"))
    shapes.append(rect(level.goal, 2.2, 1.1, 0.8, "goal"))
    height = DUCKING if state.ducking else STANDING
    shapes.append(rect(state.x - HALF_WIDTH, state.y, 2.0 * HALF_WIDTH, height, "player"))
    for heart in range(params.hearts):
        role = "good" if heart < state.hearts else "neutral"
        shapes.append(Shape("circle", 0.03 + 0.03 * heart, 0.95, 0.02, 0.02, role))
    return shapes


GAME: Final = Game(
    name="gap_runner",
    version=1,
    summary="Side-scroller of reflexes: jump gaps and spikes, duck beams, reach the flag.",
    pace="real_time",
    tick_seconds=TICK_S,
    max_ticks=60 * 120,
    actions=("run", "jump", "duck"),
    space=ParameterSpace(
        Knob("speed", 5.0, 12.0, 7.0, "m/s", "how fast the runner moves"),
        Knob("gap_share", 0.25, 0.85, 0.5, "1", "width of a gap as a share of a jump's length"),
        Knob("spacing_s", 1.2, 3.0, 2.0, "s", "time from one obstacle to the next", harder="low", scale="log"),
        Knob("sight_s", 0.7, 2.5, 1.5, "s", "how early an obstacle can be seen", harder="low"),
        Knob("obstacles", 6, 24, 12, "1", "obstacles before the flag", scale="integer"),
        Knob("hearts", 1, 4, 2, "1", "mistakes that end the attempt", harder="low", scale="integer"),
        Knob("hazards", default="gaps_spikes", meaning="kinds of obstacle", scale="choice", choices=KINDS_IN),
    ),
    params=Params,
    causes=("fell into a gap", "hit a spike", "hit a beam"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    keys={"space": JUMP, "up": JUMP, "down": DUCK},
)
