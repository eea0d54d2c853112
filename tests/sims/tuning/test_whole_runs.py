"""A measurement is a small run: its win rates are those that a run judges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.game import WON
from engine.players import HORIZON
from engine.scenario import parse
from sims.catalog import Catalog
from sims.runs.execution import run
from sims.tuning.final_race import estimate_rates
from sims.tuning.problem import free_knobs, problem_of
from sims.tuning.search.counts import Ask
from sims.tuning.simulator import Simulator
from sims.tuning.study_files import tuned_scenario
from sims.tuning.whole_runs import held_at, judged_counts, play_block, run_setup
from tests.kit import small

# Players who learn, tire and leave when they lose: a single attempt of a fresh player says little of them.
TEXT = small.TEXT.format(game="logistic", controller="kalman", players=300, attempts=60).replace(
    "win_rate = 0.6", "win_rate = 0.6\nafter_attempts = 5"
)
TRAITS = """
learning = { kind = "lognormal", median = 0.3, log_sd = 0.5 }
fatigue = 0.1
"""


def scenario(extra=""):
    text = TEXT.replace("[cohort.traits]\nskill", "[cohort.traits]" + TRAITS + "skill") + extra
    return parse(text.encode(), "learners.toml", Catalog())


def problem(extra=""):
    return problem_of(free_knobs(scenario(extra)))


def measured(about, blocks=24, players=16):
    """The rates of whole runs at the defaults, and the tells."""
    asks = [Ask(about.start, (players * 40,) * 2, block, (players,) * 2) for block in range(blocks)]
    with Simulator(about, workers=1) as simulator:
        tells = simulator.play(asks)
    return estimate_rates(tells, about.segments, players=(blocks * players,) * 2), tells


def run_rates(about, folder, players):
    """What a run of the tuned scenario judges, with margins."""
    tuned = tuned_scenario(about, about.start)
    again = parse(tuned.resolved_toml().encode(), "again.toml", Catalog(), [("seed", "77"), ("players.count", players)])
    rows = run(again, out=folder / "run", workers=1).verdict.rows
    return [(row.win_rate, row.win_rate_low, row.win_rate_high) for row in rows if row.level == 0]


def test_win_rates_are_those_of_a_run(tmp_path):
    about = problem()
    rates, _ = measured(about)
    for rate, (won, low, high) in zip(rates, run_rates(about, tmp_path, "2000"), strict=True):
        error = math.hypot((rate.high - rate.low) / 4.4, (high - low) / 3.9)
        assert abs(rate.rate - won) < 4.0 * error
        assert error < 0.02


def test_singles_in_the_conditions_of_runs_win_as_often_as_runs(tmp_path):
    about = problem()
    rates, _ = measured(about)
    on_target = replace(
        about,
        segments=tuple(
            one._replace(low=rate.rate - 0.05, high=rate.rate + 0.05)
            for one, rate in zip(about.segments, rates, strict=True)
        ),
    )
    with Simulator(on_target, workers=1) as simulator:
        (alone,) = simulator.play([Ask(on_target.start, (8000, 8000), 0)])
    for rate, won, made in zip(rates, alone.wins, alone.attempts, strict=True):
        error = math.hypot((rate.high - rate.low) / 4.4, 0.5 / math.sqrt(made))
        assert abs(rate.rate - won / made) < 4.0 * error + 0.005  # the stand-in is this very game


def test_a_search_knows_players_who_learn_a_layout():
    """Retries at a level are worth more there than elsewhere, so fresh players would say too little."""
    text = TEXT.replace("[cohort.traits]\nskill", "[cohort.traits]\nlearning = 0.8\nlayout_share = 1.0\nskill")
    text = text.replace("after_attempts = 5", "after_attempts = 0") + '\n[levels]\nkind = "campaign"\ncount = 3\n'
    about = problem_of(free_knobs(parse(text.encode(), "levels.toml", Catalog())), level=2)
    rates, _ = measured(about)
    on_target = replace(
        about,
        segments=tuple(
            one._replace(low=rate.rate - 0.05, high=rate.rate + 0.05)
            for one, rate in zip(about.segments, rates, strict=True)
        ),
    )
    with Simulator(on_target, workers=1) as simulator:
        (alone,) = simulator.play([Ask(on_target.start, (4000, 4000), 0)])
    for rate, won, made in zip(rates, alone.wins, alone.attempts, strict=True):
        error = math.hypot((rate.high - rate.low) / 4.4, 0.5 / math.sqrt(made))
        assert abs(rate.rate - won / made) < 4.0 * error + 0.005


def test_a_block_counts_what_is_judged():
    setup = held_at(run_setup(scenario()), [0.0, 0.02])
    rows = play_block(setup, 1, 10, 3).rows
    counts = judged_counts(setup, rows, 5)
    judged = rows[rows["attempt"] >= 5]
    assert counts.attempts.tolist() == [len(judged)]
    assert counts.wins.tolist() == [int((judged["outcome"] == WON).sum())]
    assert set(rows["cohort"]) == {1}
    assert rows["attempt"].max() > 5
    assert np.unique(rows["player"]).size <= 10


def test_players_of_blocks_are_as_different_as_their_cohort():
    setup = held_at(run_setup(scenario()), [0.0, 0.02])
    players = np.concatenate([play_block(setup, 1, 16, block).players for block in range(60)])
    skill = players["skill"]
    assert skill.mean() == pytest.approx(1.0, abs=4 * 0.5 / math.sqrt(len(skill)))
    assert skill.std() == pytest.approx(0.5, rel=4 / math.sqrt(2 * len(skill)))
    means = skill.reshape(60, 16).mean(axis=1)
    assert means.std() < 0.25 * 0.5 / math.sqrt(16), "a block is more even than by chance"
    assert np.corrcoef(skill, players["learning"])[0, 1] == pytest.approx(0.0, abs=4 / math.sqrt(len(skill)))


def test_players_of_a_stream_arrive_all_over_the_run():
    setup = held_at(run_setup(scenario('\n[players.arrival]\nkind = "rate"\nper_day = 20\n')), [0.0, 0.02])
    played = play_block(setup, 1, 64, 0)
    expected = setup.gaps_s[1] * setup.counts[1] / 2.0
    assert played.arrivals.mean() == pytest.approx(expected, rel=0.15)
    late = played.arrivals >= setup.horizon_s
    assert (played.players["left"][late] == HORIZON).all()
    assert (played.players["attempts"][late] == 0).all()


def test_a_measurement_has_what_players_learn_of_a_level_in_it():
    """The skill of an attempt is what the trait says after so many tries at its level, and after none on the next."""
    extra = '[levels]\nkind = "campaign"\ncount = 3\n'
    text = small.TEXT.format(game="logistic", controller="constant", players=40, attempts=60) + extra
    traits = "skill = 0.0\nlearning = 0.5\nfatigue = 0.0\nlayout_share = 1.0\n"
    text = text.replace("share = 0.5\n\n", f"share = 0.5\n[cohort.traits]\n{traits}\n", 1)
    setup = run_setup(parse(text.encode(), "levels.toml", Catalog()))
    rows = play_block(held_at(setup, (1.0, 0.02)), 0, 40, 1).rows
    rows = rows[np.lexsort((rows["attempt"], rows["player"]))]
    begins = np.r_[True, (np.diff(rows["player"]) != 0) | (np.diff(rows["level"]) != 0)]
    first = np.flatnonzero(begins)
    tries = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    assert tries.max() >= 4
    assert rows["level"].max() > 1
    assert rows["skill"] == pytest.approx(0.5 * np.log1p(tries), abs=1e-9)
