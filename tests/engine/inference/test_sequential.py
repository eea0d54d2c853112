"""The size of a run is found on other players, so that its intervals stay what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.inference.intervals import t_half_width
from engine.inference.sequential import LEAST, PILOT, Size, Width, find_size, is_narrow, kurtosis_of, needed_size

MANY = 10**9


def test_the_pilot_grows_geometrically_until_it_is_a_tenth_of_what_is_needed():
    asked = []

    def look(size):
        asked.append(size)
        return [Width(size, 1.0 / math.sqrt(size))]

    found = find_size(look, 0.01, first=100, least=1, affordable=MANY)
    assert asked == [100, 200, 400, 800, 1600]
    assert 10_000 < found.needed < 12_000  # 1 / 0.01^2, and some to be sure
    assert found.pilot == 1600
    assert found.played == sum(asked)


def test_a_pilot_that_is_large_enough_is_the_only_one():
    assert find_size(lambda size: [Width(size, 0.01)], 0.05, first=100, least=30, affordable=MANY) == Size(100, 100, 30)


def test_pilots_keep_to_what_is_affordable():
    found = find_size(lambda size: [Width(size, 1.0)], 0.001, first=100, least=1, affordable=350)
    assert found.played == 300
    assert found.needed > 10**8
    assert find_size(lambda size: [Width(size, 1.0)], 0.001, first=100, least=1, affordable=40).played == 40


def test_the_widest_interval_decides_and_one_cluster_is_never_enough():
    narrow, wide = Width(100, 0.01), Width(100, 0.04)
    assert needed_size(100, [narrow, wide], 0.02) == needed_size(100, [wide], 0.02) > 400
    assert needed_size(100, [Width(1, 0.001)], 0.02) == 200
    assert is_narrow([narrow, wide], 0.04)
    assert not is_narrow([narrow, wide], 0.039)
    assert not is_narrow([Width(1, 0.001)], 0.02)


def test_one_run_in_a_hundred_turns_out_too_wide():
    """Players who differ evenly: the variances of pilot and run are chi-square. Within 4 standard errors."""
    dice = np.random.default_rng(1)
    runs, n, wanted = 20_000, 200, 0.7
    shown = dice.chisquare(n - 1, runs) / (n - 1)
    sizes = np.array([needed_size(n, [Width(n, math.sqrt(one))], wanted) for one in shown])
    wide = dice.chisquare(sizes - 1) / (sizes - 1) * n / sizes > wanted**2
    assert abs(wide.mean() - 0.01) < 4.0 * math.sqrt(0.01 * 0.99 / runs) + 0.002  # the logarithm is not quite normal
    assert sizes.mean() < 1.35 * n / wanted**2


def test_players_who_are_far_from_the_rest_need_a_longer_run():
    even, skewed = Width(200, 1.0, 3.0), Width(200, 1.0, 12.0)
    assert needed_size(200, [even], 0.5) < needed_size(200, [skewed], 0.5)
    dice = np.random.default_rng(3)
    assert kurtosis_of(dice.normal(size=200_000)) == pytest.approx(3.0, abs=0.1)
    assert kurtosis_of(dice.exponential(size=200_000) - 1.0) == pytest.approx(9.0, abs=1.0)
    assert kurtosis_of(np.array([1.0, -1.0, 1.0, -1.0])) == 1.0
    assert kurtosis_of(np.zeros(5)) == kurtosis_of(np.zeros(0)) == 3.0


@pytest.mark.parametrize(("skew", "wanted"), [(False, 0.04), (True, 0.02)])
def test_the_interval_at_the_stop_covers(skew, wanted):
    """Pilot, size, run, and the rare repetition, all as `flowdial run --precision` does it. 4 standard errors."""
    runs = 2000
    dice = np.random.default_rng(2)
    a, b = (7.6, 0.4) if skew else (2.8, 1.2)
    true = a / (a + b)

    def width(rates):
        half_width = t_half_width(len(rates) - 1) * rates.std(ddof=1) / math.sqrt(len(rates))
        return Width(len(rates), half_width, kurtosis_of(rates - rates.mean()))

    covered = repeated = 0
    for _ in range(runs):
        found = find_size(
            lambda size: [width(dice.beta(a, b, size))], wanted, first=PILOT, least=LEAST, affordable=MANY
        )
        rates = dice.beta(a, b, found.needed)
        while not is_narrow([width(rates)], wanted):
            repeated += 1
            more = needed_size(len(rates), [width(rates)], wanted) - len(rates)
            rates = np.concatenate((rates, dice.beta(a, b, more)))
        covered += abs(rates.mean() - true) <= width(rates).half_width
    slack = 4.0 * math.sqrt(0.95 * 0.05 / runs)
    assert covered / runs > 0.95 - slack - (0.005 if skew else 0.0)  # a t interval of so skewed players
    assert repeated / runs < 0.1
