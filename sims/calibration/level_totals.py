"""Totals of levels, without players: difficulties, for players who differ as much as is assumed.

A level's difficulty is where players of that spread win as often as the total says. Attempts count as independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.inference.intervals import wilson
from engine.players import DEFAULT_TRAITS
from sims.calibration.fit import Fit
from sims.calibration.histories import Indices, Numbers

LEAST_ATTEMPTS: Final = 10  # of a level: fewer are surely of fewer than ten players
ASSUMED_SD: Final = DEFAULT_TRAITS["skill"].b
_FAR: Final = 12.0  # logits: no difficulty lies beyond
_HALVINGS: Final = 60
_NODES: Final = np.linspace(-6.0, 6.0, 241)
_WIDTH: Final = 1.959964


@dataclass(frozen=True)
class LevelTotals:
    """How often each level was tried and won, in the natural order of names."""

    levels: tuple[str, ...]
    tried: Indices
    won: Indices


def fit_totals(totals: LevelTotals) -> Fit:
    """The difficulties that explain the totals, in the form of a fit whose spread of skill was not free.

    Args:
        totals: of the levels.
    """
    levels = len(totals.levels)
    point = np.empty(levels + 1)
    covariance = np.zeros((levels + 1, levels + 1))
    for i, (won, tried) in enumerate(zip(totals.won.tolist(), totals.tried.tolist(), strict=True)):
        low, high = wilson(won, tried)
        point[i] = difficulty_of((won + 0.5) / (tried + 1.0))
        covariance[i, i] = ((difficulty_of(low) - difficulty_of(high)) / (2.0 * _WIDTH)) ** 2
    point[levels] = math.log(ASSUMED_SD)
    free = np.concatenate((np.ones(levels, bool), [False]))
    mean, sd = float(point[:levels].mean()), float(point[:levels].std())
    return Fit(levels, (), (), False, point, covariance, math.nan, free, mean, sd, 0, {})


def difficulty_of(rate: float) -> float:
    """Where players of the assumed spread win so often."""
    easy, hard = -_FAR, _FAR
    for _ in range(_HALVINGS):
        middle = 0.5 * (easy + hard)
        if _mean_rate(middle) > rate:
            easy = middle
        else:
            hard = middle
    return 0.5 * (easy + hard)


def _mean_rate(difficulty: float) -> float:
    weights: Numbers = np.exp(-0.5 * _NODES * _NODES)
    chances = 1.0 / (1.0 + np.exp(difficulty - ASSUMED_SD * _NODES))
    return float(np.sum(weights * chances) / np.sum(weights))
