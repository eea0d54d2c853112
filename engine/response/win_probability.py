"""The true chance of winning each attempt that was played: what a controller is judged by.

A realised win rate flatters controllers that swing about the target; the chance behind each attempt does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.attempt import unpack_params
from engine.external.external_game import AnyGame
from engine.game import FAILED, Faculties, Game
from engine.kernel import compiled
from engine.setup import Setup


def closed_form(game: AnyGame, rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """Win probability of each row, shape (rows,), by the game's closed form.

    rows: of engine.record.row_type. Raises ValueError for a game without a closed form.
    """
    if game.win_probability is None:
        raise ValueError(f"only a game with a closed form has a known win probability, but {game.name} has none")
    out = np.empty(len(rows))
    compiled(_chances_of(game))(rows, out)
    return out


def recorded_chances(setup: Setup, rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64] | None:
    """What the column `win_chance` of rows holds: NaN where nothing was played.

    Args:
        setup: what was played.
        rows: of engine.record.row_type.

    Returns:
        Chances, shape (rows,); None where the column was not asked for, or the game has no closed form.
    """
    if not setup.win_chance or setup.game.win_probability is None:
        return None
    return np.where(rows["outcome"] == FAILED, np.nan, closed_form(setup.game, rows))


def faculties_in(row: Any) -> Faculties:
    """What the player of a row could do. It compiles."""
    return Faculties(
        float(row["skill"]),
        float(row["slope"]),
        float(row["reaction_s"]),
        float(row["reaction_sd_s"]),
        float(row["reaction_tail_s"]),
        float(row["slip"]),
        float(row["lapse"]),
        float(row["foresight"]),
    )


@cache
def _chances_of(game: Game) -> Callable[..., None]:
    assert game.win_probability is not None
    unpack, chance = unpack_params(game), game.win_probability

    def chances(rows: Any, out: Any) -> None:
        for i in range(len(rows)):
            row = rows[i]
            out[i] = chance(unpack(row["params"]), faculties_in(row))

    return chances
