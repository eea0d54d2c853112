"""Knobs in seconds that act in whole ticks: between two steps nothing changes, and at a step the win rate jumps.

A rule such as `clock >= params.pause_s` in a game of ticks makes a staircase of a smooth knob. The same attempts are
played at values an eighth of a tick apart. On a staircase they end in the same way over whole ticks, and every change
comes after a whole number of ticks from the one before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from engine.attempt import Result, attempt_of
from engine.contract.game_rules import SEED, faculties_at
from engine.contract.game_wins import ERRORS, MEAN_ROUNDS, MIDDLING, ROUNDS, win_rate
from engine.game import Game
from engine.kernel import compiled

_PARTS: Final = 8  # values within a tick
_TICKS: Final = 4  # that are looked at
_OFF: Final = 0.37  # of a part: steps at whole ticks must not depend on rounding
_LEAST_CHANGES: Final = 3  # fewer may come a whole number of ticks apart by chance
_ATTEMPTS: Final = 4  # of each skill
_PLACES: Final = (0.1, 0.5, 0.9)  # of a knob's range where a step is measured
_NOTICED: Final = 0.03  # of a win rate: a smaller jump at one tick is no flaw
_SECONDS: Final = "s"


class Step(NamedTuple):
    """Where a knob acts at once, and where it does not act at all."""

    same: tuple[float, float]  # values between which every attempt ends in the same way
    other: float  # the next value that was tried


def is_staircase(game: Game, values: list[float], j: int) -> bool:
    """Whether knob j acts in whole ticks near some values of all knobs, as rules see them."""
    return bool(_steps(game, values, j))


def acts_between_ticks(game: Game) -> Iterator[str]:
    """A knob in seconds acts between ticks, too, or one tick of it changes little."""
    for j, knob in enumerate(game.space.knobs):
        if not may_be_staircase(game, j):
            continue
        worst, sentence = _NOTICED, ""
        for place in _PLACES:
            values = game.space.defaults()
            values[j] = game.space.real([place] * len(game.space))[j]
            for step in _steps(game, values, j)[:1]:
                before, after = (_mean_rate(game, values, j, value) for value in (step.same[1], step.other))
                noise = ERRORS * math.sqrt(0.5 / MEAN_ROUNDS)
                if abs(after - before) > max(worst, noise):
                    worst = abs(after - before)
                    sentence = (
                        f"{knob.name}: a knob in seconds should act between ticks, too, but from {step.same[0]:.4g} "
                        f"to {step.same[1]:.4g} {knob.unit} every attempt ends in the same way, and at "
                        f"{step.other:.4g} the win rate jumps from {before:.3f} to {after:.3f}; count it in ticks of "
                        f"{game.tick_seconds:.4g} s, or let the rest of a tick matter"
                    )
        if sentence:
            yield sentence


def may_be_staircase(game: Game, j: int) -> bool:
    """Whether knob j is in seconds, in a game of ticks, and its range has some ticks."""
    knob = game.space[j]
    if game.pace != "real_time" or knob.unit != _SECONDS or knob.levels or knob.name in game.space.held:
        return False
    return bool(knob.high - knob.low > (_TICKS + 1) * game.tick_seconds)


def _steps(game: Game, values: list[float], j: int) -> list[Step]:
    """The steps of a staircase near some values; none where it is no staircase."""
    knob, part = game.space[j], game.tick_seconds / _PARTS
    first = min(max(values[j], knob.low), knob.high - (_TICKS + 0.5) * game.tick_seconds)
    tried = [first + (i + _OFF) * part for i in range(_TICKS * _PARTS + 1)]
    ends = [_endings(game, values, j, value) for value in tried]
    changes = [i for i in range(1, len(ends)) if ends[i] != ends[i - 1]]
    if len(changes) < _LEAST_CHANGES or len({i % _PARTS for i in changes}) > 1:
        return []
    return [
        Step((tried[before], tried[i - 1]), tried[i])
        for before, i in zip([changes[0] % _PARTS, *changes], changes, strict=False)
        if before < i - 1
    ]


def _endings(game: Game, values: list[float], j: int, value: float) -> list[Any]:
    """How the same attempts end at a value of knob j: all but the hash, which knows the params."""
    kernel = compiled(attempt_of(game))
    call = _with(values, j, value)
    ends = [
        Result(*kernel(call, faculties_at(skill), SEED, 4, 0, number, 0))
        for skill in MIDDLING
        for number in range(_ATTEMPTS)
    ]
    return [end._replace(state_hash=0) for end in ends]


def _mean_rate(game: Game, values: list[float], j: int, value: float) -> float:
    rates = [win_rate(game, _with(values, j, value), skill, ROUNDS) for skill in MIDDLING]
    return math.fsum(rates) / len(rates)


def _with(values: list[float], j: int, value: float) -> Any:
    changed = np.array(values)
    changed[j] = value
    return changed
