"""One binomial model for each segment over all attempts, quadratic around a centre.

The log-odds of a win at a point x are phi(x - c) . beta_k in segment k. The terms phi are an intercept; linear,
quadratic and cubic terms of the numeric knobs; optional bumps by which the neighbourhood of the centre c may differ; an
offset for each value of a whole number that has few values; an offset and slopes for each value of a choice; and steps
at cuts of numeric knobs, where `find_cut` has found that win rates jump. They are fitted by penalised likelihood, with
less weight for points far from the centre. Unequal numbers of attempts are exact. The posterior of beta_k is the
Gaussian of Laplace's approximation at the maximum.

The ridge is hierarchical. Each term has one variance for all segments, learned from the data by expectation
maximisation, so a term that no segment needs vanishes from all of them. That makes twenty knobs affordable: hundreds of
terms are allowed and few are used.

Sources: iteratively reweighted least squares: McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, section
2.5; variances of coefficients learned from data: MacKay, Neural Computation 4, 1992, and Tipping, Journal of Machine
Learning Research 1, 2001, here shared by segments as in Obozinski, Taskar and Jordan, Statistics and Computing, 2010;
score tests: Rao, Proceedings of the Cambridge Philosophical Society 44, 1948.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import chdtri, expit

from sims.tuning.search.search_space import Numbers, SearchSpace

_FAR: Final = 9.0  # log-odds are clipped to [-_FAR, _FAR]
_STEPS: Final = 8  # of Newton's method, at most
_ROUNDS: Final = 2  # of learning the variances in each fit
_STRENGTH: Final = 0.1  # weight of the first guess of a variance, in segments
_LEAST_VARIANCE: Final = 1e-5
_COARSE: Final = 8  # a whole number with at most so many values gets an offset for each of them
BUMPS: Final = (0.1, 0.3)  # widths of the bumps around the centre, as shares of a knob's range
# First guesses of the coefficients' variances, in log-odds squared, for terms in 2 (x - c).
_INTERCEPT: Final = 100.0
_LINEAR: Final = 4.0
_QUADRATIC: Final = 0.25
_OPTION: Final = 1.0
_FURTHER: Final = 0.1
_STEP: Final = 1.0
_CUTS: Final = 30  # of each knob that are tested, at most
_LEAST_SIDE: Final = 8.0  # weight of the points on each side of a cut
_SURELY: Final = 1e-4  # chance of finding a cut anywhere where there is none

Cut = tuple[int, float]  # knob, and the place above which win rates differ


class WeightedCounts(NamedTuple):
    """What the model is fitted to: counts at points, and the weight of each point."""

    points: Numbers  # shape (n, d)
    attempts: npt.NDArray[np.int64]  # shape (n, segments)
    wins: npt.NDArray[np.int64]
    weights: Numbers  # shape (n,), in (0, 1]


class Terms:
    """The terms of the model around a centre, and the variances of their coefficients before any data."""

    def __init__(
        self, space: SearchSpace, centre: Numbers, bumps: Sequence[float] = (), cuts: Sequence[Cut] = ()
    ) -> None:
        """centre: shape (d,); bumps: widths of the bumps around it; cuts: where win rates jump.

        Give no bumps where steps and extremes are computed: a bump would bend them towards the centre.
        """
        self._space = space
        self._numeric = np.array(space.numeric, dtype=np.int64)
        self._centre = centre[self._numeric]
        self._bumps = np.array(bumps, dtype=np.float64)
        self.cuts = tuple(cuts)
        self._left, self._right = np.triu_indices(len(self._numeric))
        self._coarse = [j for j in space.numeric if 0 < space.levels[j] <= _COARSE]

    def of(self, points: Numbers) -> Numbers:
        """Values of all terms, shape (n, terms)."""
        v = 2.0 * (points[:, self._numeric] - self._centre)
        columns = [np.ones((len(points), 1)), v, v[:, self._left] * v[:, self._right], v**3]
        away = (v**2).sum(axis=1, keepdims=True) / (8.0 * max(1.0, len(self._numeric) / 4.0))
        columns.append(np.exp(-away / np.square(self._bumps)))
        columns += [self._options(points, j) for j in self._coarse]
        for j in self._space.choices:
            options = self._options(points, j)
            columns += [options, (options[:, :, None] * v[:, None, :]).reshape(len(points), -1)]
        columns += [(points[:, j] > edge).astype(np.float64)[:, None] for j, edge in self.cuts]
        return np.concatenate(columns, axis=1)

    def first_variances(self) -> Numbers:
        """Shape (terms,)."""
        numeric = len(self._numeric)
        parts = [
            np.full(1, _INTERCEPT),
            np.full(numeric, _LINEAR),
            np.full(len(self._left), _QUADRATIC),
            np.full(numeric, _FURTHER),
            np.full(len(self._bumps), _FURTHER),
            *(np.full(self._space.levels[j], _FURTHER) for j in self._coarse),
        ]
        for j in self._space.choices:
            levels = self._space.levels[j]
            parts += [np.full(levels, _OPTION), np.full(levels * numeric, _FURTHER)]
        parts.append(np.full(len(self.cuts), _STEP))
        return np.concatenate(parts)

    def candidates(self, points: Numbers) -> list[Cut]:
        """Cuts that points of shape (n, d) can tell of: between neighbouring values of numeric knobs.

        A whole number with few values has an offset for each of them already.
        """
        found: list[Cut] = []
        for j in self._space.numeric:
            if j in self._coarse:
                continue
            places = np.unique(points[:, j])
            edges = (places[1:] + places[:-1]) / 2.0
            kept = np.unique(np.linspace(0, len(edges) - 1, min(len(edges), _CUTS)).round().astype(np.int64))
            found += [(j, float(edges[i])) for i in kept]
        return found

    def _options(self, points: Numbers, j: int) -> Numbers:
        """1 where a point has a value of knob j, else 0, shape (n, levels)."""
        indicators: Numbers = np.eye(self._space.levels[j])[self._space.cells(points, j)]
        return indicators


class PooledModel:
    """The fitted model of all segments."""

    def __init__(self, terms: Terms, variances: Numbers, beta: Numbers, factors: list[Numbers]) -> None:
        self.terms, self.variances = terms, variances
        self.beta = beta  # shape (segments, terms)
        self._factors = factors  # lower Cholesky factor of each segment's information, shape (terms, terms)

    def chances(self, points: Numbers) -> Numbers:
        """Win probabilities at the maximum, shape (n, segments)."""
        return rates_of(self.terms.of(points), self.beta)

    def draw(self, dice: np.random.Generator) -> Numbers:
        """One draw of all coefficients from the posterior, shape (segments, terms)."""
        return np.array(
            [
                mean + solve_triangular(factor, dice.standard_normal(len(mean)), lower=True, trans="T")
                for mean, factor in zip(self.beta, self._factors, strict=True)
            ]
        )

    def steps(self, phi: Numbers, steps: Numbers, data: WeightedCounts) -> Numbers:
        """Score statistics of further terms, shape (steps,): about chi-squared with a degree for each segment.

        phi: of the data, shape (n, terms); steps: the further terms, shape (n, steps).
        """
        found = np.zeros(steps.shape[1])
        for k, factor in enumerate(self._factors):
            rate = chance(phi @ self.beta[k])
            weighted = data.weights * data.attempts[:, k]
            curvature = weighted * rate * (1.0 - rate)
            score = steps.T @ (data.weights * data.wins[:, k] - weighted * rate)
            shared = solve_triangular(factor, phi.T @ (curvature[:, None] * steps), lower=True)
            left = steps.T**2 @ curvature - (shared**2).sum(axis=0)
            found += np.where(left > 1e-6, score**2 / np.maximum(left, 1e-6), 0.0)
        return found

    def spread(self, points: Numbers) -> Numbers:
        """Posterior standard deviation of the log-odds, shape (n, segments)."""
        phi = self.terms.of(points)
        spreads = [np.sqrt((solve_triangular(factor, phi.T, lower=True) ** 2).sum(axis=0)) for factor in self._factors]
        return np.array(spreads).T


def chance(log_odds: Numbers) -> Numbers:
    """Win probabilities, of the same shape."""
    chances: Numbers = expit(np.clip(log_odds, -_FAR, _FAR))
    return chances


def rates_of(values: Numbers, beta: Numbers) -> Numbers:
    """Win probabilities, shape (n, segments). values: of the terms, shape (n, terms); beta: (segments, terms)."""
    return chance(values @ beta.T)


def fit_model(terms: Terms, data: WeightedCounts, variances: Numbers | None = None) -> PooledModel:
    """Fit all segments. variances: those of an earlier fit, to go on from; None to begin with first guesses."""
    phi = terms.of(data.points)
    first = terms.first_variances()
    # Cuts come last: a fit with a further cut goes on from one without it.
    learned = first.copy() if variances is None else np.concatenate((variances, first[len(variances) :]))
    segments = data.attempts.shape[1]
    beta = np.zeros((segments, phi.shape[1]))
    for _ in range(_ROUNDS):
        factors = []
        squares = np.zeros(phi.shape[1])
        for k in range(segments):
            beta[k], factor = _maximum(phi, data, k, 1.0 / learned, beta[k])
            factors.append(factor)
            inverse = cho_solve((factor, True), np.eye(len(factor)))
            squares += beta[k] ** 2 + np.diag(inverse)
        learned = np.maximum((squares + _STRENGTH * first) / (segments + _STRENGTH), _LEAST_VARIANCE)
        learned[0] = first[0]  # the intercept is free
    return PooledModel(terms, learned, beta, factors)


def find_cut(model: PooledModel, data: WeightedCounts) -> Cut | None:
    """The cut of some knob at which win rates most surely jump; None where none is sure.

    Each candidate is judged by its score: how much the fit would gain from a step there. Chance alone would find some
    cut in one of 10,000 cases. Where counts vary more around the model than chance explains, so do the scores.
    """
    terms = model.terms
    cuts = terms.candidates(data.points)
    if not cuts:
        return None
    steps = np.array([data.points[:, j] > edge for j, edge in cuts], dtype=np.float64).T
    above = steps.T @ data.weights
    kept = np.flatnonzero(np.minimum(above, data.weights.sum() - above) >= _LEAST_SIDE)
    if not len(kept):
        return None
    scores = model.steps(terms.of(data.points), steps[:, kept], data)
    best = int(np.argmax(scores))
    excess = max(float(np.median(scores)) / float(chdtri(data.attempts.shape[1], 0.5)), 1.0)
    if scores[best] / excess <= chdtri(data.attempts.shape[1], _SURELY / len(kept)):
        return None
    chosen: Cut = cuts[int(kept[best])]
    return chosen


def _maximum(phi: Numbers, data: WeightedCounts, k: int, ridge: Numbers, start: Numbers) -> tuple[Numbers, Numbers]:
    """Coefficients of segment k at the maximum, and the Cholesky factor of the information there (Newton's method)."""
    weighted = data.weights * data.attempts[:, k]
    won = data.weights * data.wins[:, k]
    beta = start.copy()
    for _ in range(_STEPS):
        rate = chance(phi @ beta)
        curvature = weighted * rate * (1.0 - rate)
        information = (phi * curvature[:, None]).T @ phi
        information[np.diag_indices_from(information)] += ridge
        factor: Numbers = np.linalg.cholesky(information).astype(np.float64, copy=False)
        step = cho_solve((factor, True), phi.T @ (won - weighted * rate) - ridge * beta)
        beta += step * min(1.0, 3.0 / max(np.abs(phi @ step).max(), 1e-9))
        if np.abs(step).max() < 1e-3:
            break
    return beta, factor
