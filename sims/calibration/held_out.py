"""How good a fit is: win rates of players whom it has not seen, beside two trivial answers.

The chance of each attempt is predicted from the other folds' fit and from what the same player did before it. The two
trivial answers are the mean of the level over the other folds, and one rate for all levels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sims.calibration.fit import Fit, fit, predict
from sims.calibration.histories import FOLDS, Histories

Numbers = npt.NDArray[np.float64]

LEAST_PLAYERS: Final = 10  # unseen players on a level, for its rate to be compared
_LARGE: Final = 300_000  # rows from which on one fold is enough
_CELLS: Final = 10  # of chances, for the calibration error
_LEAST_CHANCE: Final = 1e-6


@dataclass(frozen=True)
class Score:
    """One way of predicting, on players it has not seen."""

    error: float  # mean distance of a level's predicted win rate from the true one
    low: float  # 95 % interval of the mean over levels and folds
    high: float
    log_loss: float  # of an attempt
    calibration_error: float  # mean distance of predicted and seen rates in cells of equally many attempts

    def to_json(self) -> dict[str, float]:
        """Rounded to what is sure on every machine."""
        return {name: round(value, 6) for name, value in self.__dict__.items()}


@dataclass(frozen=True)
class HeldOut:
    """The fit and its rivals."""

    model: Score
    level_means: Score
    one_rate: Score
    luck: float  # the error that the model would have were it right: the luck of the unseen players
    folds: int
    rates: int  # level rates that were compared


def held_out(
    whole: Fit,
    histories: Histories,
    *,
    threads: int = 1,
    folds: int | None = None,
    on_fold: Callable[[int, int], None] = lambda done, total: None,
) -> HeldOut | None:
    """Fit without each fold, and predict it.

    Args:
        whole: the fit of all players, from which the others begin.
        histories: the players.
        threads: of the sums; they change no number.
        folds: how many of the folds are left out in turn; None for all, and for one where there are many rows.
        on_fold: takes the folds done and in all.

    Returns:
        The scores; None where no level has ten players in a fold.
    """
    count = folds or (1 if histories.rows > _LARGE else FOLDS)
    tests, chances = [], []
    for fold in range(count):
        on_fold(fold, count)
        unseen = histories.fold == fold
        seen, test = histories.part(~unseen), histories.part(unseen)
        found = fit(seen, threads=threads, start=whole, quits=whole.joint)
        levels = len(histories.levels)
        won, tried = np.bincount(seen.level, seen.won, levels), np.bincount(seen.level, minlength=levels)
        rate = float(seen.won.mean())
        means = ((won + rate) / (tried + 1.0))[test.level]
        tests.append(test)
        chances.append((predict(found, test, threads=threads), means, np.full(test.rows, rate)))
    on_fold(count, count)
    scores = [_score(tests, [each[way] for each in chances]) for way in range(3)]
    if None in scores:
        return None
    model, by_level, one = (score for score in scores if score is not None)
    luck, rates = _luck(tests, [each[0] for each in chances])
    return HeldOut(model, by_level, one, luck, count, rates)


def _level_sums(test: Histories, values: Numbers) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_]]:
    """Sum of values and attempts by level, and which levels ten players met."""
    levels = len(test.levels)
    owner = np.repeat(np.arange(test.players), np.diff(test.starts))
    met = np.unique(test.level * test.players + owner) // max(test.players, 1)
    enough = np.bincount(met, minlength=levels) >= LEAST_PLAYERS
    tried = np.bincount(test.level, minlength=levels).astype(np.float64)
    return np.bincount(test.level, values, levels).astype(np.float64), tried, enough


def _score(tests: list[Histories], chances: list[Numbers]) -> Score | None:
    errors: list[float] = []
    for test, chance in zip(tests, chances, strict=True):
        off, tried, enough = _level_sums(test, chance - test.won)
        errors += (np.abs(off[enough]) / tried[enough]).tolist()
    if not errors:
        return None
    won = np.concatenate([test.won for test in tests]).astype(float)
    chance = np.clip(np.concatenate(chances), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
    loss = -float(np.mean(np.where(won == 1.0, np.log(chance), np.log1p(-chance))))
    mean = math.fsum(errors) / len(errors)
    width = 1.96 * float(np.std(errors, ddof=1)) / math.sqrt(len(errors)) if len(errors) > 1 else math.nan
    return Score(mean, max(mean - width, 0.0), mean + width, loss, _calibration_error(chance, won))


def _calibration_error(chance: Numbers, won: Numbers) -> float:
    order = np.argsort(chance, kind="stable")
    cells = np.array_split(order, _CELLS)
    return math.fsum(abs(float(np.mean(chance[c] - won[c]))) * len(c) for c in cells if len(c)) / len(won)


def _luck(tests: list[Histories], chances: list[Numbers]) -> tuple[float, int]:
    """Mean distance of a rate from its expectation, by the normal law: sqrt(2 / pi) standard errors."""
    lucks: list[float] = []
    for test, chance in zip(tests, chances, strict=True):
        variance, tried, enough = _level_sums(test, chance * (1.0 - chance))
        lucks += (np.sqrt(2.0 / math.pi * variance[enough]) / tried[enough]).tolist()
    return math.fsum(lucks) / len(lucks), len(lucks)
