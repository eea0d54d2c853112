"""How good a fit is: win rates of players whom it has not seen, beside two trivial answers.

The chance of each attempt is predicted from the other folds' fit and from what the same player did before it. The two
trivial answers are the mean of the level over the other folds, and one rate for all levels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sims.calibration.checks.prediction_score import unseen_of
from sims.calibration.checks.rivals import Rivals, rivals_of
from sims.calibration.checks.survival import Survival, survival_errors, survival_of
from sims.calibration.fit import Fit, fit, predict
from sims.calibration.histories import FOLDS, Histories, Indices, Numbers
from sims.calibration.likelihood.win_map import WinMap
from sims.calibration.session_ends import SessionEnds

LARGE: Final = 300_000  # rows from which on one fold is enough


def try_unseen_players(
    whole: Fit,
    histories: Histories,
    ends: SessionEnds | None = None,
    *,
    campaign: bool = False,
    threads: int = 1,
    win_map: WinMap | None = None,
    folds: int | None = None,
    on_fold: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Rivals | None, Survival | None]:
    """Fit without each fold, and predict it.

    Args:
        whole: the fit of all players, from which the others begin.
        histories: the players.
        ends: how sessions end; None where the file does not tell.
        campaign: whether players retry a level until they pass.
        threads: of the sums; they change no number.
        win_map: of the game that was played, as the whole was fitted.
        folds: how many of the folds are left out in turn; None for all, and for one where there are many rows.
        on_fold: takes the folds done and in all.

    Returns:
        The scores, None where no level has ten players in a fold; and how well it is predicted how long they stay,
        None where the file does not tell who quit.
    """
    count = folds or (1 if histories.rows > LARGE else FOLDS)
    tests, chances, stays = [], [], []
    for fold in range(count):
        on_fold(fold, count)
        unseen = histories.fold == fold
        seen, test = histories.part(~unseen), histories.part(unseen)
        found = fit(seen, threads=threads, start=whole, quits=whole.joint, win_map=win_map)
        means, rate = level_means(seen)
        tests.append(unseen_of(test))
        chances.append(
            (predict(found, test, threads=threads, win_map=win_map), means[test.level], np.full(test.rows, rate))
        )
        if win_map is None:
            stays.append(survival_errors(seen, test, found, ends, campaign=campaign))
    on_fold(count, count)
    return rivals_of(tests, chances), survival_of(stays)


def level_means(seen: Histories) -> tuple[Numbers, float]:
    """The win rate of each level, drawn a little to that of all where it was met seldom, and that of all."""
    won, tried = level_counts(seen)
    rate = float(seen.won.mean())
    return (won + rate) / (tried + 1.0), rate


def level_counts(seen: Histories) -> tuple[Numbers, Indices]:
    """Wins and attempts of each level."""
    levels = len(seen.levels)
    won = np.bincount(seen.level, seen.won, levels).astype(np.float64)
    return won, np.bincount(seen.level, minlength=levels)
