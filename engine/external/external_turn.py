"""The turn of an external game, cut in two: what is known before the attempt, and what follows from the reply.

Both halves are kernels around `engine.session.begin_row` and `end_row`, so that a row and a player are treated as those
of any game. Between them the game plays, elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from engine.attempt import NOWHERE, Result
from engine.external.external_game import Reply, dice_of, sealed
from engine.faults import NO_FAULT
from engine.parameters import along, level_value, to_real
from engine.players import felt_difficulty
from engine.response.win_probability import faculties_in
from engine.session import FLOW_OF, NOTHING_PLAYED, begin_row, end_row, target_for


@cache
def posing_of(knobs: int) -> Callable[..., tuple[int, int, int, int, int]]:
    """(players, i, units, difficulty, clipped, fault, frame arrays, rows, r) -> level and dice.

    Writes the row of an attempt up to where it is played. The other arguments are those of the single kernel.
    """

    def posing(
        players: Any, i: int, units: Any, difficulty: float, clipped: int, fault: int, whole: Any, real: Any,
        table: Any, path: Any, targets: Any, rows: Any, r: int,
    ) -> tuple[int, int, int, int, int]:  # fmt: skip
        player = players[i]
        row = rows[r]
        values = np.empty(knobs)
        level = int(player["level"])
        acts_at = felt_difficulty(player, difficulty)
        for j in range(knobs):
            u = along(path, j, acts_at) if units[0] < 0.0 else float(units[j])
            values[j] = level_value(table, j, level, to_real(table, j, u))
        row["target"] = target_for(targets, int(player["cohort"]), level)
        row["difficulty"] = difficulty
        row["clipped"] = clipped
        begin_row(player, row, values, whole, fault)
        dice = dice_of(
            int(whole[0]), int(whole[1]), int(player["player"]), int(player["attempts"]), level, int(whole[4])
        )
        # A plain tuple: a named one costs half a microsecond on its way out of a kernel.
        return level, dice.luck_high, dice.luck_low, dice.layout_high, dice.layout_low

    return posing


def settling(
    players: Any, i: int, reply: Reply, fault: int, whole: Any, real: Any, rows: Any, r: int
) -> tuple[int, int, float, float, float, float, int]:
    """Write how the attempt of a row ended; the fields of an `engine.session.Turn`.

    The last of the players is the player before it. fault: another than NO_FAULT where nothing was played.
    """
    player = players[i]
    players[len(players) - 1] = player
    row = rows[r]
    result = NOTHING_PLAYED
    if fault == NO_FAULT:
        state_hash = sealed(
            row["params"],
            faculties_in(row),
            int(whole[0]),
            int(whole[1]),
            int(row["player"]),
            int(row["attempt"]),
            int(row["level"]),
            int(whole[4]),
            reply,
        )
        result = Result(
            reply.outcome, reply.progress, reply.score, reply.cause, reply.ticks, reply.duration_s, state_hash, NOWHERE
        )
    done = end_row(player, row, result, whole, real, FLOW_OF(real))
    return done.left, done.won, done.progress, done.score, done.duration_s, done.clock_s, done.gone
