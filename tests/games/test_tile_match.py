"""tile_match: what runs, specials and blockers do, that no board is dead, and that nobody sees what has yet to fall."""

from __future__ import annotations

import numpy as np
import pytest

from engine.attempt import Result, attempt_of, unpack_params
from engine.game import LOST, PERFECT, RUNNING, WON, Faculties
from engine.kernel import compiled
from engine.randomness import CHANCE, LEVEL, Key, key_of
from games.tile_match import (
    BOMB,
    CELLS,
    COLOUR,
    COLUMN,
    EMPTY,
    FIRST,
    GAME,
    MOSS,
    OVERRUN,
    ROW,
    SIDE,
    STONE,
    STRIDE,
    SWAPS,
    WALL,
    best_swap,
    build,
    cause,
    cells_of,
    deal,
    draw,
    expert,
    mark_runs,
    place_name,
    score,
    set_off,
    settle,
    start,
    status,
    step,
    swap_value,
)
from tests.kit.dial import check_dial

SEED = 27_182
MEDIAN = Faculties(0.0, 1.0, 0.3, 0.04, 0.1, 0.0, 0.0, 1.0)
NOBODY = Key(0, 0, 0, 0, 0)
SIGNS = {".": EMPTY, "#": WALL, "o": STONE, "m": MOSS}
QUIET = "12341234 34123412 56567575 12341234 34123412 56567575 12341234 34123412"  # no runs


def at(difficulty):
    """Values as rules see them on the straight dial."""
    return np.array(GAME.space.real([difficulty] * len(GAME.space)))


def opening(difficulty=0.5, number=0, **knobs):
    """params, level, first state and chance key of an attempt."""
    params = unpack_params(GAME)(at(difficulty))._replace(**knobs)
    level = build(params, key_of(SEED, 0, LEVEL, 0, number))
    key = key_of(SEED, 0, CHANCE, 0, number)
    return params, level, start(params, level, key), key


def board_of(text):
    """A board from its rows, the top one first; 1 to 7 are colours."""
    rows = text.split()
    board = np.full(CELLS, WALL, np.int64)
    for y, row in enumerate(reversed(rows)):
        for x, sign in enumerate(row):
            board[FIRST + STRIDE * y + x] = SIGNS[sign] if sign in SIGNS else int(sign)
    return board


def place(name):
    """The place of a cell on the board."""
    return FIRST + STRIDE * (int(name[1]) - 1) + "abcdefgh".index(name[0])


def with_tiles(text, **tiles):
    """A board with some cells changed."""
    board = board_of(text)
    for name, tile in tiles.items():
        board[place(name)] = tile
    return board


def cleared(board, i=0, j=0, specials=0):
    """The board after all waves without new tiles, and the tally."""
    params = unpack_params(GAME)(at(0.0))._replace(specials=specials)
    after = board.copy()
    return after, settle(after, i, j, params, False, NOBODY, 0)


def runs_on(board):
    """Number of runs on a board."""
    marks = np.zeros(CELLS, np.int64)
    return mark_runs(board, marks, marks.copy(), 0, 0, 2)


def test_a_quiet_board_is_quiet():
    assert runs_on(board_of(QUIET)) == 0


def test_a_run_vanishes_and_what_is_above_falls():
    after, tally = cleared(with_tiles(QUIET, a1=7, b1=7, c1=7), specials=2)
    assert (tally.waves, tally.goals, tally.blockers) == (1, 0, 0)
    for name in "abc":
        column = [after[place(f"{name}{y}")] for y in range(1, 9)]
        assert column == [board_of(QUIET)[place(f"{name}{y}")] for y in range(2, 9)] + [EMPTY]
    assert after[place("d1")] == board_of(QUIET)[place("d1")]


def test_goal_tiles_are_counted_and_cascades_too():
    falling = board_of("3....... 3....... 1....... 1....... 1....... 3.......")
    after, tally = cleared(falling, specials=2)
    assert (tally.waves, tally.goals) == (2, 3)
    assert set(after[after != WALL]) == {EMPTY}


def test_four_leave_a_line_five_and_crossings_a_bomb():
    four = with_tiles(QUIET, a1=7, b1=7, c1=7, d1=7)
    after, _ = cleared(four, i=place("b1"))
    assert after[place("b1")] == 7 + ROW
    column = with_tiles(QUIET, h1=7, h2=7, h3=7, h4=7)
    assert 7 + COLUMN in cleared(column)[0]
    five = with_tiles(QUIET, a1=7, b1=7, c1=7, d1=7, e1=7)
    assert cleared(five, i=place("e1"))[0][place("e1")] == 7 + BOMB
    corner = with_tiles(QUIET, a1=7, b1=7, c1=7, a2=7, a3=7)
    assert cleared(corner)[0][place("a1")] == 7 + BOMB
    assert cleared(five, i=place("e1"), specials=1)[0][place("e1")] == 7 + ROW
    for board in (four, column, five, corner):
        assert np.max(cleared(board, specials=2)[0] % WALL) <= COLOUR


@pytest.mark.parametrize(
    ("special", "gone"),
    [
        (ROW, "a1 b1 c1 d1 e1 f1 g1 h1"),
        (COLUMN, "a1 b1 c1 b2 b3 b4 b5 b6 b7 b8"),
        (BOMB, "a1 b1 c1 a2 b2 c2"),
    ],
)
def test_a_special_reaches_its_cells(special, gone):
    board = with_tiles(QUIET, a1=7, b1=7 + special, c1=7)
    hit = np.zeros(CELLS, np.int64)
    mark_runs(board, hit, hit.copy(), 0, 0, 2)
    set_off(board, hit)
    reached = {place_name(k) for k in range(CELLS) if hit[k] and board[k] != WALL}
    assert reached == set(gone.split())


def test_specials_set_each_other_off():
    board = with_tiles(QUIET, a1=7, b1=7 + ROW, c1=7)
    board[place("h1")] = 4 + COLUMN
    after, _ = cleared(board, specials=2)
    assert all(after[place(f"h{y}")] == EMPTY for y in range(1, 9))


def test_blockers_break_beside_a_run_and_tiles_fall_past_them():
    board = with_tiles(QUIET, a1=7, b1=7, c1=7, d1=STONE, b2=MOSS, h8=STONE, a4=STONE)
    after, tally = cleared(board, specials=2)
    assert tally.blockers == 2
    assert after[place("d1")] != STONE
    assert MOSS not in after
    assert after[place("h8")] == STONE
    assert after[place("a4")] == STONE
    assert after[place("a3")] == board[place("a5")]


def test_moss_grows_only_where_nothing_broke_and_ends_the_attempt():
    params, level, state, key = opening(0.0, blockers=1)
    state = state._replace(board=with_tiles(QUIET, a1=7, b1=7, d1=7, c2=7, h8=MOSS), moss=1)
    idle = step(params, level, state, 0, key, 0)
    assert (idle.moss, idle.waves, idle.moves) == (2, 0, state.moves - 1)
    assert state.board[place("h7")] != MOSS
    beside = state._replace(board=with_tiles(QUIET, a1=7, b1=7, d1=7, c2=7, c3=MOSS, a2=MOSS), moss=2)
    swap = GAME.actions.index("c1-c2")
    assert step(params, level, beside, swap, key, 0).moss == 1
    stone = state._replace(board=board_of(QUIET), moss=0)
    assert step(params, level, stone, 0, key, 0).moss == 0
    most = (level.cells - 1) // OVERRUN
    assert status(params, level, state._replace(moss=most)) == RUNNING
    overgrown = state._replace(moss=-(-level.cells // OVERRUN))
    assert (status(params, level, overgrown), cause(params, level, overgrown)) == (LOST, 1)
    assert status(params, level, overgrown._replace(collected=level.need)) == WON
    late = state._replace(moves=0)
    assert (status(params, level, late), cause(params, level, late)) == (LOST, 0)


def test_a_score_counts_the_moves_that_are_left_only_once_all_is_collected():
    params, level, state, _ = opening(0.3)
    some = state._replace(collected=level.need // 2, moves=params.moves // 2)
    assert score(params, level, state) == 0.0
    assert score(params, level, some) == pytest.approx(0.5 * (level.need // 2) / level.need)
    assert score(params, level, some._replace(collected=level.need)) == pytest.approx(
        0.5 + 0.5 * (params.moves // 2) / params.moves
    )
    assert score(params, level, state._replace(collected=level.need + 4, moves=0)) == 0.5


def test_a_swap_without_a_run_is_undone_and_costs_the_move():
    params, level, state, key = opening(0.0)
    illegal = next(a for a in range(1, SWAPS) if swap_value(state.board, *cells_of(a)) == 0.0)
    after = step(params, level, state, illegal, key, 0)
    assert (after.board == state.board).all()
    assert (after.moves, after.collected, after.waves) == (state.moves - 1, 0, 0)


def test_legal_swaps_are_those_that_make_a_run():
    for number in range(4):
        _, _, state, _ = opening(number / 3, number)
        for action in range(1, SWAPS + 1):
            i, j = cells_of(action)
            movable = all(EMPTY < state.board[k] < WALL for k in (i, j))
            tried = state.board.copy()
            tried[i], tried[j] = tried[j], tried[i]
            assert (swap_value(state.board, i, j) > 0.0) == (movable and runs_on(tried) > 0)


@pytest.mark.thorough
def test_no_board_is_dead():
    fair = compiled(build)
    for number in range(300):
        params = unpack_params(GAME)(at((number % 11) / 10))
        board = fair(params, key_of(SEED, 1, LEVEL, 0, number)).board
        assert runs_on(board) == 0
        assert best_swap(board, 1.0) > 0.0
    for number in range(6):
        params, level, state, key = opening(number / 5, number)
        tick = 0
        while status(params, level, state) == RUNNING:
            state = step(params, level, state, expert(params, level, state, MEDIAN), key, tick)
            tick += 1
            assert best_swap(state.board, 1.0) > 0.0
            assert runs_on(state.board) == 0
            assert EMPTY not in state.board


def test_a_dead_board_is_dealt_anew_and_blockers_crumble_only_without_room():
    params, _, _, key = opening(0.0)
    board = board_of(QUIET)
    board[place("c3")] = STONE
    deal(board, params, key, 0)
    assert board[place("c3")] == STONE
    packed = board_of("oooooooo " * 8)
    packed[place("a1")] = 1
    deal(packed, params, key, 0)
    assert STONE not in packed
    assert best_swap(packed, 1.0) > 0.0


def test_the_expert_sees_the_best_swap_only_where_it_looks():
    params, level, state, _ = opening(0.2, 5)
    kept = state.board.copy()
    for gaze in range(0, SWAPS, 16):
        looking = state._replace(gaze=gaze)
        near = expert(params, level, looking, MEDIAN._replace(foresight=0.0))
        first = next(
            action
            for action in (1 + (gaze + n) % SWAPS for n in range(SWAPS))
            if swap_value(state.board, *cells_of(action)) > 0.0
        )
        assert near == first
    best = {expert(params, level, state._replace(gaze=gaze), PERFECT) for gaze in (0, 40, 90)}
    assert len(best) == 1
    assert (state.board == kept).all()


def test_pictures_name_every_cell_and_actions_name_two_neighbours():
    params, level, state, _ = opening(1.0, 2)
    shapes = draw(params, level, state)
    cells = [shape.text for shape in shapes if shape.kind == "rect" and shape.text]
    assert len(cells) == len(set(cells)) == level.cells == 42
    assert GAME.actions[1 + 2 * (8 * 3 + 2)] == "c4-d4"
    assert GAME.actions[2 + 2 * (8 * 3 + 2)] == "c4-c5"
    assert len(GAME.actions) == len(set(GAME.actions)) == 1 + 2 * SIDE * SIDE
    for shape in shapes:
        assert -0.01 <= min(shape.x, shape.x + shape.width) <= max(shape.x, shape.x + shape.width) <= 1.01
        assert -0.01 <= min(shape.y, shape.y + shape.height) <= max(shape.y, shape.y + shape.height) <= 1.01
    assert shapes == draw(params, level, state)


def test_a_perfect_player_wins_every_layout_at_the_easy_end():
    kernel = compiled(attempt_of(GAME))
    assert all(Result(*kernel(at(0.0), PERFECT, SEED, 0, 0, n, 0)).outcome == WON for n in range(200))


def test_compiled_and_plain_attempts_agree_bit_for_bit():
    kernel = compiled(attempt_of(GAME))
    for n, (difficulty, foresight) in enumerate(((0.0, 0.4), (0.45, 1.0), (0.7, 1.6), (1.0, 100.0))):
        faculties = MEDIAN._replace(slip=0.05, lapse=0.05, foresight=foresight)
        call = (at(difficulty), faculties, SEED, 0, 1, n, n % 2)
        assert Result(*kernel(*call)) == attempt_of(GAME)(*call)


@pytest.mark.thorough
def test_the_dial_goes_from_easy_to_hard_without_a_jump_and_skill_never_hurts():
    check_dial(GAME, 800, SEED)
