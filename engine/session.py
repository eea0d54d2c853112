"""Kernels of play: one turn, a whole session, and the birth of players.

`begin_row` and `end_row` are the only home of what an attempt does to a player and to a row. `turn` plays the attempt
between them. The session kernel calls it in a loop with a compiled rule; the single kernel calls it once for a setting
that its caller chose. Both give the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import NOWHERE, Result, attempt_of, define_function
from engine.controller import Bounds, Observation, Rule, Situation
from engine.faults import ATTEMPT_AT, BAD_PROPOSAL, KIND_AT, NO_FAULT, NOBODY, PLAYER_AT, ROWS_AT, STOP_AT, failed
from engine.game import FAILED, WON, Faculties, Game
from engine.parameters import along, level_value, put_made, to_real, value_at
from engine.players import (
    DAY_S,
    FLOW_FIELDS,
    PLAYING,
    SESSION_END,
    Flow,
    after_attempt,
    arrivals,
    be_born,
    come_back,
    faculties_of,
    felt_difficulty,
)
from engine.response.level_shifts import level_shifts
from engine.rule import Layout, learn_of, note_of, pack_of, shifted_bounds, unpack_of
from engine.setup import Setup

UNKNOWN: Final = -1.0


_WEEK_AT: Final = 3 + len(FLOW_FIELDS)  # where the profile of the week begins in a frame's numbers


class Frame(NamedTuple):
    """A world's constants in the form that kernels take: few arrays, since each argument of a call costs time."""

    whole: npt.NDArray[np.int64]  # seed, replica, levels, attempts per player, seed of the numbered levels
    real: npt.NDArray[np.float64]  # horizon_s, floor, ceiling, the fields of Flow, then the profile of the week
    table: npt.NDArray[np.float64]  # the parameter space
    path: npt.NDArray[np.float64]  # the dial
    targets: npt.NDArray[np.float64]  # (2 cohorts, levels): wanted win rates, then how far the dial is moved


def frame_of(setup: Setup, replica: int, world: Setup | None = None) -> Frame:
    """The constants of one replica. world: the setup with the players and levels of this replica; None for the setup
    itself. What controllers know is that of the setup."""
    real = setup if world is None else world
    whole = [setup.seed, replica, setup.levels, setup.attempts_per_player, setup.layout_seed(replica)]
    return Frame(
        np.array(whole, dtype=np.int64),
        np.array([setup.horizon_s, setup.floor, setup.ceiling, *real.flow, *setup.week], dtype=np.float64),
        real.space.table(),
        np.ascontiguousarray(setup.path),
        np.concatenate((setup.targets, level_shifts(setup))),
    )


class Turn(NamedTuple):
    """What a kernel tells about the attempt it played, and about the player after it."""

    left: int  # PLAYING, SESSION_END when the next attempt opens a new session, or why the player is gone
    won: int
    progress: float
    score: float
    duration_s: float
    clock_s: float  # time of the next attempt
    gone: int  # 1 when there is no next attempt


def day_of(clock_s: float) -> int:
    """The day of the run, from 0."""
    return math.floor(clock_s / DAY_S)


def clamp(asked: float, floor: float, ceiling: float) -> float:
    """A controller's proposal within its bounds."""
    if asked < floor:
        return floor
    return ceiling if asked > ceiling else asked


def target_for(targets: npt.NDArray[np.float64], cohort: int, level: int) -> float:
    """Wanted win rate of a cohort on a level; an endless stream has one column."""
    return float(targets[cohort, max(level - 1, 0)])


def shift_for(targets: npt.NDArray[np.float64], cohort: int, level: int) -> float:
    """How far the dial is moved for a rule of the player's own, see engine.response.level_shifts."""
    return float(targets[len(targets) // 2 + cohort, max(level - 1, 0)])


NOTHING_PLAYED: Final = Result(FAILED, 0.0, 0.0, -1, 0, 0.0, 0, NOWHERE)


def begin_row(player: Any, row: Any, values: Any, whole: Any, fault: int) -> Faculties:
    """Write what is known of an attempt before it is played; what the player can do in it."""
    faculties = faculties_of(player)
    row["replica"] = int(whole[1])
    row["cohort"] = player["cohort"]
    row["player"] = player["player"]
    row["attempt"] = player["attempts"]
    row["session"] = player["session"]
    row["place"] = player["place"]
    row["level"] = player["level"]
    row["layout_seed"] = int(whole[4])
    row["start_s"] = player["clock_s"]
    for j in range(len(row["params"])):  # the numbers of a level made by hand follow
        row["params"][j] = values[j]
    row["skill"] = faculties.skill
    row["slope"] = faculties.slope
    row["reaction_s"] = faculties.reaction_s
    row["reaction_sd_s"] = faculties.reaction_sd_s
    row["reaction_tail_s"] = faculties.reaction_tail_s
    row["slip"] = faculties.slip
    row["lapse"] = faculties.lapse
    row["foresight"] = faculties.foresight
    row["streak"] = player["streak"]
    row["mood"] = player["mood"]
    row["fault"] = fault
    return faculties


def end_row(player: Any, row: Any, result: Result, whole: Any, real: Any, flow: Flow) -> Turn:
    """Write how an attempt ended, and bring its player to the next one."""
    row["cause"] = result.cause
    row["ticks"] = result.ticks
    row["end_place"] = result.place
    row["state_hash"] = result.state_hash
    row["outcome"] = result.outcome
    row["progress"] = result.progress
    row["score"] = result.score
    row["duration_s"] = result.duration_s

    seed, replica, horizon_s = int(whole[0]), int(whole[1]), float(real[0])
    after_attempt(
        player, result.outcome, result.duration_s, flow, seed, replica, int(whole[2]), int(whole[3]), horizon_s
    )
    left = int(player["left"])
    if left == SESSION_END:
        come_back(player, flow, real[_WEEK_AT:], seed, replica, horizon_s)
    return Turn(
        left,
        1 if result.outcome == WON else 0,
        result.progress,
        result.score,
        result.duration_s,
        float(player["clock_s"]),
        0 if int(player["left"]) == PLAYING else 1,
    )


@cache
def turn_of(game: Game) -> Callable[..., Turn]:
    """(player record, row record, values, frame arrays, flow, fault) -> Turn: one attempt, its row, and what follows.

    With a fault of those that leave nothing to play, the row says so and the player goes on.
    """
    attempt = attempt_of(game)

    def turn(player: Any, row: Any, values: Any, whole: Any, real: Any, flow: Flow, fault: int) -> Turn:
        faculties = begin_row(player, row, values, whole, fault)
        result = NOTHING_PLAYED
        if not failed(fault):
            level = int(player["level"])
            result = attempt(
                values,
                faculties,
                int(whole[0]),
                int(whole[1]),
                int(player["player"]),
                int(player["attempts"]),
                level,
                int(whole[4]),
            )
        return end_row(player, row, result, whole, real, flow)

    return turn


def unpack_flow() -> Callable[..., Flow]:
    """(real) -> Flow from a frame's numbers."""
    fields = ", ".join(f"float(real[{3 + j}])" for j in range(len(FLOW_FIELDS)))
    return define_function("unpack_flow", f"def unpack_flow(real):\n    return Flow({fields})\n", {"Flow": Flow})


FLOW_OF: Final = unpack_flow()


@cache
def single_of(game: Game) -> Callable[..., tuple[int, int, float, float, float, float, int]]:
    """(players, i, units, difficulty, clipped, fault, frame arrays, rows, r) -> a Turn's fields.

    One attempt at a setting chosen elsewhere, or the row of one that failed. The last of the players is the player
    before it.
    units: shape (knobs,) positions in the unit cube; units[0] below 0 means the dial's place `difficulty`.
    """
    turn = turn_of(game)
    flow_of = FLOW_OF
    knobs = len(game.space)

    def single(
        players: Any, i: int, units: Any, difficulty: float, clipped: int, fault: int, whole: Any, real: Any,
        table: Any, path: Any, targets: Any, rows: Any, r: int,
    ) -> tuple[int, int, float, float, float, float, int]:  # fmt: skip
        player = players[i]
        players[len(players) - 1] = player
        row = rows[r]
        values = np.empty(len(table))
        acts_at = felt_difficulty(player, difficulty)
        for j in range(knobs):
            u = along(path, j, acts_at) if units[0] < 0.0 else float(units[j])
            values[j] = level_value(table, j, int(player["level"]), to_real(table, j, u))
        put_made(table, knobs, int(player["level"]), values)
        row["target"] = target_for(targets, int(player["cohort"]), int(player["level"]))
        row["difficulty"] = difficulty
        row["clipped"] = clipped
        done = turn(player, row, values, whole, real, flow_of(real), fault)
        # A plain tuple: a named one costs half a microsecond on its way out of a kernel.
        return done.left, done.won, done.progress, done.score, done.duration_s, done.clock_s, done.gone

    return single


@cache
def session_of(
    game: Game, rule: Rule, options_layout: Layout, state_layout: Layout, beliefs: tuple[str, ...]
) -> Callable[..., tuple[int, int, float, int]]:
    """(players, i, states, options, frame arrays, rows, r, black box) -> (rows written, left, clock_s, gone).

    Attempts until the session ends. left is PLAYING when the row buffer is full, or after an attempt that the box says
    must not be played: call again.
    clock_s: time of the next attempt.

    players: the last of them is player i before the call, for a caller that must take the call back.
    states: float64 array, shape (players, numbers of a state + 1), the last number being the difficulty before; when
    the kernel raises, it is as before the call. options: float64 array, what the rule was prepared with.
    """
    turn = turn_of(game)
    flow_of = FLOW_OF
    knobs = len(game.space)
    believed = len(beliefs)
    ask, learn = rule.ask, learn_of(rule)
    unpack_options = unpack_of(options_layout, shared=True)
    unpack, pack, note = unpack_of(state_layout), pack_of(state_layout), note_of(beliefs)

    def session(
        players: Any, i: int, states: Any, options: Any, whole: Any, real: Any, table: Any, path: Any, targets: Any,
        rows: Any, r: int, box: Any,
    ) -> tuple[int, int, float, int]:  # fmt: skip
        player = players[i]
        players[len(players) - 1] = player
        box[PLAYER_AT] = player["player"]
        stop = int(box[STOP_AT])
        kind = int(box[KIND_AT])
        box[STOP_AT] = NOBODY
        difficulty = float(states[i, states.shape[1] - 1])
        chosen = unpack_options(options)
        state = unpack(states[i])
        flow = flow_of(real)
        wanted = targets[int(player["cohort"])]
        floor = float(real[1])
        ceiling = float(real[2])
        shifts = targets[len(targets) // 2 + int(player["cohort"])]
        bounds = shifted_bounds(
            Bounds(floor, ceiling, float(wanted.min()), float(wanted.max())), float(shifts.min()), float(shifts.max())
        )
        values = np.empty(len(table))
        first = r
        left = PLAYING
        gone = 0
        while r < len(rows) and left == PLAYING:
            row = rows[r]
            tried = int(player["attempts"])
            box[ATTEMPT_AT] = tried
            box[ROWS_AT] = r
            level = int(player["level"])
            place = int(player["place"])
            last = float(player["last"])
            session = int(player["session"])
            day = day_of(float(player["clock_s"]))
            target = target_for(targets, int(player["cohort"]), level)
            shift = shift_for(targets, int(player["cohort"]), level)
            fault = kind if tried == stop else NO_FAULT
            clipped = 0
            if not failed(fault):
                asked = ask(chosen, state, Situation(target, tried, level, place, last, session, day)) + shift
                if math.isnan(asked):
                    fault = BAD_PROPOSAL
                else:
                    difficulty = clamp(asked, floor, ceiling)
                    clipped = 0 if asked == difficulty else 1
            acts_at = felt_difficulty(player, difficulty)
            for j in range(knobs):
                values[j] = value_at(table, path, j, acts_at, level)
            put_made(table, knobs, level, values)
            row["target"] = target
            row["difficulty"] = difficulty
            row["clipped"] = clipped
            if failed(fault):
                for j in range(believed):
                    row["beliefs"][j] = math.nan
            else:
                note(state, row["beliefs"])
            done = turn(player, row, values, whole, real, flow, fault)
            left = done.left
            gone = done.gone
            r += 1
            if failed(fault):
                break
            won = float(done.won)
            seen = Observation(difficulty - shift, won, done.progress, done.score, target, float(place), last, 1.0)
            state = learn(chosen, state, seen, bounds)
        pack(state, states[i])
        states[i, states.shape[1] - 1] = difficulty
        return r - first, left, float(player["clock_s"]), gone

    return session


def births(players: Any, numbers: Any, cohorts: Any, traits: Any, whole: Any, real: Any) -> None:
    """Fill PLAYER records: numbers and cohorts have shape (players,), traits (cohorts, traits, 6)."""
    flow = FLOW_OF(real)
    for i in range(len(players)):
        cohort = int(cohorts[i])
        level = 1 if int(whole[2]) > 0 else 0
        be_born(players[i], int(numbers[i]), cohort, traits[cohort], int(whole[0]), int(whole[1]), level, flow.content)


def arrive(first: int, whole: Any, real: Any, mean_gap_s: float, window_s: float, out: Any) -> None:
    """Arrival times of the players first, first + 1, ... of a cohort, into out."""
    arrivals(len(out), first, int(whole[0]), int(whole[1]), mean_gap_s, window_s, real[_WEEK_AT:], out)


def put_in_order(rows: Any, order: Any) -> None:
    """rows[order] in place, each row moved once. rows: shape (rows, words); order is used up."""
    held = np.empty(rows.shape[1], rows.dtype)
    for first in range(len(order)):
        if order[first] == first:
            continue
        held[:] = rows[first]
        to = first
        while order[to] != first:
            source = order[to]
            rows[to] = rows[source]
            order[to] = to
            to = source
        rows[to] = held
        order[to] = to
