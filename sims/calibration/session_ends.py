"""How sessions end: the same likelihood as for wins, with the end of a session in the place of a win."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sims.calibration.fit import Fit, fit
from sims.calibration.histories import Histories, Plays, digests_of

_LEAST_ENDS = 50


@dataclass(frozen=True)
class SessionEnds:
    """logit P(end after an attempt) = frailty + base + place log(1 + attempts of the session) + won."""

    fit: Fit

    @property
    def base(self) -> float:
        return -float(self.fit.difficulty[0])

    @property
    def frailty_sd(self) -> float:
        return self.fit.skill_sd

    @property
    def place(self) -> float:
        return self.fit.effect("end_place")

    @property
    def won(self) -> float:
        return self.fit.effect("end_won")

    @property
    def estimates(self) -> dict[str, tuple[float, float, float]]:
        """Every estimate with its 95 % interval."""
        low, high = self.fit.interval(0)
        found = {"end_base": (self.base, -high, -low)}
        for place, name in enumerate(self.fit.effects, 1):
            found[name] = (float(self.fit.point[place]), *self.fit.interval(place))
        low, high = self.fit.interval(len(self.fit.effects) + 1)
        found["session_sd"] = (self.frailty_sd, math.exp(low), math.exp(high))
        return found


def fit_session_ends(plays: Plays, *, threads: int = 1) -> SessionEnds | None:
    """Fit how sessions end.

    Args:
        plays: the attempts.
        threads: of the sums; they change no number.

    Returns:
        The estimates; None where the file has no sessions, or fewer than fifty that ended.
    """
    if plays.place is None or plays.order is None:
        return None
    sort = np.lexsort((plays.won, plays.level, plays.place, plays.order, plays.player))
    player, place, won = plays.player[sort], plays.place[sort], plays.won[sort]
    followed = np.concatenate((player[1:] == player[:-1], [False]))  # what follows the last attempt is not known
    ended = np.concatenate((place[1:] == 0, [False]))[followed].astype(np.int8)
    if ended.sum() < _LEAST_ENDS or ended.sum() == len(ended):
        return None
    owner, place, won = player[followed], place[followed], won[followed]
    features = np.column_stack((np.log(place + 2.0), won.astype(np.float64)))
    first = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
    # Players in the order of what they did, as in histories_of, so that ids decide nothing.
    starts = np.concatenate((first, [len(owner)]))
    order = np.argsort(digests_of(np.column_stack((ended, place, won)), starts), kind="stable")
    sizes = np.diff(starts)[order]
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    rows = np.repeat(starts[:-1][order] - bounds[:-1], sizes) + np.arange(len(owner))
    nothing = np.zeros(len(rows), np.int8)
    histories = Histories(
        ("session",), bounds, np.zeros(len(rows), np.int64), ended[rows], ("end_place", "end_won"), features[rows],
        nothing, nothing, np.zeros((len(rows), 3)), np.zeros(len(sizes), np.int64),
    )  # fmt: skip
    return SessionEnds(fit(histories, threads=threads, quits=False, shapes=False))
