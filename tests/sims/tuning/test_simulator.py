"""The game under a search: what comes of an ask depends on nothing but scenario, code and ask."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.batch import wins_of_able
from engine.errors import PluginFault
from engine.players import Distribution, distribution_table, draw_trait
from engine.randomness import key_of, words
from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from sims.tuning import simulator as module
from sims.tuning.problem import free_knobs, problem_of, segments_of
from sims.tuning.search.counts import Ask
from sims.tuning.search.search_space import values_of
from sims.tuning.simulator import LARGEST_ASK, Simulator, largest_block
from sims.tuning.whole_runs import FIRST_REPLICA, run_setup, unshared_traits
from tests.kit import small
from tests.kit.tuning import small_problem

pytestmark = pytest.mark.thorough

CAMPAIGN = '[levels]\nkind = "campaign"\ncount = 3\n'
MIDDLE, EASY = (0.5, 0.5), (0.4, 0.5)


def problem_for(scenario):
    return problem_of(free_knobs(scenario))


def simulated(asks, scenario=None, workers=1):
    about = small_problem() if scenario is None else problem_for(scenario)
    with Simulator(about, workers=workers) as simulator:
        return simulator.play(asks)


def campaign():
    text = small.TEXT.format(game="logistic", controller="weighted_up_down", players=40, attempts=2000)
    return parse((text + CAMPAIGN).encode(), "campaign.toml", Catalog())


ASKS = [
    Ask(MIDDLE, (300, 5), 7),
    Ask(EASY, (0, 0), 7),
    Ask(EASY, (40, 0), 8),
    Ask(MIDDLE, (1, 2), 9),
    Ask(EASY, (1000, 700), 0),
]
MIXED = [*ASKS, Ask(MIDDLE, (300, 500), 11, (2, 3)), Ask(MIDDLE, (40, 40), 12, part=(2, 8))]


def test_tells_are_in_the_order_of_asks_and_say_what_was_asked():
    tells = simulated(ASKS)
    assert [(tell.point, tell.attempts, tell.block) for tell in tells] == [
        (ask.point, ask.attempts, ask.block) for ask in ASKS
    ]
    assert all(0 <= w <= n for tell in tells for w, n in zip(tell.wins, tell.attempts, strict=True))
    assert tells[4].wins > (0, 0)


@pytest.mark.parametrize("workers", [2, 7])
def test_workers_have_no_say(workers, monkeypatch):
    monkeypatch.setattr(module, "_TASK_S", 1e-6)  # so that there are tasks for all of them
    assert simulated(MIXED, workers=workers) == simulated(MIXED)


@pytest.mark.parametrize("longest_s", [1e-4, 1e-3, 1e9])
def test_how_the_work_is_cut_has_no_say(longest_s, monkeypatch):
    whole = simulated(MIXED)
    monkeypatch.setattr(module, "_TASK_S", longest_s)
    monkeypatch.setattr(module, "_LONGEST_TASK_S", longest_s)
    assert simulated(MIXED) == whole


def test_who_is_asked_in_one_go_has_no_say():
    together = simulated(MIXED)
    assert [simulated([ask])[0] for ask in MIXED] == together


def test_two_equal_candidates_on_one_block_have_equal_counts_and_on_another_block_others():
    one, two, other = simulated([Ask(MIDDLE, (400, 400), block) for block in (3, 3, 4)])
    assert one == two
    assert one.wins != other.wins


def test_candidates_on_one_block_differ_by_less_noise_than_on_two():
    pairs = 200
    asks = [Ask(point, (25, 25), 2 * block) for block in range(pairs) for point in (MIDDLE, EASY)]
    apart = [Ask(point, (25, 25), 2 * pairs + n) for n, point in enumerate([MIDDLE, EASY] * pairs)]
    common, independent = (np.array([tell.wins for tell in simulated(some)]) for some in (asks, apart))
    spread = [np.diff(wins.reshape(pairs, 2, 2), axis=1).var(axis=0) for wins in (common, independent)]
    assert (spread[0] < 0.6 * spread[1]).all()


def test_blocks_and_segments_are_independent():
    blocks = 400
    tells = simulated([Ask((0.5,) * 2, (20,) * 6, block) for block in range(blocks)], campaign())
    wins = np.array([tell.wins for tell in tells], dtype=float)
    limit = 4.0 / math.sqrt(blocks)
    among = np.corrcoef(wins.T) - np.eye(6)  # levels of one cohort included
    assert np.abs(among).max() < limit
    assert max(abs(np.corrcoef(wins[:-1, k], wins[1:, k])[0, 1]) for k in range(6)) < limit


def changed(before, after):
    text = small.TEXT.format(game="logistic", controller="weighted_up_down", players=40, attempts=2000)
    assert before in text
    return parse(text.replace(before, after).encode(), "changed.toml", Catalog())


def test_skill_is_stratified_over_the_players_of_an_ask():
    blocks, players = 400, 25
    tells = simulated(
        [Ask((0.625, 0.96), (1, players), block) for block in range(blocks)],
        changed("skill", "learning = 0\nslope = 20\nskill"),
    )
    wins = np.array([tell.wins[1] for tell in tells])
    rate = wins.mean() / players
    # Of a binomial count the variance would be this; strata leave less than half of it where skill decides so much.
    assert wins.var(ddof=1) < 0.5 * players * rate * (1.0 - rate)


def test_players_who_share_a_draw_are_played_as_strangers():
    scenario = changed("mean = 1.0", "mean = 1.0, common_sd = 0.7")
    assert setup_of(scenario, Catalog()).traits[1, 0, 5] == 0.7
    traits = run_setup(scenario).traits
    assert traits[1, 0].tolist()[:3] + [traits[1, 0, 5]] == [1.0, 1.0, math.sqrt(0.5**2 + 0.7**2), 0.0]


def test_a_segment_is_played_on_its_level_by_its_cohort_in_a_replica_of_its_own(monkeypatch):
    played = []

    def wins(game, values, able, places):
        played.append((places.first // 10_000_000, places.level, places.replica - FIRST_REPLICA))
        return wins_of_able(game, values, able, places)

    with Simulator(problem_for(campaign()), workers=1) as simulator:
        simulator.play([])  # what a worker plays first is none of the study's
        monkeypatch.setattr("sims.tuning.simulator.wins_of_able", wins)
        simulator.play([Ask(MIDDLE, (2,) * 6, 10)])
    assert [one for one in played if one[2]] == [
        (0, 1, 30), (0, 2, 31), (0, 3, 32), (1, 1, 30), (1, 2, 31), (1, 3, 32),
    ]  # fmt: skip


def test_levels_of_a_cohort_have_targets_of_their_own():
    text = small.TEXT.format(game="logistic", controller="weighted_up_down", players=40, attempts=2000) + CAMPAIGN
    targeted = text.replace("[target]\nwin_rate = 0.6", "[target]\nlevels = [0.8, 0.7, 0.6]\ntolerance = 0.02")
    found = segments_of(parse(targeted.encode(), "levels.toml", Catalog()))
    assert [(one.name, one.cohort, one.level) for one in found[:4]] == [
        ("new level 1", 0, 1), ("new level 2", 0, 2), ("new level 3", 0, 3), ("old level 1", 1, 1),
    ]  # fmt: skip
    assert [(one.low, one.high) for one in found[:3]] == [(0.78, 0.82), (0.68, 0.72), (0.58, 0.62)]
    assert [one.level for one in segments_of(parse(targeted.encode(), "levels.toml", Catalog()), 2)] == [2, 2]


def test_no_run_meets_the_players_of_a_study_and_there_are_blocks_enough():
    assert FIRST_REPLICA > 100_000  # the most replicas of a run
    assert FIRST_REPLICA + largest_block(1) - 1 < 2**28
    assert largest_block(1000) > 100_000
    with pytest.raises(ValueError, match="a block must be below"):
        simulated([Ask(MIDDLE, (1, 1), largest_block(1))])
    with pytest.raises(ValueError, match="at most 10000000 attempts"):
        simulated([Ask(MIDDLE, (1, LARGEST_ASK + 1), 0)])


def test_players_of_worlds_of_their_own_are_as_different_as_all_worlds_together():
    table = distribution_table({"skill": Distribution("normal", 0.5, 0.3, common=0.4)})
    (row,) = unshared_traits(table)[:1]
    key = key_of(3, 0, 0, 0, 0)
    skills = np.array([draw_trait(row, words(key, i)[0], words(key, i)[1]) for i in range(4000)])
    assert skills.mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(4000))
    assert skills.std() == pytest.approx(0.5, rel=4 / math.sqrt(2 * 4000))
    assert unshared_traits(table)[1:].tobytes() == table[1:].tobytes()


# --- Attempts that fail ----------------------------------------------------------------------------------------------


@pytest.fixture
def shaky(monkeypatch):
    """A game that raises an exception in the attempts of some places."""

    def install(bad):
        def wins(game, values, able, places):
            first = places.first % 10_000_000
            if places.replica != FIRST_REPLICA and any(bad(place) for place in range(first, first + len(able))):
                raise ZeroDivisionError("the floor is gone")
            return wins_of_able(game, values, able, places)

        monkeypatch.setattr("sims.tuning.simulator.wins_of_able", wins)

    return install


def test_attempts_that_fail_are_left_out_and_the_others_count(shaky):
    (whole,) = simulated([Ask(MIDDLE, (200, 200), 1)])
    shaky(lambda place: place % 20 == 7)
    (tell,) = simulated([Ask(MIDDLE, (200, 200), 1)])
    assert tell.attempts == (190, 190)
    assert all(w - 10 <= left <= w for w, left in zip(whole.wins, tell.wins, strict=True))


def test_too_many_failures_end_with_a_sentence(shaky):
    shaky(lambda place: place % 3 == 0)
    with pytest.raises(PluginFault, match=r"at most a fifth .* ZeroDivisionError: the floor is gone; correct the game"):
        simulated([Ask(MIDDLE, (200, 200), 1)])


@pytest.mark.parametrize("game", ["logistic", "gap_runner", "tile_match", "boss_duel"])
def test_the_designers_numbers_come_back_from_the_cube_to_the_last_digit(game):
    problem = problem_of(small.scenario(game))
    assert values_of(problem.space, problem.start) == problem.space.defaults()
    near = [
        min(u + 1e-9, 1.0) if not levels else u
        for u, levels in zip(problem.start, problem.search_space.levels, strict=True)
    ]
    assert values_of(problem.space, near) != problem.space.defaults()


def test_the_problem_of_a_scenario_begins_at_the_designers_numbers():
    problem = problem_of(small.scenario())
    assert problem.search_space.names == ("difficulty", "guess")
    assert problem.start == pytest.approx((0.5, 0.96))
