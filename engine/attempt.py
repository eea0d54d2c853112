"""One attempt: a player meets one level once.

`attempt_of(game)` composes a game's rules with the engine's player into one plain function, which runs as it stands
and compiles as a kernel. Its three parts are functions of their own: `opening_of` (all that is settled before the
first tick), `play_of` (tick by tick to the end) and `result_of` (what a row says about it).

The player does what the game's expert would do, but late, sometimes wrongly, sometimes not at all. Reaction, slip and
lapse are drawn once per *change of intent*, never per tick, so that behaviour does not depend on the tick rate. What
the player sees coming is timed ahead, with errors to both sides; what comes as a surprise takes a reaction. In games
of turns slip and lapse are drawn per turn; thinking changes nothing but the duration and is drawn as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from engine.arithmetic import log
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
from engine.statehash import FRESH, fold, fold_int, seal_hash

RUNS_OWN: Final = -1  # instead of a seed for numbered levels: that of the run
EVERYBODY: Final = 0xFFFFFFFF  # the player word of a campaign's level layouts: all players meet the same ones
FASTEST_REACTION_S: Final = 0.1  # below about 100 ms a response is a guess, not a reaction (players note)
DEALT: Final = 16  # blocks of words drawn at a time: a loop without branches, which compilers turn into vectors
_TEXTS: Final[WeakKeyDictionary[Callable[..., Any], str]] = WeakKeyDictionary()  # of functions that are made of text
NOWHERE: Final = 0  # the place of an attempt in a game without places, or in which nothing was played
SMALL: Final = 1e-200  # a product of uniform numbers that is below must have its logarithm taken before it vanishes


class Address(NamedTuple):
    """Where an attempt gets its random numbers from."""

    seed: int
    replica: int
    player: int
    attempt: int
    level: int  # of a campaign, from 1; 0 for a layout of its own
    layout_seed: int = RUNS_OWN  # from which the numbered levels are drawn


class Result(NamedTuple):
    """How an attempt ended."""

    outcome: int  # WON, LOST or TIMED_OUT
    progress: float  # [0, 1]
    score: float  # [0, 1]; the progress in a game that has no score
    cause: int  # index into the game's causes; -1 unless LOST
    ticks: int
    duration_s: float
    state_hash: int  # 48 bits over inputs, final state and outcome; see engine.statehash
    place: int  # where it ended, from 1; NOWHERE in a game that names no places


class Opening(NamedTuple):
    """All that is settled before the first tick."""

    params: Any
    level: Any
    state: Any
    chance: Key  # of the luck in the steps
    motor: Key  # of the player's hands


class Ending(NamedTuple):
    """What is left when the rules or the clock have ended it."""

    state: Any
    ticks: int
    outcome: int


class Motor(NamedTuple):
    """Between wanting and doing."""

    wanted: int  # what the expert wants
    action: int  # what the hands do
    pending: int  # what they will do from tick `due` on
    due: int
    changes: int  # of intent so far: the block number of their draws


AT_REST: Final = Motor(wanted=0, action=0, pending=0, due=0, changes=0)
SURPRISE: Final = -1.0  # seconds until an action is due that nobody saw coming


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
    motor: Motor,
    wanted: int,
    due_s: float,
    actions: int,
    faculties: Faculties,
    key: Key,
    tick: int,
    tick_seconds: float,
) -> Motor:
    """The hands one tick later: a new intent is due after a while, a due one is carried out.

    due_s: seconds until a new intent is due, from 0, where the player sees it coming; below 0 for a surprise. Who has
    at least their own usual latency aims for that moment, with errors to both sides. All others react.

    A lapse leaves the hands as they are until the next change of intent; a slip picks another action at random.
    Letting go at a moment that was seen coming belongs to the press before: it does not slip or lapse. A new intent
    replaces one that was not yet carried out.
    """
    if wanted != motor.wanted:
        normal_word, tail_word, error_word, other_word = words(key, motor.changes)
        lets_go = wanted == 0 and due_s >= 0.0
        error = 1.0 if lets_go else unit(error_word)
        pending = wanted
        if error < faculties.lapse:
            pending = motor.action
        elif error < faculties.lapse + faculties.slip:
            pending = other_action(wanted, actions, other_word)
        # The usual latency is met in the tick that begins within it.
        if lets_go or due_s > faculties.reaction_s + faculties.reaction_tail_s - tick_seconds:
            delay_s = max(due_s + faculties.reaction_sd_s * standard_normal(normal_word), 0.0)
        else:
            delay_s = reaction_time(faculties, normal_word, tail_word)
        # Half a tick of slack: a delay of exactly n ticks must not become n + 1 by rounding.
        delay = math.ceil(delay_s / tick_seconds - 0.5)
        motor = Motor(wanted, motor.action, pending, tick + int(delay), motor.changes + 1)
    if tick >= motor.due and motor.action != motor.pending:
        motor = Motor(motor.wanted, motor.pending, motor.pending, motor.due, motor.changes)
    return motor


def other_action(wanted: int, actions: int, word: int) -> int:
    """Any action but the wanted one, each as likely."""
    return (wanted + 1 + ((word * (actions - 1)) >> 32)) % actions


def layout_key(seed: int, replica: int, player: int, attempt: int, level: int, layout_seed: int = RUNS_OWN) -> Key:
    """Level 0 belongs to one attempt of one player; level 1, 2, ... of a campaign is the same for all of its seed."""
    if level == 0:
        return key_of(seed, replica, LEVEL, player, attempt)
    return key_of(seed if layout_seed < 0 else layout_seed, 0, LEVEL, EVERYBODY, level)


@cache
def attempt_of(game: Game) -> Callable[..., Result]:
    """The plain function (values, faculties, seed, replica, player, attempt, level, layout seed) -> Result for a game.

    values: float64 array, params as rules see them; after them the numbers of a level made by hand. The other
    arguments are integers of the address; without the last one, numbered levels are those of the run's seed. The same
    game gives the same function, so that it is compiled once.
    """
    opening, play, result = opening_of(game), play_of(game), result_of(game)

    def attempt(
        values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int,
        layout_seed: int = RUNS_OWN,
    ) -> Result:  # fmt: skip
        opened = opening(values, seed, replica, player, attempt, level, layout_seed)
        ended = play(opened, faculties)
        return result(values, faculties, seed, replica, player, attempt, level, layout_seed, opened, ended)

    return attempt


@cache
def opening_of(game: Game) -> Callable[..., Opening]:
    """(values, address) -> Opening: the one place that says which key deals what, and what comes first."""
    unpack, lay_out, open_on = unpack_params(game), layout_maker(game), opening_on(game)

    def opening(
        values: Any, seed: int, replica: int, player: int, attempt: int, level: int, layout_seed: int = RUNS_OWN
    ) -> Opening:
        params = unpack(values)
        layout = lay_out(params, layout_key(seed, replica, player, attempt, level, layout_seed), values)
        return open_on(params, layout, seed, replica, player, attempt)

    return opening


@cache
def layout_maker(game: Game) -> Callable[..., Any]:
    """(params, key, values) -> the level: made by hand where values go on after the params, else drawn from the key."""
    build, knobs = game.build, len(game.space)
    if game.arrange is None:

        def built(params: Any, key: Key, values: Any) -> Any:
            return build(params, key)

        return built
    arrange = game.arrange

    def arranged(params: Any, key: Key, values: Any) -> Any:
        if len(values) > knobs:
            return arrange(params, key, values[knobs:])
        return build(params, key)

    return arranged


@cache
def opening_without(game: Game) -> Callable[..., Opening]:
    """(values, place, address) -> Opening on the same level with nothing at a place, for games that can leave one out.

    Raises ValueError for a game that cannot.
    """
    if game.without is None:
        raise ValueError(f"only a game that says what a level is without a place can leave one out, got {game.name}")
    unpack, lay_out, without, open_on = unpack_params(game), layout_maker(game), game.without, opening_on(game)

    def opening(
        values: Any, place: int, seed: int, replica: int, player: int, attempt: int, level: int, layout_seed: int
    ) -> Opening:
        params = unpack(values)
        layout = lay_out(params, layout_key(seed, replica, player, attempt, level, layout_seed), values)
        return open_on(params, without(layout, place), seed, replica, player, attempt)

    return opening


@cache
def opening_on(game: Game) -> Callable[..., Opening]:
    """(params, level, seed, replica, player, attempt) -> Opening on a level that is there."""
    start = game.start

    def open_on(params: Any, layout: Any, seed: int, replica: int, player: int, attempt: int) -> Opening:
        state = start(params, layout, key_of(seed, replica, START, player, attempt))
        chance = key_of(seed, replica, CHANCE, player, attempt)
        return Opening(params, layout, state, chance, key_of(seed, replica, MOTOR, player, attempt))

    return open_on


@cache
def play_of(game: Game) -> Callable[..., Ending]:
    """(opened, faculties) -> Ending: tick by tick to the end."""
    expert, step, status, due_of = game.expert, dealt_step(game), game.status, foreseen_of(game)
    actions, tick_seconds, max_ticks = len(game.actions), game.tick_seconds, game.max_ticks
    takes_turns, abstract, dealt_luck = game.pace == "turns", game.pace == "abstract", game.dealt
    blocks = DEALT if takes_turns or dealt_luck else 0

    def play(opened: Opening, faculties: Faculties) -> Ending:
        params, layout, state, chance, motor_key = opened
        hands = np.empty((4, blocks), np.int64)
        luck = np.empty((4, blocks), np.int64)
        motor = AT_REST
        tick = 0
        now = status(params, layout, state)
        while now == RUNNING and tick < max_ticks:
            place = tick & (DEALT - 1)
            if takes_turns and place == 0:
                deal_blocks(motor_key, tick, hands)
            if dealt_luck and place == 0:
                deal_blocks(chance, tick + 1, luck)
            wanted = expert(params, layout, state, faculties)
            if abstract:
                action = wanted
            elif takes_turns:
                action = choose(wanted, actions, faculties, block_at(hands, place))
            else:
                due_s = SURPRISE
                if wanted != motor.wanted:
                    due_s = due_of(params, layout, state, faculties, wanted)
                motor = act(motor, wanted, due_s, actions, faculties, motor_key, tick, tick_seconds)
                action = motor.action
            state = step(params, layout, state, action, chance, luck, tick)
            tick += 1
            now = status(params, layout, state)
        return Ending(state, tick, TIMED_OUT if now == RUNNING else now)

    return play


@cache
def foreseen_of(game: Game) -> Callable[..., float]:
    """(params, level, state, faculties, action) -> seconds until a new intent is due, or SURPRISE."""

    def always_a_surprise(params: Any, level: Any, state: Any, faculties: Faculties, action: int) -> float:
        return SURPRISE

    return game.foreseen or always_a_surprise


@cache
def placing_of(game: Game) -> Callable[..., int]:
    """(params, level, state) -> the place, or NOWHERE."""

    def nowhere(params: Any, level: Any, state: Any) -> int:
        return NOWHERE

    return game.place or nowhere


@cache
def result_of(game: Game) -> Callable[..., Result]:
    """(values, faculties, address, opened, ended) -> Result. A person's thinking is not in it: it was measured."""
    seal = seal_of(game)
    progress, cause = game.progress, game.cause
    score = game.score or progress
    where = placing_of(game)
    tick_seconds, takes_turns = game.tick_seconds, game.pace == "turns"

    def result(
        values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int,
        layout_seed: int, opened: Opening, ended: Ending,
    ) -> Result:  # fmt: skip
        state, ticks, outcome = ended
        reached = progress(opened.params, opened.level, state)
        scored = score(opened.params, opened.level, state)
        reason = cause(opened.params, opened.level, state) if outcome == LOST else -1
        duration_s = ticks * tick_seconds
        if takes_turns:
            duration_s += thinking_time(faculties, opened.motor, ticks)
        hashed = seal(values, faculties, seed, replica, player, attempt, level, layout_seed, state, ticks, outcome)
        ended_at = where(opened.params, opened.level, state)
        return Result(outcome, reached, scored, reason, ticks, duration_s, hashed, ended_at)

    return result


@cache
def seal_of(game: Game) -> Callable[..., int]:
    """(values, faculties, address, state, tick, outcome) -> the state hash of an attempt that has ended."""
    fold_state = fold_state_of(game)

    def seal(
        values: Any, faculties: Faculties, seed: int, replica: int, player: int, attempt: int, level: int,
        layout_seed: int, state: Any, tick: int, outcome: int,
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
        if layout_seed >= 0:  # most rows have none, and keep the hash that they had before there were any
            folded = fold_int(folded, layout_seed)
        folded = fold_state(folded, state)
        folded = fold_int(folded, tick * 4 + outcome)
        return seal_hash(folded)

    return seal


def deal_blocks(key: Key, first: int, out: Any) -> None:
    """The words of DEALT blocks from `first` on into out, int64, shape (4, DEALT)."""
    for i in range(DEALT):
        out[0, i], out[1, i], out[2, i], out[3, i] = words(key, first + i)


def block_at(dealt: Any, place: int) -> tuple[int, int, int, int]:
    """The four words of one of the blocks that were dealt."""
    return int(dealt[0, place]), int(dealt[1, place]), int(dealt[2, place]), int(dealt[3, place])


def luck_of(game: Game, chance: Key, tick: int) -> Any:
    """What a game's step is handed in this tick: the key, or the block that it deals."""
    return words(chance, tick + 1) if game.dealt else chance


@cache
def dealt_step(game: Game) -> Callable[..., Any]:
    """The game's step for a kernel that has dealt: (params, level, state, action, chance, luck, tick) -> State."""
    step = game.step

    def with_key(params: Any, level: Any, state: Any, action: int, chance: Key, luck: Any, tick: int) -> Any:
        return step(params, level, state, action, chance, tick)

    def with_block(params: Any, level: Any, state: Any, action: int, chance: Key, luck: Any, tick: int) -> Any:
        return step(params, level, state, action, block_at(luck, tick & (DEALT - 1)), tick)

    return with_block if game.dealt else with_key


def choose(wanted: int, actions: int, faculties: Faculties, block: tuple[int, int, int, int]) -> int:
    """A turn's action by the turn's block of the motor key: a lapse does nothing, a slip does something else."""
    _, _, error_word, other_word = block
    error = unit(error_word)
    action = wanted
    if error < faculties.lapse:
        action = 0
    elif error < faculties.lapse + faculties.slip:
        action = other_action(wanted, actions, other_word)
    return action


def thinking_time(faculties: Faculties, key: Key, turns: int) -> float:
    """Seconds that a synthetic player thinks in so many turns; 0 without any latency, and for a person.

    The sum of n ex-Gaussian reaction times, drawn at once. The normal parts make one normal number of n times the mean
    and sqrt(n) times the spread. The exponential parts are minus the logarithm of a product of n uniform numbers
    (Devroye 1986, section IX.3, gamma variates of integer shape). At least FASTEST_REACTION_S a turn on average.
    """
    if not faculties.reaction_s > 0.0 or turns == 0:
        return 0.0
    dealt = np.empty((4, DEALT), np.int64)
    tail = 0.0
    product = 1.0
    for turn in range(turns):
        place = turn & (DEALT - 1)
        if place == 0:
            deal_blocks(key, turn, dealt)
        product *= (int(dealt[1, place]) + 0.5) * 2.0**-32  # in (0, 1)
        if product < SMALL:
            tail -= log(product)
            product = 1.0
    normal_word, _, _, _ = words(key, 0)
    drawn = (
        turns * faculties.reaction_s
        + math.sqrt(turns) * faculties.reaction_sd_s * standard_normal(normal_word)
        + faculties.reaction_tail_s * (tail - log(product))
    )
    return max(drawn, turns * FASTEST_REACTION_S)


def unpack_params(game: Game) -> Callable[..., Any]:
    """(values) -> the game's params tuple, whole numbers and choices as int."""
    fields = ", ".join(
        f"int(values[{j}])" if knob.levels else f"float(values[{j}])" for j, knob in enumerate(game.space.knobs)
    )
    return define_function("unpack", f"def unpack(values):\n    return Params({fields})\n", {"Params": game.params})


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
    return define_function(
        "fold_state", "\n".join([*lines, "    return folded", ""]), {"fold": fold, "fold_int": fold_int}
    )


def define_function(name: str, text: str, names: dict[str, Any]) -> Callable[..., Any]:
    """A function from its text: named tuples of mixed types cannot be filled in a loop that compiles."""
    space: dict[str, Any] = {"__name__": __name__, **names}
    exec(compile(text, f"<{name}>", "exec"), space)  # noqa: S102 - built from field names, which are identifiers
    function: Callable[..., Any] = space[name]
    _TEXTS[function] = text
    return function


def made_text(function: Callable[..., Any]) -> str | None:
    """The text of a function that `define_function` made; None for any other."""
    return _TEXTS.get(function)
