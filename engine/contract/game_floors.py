"""Last stage of the game contract: what a game gives to those who play it without any sense.

Doing nothing, one action for ever and random actions are floors. A player model that wins less than a floor says
nothing about people: they would find the floor. Where a perfect player wins no more than a weak one, luck alone wins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import numpy as np

from engine.attempt import DEALT, attempt_of, deal_blocks, dealt_step, opening_of
from engine.contract.game_rules import DIALS, SEED, faculties_at, values_at
from engine.game import PERFECT, RUNNING, WON, Faculties, Game
from engine.kernel import compiled
from engine.randomness import words

RANDOM: Final = -1  # in place of an action
HELD_S: Final = 0.25  # how long a random action is held where there is no turn
WEAK: Final = -1.0  # skill of players that 84 % of players surpass
WEAKEST: Final = -2.0
ROUGH: Final = 100  # attempts that tell which actions are worth more of them
ROUNDS: Final = 1600
WORTH: Final = 0.02  # a win rate, or a difference of two, that is worth a sentence
ERRORS: Final = 4.0  # standard errors that count as noise


@cache
def senseless_of(game: Game) -> Callable[..., int]:
    """(values, action, hold, seed, replica, first, rounds) -> attempts won by one action for ever.

    RANDOM in place of an action: any of them, another one after `hold` ticks.
    """
    opening, step, status = opening_of(game), dealt_step(game), game.status
    actions, max_ticks, dealt_luck = len(game.actions), game.max_ticks, game.dealt
    blocks = DEALT if dealt_luck else 0

    def senseless(values: Any, action: int, hold: int, seed: int, replica: int, first: int, rounds: int) -> int:
        luck = np.empty((4, blocks), np.int64)
        won = 0
        for number in range(first, first + rounds):
            params, layout, state, chance, motor_key = opening(values, seed, replica, number, 0, 0)
            tick = 0
            now = status(params, layout, state)
            done = action
            while now == RUNNING and tick < max_ticks:
                if dealt_luck and tick & (DEALT - 1) == 0:
                    deal_blocks(chance, tick + 1, luck)
                if action < 0 and tick % hold == 0:
                    done = (words(motor_key, tick // hold)[0] * actions) >> 32
                state = step(params, layout, state, done, chance, luck, tick)
                tick += 1
                now = status(params, layout, state)
            won += 1 if now == WON else 0
        return won

    return senseless


@cache
def sensible_of(game: Game) -> Callable[..., int]:
    """(values, faculties, seed, replica, first, rounds) -> attempts won by a modelled player."""
    attempt = attempt_of(game)

    def sensible(values: Any, faculties: Faculties, seed: int, replica: int, first: int, rounds: int) -> int:
        won = 0
        for number in range(first, first + rounds):
            won += 1 if attempt(values, faculties, seed, replica, number, 0, 0).outcome == WON else 0
        return won

    return sensible


def senseless_play_wins_less(game: Game) -> Iterator[str]:
    """Doing nothing, one action for ever and random actions win no more than weak players."""
    if game.pace == "abstract":  # there the expert's action is the outcome
        return
    play, weak = compiled(senseless_of(game)), compiled(sensible_of(game))
    hold = 1 if game.pace == "turns" else max(int(HELD_S / game.tick_seconds + 0.5), 1)
    for difficulty in DIALS:
        values = values_at(game, difficulty)
        theirs = weak(values, faculties_at(WEAK), SEED, 4, 0, ROUNDS) / ROUNDS
        worst = (0.0, "")
        for action in range(RANDOM, len(game.actions)):
            rough = play(values, action, hold, SEED, 4, 0, ROUGH) / ROUGH
            if not _may_be_more(rough, theirs):
                continue
            rate = play(values, action, hold, SEED, 4, 0, ROUNDS) / ROUNDS
            if rate - theirs > ERRORS * _error(rate, theirs, ROUNDS) and rate > worst[0]:
                worst = rate, _words(game, action)
        if worst[1]:
            yield (
                f"playing without sense must not beat weak players, but at difficulty {difficulty:g} {worst[1]} wins "
                f"{worst[0]:.3f} and skill {WEAK:g} wins {theirs:.3f}; let the expert fall back on it, or let it cost"
            )
            return


def _may_be_more(rough: float, theirs: float) -> bool:
    return rough > theirs - ERRORS * _error(rough, theirs, ROUGH) and rough > 0.0


def _words(game: Game, action: int) -> str:
    if action == RANDOM:
        return "a random action each time"
    return f"doing nothing ({game.actions[0]})" if action == 0 else f"always {game.actions[action]}"


def skill_wins_everywhere(game: Game) -> Iterator[str]:
    """Where attempts are won and lost, a perfect player wins more than a weak one."""
    play = compiled(sensible_of(game))
    for difficulty in DIALS:
        values = values_at(game, difficulty)
        best = play(values, PERFECT, SEED, 5, 0, ROUNDS) / ROUNDS
        worst = play(values, faculties_at(WEAKEST), SEED, 5, 0, ROUNDS) / ROUNDS
        if not WORTH < best < 1.0 - WORTH:
            continue
        if best - worst + ERRORS * _error(best, worst, ROUNDS) < 2.0 * WORTH + _spread(best):
            yield (
                f"luck alone must not decide, but at difficulty {difficulty:g} a perfect player wins {best:.3f} and "
                f"skill {WEAKEST:g} wins {worst:.3f}; make room for skill there, or end the knobs' ranges earlier"
            )
            return


def _spread(rate: float) -> float:
    """What a difference of two rates may be by chance."""
    return ERRORS * _error(rate, rate, ROUNDS)


def _error(a: float, b: float, rounds: int) -> float:
    """Standard error of a difference of two shares; a share of 0 or 1 counts as one attempt away from it."""
    a, b = (min(max(p, 1.0 / rounds), 1.0 - 1.0 / rounds) for p in (a, b))
    return math.sqrt((a * (1.0 - a) + b * (1.0 - b)) / rounds)
