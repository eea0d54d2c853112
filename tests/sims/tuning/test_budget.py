"""How a study's attempts are divided."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from sims.tuning.budget import (
    ALONE,
    LEAST_SEARCH,
    MOST_SEARCH,
    Effort,
    baseline_attempts,
    least_budget,
    least_measurement,
    search_budget,
    search_share,
    weights_of,
)
from sims.tuning.final_race import estimate_rates
from sims.tuning.search.counts import Segment, Tell

TWO = (Segment("one", 0, 0, 0.45, 0.55), Segment("two", 1, 0, 0.45, 0.55))


def test_the_least_budget_leaves_what_a_rate_in_the_middle_needs():
    z = ndtri((1.0 + 0.95**0.5) / 2.0)  # of two intervals that hold at once
    fresh = 2 * z**2 * 0.5 * 0.5 / 0.05**2  # attempts on fresh players
    assert least_budget(TWO) * 0.97 * (1.0 - LEAST_SEARCH) == pytest.approx(fresh, abs=1)
    assert least_budget((*TWO, Segment("sharp", 1, 0, 0.5, 0.5))) == math.inf


@pytest.mark.parametrize(("low", "high", "wins"), [(0.9, 1.0, 1.0), (0.0, 0.2, 0.0)])
def test_the_least_budget_of_a_band_at_an_end_is_that_of_a_rate_there(low, high, wins):
    segment = Segment("all", 0, 0, low, high)
    fresh = round(least_budget([segment]) * (1.0 - LEAST_SEARCH) * 0.97)

    def met(attempts):
        (rate,) = estimate_rates([Tell((0.5,), (attempts,), (int(wins * attempts),), 0)], [segment])
        return rate.met(segment)

    assert met(fresh + 1)
    assert not met(fresh - 2)
    assert least_budget([segment._replace(low=0.0, high=1.0)] * 2) >= 2, "each segment is played at least once"


EDGE = Segment("edge", 0, 0, 0.9, 1.0)
RARE = Segment("rare", 0, 0, 0.95, 0.99)
TIGHT = Segment("tight", 0, 0, 0.49, 0.51)
SHARP = Segment("sharp", 0, 0, 0.498, 0.502)  # for which the designer's defaults have as much as they may
WIDE = Segment("wide", 1, 0, 0.3, 0.7)


@pytest.mark.parametrize(
    "segments", [TWO, (EDGE,), (RARE,), (SHARP,), (TIGHT, WIDE), (TIGHT, *(WIDE,) * 35), (EDGE, RARE, WIDE)]
)
def test_the_least_budget_is_enough_for_intervals_that_fit_and_less_is_not(segments):
    z = ndtri((1.0 + 0.95 ** (1.0 / len(segments))) / 2.0)
    needed = [
        z**2 * 9.0 if one is EDGE else z**2 * one.target * (1.0 - one.target) / one.tolerance**2 for one in segments
    ]

    def fits(budget):
        played = len(segments) * baseline_attempts(budget, segments) + search_budget(budget, segments)
        each = (budget - played) / len(segments)
        return all(each * w >= n for w, n in zip(weights_of(segments), needed, strict=True))

    least = least_budget(segments)
    assert fits(math.ceil(1.001 * least) + 2 * len(segments))  # but for whole attempts
    assert not fits(math.floor(0.99 * least) - 2 * len(segments))


def test_defaults_that_took_more_than_their_share_leave_the_search_less():
    assert search_budget(1000, TWO, 600) == int(search_share(400, TWO) * 400)
    assert search_budget(1000, TWO, 1000) == 0
    assert search_budget(1000, TWO, 10) == search_budget(1000, TWO)


@pytest.mark.parametrize(("attempts", "each"), [(0, 0), (1, 0), (2, 1), (100, 1), (1000, 15)])
def test_the_defaults_have_no_more_than_there_is(attempts, each):
    assert baseline_attempts(attempts, TWO) == each


@pytest.mark.parametrize("attempts", [1, 10, 1000, 3_000, 10_000, 1_000_000])
def test_all_stages_together_have_what_there_is(attempts):
    baseline = 2 * baseline_attempts(attempts, TWO)
    search = search_budget(attempts, TWO)
    assert 0 <= search <= max(attempts - baseline, 0)
    assert search >= int(LEAST_SEARCH * (attempts - baseline))
    assert search <= MOST_SEARCH * attempts


def likely(share, attempts, segment):
    """The chance of one segment to end inside its band, by the errors that the module names."""
    v = segment.target * (1.0 - segment.target)
    off, noise = math.sqrt(3.0 * v / (attempts * share)), math.sqrt(v / (attempts * (1.0 - share)))
    half = ndtri(0.975) * noise
    room = segment.tolerance - half
    return 2.0 * ndtr(room / math.hypot(off, noise)) - 1.0


@pytest.mark.parametrize("tolerance", [0.012, 0.02, 0.05, 0.2])
def test_the_search_has_the_share_with_which_a_study_is_likeliest_to_succeed(tolerance):
    segment = Segment("all", 0, 0, 0.6 - tolerance, 0.6 + tolerance)
    chosen = search_share(20_000, [segment])
    tried = [likely(share, 20_000, segment) for share in np.linspace(LEAST_SEARCH, MOST_SEARCH, 81)]
    assert likely(chosen, 20_000, segment) == pytest.approx(max(tried), abs=1e-4)


def test_where_no_interval_could_fit_the_search_has_as_much_as_it_may():
    assert search_share(100, TWO) == MOST_SEARCH
    assert search_share(0, TWO) == MOST_SEARCH


def test_the_narrowest_segment_decides():
    narrow = TWO[0]._replace(low=0.49, high=0.51)
    assert search_share(100_000, (narrow, TWO[1])) == search_share(100_000, (narrow, narrow))


# --- Players who play as in a run -------------------------------------------------------------------------------------


RUNS = Effort(costs=(40.0, 60.0), wastes=(4.0, 4.0))


def test_the_defaults_are_measured_by_players_enough_where_that_is_a_tenth_at_most():
    assert baseline_attempts(10**6, TWO, RUNS) == 10_000
    assert baseline_attempts(20_000, TWO, RUNS) == 8 * 60
    assert baseline_attempts(2_000, TWO, RUNS) == 100


def test_attempts_that_tell_less_cost_more():
    assert least_budget(TWO, RUNS) > 2.5 * least_budget(TWO)
    assert least_budget(TWO, Effort((40.0, 60.0), (1e-9, 1e-9))) >= 2 * 8 * 60, "a spread between players needs some"
    assert least_measurement(TWO, RUNS) == pytest.approx(4.0 * least_measurement(TWO, ALONE), abs=4)
    assert search_share(20_000, TWO, RUNS) < search_share(20_000, TWO)
    one = Effort((40.0, 40.0), (2.0, 6.0))
    first, second = weights_of(TWO, one)
    assert second == pytest.approx(3.0 * first)
