"""A finished result in the records of an experiment tracker: MLflow, Weights & Biases, or TensorBoard.

A tracker gets what is complete and on the disk already, in a process of its own. So nothing that it does, and nothing
that becomes of it, changes a byte of a result or keeps it from being finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.errors import EnvironmentFault, FlowdialError
from sims.arena.race import Race
from sims.comparison.comparison import Comparison
from sims.runs.run import Run
from sims.sweeping.finished_sweep import FinishedSweep
from sims.terminal import OnMessage, no_message
from sims.tracking.comparison_results import comparison_result, race_result
from sims.tracking.folder_results import run_result, study_result, sweep_result
from sims.tracking.tracked_result import TrackedResult, with_plain_names
from sims.tracking.tracker import Tracker, check_installed, tracker_of
from sims.tuning.tuned_study import TunedStudy
from sims.workers.pool import Loss, Pool

Trackable = Run | TunedStudy | FinishedSweep | Comparison | Race

_PATIENCE_S: Final = 600.0  # for a tracker


def track(
    result: Trackable,
    trackers: Sequence[str],
    *,
    folder: Path | str | None = None,
    seconds: float | None = None,
    on_message: OnMessage = no_message,
) -> None:
    """Record a finished result in trackers.

    The record holds every key of the scenario with its defaults, what was asked for, the seed, the final numbers and
    those of fresh players, curves, seconds, the answer in words, and the folder with all files.

    Args:
        result: of `run`, `tune`, `sweep`, `compare` or `race`.
        trackers: "mlflow", "tensorboard", "wandb", or one of them with =WHERE: for MLflow a database file or a tracking
            URI, else a folder. Without it they are mlflow.db, tensorboard/ and wandb/ in the current folder. Nothing is
            sent anywhere, unless an address is given or WANDB_MODE says so.
        folder: of a comparison's files; the other results know their own.
        seconds: that a comparison took; the other results know their own.
        on_message: takes a sentence when a tracker failed; the result is not touched by that.

    Raises:
        ScenarioError: there is no such tracker.
        EnvironmentFault: its package is missing.

    Example:
        >>> from sims import read_run, track
        >>> track(read_run("runs/quickstart-001"), ["mlflow"])  # doctest: +SKIP
    """
    chosen = [tracker_of(word) for word in trackers]
    check_installed(chosen)
    if not chosen:
        return
    record = tracked(result, None if folder is None else Path(folder).absolute(), seconds)
    for tracker in chosen:
        try:
            with Pool(
                1, _no_preparation, None, write_record, deadline_s=_PATIENCE_S, noun="record", apart=True,
                explain=_give_up,
            ) as pool:  # fmt: skip
                list(pool.run([(1, (tracker, record))]))
        except FlowdialError as fault:
            why = str(fault).removeprefix("record 1 failed: ").rstrip(".")
            on_message(f"warning: {tracker.name} has no complete record of {record.name}: {why}.")


def tracked(result: Trackable, folder: Path | None = None, seconds: float | None = None) -> TrackedResult:
    """What trackers record of a result. folder, seconds: of a comparison."""
    return with_plain_names(_tracked(result, folder, seconds))


def _tracked(result: Trackable, folder: Path | None, seconds: float | None) -> TrackedResult:
    match result:
        case Run():
            return run_result(result)
        case TunedStudy():
            return study_result(result)
        case FinishedSweep():
            return sweep_result(result)
        case Comparison():
            return comparison_result(result, folder, seconds)
        case Race():
            return race_result(result, folder, seconds)


def write_record(nothing: None, task: tuple[Tracker, TrackedResult]) -> None:
    """In a process of its own: let a tracker write a record."""
    (name, where), record = task
    if name == "mlflow":
        from sims.tracking.mlflow_record import write_mlflow

        write_mlflow(record, where)
    elif name == "wandb":
        from sims.tracking.wandb_record import write_wandb

        write_wandb(record, where)
    else:
        from sims.tracking.tensorboard_record import write_tensorboard

        write_tensorboard(record, where)


def _no_preparation(argument: None) -> None:
    """Prepare nothing."""


def _give_up(task: tuple[Tracker, TrackedResult], loss: Loss) -> None:
    """Do not try again what ended its process."""
    raise EnvironmentFault(f"its process {loss.fate}")
