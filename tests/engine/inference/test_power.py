"""Sample sizes are those of the textbooks, and what they promise is seen when it is tried."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.inference.difference import paired_difference
from engine.inference.intervals import rate_interval, sums_of
from engine.inference.power import (
    MOST_CLUSTERS,
    cluster_variance,
    clusters_for_effect,
    clusters_for_half_width,
    effect_seen,
    power_of,
)


@pytest.mark.parametrize(
    ("effect", "power", "clusters"), [(0.2, 0.8, 199), (0.5, 0.8, 34), (0.8, 0.8, 15), (0.5, 0.9, 44), (0.2, 0.9, 265)]
)  # one-sample t test at 5 %: published tables of Cohen's d
def test_the_textbooks_sizes(effect, power, clusters):
    assert clusters_for_effect(1.0, effect, power) == clusters


@pytest.mark.parametrize(("half_width", "independent"), [(0.05, 385), (0.02, 2401), (0.01, 9604)])
def test_attempts_for_a_rate_of_one_half(half_width, independent):
    """The normal approximation needs n = p (1 - p) (1.96 / h)^2; Student's t a few more."""
    found = clusters_for_half_width(0.25, half_width)
    assert independent <= found <= independent + 4


@pytest.mark.parametrize("seed", [1, 2])
def test_so_many_players_see_the_effect_as_often_as_promised(seed):
    effect, players_spread, luck = 0.03, 0.2, 0.1
    clusters = clusters_for_effect(2.0 * luck**2, effect, 0.9)
    dice = np.random.default_rng(seed)
    runs = 2000
    own = dice.normal(0.6, players_spread, (runs, clusters))
    before, after = own + dice.normal(0.0, luck, (2, runs, clusters))
    ones = np.ones(clusters)
    seen = [
        paired_difference(np.stack((was, ones), 1), np.stack((is_ + effect, ones), 1)).low > 0.0
        for was, is_ in zip(before, after, strict=True)
    ]
    exact = power_of(clusters, 2.0 * luck**2, effect)
    assert 0.9 <= exact < 0.91
    assert abs(np.mean(seen) - exact) < 4.0 * math.sqrt(0.9 * 0.1 / runs)


@pytest.mark.parametrize("clusters", [2, 5, 300])
def test_the_effect_seen_is_the_one_with_that_power(clusters):
    found = effect_seen(clusters, 0.05, 0.9)
    assert power_of(clusters, 0.05, found) == pytest.approx(0.9, abs=1e-4)


def test_size_is_the_fewest_and_grows_with_what_is_asked():
    found = clusters_for_effect(0.05, 0.02)
    assert power_of(found, 0.05, 0.02) >= 0.9 > power_of(found - 1, 0.05, 0.02)
    assert found < clusters_for_effect(0.05, 0.02, 0.95) < clusters_for_effect(0.1, 0.02, 0.95)
    assert found < clusters_for_effect(0.05, 0.02, confidence=0.99)
    assert clusters_for_effect(0.05, 0.01) == pytest.approx(4 * found, rel=0.01)


def test_ends():
    assert clusters_for_effect(0.0, 0.02) == 2
    assert clusters_for_half_width(0.0, 0.02) == 2
    assert effect_seen(10, 0.0) == 0.0
    assert clusters_for_effect(1e6, 1e-6) == MOST_CLUSTERS
    assert clusters_for_effect(1.0, 100.0) >= 2


def test_the_variance_of_a_cluster_is_that_of_its_rate_and_not_0_where_clusters_happen_to_be_alike():
    dice = np.random.default_rng(7)
    made = np.full(20_000, 10)
    apart = cluster_variance(rate_interval(sums_of(dice.binomial(made, 0.7), made), "player"))
    assert apart == pytest.approx(0.7 * 0.3 / 10, rel=4.0 * math.sqrt(2.0 / len(made)))
    for wins in (0, 10):
        alike = rate_interval(sums_of(np.full(40, wins), np.full(40, 10)), "player")
        end = alike.low if wins else alike.high
        assert cluster_variance(alike) == pytest.approx(end * (1.0 - end))
        assert 0.05 < cluster_variance(alike) < 0.1
        assert clusters_for_effect(cluster_variance(alike), 0.02) > 1000
    assert cluster_variance(rate_interval(sums_of(np.full(40, 6), np.full(40, 10)), "player")) == pytest.approx(0.25)
