"""How good a fit is on the last fifth of time: it has seen what came before only."""

from __future__ import annotations

import numpy as np

from sims.calibration.checks.prediction_score import UnseenAttempts, unseen_of
from sims.calibration.checks.rivals import Rivals, rivals_of
from sims.calibration.checks.unseen_players import level_counts, level_means
from sims.calibration.fit import Fit, fit, predict
from sims.calibration.histories import Histories
from sims.calibration.likelihood.win_map import WinMap


def try_last_fifth(
    whole: Fit, histories: Histories, *, threads: int = 1, win_map: WinMap | None = None
) -> Rivals | None:
    """Fit to what came before the last fifth, and predict that.

    Args:
        whole: the fit of all attempts, from which the other begins.
        histories: the players.
        threads: of the sums; they change no number.
        win_map: of the game that was played, as the whole was fitted.

    Returns:
        The scores on levels that were met before; None where the file has no order, or no level has ten players in
        the last fifth.
    """
    if histories.late is None:
        return None
    late = histories.late == 1
    if not late.any() or late.all():
        return None
    seen = histories.without(late)
    if seen.won.all() or not seen.won.any():
        return None
    found = fit(seen, threads=threads, start=whole.wins_only(), quits=False, win_map=win_map)
    means, rate = level_means(seen)
    known = level_counts(seen)[1] > 0  # a level that nobody had met is no question of time
    rows = late & known[histories.level]
    unseen = unseen_of(histories, rows)
    unseen = UnseenAttempts(unseen.level, unseen.won, unseen.enough & known)
    chance = predict(found, histories, threads=threads, win_map=win_map)[rows]
    return rivals_of([unseen], [(chance, means[unseen.level], np.full(len(chance), rate))])
