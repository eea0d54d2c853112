"""What is recorded of a folder: of a run, a study or a sweep. All of it is read from the files of the folder."""

from __future__ import annotations

import csv
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from engine.errors import RunFolderError
from engine.inference.intervals import rate_interval
from engine.user_files.regular_file import read_regular
from sims.run_folder.appended_records import read_records
from sims.run_folder.folder import SCENARIO, read_manifest
from sims.run_folder.row_file import lines_of
from sims.run_folder.saved_csv import TornRow, own_spelling
from sims.runs.run import Run
from sims.sweeping.finished_sweep import FinishedSweep
from sims.sweeping.objective import OBJECTIVES
from sims.sweeping.sweep_files import SWEEP_JOURNAL
from sims.sweeping.trial_records import SweepJournal, TrialRecord
from sims.tracking.tracked_result import CurvePoint, TrackedResult, TrackedSetting, flat_settings
from sims.tuning.tuned_study import TunedOption, TunedStudy
from sims.verdict.goal import SUMMARY_COLUMNS

_NUMBERS: Final = ("attempts", "win_rate", "win_rate_low", "win_rate_high", "difficulty", "quit_share")  # of a summary


def run_result(run: Run) -> TrackedResult:
    """What is recorded of a run: the verdict of each player group, and win rates over attempts."""
    scores = {"met": float(run.met)}
    columns = [column for column in SUMMARY_COLUMNS if column.name in ("cohort", "level", *_NUMBERS)]
    for cells in lines_of(run.folder / "summary.csv", columns):
        if isinstance(cells, TornRow):
            raise RunFolderError(
                f"{run.folder / 'summary.csv'} has a row of {cells.cells} cells, not {cells.expected}."
            )
        row = {column.name: own_spelling(column, cell) for column, cell in zip(columns, cells, strict=True)}
        group = row["cohort"] if row["level"] in ("", "0") else f"{row['cohort']}/level_{row['level']}"
        scores |= {f"{name}/{group}": float(row[name]) for name in _NUMBERS if row[name]}
    curves = {}
    edges = [*pairwise(run.tally.scheme.attempt_edges)]
    for cohort, name in enumerate(run.manifest["cohorts"]):
        points = []
        for (_, last), cells in zip(edges, run.tally.by_attempt[cohort], strict=True):
            rate = rate_interval(cells, run.tally.scheme.cluster).rate
            if not math.isnan(rate):
                points.append(CurvePoint(last, rate))
        curves[f"win_rate_by_attempt/{name}"] = tuple(points)
    seconds = math.fsum(run.manifest["durations_s"].values())
    notes = (*run.verdict.sentences, *run.warnings)
    return _result("run", run.folder, run.manifest, {}, scores, curves, seconds, notes)


def study_result(study: TunedStudy) -> TrackedResult:
    """What is recorded of a study: the defaults and all options on fresh players, and the search's errors."""
    manifest = read_manifest(study.folder, "study")
    request = flat_settings(manifest["study"], "study.")
    scores = {"met": float(study.met), **{f"attempts/{name}": float(n) for name, n in study.answer["attempts"].items()}}
    for option in (study.baseline, *study.options):
        scores |= _option_scores(option)
    for option in study.options:
        request |= flat_settings(option.params, f"option_{option.name}.")
    for name, one in zip([option.name for option in study.options], study.answer["options"], strict=True):
        scores[f"fresh/{name}/largest_error"] = float(one["largest_error"])
    curves = {"search/largest_error": tuple(_study_curve(study))}
    return _result("study", study.folder, manifest, request, scores, curves, manifest["seconds"], study.sentences)


def sweep_result(sweep: FinishedSweep) -> TrackedResult:
    """What is recorded of a sweep: the winner and the baseline on fresh players, and each trial over its rungs."""
    answer, manifest = sweep.answer, read_manifest(sweep.folder, "sweep")
    request = flat_settings(
        {**manifest["sweep"], "method": answer["method"], "objective": answer["objective"]["name"]}, "sweep."
    )
    request |= flat_settings(sweep.best, "best.")
    scores = {"optimism": sweep.optimism, "failed_trials": float(sweep.failed_trials)}
    scores |= {"attempts": float(answer["attempts"]), "winner": float(answer["winner"])}
    for who, trial in answer["fresh"].items():
        scores |= _trial_scores(f"fresh/{who}", trial)
    for who, number in (("winner", answer["winner"]), ("baseline", 0)):
        scores |= _trial_scores(f"search/{who}", answer["trials"][number])
    squared = OBJECTIVES[answer["objective"]["name"]].squared
    curves = _rungs(sweep.folder, squared, {trial["number"]: trial["players"] for trial in answer["trials"]})
    return _result("sweep", sweep.folder, manifest, request, scores, curves, manifest["seconds"], sweep.sentences)


def _result(
    kind: str,
    folder: Path,
    manifest: Mapping[str, Any],
    request: Mapping[str, TrackedSetting],
    scores: Mapping[str, float],
    curves: Mapping[str, tuple[CurvePoint, ...]],
    seconds: float,
    notes: Iterable[str],
) -> TrackedResult:
    settings = flat_settings(tomllib.loads(read_regular(folder / SCENARIO).decode()))
    settings |= {"flowdial_version": manifest["flowdial_version"], **request}
    return TrackedResult(
        kind, folder.name, settings, manifest["seed"], scores, curves, seconds, tuple(notes), folder.absolute()
    )


def _option_scores(option: TunedOption) -> dict[str, float]:
    return {
        f"fresh/{option.name}/win_rate/{group}": rate.win_rate
        for group, rate in option.rates.items()
        if rate.win_rate is not None
    }


def _study_curve(study: TunedStudy) -> Iterable[CurvePoint]:
    """How far the worst group of each point of the search was off, as far as its few attempts tell."""
    targets = {group: (low + high) / 2.0 for group, (low, high) in study.answer["targets"].items()}
    errors: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
    spent, steps = 0, {}
    for row in csv.DictReader(read_regular(study.counts_file).decode().splitlines()):
        attempts = int(row["attempts"])
        spent += attempts
        group = row["cohort"] if row["level"] == "0" else f"{row['cohort']}, level {row['level']}"
        if row["stage"] == "search" and attempts and group in targets:
            key = (row["block"], *(value for name, value in row.items() if name.startswith("param_")))
            errors[key].append(abs(int(row["wins"]) / attempts - targets[group]))
            steps[key] = spent
    return [CurvePoint(steps[key], max(found)) for key, found in errors.items()]


def _trial_scores(prefix: str, trial: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a trial that are known."""
    found = {}
    for name in ("loss", "difference"):
        for end, value in zip(("", "_low", "_high"), trial.get(name) or (), strict=False):
            if value is not None:
                found[f"{prefix}/{name}{end}"] = float(value)
    for group, one in trial.get("groups", {}).items():
        rate = one["metrics"]["win_rate"][0]
        if rate is not None:
            found[f"{prefix}/win_rate/{group}"] = float(rate)
    return found


def _rungs(folder: Path, squared: bool, searched: Mapping[int, int]) -> dict[str, tuple[CurvePoint, ...]]:
    """The loss of each trial on each block of the search, by the players that it has met by then.

    searched: players that each trial met in the search; those of later blocks are fresh.
    """
    players: defaultdict[int, int] = defaultdict(int)
    curves: defaultdict[str, list[CurvePoint]] = defaultdict(list)
    for items in read_records(folder / SWEEP_JOURNAL):
        record = SweepJournal.record_of(items)
        if not isinstance(record, TrialRecord) or math.isnan(record.loss.value):
            continue
        number = record.ask.trial
        players[number] += record.ask.block.players
        if players[number] <= searched.get(number, 0):
            loss = math.sqrt(max(record.loss.value, 0.0)) if squared else record.loss.value
            name = f"trial_{number:03d}/loss" if number else "baseline/loss"
            curves[name].append(CurvePoint(players[number], loss))
    return {name: tuple(points) for name, points in curves.items()}
