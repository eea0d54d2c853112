"""Many comparisons raise no more false alarms than one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.inference.difference import paired_difference
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE, benjamini_hochberg

pytestmark = pytest.mark.thorough

# The example of Benjamini and Hochberg 1995, section 4: four of fifteen are found at 0.05.
PAPER = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.324,
    0.4262,
    0.5719,
    0.6528,
    0.759,
    1.0,
]


def by_the_book(p_values):
    """The smallest rate at which the procedure rejects each: min over larger p of n p / rank."""
    n = len(p_values)
    order = sorted(range(n), key=lambda i: p_values[i])
    found, least = [0.0] * n, 1.0
    for rank in range(n, 0, -1):
        least = min(least, n * p_values[order[rank - 1]] / rank)
        found[order[rank - 1]] = least
    return found


def test_the_papers_example():
    adjusted = benjamini_hochberg(PAPER)
    assert adjusted == pytest.approx(by_the_book(PAPER))
    assert (adjusted <= FALSE_DISCOVERY_RATE).sum() == 4


def test_the_order_does_not_matter():
    order = np.random.default_rng(1).permutation(len(PAPER))
    assert benjamini_hochberg(np.array(PAPER)[order]) == pytest.approx(np.array(by_the_book(PAPER))[order])


def test_tests_that_could_not_be_made_do_not_count():
    found = benjamini_hochberg([math.nan, *PAPER, math.nan])
    assert np.isnan(found[[0, -1]]).all()
    assert found[1:-1] == pytest.approx(by_the_book(PAPER))
    assert len(benjamini_hochberg([])) == 0
    assert np.isnan(benjamini_hochberg([math.nan])).all()


@pytest.mark.parametrize("wrong", [[-0.1, 0.5], [1.5], [[0.1], [0.2]]])
def test_what_is_no_p_value_is_refused(wrong):
    with pytest.raises(ValueError, match="p-values must be a list of numbers"):
        benjamini_hochberg(wrong)


def test_twelve_metrics_of_the_same_players_raise_a_false_alarm_as_seldom_as_one():
    """Metrics that depend on each other, before and after without any change: at most 5 %, within 4 standard errors."""
    runs, players = 1000, 60
    dice = np.random.default_rng(2)
    alarms = 0
    for _ in range(runs):
        common = dice.normal(0.0, 1.0, (players, 1))
        own = 0.7 * common + 0.7 * dice.normal(0.0, 1.0, (players, 12))
        luck = 0.6 * dice.normal(0.0, 1.0, (2, players, 1)) + 0.8 * dice.normal(0.0, 1.0, (2, players, 12))
        before, after = np.exp(0.5 * (own + luck))
        ones = np.ones(players)
        p_values = [
            paired_difference(np.stack((before[:, j], ones), 1), np.stack((after[:, j], ones), 1)).p_value
            for j in range(12)
        ]
        alarms += bool((benjamini_hochberg(p_values) <= FALSE_DISCOVERY_RATE).any())
    assert alarms / runs <= 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / runs)
    assert alarms / runs > 0.01  # else the correction would be blind
