"""A session of `play` as a run folder: a clean end adds the files of a run to the rows of a person.

During the session there are scenario.toml, attempts.csv and human_actions.jsonl, which `verify` and `replay` can read
at any moment. The other files are made from them as for a run of one chunk. The manifest comes last: if it exists, all
others are complete.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Final

from engine.record import write_csv
from engine.scenario import Scenario
from engine.setup import Setup
from engine.tally import Tally, tally_of
from engine.world import Chunk, Played
from sims.playback.human_actions import HUMAN_ACTIONS
from sims.reports.report import write_report
from sims.run_folder.files import content_of, file_fault, new_file, write_file
from sims.run_folder.folder import SCENARIO, write_manifest
from sims.runs.chunks import ChunkRecord, Job, batches_of, job_of
from sims.runs.execution import start_of_run
from sims.runs.tables import goal_for, manifest_of, write_results
from sims.window.playing.human_session import COHORT, human_sheet

_LEAST_S: Final = 3600.0  # width of the narrowest bin of a report


def write_scenario(folder: Path, scenario: Scenario) -> None:
    """Write the scenario of the session. Raises EnvironmentFault on I/O errors."""
    try:
        write_file(folder / SCENARIO, scenario.resolved_toml().encode())
    except OSError as fault:
        raise file_fault(fault) from fault


def write_run(folder: Path, scenario: Scenario, setup: Setup, played: Played, playing_s: float) -> None:
    """Write the files of a run. scenario, setup: of `human_scenario` and `human_setup`; playing_s: wall clock.

    played: at least one attempt. Raises EnvironmentFault on I/O errors.
    """
    counted = dataclasses.replace(  # so that a report's bins span the session
        setup,
        horizon_s=max(math.ceil(float(played.sessions["end_s"][-1])), _LEAST_S),
        attempts_per_player=len(played.rows),
    )
    job = job_of(folder, counted, scenario.after_attempts, "csv", scenario.further_targets)
    attempts, players, sessions = (human_sheet(sheet) for sheet in job.sheets)
    job = dataclasses.replace(job, sheets=(attempts, players, sessions))
    try:
        tally = tally_of(played.rows, played.players, job.scheme)
        try:
            record = _record(job, played, tally)
            files = write_results(job, [record], goal_for(scenario, setup), tally, scenario.title)
        finally:
            shutil.rmtree(job.part(0, attempts).parent, ignore_errors=True)
        files[HUMAN_ACTIONS] = content_of(folder / HUMAN_ACTIONS)._asdict()
        start = start_of_run(scenario, setup, "csv", folder.name)
        manifest = manifest_of(scenario, start, job, tally, files)
        write_manifest(folder, manifest | {"source": COHORT, "durations_s": {"playing": round(playing_s, 3)}})
        write_report(folder, fresh=True)
    except OSError as fault:
        raise file_fault(fault) from fault


def _record(job: Job, played: Played, tally: Tally) -> ChunkRecord:
    """Write the session as the parts of one chunk."""
    job.part(0, job.sheets[0]).parent.mkdir()
    parts = {}
    for name, batches in batches_of(job, Chunk(0, 0, 0, 0, 1), played).items():
        sheet = next(sheet for sheet in job.sheets if sheet.name == name)
        with new_file(job.part(0, sheet)) as sink:
            write_csv(sink, batches)
        parts[name] = sink.content
    rows = {"attempts": len(played.rows), "players": 1, "sessions": 1}
    return ChunkRecord(0, rows, parts, tally)
