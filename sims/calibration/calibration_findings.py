"""All that a calibration found, in one place: what the file says, the estimates, and how well they predict."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sims.calibration.checks.fit_checks import Checks
from sims.calibration.fit import Fit
from sims.calibration.game.game_plays import GamePlays
from sims.calibration.game.rule_check import RuleCheck
from sims.calibration.histories import Histories, Indices
from sims.calibration.level_totals import LevelTotals
from sims.calibration.play_files.play_table import PlayTable
from sims.calibration.session_ends import SessionEnds
from sims.calibration.session_times import NO_TIMES, SessionTimes


@dataclass(frozen=True)
class LevelSizes:
    """How often each level was tried and won."""

    levels: tuple[str, ...]
    tried: Indices
    won: Indices
    met: Indices | None  # players who tried it; None where the file does not say who played
    players: int | None  # of all levels together

    @property
    def attempts(self) -> int:
        return int(self.tried.sum())


@dataclass(frozen=True)
class Findings:
    """What a calibration found."""

    table: PlayTable
    sizes: LevelSizes
    histories: Histories | None  # None where the file does not say who played
    fit: Fit
    checks: Checks
    session_ends: SessionEnds | None
    played: GamePlays | None = None  # where the rules of a game were given
    rules: RuleCheck | None = None
    session_times: SessionTimes = NO_TIMES

    @property
    def estimates(self) -> dict[str, tuple[float, float, float]]:
        """Every estimate but those of levels, with its 95 % interval, in the words of docs/calibration.md."""
        fitted, found = self.fit, {}
        if self.played is not None:
            low, high = fitted.interval(0)
            found["skill_mean"] = (fitted.mean_skill, -high, -low)
        for place, name in enumerate(fitted.names, fitted.levels):
            if not fitted.free[place] and name not in fitted.held:
                continue  # assumed, not estimated
            low, high = fitted.interval(place)
            value = float(fitted.point[place])
            if name.startswith("log_"):
                name, value, low, high = name.removeprefix("log_"), math.exp(value), math.exp(low), math.exp(high)
            elif name == "atanh_rho":
                name, value, low, high = "correlation", math.tanh(value), math.tanh(low), math.tanh(high)
            found[name] = (value, low, high)
        found |= self.session_ends.estimates if self.session_ends is not None else {}
        return found | self.session_times.estimates


def sizes_of(histories: Histories) -> LevelSizes:
    """Count attempts, wins and players of each level."""
    levels = len(histories.levels)
    owner = np.repeat(np.arange(histories.players), np.diff(histories.starts))
    met = np.unique(histories.level * histories.players + owner) // histories.players
    return LevelSizes(
        histories.levels,
        np.bincount(histories.level, minlength=levels),
        np.bincount(histories.level[histories.won == 1], minlength=levels),
        np.bincount(met, minlength=levels),
        histories.players,
    )


def sizes_of_totals(totals: LevelTotals) -> LevelSizes:
    """The same of totals, which do not say who played."""
    return LevelSizes(totals.levels, totals.tried, totals.won, None, None)
