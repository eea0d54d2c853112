"""The race of finalists, and the rates that it measures."""

import math

import numpy as np
import pytest
from scipy.special import ndtri

from benchmarks.tuning_problem import TuningProblem
from sims.tuning.budget import Effort
from sims.tuning.conditions import Control
from sims.tuning.final_race import FinalRace, Rate, estimate_rates, whole_blocks
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.search_space import Point

pytestmark = pytest.mark.thorough

PROBLEM = TuningProblem(3, 21)


def raced(points, budget, options, segments=PROBLEM.segments):
    race, spent, rounds = FinalRace(points, segments, budget, options), 0, []
    while asks := race.ask(budget - spent):
        spent += sum(sum(ask.attempts) for ask in asks)
        tells = PROBLEM.play(asks)
        rounds.append((race.measuring, tells))
        race.tell(tells)
    return race, spent, rounds


def others(count, key=1):
    dice = np.random.Generator(np.random.Philox(key=[key, 2]))
    return [tuple(point) for point in PROBLEM.search_space.snap(dice.random((count, 3))).tolist()]


def test_the_best_wins_and_the_budget_is_kept():
    points = [*others(5), PROBLEM.hidden]
    race, spent, rounds = raced(points, 40_000, 1)
    assert race.points == [PROBLEM.hidden]
    assert spent <= 40_000
    assert [measuring for measuring, _ in rounds] == [False] * 3 + [True]


def test_rounds_share_their_players_and_nobody_plays_twice():
    _, _, rounds = raced([*others(3), PROBLEM.hidden], 40_000, 1)
    blocks = [{tell.block for tell in tells} for _, tells in rounds]
    assert all(len(own) == 1 for own in blocks[:-1])
    assert len(set().union(*blocks)) == sum(map(len, blocks))
    assert len(blocks[-1]) == len(rounds[-1][1]), "each block measures one option once"


def test_no_race_where_all_are_options():
    _, _, rounds = raced([PROBLEM.hidden], 20_000, 3)
    assert [measuring for measuring, _ in rounds] == [True]


def test_a_tight_tolerance_leaves_one_option_and_a_wide_one_several():
    assert len(raced([PROBLEM.hidden, *others(3)], 30_000, 3)[0].points) == 1
    wide = [one._replace(low=one.target - 0.1, high=one.target + 0.1) for one in PROBLEM.segments]
    assert len(raced([PROBLEM.hidden, *others(3)], 30_000, 3, wide)[0].points) == 3


def test_no_more_is_measured_than_the_tolerance_needs():
    wide = [one._replace(low=one.target - 0.1, high=one.target + 0.1) for one in PROBLEM.segments]
    _, spent, rounds = raced([PROBLEM.hidden], 1_000_000, 1, wide)
    assert spent < 100_000
    rates = estimate_rates(rounds[-1][1], wide)
    assert all(0.01 < rate.high - rate.low < 0.06 for rate in rates)


def test_no_more_is_raced_than_the_tolerance_needs():
    wide = [one._replace(low=one.target - 0.1, high=one.target + 0.1) for one in PROBLEM.segments]
    asks = FinalRace(others(4), wide, 100_000_000, 1).ask(100_000_000)  # what a search that ended early has left
    assert len(asks) == 4
    assert sum(sum(ask.attempts) for ask in asks) < 100_000


@pytest.mark.parametrize("count", range(1, 13))
def test_bands_that_need_as_much_have_as_much(count):
    # Weights of 0.9999999999999999 would cost a block of four a quarter of its attempts.
    alike = [Segment(str(k), k, 0, *((0.65, 0.75), (0.25, 0.35))[k % 2]) for k in range(count)]
    asks = FinalRace([(0.5,)], alike, 40 * count, 1).ask(40 * count)
    assert {ask.attempts for ask in asks} == {(5,) * count}
    assert len(asks) == 8


def test_a_round_tells_of_each_segment_however_little_one_needs():
    unlike = [Segment("tight", 0, 0, 0.49, 0.51), Segment("wide", 1, 0, 0.3, 0.7)]
    for budget in range(100, 3000, 50):
        for ask in FinalRace(others(6), unlike, budget, 1).ask(budget):
            assert sum(ask.attempts) <= budget
            assert min(ask.attempts) >= 2 or ask.attempts == (1, 1)  # the latter where there is no race


@pytest.mark.parametrize("count", [2, 12, 36])
def test_the_tightest_of_many_bands_is_measured_as_well_as_a_single_one(count):
    unlike = [Segment("tight", 0, 0, 0.49, 0.51), *(Segment(str(k), k, 0, 0.3, 0.7) for k in range(1, count))]
    asks = FinalRace([(0.5,)], unlike, 10**8, 1).ask(10**8)
    z = ndtri((1.0 + 0.95 ** (1.0 / count)) / 2.0)
    assert z * math.sqrt(0.25 / sum(ask.attempts[0] for ask in asks)) == pytest.approx(0.25 * 0.01, rel=0.01)


def test_a_race_is_won_by_who_is_off_by_the_least_part_of_a_tolerance():
    segments = [Segment("wide", 0, 0, 0.1, 0.5), Segment("narrow", 1, 0, 0.68, 0.72)]
    both, narrow = (0.35, 0.65), (0.45, 0.70)  # nearer to both middles together, and inside both bands
    chances: dict[Point, tuple[float, float]] = {(0.1,): both, (0.9,): narrow}
    race, left = FinalRace(list(chances), segments, 20_000, 1), 20_000
    while asks := race.ask(left):
        left -= sum(sum(ask.attempts) for ask in asks)
        wins = [[round(n * p) for n, p in zip(ask.attempts, chances[ask.point], strict=True)] for ask in asks]
        race.tell([Tell(ask.point, ask.attempts, tuple(won), ask.block) for ask, won in zip(asks, wins, strict=True)])
    assert race.points == [(0.9,)]


def test_too_little_for_a_race_keeps_the_order_of_the_search():
    points = [*others(5), PROBLEM.hidden]
    race, spent, _ = raced(points, 60, 1)
    assert race.points == points[:1]
    assert spent <= 60


def test_intervals_of_all_segments_hold_at_once():
    runs, held = 400, 0
    for run in range(runs):
        tells = PROBLEM.play([Ask(PROBLEM.hidden, (50,) * 3, 1_000 + 20 * run + block) for block in range(20)])
        rates = estimate_rates(tells, PROBLEM.segments)
        held += all(rate.low <= truth <= rate.high for rate, truth in zip(rates, PROBLEM.targets, strict=True))
    assert abs(held / runs - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / runs)


def test_options_on_the_edge_of_a_band_are_seldom_called_met_however_many_there_are():
    dice = np.random.Generator(np.random.Philox(key=[20261122, 1]))
    segment = Segment("all", 0, 0, 0.7, 0.8)
    studies, options, blocks = 2_000, 3, 100
    wins = dice.binomial(50, segment.low, (studies, options, blocks)).tolist()
    wrong = sum(
        any(
            estimate_rates([Tell(PROBLEM.hidden, (50,), (won,), 0) for won in option], [segment], options)[0].met(
                segment
            )
            for option in study
        )
        for study in wins
    )
    promised = 1.0 - (1.0 - (1.0 - 0.95 ** (1.0 / options)) / 2.0) ** options  # one side of each, all together
    assert abs(wrong / studies - promised) < 4.0 * math.sqrt(promised * (1.0 - promised) / studies)


def test_stratified_skill_makes_intervals_narrower_than_counting_attempts():
    tells = PROBLEM.play([Ask(PROBLEM.hidden, (50,) * 3, block) for block in range(100)])
    rates = estimate_rates(tells, PROBLEM.segments[:1] * 3)
    binomial = 2.39 * math.sqrt(rates[0].rate * (1.0 - rates[0].rate) / rates[0].attempts)
    assert (rates[0].high - rates[0].low) / 2.0 < binomial


@pytest.mark.parametrize("wins", [0, 50])
def test_a_rate_at_an_end_is_never_taken_for_sure(wins):
    tells = [Tell(PROBLEM.hidden, (50,), (wins,), block) for block in range(10)]
    (rate,) = estimate_rates(tells, PROBLEM.segments[:1])
    assert rate.high - rate.low > 0.004


def test_met_and_missed_need_the_whole_interval():
    segment = Segment("all", 0, 0, 0.6, 0.7)
    assert Rate(0.65, 0.61, 0.69, 900).met(segment)
    assert not Rate(0.65, 0.59, 0.69, 900).met(segment)
    assert not Rate(0.65, 0.59, 0.69, 900).missed(segment)
    assert Rate(0.75, 0.71, 0.79, 900).missed(segment)
    nothing = Rate(math.nan, math.nan, math.nan, 0)
    assert not nothing.met(segment)
    assert not nothing.missed(segment)


# --- Whole runs -------------------------------------------------------------------------------------------------------

ALL = Segment("all", 0, 0, 0.65, 0.75)


def run_blocks(dice, blocks=24, attempts=200, spread=0.08):
    """Blocks whose win rates differ by who plays them, and the same players in a stand-in that is won less often."""
    shift = spread * np.clip(dice.standard_normal(blocks), -3.0, 3.0)
    wins, other = dice.binomial(attempts, 0.7 + shift), dice.binomial(attempts, 0.6 + shift)
    tells = [Tell((0.5,), (attempts,), (int(won),), block) for block, won in enumerate(wins)]
    return tells, Control((attempts,) * blocks, tuple(other.tolist()), 0.6, 0.0)


def test_a_control_narrows_the_margin_of_runs_and_keeps_its_promise():
    studies, inside, widths = 600, np.zeros(2), np.zeros(2)
    for seed in range(studies):
        tells, control = run_blocks(np.random.Generator(np.random.Philox(seed)))
        for i, controls in enumerate(((), (control,))):
            (rate,) = estimate_rates(tells, [ALL], players=(240,), controls=controls)
            inside[i] += rate.low <= 0.7 <= rate.high
            widths[i] += rate.high - rate.low
    assert (np.abs(inside / studies - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / studies)).all()
    assert widths[1] < 0.7 * widths[0]


def test_a_control_that_knows_nothing_changes_little():
    tells, _ = run_blocks(np.random.Generator(np.random.Philox(1)))
    other = np.random.Generator(np.random.Philox(2)).binomial(200, 0.6, 24)
    control = Control((200,) * 24, tuple(other.tolist()), 0.6, 0.0)
    (plain,), (controlled,) = (estimate_rates(tells, [ALL], players=(240,), controls=c) for c in ((), (control,)))
    assert controlled.rate == pytest.approx(plain.rate, abs=0.3 * (plain.high - plain.low))
    nothing = Control((0,) * 24, (0,) * 24, float("nan"), 0.0)
    assert estimate_rates(tells, [ALL], players=(240,), controls=(nothing,)) == [plain]


def test_of_runs_that_are_all_won_each_player_counts_once():
    tells = [Tell((0.5,), (100,), (100,), block) for block in range(8)]
    (alone,), (runs,) = (estimate_rates(tells, [ALL], players=players) for players in ((), (40,)))
    assert alone.low > 0.99
    assert 0.85 < runs.low < 0.95


def test_blocks_of_runs_keep_to_the_attempts_and_are_even():
    segments = (ALL, ALL._replace(name="two", cohort=1))
    effort = Effort((40.0, 25.0), (3.0, 1.5))
    for each in (10, 100, 1000, 30_000):
        whole = whole_blocks(each, segments, effort)
        assert whole.blocks * sum(whole.attempts) <= each * 2
        assert (whole.blocks >= 8) == (each >= 1000)
        if each == 30_000:
            assert min(whole.players) >= 16
            assert whole.blocks * sum(whole.attempts) > 0.9 * each * 2
