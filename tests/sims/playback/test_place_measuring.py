"""The cost of places from a run folder: what is measured, and what the command says of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.errors import ScenarioError
from sims import read_run
from sims.cli.app import main
from tests.kit.window import small_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("knocked")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_win_rate_as_it_is_is_that_of_the_rows(folder, kind):
    run = read_run(small_run(folder, "gap_runner", format=kind))
    told: list[str] = []
    costs = run.knock_out(on_message=told.append)
    rows = run.attempts(["cohort", "outcome", "end_place", "player"])
    for cost in costs:
        own = rows[rows["cohort"] == run.goal.cohorts[cost.cohort]]
        assert cost.attempts == len(own)
        assert cost.difference.before == pytest.approx((own["outcome"] == "won").mean())
        assert cost.difference.clusters == own["player"].nunique()
    assert [cost.difference.value for cost in costs] == sorted((c.difference.value for c in costs), reverse=True)
    places = {cohort: rows[rows["cohort"] == cohort]["end_place"].max() for cohort in run.goal.cohorts}
    assert len(costs) == sum(places.values())
    assert "attempts are played again, each without one obstacle; that takes less than a second." in told[0]


def test_a_sample_is_spread_over_the_rows_and_of_the_size_asked_for(folder):
    run = read_run(small_run(folder, "gap_runner"))
    assert {cost.attempts for cost in run.knock_out(attempts=20)} == {20}


def test_what_cannot_be_measured_is_refused(folder):
    with pytest.raises(ScenarioError, match="places are measured in games that can leave one out"):
        read_run(small_run(folder, "boss_duel")).knock_out()
    with pytest.raises(ScenarioError, match="has no attempts on level 3; name one that was played"):
        read_run(small_run(folder, "gap_runner")).knock_out(level=3)


def test_the_command_prints_costs_and_adds_them_to_the_report(folder, capsys):
    path = small_run(folder, "gap_runner")
    plain = (path / "report.html").read_text()
    assert "What each obstacle costs" not in plain
    assert main(["report", str(path), "--knock-out"]) == 0
    assert "costs, points (margin)" in capsys.readouterr().out
    assert "What each obstacle costs" in (path / "report.html").read_text()
    assert main(["report", str(path), "--knock-out", "--json"]) == 0
    costs = json.loads(capsys.readouterr().out)["costs"]
    assert all(-1.0 <= cost["cost"] <= 1.0 and np.isfinite(cost["win_rate"]) for cost in costs)
    assert main(["report", str(path)]) == 0
    assert (path / "report.html").read_text() == plain


def test_options_of_the_knock_out_belong_to_it(folder, capsys):
    assert main(["report", str(small_run(folder, "gap_runner")), "--level", "2"]) == 2
    assert "are for --knock-out; add it" in capsys.readouterr().err
