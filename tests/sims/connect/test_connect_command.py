"""The commands add, check, list and remove: what they say, what they refuse, and what they keep."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from sims.catalog import Catalog
from sims.cli.app import main
from sims.connect.registry import game_of
from tests.kit.moody import SCRIPT, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A user's configuration folder, which is not there yet."""
    monkeypatch.setenv("FLOWDIAL_CONFIG_DIR", str(tmp_path / "config"))
    yield tmp_path / "config"
    game_of.cache_clear()
    assert wait_until_gone(str(tmp_path)) == []


def add(mark: Path, mood: str = "none", share: int = 0, name: str = "moody") -> int:
    return main(["connect", "add", name, "--", sys.executable, "-I", "-S", str(SCRIPT), mood, str(share), str(mark)])


def test_a_game_is_added_listed_and_removed(config, tmp_path, capsys):
    assert main(["connect", "list"]) == 0
    assert capsys.readouterr().out == "no game is registered; register one with flowdial connect add NAME -- COMMAND\n"
    assert not config.exists()
    assert add(tmp_path) == 0
    said = "moody is registered: Moody, version 1, 2 params. Next: flowdial connect check moody\n"
    assert capsys.readouterr().out == said
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    kept = json.loads((config / "games" / "moody.json").read_text(encoding="utf-8"))
    assert kept["command"][0] == sys.executable
    assert kept["folder"] == os.getcwd()
    assert "moody" in Catalog().names("games")
    assert main(["connect", "list"]) == 0
    assert "  moody  1        10 s" in capsys.readouterr().out
    assert main(["connect", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["handshake"]["name"] == "Moody"
    assert main(["connect", "remove", "moody"]) == 0
    assert capsys.readouterr().out == "moody is forgotten\n"
    assert "moody" not in Catalog().names("games")
    assert main(["connect", "remove", "moody"]) == 5
    assert capsys.readouterr().err == "flowdial: no game is registered as 'moody'; see flowdial connect list.\n"


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("gap_runner", 2, "NAME must be free, but an installed game is called 'gap_runner'; choose another one."),
        ("../x", 2, "NAME must be a letter, then letters, digits, _ and -, 64 at most, got '../x'."),
    ],
)
def test_a_name_that_cannot_be_is_refused(config, tmp_path, capsys, name, code, sentence):
    assert add(tmp_path, name=name) == code
    assert sentence in capsys.readouterr().err
    assert not config.exists()


def test_a_game_that_does_not_shake_hands_is_not_registered(config, tmp_path, capsys):
    assert add(tmp_path, "refuses") == 5
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "it ended with exit code 3" in err
    assert "its last lines: cannot open display" in err
    assert main(["connect", "check", "moody"]) == 5
    assert not (config / "games").exists()


def test_check_says_what_is_fine_and_which_knob_does_nothing(config, tmp_path, capsys):
    add(tmp_path)
    capsys.readouterr()
    assert main(["connect", "check", "moody"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("wrong")] == [
        "wrong    Knobs: idle changes nothing from end to end; let the game read it."
    ]
    assert "fine     Same dice: 600 attempts ended the same in a second process." in lines
    assert "fine     Knobs: hard change how attempts end." in lines
    assert any(line.startswith("fine     Skill order: players of skill -1.5, 0, 1.5 win ") for line in lines)


@pytest.mark.parametrize(
    ("mood", "share", "sentence"),
    [
        ("forgetful", 0, "attempts ended otherwise with the same seed in a second process; take all luck from seed"),
        ("crash", 50, "wrong    Attempts: one failed twice, with GameLost: the game ended with exit code 7."),
        (
            "twice",
            0,
            "wrong    Restarts: 5 were needed for 6 attempts, the last since each attempt must come",
        ),
    ],
)
def test_check_finds_a_broken_game(config, tmp_path, capsys, mood, share, sentence):
    add(tmp_path, mood, share)
    capsys.readouterr()
    assert main(["connect", "check", "moody"]) == 1
    assert sentence in capsys.readouterr().out
