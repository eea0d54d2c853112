"""The files of a sweep, besides its report.

trials.csv      one row for each trial and player group, and the winner and the baseline on fresh players
sweep.json      the answer for programs
best.toml       the scenario with the settings of the winner
journal.txt     what was measured, in order, see sims.sweeping.trial_records
scenario.toml   the scenario that was swept, complete
manifest.json   versions, digests and checksums; the only file with times
"""

from __future__ import annotations

import csv
import datetime
import io
import math
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sims.run_folder.files import content_of, write_file, write_json
from sims.run_folder.folder import FORMAT_VERSION, SCENARIO, Start, write_manifest
from sims.run_folder.provenance import git_commit
from sims.sweeping.answer.sentences import short_names, sweep_sentences
from sims.sweeping.answer.sweep_answer import MeasuredTrial, SweepAnswer
from sims.sweeping.answer.sweep_text import sweep_text
from sims.sweeping.trial_records import Measure

SWEEP_JOURNAL: Final = "journal.txt"
SWEEP_JSON: Final = "sweep.json"
TRIALS: Final = "trials.csv"
BEST: Final = "best.toml"
ALL_PLAYERS: Final = "all players"


def write_sweep_files(folder: Path, answer: SweepAnswer) -> list[str]:
    """Write all files whose bytes follow from the request; return their names. Raises OSError on I/O errors."""
    write_file(folder / BEST, answer.best.resolved_toml().encode())
    write_file(folder / TRIALS, _table(answer).encode())
    write_json(folder / SWEEP_JSON, sweep_json(answer))
    return [SCENARIO, SWEEP_JOURNAL, BEST, TRIALS, SWEEP_JSON]


def sweep_json(answer: SweepAnswer) -> dict[str, Any]:
    """The answer as values of JSON; None for numbers that are not known."""
    fresh = {
        "winner": _trial_json(answer, answer.fresh_winner, answer.fresh_baseline),
        "baseline": _trial_json(answer, answer.fresh_baseline, answer.fresh_baseline),
    }
    return {
        "title": answer.scenario.title,
        "method": answer.plan.method,
        "why": answer.plan.why,
        "objective": {"name": answer.objective.name, "meaning": answer.objective.words},
        "objectives": [{"name": one.name, "meaning": one.words} for one in answer.objectives],
        "keys": list(answer.space.names),
        "own_values": dict(answer.own_values),
        "claim": answer.claim,
        "optimism": answer.optimism,
        "winner": answer.winner.number,
        "best": dict(answer.winner.settings),
        "fresh": fresh,
        "front": [_trial_json(answer, trial, answer.fresh_baseline) for trial in answer.front],
        "trials": [_trial_json(answer, trial, answer.baseline) for trial in answer.trials],
        "influence": {key: _known(share) for key, share in answer.influence.items()},
        "stages": [{"key": stage.key, "value": stage.value, "trials": stage.trials} for stage in answer.outcome.stages],
        "rungs": [[rung._asdict() for rung in bracket] for bracket in answer.plan.brackets],
        "attempts": sum(record.attempts for record in (*answer.outcome.search, *answer.outcome.fresh)),
        "failed_trials": len(answer.failures),
        "sentences": list(sweep_sentences(answer)),
        "text": sweep_text(answer),
    }


def write_sweep_manifest(folder: Path, start: Start, answer: SweepAnswer, names: Sequence[str], seconds: float) -> None:
    """Write manifest.json, the last file. seconds: how long this process worked on the sweep."""
    scenario = answer.scenario
    content: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "flowdial_version": start.flowdial_version,
        "kind": "sweep",
        "name": start.name,
        "title": scenario.title,
        "scenario_digest": scenario.digest,
        "seed": scenario.seed,
        "game": scenario.form.game.name,
        "sweep": dict(start.sweep),
        "files": {name: content_of(folder / name)._asdict() for name in names},
        "code": start.code,
        "versions": start.versions,
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "seconds": round(seconds, 3),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    write_manifest(folder, content)


def _trial_json(answer: SweepAnswer, trial: MeasuredTrial, baseline: MeasuredTrial) -> dict[str, Any]:
    content: dict[str, Any] = {
        "number": trial.number,
        "settings": dict(trial.settings),
        "players": trial.players,
        "attempts": trial.attempts,
        "failed": trial.failed,
        "failure": trial.failure,
    }
    if trial.failure:
        return content
    groups = {}
    for place, name in enumerate((*answer.scenario.cohorts, ALL_PLAYERS)):
        numbers = {
            metric.name: _three(measure) for metric, measure in zip(answer.metrics, trial.measures[place], strict=True)
        }
        state = {"state": trial.states[place]} if place < len(trial.states) else {}
        groups[name] = {**state, "metrics": numbers}
    return {
        **content,
        "loss": _three(answer.shown(trial.loss)),
        "difference": _three(answer.shown_gain(trial, baseline)),
        **_other_objectives(answer, trial, baseline),
        "groups": groups,
    }


def _other_objectives(answer: SweepAnswer, trial: MeasuredTrial, baseline: MeasuredTrial) -> dict[str, Any]:
    """Losses and differences in the further objectives, by name; nothing where there is one objective."""
    found = {
        one.name: {
            "loss": _three(answer.shown(trial.results[place][0], place)),
            "difference": _three(answer.shown_gain(trial, baseline, place)),
        }
        for place, one in enumerate(answer.objectives)
        if place
    }
    return {"other_objectives": found} if found else {}


def _three(measure: Measure) -> list[float | None]:
    return [_known(number) for number in measure]


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _table(answer: SweepAnswer) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    numbers = [f"{one.name}{end}" for one in answer.metrics for end in ("", "_low", "_high")]
    losses = ["loss", "loss_low", "loss_high", "difference", "difference_low", "difference_high"]
    head = ["stage", "trial", *short_names(answer.space.names).values(), "cohort", "state", "players", "attempts"]
    writer.writerow([*head, "failed", "failure", *losses, *numbers])
    for trial in answer.trials:
        writer.writerows(_rows(answer, "search", trial, answer.baseline))
    for trial in (answer.fresh_baseline, *answer.front):
        writer.writerows(_rows(answer, "fresh", trial, answer.fresh_baseline))
    return text.getvalue()


def _rows(answer: SweepAnswer, stage: str, trial: MeasuredTrial, baseline: MeasuredTrial) -> Iterator[list[object]]:
    """One row for each cohort and one for all players; a single row for a trial that does not count."""
    own = dict(trial.settings) if trial.number else answer.own_values
    values = ["" if own.get(key) is None else own[key] for key in answer.space.names]
    head = [stage, trial.number, *values]
    tail = [trial.players, trial.attempts, trial.failed, trial.failure]
    if trial.failure:
        yield [*head, "", "", *tail, *[""] * (6 + 3 * len(answer.metrics))]
        return
    losses = [*_cells(answer.shown(trial.loss)), *_cells(answer.shown_gain(trial, baseline))]
    for place, name in enumerate((*answer.scenario.cohorts, ALL_PLAYERS)):
        state = trial.states[place] if place < len(trial.states) else ""
        numbers = [cell for measure in trial.measures[place] for cell in _cells(measure)]
        yield [*head, name, state, *tail, *losses, *numbers]


def _cells(measure: Measure) -> list[float | str]:
    return [number if math.isfinite(number) else "" for number in measure]
