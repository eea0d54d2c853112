"""Whether targets can be met at all, by the model of all counts: claimed only where it is sure."""

from __future__ import annotations

import pytest
from scipy.special import expit

from sims.tuning.answer.answer import answer_of
from sims.tuning.answer.feasibility import ReachableRate, feasibility_of
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.search_space import point_of
from tests.kit.studies import GOOD, PROBLEM, SEGMENTS, START, alike, lenient, problem, rate, tells_of
from tests.sims.tuning.answer.situations import AGAINST, HOPELESS, SITUATIONS, TOGETHER

FLOOR = lenient([1.0] * 5)[0]  # the least win rates of the lenient game: 0.119 and 0.450
RATES = (rate(0.3), rate(0.75))


def test_a_bound_is_found_within_its_interval():
    played = (tells_of(seed, truth=lenient) for seed in range(200, 208))
    reaches = [one for tells in played for one in feasibility_of(HOPELESS, tells, START, RATES).alone]
    assert all(reach.verdict == "out of reach" for reach in reaches)
    inside = [reach.low <= FLOOR[0] <= reach.high for reach in reaches]
    assert len(inside) == 8
    assert sum(inside) >= 5  # at 95 % fewer come in 1 of 2,500 cases
    assert all(0.0 < reach.high - reach.low < 0.1 for reach in reaches)


def test_a_held_knob_takes_part_in_the_bound():
    (reach,) = answer_of(SITUATIONS["out_of_reach_with_a_lock"]()).feasibility.alone
    bound = expit(2.0 - 2.0 * (0.6 + 0.3 + 1.2 * point_of(PROBLEM.space, PROBLEM.space.defaults())[1]))
    assert (reach.segment.name, reach.above, reach.verdict) == ("experts", True, "out of reach")
    assert reach.low <= bound <= reach.high


@pytest.mark.thorough
def test_targets_that_exclude_each_other_are_told_from_those_that_do_not():
    missed = (rate(0.45), rate(0.5))
    feasibility = feasibility_of(AGAINST, tells_of(8, truth=alike), START, missed)
    assert [reach.verdict for reach in feasibility.alone] == ["within reach", "within reach"]
    assert [reach.above for reach in feasibility.alone] == [True, False]  # the farthest off first
    assert feasibility.conflict
    assert not feasibility_of(TOGETHER, tells_of(8, truth=alike), START, missed).conflict


@pytest.mark.parametrize(
    ("ends", "above", "verdict"),
    [
        ((0.66, 0.72), True, "cannot tell"),  # the wanted band is 0.60 to 0.70
        ((0.71, 0.75), True, "out of reach"),
        ((0.71, 0.85), True, "out of reach"),
        ((0.50, 0.69), True, "within reach"),
        ((0.55, 0.59), False, "out of reach"),
        ((0.45, 0.59), False, "out of reach"),
        ((0.45, 0.61), False, "cannot tell"),
        ((0.61, 0.90), False, "within reach"),
    ],
)
def test_a_bound_is_claimed_only_where_all_of_its_interval_lies_outside(ends, above, verdict):
    assert ReachableRate(SEGMENTS[0], above, sum(ends) / 2.0, *ends).verdict == verdict


def test_a_nearest_rate_is_known_only_where_its_interval_is_narrow():
    (known,) = feasibility_of(HOPELESS, tells_of(3, truth=lenient), START, RATES).alone
    (vague,) = answer_of(SITUATIONS["nearest_rate_not_known"]()).feasibility.alone
    assert (known.known, vague.known) == (True, False)
    assert vague.verdict == "out of reach"


def test_a_conflict_that_some_draws_do_not_see_is_not_claimed():
    close = problem((SEGMENTS[0]._replace(low=0.6, high=0.64), SEGMENTS[1]._replace(low=0.5, high=0.54)))
    feasibility = feasibility_of(close, tells_of(8, truth=alike), START, (rate(0.45), rate(0.45)))
    assert [reach.verdict for reach in feasibility.alone] == ["within reach", "within reach"]
    assert not feasibility.conflict


def test_nothing_is_claimed_from_too_few_attempts_or_none():
    few: list[list[Tell]] = [[], tells_of(9, count=10, attempts=5, truth=lenient)]
    for tells in few:
        (reach,) = feasibility_of(HOPELESS, tells, START, RATES).alone
        assert reach.verdict == "cannot tell"


def test_a_count_that_speaks_against_the_model_forbids_its_claim():
    tells = tells_of(10, attempts=500, truth=lenient)
    assert feasibility_of(HOPELESS, tells, START, RATES).alone[0].verdict == "out of reach"
    pit = Tell(START, (300, 300), (0, 285), 1000)  # all around it nine of ten are won
    assert feasibility_of(HOPELESS, [*tells, pit], START, RATES).alone[0].verdict == "cannot tell"


def test_of_many_missed_targets_the_farthest_off_are_looked_into():
    many = problem(tuple(Segment(str(k), k, 0, 0.6, 0.7) for k in range(9)))
    feasibility = feasibility_of(many, [], START, tuple(rate(0.71 + 0.02 * k, 0.001) for k in range(9)))
    assert [reach.segment.name for reach in feasibility.alone] == ["8", "7", "6", "5", "4", "3"]


def test_nothing_is_said_of_reach_where_nothing_is_missed():
    assert feasibility_of(PROBLEM, tells_of(1), START, GOOD) == ((), False)


@pytest.mark.parametrize("name", ["always_won", "never_won"])
def test_segments_that_nothing_moves_are_known(name):
    ((segment, won),) = answer_of(SITUATIONS[name]()).constant
    assert (segment.name, won) == ("newcomers", name == "always_won")
