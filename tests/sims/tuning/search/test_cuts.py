"""Win rates that jump: the model finds the cut and no other, and the search gets over it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.tuning import Case, tuned
from sims.tuning.search.pooled_model import Terms, WeightedCounts, find_cut, fit_model
from sims.tuning.search.search_space import SearchSpace

SPACE = SearchSpace(("a", "b", "c"), (0, 0, 30), (False,) * 3)


def fitted(seed, step, knob=0, points=400, attempts=25, cuts=()):
    """A model of counts whose log-odds jump by `step` in both segments, at 0.4 of a knob."""
    dice = np.random.Generator(np.random.Philox(seed))
    places = SPACE.snap(dice.random((points, 3)))
    logits = 0.5 - 2.0 * places[:, [0]] + places[:, [1]] + step * (places[:, [knob]] > 0.4)
    wins = dice.binomial(attempts, expit(logits + np.array([0.0, 0.6])))
    data = WeightedCounts(places, np.full((points, 2), attempts), wins, np.ones(points))
    return fit_model(Terms(SPACE, np.full(3, 0.5), cuts=cuts), data), data


@pytest.mark.parametrize("knob", [0, 1, 2])
def test_a_jump_is_found_where_it_is(knob):
    found = find_cut(*fitted(1, 1.2, knob))
    assert found is not None
    assert found[0] == knob
    assert found[1] == pytest.approx(0.4, abs=0.04)


def test_where_nothing_jumps_nothing_is_found():
    assert [find_cut(*fitted(seed, 0.0)) for seed in range(12)] == [None] * 12


def test_a_cut_that_the_model_has_is_not_found_again_and_is_followed():
    first = find_cut(*fitted(1, 1.2))
    model, data = fitted(1, 1.2, cuts=(first,))
    assert find_cut(model, data) is None
    edge = np.array([[0.38, 0.5, 0.5], [0.42, 0.5, 0.5]])
    below, above = model.chances(edge)
    assert ((above - below) > 0.1).all()


@pytest.mark.slow
def test_a_search_meets_targets_beside_a_cliff():
    errors = [tuned(Case("pooled", 8, 100_000, 0.0, 1.2, seed)).error for seed in (0, 1)]
    assert max(errors) <= 0.012
