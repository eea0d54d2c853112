"""Counts behind further targets: for each, what every player adds to a ratio.

Everything here is a share, or the reciprocal of one: attempts to pass a level are the attempts of those who passed it,
one pass each, so their mean is attempts / passes. So the intervals of rates serve for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.further.further_target import MOST_TRIES, FurtherTarget
from engine.game import WON
from engine.inference.intervals import SUMS, Cluster, Integers, cluster_sums
from engine.players import DAY_S, QUIT

_SECONDS_UNIT: Final = 2**40  # of moments where seconds are counted: none are kept, they would not fit


class PlayerRatio(NamedTuple):
    """What some players add to a ratio; arrays of one item a player, and of one cell in the first axis."""

    player: Integers  # number of the player, shape (players,)
    replica: Integers
    part: Integers  # shape (cells, players)
    whole: Integers  # shape (cells, players)


def further_cells_of(targets: Sequence[FurtherTarget]) -> int:
    """How many cells all of them have."""
    return sum(target.cells for target in targets)


def count_further(
    targets: Sequence[FurtherTarget],
    rows: npt.NDArray[np.void],
    players: npt.NDArray[np.void],
    cluster: Cluster,
    unit: int,
) -> Integers:
    """SUMS of each cell of each target, shape (cells, SUMS).

    rows: without failed attempts, sorted by replica, player and attempt; players: those who made them, and others;
    unit: of attempts in moments.
    """
    found = np.zeros((further_cells_of(targets), len(SUMS)), np.int64)
    place = 0
    for target in targets:
        ratio = player_ratio(target, rows, players)
        scale = _SECONDS_UNIT if target.unit == "minutes" else unit
        for part, whole in zip(ratio.part, ratio.whole, strict=True):
            found[place] = _summed(part, whole, ratio.replica, cluster, scale)
            place += 1
    return found


def player_ratio(target: FurtherTarget, rows: npt.NDArray[np.void], players: npt.NDArray[np.void]) -> PlayerRatio:
    """What each player adds to the ratio of a target; those who add nothing are left out. Arguments as above."""
    rows = rows[rows["cohort"] == target.cohort]
    stretches = _Stretches.of(rows)
    parts = {
        "win_rate": _win_rate,
        "quit": _quit,
        "attempts_to_pass": _attempts_to_pass,
        "losing_run": _losing_run,
        "session_length": _session_length,
    }
    part, whole = parts[target.what](target, rows, stretches, players)
    seen = whole.any(axis=0)
    return PlayerRatio(stretches.player[seen], stretches.replica[seen], part[:, seen], whole[:, seen])


class _Stretches(NamedTuple):
    """Where each player's rows begin."""

    start: Integers
    number: Integers  # of the player in these rows, from 0; one item a row
    player: Integers
    replica: Integers
    place: Integers  # of a row among its player's, from 0

    @classmethod
    def of(cls, rows: npt.NDArray[np.void]) -> _Stretches:
        if len(rows) == 0:
            nothing = np.zeros(0, np.int64)
            return cls(nothing, nothing, nothing, nothing, nothing)
        player, replica = rows["player"], rows["replica"]
        new = np.concatenate(([True], (player[1:] != player[:-1]) | (replica[1:] != replica[:-1])))
        start, number = np.flatnonzero(new), np.cumsum(new) - 1
        return cls(start, number, player[start], replica[start], np.arange(len(rows)) - start[number])

    def sums(self, column: npt.NDArray[np.generic]) -> Integers:
        """The sum of a column for each player."""
        found = np.zeros(len(self.start), np.int64)
        np.add.at(found, self.number, column.astype(np.int64))
        return found


_Parts = tuple[Integers, Integers]


def _win_rate(
    target: FurtherTarget, rows: npt.NDArray[np.void], own: _Stretches, players: npt.NDArray[np.void]
) -> _Parts:
    chosen = np.ones(len(rows), np.bool_)
    if target.first:
        chosen &= rows["attempt"] < target.first
    if target.level:
        chosen &= rows["level"] == target.level
    return own.sums(chosen & (rows["outcome"] == WON))[None], own.sums(chosen)[None]


def _quit(target: FurtherTarget, rows: npt.NDArray[np.void], own: _Stretches, players: npt.NDArray[np.void]) -> _Parts:
    if len(rows) == 0:
        return np.zeros((1, 0), np.int64), np.zeros((1, 0), np.int64)
    # A chunk has each player once in a replica; replicas follow each other, so both are sorted alike.
    left = players[players["cohort"] == target.cohort]
    left = left[_matching(own, left["player"])]
    gone, whole = left["left"] == QUIT, np.ones(len(own.start), np.int64)
    last = np.append(own.start[1:], len(rows)) - 1
    if target.first:
        gone &= rows["attempt"][last] < target.first
    if target.day:
        ends = rows["start_s"][last] + rows["duration_s"][last]
        gone &= ends - rows["start_s"][own.start] <= target.day * DAY_S
    if target.level:
        whole = (own.sums(rows["level"] == target.level) > 0).astype(np.int64)
        gone &= (rows["level"][last] == target.level) & (rows["outcome"][last] != WON)
    return (gone & (whole > 0)).astype(np.int64)[None], whole[None]


def _matching(own: _Stretches, numbers: Integers) -> Integers:
    """The place of each player who has rows in the table of players, in which those without rows stand, too."""
    copy = np.concatenate(([0], np.cumsum(numbers[1:] <= numbers[:-1])))
    here = np.concatenate(([0], np.cumsum(own.replica[1:] != own.replica[:-1])))
    stride = int(numbers.max()) + 1
    return np.searchsorted(copy * stride + numbers, here * stride + own.player)


def _attempts_to_pass(
    target: FurtherTarget, rows: npt.NDArray[np.void], own: _Stretches, players: npt.NDArray[np.void]
) -> _Parts:
    here = rows["level"] == target.level
    tries, passed = own.sums(here), own.sums(here & (rows["outcome"] == WON)) > 0
    ones = passed.astype(np.int64)
    if target.statistic == "mean":
        return ones[None], (tries * ones)[None]
    most = np.arange(1, MOST_TRIES + 1)[:, None]
    return ((tries <= most) & passed).astype(np.int64), np.broadcast_to(ones, (MOST_TRIES, len(ones)))


def _losing_run(
    target: FurtherTarget, rows: npt.NDArray[np.void], own: _Stretches, players: npt.NDArray[np.void]
) -> _Parts:
    lost = rows["outcome"] != WON
    if target.first:
        lost = lost & (rows["attempt"] < target.first)
    index = np.arange(len(rows))
    # The row before the losing run that a row belongs to: a row that is not lost, or the one before a player's first.
    before = np.where(~lost, index, np.where(own.place == 0, index - 1, -1))
    run = index - np.maximum.accumulate(before) if len(rows) else index
    return (own.sums(run >= target.length) > 0).astype(np.int64)[None], np.ones((1, len(own.start)), np.int64)


def _session_length(
    target: FurtherTarget, rows: npt.NDArray[np.void], own: _Stretches, players: npt.NDArray[np.void]
) -> _Parts:
    if len(rows) == 0:
        return np.zeros((1, 0), np.int64), np.zeros((1, 0), np.int64)
    opens = own.place == 0
    opens[1:] |= rows["session"][1:] != rows["session"][:-1]
    sessions = own.sums(opens)
    if target.unit == "attempts":
        return sessions[None], own.sums(np.ones(len(rows), np.int64))[None]
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(rows)) - 1
    length = rows["start_s"][last] + rows["duration_s"][last] - rows["start_s"][first]
    seconds = np.zeros(len(own.start), np.int64)
    np.add.at(seconds, own.number[first], np.maximum(np.ceil(length), 1.0).astype(np.int64))
    return sessions[None], seconds[None]


def _summed(part: Integers, whole: Integers, replica: Integers, cluster: Cluster, unit: int) -> Integers:
    """SUMS of what players add, in clusters."""
    seen = whole > 0
    part, whole, replica = part[seen], whole[seen], replica[seen]
    members = np.ones_like(part)
    if cluster != "player":
        names, number = np.unique(replica, return_inverse=True)
        sums = np.zeros((3, len(names)), np.int64)
        for column, total in zip((members, part, whole), sums, strict=True):
            np.add.at(total, number, column)
        members, part, whole = sums
    columns = cluster_sums(members, part, whole, np.zeros_like(part), unit)
    return np.array([column.sum() for column in columns], np.int64)
