"""How well chances of winning predict attempts: errors of level rates, log-loss, and calibration error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.calibration.histories import Flags, Histories, Indices, Numbers

LEAST_PLAYERS: Final = 10  # unseen players on a level, for its rate to be compared
_CELLS: Final = 10  # of chances, for the calibration error
_LEAST_CHANCE: Final = 1e-6


@dataclass(frozen=True)
class Score:
    """One way of predicting, on attempts it has not seen."""

    error: float  # mean distance of a level's predicted win rate from the true one
    low: float  # 95 % interval of the mean over levels and folds; NaN where there is one only
    high: float
    log_loss: float  # of an attempt
    calibration_error: float  # mean distance of predicted and seen rates in cells of equally many attempts

    def to_json(self) -> dict[str, float | None]:
        """Rounded to what is sure on every machine; null for NaN."""
        return {name: None if math.isnan(value) else round(value, 6) for name, value in self.__dict__.items()}


@dataclass(frozen=True)
class UnseenAttempts:
    """Attempts that were predicted, of one fold."""

    level: Indices  # shape (attempts,)
    won: Flags
    enough: npt.NDArray[np.bool_]  # whether ten players met it, shape (levels,)


def unseen_of(histories: Histories, rows: npt.NDArray[np.bool_] | None = None) -> UnseenAttempts:
    """Attempts to be predicted.

    Args:
        histories: the players.
        rows: which of their attempts; None for all.
    """
    levels = len(histories.levels)
    owner = np.repeat(np.arange(histories.players), np.diff(histories.starts))
    level, won = histories.level, histories.won
    if rows is not None:
        owner, level, won = owner[rows], level[rows], won[rows]
    met = np.unique(level * histories.players + owner) // max(histories.players, 1)
    return UnseenAttempts(level, won, np.bincount(met, minlength=levels) >= LEAST_PLAYERS)


def score_of(unseen: Sequence[UnseenAttempts], chances: Sequence[Numbers]) -> Score | None:
    """The score of one way of predicting; None where no level has ten players.

    Args:
        unseen: the attempts of each fold.
        chances: of winning them, one array for each fold.
    """
    errors: list[float] = []
    for fold, chance in zip(unseen, chances, strict=True):
        off, tried = _level_sums(fold, chance - fold.won)
        errors += (np.abs(off[fold.enough]) / tried[fold.enough]).tolist()
    if not errors:
        return None
    won = np.concatenate([fold.won for fold in unseen]).astype(float)
    chance = np.clip(np.concatenate(list(chances)), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
    loss = -float(np.mean(np.where(won == 1.0, np.log(chance), np.log1p(-chance))))
    mean = math.fsum(errors) / len(errors)
    width = 1.96 * float(np.std(errors, ddof=1)) / math.sqrt(len(errors)) if len(errors) > 1 else math.nan
    return Score(mean, max(mean - width, 0.0), mean + width, loss, _calibration_error(chance, won))


def error_by_luck(unseen: Sequence[UnseenAttempts], chances: Sequence[Numbers]) -> tuple[float, int]:
    """Mean distance of a rate from its expectation by the normal law, sqrt(2 / pi) standard errors, and of how many."""
    lucks: list[float] = []
    for fold, chance in zip(unseen, chances, strict=True):
        variance, tried = _level_sums(fold, chance * (1.0 - chance))
        lucks += (np.sqrt(2.0 / math.pi * variance[fold.enough]) / tried[fold.enough]).tolist()
    return math.fsum(lucks) / len(lucks), len(lucks)


def _level_sums(fold: UnseenAttempts, values: Numbers) -> tuple[Numbers, Numbers]:
    """Sum of values and attempts by level."""
    levels = len(fold.enough)
    tried = np.bincount(fold.level, minlength=levels).astype(np.float64)
    return np.bincount(fold.level, values, levels).astype(np.float64), tried


def _calibration_error(chance: Numbers, won: Numbers) -> float:
    order = np.argsort(chance, kind="stable")
    cells = np.array_split(order, _CELLS)
    return math.fsum(abs(float(np.mean(chance[c] - won[c]))) * len(c) for c in cells if len(c)) / len(won)
