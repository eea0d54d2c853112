"""Intervals over players hold for every controller: no luck is shared between players (docs/statistics.md)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import pytest

from engine.controller import ControllerKind
from engine.inference.intervals import rate_interval, sums_of
from sims.catalog import Catalog
from tests.kit.worlds import FAITHFUL, played, setup_of

CATALOG = Catalog()
KINDS = [
    kind
    for kind in (CATALOG.controller(entry.name) for entry in CATALOG.controllers())
    if kind.mode != "reference"  # references draw nothing
]
DRAWING = ("thompson", "evolution_strategy", "cma_es")
TARGET: Final = 0.75
CONFIDENCE: Final = 0.95


class Shape(NamedTuple):
    """Of one run."""

    players: int
    replicas: int
    attempts: int


OWN: Final = Shape(150, 1, 12)  # a controller for each player: clusters are players
SHARED: Final = Shape(12, 30, 60)  # a controller for each cohort: clusters are replicas


class Coverage(NamedTuple):
    """Over many seeds."""

    share: float  # of intervals that hold the mean over all seeds
    spread: float  # variance of the win rate over seeds, divided by what the intervals expect
    seeds: int

    @property
    def error(self) -> float:
        """Standard error of a share of CONFIDENCE."""
        return math.sqrt(CONFIDENCE * (1.0 - CONFIDENCE) / self.seeds)


def coverage(kind: ControllerKind, seeds: int) -> Coverage:
    """Play so many runs that differ in their seed alone."""
    own = "player" in kind.scopes
    shape = OWN if own else SHARED
    found = []
    for seed in range(1, seeds + 1):
        setup = setup_of(
            kind=kind, cohorts=(FAITHFUL,), counts=(shape.players,), targets=TARGET, replicas=shape.replicas,
            attempts_per_player=shape.attempts, horizon_s=400 * 86_400.0, seed=seed,
        )  # fmt: skip
        rows = played(setup).rows
        cluster = rows["player"] if own else rows["replica"]
        _, numbers = np.unique(cluster, return_inverse=True)
        sums = sums_of(np.bincount(numbers, rows["outcome"] == 1).astype(np.int64), np.bincount(numbers))
        found.append(rate_interval(sums, "player" if own else "replica"))
    rates = np.array([one.rate for one in found])
    within = sum(one.low <= rates.mean() <= one.high for one in found)
    expected = float(np.mean([one.error**2 for one in found]))
    return Coverage(within / seeds, float(rates.var(ddof=1)) / expected, seeds)


def hold(found: Coverage) -> bool:
    """Whether a share of CONFIDENCE is not refuted, nor a spread as expected, by 4 standard errors."""
    return found.share > CONFIDENCE - 4.0 * found.error and found.spread < 1.0 + 4.0 * math.sqrt(2.0 / found.seeds)


@pytest.mark.thorough
@pytest.mark.parametrize("name", DRAWING)
def test_intervals_of_controllers_that_draw_hold(name):
    assert hold(coverage(CATALOG.controller(name), 100))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_intervals_of_every_controller_hold(kind):
    found = coverage(kind, 100)
    assert hold(found), found
