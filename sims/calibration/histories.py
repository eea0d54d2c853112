"""The plays of a file as what the likelihood needs: each player's rows in order, what came before each, and the risks.

The order of players is that of a digest of what they did, not of their ids or of the rows of the file. So the same
plays give the same numbers, whatever the ids are called and however the rows are sorted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.int8]

FOLDS: Final = 5
LEARNING: Final = "learning"
FATIGUE: Final = "fatigue"
REASONS: Final = ("quit_frailty", "quit_streak", "quit_won")  # what multiplies the columns of `reasons`


@dataclass(frozen=True)
class Histories:
    """Players and their attempts, in the order in which they were made where the file tells."""

    levels: tuple[str, ...]  # names, in their natural order
    starts: Indices  # first row of each player, shape (players + 1,)
    level: Indices  # index into levels, shape (rows,)
    won: Flags  # shape (rows,)
    effects: tuple[str, ...]  # names of the columns of features
    features: Numbers  # shape (rows, effects)
    risk: Flags  # whether the player could quit after it and it is known whether they did, shape (rows,)
    quits: Flags  # shape (rows,)
    reasons: Numbers  # shape (rows, 3): 1, log(1 + losses in a row), won
    fold: Indices  # of each player, 0 to FOLDS - 1
    late: Flags | None = None  # whether it is of the last fifth of time, shape (rows,); None where no order is known
    dial: Numbers | None = None  # where a game's dial stood, shape (rows,); None where no game is given
    number: Indices | None = None  # of each player in the file

    @property
    def players(self) -> int:
        return len(self.starts) - 1

    @property
    def rows(self) -> int:
        return len(self.level)

    @property
    def tells_quits(self) -> bool:
        """Whether the file says of anybody that they quit, or that they stayed."""
        return bool(self.risk.any() and self.quits.any())

    def part(self, players: npt.NDArray[np.bool_]) -> Histories:
        """The same with some of the players only. players: shape (players,)."""
        sizes = np.diff(self.starts)
        rows = np.repeat(players, sizes)
        return Histories(
            self.levels,
            np.concatenate(([0], np.cumsum(sizes[players]))),
            self.level[rows],
            self.won[rows],
            self.effects,
            self.features[rows],
            self.risk[rows],
            self.quits[rows],
            self.reasons[rows],
            self.fold[players],
            None if self.late is None else self.late[rows],
            None if self.dial is None else self.dial[rows],
            None if self.number is None else self.number[players],
        )

    def without(self, rows: npt.NDArray[np.bool_]) -> Histories:
        """The same without some of the rows, and without players who have no other. rows: shape (rows,)."""
        owner = np.repeat(np.arange(self.players), np.diff(self.starts))[~rows]
        sizes = np.bincount(owner, minlength=self.players)
        some = sizes > 0
        keep = ~rows
        return replace(
            self, starts=np.concatenate(([0], np.cumsum(sizes[some]))), level=self.level[keep], won=self.won[keep],
            features=self.features[keep], risk=self.risk[keep], quits=self.quits[keep], reasons=self.reasons[keep],
            fold=self.fold[some], late=None if self.late is None else self.late[keep],
            dial=None if self.dial is None else self.dial[keep],
            number=None if self.number is None else self.number[some],
        )  # fmt: skip


@dataclass(frozen=True)
class Plays:
    """Attempts as a file has them: one row each, all arrays of shape (rows,)."""

    levels: tuple[str, ...]
    player: Indices  # numbers in no particular order
    level: Indices
    won: Flags
    order: Indices | None  # rank of the attempt within everything that was told; None where the file has no order
    place: Indices | None  # attempts of the same session before it; None where the file has no sessions
    gone: Flags | None  # 1 on the last row of a player who quit; None where the file does not tell
    closed: Flags | None  # whether it is known of this player that they stayed or quit
    extra: tuple[str, ...] = ()  # names of numeric columns
    numbers: Numbers | None = None  # shape (rows, extra), centred and scaled
    late: Flags | None = None  # 1 in the last fifth of time; None where the file has no order
    dial: Numbers | None = None  # where a game's dial stood, shape (rows,)
    time: Numbers | None = None  # when each began, s; None where the file does not tell
    seconds: Numbers | None = None  # how long each took, NaN where it is not known; None where the file does not tell
    campaign: bool = False  # whether players retry a level until they pass: who won the last one has finished


def histories_of(plays: Plays) -> Histories:
    """Sort players by what they did, and add what came before each attempt.

    Args:
        plays: the attempts, in any order.
    """
    rows = len(plays.player)
    rank = plays.order if plays.order is not None else np.zeros(rows, np.int64)
    numbers = plays.numbers if plays.numbers is not None else np.empty((rows, 0))
    if plays.dial is not None:
        numbers = np.column_stack((numbers, plays.dial))
    keys: list[npt.NDArray[Any]] = [*numbers.T, plays.won, plays.level, rank, plays.player]
    sort = np.lexsort(tuple(keys))
    player = plays.player[sort]
    first = np.flatnonzero(np.concatenate(([True], player[1:] != player[:-1])))
    bounds = np.concatenate((first, [rows]))
    facts = [plays.level[sort], plays.won[sort].astype(np.int64)]
    facts += [each[sort].astype(np.int64) for each in (plays.place, plays.gone, plays.closed) if each is not None]
    value = digests_of(np.column_stack([*facts, numbers[sort].view(np.int64)]), bounds)
    players = np.argsort(value, kind="stable")
    sizes = np.diff(bounds)[players]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    rows_of = np.repeat(bounds[:-1][players] - starts[:-1], sizes) + np.arange(rows)
    own = sort[rows_of]
    owner = np.repeat(np.arange(len(players)), sizes)
    level, won = plays.level[own], plays.won[own]

    effects, columns = _effects(plays, own, starts, owner)
    streak = _streaks(won, starts, owner)
    reasons = np.column_stack((np.ones(rows), np.log1p(streak), won.astype(np.float64)))
    quits = plays.gone[own] if plays.gone is not None else np.zeros(rows, np.int8)
    risk = np.zeros(rows, np.int8)
    if plays.gone is not None:
        risk[:] = 1
        last = starts[1:] - 1
        finished = plays.campaign & (level[last] == len(plays.levels) - 1) & (won[last] == 1)
        quits[last[finished]] = 0  # there was nothing left to play
        open_end = np.zeros(len(last), bool) if plays.closed is None else plays.closed[own][last] == 0
        risk[last[(finished | open_end) & (quits[last] == 0)]] = 0
    dial = None if plays.dial is None else plays.dial[own]
    late = None if plays.late is None else plays.late[own]
    folds = _folds(value[players])
    number = plays.player[own[starts[:-1]]]
    return Histories(
        plays.levels, starts, level, won, effects, columns, risk, quits, reasons, folds, late, dial, number
    )


def digests_of(facts: Indices, bounds: Indices) -> npt.NDArray[np.uint64]:
    """A number for each player that follows from what they did alone; equal where two did the same.

    Args:
        facts: shape (rows, facts), the rows of a player together.
        bounds: first row of each player, shape (players + 1,).
    """
    told = np.ascontiguousarray(facts)
    found = [hashlib.blake2b(told[a:b].tobytes(), digest_size=8).digest() for a, b in pairwise(bounds.tolist())]
    return np.frombuffer(b"".join(found), dtype=">u8")


def _effects(plays: Plays, own: Indices, starts: Indices, owner: Indices) -> tuple[tuple[str, ...], Numbers]:
    """The columns that add to skill, with their names."""
    rows = len(own)
    names: list[str] = []
    columns: list[Numbers] = []
    if plays.order is not None:
        names.append(LEARNING)
        columns.append(np.log1p(np.arange(rows) - starts[owner]))
    if plays.place is not None:
        names.append(FATIGUE)
        columns.append(-np.log1p(plays.place[own]))
    for j, name in enumerate(plays.extra):
        assert plays.numbers is not None
        names.append(name)
        columns.append(plays.numbers[own, j])
    return tuple(names), np.column_stack(columns) if columns else np.empty((rows, 0))


def _streaks(won: Flags, starts: Indices, owner: Indices) -> Indices:
    """Losses in a row up to and with each attempt."""
    rows = np.arange(len(won))
    last_win = np.maximum.accumulate(np.where(won == 1, rows, -1))
    return rows - np.maximum(last_win, starts[owner] - 1)


def _folds(digests: npt.NDArray[np.uint64]) -> Indices:
    """The fold of each player: by digest, and one after the other where many did the same."""
    count = len(digests)
    first = np.flatnonzero(np.concatenate(([True], digests[1:] != digests[:-1])))
    run = np.arange(count) - np.repeat(first, np.diff(np.concatenate((first, [count]))))
    return ((digests % FOLDS).astype(np.int64) + run) % FOLDS
