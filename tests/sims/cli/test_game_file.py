"""A game from one file: played, tuned, described, verified and replayed; named on the command line only."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sims.catalog import use_game_file
from sims.cli.app import main
from tests.kit.places import ROOT

SCENARIO = """
format = 1
[game]
name = "coin_river"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
[controller]
name = "weighted_up_down"
[players]
count = 30
[horizon]
days = 5
attempts_per_player = 20
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a game in a file and a scenario of it."""
    shutil.copy(ROOT / "docs" / "examples" / "coin_river.py", tmp_path / "mine.py")
    (tmp_path / "river.toml").write_text(SCENARIO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    use_game_file(None)


def test_a_run_its_verification_and_its_replay(here, capsys, monkeypatch):
    monkeypatch.setattr("sims.window.replay.show_scene", lambda scene, *rest, **more: None)
    game = ["--game", "mine.py"]
    assert main(["check", "river.toml", *game]) == 0
    assert main(["run", "river.toml", "--out", "run", "--workers", "2", *game]) == 0
    assert main(["verify", "run", *game]) == 0
    assert main(["replay", "run", "--record", "a.png", *game]) == 0
    capsys.readouterr()
    for words in (["verify", "run"], ["replay", "run"], ["run", "river.toml"]):
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert "there is no game 'coin_river'" in err
        assert "a game in a file needs --game FILE" in err
    assert main(["report", "run"]) == 0  # which needs no game


def test_a_description_needs_no_name(here, capsys):
    assert main(["describe", "--game", "mine.py"]) == 0
    assert "game coin_river, version" in capsys.readouterr().out
    assert main(["describe"]) == 2
    assert main(["play"]) == 2
    assert main(["play", "gap_runner", "--game", "mine.py"]) == 2
    assert "--game gives the game 'coin_river', but the command says 'gap_runner'" in capsys.readouterr().err


@pytest.mark.thorough
def test_a_study(here, capsys):
    assert main(["tune", "river.toml", "--budget", "4000", "--workers", "2", "--game", "mine.py"]) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "--game must name a Python file that ends in .py, got mine.py"),
        ("GAEM = 1", "must define GAME, an engine.game.Game, but: AttributeError"),
        ("GAME = 1", "must define GAME, an engine.game.Game, but: AttributeError"),
        ("raise SystemExit(3)", "must define GAME, an engine.game.Game, but: SystemExit: 3"),
        ("import no_such_package", "but: ModuleNotFoundError: No module named 'no_such_package'"),
        ("from games.logistic import GAME", "that no game has, got 'logistic'"),
        ("class GAME: name = 'mine'", "must be a Game, got type"),
    ],
)
def test_a_file_that_holds_no_game_is_told_in_one_line(here, capsys, text, told):
    (here / "mine.py").unlink()
    if text is not None:
        (here / "mine.py").write_text(text)
    assert main(["check", "river.toml", "--game", "mine.py"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_a_scenario_cannot_name_a_file(here, capsys):
    Path("bad.toml").write_text(SCENARIO.replace('"coin_river"', '"mine.py"'), encoding="utf-8")
    assert main(["check", "bad.toml"]) == 2
    assert "there is no game 'mine.py'" in capsys.readouterr().err
    assert "mine" not in sys.modules
