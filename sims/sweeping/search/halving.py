"""Hyperband: many settings with few players, and few settings with many (Li et al., JMLR 18, 2018).

A bracket begins with many trials on few players; the better third goes on to a rung of three times as many. Each rung
has players of its own: all trials of a rung share their luck, and no luck is met twice. A trial goes on by the upper
end of its loss less the baseline's, over all rungs it has played. All trials of a rung end before any goes on. The
asynchronous form (ASHA: Li et al., MLSys 2020) promotes by what happens to be finished, so its result would depend on
the number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from sims.sweeping.search.explorer import BATCH, ranked_trials
from sims.sweeping.search.random_trials import drawn
from sims.sweeping.space import Settings, SweepSpace
from sims.sweeping.trial_records import PlayerBlock, TrialAsk, TrialRecord

KEPT: Final = 3  # one of so many goes on
LEAST_PLAYERS: Final = 60  # of the smallest rung


class Rung(NamedTuple):
    """So many trials with so many players."""

    trials: int
    players: int


Bracket = tuple[Rung, ...]


def plan_brackets(players: int, attempts: int, per_player: int) -> tuple[Bracket, ...]:
    """The brackets that so many attempts pay for; none where they pay for no two rungs.

    players: of the largest rung; per_player: attempts of a player, in all repeats.
    """
    depth = int(math.log(players / LEAST_PLAYERS, KEPT) + 1e-9) if players >= LEAST_PLAYERS else 0
    if depth < 1:
        return ()
    one_loop = [_bracket(players, s, -(-(depth + 1) * KEPT**s // (s + 1))) for s in range(depth, -1, -1)]
    whole = sum(map(_players_of, one_loop)) * per_player
    if whole <= attempts:
        times = attempts / whole
        found = [_bracket(players, len(one) - 1, int(one[0].trials * times)) for one in one_loop]
    else:
        most = next(
            (n for n in range(KEPT**depth * 2, KEPT, -1) if _cost(players, depth, n, per_player) <= attempts), 0
        )
        found = [_bracket(players, depth, most)] if most else []
    return tuple(bracket for bracket in found if bracket[0].trials)


def _bracket(players: int, steps: int, trials: int) -> Bracket:
    return tuple(
        Rung(max(trials // KEPT**i, 1) if trials else 0, -(-players // KEPT ** (steps - i))) for i in range(steps + 1)
    )


def _players_of(bracket: Bracket) -> int:
    """The baseline plays every rung, too."""
    return sum((rung.trials + 1) * rung.players for rung in bracket)


def _cost(players: int, steps: int, trials: int, per_player: int) -> int:
    return _players_of(_bracket(players, steps, trials)) * per_player


def cost_of(brackets: Sequence[Bracket], per_player: int) -> int:
    """Most attempts of all brackets, the baseline's included."""
    return sum(map(_players_of, brackets)) * per_player


class Halving:
    """Plays brackets one after the other."""

    def __init__(self, space: SweepSpace, brackets: Sequence[Bracket], seed: int) -> None:
        """seed: 0 or more."""
        self._settings: Iterator[Settings] = drawn(space, seed)
        self._left = list(brackets)
        self._rungs: list[Rung] = []  # of this bracket, still to be played
        self._going: list[tuple[int, Settings]] = []  # trials of this bracket that are still in
        self._waiting: list[TrialAsk] = []  # of this rung
        self._records: list[TrialRecord] = []  # of this bracket
        self._all: list[TrialRecord] = []
        self._through: set[int] = set()  # trials that reached the last rung of their bracket
        self._trials = self._blocks = 0

    def ask(self) -> list[TrialAsk]:
        """The next trials of a rung."""
        while not self._waiting and (self._rungs or self._left):
            self._next_rung()
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return batch

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Remember what came of them."""
        self._records += records
        self._all += records
        if not self._rungs:
            self._through |= {record.ask.trial for record in records}

    def finalists(self) -> list[int]:
        """Trials that reached the last rung of their bracket; before any has, all of them."""
        found = ranked_trials(self._all)
        return [trial for trial in found if trial in self._through] or found

    def _next_rung(self) -> None:
        if not self._rungs:
            self._rungs = list(self._left.pop(0))
            self._records = []
            fresh = list(islice(self._settings, self._rungs[0].trials))
            self._going = [(self._trials + 1 + place, one) for place, one in enumerate(fresh)]
            self._trials += len(fresh)
        rung = self._rungs.pop(0)
        if self._records:
            settings = dict(self._going)
            better = [trial for trial in ranked_trials(self._records) if trial in settings][: rung.trials]
            self._going = [(trial, settings[trial]) for trial in sorted(better)]
        block = PlayerBlock(self._blocks, rung.players)
        self._blocks += 1
        self._waiting = [TrialAsk(trial, one, block) for trial, one in self._going]
