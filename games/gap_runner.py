"""Gap Runner: a 60 Hz side-scroller about timing. The game of reflexes.

The rules
---------
The runner moves to the right at a constant speed. Three kinds of obstacle come at regular intervals with some jitter:

* a **gap** in the ground: be in the air above it;
* a **spike** on the ground: be higher than it;
* a **beam** overhead: duck under it (it reaches too high to jump over).

Collisions are tested along the whole way, not only where ticks end.

A jump is always the same arc over the ground (4.9 m long, 1.84 m high), so a faster runner flies it in less time. It
needs a fresh key press on the ground; a duck lasts as long as its key is down. Each mistake costs a heart and puts the
runner past the obstacle. The last heart ends the attempt. The flag stands past the last obstacle: reach it and win.

A perfect player can win every level. Obstacles are never closer than one jump and its landing, and no gap is as wide as
a jump. Difficulty comes from speed, which leaves less time for the same distance, and from the room for error. It also
depends on how early obstacles are visible, how many there are, and how many mistakes are forgiven. One unit of
foresight is the whole visible stretch (`sight_m`); a player with less sees an obstacle later.

A player who sees an obstacle in time aims for the best moment and errs to both sides (Lee and Oulasvirta 2016). Whoever
sees it later than their own usual latency reacts, and is late. A jump is one tap: the key is let go in the air.

The score measures how cleanly the runner passes: the mean over all obstacles. An obstacle right below the top of the
arc scores 1, and less with the distance from there. A beam without a hit scores 1. A hit, or an obstacle never reached,
scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms

TICK_S: Final = 1.0 / 60.0
JUMP_LENGTH: Final = 4.9  # m
JUMP_HEIGHT: Final = 1.84  # m
HALF_WIDTH: Final = 0.3  # m, of the runner
SPIKE_HEIGHT: Final = 0.6  # m
SPIKE_WIDTH: Final = 2.2  # m
BEAM_WIDTH: Final = 0.8  # m
DUCK_EARLY: Final = 0.5  # m, how far before a beam an expert wants to be down
RUN_UP: Final = 14.0  # m
JITTER: Final = 0.15  # of the spacing

GAP: Final = 0
SPIKE: Final = 1
BEAM: Final = 2

NONE: Final = -1

KINDS: Final = ("gap", "spike", "beam")  # in a level file
MOST_MADE: Final = 24  # obstacles of a level made by hand
FARTHEST: Final = 320.0  # m, of an obstacle made by hand
RUN_OUT: Final = 6.0  # m from the last obstacle made by hand to the flag
BITS: Final = 26  # of an obstacle made by hand: 15 for its place and 9 for its width in cm, 2 for its kind. Two are one
# number, which a float holds exactly

RUN: Final = 0
JUMP: Final = 1
DUCK: Final = 2

KINDS_IN: Final = ("gaps", "gaps_spikes", "gaps_spikes_beams")


class Params(NamedTuple):
    speed: float
    gap_share: float
    spacing_m: float
    sight_m: float
    obstacles: int
    hearts: int
    hazards: int


Made = tuple[float, float, float, float, float, float, float, float, float, float, float, float]
NOT_MADE: Final = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Level(NamedTuple):
    """The layout is a function of the key and the index of the obstacle, unless it was made by hand."""

    key: Key
    goal: float  # m, where the flag stands
    obstacles: int  # before the flag, the skipped one included
    skipped: int  # index of an obstacle that is left out; NONE where none is
    made: Made  # obstacles made by hand, two in each; all 0 where they are drawn from the key


class State(NamedTuple):
    x: float  # m, the runner's middle
    flown: float  # m since the take-off; 0 on the ground
    held: int  # the action of the previous tick: a jump needs a fresh press
    ducking: int
    ahead: int  # index of the obstacle ahead
    at: float  # m, where that obstacle begins
    width: float  # m
    kind: int
    hearts: int
    hurt_by: int  # kind of the last obstacle hit; -1 so far
    clean: float  # sum of the cleanness of all obstacles so far
    stumbling: int  # 1 in the tick after a hit


class Obstacle(NamedTuple):
    at: float
    width: float
    kind: int


def obstacle(params: Params, level: Level, index: int) -> Obstacle:
    """The obstacle with an index, from 0, among those that are left. After the last one is one far behind the flag."""
    if level.skipped != NONE and index >= level.skipped:
        index = index + 1
    if index >= level.obstacles:
        return Obstacle(level.goal + 1000.0, 1.0, GAP)
    if level.made[0] > 0.0:
        packed = (int(level.made[index >> 1]) >> (BITS * (index & 1))) & ((1 << BITS) - 1)
        return Obstacle(0.01 * (packed >> 11), 0.01 * ((packed >> 2) & 511), packed & 3)
    where, what, size, _ = uniforms(level.key, index)
    at = RUN_UP + params.spacing_m * (index + JITTER * where)
    kind = int(what * (params.hazards + 1))
    if kind == GAP:
        return Obstacle(at, JUMP_LENGTH * params.gap_share * (0.8 + 0.2 * size), GAP)
    return Obstacle(at, SPIKE_WIDTH if kind == SPIKE else BEAM_WIDTH, kind)


def build(params: Params, key: Key) -> Level:
    return Level(key, RUN_UP + params.spacing_m * params.obstacles, params.obstacles, NONE, NOT_MADE)


def read_level(content: Mapping[str, Any]) -> tuple[float, ...]:
    """A level file: a list `obstacle`, each with `kind`, `at_m` and for a gap `width_m`; and `goal_m`, if it is given.

    Metres count from where the runner starts, to the hundredth. The numbers: the flag's place, how many obstacles, then
    one for each two of MOST_MADE.
    """
    things = content.get("obstacle", [])
    if not isinstance(things, list) or not 1 <= len(things) <= MOST_MADE:
        raise ValueError(f"a level needs 1 to {MOST_MADE} obstacles, each a table [[obstacle]]; give so many")
    unknown = sorted({*content} - {"obstacle", "goal_m"})
    if unknown:
        raise ValueError(f"a level has the keys obstacle and goal_m, got {unknown[0]!r}; remove it")
    packed = []
    behind = 0.0
    for number, thing in enumerate(things, 1):
        kind, at = thing["kind"], thing["at_m"]
        if kind not in KINDS:
            raise ValueError(f"obstacle {number} must be one of {', '.join(KINDS)}, got {kind!r}; choose one")
        width = thing["width_m"] if kind == "gap" else SPIKE_WIDTH if kind == "spike" else BEAM_WIDTH
        if set(thing) - {"kind", "at_m", "width_m"} or (kind != "gap" and "width_m" in thing):
            raise ValueError(f"obstacle {number} has the keys kind and at_m, and a gap has width_m; remove the others")
        for name, value, high in (("at_m", at, FARTHEST), ("width_m", width, JUMP_LENGTH)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= high:
                raise ValueError(f"{name} of obstacle {number} must be a number above 0 to {high:g}, got {value!r}")
        if at < behind:
            raise ValueError(
                f"obstacle {number} must come after the one before, which ends at {behind:g} m, got {at!r}"
            )
        behind = at + width
        packed.append((round(100.0 * at) << 11) + (round(100.0 * width) << 2) + KINDS.index(kind))
    goal = content.get("goal_m", behind + RUN_OUT)
    if isinstance(goal, bool) or not isinstance(goal, int | float) or not behind < goal <= FARTHEST + RUN_UP:
        raise ValueError(f"goal_m must lie past the last obstacle, which ends at {behind:g} m, got {goal!r}; move it")
    packed += [0] * (MOST_MADE - len(packed))
    pairs = (float(packed[n] + (packed[n + 1] << BITS)) for n in range(0, MOST_MADE, 2))
    return (float(goal), float(len(things)), *pairs)


def arrange(params: Params, key: Key, numbers: Any) -> Level:
    """A level made by hand; see read_level."""
    made = (
        numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7],
        numbers[8], numbers[9], numbers[10], numbers[11], numbers[12], numbers[13],
    )  # fmt: skip
    return Level(key, float(numbers[0]), int(numbers[1]), NONE, made)


def without(level: Level, place: int) -> Level:
    """The same level with plain ground in place of one obstacle."""
    return Level(level.key, level.goal, level.obstacles, place - 1, level.made)


def start(params: Params, level: Level, key: Key) -> State:
    first = obstacle(params, level, 0)
    return State(0.0, 0.0, RUN, 0, 0, first.at, first.width, first.kind, params.hearts, -1, 0.0, 0)


def until_due(params: Params, state: State) -> float:
    """Seconds until the best moment to act on the obstacle ahead: its middle at the top of the arc, or down early."""
    if state.kind == BEAM:
        return (state.at - HALF_WIDTH - DUCK_EARLY - state.x) / params.speed
    return (state.at + 0.5 * (state.width - JUMP_LENGTH) - state.x) / params.speed


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """Jump so that the middle of the obstacle passes at the top of the arc; duck early and stay down.

    A player who sees the obstacle in time makes up their mind earlier by their own usual latency. A hit ends what the
    hands were about to do.
    """
    if state.flown > 0.0 or state.stumbling:
        return RUN
    if state.at - state.x > params.sight_m * min(faculties.foresight, 1.0):
        return RUN
    if until_due(params, state) > faculties.reaction_s + faculties.reaction_tail_s + 0.5 * TICK_S:
        return RUN
    if state.kind == BEAM:
        return DUCK
    return JUMP if state.x < state.at + 0.5 * state.width else RUN  # who lands past the middle has it behind them


def foreseen(params: Params, level: Level, state: State, faculties: Faculties, action: int) -> float:
    """An obstacle is seen coming; who lets a key go knew when."""
    return 0.0 if action == RUN else max(until_due(params, state), 0.0)


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    x = state.x + params.speed * TICK_S
    flown = state.flown
    lands = state.x  # from here on the runner is on the ground in this tick
    if flown > 0.0 or (action == JUMP and state.held != JUMP):
        flown = flown + params.speed * TICK_S
        lands = x - flown + JUMP_LENGTH
    take_off = x - flown
    if flown >= JUMP_LENGTH:
        flown = 0.0
    ducking = 1 if action == DUCK and flown <= 0.0 else 0
    hearts = state.hearts
    hurt_by = state.hurt_by
    ahead = state.ahead
    at = state.at
    width = state.width
    kind = state.kind
    clean = state.clean
    stumbling = 0
    if x + HALF_WIDTH > at:
        middle = at + 0.5 * width
        before_top = take_off + 0.5 * JUMP_LENGTH - middle
        if touches(state.x, x, take_off, lands, ducking, at, width, kind):
            if kind != GAP and state.x >= middle:  # it was counted already
                clean = clean - cleanness(before_top, width, kind)
            hearts = hearts - 1
            hurt_by = kind
            x = at + width + HALF_WIDTH
            flown = 0.0
            stumbling = 1
        elif state.x < middle <= x:
            clean = clean + cleanness(before_top, width, kind)
        if stumbling or x - HALF_WIDTH >= at + width:  # who was hit is past, whatever rounding makes of the place
            ahead = ahead + 1
            thing = obstacle(params, level, ahead)
            at = thing.at
            width = thing.width
            kind = thing.kind
    return State(x, flown, action, ducking, ahead, at, width, kind, hearts, hurt_by, clean, stumbling)


def touches(
    begins: float, ends: float, take_off: float, lands: float, ducking: int, at: float, width: float, kind: int
) -> bool:
    """Whether the runner is hit on the way of one tick.

    The whole way counts. With tests at the ends of ticks alone, the arc would clear a spike after a whole number of
    ticks. Each speed at which that number falls by one would then be easier than the speed below it.
    """
    if kind == GAP:  # hit while on the ground above it
        return max(lands, at) < min(ends, at + width)
    first = max(begins, at - HALF_WIDTH)
    last = min(ends, at + width + HALF_WIDTH)
    if first >= last:
        return False
    if kind == SPIKE:  # an arc is lowest at one of its ends
        return arc_height(first - take_off) < SPIKE_HEIGHT or arc_height(last - take_off) < SPIKE_HEIGHT
    return first < lands or ducking == 0  # a beam: hit in the air, or upright


def arc_height(flown: float) -> float:
    """Height of the feet in m after so many metres of flight; not above 0 outside of a jump."""
    share = flown / JUMP_LENGTH
    return 4.0 * JUMP_HEIGHT * share * (1.0 - share)


def cleanness(before_top: float, width: float, kind: int) -> float:
    """How cleanly an obstacle is passed, 0 to 1; before_top: m from its middle to the top of the arc."""
    if kind == BEAM:
        return 1.0
    return max(1.0 - abs(before_top) / (0.5 * (JUMP_LENGTH - width)), 0.0)


def hurt(before: State, after: State) -> bool:
    return after.hearts < before.hearts


def status(params: Params, level: Level, state: State) -> int:
    if state.hearts <= 0:
        return LOST
    return WON if state.x >= level.goal else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.x / level.goal, 1.0)


def score(params: Params, level: Level, state: State) -> float:
    return min(max(state.clean / level.obstacles, 0.0), 1.0)


def cause(params: Params, level: Level, state: State) -> int:
    return state.hurt_by


def place(params: Params, level: Level, state: State) -> int:
    """The obstacle ahead, or the one that was just hit; at the flag the last one."""
    index = state.ahead - state.stumbling
    if level.skipped != NONE and index >= level.skipped:
        index = index + 1
    return min(index + 1, level.obstacles)


VIEW_WIDTH: Final = 16.0  # m
VIEW_HEIGHT: Final = 9.0  # m
GROUND: Final = 2.5  # m from the lower edge of the view
RUNNER_AT: Final = 3.5  # m from the left edge
HILLS: Final = ((0.15, 11.0, 3.6), (0.4, 7.0, 2.2))  # depth (1 moves with the ground), m from one to the next, m high
BEAM_CLEARANCE: Final = 1.0  # m under the beam
STRIDE: Final = 2.2  # m


def shape_at(
    left: float,
    kind: Literal["rect", "circle", "line", "triangle"],
    x: float,
    y: float,
    width: float,
    height: float,
    role: str,
) -> Shape:
    """A shape given in metres, x from the start and y above the ground, in a view that begins at `left`."""
    return Shape(
        kind, (x - left) / VIEW_WIDTH, (y + GROUND) / VIEW_HEIGHT, width / VIEW_WIDTH, height / VIEW_HEIGHT, role
    )


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    left = state.x - RUNNER_AT
    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky"), *draw_hills(left)]
    shapes.append(shape_at(left, "rect", left, -GROUND, VIEW_WIDTH, GROUND, "ground"))
    shapes.append(shape_at(left, "rect", left, -0.12, VIEW_WIDTH, 0.12, "neutral"))
    for i in range(int(left // 2.0), int((left + VIEW_WIDTH) // 2.0) + 1):  # marks that show the speed
        shapes.append(shape_at(left, "rect", 2.0 * i, -0.75 - 0.6 * (i % 2), 0.7, 0.1, "far"))
    for index in range(max(state.ahead - 4, 0), level.obstacles):
        thing = obstacle(params, level, index)
        if thing.at > left + VIEW_WIDTH:
            break
        shapes += draw_obstacle(left, thing)
    shapes.append(shape_at(left, "rect", level.goal, 0.0, 0.12, 3.0, "text"))
    shapes.append(shape_at(left, "rect", level.goal + 0.12, 2.1, 1.2, 0.9, "goal"))
    shapes += draw_runner(left, state)
    for heart in range(params.hearts):
        role = "good" if heart < state.hearts else "neutral"
        shapes.append(Shape("circle", 0.035 + 0.032 * heart, 0.93, 0.022, 0.022, role))
    way = 0.94 - 0.04 - 0.032 * params.hearts
    shapes.append(Shape("rect", 0.97 - way, 0.922, way, 0.016, "far"))
    shapes.append(Shape("rect", 0.97 - way, 0.922, way * min(state.x / level.goal, 1.0), 0.016, "goal"))
    return shapes


def draw_hills(left: float) -> list[Shape]:
    """Round hills; farther ones move more slowly."""
    shapes = []
    for depth, apart, high in HILLS:
        shift = left * (1.0 - depth)
        first = int((left - shift) // apart)
        for i in range(first - 1, first + int(VIEW_WIDTH / apart) + 3):
            across = apart * (0.8 + 0.25 * (i % 3))
            middle = high * (0.7 + 0.15 * (i % 2)) - 0.5 * across
            shapes.append(shape_at(left, "circle", shift + i * apart, middle, across, across, "far"))
    return shapes


def draw_obstacle(left: float, thing: Obstacle) -> list[Shape]:
    """Dangerous parts have the colour of danger and the width of the collision test."""
    if thing.kind == GAP:
        pit = shape_at(left, "rect", thing.at, -GROUND, thing.width, GROUND, "sky")
        teeth = max(int(thing.width / 0.5), 1)
        wide = thing.width / teeth
        floor = [shape_at(left, "triangle", thing.at + wide * i, -GROUND, wide, 0.7, "danger") for i in range(teeth)]
        edges = [shape_at(left, "rect", x, -0.5, 0.1, 0.5, "danger") for x in (thing.at - 0.1, thing.at + thing.width)]
        return [pit, *floor, *edges]
    if thing.kind == SPIKE:
        half = 0.5 * thing.width
        return [shape_at(left, "triangle", thing.at + half * i, 0.0, half, SPIKE_HEIGHT, "danger") for i in range(2)]
    above = VIEW_HEIGHT - GROUND - BEAM_CLEARANCE
    return [
        shape_at(left, "rect", thing.at + 0.15, BEAM_CLEARANCE, thing.width - 0.3, above, "ground"),
        shape_at(left, "rect", thing.at, BEAM_CLEARANCE, thing.width, 1.1, "danger"),
    ]


def draw_runner(left: float, state: State) -> list[Shape]:
    """Head, body and legs; a ducking runner is lower than a beam."""
    x, y = state.x, arc_height(state.flown)
    swing = abs((state.x / STRIDE) % 1.0 - 0.5) * 4.0 - 1.0  # from -1 to 1 and back on each stride
    legs = 0.15 if state.ducking else 0.5
    spread = 0.28 * swing if state.flown <= 0.0 else 0.28
    body = 0.4 if state.ducking else 0.7
    head = 0.17 if state.ducking else 0.2
    lean = 0.14 if state.ducking else 0.06
    return [
        shape_at(left, "line", x - 0.04, y + legs, -spread - 0.04, -legs, "player"),
        shape_at(left, "line", x + 0.04, y + legs, spread + 0.04, -legs, "player"),
        shape_at(left, "rect", x - 0.22, y + legs, 0.44, body, "player"),
        shape_at(left, "circle", x + lean, y + legs + body + 0.8 * head, 2.0 * head, 2.0 * head, "player"),
        shape_at(left, "circle", x + lean + 0.5 * head, y + legs + body + 0.9 * head, 0.09, 0.09, "sky"),
    ]


GAME: Final = Game(
    name="gap_runner",
    version=4,
    summary="Side-scroller of reflexes: jump gaps and spikes, duck beams, reach the flag.",
    pace="real_time",
    tick_seconds=TICK_S,
    max_ticks=60 * 120,
    actions=("run", "jump", "duck"),
    space=ParameterSpace(
        Knob("speed", 5.0, 10.0, 7.0, "m/s", "how fast the runner moves"),
        Knob("gap_share", 0.7, 0.88, 0.8, "1", "width of a gap as a share of a jump's length"),
        Knob("spacing_m", 9.2, 11.2, 10.2, "m", "distance from one obstacle to the next", harder="low", scale="log"),
        Knob("sight_m", 5.6, 7.2, 6.4, "m", "how far ahead an obstacle can be seen", harder="low", scale="log"),
        Knob("obstacles", 8, 22, 15, "1", "obstacles before the flag", scale="integer"),
        Knob("hearts", 1, 3, 3, "1", "mistakes that end the attempt", harder="low", scale="integer"),
        Knob("hazards", default="gaps_spikes", meaning="kinds of obstacle", scale="choice", choices=KINDS_IN),
    ),
    params=Params,
    causes=("fell into a gap", "hit a spike", "hit a beam"),
    build=build,
    start=start,
    expert=expert,
    foreseen=foreseen,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    score=score,
    place=place,
    place_noun="obstacle",
    without=without,
    read_level=read_level,
    arrange=arrange,
    hurt=hurt,
    keys={"space": JUMP, "up": JUMP, "down": DUCK},
    progression=("obstacles",),
    how_to=(
        "Reach the flag. Each mistake costs a heart, and the last heart ends the attempt.",
        "Jump over gaps and spikes: one press is one jump, always of the same length. Duck under beams: hold the key.",
    ),
)
