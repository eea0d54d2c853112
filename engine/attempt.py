"""One attempt: a player meets one level once.

`attempt_of(game)` composes a game's rules with the engine's player into one plain function, which runs as it stands
and compiles as a kernel. The player does what the game's expert would do, but late, sometimes wrongly, sometimes
not at all. Reaction, slip and lapse are drawn once per *change of intent*, never per tick, so that behaviour does
not depend on the tick rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.game import LOST, RUNNING, TIMED_OUT, Faculties, Game
from engine.randomness import (
    CHANCE,
    LEVEL,
    MOTOR,
    START,
    Key,
    key_of,
    standard_exponential,
    standard_normal,
    unit,
    words,
)
from engine.statehash import FRESH, fold, fold_int, sealed

EVERYBODY: Final = 0xFFFFFFFF  # the player word of a campaign's level layouts: all players meet the same ones
FASTEST_REACTION_S: Final = 0.1  # below about 100 ms a response is a guess, not a reaction (players note)


class Result(NamedTuple):
    """How an attempt ended."""

    outcome: int  # WON, LOST or TIMED_OUT
    progress: float  # [0, 1]
    cause: int  # index into the game's causes; -1 unless LOST
    ticks: int
    duration_s: float
    state_hash: int  # 48 bits over inputs, final state and outcome; see engine.statehash


class Motor(NamedTuple):
    """Between wanting and doing."""

    wanted: int  # what the expert wants
    action: int  # what the hands do
    pending: int  # what they will do from tick `due` on
    due: int
    changes: int  # of intent so far: the block number of their draws


AT_REST: Final = Motor(wanted=0, action=0, pending=0, due=0, changes=0)


def reaction_time(faculties: Faculties, normal_word: int, tail_word: int) -> float:
    """Ex-Gaussian reaction time in seconds, at least FASTEST_REACTION_S; 0 for a player without any latency."""
    if faculties.reaction_s == 0.0:
        return 0.0
    drawn = (
        faculties.reaction_s
        + faculties.reaction_sd_s * standard_normal(normal_word)
        + faculties.reaction_tail_s * standard_exponential(tail_word)
    )
    return max(drawn, FASTEST_REACTION_S)


def act(
    motor: Motor, wanted: int, actions: int, faculties: Faculties, key: Key, tick: int, tick_seconds: float
) -> Motor:
    """The hands one tick later: a new intent is due after a reaction time, a due one is carried out.

    A lapse leaves the hands as they are until the next change of intent; a slip picks another action at random.
    A new intent replaces one that was not yet carried out.
    """
    if wanted != motor.wanted:
        normal_word, tail_word, error_word, other_word = words(key, motor.changes)
        error = unit(error_word)
        pending = wanted
        if error < faculties.lapse:
            pending = motor.action
        elif error < faculties.lapse + faculties.slip:
            pending = other_action(wanted, actions, other_word)
        # Half a tick of slack: a reaction of exactly n ticks must not become n + 1 by rounding.
        delay = math.ceil(reaction_time(faculties, normal_word, tail_word) / tick_seconds - 0.5)
        motor = Motor(wanted, motor.action, pending, tick + int(delay), motor.changes + 1)
    if tick >= motor.due and motor.action != motor.pending:
        motor = Motor(motor.wanted, motor.pending, motor.pending, motor.due, motor.changes)
    return motor


def other_action(wanted: int, actions: int, word: int) -> int:
    """Any action but the wanted one, each as likely."""
    return (wanted + 1 + ((word * (actions - 1)) >> 32)) % actions


def layout_key(seed: int, replica: int, player: int, attempt: int, level: int) -> Key:
    """Level 0 belongs to one attempt of one player; level 1, 2, ... of a campaign is the same for all."""
    if level == 0:
        return key_of(seed, replica, LEVEL, player, attempt)
    return key_of(seed, 0, LEVEL, EVERYBODY, level)


@cache
def attempt_of(game: Game) -> Callable[..., Result]:
    """The plain function (values, faculties, seed, replica, player, attempt, level) -> Result for a game.

    values: float64 array, shape (knobs,), params as rules see them. The other arguments are integers of the
    address. The same game gives the same function, so that it is compiled once.
    """
    unpack = unpack_params(game)
    seal = seal_of(game)
    build, start, expert, step = game.build, game.start, game.expert, game.step
    status, progress, cause = game.status, game.progress, game.cause
    actions, tick_seconds, max_ticks = len(game.actions), game.tick_seconds, game.max_ticks
    takes_turns, abstract = game.pace == "turns", game.pace == "abstract"

    def attempt(
        values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int
    ) -> Result:
        params = unpack(values)
        chance = key_of(seed, replica, CHANCE, player, attempt)
        motor_key = key_of(seed, replica, MOTOR, player, attempt)
        layout = build(params, layout_key(seed, replica, player, attempt, level))
        state = start(params, layout, key_of(seed, replica, START, player, attempt))
        motor = AT_REST
        tick = 0
        thinking_s = 0.0
        now = status(params, layout, state)
        while now == RUNNING and tick < max_ticks:
            wanted = expert(params, layout, state, faculties)
            if abstract:
                action = wanted
            elif takes_turns:
                action, spent_s = choose(wanted, actions, faculties, motor_key, tick)
                thinking_s += spent_s
            else:
                motor = act(motor, wanted, actions, faculties, motor_key, tick, tick_seconds)
                action = motor.action
            state = step(params, layout, state, action, chance, tick)
            tick += 1
            now = status(params, layout, state)
        outcome = TIMED_OUT if now == RUNNING else now
        reached = progress(params, layout, state)
        reason = cause(params, layout, state) if outcome == LOST else -1
        hashed = seal(values, faculties, seed, replica, player, attempt, level, state, tick, outcome)
        return Result(outcome, reached, reason, tick, tick * tick_seconds + thinking_s, hashed)

    return attempt


@cache
def seal_of(game: Game) -> Callable[..., int]:
    """(values, faculties, address, state, tick, outcome) -> the state hash of an attempt that has ended."""
    fold_state = fold_state_of(game)

    def seal(
        values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int,
        state: Any, tick: int, outcome: int,
    ) -> int:  # fmt: skip
        folded = FRESH
        for j in range(len(values)):
            folded = fold(folded, float(values[j]))
        for j in range(len(faculties)):
            folded = fold(folded, faculties[j])
        folded = fold_int(folded, seed)
        folded = fold_int(folded, replica)
        folded = fold_int(folded, player)
        folded = fold_int(folded, attempt)
        folded = fold_int(folded, level)
        folded = fold_state(folded, state)
        folded = fold_int(folded, tick * 4 + outcome)
        return sealed(folded)

    return seal


def choose(wanted: int, actions: int, faculties: Faculties, key: Key, turn: int) -> tuple[int, float]:
    """A turn's action and the seconds it took to decide: a lapse does nothing, a slip does something else."""
    normal_word, tail_word, error_word, other_word = words(key, turn)
    spent_s = reaction_time(faculties, normal_word, tail_word)
    error = unit(error_word)
    action = wanted
    if error < faculties.lapse:
        action = 0
    elif error < faculties.lapse + faculties.slip:
        action = other_action(wanted, actions, other_word)
    return action, spent_s


def unpack_params(game: Game) -> Callable[..., Any]:
    """(values) -> the game's params tuple, whole numbers and choices as int."""
    fields = ", ".join(
        f"int(values[{j}])" if knob.levels else f"float(values[{j}])" for j, knob in enumerate(game.space.knobs)
    )
    return written("unpack", f"def unpack(values):\n    return Params({fields})\n", {"Params": game.params})


def fold_state_of(game: Game) -> Callable[..., Any]:
    """(folded, state) -> folded: every field of the game's state, in order. Fields: numbers, bools, tuples, arrays."""
    params = game.params(*(int(v) if k.levels else float(v) for v, k in zip(game.space.defaults(), game.space.knobs)))
    key = key_of(0, 0, CHANCE, 0, 0)
    state = game.start(params, game.build(params, key), key)
    lines = ["def fold_state(folded, state):"]
    for name, value in zip(state._fields, state, strict=True):
        if isinstance(value, np.ndarray):
            lines += [f"    for item in state.{name}.flat:", "        folded = fold(folded, float(item))"]
        elif isinstance(value, tuple):
            lines += [f"    folded = fold(folded, float(state.{name}[{i}]))" for i in range(len(value))]
        elif isinstance(value, bool | int):
            lines.append(f"    folded = fold_int(folded, int(state.{name}))")
        else:
            lines.append(f"    folded = fold(folded, float(state.{name}))")
    return written("fold_state", "\n".join([*lines, "    return folded", ""]), {"fold": fold, "fold_int": fold_int})


def written(name: str, text: str, names: dict[str, Any]) -> Callable[..., Any]:
    """A function from its text: named tuples of mixed types cannot be filled in a loop that compiles."""
    space: dict[str, Any] = {"__name__": __name__, **names}
    exec(compile(text, f"<{name}>", "exec"), space)  # noqa: S102 - built from field names, which are identifiers
    written: Callable[..., Any] = space[name]
    return written
