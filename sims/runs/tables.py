"""From the parts of all chunks to the tables, the summary, the data package and the manifest of a run."""

from __future__ import annotations

import csv
import datetime
import io
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.record import Sheet, csv_header, read_stream, write_parquet
from engine.rule import layout_of, prepare_options
from engine.scenario import Scenario
from engine.setup import Setup
from engine.tally import Tally
from sims.run_folder.data_package import SUMMARY, package
from sims.run_folder.faults_table import marked, write_faults
from sims.run_folder.files import Content, append_file, content_of, new_file, write_file, write_json
from sims.run_folder.folder import FORMAT_VERSION, PACKAGE, SCENARIO, Start
from sims.run_folder.provenance import code_digest, git_commit
from sims.runs.chunks import ChunkRecord, Job
from sims.verdict.goal import Goal
from sims.verdict.verdict import summary_rows, verdict

Files = dict[str, dict[str, Any]]  # file name -> bytes, sha256 and, of a table, rows


def write_tables(job: Job, records: Sequence[ChunkRecord]) -> list[tuple[Sheet, str, Content, int]]:
    """Put the parts together in the order of the records, which is that of the keys. Memory stays flat."""
    tables = []
    for sheet in job.sheets:
        target = job.table(sheet)
        with new_file(target) as sink:
            if target.suffix == ".csv":
                sink.write(csv_header(sheet.columns))
                for record in records:
                    append_file(sink, job.part(record.number, sheet))
            else:
                write_parquet(sink, sheet.columns, _batches(job, records, sheet))
        tables.append((sheet, target.name, sink.content, sum(record.rows[sheet.name] for record in records)))
    return tables


def _batches(job: Job, records: Sequence[ChunkRecord], sheet: Sheet) -> Iterator[Any]:
    for record in records:
        yield from read_stream(job.part(record.number, sheet))


def write_summary(job: Job, goal: Goal, tally: Tally, title: str) -> tuple[Sheet, str, Content, int]:
    """Write summary.csv: what became of each cohort, in numbers, after what names the run (ORIGIN_COLUMNS)."""
    rows = summary_rows(verdict(goal, tally))
    setup = job.setup
    origin = (setup.digest, marked(title), setup.seed, setup.game.name, setup.kind.name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in SUMMARY.columns])
    writer.writerows([[*origin, *("" if value is None else value for value in row)] for row in rows])
    name = "summary.csv"
    return SUMMARY, name, write_file(job.folder / name, text.getvalue().encode()), len(rows)


def write_results(job: Job, records: Sequence[ChunkRecord], goal: Goal, tally: Tally, title: str) -> Files:
    """Write all files of a run whose bytes follow from scenario and code; what the manifest says of them."""
    tables = [*write_tables(job, records), write_summary(job, goal, tally, title)]
    if any(record.faults for record in records):
        tables.append(write_faults(job.folder, (fault for record in records for fault in record.faults)))
    described = package(f"flowdial-{job.setup.digest}", title, tables)
    files: Files = {path: {**content._asdict(), "rows": rows} for _, path, content, rows in tables}
    files[PACKAGE] = write_json(job.folder / PACKAGE, described)._asdict()
    files[SCENARIO] = content_of(job.folder / SCENARIO)._asdict()
    return files


def goal_for(scenario: Scenario, setup: Setup) -> Goal:
    """What a verdict on the scenario needs to know."""
    levels = range(1, setup.levels + 1) if setup.levels else (None,)
    cohorts = range(len(setup.cohorts))
    return Goal(
        setup.cohorts,
        tuple(tuple(scenario.band(cohort, level) for level in levels) for cohort in cohorts),
        shared=setup.scope != "player",
        replicas=setup.replicas,
        steered=setup.kind.mode != "deterministic",
        wanted=tuple(tuple(scenario.wanted(cohort, level) for level in levels) for cohort in cohorts),
        layouts="made" if setup.space.made else setup.layouts,
        label=scenario.calibration,
    )


def manifest_of(
    scenario: Scenario, start: Start, job: Job, tally: Tally, files: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """All that is known of a run but how long it took. Wall-clock time stands here and nowhere else."""
    setup = job.setup
    goal = goal_for(scenario, setup)
    bands = {name: [list(band) for band in goal.bands[cohort]] for cohort, name in enumerate(goal.cohorts)}
    wanted = dict(zip(goal.cohorts, ([one and list(one) for one in found] for found in goal.wanted), strict=True))
    return {
        "format_version": FORMAT_VERSION,
        "flowdial_version": start.flowdial_version,
        "name": start.name,
        "title": scenario.title,
        "scenario_digest": scenario.digest,
        "seed": setup.seed,
        "game": setup.game.name,
        "game_version": setup.game.version,
        "controller": setup.kind.name,
        "mode": setup.kind.mode,
        "options": dict(zip(setup.options._fields, setup.options, strict=True)),
        "option_schedule": schedule_json(setup),
        "state_numbers": state_numbers(setup),
        "scope": setup.scope,
        "cohorts": list(setup.cohorts),
        "targets": {name: found[0] if len(found) == 1 else found for name, found in bands.items()},
        "wanted": wanted,
        "after_attempts": scenario.after_attempts,
        "replicas": setup.replicas,
        **({"place_noun": setup.game.place_noun} if setup.game.has_places else {}),
        "levels": setup.levels,
        "layouts": "made" if setup.space.made else setup.layouts,
        "calibration": scenario.calibration._asdict(),
        "knobs": [_knob(setup, place) for place in range(len(setup.space))],
        "rows": files[job.table(job.sheets[0]).name]["rows"],
        "format": job.format,
        "files": files,
        "tallies": tally.to_json(),
        "code": start.code,
        "code_digest": code_digest(setup),
        "versions": start.versions,
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def state_numbers(setup: Setup) -> int | None:
    """How many numbers the controller remembers of each player, cohort or everyone; None where it does not say."""
    if setup.kind.rule is None:
        return None
    chosen = prepare_options(setup.kind.rule, setup.options, setup.brief(0))
    return layout_of(setup.kind.rule.start(chosen, float(setup.targets[0, 0]))).size


def schedule_json(setup: Setup) -> dict[str, Any]:
    """How options change with outcomes: pairs of outcome and value by option, and the shape of the gain."""
    stairs = {name: [list(step) for step in steps] for name, steps in setup.schedule.stairs}
    gain = {} if setup.schedule.gain is None else {"gain": setup.schedule.gain._asdict()}
    return {**({"piecewise": stairs} if stairs else {}), **gain}


def _knob(setup: Setup, place: int) -> dict[str, Any]:
    """A knob as the scenario uses it; `held` is null where the controller moves it."""
    knob = setup.space[place]
    held = setup.space.held.get(knob.name)
    found = {name: getattr(knob, name) for name in ("name", "unit", "meaning", "scale", "harder", "low", "high")}
    choices = list(knob.choices) if knob.scale == "choice" else None
    return {**found, "default": knob.default, "choices": choices, "held": None if held is None else knob.shown(held)}
