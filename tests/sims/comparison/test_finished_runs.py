"""Finished runs compared: what a comparison of their scenarios says, paired or not, and never of altered rows."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import Scenario, parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.comparison import finished_runs
from sims.comparison.comparison import compare
from sims.comparison.differences import EVERYBODY
from sims.run_folder.folder import read_manifest, write_manifest
from sims.runs.execution import run

TEXT = """
format = 1
seed = {seed}
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[levels]
{levels}
[target]
win_rate = 0.7
after_attempts = {after}
[controller]
name = "{controller}"
{options}
[players]
count = {players}
{cohorts}
[horizon]
days = 20
attempts_per_player = {attempts}
[run]
replicas = {replicas}
"""
NEW = '[[cohort]]\nname = "new"\nshare = 0.5\n[cohort.traits]\nskill = { kind = "normal", mean = -0.5, sd = 0.6 }\n'
OLD = '[[cohort]]\nname = "old"\nshare = 0.5\n[cohort.traits]\nskill = { kind = "normal", mean = 1.0, sd = 0.5 }\n'
EASY, HARD = "options = { difficulty = 0.45 }", "options = { difficulty = 0.55 }"

CHOICES: dict[str, dict[str, Any]] = {
    "one": {},
    "two": {"options": HARD},
    "seed": {"options": HARD, "seed": 12, "players": 50, "replicas": 2},
    "moved": {"options": HARD, "cohorts": OLD + NEW},
    "gaps": {"game": "gap_runner"},
}


def scenario(name="one.toml", **choices) -> Scenario:
    usual = {
        "seed": 11, "game": "logistic", "levels": 'kind = "endless"', "controller": "constant", "options": EASY,
        "players": 60, "cohorts": NEW + OLD, "attempts": 30, "replicas": 1, "after": 5,
    }  # fmt: skip
    return parse(TEXT.format(**{**usual, **choices}).encode(), name, Catalog())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Finished runs by name, cheap in pages."""
    place = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        return {name: run(scenario(**choices), out=place / name, workers=1) for name, choices in CHOICES.items()}


def numbers(comparison):
    return {
        (change.metric.name, change.cohort): (change.difference, change.spread, change.p_adjusted)
        for change in comparison.changes
    }


def same(one, two) -> bool:
    return one.keys() == two.keys() and all(
        np.allclose(np.hstack(one[key]), np.hstack(two[key]), rtol=1e-12, equal_nan=True) for key in one
    )


@pytest.mark.parametrize(
    ("game", "choices"),
    [
        ("logistic", {}),
        ("gap_runner", {"levels": 'kind = "campaign"\ncount = 4', "after": 0, "format": "parquet"}),
        ("logistic", {"replicas": 3, "controller": "kalman", "options": 'scope = "cohort"', "attempts": 12}),
    ],
)
def test_runs_of_one_seed_say_what_their_scenarios_say(tmp_path, monkeypatch, game, choices):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    form = choices.pop("format", "csv")
    played = [scenario(game=game, **choices), scenario("two.toml", game=game, **{**choices, "players": 50})]
    folders = [run(one, out=tmp_path / str(j), workers=1, format=form).folder for j, one in enumerate(played)]
    assert same(numbers(compare(*folders)), numbers(compare(*played, workers=1)))
    assert not compare(*folders).others[0].strangers


def test_pieces_hold_whole_players_of_one_replica():
    rows = np.zeros(60, finished_runs._ROW)
    rows["replica"] = np.repeat([0, 1], 30)
    rows["player"] = np.tile(np.repeat([3, 4, 10_000_000], 10), 2)
    rows["attempt"] = np.tile(np.arange(10), 6)
    for size in (1, 7, 10, 29, 60):
        pieces = list(finished_runs._whole_players(iter(np.split(rows, range(size, 60, size)))))
        assert np.array_equal(np.concatenate(pieces), rows)
        assert all(len(set(piece["replica"])) == 1 for piece in pieces)
        owners = [(piece["replica"][0], player) for piece in pieces for player in set(piece["player"])]
        assert len(owners) == len(set(owners)) == 6


def test_runs_are_given_as_runs_or_folders_and_the_second_is_harder(runs):
    found = compare(runs["one"], str(runs["two"].folder))
    change = next(one for one in found.changes if (one.metric.name, one.cohort) == ("win_rate", EVERYBODY))
    assert change.paired
    assert change.difference.value < -0.05
    assert change.difference.pairing_factor > 2.0
    assert "one -> two: 60 players, seed 11, same players and same luck" in found.text
    standing = found.others[0].standings[0]
    assert standing.before.win_rate == runs["one"].verdict.rows[0].win_rate
    assert standing.after.state == runs["two"].verdict.rows[0].state


def test_runs_of_two_seeds_are_compared_as_different_players_and_it_is_said(runs):
    found = compare(runs["one"], runs["seed"])
    paired = compare(runs["one"], runs["two"])
    one, two = (
        next(one for one in found_.changes if (one.metric.name, one.cohort) == ("win_rate", EVERYBODY))
        for found_ in (found, paired)
    )
    assert not one.paired
    assert one.players == 60 + 100
    assert one.difference.pairing_factor == pytest.approx(1.0)
    assert one.difference.high - one.difference.low > two.difference.high - two.difference.low
    frames = [runs[name].attempts(["player", "replica", "won", "attempt"]) for name in ("one", "seed")]
    rates = [frame[frame["attempt"] >= 5]["won"].mean() for frame in frames]
    assert (one.difference.before, one.difference.after) == pytest.approx(rates)
    assert "60 players and 100 different ones, seeds 11 and 12" in found.text
    assert "Not paired: new and old, since the seeds differ" in found.text
    assert "saved about" not in found.text
    told = found.to_json()["comparisons"][0]
    assert (told["paired"], told["seed"], told["players"], told["players_after"]) == (
        False, 12, {"new": 30, "old": 30}, {"new": 50, "old": 50}
    )  # fmt: skip


def test_a_cohort_at_another_place_has_other_players(runs):
    found = compare(runs["one"], runs["moved"])
    assert found.others[0].strangers == ("new", "old")
    assert "since they stand at other places in the file" in found.text


def test_what_cannot_be_compared_is_refused_in_one_sentence(runs, tmp_path):
    with pytest.raises(ScenarioError, match="compared scenarios must be of one game"):
        compare(runs["one"], runs["gaps"])
    with pytest.raises(ScenarioError, match="got both"):
        compare(runs["one"], scenario())
    with pytest.raises(ScenarioError, match="a seed is for scenarios"):
        compare(runs["one"], runs["two"], seed=3)
    with pytest.raises(ScenarioError, match="at least two, got one"):
        compare(runs["one"])
    with pytest.raises(ScenarioError, match="from 0 to 1, got -1"):
        compare(runs["one"], runs["two"], least=-1)
    with pytest.raises(RunFolderError, match="is not a complete run"):
        compare(runs["one"], tmp_path)


def test_the_command_compares_runs_and_its_least_size_is_heard(runs, capsys, tmp_path):
    words = ["compare", str(runs["one"].folder), str(runs["two"].folder), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(compare(runs["one"], runs["two"]).text)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"changes.csv", "changes.html", "comparison.json"}
    assert main([*words[:3], "--json", "--least", "0.9"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["least"], told["mattering"]) == (0.9, 0)
    assert told["flagged"] > 0
    assert all(change["size"] is None or math.isfinite(change["size"]) for change in told["changes"])


def test_a_game_whose_code_has_changed_is_a_change(runs, tmp_path):
    folder = Path(shutil.copytree(runs["one"].folder, tmp_path / "later"))
    manifest = read_manifest(folder)
    write_manifest(folder, {**manifest, "code": {**manifest["code"], "game": "0123456789abcdef0123"}})
    keys = [str(key) for key in compare(runs["one"], folder).others[0].keys]
    assert keys == [f"code.game: {manifest['code']['game'][:16]} -> 0123456789abcdef"]
    assert compare(runs["one"], runs["one"]).others[0].keys == []


def test_altered_rows_are_never_compared(runs, capsys):
    folder = runs["two"].folder
    path = folder / "attempts.csv"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole.replace(b",lost,false", b",won,true", 1))
        assert main(["compare", str(runs["one"].folder), str(folder)]) == 4
        assert "attempts.csv is not" in capsys.readouterr().err
    finally:
        path.write_bytes(whole)
