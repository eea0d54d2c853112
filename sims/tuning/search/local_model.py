"""The pooled model of all counts around one setting, with a posterior that owns up to what the model cannot fit.

Counts tell the less the farther their point is from the setting. Where they vary more around the model than chance
explains, the posterior is widened by as much: the ratio of Pearson's chi-squared to its degrees of freedom, never
below 1 (McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, section 4.5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sims.tuning.search.counts import Counts, Tell
from sims.tuning.search.knob_box import Cube, Numbers
from sims.tuning.search.pooled_model import Data, Fit, Terms, fit, rates_of

NEAR: Final = 0.3  # how far from the setting counts still tell of it, in widths of the cube
_MOST_POINTS: Final = 4000  # that the model is fitted to, the nearest ones
_LEAST_VARIANCE: Final = 1.0  # of a count of wins that has a part in chi-squared: below, it is far from normal
_LEAST_DEGREES: Final = 20.0


class LocalModel:
    """Win rates of all segments around a setting."""

    def __init__(self, cube: Cube, tells: Sequence[Tell], centre: Numbers, near: float = NEAR) -> None:
        """tells: one or more; centre: shape (d,)."""
        counts = Counts(tells)
        away = ((counts.points - centre) ** 2).mean(axis=1)
        weights = np.exp(-away / (2.0 * near**2))
        kept = np.sort(np.argsort(-weights, kind="stable")[:_MOST_POINTS])
        data = Data(counts.points[kept], counts.attempts[kept], counts.wins[kept], weights[kept])
        self.terms = Terms(cube, centre)
        self._fit = fit(self.terms, data)
        self._excess = np.sqrt(_excess(self._fit, data))

    @property
    def beta(self) -> Numbers:
        """Coefficients at the maximum, shape (segments, terms)."""
        return self._fit.beta

    def chances(self, points: Numbers) -> Numbers:
        """Win rates at the maximum, shape (n, segments)."""
        return self._fit.chances(points)

    def drawn(self, draws: int, dice: np.random.Generator) -> Numbers:
        """Coefficients from the widened posterior, shape (draws, segments, terms)."""
        found = np.array([self._fit.drawn(dice) for _ in range(draws)])
        return self.beta + self._excess[:, None] * (found - self.beta)

    def chances_by(self, betas: Numbers, points: Numbers) -> Numbers:
        """Win rates by drawn coefficients, shape (draws, n, segments)."""
        draws, segments, terms = betas.shape
        found = rates_of(self.terms.of(points), betas.reshape(draws * segments, terms))
        return found.reshape(len(points), draws, segments).transpose(1, 0, 2)


def _excess(model: Fit, data: Data) -> Numbers:
    """How many times chance's variance the counts have around the model, 1 or more, shape (segments,)."""
    rates = model.chances(data.points)
    variance = data.attempts * rates * (1.0 - rates)
    weights = data.weights[:, None] * (variance >= _LEAST_VARIANCE)
    squares = (data.wins - data.attempts * rates) ** 2 / np.maximum(variance, _LEAST_VARIANCE)
    leverage = data.weights[:, None] * variance * model.spread(data.points) ** 2
    degrees = (weights * (1.0 - np.minimum(leverage, 1.0))).sum(axis=0)
    ratio = (weights * squares).sum(axis=0) / np.maximum(degrees, _LEAST_DEGREES)
    return np.where(degrees >= _LEAST_DEGREES, np.maximum(ratio, 1.0), 1.0)
