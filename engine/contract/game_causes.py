"""Last stage of the game contract: every way to lose that a game names is one that players meet.

A cause that no loss has is a mistake in `cause`, or a rule that never acts: reports would show it at 0 % for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.attempt import RUNS_OWN, Result, attempt_of, opening_without, play_of
from engine.contract.game_rules import DIALS, SEED, faculties_at, values_at
from engine.contract.game_wins import SKILLS
from engine.game import LOST, PERFECT, WON, Game
from engine.kernel import compiled

ROUNDS: Final = (20, 400)  # attempts at each setting and skill: a few for most games, more where a cause is missing
LEFT_OUT: Final = 2  # attempts on levels without one of their places, in plain Python
ENOUGH: Final = 1000  # losses behind the claim that a cause never comes


def causes_occur(game: Game) -> Iterator[str]:
    """Every cause is that of some loss."""
    seen = np.zeros(len(game.causes), np.int64)
    first = 0
    for rounds in ROUNDS:
        for values in _settings(game):
            for skill in SKILLS:
                seen += _losses(game, values, skill, first, rounds)
        first += rounds
        if seen.all():
            return
    losses = int(seen.sum())
    if losses < ENOUGH:
        return
    for name, count in zip(game.causes, seen.tolist(), strict=True):
        if not count:
            yield (
                f"every cause must be that of some loss, but {name!r} never came in {losses:,} losses of players of "
                f"skill {SKILLS[0]:g} to {SKILLS[-1]:g}; mend `cause`, or leave it out"
            )


def places_can_be_left_out(game: Game) -> Iterator[str]:
    """Without a place no attempt ends there, what ended before it ends as it did, and a perfect player wins no less."""
    if game.without is None:
        return
    values = values_at(game, 0.5)
    kernel = compiled(attempt_of(game))
    faculties = faculties_at(0.0)
    wins = lost = 0
    for number in range(LEFT_OUT):
        address = (SEED, 0, 7, number, 0, RUNS_OWN)
        whole = Result(*kernel(values, faculties, *address))
        for place in range(1, whole.place + 2):
            opened = opening_without(game)(values, place, *address)
            ended = play_of(game)(opened, faculties)
            here = int(game.place(opened.params, opened.level, ended.state)) if game.place is not None else 0
            if ended.outcome == LOST and here == place:
                yield f"without({place}) must leave nothing at {place}, but an attempt was lost there"
                return
            if place > whole.place and (ended.outcome, ended.ticks, here) != (whole.outcome, whole.ticks, whole.place):
                yield (
                    f"without({place}) must change nothing before the place, but an attempt that ended at "
                    f"{whole.place} after {whole.ticks} ticks now ends at {here} after {ended.ticks}"
                )
                return
            perfect = play_of(game)(opening_without(game)(values_at(game, 0.0), place, *address), PERFECT)
            wins += perfect.outcome == WON
            lost += perfect.outcome != WON
    if lost:
        yield f"a perfect player must win every level without one of its places at the easiest setting, but lost {lost}"


def _settings(game: Game) -> list[Any]:
    """Params along the straight dial, and those of its middle with each choice."""
    settings = [values_at(game, difficulty) for difficulty in DIALS]
    for j, knob in enumerate(game.space.knobs):
        if knob.scale == "choice" and knob.name not in game.space.held:
            for choice in range(knob.levels):
                values = values_at(game, 0.5)
                values[j] = float(choice)
                settings.append(values)
    return settings


def _losses(game: Game, values: Any, skill: float, first: int, rounds: int) -> Any:
    """Losses by cause, int64, shape (causes,)."""
    kernel, faculties = compiled(attempt_of(game)), faculties_at(skill)
    seen = np.zeros(len(game.causes), np.int64)
    for number in range(first, first + rounds):
        result = kernel(values, faculties, SEED, 6, 0, number, 0)
        if int(result[0]) == LOST:
            seen[int(result[3])] += 1
    return seen
