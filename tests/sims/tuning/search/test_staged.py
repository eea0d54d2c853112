"""The search by stages: the knobs that matter come first, and what each group bought is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.random_search import RandomSearch
from sims.tuning.search.search_space import SearchSpace
from sims.tuning.search.staged_search import StagedSearch

pytestmark = pytest.mark.thorough

SPACE = SearchSpace(("a", "b", "c", "d", "e", "f", "g"), (0, 0, 6, 0, 0, 0, 3), (False,) * 6 + (True,))
SEGMENTS = (Segment("new", 0, 0, 0.6, 0.7), Segment("old", 1, 0, 0.75, 0.85))
START = tuple(SPACE.snap(np.full(7, 0.5))[0].tolist())
WEIGHTS = np.array([[0.1, 4.0, 3.0, 0.2, 0.0, 1.0, 0.5], [0.2, 3.0, 4.0, 0.1, 0.0, 1.0, 0.4]])  # c and b matter most


def told(asks):
    tells = []
    for ask in asks:
        dice = np.random.Generator(np.random.Philox(key=[9, ask.block]))
        chance = expit(WEIGHTS @ (np.array(ask.point) - 0.5) - 1.0)
        tells.append(Tell(ask.point, ask.attempts, tuple(dice.binomial(ask.attempts, chance).tolist()), ask.block))
    return tells


def spent(asks):
    return sum(sum(ask.attempts) for ask in asks)


def searched(budget, segments=SEGMENTS, begin=RandomSearch, earlier=()):
    search = StagedSearch(SPACE, segments, 3, budget, START, begin, earlier)
    asks: list[Ask] = []
    while some := search.ask(budget - spent(asks)):
        asks += some
        search.tell(told(some))
    return search, asks


NEVER = tuple(one._replace(low=0.02, high=0.03) for one in SEGMENTS)  # so that no stage is the last one needed


@pytest.mark.parametrize("budget", [0, 60, 700, 5000, 40_000])
def test_it_asks_for_no_more_than_it_may_and_never_twice_for_a_block(budget):
    search, asks = searched(budget, NEVER)
    assert spent(asks) <= budget
    assert [ask.block for ask in asks] == list(range(len(asks)))
    assert 1 <= len(search.finalists(8)) <= 4
    if budget == 40_000:
        assert spent(asks) > 0.95 * budget


def test_knobs_that_matter_come_first_and_each_once():
    search, _ = searched(40_000, NEVER)
    assert {"b", "c"} < set(search.stages[0].knobs)
    assert "e" in search.stages[-1].knobs
    assert sorted(name for stage in search.stages for name in stage.knobs) == list(SPACE.names)


def test_a_stage_turns_its_own_knobs_alone():
    search, _ = searched(40_000, NEVER)
    before = np.array(START)
    for stage in search.stages:
        moved = {SPACE.names[j] for j in np.flatnonzero(np.array(stage.point) != before)}
        assert moved <= set(stage.knobs)
        before = np.array(stage.point)
    assert search.finalists(1) == [search.stages[-1].point]


def test_what_a_stage_bought_is_counted_on_blocks_that_no_search_has_seen():
    search, asks = searched(40_000, NEVER)
    for stage in search.stages:
        (ask,) = (ask for ask in asks if ask.point == stage.point and ask.attempts[0] > 500)
        assert (stage.attempts, stage.wins) == told([ask])[0][1:3]


def test_what_is_met_is_left_as_it_is():
    wide = tuple(one._replace(low=0.01, high=0.99) for one in SEGMENTS)
    search, asks = searched(40_000, wide)
    assert len(search.stages) == 1
    assert search.ask(10_000) == []
    assert spent(asks) < 20_000


def test_a_group_is_searched_from_the_best_of_the_stage_before():
    starts = []

    def begin(space, segments, seed, budget, start):
        starts.append((space, seed, budget, start))
        return RandomSearch(space, segments, seed, budget, start)

    search, _ = searched(40_000, NEVER, begin)
    assert [space.names for space, *_ in starts] == [stage.knobs for stage in search.stages]
    assert [seed for _, seed, *_ in starts] == [3, 4, 5]
    points = [START, *(stage.point for stage in search.stages)]
    for (space, _, budget, start), point in zip(starts, points, strict=False):
        assert start == tuple(point[SPACE.names.index(name)] for name in space.names)
        assert 8000 < budget < 12_000


def test_earlier_counts_take_part_in_the_screening():
    dice = np.random.Generator(np.random.Philox(5))
    points = [tuple(point) for point in SPACE.snap(dice.random((400, 7))).tolist()]
    backwards = [Tell(point, (25, 25), (round(25 * point[4]),) * 2, n) for n, point in enumerate(points)]
    search, _ = searched(3000, NEVER, earlier=backwards)
    assert "e" in search.stages[0].knobs
