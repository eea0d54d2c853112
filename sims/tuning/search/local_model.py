"""The pooled model of all counts around one setting, with a posterior that is widened where the model does not fit.

Counts far from the setting have less weight. Where counts vary more around the model than chance explains, the
posterior is widened by the ratio of Pearson's chi-squared to its degrees of freedom, never below 1 (McCullagh and
Nelder, Generalized Linear Models, 2nd ed. 1989, section 4.5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sims.tuning.search.counts import Counts, Tell
from sims.tuning.search.pooled_model import PooledModel, Terms, WeightedCounts, fit_model, rates_of
from sims.tuning.search.search_space import Numbers, SearchSpace

NEAR: Final = 0.3  # width of the weights around the setting, as a share of each knob's range
_MOST_POINTS: Final = 4000  # that the model is fitted to: the nearest ones
_LEAST_VARIANCE: Final = 1.0  # of a count of wins in chi-squared; below, it is far from normal
_LEAST_DEGREES: Final = 20.0  # of freedom, to estimate the excess


class LocalModel:
    """Win rates of all segments around a setting."""

    def __init__(self, space: SearchSpace, tells: Sequence[Tell], centre: Numbers, near: float = NEAR) -> None:
        """tells: one or more; centre: shape (d,)."""
        counts = Counts(tells)
        away = ((counts.points - centre) ** 2).mean(axis=1)
        weights = np.exp(-away / (2.0 * near**2))
        kept = np.sort(np.argsort(-weights, kind="stable")[:_MOST_POINTS])
        data = WeightedCounts(counts.points[kept], counts.attempts[kept], counts.wins[kept], weights[kept])
        self.terms = Terms(space, centre)
        self._fit = fit_model(self.terms, data)
        self._excess = np.sqrt(_excess(self._fit, data))

    @property
    def beta(self) -> Numbers:
        """Coefficients at the maximum, shape (segments, terms)."""
        return self._fit.beta

    def chances(self, points: Numbers) -> Numbers:
        """Win rates at the maximum, shape (n, segments)."""
        return self._fit.chances(points)

    def draw(self, draws: int, dice: np.random.Generator) -> Numbers:
        """Draws of the coefficients from the widened posterior, shape (draws, segments, terms)."""
        plain = np.array([self._fit.draw(dice) for _ in range(draws)])
        return self.beta + self._excess[:, None] * (plain - self.beta)

    def chances_by(self, betas: Numbers, points: Numbers) -> Numbers:
        """Win rates by drawn coefficients, shape (draws, n, segments)."""
        draws, segments, terms = betas.shape
        rates = rates_of(self.terms.of(points), betas.reshape(draws * segments, terms))
        return rates.reshape(len(points), draws, segments).transpose(1, 0, 2)


def _excess(model: PooledModel, data: WeightedCounts) -> Numbers:
    """Variance of the counts around the model / binomial variance, 1 or more, shape (segments,)."""
    rates = model.chances(data.points)
    variance = data.attempts * rates * (1.0 - rates)
    weights = data.weights[:, None] * (variance >= _LEAST_VARIANCE)
    squares = (data.wins - data.attempts * rates) ** 2 / np.maximum(variance, _LEAST_VARIANCE)
    leverage = data.weights[:, None] * variance * model.spread(data.points) ** 2
    degrees = (weights * (1.0 - np.minimum(leverage, 1.0))).sum(axis=0)
    ratio = (weights * squares).sum(axis=0) / np.maximum(degrees, _LEAST_DEGREES)
    return np.where(degrees >= _LEAST_DEGREES, np.maximum(ratio, 1.0), 1.0)
