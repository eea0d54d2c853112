"""A record for MLflow: by default in a database file of the current folder, with a copy of the files beside it."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Final

from sims.tracking.tracked_result import TrackedResult

_USUAL: Final = "mlflow.db"
_EXPERIMENT: Final = "flowdial"
_MOST_METRICS: Final = 1000  # in one call
_MOST_PARAMS: Final = 100
_LONGEST: Final = 500  # characters of a value that every server takes


def write_mlflow(record: TrackedResult, where: str) -> None:
    """Write a record. where: a database file or a tracking URI; empty for mlflow.db in the current folder."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    client = MlflowClient(tracking_uri=where if "://" in where else f"sqlite:///{Path(where or _USUAL).absolute()}")
    found = client.get_experiment_by_name(_EXPERIMENT)
    if found is not None:
        experiment = found.experiment_id
    elif "://" in where:
        experiment = client.create_experiment(_EXPERIMENT)
    else:
        beside = Path(where or _USUAL).absolute()
        experiment = client.create_experiment(_EXPERIMENT, beside.with_name(f"{beside.stem}-files").as_uri())
    run = client.create_run(experiment, run_name=record.name).info.run_id
    now = int(time.time() * 1000)
    scores = {**record.scores, **({} if record.seconds is None else {"seconds": record.seconds})}
    metrics = [Metric(name, value, now, 0) for name, value in scores.items()]
    for name, points in record.curves.items():
        metrics += [Metric(name, point.value, now, point.step) for point in points]
    settings = {"seed": record.seed, **record.settings}
    params = [Param(name, str(value)[:_LONGEST]) for name, value in settings.items()]
    tags = [RunTag("kind", record.kind), RunTag("mlflow.note.content", "\n\n".join(record.notes))]
    if record.folder is not None:
        tags.append(RunTag("folder", str(record.folder)))
    client.log_batch(run, tags=tags)
    for first in range(0, len(params), _MOST_PARAMS):
        client.log_batch(run, params=params[first : first + _MOST_PARAMS])
    for first in range(0, len(metrics), _MOST_METRICS):
        client.log_batch(run, metrics=metrics[first : first + _MOST_METRICS])
    if record.folder is not None:
        client.log_artifacts(run, str(record.folder), record.folder.name)
    client.set_terminated(run)
