"""How often players win along a game's dial: many attempts at fixed settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.batch import Crowd, batch_wins
from engine.game import Game
from engine.parameters import along, straight_path
from engine.players import Distribution, distribution_table


class DialRow(NamedTuple):
    """One place on the dial."""

    difficulty: float
    rates: tuple[float, ...]  # share won, one for each skill asked for


def dial_table(
    game: Game, skills: Sequence[float], players: int, seed: int, *, points: int = 11, threads: int = 1
) -> list[DialRow]:
    """Win rates at equally spaced points of the straight dial, where all knobs go from easiest to hardest together.

    For each skill so many players without practice make one attempt at each point; their other traits are the
    defaults. All points and skills meet the same luck, so differences are sharper than the levels.
    """
    path = straight_path(game.space)
    dial = np.linspace(0.0, 1.0, points)
    values = np.array([game.space.real([along(path, j, float(u)) for j in range(len(game.space))]) for u in dial])
    rates = []
    for skill in skills:
        crowd = Crowd(distribution_table({"skill": Distribution("fixed", skill)}), players)
        rates.append(batch_wins(game, values, crowd, seed, threads=threads) / players)
    return [DialRow(float(u), tuple(float(rate[k]) for rate in rates)) for k, u in enumerate(dial)]
