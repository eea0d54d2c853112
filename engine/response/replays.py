"""Rows played again with fresh luck: what tells the truth about a map, and about who plays by one.

The player of a row, as they were, meets the row's setting again, on the row's own level, with luck that no run and no
map has. The share won is an unbiased estimate of the chance behind the row, whatever the knobs, the traits and the
layout are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.attempt import Address, opening_of, play_of
from engine.external.external_game import AnyGame, ExternalGame, Meeting, played_elsewhere
from engine.game import WON, Faculties, Game
from engine.kernel import compiled
from engine.response.win_probability import faculties_in

MOST_PLAYS: Final = 127  # of one row
_STRIDE: Final = 2**24  # above every attempt number of a run: the address of a replay is that of no attempt


def replay_wins(
    game: AnyGame, rows: npt.NDArray[np.void], plays: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.int64]:
    """How often each row is won when it is played again, shape (rows,).

    Args:
        game: of the rows.
        rows: of engine.record.row_type.
        plays: how often each row is played, from 0 to MOST_PLAYS, shape (rows,).
        seed: of the run.
    """
    if len(plays) and not 0 <= plays.min() <= plays.max() <= MOST_PLAYS:
        raise ValueError(f"a row is played again 0 to {MOST_PLAYS} times, got {plays.min()} to {plays.max()}")
    wins = np.zeros(len(rows), np.int64)
    if not isinstance(game, ExternalGame):
        compiled(replays_of(game))(rows, plays, seed, wins)
        return wins
    owners = np.repeat(np.arange(len(rows)), plays)
    meetings = (_replay(rows[i], n, seed) for i, most in enumerate(plays.tolist()) for n in range(most))
    for i, (_, reply) in zip(owners, played_elsewhere(game, meetings), strict=True):
        wins[i] += reply.outcome == WON
    return wins


def _replay(row: np.void, n: int, seed: int) -> Meeting:
    """A row played for the n-th time again."""
    numbers = [int(row[name]) for name in ("replica", "player", "attempt", "level", "layout_seed")]
    replica, player, tried, level, layouts = numbers
    address = Address(seed, replica, player, tried + (n + 1) * _STRIDE, level, layouts)
    return Meeting(row["params"], Faculties(*(float(row[name]) for name in Faculties._fields)), address)


@cache
def replays_of(game: Game) -> Callable[..., None]:
    """The plain kernel: (rows, plays, seed, wins), each of the three arrays of shape (rows,)."""
    opening, play = opening_of(game), play_of(game)

    def replays(rows: Any, plays: Any, seed: int, wins: Any) -> None:
        for i in range(len(rows)):
            row = rows[i]
            faculties = faculties_in(row)
            for n in range(plays[i]):
                tried = int(row["attempt"]) + (n + 1) * _STRIDE
                level = int(row["level"])
                layouts = int(row["layout_seed"])
                opened = opening(row["params"], seed, int(row["replica"]), int(row["player"]), tried, level, layouts)
                wins[i] += 1 if play(opened, faculties).outcome == WON else 0

    return replays
