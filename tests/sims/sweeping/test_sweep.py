"""A sweep's folder: the same bytes whoever plays it and however often it was stopped, and true to separate runs."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from engine.errors import PluginFault, RunFolderError, ScenarioError
from engine.scenario import parse
from sims.catalog import Catalog, load_scenario
from sims.runs.execution import run
from sims.sweeping import trial_player
from sims.sweeping.finished_sweep import FinishedSweep, read_sweep
from sims.sweeping.sweep import is_sweep, resume_sweep, sweep
from sims.sweeping.sweep_files import SWEEP_JOURNAL
from sims.sweeping.trial_player import TrialPlayer
from sims.workers.signals import Stopped
from tests.kit import shaky, small
from tests.kit.golden import check_golden
from tests.kit.pages import without_own_script
from tests.kit.places import ROOT
from tests.kit.sweeps import sweep_digests

SCENARIO = small.scenario(controller="kalman", players=60, attempts=60)
WORK = SCENARIO.work
CURVE = {"game.params.guess": "0:0.3:4"}
OPTIONS = {"controller.name": "kalman,elo", "controller.options.q": "log:0.001:0.1"}


@pytest.fixture(scope="module")
def curve(tmp_path_factory) -> FinishedSweep:
    return sweep(SCENARIO, CURVE, out=tmp_path_factory.mktemp("curve") / "sweep", workers=1)


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> FinishedSweep:
    out = tmp_path_factory.mktemp("options") / "sweep"
    return sweep(SCENARIO, OPTIONS, budget=20 * WORK, method="random", out=out, workers=1)


def test_a_folder_holds_these_files_and_opens_again(curve):
    names = {"best.toml", "journal.txt", "manifest.json", "report.html", "scenario.toml", "sweep.json", "trials.csv"}
    assert {path.name for path in curve.folder.iterdir()} == names
    again = read_sweep(curve.folder)
    assert again.to_json() == curve.to_json()
    assert json.loads(json.dumps(again.to_json()))["claim"] == curve.claim
    assert repr(again).startswith("FinishedSweep(")
    assert "<table>" in again._repr_html_()
    assert again.scenario.form.game.params["guess"] == again.best["game.params.guess"]


def test_what_it_says_was_read(request, curve, options):
    """With two sweeps whose numbers never change."""
    check_golden(request, "sweep/curve", curve.text)
    check_golden(request, "sweep/options", options.text)


def test_the_table_has_every_trial_group_and_metric(options):
    table = options.trials()
    assert set(table["stage"]) == {"search", "fresh"}
    searched = table[table["stage"] == "search"]
    assert list(searched.groupby("trial").size().unique()) == [3]  # two groups, and all players
    assert searched["trial"].max() == len(options.answer["trials"]) - 1
    elo = searched[searched["name"] == "elo"]
    assert elo["q"].isna().all()
    assert not searched[searched["name"] == "kalman"]["q"].isna().any()
    for metric in ("win_rate", "quit_share", "duration_s", "longest_losses"):
        known = searched[searched["cohort"] != "all players"]
        assert (known[f"{metric}_low"] <= known[metric]).all()
        assert (known[metric] <= known[f"{metric}_high"]).all()
    assert (searched.loc[searched["trial"] == 0, "difference"] == 0.0).all()


def test_every_point_of_a_curve_is_what_a_run_of_it_gives(curve, tmp_path):
    """The search has the luck of a run, so win rates are equal, not only close; a run with another seed is close."""
    table = curve.trials()
    rows = table[(table["stage"] == "search") & (table["cohort"] != "all players")].set_index(["guess", "cohort"])
    for guess in (0.0, 0.1, 0.2, 0.3):
        same, other = (
            parse(SCENARIO.resolved_toml().encode(), "small.toml", Catalog(), _held(guess, seed)) for seed in (11, 12)
        )
        for place, one in enumerate((same, other)):
            made = run(one, out=tmp_path / f"{guess}-{place}", workers=1)
            for found in made.verdict.rows:
                row = rows.loc[(guess, found.cohort)]
                if one is same:
                    assert row["win_rate"] == pytest.approx(found.win_rate, abs=1e-12)
                    assert row["state"] == found.state
                widths = [(row["win_rate_high"] - row["win_rate_low"]), (found.win_rate_high - found.win_rate_low)]
                error = math.hypot(*widths) / (2.0 * 1.96)
                assert abs(row["win_rate"] - found.win_rate) < 4.0 * error


def _held(guess: float, seed: int) -> list[tuple[str, str]]:
    free = [name for name in SCENARIO.form.dial.knobs or () if name != "guess"]
    bounds = {name: list(ends) for name, ends in SCENARIO.form.game.bounds.items() if name != "guess"}
    ends = ", ".join(f"{name} = {value}" for name, value in bounds.items())
    path = ", ".join(f"{name} = [0.0, 1.0]" for name in free)
    return [
        ("game.params.guess", str(guess)),
        ("dial.knobs", json.dumps(free)),
        ("dial.path", f"{{ {path} }}"),
        ("game.bounds", f"{{ {ends} }}"),
        ("seed", str(seed)),
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["grid", "random", "hyperband", "staged", "tpe", "pbt"])
def test_bytes_do_not_depend_on_workers(tmp_path, method):
    if method == "tpe" and find_spec("optuna") is None:
        pytest.skip("needs the extra search")
    players = 60 if method == "pbt" else 200
    scenario = small.scenario(controller="kalman", players=players, attempts=40)
    over = {"controller.options.q": "log:0.001:0.1"}
    found = []
    for workers in (1, 2, 7):
        out = tmp_path / str(workers)
        sweep(
            scenario,
            over,
            budget=(60 if method == "pbt" else 16) * scenario.work,
            method=method,
            out=out,
            workers=workers,
        )
        found.append(sweep_digests(out))
    assert found[0] == found[1] == found[2]


def test_a_sweep_that_was_stopped_is_resumed_to_the_same_bytes(curve, tmp_path, monkeypatch):
    stops = iter([2, 3, 4])

    class Interrupted(TrialPlayer):
        def play(self, asks):
            left = next(stops, None)
            for number, record in enumerate(super().play(asks)):
                yield record
                if left is not None and number + 1 >= left:
                    os.kill(os.getpid(), signal.SIGINT)

    said: list[str] = []
    best: list[str] = []
    monkeypatch.setattr("sims.sweeping.sweep.TrialPlayer", Interrupted)
    with pytest.raises(Stopped):
        sweep(SCENARIO, CURVE, out=tmp_path / "sweep", workers=1, on_message=said.append, on_stop=best.append)
    assert said[-1].endswith(f"To resume: flowdial resume {tmp_path / 'sweep.partial'}")
    assert best[0].startswith("Best so far: guess")
    assert is_sweep(tmp_path / "sweep")
    with pytest.raises(Stopped):
        resume_sweep(tmp_path / "sweep", workers=1)
    monkeypatch.undo()
    done = resume_sweep(tmp_path / "sweep.partial", workers=1)
    assert sweep_digests(done.folder) == sweep_digests(curve.folder)
    with pytest.raises(RunFolderError, match="is already complete; nothing to resume"):
        resume_sweep(tmp_path / "sweep")


def test_a_sweep_of_other_code_or_another_request_is_not_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(TrialPlayer, "play", lambda self, asks: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sweep(SCENARIO, CURVE, out=tmp_path / "sweep", workers=1)
    monkeypatch.undo()
    monkeypatch.setattr("sims.sweeping.sweep.search_digest", lambda *rooms: "other")
    with pytest.raises(RunFolderError, match=r"the code of the search was .* and is other; start a new sweep"):
        resume_sweep(tmp_path / "sweep")


def test_read_sweep_refuses_what_is_no_sweep(curve, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(curve.folder, copy)
    (copy / "sweep.json").write_text("{}")
    with pytest.raises(RunFolderError, match="was changed after the sweep"):
        read_sweep(copy)
    made = run(SCENARIO, out=tmp_path / "run", workers=1)
    with pytest.raises(RunFolderError, match="is a run, but a sweep is needed"):
        read_sweep(made.folder)


def test_a_refusal_leaves_no_folder(tmp_path):
    with pytest.raises(ScenarioError):
        sweep(SCENARIO, {"game.params.guess": "0:3:4"}, out=tmp_path / "sweep")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("objective", ["win_rates", "quit_share", "longest_losses"])
def test_other_objectives_are_ratios_of_the_table(tmp_path, objective):
    done = sweep(SCENARIO, CURVE, objective=objective, out=tmp_path / "sweep", workers=1)
    table = done.trials()
    rows = table[(table["stage"] == "search") & (table["cohort"] == "all players")]
    if objective != "win_rates":
        assert rows["loss"].to_numpy() == pytest.approx(rows[objective].to_numpy())
    else:
        each = table[(table["stage"] == "search") & (table["cohort"] != "all players")]
        off = each.assign(off=(each["win_rate"] - 0.6) ** 2).groupby("trial")["off"].mean()
        assert (rows["loss"].to_numpy() <= np.sqrt(off.to_numpy()) + 1e-9).all()  # less what luck adds


def test_several_objectives_end_with_the_trials_that_no_other_beats(tmp_path):
    over = {"dial.ceiling": "0.3:1:5"}  # an easy game has short losing streaks, and misses its target
    done = sweep(SCENARIO, over, objective="true_chance, longest_losses", out=tmp_path / "sweep", workers=1)
    front = done.answer["front"]
    losses = [(one["loss"][0], one["other_objectives"]["longest_losses"]["loss"][0]) for one in front]
    assert 1 < len(front) <= 4
    assert done.answer["winner"] == front[0]["number"]
    table = done.trials()
    fresh = table[(table["stage"] == "fresh") & (table["cohort"] == "all players")]
    assert len(fresh) == 1 + len(front)
    assert fresh["longest_losses"].tolist()[1:] == pytest.approx([loss for _, loss in losses])
    searched = {
        one["number"]: (one["difference"][2], one["other_objectives"]["longest_losses"]["difference"][2])
        for one in done.answer["trials"][1:]
    }
    for one in front:
        own = searched[one["number"]]
        assert not any(a <= own[0] and b <= own[1] and (a, b) != own for a, b in searched.values())
    assert any(sentence.startswith("No trial beats these in all of true_chance and") for sentence in done.sentences)
    assert "What can be had together" in done.report_file.read_text(encoding="utf-8")


def test_time_out_of_band_is_that_of_the_chances(tmp_path):
    done = sweep(SCENARIO, CURVE, objective="out_of_band", out=tmp_path / "sweep", workers=1)
    losses = [one["loss"][0] for one in done.answer["trials"]]
    assert all(0.0 < loss < 1.0 for loss in losses)
    with pytest.raises(ScenarioError, match="known only of games with a closed form"):
        sweep(load_scenario("quickstart"), {"dial.floor": "0,0.1"}, objective="out_of_band")
    with pytest.raises(ScenarioError, match="every objective must be there once"):
        sweep(SCENARIO, CURVE, objective="auto,true_chance")


def test_many_keys_are_drawn_side_by_side(options, curve):
    text = options.report_file.read_text(encoding="utf-8")
    assert "All keys together" in text
    lines = text.count('class="line" style="color:var(--quiet);opacity')
    assert 0 < lines < len([one for one in options.answer["trials"][1:] if not one["failure"]])
    assert "All keys together" not in curve.report_file.read_text(encoding="utf-8")


@pytest.mark.thorough
def test_a_trained_schedule_is_a_scenario_that_plays_what_was_measured(tmp_path):
    """The winner's complete scenario has its schedule, and its run has the win rates of the whole lives."""
    scenario = small.scenario(controller="kalman", players=60, attempts=40)
    over = {"controller.options.q": "log:0.001:0.1", "controller.options.reopen": "0:8"}
    done = sweep(scenario, over, budget=60 * scenario.work, method="pbt", out=tmp_path / "sweep", workers=1)
    text = done.report_file.read_text(encoding="utf-8")
    assert "Parts of a life, and who was ahead" in text
    changed = [value for value in done.best.values() if isinstance(value, list)]
    assert bool(changed) == bool(done.scenario.form.controller.piecewise)
    fresh = done.trials().query("stage == 'fresh' and trial != 0").to_dict("records")
    found = {row["cohort"]: row for row in fresh}
    made = run(done.scenario, out=tmp_path / "run", workers=1)
    for row in made.verdict.rows:  # other players
        one = found[row.cohort]
        width = float(one["win_rate_high"]) - float(one["win_rate_low"])
        error = math.hypot(width, row.win_rate_high - row.win_rate_low) / (2.0 * 1.96)
        assert abs(float(one["win_rate"]) - row.win_rate) < 4.0 * error


def test_the_page_is_the_same_every_time_and_shows_curves(curve):
    text = curve.report_file.read_text(encoding="utf-8")
    assert text.count("<figure>") >= 7
    assert "Win rate over guess" in text
    assert "<script" not in without_own_script(text)


def test_two_numbers_make_a_heat_map(tmp_path):
    over = {"game.params.guess": "0:0.3:3", "target.win_rate": "0.5:0.7:2"}
    done = sweep(SCENARIO, over, out=tmp_path / "sweep", workers=1)
    text = done.report_file.read_text(encoding="utf-8")
    assert text.count('<table class="heat">') == 3  # the loss, and a win rate for each group
    assert "guess by win_rate" in text
    assert any(sentence.startswith("Targets are swept") for sentence in done.sentences)
    low, high = done.scenario.band(0)
    assert f"(target {100 * low:.0f} to {100 * high:.0f} % instead of 55 to 65 %)" in " ".join(done.sentences)


# --- Plug-ins that fail ----------------------------------------------------------------------------------------------


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shaky controller, installed as a third party's."""
    place = tmp_path / "site"
    info = place / "shaky-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(shaky.__file__), place / "shaky.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shaky\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.controllers]\nshaky = shaky:CONTROLLER\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "shaky", raising=False)
    monkeypatch.chdir(tmp_path)
    return Path(tmp_path)


@pytest.mark.parametrize(
    ("option", "why"),
    [("raises", "ArithmeticError"), ("nans", "difficulties that it gave were no numbers")],
)
def test_a_trial_that_raises_or_returns_nan_is_labelled(stranger, option, why):
    scenario = small.scenario(controller="shaky", players=20, attempts=20)
    done = sweep(scenario, {f"controller.options.{option}": "0.001,0.9"}, out=stranger / "sweep", workers=1)
    (good, bad) = done.answer["trials"][1:]
    assert not good["failure"]
    assert why in bad["failure"]
    assert done.failed_trials == 1
    assert any("One trial failed and does not count" in sentence for sentence in done.sentences)
    row = done.trials().query("trial == 2")
    assert why in row["failure"].iloc[0]


@pytest.mark.thorough
@pytest.mark.parametrize("option", ["hangs", "kills"])
def test_a_trial_that_hangs_or_ends_its_worker_is_labelled(stranger, option, monkeypatch):
    monkeypatch.setattr(trial_player, "STALL_S", 2.0)
    scenario = small.scenario(controller="shaky", players=20, attempts=20)
    done = sweep(scenario, {f"controller.options.{option}": "0.0,0.9"}, out=stranger / "sweep", workers=1)
    (good, bad) = done.answer["trials"][1:]
    assert not good["failure"]
    assert "its worker " in bad["failure"]
    assert "at attempt 0 of player" in bad["failure"]


def test_all_trials_failing_is_an_error_of_the_plug_in(stranger):
    scenario = small.scenario(controller="shaky", players=20, attempts=20)
    with pytest.raises(PluginFault, match=r"all 2 trials failed, the first one because .*ArithmeticError") as raised:
        sweep(scenario, {"controller.options.raises": "0.8,0.9"}, out=stranger / "sweep", workers=1)
    assert raised.value.exit_code == 3


# --- Kills -----------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="kills a group of processes")
def test_a_sweep_that_is_killed_again_and_again_ends_with_the_same_bytes(tmp_path):
    """Kills at moments that grow, so that each one comes a little further."""
    whole = ["arena/jump", "--set", "players.count=200", "--set", "horizon.attempts_per_player=60"]
    whole += ["--over", "controller.options.q=log:0.001:0.1", "--budget", "480000", "--method", "hyperband"]
    flowdial = [sys.executable, "-m", "sims"]
    subprocess.run([*flowdial, "sweep", *whole, "--out", str(tmp_path / "whole"), "--quiet"], cwd=ROOT, check=True)
    command = [*flowdial, "sweep", *whole, "--out", str(tmp_path / "part"), "--quiet"]
    killed = 0
    for step in range(6):
        child = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
        wanted = step + 2
        until = time.monotonic() + 60.0
        while child.poll() is None and time.monotonic() < until and _lines(tmp_path) < wanted:
            time.sleep(0.005)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            killed += 1
        child.wait()
        command = [*flowdial, "resume", str(tmp_path / "part.partial"), "--quiet"]
        if (tmp_path / "part").is_dir():
            break
    if not (tmp_path / "part").is_dir():
        subprocess.run(command, cwd=ROOT, check=True)
    assert killed >= 3
    assert sweep_digests(tmp_path / "part") == sweep_digests(tmp_path / "whole")


def _lines(folder: Path) -> int:
    try:
        return (folder / "part.partial" / SWEEP_JOURNAL).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def test_a_bundled_scenario_can_be_named(tmp_path):
    quick = load_scenario("quickstart", **{"players.count": 20, "horizon.attempts_per_player": 30})
    done = sweep(quick, {"cohort.experts.traits.learning": "0.0,0.1"}, out=tmp_path / "sweep", workers=1)
    assert set(done.best) == {"cohort.experts.traits.learning"}
