"""How well a fit predicts how long players stay whom it has not seen, in attempts, beside two trivial answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sims.calibration.checks.behaviour_counts import LEAST_PLAYERS, count_behaviour
from sims.calibration.checks.twins import count_twins, tours_of
from sims.calibration.fit import Fit
from sims.calibration.histories import Histories, Numbers
from sims.calibration.session_ends import SessionEnds

_SETS: Final = 5  # of twins


@dataclass(frozen=True)
class Survival:
    """Mean distance of the predicted share of players who stay from the true one, over attempts and folds."""

    model: float
    other_players: float  # by the share of the players who were seen
    one_rate: float  # by one chance of quitting after any attempt

    def to_json(self) -> dict[str, float]:
        """Rounded to what is sure on every machine."""
        return {name: round(value, 6) for name, value in self.__dict__.items()}


def survival_errors(
    seen: Histories, unseen: Histories, fit: Fit, ends: SessionEnds | None, *, campaign: bool
) -> tuple[float, float, float] | None:
    """The three distances in one fold; None where ten players cannot be followed for two attempts.

    Args:
        seen: players of the fit.
        unseen: the others.
        fit: of those who were seen.
        ends: how sessions end; None where the file does not tell.
        campaign: whether players retry a level until they pass.
    """
    if not fit.joint:
        return None
    truth, others = count_behaviour(unseen, 0), count_behaviour(seen, 0)
    enough = (truth.could_quit >= LEAST_PLAYERS) & (others.could_quit > 0)
    points = len(enough) if enough.all() else int(enough.argmin())
    if points < 2:
        return None
    tours = tours_of(unseen, campaign)
    sets = [count_twins(unseen, tours, fit, ends, fit.point, draw, 0) for draw in range(_SETS)]
    one_rate = np.cumprod(np.full(points, 1.0 - others.did_quit.sum() / others.could_quit.sum()))
    ways: Sequence[Numbers] = (np.mean([one.stay() for one in sets], axis=0), others.stay(), one_rate)
    stay = truth.stay()[:points]
    model, other, one = (float(np.abs(way[:points] - stay).mean()) for way in ways)
    return model, other, one


def survival_of(errors: Sequence[tuple[float, float, float] | None]) -> Survival | None:
    """The mean over folds; None where one could not be followed."""
    known = [each for each in errors if each is not None]
    if not known or len(known) < len(errors):
        return None
    model, other, one = (math.fsum(each[way] for each in known) / len(known) for way in range(3))
    return Survival(model, other, one)
