"""The setting that changes less: knobs that buy nothing are set back, and others make up for those that do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.least_change import change_size, least_change
from sims.tuning.search.search_space import SearchSpace

pytestmark = pytest.mark.thorough

SPACE = SearchSpace(("a", "b", "c", "d", "kind"), (0, 0, 0, 6, 3), (False,) * 4 + (True,))
START = tuple(SPACE.snap(np.full(5, 0.5))[0].tolist())
WEIGHTS = np.array([[4.0, 2.0, 0.0, 0.0, 0.0], [1.0, 3.0, 0.0, 0.0, 0.0]])  # c, d and kind do nothing


def rates(point):
    return expit(1.0 - WEIGHTS @ np.array(point))


@pytest.fixture(scope="module")
def tells():
    dice = np.random.Generator(np.random.Philox(4))
    points = [tuple(point) for point in SPACE.snap(dice.random((500, 5))).tolist()]
    return [
        Tell(point, (100, 100), tuple(dice.binomial(100, rates(point)).tolist()), n) for n, point in enumerate(points)
    ]


def segments_for(point, tolerance=0.02):
    return tuple(
        Segment(str(k), k, 0, float(rate) - tolerance, float(rate) + tolerance) for k, rate in enumerate(rates(point))
    )


def test_change_is_the_mean_share_of_the_range_and_another_choice_counts_whole():
    points = np.array([START, (0.0, 0.5, 0.5, START[3], 0.5), (0.5, 0.5, 0.5, START[3], 5 / 6)])
    assert change_size(SPACE, points, START) == pytest.approx([0.0, 0.1, 0.2])


def test_knobs_that_buy_nothing_are_set_back(tells):
    busy = tuple(SPACE.snap([0.2, 0.8, 0.9, 0.9, 0.9])[0].tolist())
    found = least_change(SPACE, segments_for(busy), tells, busy, START, 1.0, 1)
    assert found[2:] == START[2:]
    assert np.abs(rates(found) - rates(busy)).max() < 0.03  # the counts' own noise, 0.02, comes to the tolerance
    assert found[0] < 0.4 < 0.6 < found[1]


def test_the_heavier_the_weight_the_less_is_changed(tells):
    busy = tuple(SPACE.snap([0.2, 0.8, 0.9, 0.9, 0.9])[0].tolist())
    found = [least_change(SPACE, segments_for(busy), tells, busy, START, weight, 1) for weight in (1.0, 100.0, 1e6)]
    changes = change_size(SPACE, np.array(found), START)
    assert changes[0] > changes[1] > changes[2] == 0.0


def test_it_never_changes_more_even_where_that_would_fit_better(tells):
    near = tuple(SPACE.snap([0.45, 0.5, 0.5, 0.5, 0.5])[0].tolist())
    found = least_change(SPACE, segments_for((0.1, 0.1, 0.5, 0.5, 0.5)), tells, near, START, 1e-9, 1)
    changes = change_size(SPACE, np.array([near, found]), START)
    assert changes[1] <= changes[0] + 1e-12
    wanted = rates((0.1, 0.1, 0.5, 0.5, 0.5))
    assert ((rates(found) - wanted) ** 2).sum() < ((rates(near) - wanted) ** 2).sum()


def test_it_is_a_function_of_its_arguments_and_can_be_played(tells):
    busy = tuple(SPACE.snap([0.2, 0.8, 0.9, 0.9, 0.9])[0].tolist())
    one, two = (least_change(SPACE, segments_for(busy), tells, busy, START, 1.0, 1) for _ in range(2))
    assert one == two
    assert SPACE.snap([one])[0].tolist() == list(one)
