"""Win probability near a point of the cube: logistic regression with a prior, out of counts of wins.

    logit p(x) = level + slopes . (x - centre)

Positions grow towards the harder end, so a slope is expected to be negative: its prior is normal with mean
SLOPE_EXPECTED and standard deviation SLOPE_SD, in logits across the whole range of a knob. The level is all but free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import logistic

Vector = npt.NDArray[np.float64]

SLOPE_EXPECTED: Final = -2.0
SLOPE_SD: Final = 2.0
LEVEL_SD: Final = 10.0
_NEWTON_STEPS: Final = 20
_LARGEST_STEP: Final = 4.0  # logits: keeps Newton's method inside the range where the likelihood is curved


class PlaceCounts(NamedTuple):
    """What was seen at one place."""

    place: Vector  # shape (knobs,), each in [0, 1]
    attempts: float
    wins: float
    weight: float  # in (0, 1]: older rows count for less


class LocalResponse(NamedTuple):
    """A fitted response."""

    centre: Vector  # shape (knobs,)
    level: float  # logit of the win probability at the centre
    slopes: Vector  # shape (knobs,), logits per unit of position

    def logit_at(self, place: Vector) -> float:
        """Logit of the win probability at a place, shape (knobs,)."""
        return self.level + float(self.slopes @ (place - self.centre))

    def rate_at(self, place: Vector) -> float:
        """Win probability at a place, shape (knobs,)."""
        return logistic(self.logit_at(place))


def fit_response(rows: Sequence[PlaceCounts], centre: Vector) -> LocalResponse:
    """The most probable response given the rows (Newton's method on the log posterior)."""
    knobs = len(centre)
    features = np.array([[1.0, *(row.place - centre)] for row in rows])
    attempts = np.array([row.weight * row.attempts for row in rows])
    wins = np.array([row.weight * row.wins for row in rows])
    expected = np.array([0.0, *[SLOPE_EXPECTED] * knobs])
    precision = np.array([LEVEL_SD**-2, *[SLOPE_SD**-2] * knobs])
    values = expected.copy()
    for _ in range(_NEWTON_STEPS):
        rates = np.array([logistic(float(logit)) for logit in features @ values])
        gradient = features.T @ (wins - attempts * rates) - precision * (values - expected)
        information = (features.T * (attempts * rates * (1.0 - rates))) @ features + np.diag(precision)
        step = np.linalg.solve(information, gradient)
        step *= min(1.0, _LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        values = values + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return LocalResponse(centre, float(values[0]), values[1:])
