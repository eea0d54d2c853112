"""Before and after: the same people, what changed for whom, what is luck, and files that nothing can break out of."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import math
import typing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from benchmarks import comparison as bench
from engine.controller import Setting
from engine.errors import PluginFault, ScenarioError
from engine.game import LOST, RUNNING, WON, Game
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE, benjamini_hochberg
from engine.parameters import Knob, ParameterSpace
from engine.players import QUIT
from engine.randomness import uniform
from engine.scenario import Scenario, load, parse, setup_of
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.cli.app import main
from sims.comparison.cells import change_text
from sims.comparison.changed_keys import changed_keys, pair_cohorts
from sims.comparison.comparison import Comparison, compare
from sims.comparison.comparison_files import COLUMNS
from sims.comparison.differences import EVERYBODY, LEAST, Change, Differences, measure_differences
from sims.comparison.metrics import FIRST, OWN_RATE, WORST, metric_sums, metrics_for, worst_sums
from sims.comparison.sides import play_sides, sides_of
from sims.comparison.target_changes import Direction
from sims.comparison.tautologies import SET_ALIKE
from tests.kit.golden import check_golden
from tests.kit.pages import without_own_script
from tests.kit.worlds import kind_of

CATALOG = Catalog()
TEXT = """
format = 1
title = "{title}"
seed = {seed}
[game]
name = "{game}"
[game.params]
{params}
[dial]
floor = 0.0
ceiling = 1.0
{levels}
[target]
win_rate = 0.6
after_attempts = {after}
[controller]
name = "{controller}"
{scope}
options = {{ {options} }}
[players]
count = {players}
{cohorts}
[horizon]
days = 40
attempts_per_player = {attempts}
[run]
replicas = {replicas}
"""
NEW = '[[cohort]]\nname = "new"\nshare = 0.5\n[cohort.traits]\nskill = { kind = "normal", mean = -0.5, sd = 0.6 }\n'
OLD = '[[cohort]]\nname = "old"\nshare = 0.5\n[cohort.traits]\nskill = { kind = "normal", mean = 1.0, sd = 0.5 }\n'
PRO = '[[cohort]]\nname = "pro"\nshare = 0.5\n[cohort.traits]\nskill = { kind = "normal", mean = 2.0, sd = 0.5 }\n'


def scenario(name="before.toml", **choices) -> Scenario:
    usual = {
        "title": "", "seed": 11, "game": "logistic", "params": "guess = 0.0", "after": 5, "controller": "constant",
        "scope": "", "options": "difficulty = 0.45", "players": 80, "cohorts": NEW + OLD, "attempts": 20, "replicas": 1,
        "levels": "",
    }  # fmt: skip
    return parse(TEXT.format(**{**usual, **choices}).encode(), name, CATALOG)


def compared(first: Scenario, *others: Scenario, seed: int = 11, workers: int = 1, least: float = LEAST) -> Comparison:
    return compare(first, *others, seed=seed, workers=workers, least=least)


def of(found: Differences, metric: str, cohort: str = EVERYBODY, number: int = 1) -> Change:
    """A metric of a cohort, or of everybody; where there is one cohort that is everybody."""
    changes = [one for one in found.changes if (one.metric.name, one.number) == (metric, number)]
    (change,) = changes if len(changes) == 1 else [one for one in changes if one.cohort == cohort]
    return change


def all_zero(found: Differences) -> bool:
    """Whether not one player did anything else."""
    known = [change.difference for change in found.changes if not math.isnan(change.difference.value)]
    return len(known) > 20 and all((one.value, one.error) == (0.0, 0.0) for one in known) and not found.flagged


def test_beside_a_campaign_all_attempts_count_not_only_those_of_players_who_kept_losing():
    campaign = scenario("after.toml", after=0, levels='[levels]\nkind = "campaign"\ncount = 8')
    for pair in ((scenario(), campaign), (campaign, scenario())):
        found = compared(*pair)
        (other,) = found.others
        for standing in other.standings:
            change, side = of(found, "win_rate", standing.cohort), int(pair[1] is campaign)
            played = (change.difference.before, change.difference.after)[side]
            assert played == pytest.approx((standing.before, standing.after)[side].win_rate)
        assert "All attempts count in all changes, since a campaign has no warm-up." in found.text


# --- The same people -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("controller", [pytest.param("constant", marks=pytest.mark.thorough), "kalman"])
def test_a_renamed_cohort_flags_nothing(controller):
    choices = {"controller": controller, "options": ""}
    found = compared(
        scenario(**choices), scenario("after.toml", cohorts=(NEW + OLD).replace("new", "fresh"), **choices)
    )
    assert all_zero(found)
    assert [str(key) for key in found.others[0].keys] == ['cohort.new.name: "new" -> "fresh"']


@pytest.mark.parametrize(
    ("before", "after", "both"),
    [
        (NEW + OLD, OLD + NEW, ["new", "old"]),
        (NEW + OLD, PRO + NEW + OLD, ["new", "old"]),
        (NEW + OLD + PRO, NEW + PRO, ["new", "pro"]),
        (NEW + OLD + PRO, PRO.replace("pro", "top") + OLD, ["old", "pro"]),
    ],
    ids=["moved", "added", "removed", "renamed and moved"],
)
def test_cohorts_that_come_go_and_move_leave_the_others_who_they_are(before, after, both):
    def shared(cohorts: str) -> str:  # 40 players each, however many cohorts there are
        return cohorts.replace("share = 0.5", f"share = {1 / cohorts.count('share')!r}")

    one, two = (
        scenario(name, cohorts=shared(text), players=40 * text.count("share"))
        for name, text in (("before.toml", before), ("after.toml", after))
    )
    found = compared(one, two)
    assert {change.cohort for change in found.changes} == {EVERYBODY, *both}
    assert all_zero(found)


def test_cohorts_are_known_by_name_then_traits_then_place():
    one = scenario(cohorts=NEW + OLD)
    swapped = NEW.replace("new", "old") + OLD.replace("old", "new")
    assert pair_cohorts(one, scenario(cohorts=swapped)) == [(0, 1), (1, 0)]  # by name, whatever their traits
    assert pair_cohorts(one, scenario(cohorts=OLD.replace("old", "a") + NEW.replace("new", "b"))) == [(0, 1), (1, 0)]
    assert pair_cohorts(one, scenario(cohorts=PRO + NEW.replace("new", "b"))) == [(0, 1)]
    assert pair_cohorts(one, scenario(cohorts=PRO + OLD)) == [(0, 0), (1, 1)]


def test_only_those_who_are_in_both_are_compared():
    found = compared(scenario(players=80), scenario("after.toml", players=60, replicas=3))
    assert found.others[0].players == {"new": (30, 30), "old": (30, 30)}
    assert all_zero(found)


def test_one_seed_is_for_all():
    one, two = scenario(), scenario("after.toml", seed=5)
    found = compared(one, two)
    assert (found.seed, all_zero(found)) == (11, True)
    other = compared(one, two, seed=77)
    assert other.seed == 77
    assert of(other, "win_rate").difference.before != of(found, "win_rate").difference.before


# --- What changed ----------------------------------------------------------------------------------------------------


class Params(NamedTuple):
    gap_rate: float
    spike_rate: float


class Level(NamedTuple):
    length: int


class Walk(NamedTuple):
    at: int
    hurt_by: int


def status(params, level, state):
    return LOST if state.hurt_by >= 0 else WON if state.at >= level.length else RUNNING


def step(params, level, state, action, key, tick):
    """Each of eight steps may hold a gap or a spike."""
    luck = uniform(key, tick)
    hurt_by = 0 if luck < params.gap_rate else 1 if luck < params.gap_rate + params.spike_rate else -1
    return Walk(state.at + 1, hurt_by)


SPIKES = Game(
    name="spikes",
    version=1,
    summary="Walk past gaps and spikes.",
    pace="turns",
    tick_seconds=1.0,
    max_ticks=10,
    actions=("walk",),
    space=ParameterSpace(Knob("gap_rate", 0.0, 0.3, 0.03), Knob("spike_rate", 0.0, 0.3, 0.03)),
    params=Params,
    causes=("fell into a gap", "hit a spike"),
    build=lambda params, key: Level(8),
    start=lambda params, level, key: Walk(0, -1),
    expert=lambda params, level, state, faculties: 0,
    step=step,
    status=status,
    progress=lambda params, level, state: state.at / level.length,
    cause=lambda params, level, state: state.hurt_by,
    draw=lambda params, level, state: [],
    keys={},
)


def test_a_doubled_spike_rate_is_flagged_with_its_cause(monkeypatch):
    monkeypatch.setattr(Catalog, "game", lambda self, name: SPIKES)
    choices = {"game": "spikes", "cohorts": "", "players": 200, "attempts": 10}
    one, two = (
        scenario(f"{rate}.toml", params=f"gap_rate = 0.03\nspike_rate = {rate}", **choices) for rate in (0.03, 0.06)
    )
    found = compared(one, two)
    assert [str(key) for key in found.others[0].keys] == ["game.params.spike_rate: 0.03 -> 0.06"]
    spike, gap, win = (of(found, name) for name in ("lost_hit_a_spike", "lost_fell_into_a_gap", "win_rate"))
    assert spike.flagged
    assert gap.flagged
    assert win.flagged
    assert spike.difference.before == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(700))  # of about 2,000 (1 - 0.94^8)
    assert spike.difference.after == pytest.approx(2 / 3, abs=4 * 0.5 / math.sqrt(1000))
    assert win.difference.before == pytest.approx(0.94**8, abs=4 * 0.5 / math.sqrt(2000))
    assert win.difference.after == pytest.approx(0.91**8, abs=4 * 0.5 / math.sqrt(2000))
    assert not of(found, "sessions").flagged


def test_what_matters_comes_first_and_rates_come_before_times_and_counts():
    found = compared(scenario(players=200), scenario("after.toml", options="difficulty = 0.5", players=200), least=0.04)
    parts = [(change.matters, change.flagged, not change.follows) for change in found.changes]
    assert parts == sorted(parts, reverse=True)
    assert len(set(parts)) == 4  # matter, significant, the rest, and the difficulty, which was set
    for part in dict.fromkeys(parts):
        own = [change for change, one in zip(found.changes, parts, strict=True) if one == part]
        kinds = [change.metric.kind == "number" for change in own]
        assert kinds == sorted(kinds)
        for kind in (False, True):
            known = [one for one in own if not math.isnan(one.size)]
            sizes = [one.size for one in known if (one.metric.kind == "number") == kind]
            assert sizes == sorted(sizes, reverse=True)
    assert found.mattering == tuple(change for change in found.flagged if change.size >= 0.04)
    assert 0 < len(found.mattering) < len(found.flagged)
    first = of(found, "win_rate")
    own = [of(found, "win_rate", cohort) for cohort in ("new", "old")]
    assert min(one.difference.value for one in own) < first.difference.value < max(one.difference.value for one in own)


def test_a_size_is_in_points_or_relative_to_before():
    change = of(compared(scenario(), scenario()), "win_rate")
    moved = change._replace(difference=change.difference._replace(before=0.2, value=-0.01), p_adjusted=0.01)
    assert moved.size == pytest.approx(0.01)
    assert moved.matters
    assert not moved._replace(least=0.0101).matters
    seconds = moved._replace(metric=next(one for one in metrics_for((), 0) if one.name == "duration_s"))
    assert seconds.size == pytest.approx(0.05)
    assert seconds._replace(difference=seconds.difference._replace(before=0.0)).size == math.inf


def test_an_effect_is_in_standard_deviations_between_players():
    one, two = scenario(players=200), scenario("after.toml", options="difficulty = 0.5", players=200)
    tables = play_sides(sides_of(one, [two], 11), workers=1)
    was, is_ = (table.sums[0][0, :, 2, 0] for table in tables)  # attempts of each new player
    change = of(measure_differences(sides_of(one, [two], 11), tables), "attempts", "new")
    spread = math.sqrt((was.var(ddof=1) + is_.var(ddof=1)) / 2.0)
    assert change.spread == pytest.approx(spread)
    assert change.effect == pytest.approx((is_.mean() - was.mean()) / spread)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-0.0231, -0.0004, "-1.18 (-2.31 to -0.04)"),  # with one digit it would end at -0.0
        (0.00007, 0.0301, "+1.51 (+0.01 to +3.01)"),
        (-0.0231, 0.0004, "-1.1 (-2.3 to +0.0)"),
        (1e-9, 0.02, "+1.000000 (+0.000000 to +2.000000)"),
    ],
)
def test_an_interval_without_0_does_not_read_as_if_it_held_it(low, high, text):
    change = of(compared(scenario(), scenario()), "win_rate")
    value = (low + high) / 2.0
    assert change_text(change._replace(difference=change.difference._replace(value=value, low=low, high=high))) == text


def test_what_the_controller_sets_for_all_alike_is_no_question_of_luck():
    found = compared(scenario(), scenario("after.toml", options="difficulty = 0.46"))
    change = of(found, "difficulty", "new")
    assert change.certain
    assert change.follows == SET_ALIKE
    assert not change.flagged
    assert change.difference.value == pytest.approx(0.01)
    assert math.isnan(change.difference.low)
    assert math.isnan(change.p_adjusted)
    assert not compared(scenario(), scenario()).flagged


def test_flags_are_those_of_benjamini_and_hochberg_over_the_whole_command():
    one = scenario(players=120)
    others = [scenario(f"{d}.toml", options=f"difficulty = {d}", players=120) for d in (0.452, 0.47)]
    found = compared(one, *others)
    p_values = [change.difference.p_value for change in found.changes]
    np.testing.assert_allclose([change.p_adjusted for change in found.changes], benjamini_hochberg(p_values))
    tested = [change for change in found.changes if not math.isnan(change.p_adjusted)]
    flags = sum(change.flagged for change in tested)
    # The luck of these players leaves some that would be flagged alone, and are not among so many.
    assert any(change.difference.p_value <= FALSE_DISCOVERY_RATE < change.p_adjusted for change in tested)
    assert found.confidence == pytest.approx(1.0 - FALSE_DISCOVERY_RATE * flags / len(tested))
    for change in tested:
        low, high = change.difference.low, change.difference.high
        assert change.flagged == (not low <= 0.0 <= high), (
            f"{change} must exclude 0 where it is flagged, and only there"
        )
    assert {change.number for change in found.flagged} == {2}
    alone = compared(one, others[0])
    assert of(alone, "win_rate").difference.p_value == of(found, "win_rate").difference.p_value
    assert of(alone, "win_rate").p_adjusted != of(found, "win_rate").p_adjusted


def test_a_knob_that_is_held_is_one_line():
    one = scenario(params="", cohorts="")
    two = scenario(params="guess = 0.1", cohorts="", title="Another", seed=3)
    assert [str(key) for key in changed_keys(one, two, pair_cohorts(one, two))] == ["game.params.guess: not set -> 0.1"]
    three = scenario(params="guess = 0.2", cohorts=NEW.replace("0.5\n", "1.0\n").replace("-0.5", "0.5"))
    keys = [str(key) for key in changed_keys(two, three, pair_cohorts(two, three))]
    assert keys[0] == "game.params.guess: 0.1 -> 0.2"
    assert 'cohort.players.name: "players" -> "new"' in keys
    assert [key.partition(":")[0] for key in keys] == [
        "game.params.guess", "cohort.players.name", "cohort.players.traits.skill"
    ]  # fmt: skip


# --- Sums of players -------------------------------------------------------------------------------------------------


def test_sums_are_those_of_each_players_rows():
    setup = setup_of(scenario(game="gap_runner", params="", controller="kalman", options="", players=40), CATALOG)
    after, causes = 5, setup.game.causes
    metrics = [metric.name for metric in metrics_for(causes, 0)]
    counted = 0
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        sums = metric_sums(played, after, len(causes), 0)
        for player, own in zip(played.players, sums, strict=True):
            rows = [row for row in played.rows if row["player"] == player["player"]]
            judged, lost = rows[after:], [row for row in rows if row["outcome"] != WON]
            longest = run = 0
            for row in rows:
                run = 0 if row["outcome"] == WON else run + 1
                longest = max(longest, run)
            seconds = sum(row["duration_s"] for row in rows)
            wanted = {
                "win_rate": (sum(row["outcome"] == WON for row in judged), len(judged)),
                "first_win_rate": (sum(row["outcome"] == WON for row in rows[:FIRST]), min(len(rows), FIRST)),
                "attempts": (len(rows), 1),
                "quit_share": (player["left"] == QUIT, 1),
                "sessions": (len({row["session"] for row in rows}), 1),
                "play_time_s": (seconds, 1),
                "duration_s": (seconds, len(rows)),
                "longest_losses": (longest, 1),
                "difficulty": (sum(row["difficulty"] for row in judged), len(judged)),
                "progress_at_loss": (sum(row["progress"] for row in lost), len(lost)),
                "timed_out": (0, len(rows)),
                **{
                    f"lost_{cause.replace(' ', '_')}": (sum(row["cause"] == j for row in lost), len(lost))
                    for j, cause in enumerate(causes)
                },
            }
            assert [*wanted, "worst_win_rate"] == metrics
            np.testing.assert_allclose(own, [list(map(float, pair)) for pair in wanted.values()], rtol=1e-12)
            counted += len(lost)
    assert counted > 100


def test_levels_that_players_pass_are_those_of_a_campaign():
    levels = '[levels]\nkind = "campaign"\ncount = 8'
    one, two = (
        scenario(levels=levels, after=0, cohorts="", players=200, options=f"difficulty = {difficulty}")
        for difficulty in (0.4, 0.5)
    )
    found = compared(one, two)
    change = of(found, "levels_passed")
    assert change.flagged
    assert 1.0 < change.difference.after < change.difference.before < 8.0
    endless = compared(one, scenario(after=0, cohorts="", players=200))
    assert "levels_passed" not in {change.metric.name for change in endless.changes}


def test_the_tail_is_the_mean_of_the_worst():
    rng = np.random.default_rng(5)
    attempts = np.full(400, 100.0)
    wins = rng.binomial(100, rng.beta(4.0, 4.0, 400)).astype(float)
    sums = worst_sums(np.stack((wins, attempts), axis=1))
    worst = np.sort(wins / attempts)[: round(WORST * 400)]
    assert sums[:, 0].sum() / sums[:, 1].sum() == pytest.approx(worst.mean())
    few = attempts.copy()
    few[:200] = OWN_RATE - 1  # 200 are left, of whom the worst 5 % are ten
    assert worst_sums(np.stack((np.minimum(wins, few), few), axis=1))[:, 1].sum() == 200.0
    few[200] = OWN_RATE - 1
    assert not worst_sums(np.stack((np.minimum(wins, few), few), axis=1)).any()


def test_the_error_of_the_tail_is_that_of_repeated_samples():
    rng = np.random.default_rng(6)
    tails, errors = [], []
    for _ in range(400):
        wins = rng.binomial(50, rng.beta(4.0, 4.0, 1000)).astype(float)
        sums = worst_sums(np.stack((wins, np.full(1000, 50.0)), axis=1))
        tails.append(sums[:, 0].mean())
        errors.append(sums[:, 0].std(ddof=1) / math.sqrt(1000))
    spread = np.std(tails, ddof=1)
    assert np.mean(errors) == pytest.approx(spread, rel=4.0 / math.sqrt(2 * 399) + 0.02)


@pytest.mark.thorough
def test_a_shared_controller_is_counted_by_replica():
    choices = {"controller": "weighted_up_down", "scope": 'scope = "cohort"', "options": "", "players": 20}
    one, two = (scenario(params=f"guess = {guess}", replicas=6, **choices) for guess in (0.0, 0.05))
    found = compared(one, two)
    change = of(found, "win_rate")
    assert change.difference.clusters == 6
    assert change.players == 120
    assert not found.others[0].shared
    alone = scenario("alone.toml", replicas=6, **{**choices, "scope": ""})
    three = compared(alone, two, scenario("guess.toml", params="guess = 0.05", replicas=6, **{**choices, "scope": ""}))
    assert [of(three, "attempts", number=number).difference.clusters for number in (1, 2)] == [6, 120]
    lonely = compared(scenario(**choices), scenario("after.toml", params="guess = 0.05", **choices))
    assert lonely.others[0].shared
    assert of(lonely, "win_rate").difference.clusters == 20


# --- How sure --------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_pairing_saves_most_of_the_attempts_of_a_small_change():
    choices = {"game": "gap_runner", "cohorts": "", "players": 100, "attempts": 30, "options": "difficulty = 0.4"}
    one, two = (scenario(params=f'speed = {speed}\nhazards = "gaps_spikes"', **choices) for speed in (7.0, 7.21))
    change = of(compared(one, two), "win_rate")
    assert change.difference.pairing_factor >= 3.0
    assert change.saved == pytest.approx(change.attempts * (change.difference.pairing_factor - 1.0))


def test_changes_of_luck_alone_are_flagged_no_more_often_than_the_rate():
    """Each side with a seed of its own: nothing is the same but the odds."""
    one = scenario(cohorts="", players=60, attempts=25)
    runs, any_flag = 60, 0
    for seed in range(runs):
        before, after = sides_of(one, [one], 2 * seed)
        sides = [before, after._replace(seed=2 * seed + 1)]
        any_flag += bool(measure_differences(sides, play_sides(sides, workers=1)).flagged)
    assert any_flag / runs <= 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / runs)


def test_three_points_of_win_rate_are_found_with_two_thousand_players():
    one, two = (
        scenario(cohorts="", players=2000, attempts=10, after=0, options=f"difficulty = {d}") for d in (0.45, 0.4692)
    )
    for seed in range(4):
        change = of(compared(one, two, seed=seed), "win_rate")
        assert change.difference.value == pytest.approx(-0.03, abs=0.006)
        assert change.flagged


def test_the_benchmark_measures_what_it_says():
    nothing = list(bench.nulls(2, 20))
    assert [(one.runs, one.tests >= 12) for one in nothing] == [(2, True)] * 5
    (same, _), (other, change), _ = bench.known(3, 400)
    assert (same.hits, same.runs, other.runs) == (3, 3, 3)
    assert change == pytest.approx(-0.03, abs=0.034)  # 4 standard errors of 1,200 players on each side
    one = scenario(cohorts="", players=60)
    swapped = bench.swapped(one, scenario("after.toml", cohorts="", players=60, options="difficulty = 0.6"), 3)
    assert (
        abs(of(swapped, "win_rate").effect)
        < 1.0
        < abs(of(compared(one, swapped.others[0].scenario), "win_rate").effect)
    )


# --- What it says ----------------------------------------------------------------------------------------------------


def shared_by_cohort(name="before.toml", guess=0.0) -> Scenario:
    return scenario(
        name, controller="weighted_up_down", scope='scope = "cohort"', options="", players=20, params=f"guess = {guess}"
    )


def harder(name="after.toml", difficulty=0.5, **choices) -> Scenario:
    return scenario(name, options=f"difficulty = {difficulty}", **choices)


SITUATIONS = {
    "changed": lambda: (scenario(), harder()),
    "changed_twice": lambda: (scenario(cohorts=""), harder(cohorts=""), harder("easier.toml", 0.4, cohorts="")),
    "identical": lambda: (scenario(), scenario("after.toml")),
    "without_effect": lambda: (scenario(), scenario("after.toml", cohorts=(NEW + OLD).replace("new", "fresh"))),
    "nothing_significant": lambda: (scenario(players=20), scenario("after.toml", players=20, params="guess = 0.02")),
    "cohorts": lambda: (
        scenario(cohorts=(NEW + OLD).replace("0.5\n", "0.4\n") + PRO.replace("0.5\n", "0.2\n", 1)),
        scenario("after.toml", cohorts=NEW.replace("-0.5", "-0.4").replace("new", "fresh") + OLD),
    ),
    "numbers": lambda: (scenario(), harder(seed=5, after=8, players=60, replicas=2)),
    "shared": lambda: (shared_by_cohort(), shared_by_cohort("after.toml", 0.1)),
    "worst_players": lambda: (scenario(players=400, attempts=30), harder(players=400, attempts=30)),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_said_of(request, name):
    check_golden(request, f"comparison/{name}", compared(*SITUATIONS[name]()).text)


def test_a_notebook_shows_the_significant_changes():
    comparison = compared(scenario(), harder())
    assert repr(comparison) == "Comparison(before.toml -> after.toml: 12 of 39 changes flagged)"
    assert comparison._repr_html_().count("<tr>") == 1 + 12


# --- Files -----------------------------------------------------------------------------------------------------------

EVIL = "=cmd()<script>alert(1)</script>@x"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Two scenarios with dangerous titles, labels and file names, in an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    for name, difficulty in (("=cmd()<b>.toml", 0.45), ("@after.toml", 0.5)):
        cohorts = (NEW + OLD).replace('name = "new"', f'name = "new"\nlabel = "{EVIL}"')
        text = scenario(title=EVIL, cohorts=cohorts, options=f"difficulty = {difficulty}").resolved_toml()
        Path(name).write_text(text, encoding="utf-8")
    return Path(tmp_path)


class Page(html.parser.HTMLParser):
    """The names of a page's elements and what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: list[str] = []
        self.text = ""
        self.feed(without_own_script(text))

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.references += [f"{name}={value}" for name, value in attributes if name in ("src", "href", "srcset")]
        self.references += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def test_a_page_holds_no_markup_from_titles_labels_and_file_names(folder):
    assert main(["compare", "=cmd()<b>.toml", "@after.toml", "--out", "out", "--workers", "1"]) == 0
    text = (folder / "out/changes.html").read_text(encoding="utf-8")
    page = Page(text)
    assert EVIL in page.text
    assert "=cmd()<b>.toml" in page.text
    assert page.tags & {"script", "b", "iframe", "link", "img"} == set()
    assert page.references == []
    assert "prefers-color-scheme:dark" in text
    assert "http" not in without_own_script(text).replace("http-equiv", "")
    assert len(text) < 200_000


def test_csv_is_read_by_pandas_and_says_what_json_says(folder, capsys):
    assert main(["compare", "=cmd()<b>.toml", "@after.toml", "--out", "out", "--workers", "1", "--json"]) == 0
    printed = capsys.readouterr().out
    assert (folder / "out/comparison.json").read_text(encoding="utf-8") == printed
    told = json.loads(printed)
    table = pd.read_csv(folder / "out/changes.csv", keep_default_na=False, na_values=[""])
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(told["changes"])
    for column in COLUMNS:
        want = {"integer": "i", "number": "f", "boolean": "b"}.get(column.kind, "O")
        assert table[column.name].dtype.kind == want, column.name
        assert column.optional or not table[column.name].isna().any(), column.name
        values = [None if pd.isna(value) else value for value in table[column.name]]
        assert values == [row[column.name] for row in told["changes"]]
    words = {word for column in COLUMNS if column.kind == "name" for word in table[column.name].dropna()}
    assert len(words) > 30
    assert not any(word[0] in "=+-@\t\r" for word in words)
    assert table[table["flagged"]]["p_adjusted"].max() <= FALSE_DISCOVERY_RATE


def test_json_holds_what_a_program_needs(folder, capsys):
    assert main(["compare", "=cmd()<b>.toml", "@after.toml", "@after.toml", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told.keys() == {
        "before", "seed", "calibrated", "calibration", "flagged", "least", "mattering", "false_discovery_rate",
        "confidence", "comparisons", "changes",
    }  # fmt: skip
    assert told["calibration"] == "uncalibrated"
    assert (told["seed"], told["calibrated"], told["false_discovery_rate"]) == (11, False, 0.05)
    assert told["flagged"] == sum(change["flagged"] for change in told["changes"]) > 0
    assert [one["comparison"] for one in told["comparisons"]] == [1, 2]
    for one in told["comparisons"]:
        assert one.keys() == {
            "comparison", "scenario", "changed", "summary", "notes", "standings", "left", "seed", "paired",
            "players", "players_after", "attempts_before", "attempts_after", "places", "place_noun",
        }  # fmt: skip
        assert one["changed"] == [{"key": "controller.options.difficulty", "before": "0.45", "after": "0.5"}]
        assert one["players"] == one["players_after"] == {"new": 40, "old": 40}
        assert (one["seed"], one["paired"]) == (11, True)
        assert [standing["cohort"] for standing in one["standings"]] == ["new", "old"]
        assert all(standing["answer"] in typing.get_args(Direction) for standing in one["standings"])
    for change in told["changes"]:
        assert list(change) == [column.name for column in COLUMNS]
        assert change["cohort"] in (None, "new", "old")


def test_any_number_of_workers_gives_the_same(tmp_path):
    one, two = scenario(attempts=1200), scenario("after.toml", attempts=1200, options="difficulty = 0.46")
    found = [compared(one, two, workers=workers) for workers in (1, 2)]
    assert len({json.dumps(own.to_json()) for own in found}) == 1
    for workers, own in zip("12", found, strict=True):
        (tmp_path / workers).mkdir()
        own.write(tmp_path / workers)
    assert {path.name for path in (tmp_path / "1").iterdir()} == {"changes.csv", "changes.html", "comparison.json"}
    for name in ("changes.csv", "changes.html", "comparison.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


# --- The command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def words(folder, capsys):
    """Run a command in the folder; its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        return main([*arguments, "--workers", "1"]), *capsys.readouterr()

    return run


def test_the_command_prints_the_text(words):
    code, out, err = words("compare", "=cmd()<b>.toml", "@after.toml")
    assert (code, err) == (0, "")
    assert out == compare("=cmd()<b>.toml", "@after.toml", workers=1).text + "\n"
    assert json.loads(words("compare", "@after.toml", "@after.toml", "--json")[1])["flagged"] == 0


def test_seed_and_settings_are_for_all(words):
    told = json.loads(
        words("compare", "=cmd()<b>.toml", "@after.toml", "--seed", "4", "--json", "--set", "players.count=20")[1]
    )
    assert told["seed"] == 4
    assert told["comparisons"][0]["players"] == {"new": 10, "old": 10}
    assert told["comparisons"][0]["changed"][0]["key"] == "controller.options.difficulty"


def test_scenarios_of_different_games_are_refused_in_one_sentence(words):
    code, out, err = words("compare", "@after.toml", "quickstart", "--out", "out")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "this one is of gap_runner and @after.toml of logistic" in err
    assert not Path("out").exists()


@pytest.mark.parametrize("option", ["--controller", "--find-gain"])
def test_races_are_for_one_scenario(words, option):
    code, out, err = words("compare", "@after.toml", "@after.toml", option, "kalman")
    assert (code, out) == (2, "")
    assert f"{option} needs one scenario, got 2" in err


def test_a_scenario_is_needed_and_a_new_folder(words, folder):
    assert words("compare")[0] == 2
    (folder / "there").mkdir()
    code, _, err = words("compare", "@after.toml", "@after.toml", "--out", "there")
    assert code == 4
    assert "there already exists" in err


class Careless:
    """Raises in one attempt of so many."""

    beliefs = ()

    def __init__(self, of: int) -> None:
        self._of = of

    def ask(self, who):
        if (who.player + who.situation.attempt) % self._of == 0:
            raise RuntimeError("on purpose")
        return Setting(0.5)

    def tell(self, outcome):
        pass

    def describe(self, who):
        return {}


@pytest.mark.parametrize(
    ("of", "said"),
    [(25, "attempts failed because the game's or controller's code broke"), (2, "at most a fifth of the attempts")],
)
def test_attempts_that_fail_count_nowhere_and_are_told(words, folder, monkeypatch, of, said):
    usual = Catalog.controller
    careless = dataclasses.replace(kind_of(lambda: Careless(of)), name="careless")
    monkeypatch.setattr(Catalog, "controller", lambda self, name: careless if name == "careless" else usual(self, name))
    text = (folder / "@after.toml").read_text(encoding="utf-8")
    text = text.replace('name = "constant"', 'name = "careless"').replace("difficulty = 0.5\n", "")
    (folder / "careless.toml").write_text(text, encoding="utf-8")
    code, out, err = words("compare", "@after.toml", "careless.toml", "--json")
    assert code == PluginFault.exit_code == 3, err
    if of == 2:
        assert out == ""
        assert said in err
        return
    told = json.loads(out)
    (note,) = (note for note in told["comparisons"][0]["notes"] if said in note)
    (table,) = play_sides(sides_of(load(folder / "careless.toml", CATALOG), [], 11), workers=1)
    assert int(note.split()[2]) == table.failed > 20
    played = table.attempts - table.failed
    assert told["comparisons"][0]["attempts_after"] == played
    everybody = next(one for one in told["changes"] if (one["metric"], one["cohort"]) == ("attempts", None))
    assert everybody["after"] * 80 == pytest.approx(played)


def test_one_file_tells_all_that_is_wrong_with_it(words, folder):
    (folder / "wrong.toml").write_text((folder / "@after.toml").read_text().replace("count = 80", "count = -1"))
    code, _, err = words("compare", "@after.toml", "wrong.toml")
    assert code == 2
    assert err.startswith("wrong.toml:")
    with pytest.raises(ScenarioError):
        load(folder / "wrong.toml", CATALOG)
