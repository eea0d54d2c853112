"""A paired difference is the t test where that applies, covers what it claims, and is honest where nothing varies."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from engine.inference.difference import paired_difference, spread_of, two_sided, unpaired_difference
from engine.inference.intervals import rate_interval, sums_of

pytestmark = pytest.mark.thorough

PLAYERS = 60


def some_sums(seed, players=PLAYERS, change=-0.3):
    """Wins and attempts of the same players before and after, with much luck in common."""
    dice = np.random.default_rng(seed)
    skill = dice.normal(0.8, 0.9, players)
    attempts = dice.integers(1, 40, (2, players))
    luck = dice.random((players, 40))
    sides = []
    for made, shift in zip(attempts, (0.0, change), strict=True):
        chance = 1.0 / (1.0 + np.exp(-(skill + shift)))
        won = (luck < chance[:, None]) & (np.arange(40) < made[:, None])
        sides.append(np.stack((won.sum(axis=1), made), axis=1))
    return sides


def sums_for_interval(sums):
    """The SUMS of engine.tally of wins and attempts by cluster."""
    return sums_of(*(sums[:, j].astype(int) for j in (0, 1)))


@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_with_one_attempt_each_it_is_the_paired_t_test(confidence):
    dice = np.random.default_rng(1)
    before, after = dice.normal(3.0, 1.0, (2, 25)) + dice.normal(0.0, 2.0, 25)
    ones = np.ones(25)
    found = paired_difference(np.stack((before, ones), 1), np.stack((after, ones), 1), confidence)
    expected = stats.ttest_rel(after, before)
    interval = expected.confidence_interval(confidence)
    assert found.value == pytest.approx((after - before).mean(), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.clusters == 25


def test_the_error_counts_the_covariance():
    """The same from the jackknife as the textbooks have it: both rates without each player in turn."""
    before, after = some_sums(2)
    found = paired_difference(before, after)
    without = [[np.delete(side, j, axis=0).sum(axis=0) for j in range(PLAYERS)] for side in (before, after)]
    rates = np.array([[wins / made for wins, made in side] for side in without])
    matrix = np.cov(rates[0], rates[1]) * (PLAYERS - 1) ** 2 / PLAYERS
    error = math.sqrt(matrix[0, 0] + matrix[1, 1] - 2.0 * matrix[0, 1])
    assert found.error == pytest.approx(error, rel=2e-3)  # around the mean of those rates, not around the rate
    assert found.unpaired_error == pytest.approx(math.sqrt(matrix[0, 0] + matrix[1, 1]), rel=2e-3)
    assert found.pairing_factor == pytest.approx((found.unpaired_error / found.error) ** 2)
    assert found.pairing_factor > 2.0


def test_unpaired_it_is_as_sure_as_the_two_rates_together():
    before, after = some_sums(3)
    before[5] = after[9] = 0  # players who were not seen on one side
    errors = [rate_interval(sums_for_interval(side), "player").error for side in (before, after)]
    found = paired_difference(before, after)
    assert found.unpaired_error == pytest.approx(math.hypot(*errors), rel=0.02)  # whose shares are mean ones
    assert found.clusters == PLAYERS


def test_many_differences_at_once_are_the_same():
    pairs = [some_sums(20 + run) for run in range(5)]
    pairs[3][0][7:9] = 0
    spread = spread_of(*(np.stack([pair[side] for pair in pairs]).astype(float) for side in (0, 1)))
    p_values = two_sided(spread.value / spread.error, spread.degrees)
    for place, pair in enumerate(pairs):
        found = paired_difference(*pair)
        assert (found.value, found.error) == pytest.approx((spread.value[place], spread.error[place]), rel=1e-9)
        assert found.p_value == pytest.approx(p_values[place], rel=1e-6)


def test_degrees_of_freedom_are_those_of_the_players_who_changed_and_count_unequal_ones_for_less():
    before = np.tile([5.0, 10.0], (500, 1))
    before[:3] = 300.0, 600.0
    after = before.copy()
    after[:12, 0] += np.resize([1.0, -1.0, 2.0], 12)
    weights = before[:12, 1]
    assert float(spread_of(before, after).degrees) == pytest.approx(weights.sum() ** 2 / (weights**2).sum() - 1.0)


def test_a_side_that_rests_on_one_player_says_nothing():
    before = np.array([[3.0, 10.0], [0.0, 0.0], [0.0, 0.0]])
    after = np.array([[4.0, 10.0], [5.0, 10.0], [6.0, 10.0]])
    assert math.isnan(paired_difference(before, after).p_value)


def test_swapping_the_sides_turns_the_sign_and_the_order_of_players_does_not_matter():
    before, after = some_sums(4)
    found, swapped = paired_difference(before, after), paired_difference(after, before)
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx((-found.value, -found.high, -found.low))
    assert swapped.p_value == pytest.approx(found.p_value)
    order = np.random.default_rng(5).permutation(PLAYERS)
    assert paired_difference(before[order], after[order]) == pytest.approx(found)


def test_a_share_cannot_change_by_more_than_one_though_a_single_player_says_little_of_the_spread():
    before = np.stack((np.arange(21) < 9, np.ones(21)), 1).astype(float)
    after = before.copy()
    after[0, 0] = 0.0
    found = paired_difference(before, after, 0.994)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert found.p_value > 0.1
    minutes = paired_difference(before * [30.0, 1.0], after * [30.0, 1.0], 0.994)  # no share
    assert minutes.low < -30.0
    assert minutes.high > 30.0


def test_clusters_never_seen_do_not_count():
    before, after = some_sums(6)
    empty = np.zeros((7, 2))
    more = paired_difference(np.concatenate((before, empty)), np.concatenate((after, empty)))
    assert more == paired_difference(before, after)


def test_intervals_cover_and_a_null_change_is_seldom_flagged():
    """Players of intra-class correlation 0.2; the true difference is that of many players. 4 standard errors."""
    runs = 2000
    whole = [side.sum(axis=0) for side in some_sums(7, 400_000)]
    true = whole[1][0] / whole[1][1] - whole[0][0] / whole[0][1]
    found = [paired_difference(*some_sums(1000 + run)) for run in range(runs)]
    covered = np.mean([one.low <= true <= one.high for one in found])
    slack = 4.0 * math.sqrt(0.95 * 0.05 / runs)
    assert abs(covered - 0.95) < slack + 0.003  # of the t approximation for 60 skewed players
    null = [paired_difference(*some_sums(9000 + run, change=0.0)) for run in range(runs)]
    assert abs(np.mean([one.p_value <= 0.05 for one in null]) - 0.05) < slack + 0.003
    assert all((one.p_value <= 0.05) == (one.low > 0.0 or one.high < 0.0) for one in (*found, *null))


@pytest.mark.parametrize("changed", range(1, 13))
def test_a_few_players_who_changed_at_random_are_no_discovery(changed):
    """All ways in which so many of 500 players may win one attempt more or fewer, each as likely: no true change."""
    flagged = 0
    before = np.tile([5.0, 10.0], (500, 1))
    for signs in itertools.product((-1.0, 1.0), repeat=changed):
        after = before.copy()
        after[:changed, 0] += signs
        flagged += paired_difference(before, after).p_value <= 0.05
    assert flagged / 2**changed <= 0.05


def test_without_any_change_the_difference_is_exactly_zero():
    before, _ = some_sums(8)
    found = paired_difference(before, before.copy())
    assert (found.value, found.low, found.high, found.error, found.p_value) == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert found.pairing_factor == math.inf


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [((0, 10), (10, 10), 0.6075, 1.0), ((0, 20), (10, 10), 0.6791, 1.0), ((0, 20), (0, 10), -0.1611, 0.2775)],
)  # rows (h), (g) and (e) of Newcombe 1998, table II, method 10
def test_where_no_cluster_differs_it_is_newcombes_interval(before, after, low, high):
    """won, players on each side; each player makes three attempts, which count as one."""
    count = max(before[1], after[1])
    sides = []
    for won, players in (before, after):
        side = np.zeros((count, 2))
        side[:players] = (3.0 * won / players, 3.0)
        sides.append(side)
    found = paired_difference(sides[0], sides[1])
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.error == 0.0
    if found.value:
        assert found.p_value == pytest.approx(0.5 ** (count - 1))
    else:
        assert found.p_value == 1.0


@pytest.mark.parametrize("players", [3, 10, 40, 2000])
def test_a_number_that_changed_alike_for_all_is_surer_the_more_players_there_are(players):
    found = paired_difference([[60.0, 1.0]] * players, [[40.0, 1.0]] * players)
    assert found.value == -20.0
    assert found.low < -20.0 < found.high
    assert (found.p_value <= 0.05) == (players >= 40)
    if players >= 40:
        assert found.high < 0.0


@pytest.mark.parametrize("sides", [([], []), ([[1, 2]], [[2, 2]]), ([[0, 2], [1, 2]], [[0, 0], [0, 0]])])
def test_of_fewer_than_two_clusters_or_of_one_side_nothing_is_sure(sides):
    before, after = (np.array(side, float).reshape(-1, 2) for side in sides)
    found = paired_difference(before, after)
    assert all(math.isnan(number) for number in (found.low, found.high, found.error, found.p_value))
    assert found.clusters == len(before)


def test_sums_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(clusters, 2\)"):
        paired_difference(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"shape \(clusters, 2\)"):
        paired_difference(np.zeros((3, 3)), np.zeros((3, 3)))


# --- Different players ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_with_one_attempt_each_different_players_give_welchs_t_test(confidence):
    dice = np.random.default_rng(2)
    before, after = dice.normal(3.0, 1.0, 12), dice.normal(3.5, 4.0, 70)
    found = unpaired_difference(np.stack((before, np.ones(12)), 1), np.stack((after, np.ones(70)), 1), confidence)
    expected = stats.ttest_ind(after, before, equal_var=False)
    interval = expected.confidence_interval(confidence)
    assert found.value == pytest.approx(after.mean() - before.mean(), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.clusters == 82
    assert found.pairing_factor == 1.0


def test_of_the_same_sums_both_ways_give_one_change_and_pairing_is_surer():
    before, after = some_sums(3)
    paired, unpaired = paired_difference(before, after), unpaired_difference(before, after)
    assert (unpaired.before, unpaired.after) == (paired.before, paired.after)
    assert unpaired.error == pytest.approx(paired.unpaired_error, rel=1e-12)
    assert unpaired.high - unpaired.low > paired.high - paired.low


def test_different_players_cover_what_they_claim():
    hits = runs = 0
    for seed in range(600):
        before, after = some_sums(seed)[0], some_sums(10_000 + seed, players=25)[1]
        found = unpaired_difference(before, after)
        hits += found.low <= TRUE_CHANGE <= found.high
        runs += 1
    assert abs(hits / runs - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / runs)


def test_different_players_without_spread_or_alone():
    ones = np.ones((20, 2))
    same = unpaired_difference(ones, ones[:15])
    assert (same.value, same.error, same.p_value) == (0.0, 0.0, 1.0)
    assert same.low < 0.0 < same.high or (same.low, same.high) == (0.0, 0.0)
    none = ones * (0.0, 1.0)
    apart = unpaired_difference(none, ones)
    assert apart.value == 1.0
    assert 0.0 < apart.low < apart.high <= 1.0
    assert apart.p_value < 0.001
    lonely = unpaired_difference(ones[:1], ones)
    assert math.isnan(lonely.low)
    assert math.isnan(lonely.p_value)
    with pytest.raises(ValueError, match="shape"):
        unpaired_difference(ones[:, 0], ones)


def _true_change() -> float:
    """Of the players of `some_sums`: expectation over skill by a fine grid, weighted by attempts, which are alike."""
    skill = 0.8 + 0.9 * stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    rates = [float((1.0 / (1.0 + np.exp(-(skill + shift)))).mean()) for shift in (0.0, -0.3)]
    return rates[1] - rates[0]


TRUE_CHANGE = _true_change()
