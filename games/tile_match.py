"""Tile Match: swap neighbouring tiles to make runs of three or more. The game of planning.

The rules
---------
A turn swaps two neighbouring tiles. A swap may make a **run**: three or more tiles of one colour in a row or column.
The run vanishes, the tiles above fall (past blockers), and new tiles come from above. New runs vanish too: a cascade. A
swap without a run is undone. Every turn uses one of the `moves`, even a pass or a swap without a run. Collect about
`goal` tiles of the two goal colours before the moves run out; each level has its own number.

* **Specials.** A run of four leaves a tile that clears its row or column when it vanishes. A run of five, and two runs
  that cross (an L or a T), leave a bomb, which clears the eight cells around it. Specials set each other off.
* **Blockers** do not move. They break beside a run, or when a special reaches them. Stone has no other effect. Moss
  spreads to one more tile in every turn that breaks no blocker. When it covers a quarter of the board, the attempt is
  lost.
* **No dead board.** A board starts without runs and with a legal swap. If a turn leaves no legal swap, all tiles are
  dealt again. If the blockers leave no room for a legal swap, they crumble to tiles.

One unit of foresight shows 30 % of the board, from a random place. The player takes the best swap in sight, or the
first legal one beyond. Foresight above one unit looks one move ahead: at two units the player counts the best following
swap in full. No player sees the tiles that have yet to fall.

Actions. Cells are named as on a chess board; a1 is at the lower left. Action 0 passes. Action
1 + 2 (8 row + column) + direction swaps a cell with a neighbour. Rows and columns count from 0. Direction 0 is to the
right, direction 1 is up. The action's name has both cells: `c4-d4`. The picture has a "rect" for each cell, whose text
is the cell's name. So a window can offer a click on two neighbours, or a cursor and a direction, without code for this
game.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, WON, Faculties, Game, Shape
from engine.parameters import Knob, ParameterSpace
from engine.randomness import Key, unit, words

SIDE: Final = 8  # cells a side of the largest board
STRIDE: Final = 10  # from a cell to the one above: every board stands in a frame of walls
CELLS: Final = 100
FIRST: Final = 11  # a1
SWAPS: Final = 128

# A tile is its colour, 1 to 7, plus its special. Colour 0 makes no run.
EMPTY: Final = 0
GOALS: Final = 2  # colours 1 and 2 are the goal colours, whatever they look like
COLOUR: Final = 7  # mask
ROW: Final = 8
COLUMN: Final = 16
BOMB: Final = 24
WALL: Final = 64  # values from here on do not move
STONE: Final = 128
MOSS: Final = 192
IN_RUN: Final = 1  # marks of a cell in one wave of a cascade
REACHED: Final = 2  # by a special, or a blocker beside a run
WENT_OFF: Final = 4
UNLIKE: Final = 0.3  # the goals of levels differ by up to so much
OVERRUN: Final = 4  # lost when moss covers one in so many cells
WAVES: Final = 64  # of one cascade; remaining runs vanish in the next

MARKS: Final = {**{str(colour): colour for colour in range(1, 8)}, "#": STONE, "*": MOSS, ".": WALL}  # in a level file

GLANCE: Final = 0.3  # share of the board that one unit of foresight shows
GOAL_WORTH: Final = 4.0  # to the player, in tiles of other colours
BLOCKER_WORTH: Final = 2.0
SPECIAL_WORTH: Final = 5.0

# Blocks of random words: a turn has 1024, of which 8 a wave fill the columns; deals have a range of their own.
TURN_BLOCKS: Final = 1024
GAZE_BLOCK: Final = 1000
DEAL_BLOCKS: Final = 1 << 24
DEAL_TRIES: Final = 8  # before blockers crumble

Cells = np.ndarray[Any, np.dtype[np.int64]]


class Params(NamedTuple):
    goal: float
    goal_share: float
    moves: int
    colours: int
    blocker_share: float
    blockers: int
    specials: int
    board: int


class Level(NamedTuple):
    cells: int
    need: int  # tiles to collect
    look: int  # of colour 1; the others follow
    board: Cells  # shape (100,), row by row from below, framed by walls


class State(NamedTuple):
    board: Cells  # shape (100,)
    moves: int  # left
    collected: int  # tiles of the goal colours
    moss: int  # cells
    gaze: int  # swap where the player looks next
    waves: int  # of the last turn's cascade; 0 when it made no run


class Cleared(NamedTuple):
    goals: int  # tiles of the goal colours
    blockers: int
    waves: int
    worth: float  # to the player


def cells_of(action: int) -> tuple[int, int]:
    """The two places on the board that an action above 0 swaps."""
    n = action - 1
    at = FIRST + STRIDE * (n >> 4) + ((n >> 1) & 7)
    return at, at + (STRIDE if n & 1 else 1)


def lined_up(board: Cells, at: int, without: int, colour: int) -> int:
    """Tiles that would vanish if a tile of the colour stood at a place and another one at the place `without`."""
    vanish = 0
    for d in (1, STRIDE):
        n = 1
        for way in (d, -d):
            k = at + way
            while board[k] & COLOUR == colour and k != without:
                n += 1
                k += way
        if n >= 3:
            vanish += n
    return vanish


def swap_value(board: Cells, i: int, j: int) -> float:
    """Worth of the runs that a swap makes directly; 0 when it is not legal."""
    value = 0.0
    if board[i] & COLOUR != board[j] & COLOUR and board[i] & COLOUR and board[j] & COLOUR:
        for at, without in ((i, j), (j, i)):
            colour = board[without] & COLOUR
            value += lined_up(board, at, without, colour) * (GOAL_WORTH if colour <= GOALS else 1.0)
    return value


def best_swap(board: Cells, enough: float) -> float:
    """The highest value of a swap on a board, or the first value of at least `enough`; 0 when no swap is legal."""
    best = 0.0
    for action in range(1, SWAPS + 1):
        best = max(best, swap_value(board, *cells_of(action)))
        if best >= enough:
            break
    return best


def mark_runs(board: Cells, hit: Cells, made: Cells, i: int, j: int, specials: int) -> int:
    """Mark all runs in `hit`, and the specials that they leave in `made`. Returns the number of runs."""
    runs = 0
    for d in (1, STRIDE):
        for line in range(SIDE):
            at = FIRST + line * (STRIDE + 1 - d)
            end = at + SIDE * d
            while at < end:
                colour = board[at] & COLOUR
                n = 1
                while colour > 0 and board[at + n * d] & COLOUR == colour:
                    n += 1
                if n >= 3:
                    runs += 1
                    place = at + (n >> 1) * d
                    for k in range(at, at + n * d, d):
                        if k in (i, j):
                            place = k
                        if hit[k] and specials == 0:
                            made[k] = BOMB
                        hit[k] = IN_RUN
                    if n >= 4 and specials < 2 and made[place] == 0:
                        made[place] = BOMB if n >= 5 and specials == 0 else ROW if d == 1 else COLUMN
                at += n * d
    return runs


def set_off(board: Cells, hit: Cells) -> None:
    """Mark the blockers beside runs, then the cells that specials reach, and so on."""
    for k in range(FIRST, CELLS - FIRST):
        if board[k] >= STONE and (hit[k - 1] | hit[k + 1] | hit[k - STRIDE] | hit[k + STRIDE]) & IN_RUN:
            hit[k] |= REACHED
    again = True
    while again:
        again = False
        for k in range(FIRST, CELLS - FIRST):
            special = board[k] & BOMB
            if special == 0 or hit[k] == 0 or hit[k] & WENT_OFF:
                continue
            again = True
            hit[k] |= WENT_OFF
            for cell in range(FIRST, CELLS - FIRST):
                across, up = abs(cell % STRIDE - k % STRIDE), abs(cell // STRIDE - k // STRIDE)
                if up == 0 if special == ROW else across == 0 if special == COLUMN else max(across, up) <= 1:
                    hit[cell] |= REACHED


def new_tile(pool: tuple[int, int, int, int], n: int, params: Params) -> int:
    """The colour of half word n, 0 to 7, of four words."""
    half = (pool[n >> 1] >> (16 * (n & 1))) & 0xFFFF
    goals_below = int(params.goal_share * 65536.0)
    if half < goals_below:
        return 1 + (half & 1)
    return 1 + GOALS + (half - goals_below) * (params.colours - GOALS) // (65536 - goals_below)


def fall(board: Cells, refill: bool, params: Params, key: Key, block: int) -> None:
    """Let tiles fall past blockers. Refill from above with new ones, or leave unknown cells empty."""
    for x in range(SIDE):
        to = FIRST + x
        top = to + SIDE * STRIDE
        for at in range(to, top, STRIDE):
            tile = board[at]
            if EMPTY < tile < WALL:
                while board[to] >= WALL:
                    to += STRIDE
                board[at] = EMPTY
                board[to] = tile
                to += STRIDE
        if refill and to < top:
            pool = words(key, block + x)
            n = 0
            for at in range(to, top, STRIDE):
                if board[at] == EMPTY:
                    board[at] = new_tile(pool, n, params)
                    n += 1


def settle(board: Cells, i: int, j: int, params: Params, refill: bool, key: Key, block: int) -> Cleared:
    """Clear a board after a swap of the places i and j, wave by wave. Without refill it is what a player foresees."""
    hit = np.zeros(CELLS, np.int64)
    made = np.zeros(CELLS, np.int64)
    goals = blockers = waves = 0
    worth = 0.0
    while waves < WAVES and mark_runs(board, hit, made, i, j, params.specials) > 0:
        set_off(board, hit)
        for k in range(FIRST, CELLS - FIRST):
            tile = board[k]
            if hit[k] and tile > WALL:
                blockers += 1
                worth += BLOCKER_WORTH
                board[k] = EMPTY
            elif hit[k] and EMPTY < tile < WALL:
                goals += 1 if tile & COLOUR <= GOALS else 0
                worth += GOAL_WORTH if tile & COLOUR <= GOALS else 1.0
                worth += SPECIAL_WORTH if made[k] else 0.0
                board[k] = (tile & COLOUR) + made[k] if made[k] else EMPTY
        fall(board, refill, params, key, block + 8 * waves)
        for k in range(CELLS):
            hit[k] = made[k] = 0
        i = j = 0  # later runs leave their special in the middle
        waves += 1
    return Cleared(goals, blockers, waves, worth)


def deal(board: Cells, params: Params, key: Key, block: int) -> None:
    """While no swap is legal, put new tiles on all cells without blockers. The new tiles make no runs."""
    tries = 0
    while best_swap(board, 1.0) == 0.0:
        for x in range(SIDE):
            pool = words(key, block + 8 * tries + x)
            for y in range(SIDE):
                k = FIRST + STRIDE * y + x
                if board[k] == WALL or (board[k] > WALL and tries < DEAL_TRIES):
                    continue
                colour = new_tile(pool, y, params)
                while (board[k - 1] & COLOUR == colour and board[k - 2] & COLOUR == colour) or (
                    board[k - STRIDE] & COLOUR == colour and board[k - 2 * STRIDE] & COLOUR == colour
                ):
                    colour = colour % params.colours + 1
                board[k] = colour
        tries += 1


def build(params: Params, key: Key) -> Level:
    width = SIDE - (params.board >> 1)
    height = SIDE - ((params.board + 1) >> 1)
    board = np.full(CELLS, WALL, np.int64)
    for n in range(width * height):
        board[FIRST + STRIDE * (n // width) + n % width] = EMPTY
    for n in range(int(params.blocker_share * (width * height) + 0.5)):
        x_word, y_word, _, _ = words(key, 1 + n)
        k = FIRST + ((x_word * width) >> 32) + STRIDE * ((y_word * height) >> 32)
        board[k] = MOSS if params.blockers else STONE  # a place drawn twice is one blocker less
    need_word, look_word, _, _ = words(key, 0)
    need = int(params.goal * (1.0 - UNLIKE + 2.0 * UNLIKE * unit(need_word)) + 0.5)
    deal(board, params, key, DEAL_BLOCKS)
    return Level(width * height, need, look_word % LOOKS, board)


def read_level(content: Mapping[str, Any]) -> tuple[float, ...]:
    """A level file: `need`, tiles to collect, and `rows`, the board from its top row down, a text for each row.

    1 to 7 are colours, of which 1 and 2 are those of the goal; # is stone, * is moss, and a dot is no cell. The
    numbers: `need`, then the cells, row by row from below.
    """
    need, rows = content["need"], content["rows"]
    if {*content} != {"need", "rows"}:
        raise ValueError(f"a board has the keys need and rows, got {', '.join(sorted(content))}; remove the others")
    if isinstance(need, bool) or not isinstance(need, int) or not 1 <= need <= 999:
        raise ValueError(f"need must be a whole number from 1 to 999, got {need!r}; change it")
    if not isinstance(rows, list) or not 3 <= len(rows) <= SIDE or not all(isinstance(row, str) for row in rows):
        raise ValueError(f"rows must be a list of 3 to {SIDE} texts, the top row first; write the board like that")
    board = np.full(CELLS, WALL, np.int64)
    for y, row in enumerate(reversed(rows)):
        wrong = next((mark for mark in row if mark not in MARKS), None)
        if wrong is not None or len(row) > SIDE:
            came = f"{len(row)} cells" if wrong is None else repr(wrong)
            raise ValueError(
                f"a row of the board has at most {SIDE} of 1 to 7, #, * and ., got {came}; correct row {row!r}"
            )
        for x, mark in enumerate(row):
            board[FIRST + STRIDE * y + x] = MARKS[mark]
    nothing = np.zeros(CELLS, np.int64)
    if mark_runs(board, nothing, nothing.copy(), 0, 0, 0):
        raise ValueError("a board must begin without a run of three, but it has one; change a tile of it")
    if best_swap(board, 1.0) == 0.0:
        raise ValueError("a board must begin with a legal swap, but it has none; change a tile of it")
    inner = (float(board[FIRST + STRIDE * (n // SIDE) + n % SIDE]) for n in range(SIDE * SIDE))
    return (float(need), *inner)


def arrange(params: Params, key: Key, numbers: Any) -> Level:
    """A level made by hand; see read_level."""
    board = np.full(CELLS, WALL, np.int64)
    cells = 0
    for n in range(SIDE * SIDE):
        tile = int(numbers[1 + n])
        board[FIRST + STRIDE * (n // SIDE) + n % SIDE] = tile
        cells += 1 if tile != WALL else 0
    return Level(cells, int(numbers[0]), words(key, 0)[1] % LOOKS, board)


def moss_on(board: Cells) -> int:
    moss = 0
    for k in range(CELLS):
        moss += 1 if board[k] == MOSS else 0
    return moss


def start(params: Params, level: Level, key: Key) -> State:
    return State(level.board.copy(), params.moves, 0, moss_on(level.board), words(key, GAZE_BLOCK)[0] >> 25, 0)


def expert(params: Params, level: Level, state: State, faculties: Faculties) -> int:
    """The most valuable swap in sight; with foresight above one unit, together with the best swap after it."""
    sight = int(min(faculties.foresight * GLANCE, 1.0) * SWAPS)
    ahead = min(max(faculties.foresight - 1.0, 0.0), 1.0)
    best, best_worth = 0, 0.0
    for n in range(SWAPS):
        if n >= sight and best > 0:
            break
        action = 1 + ((state.gaze + n) & (SWAPS - 1))
        i, j = cells_of(action)
        if swap_value(state.board, i, j) == 0.0:
            continue
        board = state.board.copy()
        board[i], board[j] = board[j], board[i]
        worth = settle(board, i, j, params, False, Key(0, 0, 0, 0, 0), 0).worth
        if ahead > 0.0:
            worth += ahead * best_swap(board, 1e9)
        if worth > best_worth:
            best, best_worth = action, worth
    return best


def grow(board: Cells, word: int) -> None:
    """Let moss spread to the first tile beside it, counted from a random cell."""
    for n in range(CELLS):
        k = (((word * CELLS) >> 32) + n) % CELLS
        if EMPTY < board[k] < WALL and MOSS in (board[k - 1], board[k + 1], board[k - STRIDE], board[k + STRIDE]):
            board[k] = MOSS
            return


def step(params: Params, level: Level, state: State, action: int, key: Key, tick: int) -> State:
    board = state.board.copy()
    block = TURN_BLOCKS * (tick + 1)
    tally = Cleared(0, 0, 0, 0.0)
    if action > 0:
        i, j = cells_of(action)
        if swap_value(board, i, j) > 0.0:
            board[i], board[j] = board[j], board[i]
            tally = settle(board, i, j, params, True, key, block)
    gaze_word, grow_word, _, _ = words(key, block + GAZE_BLOCK)
    if tally.blockers == 0:
        grow(board, grow_word)
    deal(board, params, key, DEAL_BLOCKS + (tick << 16))
    return State(board, state.moves - 1, state.collected + tally.goals, moss_on(board), gaze_word >> 25, tally.waves)


def status(params: Params, level: Level, state: State) -> int:
    if state.collected >= level.need:
        return WON
    return LOST if state.moss * OVERRUN >= level.cells or state.moves <= 0 else RUNNING


def progress(params: Params, level: Level, state: State) -> float:
    return min(state.collected / level.need, 1.0)


def score(params: Params, level: Level, state: State) -> float:
    """Half for the collected tiles, half for the moves left once the goal is reached."""
    spare = max(state.moves, 0) / params.moves if state.collected >= level.need else 0.0
    return 0.5 * progress(params, level, state) + 0.5 * spare


def cause(params: Params, level: Level, state: State) -> int:
    return 0 if state.moves <= 0 else 1


def place(params: Params, level: Level, state: State) -> int:
    """The turn that was played last."""
    return max(params.moves - state.moves, 1)


HIGH: Final = 0.108  # of a cell, in a view of 16 : 9
WIDE: Final = HIGH * 9.0 / 16.0
LOOKS: Final = 7  # each has its own colour and its own form
ROLES: Final = ("player", "danger", "good", "goal", "accent", "neutral", "text")
FORMS: Final = ("circle", "rect", "triangle", "rect", "rect", "circle", "triangle")
SIZES: Final = ((0.74, 0.74), (0.6, 0.6), (0.78, 0.7), (0.3, 0.78), (0.78, 0.3), (0.4, 0.4), (0.36, 0.5))


def place_name(at: int) -> str:
    return f"{' abcdefghi'[at % STRIDE]}{at // STRIDE}"


def draw_tile(x: float, y: float, tile: int, look: int) -> list[Shape]:
    """A tile in the cell with its lower left corner at x, y."""

    def part(kind: Any, across: float, up: float, width: float, height: float, role: str) -> Shape:
        if kind != "circle":  # all parts are given by their centre
            across -= 0.5 * width
            up -= 0.5 * height
        return Shape(kind, x + across * WIDE, y + up * HIGH, width * WIDE, height * HIGH, role)

    if tile > WALL:
        spots = [part("circle", 0.25 + 0.25 * n, 0.35 + 0.3 * (n & 1), 0.2, 0.2, "good") for n in range(3)]
        block = part("rect", 0.5, 0.5, 0.92, 0.92, "ground" if tile == MOSS else "neutral")
        return [block, *spots] if tile == MOSS else [block]
    n = ((tile & COLOUR) - 1 + look) % LOOKS
    shapes = [part(FORMS[n], 0.5, 0.5, *SIZES[n], ROLES[n])]
    if tile & BOMB == BOMB:
        shapes += [part("circle", 0.5, 0.5, 0.5, 0.5, "sky"), part("circle", 0.5, 0.5, 0.3, 0.3, ROLES[n])]
    elif tile & BOMB == ROW:
        shapes += [part("rect", 0.5, up, 0.94, 0.07, ROLES[n]) for up in (0.05, 0.95)]
    elif tile & BOMB == COLUMN:
        shapes += [part("rect", across, 0.5, 0.07, 0.94, ROLES[n]) for across in (0.05, 0.95)]
    return shapes


def draw(params: Params, level: Level, state: State) -> list[Shape]:
    shapes = [Shape("rect", 0.0, 0.0, 1.0, 1.0, "sky"), Shape("text", 0.64, 0.87, 0.0, 0.04, "text", "collect")]
    for k in range(FIRST, CELLS - FIRST):
        if state.board[k] != WALL:
            x, y = 0.06 + WIDE * (k % STRIDE - 1), 0.08 + HIGH * (k // STRIDE - 1)
            shapes.append(Shape("rect", x, y, WIDE * 0.96, HIGH * 0.96, "far", place_name(k)))
            shapes += draw_tile(x, y, int(state.board[k]), level.look)
    shapes += [part for n in range(GOALS) for part in draw_tile(0.75 + 1.2 * WIDE * n, 0.84, 1 + n, level.look)]
    got, limit = min(state.collected, level.need), level.cells / OVERRUN
    bars = [
        (f"{got} of {level.need}", got / level.need, "goal"),
        (f"{state.moves} moves left", state.moves / params.moves, "accent"),
        (f"moss on {state.moss} of {limit:.0f} cells", min(state.moss / limit, 1.0), "danger"),
    ]
    for n, (label, share, role) in enumerate(bars[: 2 + params.blockers]):
        shapes.append(Shape("text", 0.64, 0.7 - 0.16 * n, 0.0, 0.04, "text", label))
        shapes.append(Shape("rect", 0.64, 0.66 - 0.16 * n, 0.3, 0.025, "far"))
        shapes.append(Shape("rect", 0.64, 0.66 - 0.16 * n, 0.3 * share, 0.025, role))
    if state.moves < params.moves:
        result = f"cascade of {state.waves}!" if state.waves > 1 else "a run" if state.waves else "no run: move lost"
        shapes.append(Shape("text", 0.64, 0.1, 0.0, 0.04, "good" if state.waves > 1 else "text", result))
    return shapes


GAME: Final = Game(
    name="tile_match",
    version=1,
    summary="Swap tiles to make runs: collect the goal colours before the moves run out or moss covers the board.",
    pace="turns",
    tick_seconds=1.5,
    max_ticks=40,
    actions=("pass", *("-".join(place_name(k) for k in cells_of(n)) for n in range(1, SWAPS + 1))),
    space=ParameterSpace(
        Knob("goal", 34.0, 46.0, 40.0, "tiles", "tiles of the goal colours to collect", scale="log"),
        Knob("goal_share", 0.3, 0.4, 0.35, "1", "share of new tiles that have a goal colour", harder="low"),
        Knob("moves", 20, 26, 23, "1", "turns until the attempt is lost", harder="low", scale="integer"),
        Knob("colours", 5, 7, 5, "1", "colours on the board", scale="integer"),
        Knob("blocker_share", 0.0, 0.15, 0.06, "1", "share of cells with a blocker at the start"),
        Knob("blockers", default="stone", meaning="kind of blocker", scale="choice", choices=("stone", "moss")),
        Knob("specials", default="all", meaning="left by long runs", scale="choice", choices=("all", "lines", "none")),
        Knob("board", default="8x8", meaning="size of the board", scale="choice", choices=("8x8", "8x7", "7x7", "7x6")),
    ),
    params=Params,
    causes=("out of moves", "overgrown by moss"),
    build=build,
    start=start,
    expert=expert,
    step=step,
    status=status,
    progress=progress,
    cause=cause,
    score=score,
    place=place,
    place_noun="turn",
    read_level=read_level,
    arrange=arrange,
    draw=draw,
    progression=("goal",),
    how_to=(
        "Collect the two goal colours before your moves run out.",
        "Swap two neighbours to line up three or more of one colour. A swap without a run costs a move.",
        "A run of four can leave a tile with two bars, which clears a line. Five or crossing runs can leave a ring, "
        "which clears around it.",
        "A run breaks a block beside it. Moss (spotted) spreads in every turn that breaks no block. You lose when it "
        "covers a quarter of the board.",
    ),
)
