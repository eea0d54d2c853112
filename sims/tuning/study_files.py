"""The files of a study: the tuned scenarios, the counts as a table, and the manifest.

report.html     the answer as a page, see sims.tuning.answer.study_page
answer.json     the answer for programs, see sims.tuning.answer.as_json
tuned.toml      the scenario with the best setting; tuned_b.toml, tuned_c.toml ... with the other options
counts.csv      one row for each ask and segment, knobs in the game's own units
journal.txt     the same for programs, see sims.tuning.journal
scenario.toml   the scenario that was tuned, complete
manifest.json   versions, digests and checksums; the only file with times
"""

from __future__ import annotations

import csv
import datetime
import io
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.parameters import Value
from engine.scenario import Scenario, parse
from engine.scenario_file import toml
from sims.catalog import Catalog
from sims.run_folder.files import content_of, write_file
from sims.run_folder.folder import FORMAT_VERSION, SCENARIO, Start, write_manifest
from sims.run_folder.provenance import git_commit
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.problem import Problem
from sims.tuning.search.search_space import Point
from sims.tuning.study import StudyRecord

ANSWER: Final = "answer.json"
COUNTS: Final = "counts.csv"
TUNED: Final = "tuned"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"  # of the options; the first one has no letter in its file's name


def shown_values(problem: Problem, point: Point) -> dict[str, Value]:
    """The values of the free knobs by name, in the game's units."""
    values = problem.values(point)
    return {problem.space[j].name: problem.space[j].shown(values[j]) for j in problem.space.free}


def tuned_scenario(problem: Problem, point: Point) -> Scenario:
    """The scenario with all knobs held at a point, and a controller that changes nothing."""
    pairs = [
        *((f"game.params.{name}", toml.format_toml(value)) for name, value in shown_values(problem, point).items()),
        ("game.bounds", "{}"),
        ("dial.knobs", "[]"),
        ("dial.path", "{}"),
        ("controller.name", '"constant"'),
        ("controller.scope", '"player"'),
        ("controller.options", "{}"),
        ("telemetry.deploy_every_s", "0.0"),
    ]
    text = problem.scenario.resolved_toml().encode()
    return parse(text, problem.scenario.name, Catalog(), pairs, allow_long=True)


def tuned_name(option: int) -> str:
    """The file name of an option, counted from 0."""
    return f"{TUNED}_{LETTERS[option]}.toml" if option else f"{TUNED}.toml"


def write_study_results(folder: Path, record: StudyRecord) -> list[str]:
    """Write all files whose bytes follow from the request; return their names."""
    names = [tuned_name(option) for option in range(len(record.options))]
    for name, candidate in zip(names, record.options, strict=True):
        text = tuned_scenario(record.problem, candidate.point).resolved_toml()
        write_file(folder / name, text.encode())
    write_file(folder / COUNTS, _counts(record).encode())
    return [SCENARIO, JOURNAL, COUNTS, *names]


def write_study_manifest(folder: Path, start: Start, record: StudyRecord, names: Sequence[str], seconds: float) -> None:
    """Write manifest.json, the last file. seconds: how long this process worked on the study."""
    scenario = record.problem.scenario
    content: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "flowdial_version": start.flowdial_version,
        "kind": "study",
        "name": start.name,
        "title": scenario.title,
        "scenario_digest": scenario.digest,
        "seed": scenario.seed,
        "game": scenario.form.game.name,
        "study": {**start.study, "earlier": len(start.study["earlier"])},
        "knobs": list(record.problem.search_space.names),
        "segments": [segment._asdict() for segment in record.problem.segments],
        "attempts": record.spent,
        "files": {name: content_of(folder / name)._asdict() for name in names},
        "code": start.code,
        "versions": start.versions,
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "seconds": round(seconds, 3),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    write_manifest(folder, content)


def _counts(record: StudyRecord) -> str:
    """The table of counts. Failed attempts are not counted."""
    problem = record.problem
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    knobs = [f"param_{name}" for name in problem.search_space.names]
    writer.writerow(["stage", "block", "cohort", "level", "attempts", "wins", *knobs])
    for stage, tell in record.history:
        values = shown_values(problem, tell.point).values()
        for segment, attempts, wins in zip(problem.segments, tell.attempts, tell.wins, strict=True):
            cohort = problem.scenario.cohorts[segment.cohort]
            writer.writerow([stage, tell.block, cohort, segment.level, attempts, wins, *values])
    return text.getvalue()
