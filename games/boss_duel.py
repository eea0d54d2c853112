"""Boss Duel: a turn-based fight against one big opponent. The game of numbers and luck.

The rules
---------
Each turn the boss winds up for one of four moves, and the player answers with one action. Both happen at once.

| the boss winds up for | wait, heal | attack            | block        | dodge        |
|-----------------------|------------|-------------------|--------------|--------------|
| a **light** blow (60) | hit        | **clash** (15)    | guarded (15) | grazed (30)  |
| a **heavy** blow (160)| hit        | hit, strikes half | broken (80)  | **slips by** |
| a **sweep** (100)     | hit        | hit, strikes half | **parried**  | hit          |
| a **rest** (0)        | -          | **strikes x 1.5** | -            | -            |

Numbers are per cent of the knob `damage`. The best answer is bold. In a clash the player strikes in full; slipping by a
heavy blow or parrying a sweep strikes half. All amounts vary by up to a fifth. One in eight of the player's blows is a
critical hit and counts double. A blow of the boss is critical with probability `crit_chance`. The player starts with
100 health and some potions. `heal` restores health, up to 100, and leaves the player open. Without a potion it counts
as waiting, and so does a lapse of attention.

A wind-up looks like its move and, to some degree, like a second move: the **disguise**. A stronger disguise or a
shorter wind-up (`telegraph_s`) makes the move harder to recognise. A player needs their own usual latency to recognise
it, and longer for a disguised move. One unit of foresight is the whole wind-up, so half a unit is half the time. A
player who does not recognise the move attacks, as in a fight without tactics. Skill decides how often a turn's tactic
is thought of: it makes a player quick and sharp-eyed.

The player wins by bringing the boss to 0 health before the turns run out. Difficulty comes from the boss's health, the
cost of a mistake, how rarely the player recognises a wind-up, and how little a potion restores. A boss's habits (how
often it chooses each move) differ from level to level around its `style`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, uniforms, words

HEALTH: Final = 100.0  # of the player
STRIKE: Final = 10.0  # points, the player's blow
STRIKE_CRIT: Final = 0.125  # chance that it counts double
UNLIKE: Final = 0.3  # bosses differ in health and might by up to so much
SPREAD: Final = 0.4  # amounts lie in 1 +- half of it
HALF_WORD: Final = 2.0**-16

LIGHT: Final = 0
HEAVY: Final = 1
SWEEP: Final = 2
REST: Final = 3
MOVES: Final = ("light", "heavy", "sweep", "rest")

WAIT: Final = 0
ATTACK: Final = 1
BLOCK: Final = 2
DODGE: Final = 3
HEAL: Final = 4
ACTIONS: Final = ("wait", "attack", "block", "dodge", "heal")

BY_CRITICAL: Final = 3  # causes 0 to 2 are the moves
EXHAUSTED: Final = 4

STYLES: Final = ("steady", "fierce", "cunning")
HABITS: Final = np.array([[5.0, 1.5, 2.0, 2.0], [3.5, 2.5, 2.5, 1.5], [2.5, 2.8, 2.8, 1.4]])  # style x move: weights
BLOWS: Final = np.array([0.6, 1.6, 1.0, 0.0])  # share of `damage`, full hit
ANSWERS: Final = np.array([ATTACK, DODGE, BLOCK, ATTACK])  # move -> best action

# move x action, as in the table above
TAKEN: Final = np.array(
    [
        [0.6, 0.15, 0.15, 0.3, 0.6],
        [1.6, 1.6, 0.8, 0.0, 1.6],
        [1.0, 1.0, 0.0, 1.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
DEALT: Final = np.array(
    [
        [0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.5, 0.0, 0.5, 0.0],
        [0.0, 0.5, 0.5, 0.0, 0.0],
        [0.0, 1.5, 0.0, 0.0, 0.0],
    ]
)


Luck = tuple[int, int, int, int]  # random words of one turn


class Params(NamedTuple):
    boss_health: float
    damage: float
    telegraph_s: float
    crit_chance: float
    heal: float
    potions: int
    turns: int
    style: int


class Level(NamedTuple):
    """The boss's habits: a uniform number below `light` is a light blow, below `heavy` a heavy one, ..."""

    light: float
    heavy: float
    sweep: float
    health: float  # points of this boss at the start
    might: float  # multiplies `damage`


class State(NamedTuple):
    turn: int
    health: float
    boss_health: float
    potions: int
    windup: int  # the coming move
    decoy: int  # the move that the wind-up also looks like
    disguise: float  # [0, 1): its strength
    met: int  # the previous move; the next four fields are its result
    did: int
    taken: float
    dealt: float
    critical: int  # 1 when the boss's last blow was one


def build(params: Params, key: Key) -> Level:
    a, b, c, d = uniforms(key, 0)
    light = float(HABITS[params.style, LIGHT]) * (0.5 + a)
    heavy = float(HABITS[params.style, HEAVY]) * (0.5 + b)
    sweep = float(HABITS[params.style, SWEEP]) * (0.5 + c)
    rest = float(HABITS[params.style, REST]) * (0.5 + d)
    share = 1.0 / (light + heavy + sweep + rest)
    bulk, might, _, _ = uniforms(key, 1)
    return Level(
        light * share,
        (light + heavy) * share,
        (light + heavy + sweep) * share,
        params.boss_health * (1.0 - UNLIKE + 2.0 * UNLIKE * bulk),
        1.0 - UNLIKE + 2.0 * UNLIKE * might,
    )


def read_level(content: Mapping[str, Any]) -> tuple[float, ...]:
    """A level file: how often the boss chooses `light`, `heavy`, `sweep` and `rest`, its `health` and its `might`.

    The weights need not add up to 1. The numbers are those of Level.
    """
    names = (*MOVES, "health", "might")
    unknown, missing = sorted({*content} - {*names}), [name for name in names if name not in content]
    if unknown or missing:
        came = f"got {unknown[0]!r}" if unknown else f"{missing[0]} is missing"
        raise ValueError(f"a boss has the keys {', '.join(names)}, but {came}; correct it")
    for name in names:
        value, high = content[name], {"health": 10_000.0, "might": 10.0}.get(name, 1000.0)
        least = 0.0 if name in MOVES else 0.01
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= high:
            raise ValueError(f"{name} of a boss must be a number from {least:g} to {high:g}, got {value!r}; change it")
    light, heavy, sweep, rest = (float(content[name]) for name in MOVES)
    total = light + heavy + sweep + rest
    if not total > 0.0:
        raise ValueError("a boss must choose a move, but light, heavy, sweep and rest are all 0; raise one")
    bounds = (light / total, (light + heavy) / total, (light + heavy + sweep) / total)
    return (*bounds, float(content["health"]), float(content["might"]))


def arrange(params: Params, key: Key, numbers: Any) -> Level:
    """A level made by hand; see read_level."""
    return Level(float(numbers[0]), float(numbers[1]), float(numbers[2]), float(numbers[3]), float(numbers[4]))


def chosen_move(level: Level, place: float) -> int:
    """The boss's move for a uniform number."""
    if place < level.heavy:
        return LIGHT if place < level.light else HEAVY
    return SWEEP if place < level.sweep else REST


def other_move(move: int, half_word: int) -> int:
    """Any other move, all equally likely."""
    return (move + 1 + ((half_word * 3) >> 16)) & 3


def start(params: Params, level: Level, key: Key) -> State:
    move_word, disguise_word, _, _ = words(key, 0)
    windup = chosen_move(level, (move_word >> 16) * HALF_WORD)
    decoy = other_move(windup, move_word & 0xFFFF)
    disguise = (disguise_word >> 16) * HALF_WORD
    return State(0, HEALTH, level.health, params.potions, windup, decoy, disguise, REST, WAIT, 0.0, 0.0, 0)


def effort(disguise: float) -> float:
    """The time to recognise a disguised move, in units of the usual latency."""
    return 0.3 + 3.0 * disguise


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """The best answer to a recognised move, otherwise an attack; a potion when the next mistake could kill."""
    needed_s = (faculties.reaction_s + faculties.reaction_tail_s) * effort(state.disguise)
    recognised = needed_s <= params.telegraph_s * faculties.foresight
    can_heal = state.potions > 0 and state.health + params.heal <= HEALTH
    in_danger = state.health <= float(BLOWS[HEAVY]) * params.damage * level.might
    if not recognised:
        return HEAL if can_heal and in_danger else ATTACK
    if can_heal and (state.windup == REST or (in_danger and state.windup == LIGHT)):
        return HEAL
    return int(ANSWERS[state.windup])


def step(params: Params, level: Level, state: State, action: int, luck: Luck, tick: int) -> State:
    move_word, disguise_word, blow_word, strike_word = luck
    health = state.health
    potions = state.potions
    if action == HEAL and potions > 0:
        health = min(health + params.heal, HEALTH)
        potions = potions - 1

    taken = params.damage * level.might * float(TAKEN[state.windup, action])
    taken = taken * (1.0 - 0.5 * SPREAD + SPREAD * ((blow_word & 0xFFFF) * HALF_WORD))
    critical = 1 if (blow_word >> 16) * HALF_WORD < params.crit_chance else 0
    if critical:
        taken = 2.0 * taken

    dealt = STRIKE * float(DEALT[state.windup, action])
    dealt = dealt * (1.0 - 0.5 * SPREAD + SPREAD * ((strike_word & 0xFFFF) * HALF_WORD))
    if (strike_word >> 16) * HALF_WORD < STRIKE_CRIT:
        dealt = 2.0 * dealt

    windup = chosen_move(level, (move_word >> 16) * HALF_WORD)
    decoy = other_move(windup, move_word & 0xFFFF)
    return State(
        state.turn + 1,
        health - taken,
        state.boss_health - dealt,
        potions,
        windup,
        decoy,
        (disguise_word >> 16) * HALF_WORD,
        state.windup,
        action,
        taken,
        dealt,
        critical,
    )


def hurt(before: State, after: State) -> bool:
    return after.taken >= 10.0


def status(params: Params, level: Level, state: State) -> int:
    """A player who falls together with the boss has lost."""
    if state.health <= 0.0:
        return LOST
    if state.boss_health <= 0.0:
        return WON
    return LOST if state.turn >= params.turns else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(max(1.0 - state.boss_health / level.health, 0.0), 1.0)


def score(params: Params, level: Level, state: State) -> float:
    """Half for the health that the boss has lost, half for the player's remaining health."""
    return 0.5 * progress(params, level, state) + 0.5 * max(state.health, 0.0) / HEALTH


def cause(params: Params, level: Level, state: State) -> int:
    if state.health > 0.0:
        return EXHAUSTED
    return BY_CRITICAL if state.critical else state.met


def place(params: Params, level: Level, state: State) -> int:
    """The turn that was played last."""
    return max(state.turn, 1)


USUAL_LATENCY_S: Final = 0.4  # of the median player; the picture of a wind-up is drawn for it


def likeness(params: Params, state: State) -> float:
    """How much a wind-up looks like its move, in [0.5, 1]; the rest is the decoy's. At 0.5 both look equally likely."""
    blur = USUAL_LATENCY_S * effort(state.disguise) / params.telegraph_s
    return 0.5 + 0.5 * min(max(1.5 - 0.75 * blur, 0.0), 1.0)


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky"), Shape("rect", 0.0, 0.0, 1.0, 0.3, "ground")]
    shapes += [Shape("rect", x, 0.3, 0.05, 0.45, "far") for x in (0.06, 0.2, 0.74, 0.88)]
    shapes += draw_player(state) + draw_boss(level, state)
    shapes += draw_windup(params, state)
    name = f"{STYLES[params.style]} boss"
    shapes += draw_bar(0.56, 0.93, 0.4, state.boss_health / level.health, "danger")
    shapes.append(Shape("text", 0.56, 0.885, 0.0, 0.03, "text", f"{name}   {max(state.boss_health, 0.0):.0f}"))
    shapes += draw_bar(0.04, 0.93, 0.4, state.health / HEALTH, "good")
    shapes.append(Shape("text", 0.04, 0.885, 0.0, 0.03, "text", f"you   {max(state.health, 0.0):.0f}"))
    shapes.append(Shape("text", 0.16, 0.885, 0.0, 0.03, "text", "potions"))
    for i in range(params.potions):
        role = "good" if i < state.potions else "neutral"
        shapes.append(Shape("circle", 0.24 + 0.022 * i, 0.897, 0.016, 0.016, role))
    left = max(params.turns - state.turn, 0)
    shapes += draw_bar(0.04, 0.1, 0.92, left / params.turns, "accent", 0.012)
    shapes.append(Shape("text", 0.04, 0.125, 0.0, 0.03, "text", f"{left} turns left"))
    if state.turn > 0:
        result = f"{ACTIONS[state.did]} against {MOVES[state.met]}: {state.dealt:.0f} dealt, {state.taken:.0f} taken"
        result += ", critical hit!" if state.critical and state.taken > 0.0 else ""
        shapes.append(Shape("text", 0.04, 0.2, 0.0, 0.04, "danger" if state.taken >= 10.0 else "text", result))
    return shapes


def draw_bar(x: float, y: float, width: float, share: float, role: str, height: float = 0.03) -> list[Shape]:
    filled = width * min(max(share, 0.0), 1.0)
    return [Shape("rect", x, y, width, height, "far"), Shape("rect", x, y, filled, height, role)]


def draw_player(state: State) -> list[Shape]:
    """A small figure on the left, in the pose of the last turn."""
    x = 0.18 if state.did == DODGE else 0.24
    lean = 0.02 if state.did == ATTACK else 0.0
    shapes = [
        Shape("rect", x, 0.28, 0.018, 0.12, "player"),
        Shape("rect", x + 0.03, 0.28, 0.018, 0.12, "player"),
        Shape("rect", x - 0.006 + lean, 0.38, 0.06, 0.16, "player"),
        Shape("circle", x + 0.024 + lean, 0.585, 0.045, 0.045, "player"),
    ]
    if state.did == ATTACK:
        shapes.append(Shape("line", x + 0.07, 0.48, 0.2, 0.05, "text"))
    elif state.did == BLOCK:
        shapes.append(Shape("rect", x + 0.075, 0.34, 0.018, 0.2, "accent"))
    elif state.did == HEAL:
        shapes.append(Shape("circle", x + 0.085, 0.54, 0.02, 0.02, "good"))
    else:
        shapes.append(Shape("line", x + 0.06, 0.44, 0.06, 0.14, "text"))
    if state.taken > 0.0:
        size = 0.02 + 0.002 * min(state.taken, 30.0)
        shapes.append(Shape("circle", x + 0.024, 0.46, size, size, "danger"))
    return shapes


def draw_boss(level: Level, state: State) -> list[Shape]:
    """A big figure on the right; a bigger one hits harder. Its pose gives no hint of its move."""
    size = 0.8 + 0.3 * (level.might - 1.0) / UNLIKE
    x, wide, high = 0.72, 0.13 * size, 0.3 * size
    shapes = [
        Shape("rect", x, 0.28, 0.04 * size, 0.14, "danger"),
        Shape("rect", x + wide - 0.04 * size, 0.28, 0.04 * size, 0.14, "danger"),
        Shape("rect", x - 0.01, 0.4, wide + 0.02, high, "danger"),
        Shape("circle", x + 0.5 * wide, 0.42 + high + 0.04 * size, 0.07 * size, 0.07 * size, "danger"),
        Shape("circle", x + 0.35 * wide, 0.43 + high + 0.04 * size, 0.012, 0.012, "text"),
        Shape("circle", x + 0.6 * wide, 0.43 + high + 0.04 * size, 0.012, 0.012, "text"),
        Shape("line", x - 0.01, 0.38 + high, -0.05, 0.12, "neutral"),
    ]
    if state.dealt > 0.0:
        size = 0.02 + 0.002 * min(state.dealt, 30.0)
        shapes.append(Shape("circle", x, 0.5, size, size, "accent"))
    return shapes


def draw_windup(params: Params, state: State) -> list[Shape]:
    """Four columns, one per move: how much the wind-up looks like it, and its best answer."""
    share = likeness(params, state)
    shapes = [Shape("text", 0.36, 0.82, 0.0, 0.03, "text", "the boss winds up for")]
    for move in range(len(MOVES)):
        seen = share if move == state.windup else 1.0 - share if move == state.decoy else 0.0
        x = 0.36 + 0.07 * move
        shapes.append(Shape("rect", x, 0.65, 0.06, 0.15, "far"))
        shapes.append(Shape("rect", x, 0.65, 0.06, 0.15 * seen, "accent"))
        shapes.append(Shape("text", x, 0.61, 0.0, 0.028, "text", MOVES[move]))
        shapes.append(Shape("text", x, 0.575, 0.0, 0.024, "good", ACTIONS[int(ANSWERS[move])]))
    return shapes


GAME: Final = Game(
    name="boss_duel",
    version=2,
    summary="Turn-based duel of numbers and luck: read the wind-up, answer it, outlast the boss.",
    pace="turns",
    tick_seconds=1.0,
    max_ticks=60,
    actions=ACTIONS,
    space=ParameterSpace(
        Knob("boss_health", 100.0, 160.0, 125.0, "points", "health of the average boss", scale="log"),
        Knob("damage", 10.0, 17.0, 13.0, "points", "damage of a sweep by the average boss"),
        Knob("telegraph_s", 0.4, 1.6, 0.8, "s", "duration of a wind-up", harder="low", scale="log"),
        Knob("crit_chance", 0.0, 0.25, 0.1, "1", "chance that a blow of the boss counts double"),
        Knob("heal", 20.0, 40.0, 30.0, "points", "health that a potion restores", harder="low"),
        Knob("potions", 1, 3, 2, "1", "potions at the start", harder="low", scale="integer"),
        Knob("turns", 16, 26, 21, "1", "turns until the player is exhausted", harder="low", scale="integer"),
        Knob("style", default="fierce", meaning="how the boss fights", scale="choice", choices=STYLES),
    ),
    params=Params,
    causes=("hit by a light blow", "hit by a heavy blow", "hit by a sweep", "hit by a critical", "exhausted"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    draw=draw,
    dealt=True,
    score=score,
    place=place,
    place_noun="turn",
    read_level=read_level,
    arrange=arrange,
    hurt=hurt,
    keys={"a": ATTACK, "s": BLOCK, "d": DODGE, "h": HEAL, "w": WAIT},
    progression=("boss_health",),
    how_to=(
        "Bring the boss to 0 before you fall or your turns run out.",
        "The boss waits for your answer. The fuller column is the likelier move; the green word below it is the best "
        "answer. Attack when you are not sure. Heal uses a potion and leaves you open. Wait does nothing.",
    ),
)
