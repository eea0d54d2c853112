"""A game that cannot be compiled is told in the words of `check_game`; what happens before is not its fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.contract.checks import check_game
from engine.errors import EnvironmentFault
from sims.catalog import Catalog, use_game_file
from sims.cli.app import main
from sims.workers.pool import Pool
from sims.workers.task_fault import TaskFault
from tests.kit.places import ROOT

RIVER = (ROOT / "docs" / "examples" / "coin_river.py").read_text(encoding="utf-8")
SCENARIO = """
format = 1
game.name = "coin_river"
controller.name = "constant"
dial = { floor = 0.0, ceiling = 1.0 }
target.win_rate = 0.6
players.count = 5
horizon = { days = 5, attempts_per_player = 3 }
"""
STATE = "class State(NamedTuple):\n"
OBJECT = RIVER.replace(STATE, f"class Env:\n    pass\n\n\n{STATE}    env: Env\n").replace("State(", "State(Env(), ")
OBJECT = OBJECT.replace("class State(Env(), NamedTuple)", "class State(NamedTuple)")
AGAIN = "def again(x: int) -> int:\n    return again(x - 1) if x else 0\n\n\ndef progress("
PASSED = "    passed = state.way "


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "river.toml").write_text(SCENARIO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    use_game_file(None)


@pytest.mark.parametrize(
    "words", [["check"], ["run", "--workers", "1"], ["run", "--workers", "2"], ["tune", "--budget", "5000"]]
)
def test_a_state_that_holds_an_object_is_refused_before_anything_is_played(here, capsys, words):
    (here / "mine.py").write_text(OBJECT, encoding="utf-8")
    assert main([words[0], "river.toml", *words[1:], "--game", "mine.py"]) == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    finding = "state.env must be a number, a tuple of numbers or an array, got <"
    assert err.startswith(f"flowdial: the game 'coin_river' cannot be played: {finding}")
    assert finding in check_game(Catalog().game("coin_river"))[0]
    assert {path.name for path in here.iterdir()} - {"__pycache__"} == {"mine.py", "river.toml"}


@pytest.mark.thorough
def test_functions_that_call_each_other_are_named(here, capsys):
    text = RIVER.replace("def progress(", AGAIN).replace(PASSED, "    passed = again(3) + state.way ")
    (here / "mine.py").write_text(text, encoding="utf-8")
    assert main(["run", "river.toml", "--out", "run", "--workers", "1", "--game", "mine.py"]) == 3
    err = capsys.readouterr().err
    assert "the game 'coin_river' cannot be played: progress does not compile: progress uses functions that call" in err
    assert "RecursionError" not in err.splitlines()[-1]


@pytest.mark.thorough
def test_a_rule_that_does_not_compile_is_named(here, capsys):
    text = RIVER.replace(PASSED, "    passed = {}.get(1) or state.way ")
    assert text != RIVER
    (here / "mine.py").write_text(text, encoding="utf-8")
    assert main(["run", "river.toml", "--out", "run", "--workers", "2", "--game", "mine.py"]) == 3
    err = capsys.readouterr().err
    assert "the game 'coin_river' cannot be played: progress does not compile: " in err
    assert Path("run.partial/crash.log").is_file()


def cannot_start(argument):
    raise RuntimeError("can't start new thread")


def starts_plugin(path):
    use_game_file(Path(path))
    sys.modules["flowdial_game_file"].broken()


def work(shared, item):
    return item


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_worker_raises_before_any_plugin_is_the_machines_fault(workers):
    told = "can't start new thread; the machine or the installation is at fault"
    with Pool(workers, cannot_start, None, work) as pool, pytest.raises(EnvironmentFault, match=told):
        list(pool.run([(0, 0)]))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_plugin_raises_while_a_worker_starts_is_its_own(here, workers):
    (here / "mine.py").write_text(f"{RIVER}\n\ndef broken():\n    raise RuntimeError('of mine')\n", encoding="utf-8")
    with Pool(workers, starts_plugin, str(here / "mine.py"), work) as pool, pytest.raises(TaskFault, match="of mine"):
        list(pool.run([(0, 0)]))
