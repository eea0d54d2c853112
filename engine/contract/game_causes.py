"""Last stage of the game contract: every way to lose that a game names is one that players meet.

A cause that no loss has is a mistake in `cause`, or a rule that never acts: reports would show it at 0 % for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.attempt import attempt_of
from engine.contract.game_rules import DIALS, SEED, faculties_at, values_at
from engine.contract.game_wins import SKILLS
from engine.game import LOST, Game
from engine.kernel import compiled

ROUNDS: Final = (20, 400)  # attempts at each setting and skill: a few for most games, more where a cause is missing
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
