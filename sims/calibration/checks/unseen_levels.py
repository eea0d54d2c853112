"""How good a fit is on levels that it has not seen, by the features that the file has of them.

The difficulty of a new level is predicted by a ridge on its features and its place, from the difficulties of the other
levels; how strongly it is drawn to their mean is what predicts each of them best from the others. The two trivial
answers are the mean of the two neighbours in the order of levels, and one rate for all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from sims.calibration.checks.prediction_score import unseen_of
from sims.calibration.checks.rivals import Rivals, rivals_of
from sims.calibration.checks.unseen_players import LARGE, level_counts
from sims.calibration.fit import Fit, fit, predict
from sims.calibration.histories import FOLDS, Flags, Histories, Indices, Numbers
from sims.calibration.likelihood.predictions import NOT_SEEN

LEAST_LEVELS: Final = 10  # so that there is something to learn from
_STRENGTHS: Final = np.logspace(-3.0, 4.0, 29)  # of the ridge
_NODES: Final = ((-math.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (math.sqrt(3.0), 1 / 6))  # Gauss-Hermite, of the error


def try_unseen_levels(whole: Fit, histories: Histories, features: Numbers, *, threads: int = 1) -> Rivals | None:
    """Fit without a fifth of the levels in turn, and predict them.

    Args:
        whole: the fit of all levels, from which the others begin.
        histories: the players.
        features: of the levels, centred and scaled, shape (levels, features).
        threads: of the sums; they change no number.

    Returns:
        The scores; None where levels have no features, or are too few.
    """
    levels = len(histories.levels)
    if not features.shape[1] or levels < LEAST_LEVELS:
        return None
    place = np.linspace(-1.0, 1.0, levels)
    known_of = np.column_stack((features, place / place.std()))
    tests, chances = [], []
    for fold in range(1 if histories.rows > LARGE else FOLDS):
        new = np.arange(levels) % FOLDS == fold
        rows = new[histories.level]
        seen = histories.without(rows)
        found = fit(seen, threads=threads, start=whole.wins_only(), quits=False)
        guessed, error = ridge(known_of[~new], found.difficulty[~new], known_of[new])
        hidden: Flags = np.where(rows, NOT_SEEN, histories.won).astype(np.int8)
        blind = replace(histories, won=hidden)
        chance = np.zeros(int(rows.sum()))
        for node, weight in _NODES:
            point = found.point.copy()
            point[:levels][new] = guessed + node * error
            chance += weight * predict(replace(found, point=point), blind, threads=threads)[rows]
        tests.append(unseen_of(histories, rows))
        level = histories.level[rows]
        rate = np.full(len(level), float(seen.won.mean()))
        chances.append((chance, _neighbours(*level_counts(seen), new)[level], rate))
    return rivals_of(tests, chances)


def ridge(features: Numbers, values: Numbers, others: Numbers) -> tuple[Numbers, float]:
    """Predict values from features.

    Args:
        features: shape (rows, features).
        values: shape (rows,).
        others: features of the rows to predict, shape (others, features).

    Returns:
        The predictions, shape (others,), and the standard deviation of their error, each row left out in turn.
    """
    mean = float(values.mean())
    centre = features.mean(axis=0)
    u, s, vt = np.linalg.svd(features - centre, full_matrices=False)
    away = u.T @ (values - mean)
    best, error, chosen = math.inf, 0.0, 0.0
    for strength in _STRENGTHS:
        shrunk = s**2 / (s**2 + strength)
        left = (values - mean - u @ (shrunk * away)) / (1.0 - (u**2) @ shrunk - 1.0 / len(values))
        size = float(np.mean(left**2))
        if size < best:
            best, error, chosen = size, math.sqrt(size), float(strength)
    weights = vt.T @ (s / (s**2 + chosen) * away)
    predicted: Numbers = mean + (others - centre) @ weights
    return predicted, error


def _neighbours(won: Numbers, tried: Indices, new: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Numbers:
    """The mean win rate of the nearest level that was seen before and after each."""
    seen = np.flatnonzero(~new)
    rate = won[seen] / np.maximum(tried[seen], 1)
    after = np.searchsorted(seen, np.arange(len(new)))
    before = np.maximum(after - 1, 0)
    means: Numbers = 0.5 * (rate[before] + rate[np.minimum(after, len(seen) - 1)])
    return means
