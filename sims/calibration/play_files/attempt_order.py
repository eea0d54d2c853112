"""What follows from the order of attempts: ranks, rows that are there twice, sessions, and who quit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sims.calibration.histories import Flags, Indices, Numbers

CHURN_S: Final = 7 * 86_400.0  # without play before the end of the data: the player has quit
EARLY: Final = 0.8  # of the attempts; the others are the last fifth of time
SESSION_GAP_S: Final = 1_800.0  # a longer break ends a session


def ranks_of(
    player: Indices, level: Indices, won: Flags, order: Numbers | None, time: Numbers | None
) -> Indices | None:
    """The rank of each row in time, then by order; at the same place a level's losses come before its win."""
    if order is None and time is None:
        return None
    keys: list[npt.NDArray[Any]] = [won, level]  # lexsort: the last is first, so time decides
    keys += (each for each in (order, time) if each is not None)
    sort = np.lexsort((*keys, player))
    changed = np.ones(len(player), bool)
    changed[1:] = player[sort][1:] != player[sort][:-1]
    for key in keys:
        changed[1:] |= key[sort][1:] != key[sort][:-1]
    ranks = np.empty(len(player), np.int64)
    ranks[sort] = np.cumsum(changed)
    return ranks


def first_of_equals(keys: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Whether each row is the first of those that say the same. keys: what they say, one array for each column."""
    sort = np.lexsort(keys)
    same = np.ones(len(sort), bool)
    same[:1] = False
    for key in keys:
        same[1:] &= key[sort][1:] == key[sort][:-1]
    keep = np.empty(len(sort), bool)
    keep[sort] = ~same
    return keep


def places_of(
    player: Indices,
    rank: Indices | None,
    session: Indices | None,
    time: Numbers | None,
    keep: npt.NDArray[np.bool_],
) -> Indices | None:
    """Attempts of the same session before each; by the session's column, else by breaks of half an hour."""
    if rank is None:
        return None
    sort = np.lexsort((rank, player))
    sort = sort[keep[sort]]
    fresh = np.ones(len(sort), bool)
    fresh[1:] = player[sort][1:] != player[sort][:-1]
    if session is not None:
        fresh[1:] |= session[sort][1:] != session[sort][:-1]
    elif time is not None:
        fresh[1:] |= time[sort][1:] - time[sort][:-1] > SESSION_GAP_S
    at = np.arange(len(sort))
    places = np.zeros(len(player), np.int64)
    places[sort] = at - np.maximum.accumulate(np.where(fresh, at, 0))
    return places


def quits_of(
    player: Indices, rank: Indices | None, flag: Flags | None, time: Numbers | None, keep: npt.NDArray[np.bool_]
) -> tuple[Flags | None, Flags | None]:
    """Whether a player quit after a row, and whether it is known of the player; None where the file does not tell."""
    if rank is None or (flag is None and time is None):
        return None, None
    sort = np.lexsort((rank, player))
    sort = sort[keep[sort]]
    last = sort[np.concatenate((player[sort][1:] != player[sort][:-1], [True]))] if len(sort) else sort
    gone, closed = np.zeros(len(player), np.int8), np.ones(len(player), np.int8)
    if flag is not None:
        gone[last] = flag[last] == 1
        return gone, closed
    assert time is not None
    if not len(last):
        return gone, closed
    end = float(time[keep].max())
    if end - float(time[keep].min()) < 2.0 * CHURN_S:
        return None, None
    gone[last] = end - time[last] > CHURN_S
    closed[last] = gone[last]
    return gone, closed


def late_of(player: Indices, rank: Indices | None, time: Numbers | None, keep: npt.NDArray[np.bool_]) -> Flags | None:
    """Whether each row is of the last fifth: by time, or by number of the player's attempt where the file has no times.

    The same time, or number, parts the attempts of all players: a fifth of each player's own attempts would end with
    what made the player leave.
    """
    if rank is None or not keep.any():
        return None
    if time is None:
        sort = np.lexsort((rank, player))
        sort = sort[keep[sort]]
        at = np.arange(len(sort))
        fresh = np.concatenate(([True], player[sort][1:] != player[sort][:-1]))
        time = np.zeros(len(player))
        time[sort] = at - np.maximum.accumulate(np.where(fresh, at, 0))
    return (time > np.quantile(time[keep], EARLY)).astype(np.int8)
