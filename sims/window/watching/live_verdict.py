"""The verdict on what was watched so far: the same tallies and the same rule as after a run of these attempts.

After the controller was switched, only the attempts since then are judged.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from engine.scenario import Scenario
from engine.setup import Setup
from engine.tally import Scheme, Tally, scheme_of, tally_of
from sims.runs.tables import goal_for
from sims.verdict.goal import Row
from sims.verdict.verdict import Verdict, verdict
from sims.window.panels import Dot
from sims.window.watching.live_world import LiveWorld, WatchedPiece

FIRST: Final = 60  # attempts of all players, before the first verdict
_GROWTH: Final = 1.04  # from one verdict to the next
_MOST_POINTS: Final = 400

GroupSign = Literal["on target", "too hard", "too easy", "off", "not sure"]


class GroupWord(NamedTuple):
    """What is said of a player group, and the sign beside it."""

    sign: GroupSign
    words: str


NOT_SURE: Final = GroupWord("not sure", "not sure yet")


def word_of(row: Row) -> GroupWord:
    """The word for a row of a verdict; it says of a state what the state says, and nothing more."""
    if row.state == "in band":
        return GroupWord("on target", "on target")
    if row.state == "off":
        return GroupWord("off", "off target on some levels")
    if row.state == "cannot tell":
        return NOT_SURE
    hard = row.state == "below"
    edge = row.target_low if hard else row.target_high
    distance = abs(row.win_rate - (edge if math.isnan(row.wanted) else row.wanted))
    points = max(round(100.0 * distance), 1)
    sign: GroupSign = "too hard" if hard else "too easy"
    return GroupWord(sign, f"{points} point{'' if points == 1 else 's'} {sign}")


class LiveVerdict:
    """Verdicts from time to time, and the win rate that each of them judged."""

    def __init__(self, scenario: Scenario, setup: Setup, world: LiveWorld) -> None:
        self.verdict: Verdict | None = None  # the latest; None before FIRST attempts
        self.rates: list[list[Dot]] = [[] for _ in setup.cohorts]  # judged win rates, x in attempts of all players
        self._world = world
        self._goal, self._scheme = goal_for(scenario, setup), scheme_of(setup, scenario.after_attempts)
        self._settled, self._counted = Tally.empty(self._scheme), 0  # of so many finished pieces
        self._due = FIRST
        self.judged = 0  # verdicts so far

    def restart(self) -> None:
        """Judge from here on, after the controller was switched."""
        kind = self._world.chosen[self._world.number].kind
        self._goal = dataclasses.replace(self._goal, steered=kind.mode != "deterministic")
        self._settled, self._counted = Tally.empty(self._scheme), len(self._world.finished)
        self.verdict = None
        self.rates = [[] for _ in self.rates]
        self._due = self._world.played + FIRST

    def words(self) -> list[GroupWord]:
        """One for each player group."""
        return [NOT_SURE for _ in self.rates] if self.verdict is None else [word_of(row) for row in self.verdict.rows]

    def look(self, x: int, *, now: bool = False) -> None:
        """Judge again if it is time, or now. x: attempts in the charts."""
        played = self._world.played
        if played < self._due and not now:
            return
        self._due = max(round(played * _GROWTH), played + 1)
        for row, rates in zip(self.judge_now().rows, self.rates, strict=True):
            if row.attempts:
                rates.append(Dot(float(x), row.win_rate, row.win_rate_low, row.win_rate_high))
            if len(rates) >= _MOST_POINTS:
                del rates[-2::-2]

    def judge_now(self) -> Verdict:
        """The verdict on all attempts so far; the charts do not move."""
        self.verdict = verdict(self._goal, self.tally())
        self.judged += 1
        return self.verdict

    def tally(self) -> Tally:
        """The tally of all attempts that are judged."""
        if self._scheme.cluster != "player":
            return _counted(self._world.pieces(), self._scheme)
        finished = self._world.finished[self._counted :]
        if finished:
            self._settled, self._counted = (
                self._settled + _counted(finished, self._scheme),
                self._counted + len(finished),
            )
        return self._settled + _counted(self._world.pieces(self._counted), self._scheme)


def _counted(pieces: Sequence[WatchedPiece], scheme: Scheme) -> Tally:
    """The tally of pieces that hold whole clusters."""
    found = Tally.empty(scheme)
    for replica in dict.fromkeys(piece.replica for piece in pieces):
        own = [piece for piece in pieces if piece.replica == replica]
        rows = np.concatenate([piece.rows[piece.judged_from :] for piece in own])
        players = np.concatenate([piece.players for piece in own])
        rows = rows[np.lexsort((rows["attempt"], rows["player"]))]
        found = found + tally_of(rows, players[np.argsort(players["player"])], scheme)
    return found
