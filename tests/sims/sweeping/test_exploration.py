"""A sweep's course: the baseline beside every trial, resumed at any record, and no winner where there is none."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest

from engine.errors import PluginFault, RunFolderError
from engine.scenario import setup_of
from sims.catalog import Catalog
from sims.sweeping.exploration import Exploration, SweepOutcome
from sims.sweeping.space import SweepSpace, space_of
from sims.sweeping.sweep_plan import SweepPlan, plan_sweep
from sims.sweeping.sweep_request import SweepRequest
from sims.sweeping.trial_losses import pooled
from sims.sweeping.trial_records import ClockTime, SweepJournal, TrialRecord
from tests.kit import small
from tests.kit.sweeps import NoisyPlayers, record

SCENARIO = small.scenario(controller="kalman", players=600, attempts=100)
SETUP = setup_of(SCENARIO, Catalog())
OVER = {"controller.options.q": "log:0.0001:1"}
BUDGET = 80 * SCENARIO.work
METHODS = ("grid", "random", "hyperband", "staged", "pbt")


@cache
def planned(method: str, budget: int = BUDGET) -> tuple[SweepSpace, SweepPlan]:
    space = space_of(OVER, SCENARIO)
    return space, plan_sweep(SweepRequest(OVER, budget, method=method), space, SCENARIO, SETUP)


def explored(
    path: Path, method: str, play, seconds: float | None = None, seed: int = 1, budget: int = BUDGET
) -> SweepOutcome:
    space, plan = planned(method, budget)
    with SweepJournal(path, "seal") as journal:
        return Exploration(plan, plan.begin(space, seed), play, journal, per_player=100, seconds=seconds).run()


def nothing(settings) -> float:
    return 0.05


def known(settings) -> float:
    q = dict(settings).get("controller.options.q", 0.005)
    return 0.05 + abs(float(q[-1][1] if isinstance(q, tuple) else q) - 0.02)


@pytest.mark.parametrize("method", METHODS)
def test_the_baseline_is_a_trial_of_every_block(tmp_path, method):
    outcome = explored(tmp_path / "journal", method, NoisyPlayers(known, own_luck=0.01, seed=1))
    blocks = [one.ask.block for one in outcome.search if one.ask.trial == 0]
    assert set(blocks) == {one.ask.block for one in outcome.search}
    assert len(set(blocks)) == len(blocks)
    fresh = {one.ask.block for one in outcome.fresh}
    assert len(outcome.fresh) == 2 * len(fresh)
    assert not fresh & set(blocks)


@pytest.mark.parametrize("method", METHODS)
def test_a_sweep_is_a_function_of_its_journal_wherever_it_was_cut(tmp_path, method):
    whole = tmp_path / "whole"
    outcome = explored(whole, method, NoisyPlayers(known, own_luck=0.01, seed=1))
    data = whole.read_bytes()
    lines = data.splitlines(keepends=True)
    cuts = sorted({0, 1, 2, len(lines) // 2, len(lines) - 3, len(lines) - 1, len(lines)})
    for cut in cuts:
        for torn in (b"", b"12345678 [1,"):
            part = tmp_path / f"cut{cut}{bool(torn)}"
            part.write_bytes(b"".join(lines[:cut]) + torn)
            again = explored(part, method, NoisyPlayers(known, own_luck=0.01, seed=1))
            assert part.read_bytes() == data
            assert again == outcome


def test_a_journal_of_other_trials_is_refused(tmp_path):
    explored(tmp_path / "journal", "grid", NoisyPlayers(known, own_luck=0.01, seed=1))
    with pytest.raises(RunFolderError, match="does not hold the trials of this sweep"):
        explored(tmp_path / "journal", "random", NoisyPlayers(known, own_luck=0.01, seed=1))


def test_records_read_back_as_they_were_written():
    ask = planned("grid")[1].begin(planned("grid")[0], 1).ask()[0]
    one = record(ask, 0.25, 0.125)
    assert SweepJournal.record_of(SweepJournal.items_of(one)) == one
    assert SweepJournal.record_of([2.5]) == ClockTime(2.5)
    for wrong in ([], ["x"], [1, 2], {"a": 1}):
        with pytest.raises(RunFolderError, match="a journal of a sweep holds trials"):
            SweepJournal.record_of(wrong)


def test_time_that_is_up_ends_the_search_and_the_winner_is_still_measured_again(tmp_path):
    outcome = explored(tmp_path / "journal", "random", NoisyPlayers(known, own_luck=0.01, seed=1), seconds=1e-9)
    assert not outcome.in_time
    assert len(outcome.search) == 17  # a batch, and the baseline
    assert outcome.fresh
    again = explored(tmp_path / "journal", "random", NoisyPlayers(known, own_luck=0.01, seed=1), seconds=1e-9)
    assert again == outcome


def test_failed_trials_are_labelled_and_do_not_win(tmp_path):
    steady = NoisyPlayers(known, own_luck=0.01, seed=1)

    def play(asks):
        for ask, one in zip(asks, steady(asks), strict=True):
            yield record(ask, -1.0, 0.0, "raised ValueError") if ask.trial in (1, 2, 3) else one

    outcome = explored(tmp_path / "journal", "grid", play)
    assert [one.ask.trial for one in outcome.search if one.failure] == [1, 2, 3]
    assert outcome.winner not in (1, 2, 3)


def test_all_trials_failing_and_a_baseline_that_fails_are_errors_of_a_plug_in(tmp_path):
    steady = NoisyPlayers(known, own_luck=0.01, seed=1)

    def all_fail(asks):
        for ask, one in zip(asks, steady(asks), strict=True):
            yield record(ask, 0.0, 0.0, "raised ValueError: q") if ask.trial else one

    with pytest.raises(PluginFault, match=r"all \d+ trials failed, the first one because raised ValueError: q"):
        explored(tmp_path / "one", "random", all_fail)

    def baseline_fails(asks):
        return [record(ask, 0.0, 0.0, "hung") for ask in asks]

    with pytest.raises(PluginFault, match="the scenario itself cannot be played: hung"):
        explored(tmp_path / "two", "random", baseline_fails)


@pytest.mark.parametrize(
    ("method", "budget"),
    [
        ("random", 10 * SCENARIO.work),
        pytest.param("grid", BUDGET, marks=pytest.mark.thorough),
        pytest.param("hyperband", BUDGET, marks=pytest.mark.thorough),
    ],
)
def test_a_key_that_does_nothing_is_rarely_called_better(tmp_path, method, budget):
    """At most 5 % are promised. One side of a 95 % interval has half of that: 5 of 200 sweeps."""
    better = 0
    for seed in range(200):
        play = NoisyPlayers(nothing, own_luck=0.01, seed=seed)
        outcome = explored(tmp_path / str(seed), method, play, seed=seed, budget=budget)
        better += pooled([(one.gain, 1.0) for one in outcome.fresh if one.ask.trial]).high < 0.0
    assert better <= 10


def test_without_fresh_players_many_winners_of_nothing_would_be_called_better(tmp_path):
    """So the test above could fail: the search's own players call far more than 5 % of the winners better."""
    better = 0
    for seed in range(50):
        outcome = explored(tmp_path / str(seed), "grid", NoisyPlayers(nothing, own_luck=0.01, seed=seed), seed=seed)
        own = [one for one in outcome.search if one.ask.trial == outcome.winner]
        better += own[0].gain.high < 0.0
    assert better > 50 * 0.05 + 4.0 * math.sqrt(50 * 0.05 * 0.95)


def test_a_key_that_helps_is_found(tmp_path):
    outcome: SweepOutcome = explored(tmp_path / "journal", "grid", NoisyPlayers(known, own_luck=0.001, seed=3))
    winner: TrialRecord = next(one for one in outcome.search if one.ask.trial == outcome.winner)
    q = dict(winner.ask.settings)["controller.options.q"]
    assert isinstance(q, float)
    assert 0.005 < q < 0.05
    assert pooled([(one.gain, 1.0) for one in outcome.fresh if one.ask.trial]).high < 0.0
