"""Scenarios of an external game: the same bytes for all workers and batches, rows that say so, all commands."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from engine.errors import PluginFault, ScenarioError
from sims import load_scenario, run, verify
from sims.catalog import Catalog
from sims.cli.app import main
from sims.connect.connected_player import ConnectedPlayer
from sims.connect.registry import Registration, game_of, register
from tests.kit.moody import moody, player_of, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")

PLAYERS: list[ConnectedPlayer] = []
SCENARIO = """
format = 1
game.name = "moody"
dial = { floor = 0.0, ceiling = 1.0 }
target = { win_rate = 0.6, after_attempts = 2 }
controller.name = "kalman"
players.count = 24
horizon = { days = 7, attempts_per_player = 12 }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a scenario, and a user's configuration of its own."""
    monkeypatch.setenv("FLOWDIAL_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    Path("moody.toml").write_text(SCENARIO, encoding="utf-8")
    yield tmp_path
    for player in PLAYERS:  # those that verify has used in this process
        player.close()
    PLAYERS.clear()
    game_of.cache_clear()
    assert wait_until_gone(str(tmp_path)) == []


def registered(here: Path, mood: str = "none", share: int = 0, batch: int = 256) -> Registration:
    registration = moody(mood, share, mark=str(here), batch=batch)
    register(registration)
    PLAYERS.append(player_of(registration))
    return registration


def digests(folder: Path) -> dict[str, str]:
    """Checksums of the tables of a run."""
    names = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "attempts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_says_external_and_is_replayed_by_verify(here):
    registered(here)
    done = run("moody.toml", out="one", workers=1)
    rows = rows_of(done.folder)
    assert {row["source"] for row in rows} == {"external"}
    assert {row["game"] for row in rows} == {"moody"}
    assert {row["outcome"] for row in rows} >= {"won", "lost"}
    assert {row["cause"] for row in rows} >= {"", "too hard"}
    assert len({row["state_hash"] for row in rows}) == len(rows)
    assert {check["name"]: check["state"] for check in done.manifest["self_test"]}["null change"] == "passed"
    checked = verify(done, rows=50)
    assert checked.equal
    assert checked.replayed == 50
    # A row that was changed is found by playing it again.
    text = (done.folder / "attempts.csv").read_text(encoding="utf-8")
    (done.folder / "attempts.csv").write_text(text.replace(",true,1,", ",true,0.5,", 1), encoding="utf-8")
    assert not verify(done).equal


@pytest.mark.thorough
def test_workers_and_batches_change_no_byte(here):
    seen = []
    for number, (workers, batch) in enumerate([(1, 256), (2, 1), (1, 16)]):
        registered(here, batch=batch)
        seen.append(digests(run("moody.toml", out=f"run{number}", workers=workers).folder))
    assert seen[1:] == seen[:1] * 2


@pytest.mark.slow
def test_1_2_and_7_workers_and_three_sizes_of_batches_change_no_byte(here):
    seen = set()
    for workers, batch in [(1, 1), (1, 16), (1, 256), (2, 16), (7, 1), (7, 256)]:
        registered(here, batch=batch)
        scenario = load_scenario("moody.toml", **{"players.count": 100, "controller.name": "kalman_bank"})
        seen.add(str(digests(run(scenario, out=f"w{workers}b{batch}", workers=workers).folder)))
    assert len(seen) == 1


@pytest.mark.parametrize("scope", ["player", pytest.param("everyone", marks=pytest.mark.thorough)])
def test_failed_attempts_are_rows_that_say_why_whatever_the_batch(here, scope):
    seen = []
    for workers, batch in ((1, 1), (2, 16)):
        registered(here, "crash", 29, batch=batch)
        scenario = load_scenario("moody.toml", **{"controller.scope": scope})
        done = run(scenario, out=f"run{batch}", workers=workers)
        rows = rows_of(done.folder)
        failed = [row for row in rows if row["outcome"] == "failed"]
        assert failed
        assert {row["fault"] for row in failed} == {"killed"}
        assert done.manifest["faults"] == {"killed": len(failed)}
        assert "the game ended with exit code 7" in (done.folder / "faults.csv").read_text(encoding="utf-8")
        assert verify(done).equal
        seen.append(digests(done.folder))
    assert seen[0] == seen[1]


@pytest.mark.thorough
def test_a_run_that_was_stopped_goes_on_and_a_game_that_never_plays_stops_it(here):
    registered(here, "error", 1)
    with pytest.raises(PluginFault, match=r"moody must play its attempts, but 25 in a row failed, the last one with"):
        run("moody.toml", out="one", workers=1)
    registered(here)  # repaired, and the same in all that it says of itself
    assert main(["resume", "one.partial", "--quiet"]) == 0
    assert digests(Path("one")) == digests(run("moody.toml", out="two", workers=1).folder)
    assert verify(Path("one")).equal


@pytest.mark.thorough
def test_a_game_without_fixed_luck_is_not_replayed_and_that_is_said(here):
    plain = moody(mark=str(here))
    said = json.dumps({**json.loads(plain.handshake), "deterministic": False}, sort_keys=True)
    register(plain)
    done = run("moody.toml", out="one", workers=1)
    register(plain._replace(handshake=said))
    checked = verify(done)
    assert checked.replayed == 0
    assert checked.equal
    assert checked.remarks == ("no row was replayed, since moody is external and says that it is not deterministic",)


def test_commands_that_show_a_game_refuse_in_one_sentence(here, capsys):
    registered(here)
    run("moody.toml", out="one", workers=1)
    capsys.readouterr()
    for words in (
        ["replay", "one", "--row", "0"],
        ["watch", "moody.toml"],
        ["play", "moody"],
        ["calibrate", "one/attempts.csv", "--game", "moody"],
    ):
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "needs the rules of a game, but moody is external; choose another game" in err
    assert main(["describe", "moody"]) == 0
    out, _ = capsys.readouterr()
    assert "game moody, version 1, external: it plays in a process of its own" in out
    assert main(["list", "games"]) == 0
    assert "  moody       flowdial connect  Moody" in capsys.readouterr().out


@pytest.mark.thorough
def test_comparisons_meet_the_same_dice(here):
    registered(here)
    fixed = {"controller.name": "constant", "controller.options.difficulty": 0.5}
    before, after = (load_scenario("moody.toml", **fixed, **{"game.bounds.hard": [0.0, high]}) for high in (0.6, 1.0))
    rows = [rows_of(run(one, out=name, workers=1).folder) for one, name in ((before, "before"), (after, "after"))]
    won = [{(row["player"], row["attempt"]): row["won"] == "true" for row in side} for side in rows]
    met = won[0].keys() & won[1].keys()
    changed = [(won[0][key], won[1][key]) for key in met if won[0][key] != won[1][key]]
    assert changed
    assert set(changed) == {(True, False)}  # with the same dice, nobody wins more where it is harder


@pytest.mark.thorough
def test_studies_and_sweeps_play_it_too(here, capsys):
    registered(here)
    assert main(["tune", "moody.toml", "--budget", "20000", "--out", "study", "--workers", "2"]) == 0
    assert "on target" in capsys.readouterr().out
    words = ["sweep", "moody.toml", "--over", "target.win_rate=0.5:0.7:3", "--out", "sweep", "--workers", "1"]
    assert main(words) == 0


def test_a_scenario_of_an_unknown_game_and_a_damaged_registration_are_told(here):
    with pytest.raises(ScenarioError, match="there is no game 'moody'"):
        load_scenario("moody.toml")
    registered(here)
    load_scenario("moody.toml")
    path = here / "config" / "games" / "moody.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"moody.json is damaged; register the game again"):
        load_scenario("moody.toml")
    if os.name != "nt":
        (here / "config").chmod(0o777)
        catalog = Catalog()
        with pytest.raises(ScenarioError, match="there is no game 'moody'"):
            catalog.game("moody")
        assert "must be a folder of yours that nobody else may write" in catalog.warnings[0]
        (here / "config").chmod(0o700)
