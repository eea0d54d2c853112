"""A study or a sweep as a database of Optuna, which optuna-dashboard shows."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypeGuard

from engine.errors import EnvironmentFault, RunFolderError
from sims.run_folder.begun_search import SearchKind
from sims.run_folder.files import file_fault
from sims.run_folder.folder import read_manifest
from sims.run_folder.new_folder import check_new
from sims.sweeping.finished_sweep import read_sweep
from sims.sweeping.space import SweptKey, SweptValue
from sims.tracking.trial_table import TableTrial, TrialTable, reading, study_trials, sweep_trials
from sims.tuning.tuned_study import read_study


def export_trials(folder: Path, target: Path) -> Path:
    """Write the trials of a complete study or sweep to a new SQLite database of Optuna.

    Args:
        folder: of the study or sweep.
        target: the file, which may not exist yet.

    Returns:
        The file, complete or absent.

    Raises:
        RunFolderError: the folder is no complete study or sweep, or the file exists.
        EnvironmentFault: the package optuna is missing, or the disk failed.

    Example:
        >>> from sims import export_trials
        >>> export_trials("sweeps/mine-001", "optuna.db")  # doctest: +SKIP
    """
    folder, target = Path(folder), Path(target)
    kind = _kind_of(folder)
    table = study_trials(read_study(folder)) if kind == "study" else sweep_trials(read_sweep(folder))
    check_new(target)
    try:
        import optuna
    except ModuleNotFoundError as fault:
        raise EnvironmentFault("a database of Optuna needs the package optuna; install flowdial[search].") from fault
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp") as place:
            made = Path(place, target.name)
            with reading(folder, kind):  # Optuna refuses values that no search writes
                _write(optuna, table, made)
            os.rename(made, target)
    except OSError as fault:
        raise file_fault(fault) from fault
    return target


def _kind_of(folder: Path) -> SearchKind:
    try:
        read_manifest(folder, "sweep")
    except RunFolderError:
        return "study"
    return "sweep"


def _write(optuna: Any, table: TrialTable, file: Path) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    try:
        study = optuna.create_study(storage=storage, study_name=table.name, direction="minimize")
        study.set_user_attr("loss", table.meaning)
        for name, value in table.notes.items():
            study.set_user_attr(name, _short(value))
        kinds = {key.key: _distribution(optuna, key, table) for key in table.keys}
        study.add_trials([_trial(optuna, trial, kinds, table) for trial in table.trials])
    finally:
        storage.engine.dispose()


def _distribution(optuna: Any, key: SweptKey, table: TrialTable) -> Any:
    """The range of a key; the baseline may lie outside of what was searched."""
    met = [trial.values[key.key] for trial in table.trials if key.key in trial.values]
    numbers = [float(one) for one in (*met, *(key.values or (key.low, key.high))) if _is_number(one)]
    if len(numbers) < len(met) + len(key.values or (key.low, key.high)):
        return optuna.distributions.CategoricalDistribution(list(dict.fromkeys(map(_plain, (*key.values, *met)))))
    low, high = min(numbers), max(numbers)
    if all(number.is_integer() for number in numbers) and (key.whole or bool(key.values)):
        return optuna.distributions.IntDistribution(int(low), int(high), log=key.log and low >= 1.0)
    return optuna.distributions.FloatDistribution(low, high, log=key.log and low > 0.0)


def _plain(value: SweptValue) -> float | int | str:
    """A value as Optuna takes it: a schedule of an option as text."""
    return str(value) if isinstance(value, tuple) else value


def _trial(optuna: Any, trial: TableTrial, kinds: dict[str, Any], table: TrialTable) -> Any:
    own = {name: kind for name, kind in kinds.items() if name in trial.values}
    states = optuna.trial.TrialState
    state = states.FAIL if trial.loss is None else states.PRUNED if trial.dropped else states.COMPLETE
    made = optuna.trial.create_trial(
        state=state,
        value=trial.loss,
        params={name: _plain(trial.values[name]) for name in own},
        distributions=own,
        intermediate_values=dict(trial.steps),
        user_attrs={name: _short(value) for name, value in trial.notes.items()},
    )
    made.datetime_start = made.datetime_complete = table.finished  # when each trial ended is not kept
    return made


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> Any:
    """A value as Optuna takes it: what JSON can hold."""
    return json.loads(json.dumps(value, default=str))
