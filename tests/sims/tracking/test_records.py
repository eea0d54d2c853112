"""Each tracker's record, read back by its own package: every setting, every curve, the fresh scores, the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sims.catalog import load_scenario
from sims.cli.app import main
from sims.sweeping.sweep import sweep
from sims.tracking.optuna_storage import export_trials
from sims.tracking.track import tracked
from sims.tracking.tracked_result import TrackedResult
from sims.tuning.tune import tune
from tests.kit.ray_nodes import digests

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("default")]  # warnings of others are not ours to mend


class Recorded:
    """A small sweep, what is to be recorded of it, and where the records are."""

    def __init__(self, place: Path) -> None:
        self.place = place
        chosen = load_scenario("arena/stationary", **{"players.count": 60, "horizon.attempts_per_player": 40})
        over = {"controller.options.q": [0.001, 0.01], "controller.options.sd0": [0.2, 0.4]}
        self.sweep = sweep(chosen, over, out=place / "small", workers=1)
        self.record: TrackedResult = tracked(self.sweep)
        self.scores = {**self.record.scores, "seconds": self.record.seconds}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return Recorded(tmp_path_factory.mktemp("recorded"))


def write(recorded, tracker):
    """Write a record in this process, so that a fault is seen."""
    from sims.tracking.track import write_record
    from sims.tracking.tracker import tracker_of

    before = digests(recorded.sweep.folder)
    write_record(None, (tracker_of(tracker), recorded.record))
    assert digests(recorded.sweep.folder) == before


def test_mlflow(recorded):
    mlflow = pytest.importorskip("mlflow")
    file = recorded.place / "ml.db"
    write(recorded, f"mlflow={file}")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{file}")
    (run,) = client.search_runs([client.get_experiment_by_name("flowdial").experiment_id])
    record = recorded.record
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "small"
    assert run.data.params == {"seed": str(record.seed), **{name: str(one) for name, one in record.settings.items()}}
    for name, value in recorded.scores.items():
        assert run.data.metrics[name] == pytest.approx(value, rel=1e-12)
    for name, points in record.curves.items():
        found = client.get_metric_history(run.info.run_id, name)
        assert [(point.step, point.value) for point in found] == [tuple(point) for point in points]
    assert run.data.tags["mlflow.note.content"] == "\n\n".join(record.notes)
    artifacts = client.list_artifacts(run.info.run_id, "small")
    assert {Path(one.path).name for one in artifacts} == {path.name for path in recorded.sweep.folder.iterdir()}
    kept = recorded.place / "ml-files" / run.info.run_id / "artifacts" / "small"
    assert digests(kept) == digests(recorded.sweep.folder)


def test_tensorboard(recorded):
    pytest.importorskip("tensorboardX")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write(recorded, f"tensorboard={recorded.place / 'tb'}")
    events = accumulator.EventAccumulator(str(recorded.place / "tb" / "small"), size_guidance={"scalars": 0})
    events.Reload()
    record = recorded.record
    for name, value in recorded.scores.items():
        assert [(one.step, one.value) for one in events.Scalars(name)] == [(0, pytest.approx(value, rel=1e-6))]
    for name, points in record.curves.items():
        assert [one.step for one in events.Scalars(name)] == [point.step for point in points]
        assert [one.value for one in events.Scalars(name)] == pytest.approx([point.value for point in points], rel=1e-6)
    texts = {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in events.Tags()["tensors"]}
    for name, value in {"seed": record.seed, **record.settings}.items():
        assert f"| {name} | {value} |" in texts["settings/text_summary"]
    assert texts["notes/text_summary"] == "\n\n".join(record.notes)
    assert texts["folder/text_summary"] == str(recorded.sweep.folder)
    inner = accumulator.EventAccumulator(str(recorded.place / "tb" / "small" / "settings"))
    inner.Reload()
    assert inner.SummaryMetadata("_hparams_/session_start_info").plugin_data.plugin_name == "hparams"


def test_wandb(recorded, monkeypatch):
    pytest.importorskip("wandb")
    for name in ("WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(recorded.place / "w" / "own"))
    write(recorded, f"wandb={recorded.place / 'w'}")
    (file,) = (recorded.place / "w" / "wandb").glob("offline-run-*/run-*.wandb")
    records = list(wandb_records(file))
    record = recorded.record
    runs = [one.run for one in records if one.HasField("run")]
    config = {item.key: json.loads(item.value_json) for run in runs for item in run.config.update}
    for name, value in {"seed": record.seed, **record.settings}.items():
        assert config[name] == value, name
    assert runs[0].notes == "\n".join(record.notes)
    assert runs[0].job_type == "sweep"
    rows = [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in one.history.item}
        for one in records
        if one.HasField("history")
    ]
    for name, points in record.curves.items():
        found = [(row[f"step/{name}"], row[name]) for row in rows if name in row]
        assert found == [(point.step, pytest.approx(point.value, rel=1e-12)) for point in points]
    summary = {
        item.key or ".".join(item.nested_key): json.loads(item.value_json)
        for one in records
        if one.HasField("summary")
        for item in one.summary.update
    }
    for name, value in recorded.scores.items():
        assert summary[name] == pytest.approx(value, rel=1e-12), name
    manifests = [one.artifact.manifest for one in records if one.HasField("artifact")]
    manifests += [one.request.log_artifact.artifact.manifest for one in records if one.HasField("request")]
    names = {entry.path for manifest in manifests for entry in manifest.contents}
    assert names == {path.name for path in recorded.sweep.folder.iterdir()}


def wandb_records(file):
    """The records of an offline file, by wandb's own description of them; the file's blocks are those of LevelDB."""
    from wandb.proto import wandb_internal_pb2

    data = file.read_bytes()
    assert data[:4] == b":W&B"
    at, parts = 7, b""
    while at + 7 <= len(data):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            found = wandb_internal_pb2.Record()
            found.ParseFromString(parts)
            yield found
            parts = b""


def test_the_command_line_tracks_what_it_has_printed(tmp_path, monkeypatch, capsys):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    words = ["run", "arena/stationary", "--set", "players.count=40", "--out", "r", "--quiet", "--track", "mlflow=a.db"]
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'a.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("flowdial").experiment_id])
    assert run.data.metrics["win_rate/players"] > 0.0


def test_a_sweep_is_read_by_optuna(recorded):
    optuna = pytest.importorskip("optuna")
    file = export_trials(recorded.sweep.folder, recorded.place / "optuna.db")
    study = optuna.load_study(study_name="small", storage=f"sqlite:///{file}")
    answer = recorded.sweep.answer
    assert [trial.value for trial in study.trials] == [trial["loss"][0] for trial in answer["trials"]]
    assert [trial.params for trial in study.trials[1:]] == [trial["settings"] for trial in answer["trials"][1:]]
    assert study.trials[0].params == answer["own_values"]
    assert study.trials[0].user_attrs["baseline"] is True
    winner = study.trials[answer["winner"]]
    assert winner.user_attrs["fresh_loss"] == answer["fresh"]["winner"]["loss"]
    curve = recorded.record.curves["trial_001/loss"]
    assert study.trials[1].intermediate_values == {point.step: point.value for point in curve}
    with pytest.raises(Exception, match="exists"):
        export_trials(recorded.sweep.folder, file)


def test_a_study_is_read_by_optuna(tmp_path):
    optuna = pytest.importorskip("optuna")
    study = tune("quickstart", budget=45_000, method="random", out=tmp_path / "study", workers=1)
    file = export_trials(study.folder, tmp_path / "optuna.db")
    found = optuna.load_study(study_name="study", storage=f"sqlite:///{file}")
    assert set(found.trials[0].params) == set(study.baseline.params)
    options = {name: trial for trial in found.trials for name in trial.user_attrs["options"]}
    assert {name: trial.params for name, trial in options.items()} == {
        option.name: dict(option.params) for option in study.options
    }
