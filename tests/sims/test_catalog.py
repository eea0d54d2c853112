"""Plug-ins are found by entry points, ours and strangers'; a broken one is a warning and not the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import ScenarioError
from sims import catalog as catalog_module
from sims.catalog import BUILT_IN, DEFAULT_CONTROLLER, Catalog, version
from sims.describing.descriptions import listing
from tests.kit.places import ROOT

GAME = """
from dataclasses import replace
from games.logistic import GAME as OURS
GAME = replace(OURS, name="{name}", summary="A stranger's game.")
"""
CONTROLLER = """
from dataclasses import replace
from controllers.adaptive.weighted_up_down import CONTROLLER as OURS
CONTROLLER = replace(OURS, name="stairs", summary="A stranger's controller.")
"""
ENTRY_POINTS = """
[flowdial.games]
coin = strange_games:GAME
absent = not_there:GAME
broken = strange_broken:GAME
leaving = strange_leaving:GAME
number = strange_games:NUMBER
renamed = strange_games:GAME
logistic = strange_games:GAME
bad name! = strange_games:GAME

[flowdial.controllers]
stairs = strange_controllers:CONTROLLER
"""


@pytest.fixture
def stranger(tmp_path):
    """A folder as `pip install` leaves it: modules, and the metadata of one distribution."""
    (tmp_path / "strange_games.py").write_text("print('hello')\n" + GAME.format(name="coin") + "NUMBER = 3\n")
    (tmp_path / "strange_controllers.py").write_text(CONTROLLER)
    (tmp_path / "strange_broken.py").write_text("raise RuntimeError('two\\nlines \\x1b[31m')\n")
    (tmp_path / "strange_leaving.py").write_text("raise SystemExit(9)\n")
    info = tmp_path / "strange_things-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-things\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def flowdial(*words: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])}
    return subprocess.run(
        [sys.executable, "-m", "sims", *words], cwd=path, env=environment, capture_output=True, text=True, check=False
    )


def test_a_strangers_plugins_are_listed_with_their_origin(stranger):
    done = flowdial("list", path=stranger)
    assert done.returncode == 0
    assert "hello" not in done.stdout
    assert "hello" in done.stderr.splitlines()
    rows = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert ["coin", "strange-things", "2.5", "A stranger's game."] in rows
    assert ["stairs", "strange-things", "2.5", "A stranger's controller."] in rows


def test_controllers_are_listed_in_families_and_the_default_is_named():
    catalog = Catalog()
    lines = listing(catalog, ["controllers"], as_json=False).splitlines()
    heads = [line.split(":")[0].strip() for line in lines if ": " in line and line[:2] != "  "]
    assert heads == ["deterministic", "adaptive", "self-adaptive", "reference"]
    family = ""
    found = {}
    for line in lines[1:-1]:
        if line[:2] == "  ":
            found[line.split()[0]] = family
        else:
            family = line.split(":")[0].strip().replace("-", "_")
    assert found == {entry.name: catalog.controller(entry.name).mode for entry in catalog.controllers()}
    assert lines[-1].split()[0] == DEFAULT_CONTROLLER
    assert DEFAULT_CONTROLLER in found


def test_what_cannot_be_used_is_one_line_of_warning_each(stranger):
    done = flowdial("list", "games", path=stranger)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line != "hello"]
    assert all(line.startswith("flowdial: warning: ") and line.isprintable() for line in lines)
    for words in [
        ("'absent' (strange-things 2.5)", "ModuleNotFoundError", "not_there"),
        ("'broken' (strange-things 2.5)", "RuntimeError: two lines"),
        ("'leaving' (strange-things 2.5)", "SystemExit"),
        ("'number' (strange-things 2.5)", "must be a Game, got int"),
        ("'renamed' (strange-things 2.5)", "entry point", "'coin'"),
        ("'logistic' of strange-things 2.5", "its name is taken (built-in)"),
        ("'bad name!' (strange-things 2.5)", "letters, digits"),
    ]:
        assert len([line for line in lines if all(word in line for word in words)]) == 1, (words, lines)
    assert len(lines) == 7


def test_a_strangers_plugins_serve_a_scenario(stranger):
    text = (ROOT / "tests" / "scenarios" / "base.toml").read_text(encoding="utf-8")
    text = text[: text.index("[game]")] + '[game]\nname = "coin"\n\n' + text[text.index("[dial]") :]
    text = text.replace('knobs = ["speed", "spacing_m", "obstacles"]', "").replace(
        "[dial.path]\nspeed = [0.0, 0.5, 1.0]", ""
    )
    (stranger / "mine.toml").write_text(text.replace("weighted_up_down", "stairs"))
    done = flowdial("check", "mine.toml", path=stranger)
    assert (done.returncode, done.stderr) == (0, "hello\n")


def test_a_strangers_plugin_that_fails_is_the_scenarios_error(stranger):
    (stranger / "mine.toml").write_text("[game]\nname = 'broken'\n")
    done = flowdial("check", "mine.toml", path=stranger)
    assert done.returncode == 2
    assert "mine.toml:2: game.name: the game 'broken' (strange-things 2.5) cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_strangers_distribution_is_not_imported_unless_named(stranger):
    load = "from sims.catalog import Catalog; Catalog().game('coin')"
    code = f"import sys; {load}; print('strange_controllers' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(stranger), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_ours_come_from_metadata_where_there_is_no_checkout(tmp_path, monkeypatch):
    info = tmp_path / "flowdial-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flowdial\nVersion: 9.9\n")
    (info / "entry_points.txt").write_text("[flowdial.games]\nlogistic = games.logistic:GAME\n[flowdial.controllers]\n")
    monkeypatch.setattr(catalog_module, "_HOME", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Catalog()
    assert [(entry.name, entry.origin) for entry in found.games()] == [("logistic", BUILT_IN)]
    assert found.names("controllers") == []
    assert version() == "9.9"


def test_the_checkout_names_ours_whatever_is_installed():
    found = Catalog()
    assert {"logistic", "gap_runner"} <= set(found.names("games"))
    assert {entry.origin for entry in found.games() if entry.name in ("logistic", "gap_runner")} == {BUILT_IN}
    assert found.game("logistic").name == "logistic"
    assert found.controller("weighted_up_down").mode == "adaptive"


@pytest.mark.parametrize(
    ("find", "name", "words"),
    [
        ("game", "logistc", ("no game 'logistc'", "gap_runner", "did you mean 'logistic'?")),
        ("controller", "Kalman", ("no controller 'Kalman'", "did you mean 'kalman'?")),
        ("controller", "games.logistic:GAME", ("no controller",)),
        ("scenario", "quikstart", ("no scenario", "flowdial list scenarios - did you mean 'quickstart'?")),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(find, name, words):
    with pytest.raises(ScenarioError) as fault:
        getattr(Catalog(), find)(name)
    assert [word for word in words if word not in str(fault.value)] == []


def test_a_scenario_is_a_bundled_name_or_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").write_text("")
    (tmp_path / "mine").write_text("")
    found = Catalog()
    assert found.scenario("quickstart").name == "quickstart.toml"
    assert found.scenario("./quickstart") == Path("quickstart")
    assert found.scenario("mine") == Path("mine")
    for absent in ("./quickstart.toml", "other.toml", "folder/other"):
        with pytest.raises(ScenarioError, match="there is no such file"):
            found.scenario(absent)


def test_what_is_installed_is_read_once_in_a_process(monkeypatch):
    names = Catalog().names("games")

    def again(*words, **more):
        raise AssertionError("it was read already")

    monkeypatch.setattr("importlib.metadata.entry_points", again)
    monkeypatch.setattr("tomllib.loads", again)
    assert Catalog().names("games") == names
    assert Catalog().game("logistic").name == "logistic"
    assert version()


def test_what_was_installed_meanwhile_is_found(tmp_path, monkeypatch, request):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "coin" not in Catalog().names("games")
    with pytest.raises(ScenarioError, match="there is no game 'coin'"):
        Catalog().game("coin")
    request.getfixturevalue("stranger")
    os.utime(tmp_path, (1.0, 1.0))  # another time than before, however coarse the clock is
    assert "coin" in Catalog().names("games")
    assert Catalog().game("coin").summary == "A stranger's game."
