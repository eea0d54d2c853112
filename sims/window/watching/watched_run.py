"""What was watched as a run folder: a clean end adds the files of a run to the rows.

While the window is open there are scenario.toml and attempts.csv. The other files are made from them as for a run of
one chunk for each repeat. The manifest comes last: if it exists, all others are complete. Its `watched` says how much
of the scenario was played, and where the controller was switched.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine import record
from engine.players import PLAYER
from engine.record import write_csv
from engine.scenario import Scenario
from engine.setup import Setup
from engine.tally import Tally, tally_of
from engine.world import Chunk, played_of
from sims.reports.report import write_report
from sims.run_folder.files import file_fault, new_file
from sims.run_folder.folder import write_manifest
from sims.runs.chunks import CHUNKS, ChunkRecord, Job, batches_of, job_of
from sims.runs.execution import start_of_run
from sims.runs.tables import goal_for, manifest_of, write_results
from sims.window.watching.live_world import LiveWorld

WATCHED: Final = "watched"


def write_watched_run(
    folder: Path, scenario: Scenario, world: LiveWorld, switches: list[dict[str, Any]], seconds: float
) -> None:
    """Write the files of a run, with attempts.csv of all rows so far. world: has played at least one attempt.

    switches: of the controller, for the manifest. seconds: wall clock. Raises EnvironmentFault on I/O errors.
    """
    setup = world.setup
    job = job_of(folder, setup, scenario.after_attempts, "csv")
    sheets = (record.attempt_sheet(setup, world.beliefs), *job.sheets[1:])
    job = dataclasses.replace(job, sheets=sheets)
    try:
        (folder / CHUNKS).mkdir(exist_ok=True)
        try:
            records = [_record(job, setup, world, replica) for replica in range(setup.replicas)]
            tally = Tally.empty(job.scheme)
            for one in records:
                tally = tally + one.tally
            files = write_results(job, records, goal_for(scenario, setup), tally, scenario.title)
        finally:
            shutil.rmtree(folder / CHUNKS, ignore_errors=True)
        start = start_of_run(scenario, setup, "csv", folder.name)
        manifest = manifest_of(scenario, start, job, tally, files)
        write_manifest(
            folder,
            {
                **manifest,
                WATCHED: {"whole": world.whole, "switches": switches},
                "durations_s": {WATCHED: round(seconds, 3)},
            },
        )
        write_report(folder, fresh=True)
    except OSError as fault:
        raise file_fault(fault) from fault


def _record(job: Job, setup: Setup, world: LiveWorld, replica: int) -> ChunkRecord:
    """Write the parts of one repeat."""
    pieces = [piece for piece in world.pieces() if piece.replica == replica]
    kind = record.row_type(len(setup.space), len(world.chosen[0].beliefs))
    rows = np.concatenate([np.empty(0, kind), *(piece.rows for piece in pieces)])
    players = np.concatenate([np.empty(0, PLAYER), *(piece.players for piece in pieces)])
    arrivals = np.concatenate([np.empty(0), *(piece.arrivals for piece in pieces)])
    played = played_of(rows, players, arrivals, [fault for piece in pieces for fault in piece.faults])
    tables = batches_of(job, Chunk(replica, replica, -1, 0, len(players)), played)
    parts = {}
    for sheet in job.sheets:
        with new_file(job.part(replica, sheet)) as sink:
            if sheet.name == "attempts":
                world.write_lines(sink, played.rows, world.beliefs)
            else:
                write_csv(sink, tables[sheet.name])
        parts[sheet.name] = sink.content
    counts = {"attempts": len(rows), "players": len(players), "sessions": len(played.sessions)}
    return ChunkRecord(replica, counts, parts, tally_of(played.rows, played.players, job.scheme), played.faults)
