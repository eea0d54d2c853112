"""The trials of a study or a sweep, as a library of hyperparameter search keeps them."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.user_files.regular_file import read_regular
from sims.catalog import Catalog, scenario_in
from sims.run_folder.begun_search import SearchKind, unreadable
from sims.run_folder.folder import SCENARIO, read_manifest
from sims.sweeping.finished_sweep import FinishedSweep
from sims.sweeping.space import SweptKey, SweptValue, space_of
from sims.sweeping.sweep_request import SweepRequest
from sims.tracking.folder_results import sweep_result
from sims.tuning.tuned_study import TunedStudy

_STAGES: Final = ("search", "baseline", "final_race", "measurement")  # of a study, whose counts are of plain players


class TableTrial(NamedTuple):
    """One trial.

    Attributes:
        values: by key; only keys that apply.
        loss: what the search makes small; None for a trial that failed.
        steps: losses on the way, by players met or attempts made.
        dropped: whether the search went on without it.
        notes: whatever else is known.
    """

    values: Mapping[str, SweptValue]
    loss: float | None
    steps: Mapping[int, float]
    dropped: bool
    notes: Mapping[str, Any]


class TrialTable(NamedTuple):
    """All trials, in order. keys: what was varied, with its range; meaning: of the loss."""

    name: str
    meaning: str
    keys: tuple[SweptKey, ...]
    trials: tuple[TableTrial, ...]
    finished: datetime
    notes: Mapping[str, Any]


def sweep_trials(sweep: FinishedSweep) -> TrialTable:
    """The trials of a sweep; the first one is the baseline. Raises RunFolderError where a file is damaged."""
    with reading(sweep.folder, "sweep"):
        return _sweep_trials(sweep)


def study_trials(study: TunedStudy) -> TrialTable:
    """The points of a study: each is a trial, whose loss is the distance of its worst group from the target.

    Raises RunFolderError where a file is damaged.
    """
    with reading(study.folder, "study"):
        return _study_trials(study)


@contextlib.contextmanager
def reading(folder: Path, kind: SearchKind) -> Iterator[None]:
    """Tell what is not as a study or a sweep writes it as RunFolderError: the checksums of a stranger may be right."""
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, csv.Error) as fault:
        raise unreadable(folder, kind, fault) from None


def _sweep_trials(sweep: FinishedSweep) -> TrialTable:
    answer, manifest = sweep.answer, read_manifest(sweep.folder, "sweep")
    scenario = scenario_in(sweep.folder / SCENARIO)
    keys = space_of(SweepRequest.from_json(manifest["sweep"]).over, scenario).keys
    curves = sweep_result(sweep).curves
    most = max(trial["players"] for trial in answer["trials"] if trial["number"])
    trials = []
    for trial in answer["trials"]:
        number = trial["number"]
        curve = curves.get(f"trial_{number:03d}/loss" if number else "baseline/loss", ())
        notes = {name: trial[name] for name in ("number", "players", "attempts", "failed", "failure")}
        notes |= {"baseline": number == 0, "groups": trial.get("groups", {})}
        if number == answer["winner"]:
            notes["fresh_loss"] = answer["fresh"]["winner"]["loss"]
        if number == 0:
            notes["fresh_loss"] = answer["fresh"]["baseline"]["loss"]
        values = answer["own_values"] if number == 0 else trial["settings"]
        known = {key: value for key, value in values.items() if value is not None}
        loss = None if trial["failure"] else trial["loss"][0]
        dropped = number > 0 and trial["players"] < most
        trials.append(TableTrial(known, loss, {point.step: point.value for point in curve}, dropped, notes))
    notes = {"sentences": list(sweep.sentences), "method": answer["method"], "optimism": sweep.optimism}
    return TrialTable(
        sweep.folder.name, answer["objective"]["meaning"], keys, tuple(trials), _finished(manifest), notes
    )


def _study_trials(study: TunedStudy) -> TrialTable:
    manifest = read_manifest(study.folder, "study")
    space = scenario_in(study.folder / SCENARIO)
    knobs = {knob.name: knob for knob in Catalog().game(space.form.game.name).space}
    keys = []
    for name in manifest["knobs"]:
        knob = knobs[name]
        low, high = space.form.game.bounds.get(name, (knob.low, knob.high))
        keys.append(SweptKey(name, tuple(knob.choices or ()), low, high, knob.scale == "log", knob.scale == "integer"))
    points: dict[tuple[str, ...], _Point] = {}
    for row in csv.DictReader(read_regular(study.counts_file).decode().splitlines()):
        if row["stage"] in _STAGES and int(row["attempts"]):
            values = tuple(row[f"param_{key.key}"] for key in keys)
            group = row["cohort"] if row["level"] == "0" else f"{row['cohort']}, level {row['level']}"
            points.setdefault(values, _Point()).add(row["stage"], group, int(row["attempts"]), int(row["wins"]))
    targets = {group: (low + high) / 2.0 for group, (low, high) in study.answer["targets"].items()}
    trials = []
    for texts, point in points.items():
        shown = {key.key: _value(key, text) for key, text in zip(keys, texts, strict=True)}
        found: dict[str, Any] = {"stages": sorted(point.stages), "attempts": point.attempts, "wins": point.wins}
        found["options"] = [one["name"] for one in study.answer["options"] if one["params"] == shown]
        trials.append(TableTrial(shown, point.error(targets), {}, False, found))
    notes = {"sentences": list(study.sentences), "options": study.answer["options"]}
    meaning = "distance of the worst group's win rate from its target, by the few attempts of a search"
    return TrialTable(study.folder.name, meaning, tuple(keys), tuple(trials), _finished(manifest), notes)


class _Point:
    """The counts of a point in all stages together."""

    def __init__(self) -> None:
        self.stages: set[str] = set()
        self.attempts: dict[str, int] = {}
        self.wins: dict[str, int] = {}

    def add(self, stage: str, group: str, attempts: int, wins: int) -> None:
        self.stages.add(stage)
        self.attempts[group] = self.attempts.get(group, 0) + attempts
        self.wins[group] = self.wins.get(group, 0) + wins

    def error(self, targets: Mapping[str, float]) -> float:
        """How far the worst group is off."""
        return max(abs(self.wins[group] / made - targets[group]) for group, made in self.attempts.items())


def _value(key: SweptKey, text: str) -> SweptValue:
    if key.values:
        return next((value for value in key.values if str(value) == text), text)
    return int(float(text)) if key.whole else float(text)


def _finished(manifest: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(manifest["finished"]).replace(tzinfo=None)
