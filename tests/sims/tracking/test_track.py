"""What is recorded of a result, and that nothing that becomes of a tracker changes a byte of it."""

from __future__ import annotations

import json
import math

import pytest

from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from sims.arena.race import race
from sims.catalog import load_scenario
from sims.cli.app import main
from sims.comparison.comparison import compare
from sims.runs.execution import run
from sims.sweeping.sweep import sweep
from sims.tracking import tracker
from sims.tracking.track import track, tracked
from sims.tracking.tracked_result import flat_settings
from sims.tracking.tracker import check_installed, tracker_of
from tests.kit.ray_nodes import digests
from tests.kit.small import scenario

SMALL = {"players.count": 40, "horizon.attempts_per_player": 40}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return run(scenario(players=10, attempts=60), out=tmp_path_factory.mktemp("runs") / "small", workers=1)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    chosen = load_scenario("arena/stationary", **SMALL)
    over = {"controller.options.q": [0.001, 0.01]}
    return sweep(chosen, over, out=tmp_path_factory.mktemp("sweeps") / "small", workers=1)


def test_a_run_is_recorded_with_every_setting_its_rates_and_a_curve(played):
    record = tracked(played)
    assert (record.kind, record.name, record.seed, record.folder) == ("run", "small", 11, played.folder)
    assert record.settings["controller.options.step"] == 0.05  # a default that the file does not name
    assert record.settings["cohort.old.traits.skill.sd"] == 0.5
    assert record.settings["players.flow.quit_streak"] == 0.15
    rows = played.summary().set_index("cohort")
    assert record.scores["win_rate/old"] == rows.loc["old", "win_rate"]
    curve = record.curves["win_rate_by_attempt/new"]
    assert [point.step for point in curve][:3] == [5, 10, 15]
    assert all(0.0 <= point.value <= 1.0 for point in curve)
    assert record.seconds == pytest.approx(math.fsum(played.manifest["durations_s"].values()))
    assert record.notes == (*played.verdict.sentences, *played.warnings)


def test_a_sweep_is_recorded_with_its_rungs_and_fresh_scores(swept):
    record = tracked(swept)
    fresh = swept.answer["fresh"]
    assert record.scores["fresh/winner/loss"] == fresh["winner"]["loss"][0]
    assert record.scores["fresh/baseline/loss_high"] == fresh["baseline"]["loss"][2]
    assert record.scores["optimism"] == swept.optimism
    assert record.settings["best.controller.options.q"] == swept.best["controller.options.q"]
    assert record.settings["sweep.method"] == "grid"
    assert set(record.curves) == {"baseline/loss", "trial_001/loss", "trial_002/loss"}
    for number, name in enumerate(("baseline/loss", "trial_001/loss", "trial_002/loss")):
        trial = swept.answer["trials"][number]
        assert record.curves[name][-1].step == trial["players"]
        assert record.curves[name][-1].value == pytest.approx(trial["loss"][0], rel=1e-12)


def test_comparisons_are_recorded_side_by_side():
    before = load_scenario("arena/stationary", **SMALL)
    after = load_scenario("arena/stationary", **SMALL, **{"target.win_rate": 0.8})
    record = tracked(compare(before, after, workers=1), seconds=1.5)
    assert (record.settings["before.target.win_rate"], record.settings["after_1.target.win_rate"]) == (0.55, 0.8)
    name = "after_1/win_rate/players"
    change = record.scores[f"{name}/after"] - record.scores[f"{name}/before"]
    assert record.scores[f"{name}/change"] == pytest.approx(change)
    assert (record.seconds, record.folder) == (1.5, None)
    raced = race(before, ["kalman"], workers=1)
    scores = tracked(raced).scores
    assert {f"{line.controller}/rmse": line.card.rmse.value for line in raced.scores}.items() <= scores.items()


def test_nested_tables_become_dotted_keys():
    table = {"a": {"b": 1, "c": [1, 2]}, "d": [{"name": "x", "e": True}, {"e": 2.5}], "f": None}
    assert flat_settings(table) == {
        "a.b": 1,
        "a.c": "[1, 2]",
        "d.x.name": "x",
        "d.x.e": True,
        "d.1.e": 2.5,
        "f": "None",
    }


@pytest.mark.parametrize("word", ["", "comet", "mlflow=", "MLflow", "wandb:x"])
def test_other_trackers_are_refused(word):
    with pytest.raises(ScenarioError):
        tracker_of(word)


def test_a_missing_package_is_told_before_anything_is_played(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tracker, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match=r"needs the package tensorboardX; install flowdial\[tracking\]"):
        check_installed([tracker_of("tensorboard=there")])
    assert main(["run", "quickstart", "--track", "mlflow"]) == 5
    assert "needs the package mlflow" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise RuntimeError('no room for you')", "RuntimeError: no room for you"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "its process was killed by SIGKILL"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_tracker_that_fails_is_one_warning_and_changes_no_byte(played, tmp_path, monkeypatch, program, reason):
    (tmp_path / "wandb.py").write_text(program)
    monkeypatch.syspath_prepend(tmp_path)
    before = digests(played.folder)
    messages: list[str] = []
    track(played, ["wandb"], on_message=messages.append)
    assert messages == [f"warning: wandb has no complete record of small: {reason}."]
    assert digests(played.folder) == before


def test_export_to_optuna_refuses_what_is_no_study_and_what_exists(played, swept, tmp_path, capsys):
    from sims.tracking.optuna_storage import export_trials

    with pytest.raises(RunFolderError):
        export_trials(played.folder, tmp_path / "optuna.db")
    (tmp_path / "there.db").touch()
    with pytest.raises(RunFolderError, match="exists"):
        export_trials(swept.folder, tmp_path / "there.db")
    assert main(["export", str(swept.folder), "--to", "optuna"]) == 2
    assert "or a file that ends in .db, got 'optuna'" in capsys.readouterr().err
    assert main(["export", str(swept.folder), "--to", "a.db", "--out", "b"]) == 2


def test_the_trials_of_a_sweep_are_a_table(swept):
    from sims.tracking.trial_table import sweep_trials

    table = sweep_trials(swept)
    assert [trial.values["controller.options.q"] for trial in table.trials] == [0.005, 0.001, 0.01]
    assert [trial.loss for trial in table.trials] == [trial["loss"][0] for trial in swept.answer["trials"]]
    assert not any(trial.dropped for trial in table.trials)
    assert json.loads(json.dumps(table.notes))["method"] == "grid"
