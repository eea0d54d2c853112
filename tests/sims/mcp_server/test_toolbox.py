"""The tools without the protocol: what they give, and that they stay in their folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import FlowdialError
from sims.mcp_server.toolbox import Toolbox
from tests.kit.small import TEXT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    text = TEXT.format(game="logistic", controller="oracle", players=40, attempts=40)
    (home / "small.toml").write_text(text)
    (tmp_path / "outside.toml").write_text(text)
    (home / "link.toml").symlink_to(tmp_path / "outside.toml")
    return home


@pytest.fixture
def toolbox(folder: Path) -> Toolbox:
    return Toolbox(folder, workers=1)


def test_a_scenario_is_checked_run_and_looked_at(toolbox, folder):
    checked = toolbox.check("small.toml", {"players.count": 30}).content
    assert (checked["valid"], checked["players"]) == (True, 30)
    played = toolbox.run("small.toml", {"players.count": 30})
    assert played.content["folder"] == "runs/small-001"
    assert played.pages == (folder / "runs" / "small-001" / "report.html",)
    assert played.pages[0].is_file()
    assert played.content["gate"]["state"] in ("met", "missed", "cannot tell")
    rows = toolbox.rows_worth_watching("runs/small-001").content["rows"]
    assert {row["why"] for row in rows} >= {"the closest loss"}
    assert all(row["command"].startswith("flowdial replay runs/small-001/attempts.csv --row ") for row in rows)
    assert toolbox.run("small.toml").content["folder"] == "runs/small-002"
    json.dumps([checked, played.content, rows], allow_nan=False)


def test_two_scenarios_are_compared_with_the_same_luck(toolbox, folder):
    found = toolbox.compare("small.toml", "small.toml", None, {"target.win_rate": 0.8})
    assert found.content["folder"] == "comparisons/small-small-001"
    assert found.pages[0].is_file()
    json.dumps(found.content, allow_nan=False)


def test_what_is_installed_is_listed_and_described(toolbox):
    installed = toolbox.installed("games").content["installed"]
    assert "gap_runner" in json.dumps(installed)
    assert "speed" in toolbox.describe("gap_runner").content["text"]


@pytest.mark.thorough
def test_a_plan_and_a_study(toolbox, folder):
    (folder / "runner.toml").write_text(TEXT.format(game="gap_runner", controller="constant", players=40, attempts=200))
    assert toolbox.plan("small.toml", 0.1).content["said"]
    studied = toolbox.tune("runner.toml", 30_000)
    assert studied.pages[0].is_file()
    json.dumps(studied.content, allow_nan=False)


@pytest.mark.parametrize(
    "path", ["../outside.toml", "link.toml", "{tmp}/outside.toml", "home/../../outside.toml", "/etc/passwd"]
)
@pytest.mark.parametrize("tool", ["check", "run", "tune", "rows_worth_watching"])
def test_nothing_outside_is_read(toolbox, tmp_path, tool, path):
    words = (path.format(tmp=tmp_path), *((1000,) if tool == "tune" else ()))
    with pytest.raises(FlowdialError, match="paths lie in the folder of this server"):
        getattr(toolbox, tool)(*words)


def test_nothing_is_written_through_a_link(toolbox, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FlowdialError, match="paths lie in the folder of this server"):
        toolbox.run("small.toml")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("tool", "words", "said"),
    [
        ("run", ("smal.toml",), "home/small.toml'"),
        ("run", ("small.toml", {"players.count": 10**9}), "must be a whole number from 1 to"),
        ("run", ("small.toml", {"players.count": 10**6}), "may play at most 20,000,000 attempts"),
        ("run", ("small.toml", {"allow_long": True}), "leave it out"),
        ("run", ("small.toml", {"target.win_rat": 0.5}), "did you mean 'win_rate'?"),
        ("tune", ("small.toml", 0), "at least 1"),
        ("tune", ("small.toml", 10**9), "may play at most"),
        ("plan", ("small.toml", 2.0), "above 0 and below 1"),
        ("plan", ("small.toml", float("nan")), "above 0 and below 1"),
        ("describe", ("gap_runer",), "gap_runner"),
        ("installed", ("game",), "choose one"),
        ("rows_worth_watching", ("runs/none",), "there is no run"),
    ],
)
def test_wrong_calls_are_sentences(toolbox, tool, words, said):
    with pytest.raises(FlowdialError, match=said.replace("?", r"\?")):
        getattr(toolbox, tool)(*words)
