"""A scenario played to a run folder: begin a run, or resume one that was stopped.

The first Ctrl-C or SIGTERM keeps all finished chunks and raises Stopped; a second one ends the process at once.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import RunFolderError
from engine.faults import BAD_PROPOSAL, FAULTS
from engine.record import Format
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Tally
from engine.user_files.regular_file import read_regular
from sims.catalog import Catalog, scenario_in, scenario_of, version
from sims.run_folder.files import disk_faults
from sims.run_folder.folder import (
    FORMAT_VERSION,
    SCENARIO,
    START,
    Start,
    WorkFolder,
    begin,
    changed_files,
    changed_line,
    has_manifest,
    read_manifest,
    take_up,
    write_manifest,
)
from sims.run_folder.names import plain_name
from sims.run_folder.provenance import code_digests, versions
from sims.runs.chunk_pool import play_chunks
from sims.runs.chunks import ChunkRecord, Job
from sims.runs.finish import CRASH, finish
from sims.runs.measuring import measure_first
from sims.runs.preflight import prepare_job
from sims.runs.progress import OnRunProgress, no_run_progress
from sims.runs.run import Run, read_run
from sims.runs.self_test import run_checks
from sims.runs.tables import goal_for, manifest_of, write_results
from sims.terminal import OnMessage, no_message, quoted
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor, Workers, executor_for
from sims.workers.signals import Postponing

Enough = Callable[[Tally], bool]  # whether what was played is enough; it is asked once all is played


def run(
    scenario: Scenario | str | Path,
    *,
    out: Path | str | None = None,
    workers: int | None = None,
    on: str | None = None,
    format: Format = "csv",  # noqa: A002 - the name of the option
    on_progress: OnRunProgress = no_run_progress,
    on_message: OnMessage = no_message,
) -> Run:
    """Play a scenario and leave a run folder.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        out: the folder, which may not exist yet; None for runs/<name>-001, -002 ..., the first that is free.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        format: of the table of attempts.
        on_progress: takes a `RunProgress` after each chunk.
        on_message: takes sentences for people, such as how to resume a run that was stopped.

    Returns:
        The complete run.

    Raises:
        ScenarioError: the scenario is wrong, or cannot be played.
        RunFolderError: the folder exists already.
        EnvironmentFault: the disk or a worker process failed; what is finished is kept.
        PluginFault: a game or controller failed too often.
        Stopped: Ctrl-C or SIGTERM came; it is a KeyboardInterrupt.

    Example:
        >>> from sims import load_scenario, run
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> result = run(load_scenario("arena/stationary", **small), workers=1)
        >>> result.manifest["rows"]
        1600
        >>> result.attempts(["won"]).shape
        (1600, 1)
    """
    chosen = scenario_of(scenario)
    place = None if out is None else Path(out)
    with executor_of(workers, on) as executor:
        done = execute(
            chosen, out=place, workers=executor, file_format=format, on_progress=on_progress, on_message=on_message
        )
    assert done is not None  # whatever was played is enough
    return done


def execute(
    scenario: Scenario,
    *,
    out: Path | None,
    workers: Workers,
    file_format: Format,
    on_progress: OnRunProgress,
    on_message: OnMessage,
    is_enough: Enough = lambda tally: True,
) -> Run | None:
    """`run`, or None when what was played is not enough: then the folder is removed. Raises what `run` raises."""
    executor = executor_for(workers)
    with disk_faults():
        setup = setup_of(scenario, Catalog())
        if Catalog().has_own(setup.game.name, setup.kind.name):
            measure_first(setup, threads=executor.workers, on_message=on_message)
        job = prepare_job(scenario, setup, file_format)  # what cannot be played must not leave a folder
        start = start_of_run(scenario, setup, file_format, plain_name(scenario.name))
    if setup.win_chance and setup.game.win_probability is None:
        on_message(f"win_chance is empty: {setup.game.name} has no closed form that gives the chance of winning.")
    unreported: list[Exception] = []
    with Postponing():
        with disk_faults():
            folder = begin(out, start)
        job = dataclasses.replace(job, folder=folder.path)

        def work() -> bool:
            tally = _play(folder, scenario, job, start, executor, on_progress, on_message, is_enough)
            if tally is not None:
                unreported.extend(_add_report(folder.path))
            return tally is not None

        final = finish(folder, work, on_message=on_message, is_own=lambda: _is_own(job))
    return None if final is None else _whole(final, unreported, on_message)


def resume(
    folder: Path | str,
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnRunProgress = no_run_progress,
    on_message: OnMessage = no_message,
) -> Run:
    """Finish a run that was stopped: only chunks that are missing or damaged are played again.

    Args:
        folder: NAME.partial, or the NAME that it will have.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes a `RunProgress` after each chunk.
        on_message: takes sentences for people.

    Returns:
        The complete run, byte for byte as if it had not been stopped.

    Raises:
        RunFolderError: another process works on the folder, or scenario, code or versions have changed since.
        EnvironmentFault: the disk or a worker process failed.
        Stopped: Ctrl-C or SIGTERM came again.

    Example:
        >>> from sims import resume
        >>> resume("runs/nothing-001")
        Traceback (most recent call last):
        ...
        engine.errors.RunFolderError: there is no unfinished run at runs/nothing-001.partial; ...
    """
    with executor_of(workers, on) as executor:
        return _resume(Path(folder), executor, on_progress, on_message)


def _resume(folder: Path, executor: Executor, on_progress: OnRunProgress, on_message: OnMessage) -> Run:
    with disk_faults():
        work_folder = take_up(folder)
    with work_folder.closed_on_fault(), disk_faults():
        begun = None if _is_whole(work_folder.path) else _begun(work_folder)
        work_folder.chunks.mkdir(exist_ok=True)
    unreported: list[Exception] = []

    def work() -> bool:
        if begun is not None:
            _play(work_folder, *begun, executor, on_progress, on_message, lambda tally: True)
        unreported.extend(_add_report(work_folder.path))
        return True

    final = finish(work_folder, work, on_message=on_message, is_own=lambda: begun is None or _is_own(begun[1]))
    assert final is not None  # its work is always enough
    return _whole(final, unreported, on_message)


def _whole(final: Path, unreported: list[Exception], on_message: OnMessage) -> Run:
    """The run of a folder that was published."""
    if unreported:
        on_message(f"{final} is complete but has no report. To try again: flowdial report {quoted(final)}")
    return dataclasses.replace(read_run(final), unreported=unreported[0] if unreported else None)


def _is_whole(path: Path) -> bool:
    """Whether a run was stopped between its last file and its final name."""
    if not has_manifest(path):
        return False
    try:
        manifest = read_manifest(path)
    except RunFolderError:
        if not (path / START).is_file():
            raise
        return False
    return not changed_files(path, manifest)


def _begun(folder: WorkFolder) -> tuple[Scenario, Job, Start]:
    """What a run began with, which must be what it would begin with now."""
    begun = folder.read_start()
    path = folder.path / SCENARIO
    text = read_regular(path).decode(errors="replace") if os.path.lexists(path) else ""
    difference = changed_line(begun.scenario, text)
    if difference is None:
        scenario = scenario_in(path)
        setup = setup_of(scenario, Catalog())
        difference = begun.difference(start_of_run(scenario, setup, begun.format, begun.name))
        if difference is None:
            job = prepare_job(scenario, setup, begun.format)
            return scenario, dataclasses.replace(job, folder=folder.path), begun
    raise RunFolderError(f"cannot resume {folder.path}: {difference}; start a new run.")


def start_of_run(scenario: Scenario, setup: Setup, file_format: Format, name: str) -> Start:
    """What a run of the scenario begins with, with the code and the libraries of this moment."""
    return Start(
        format_version=FORMAT_VERSION,
        flowdial_version=version(),
        name=name,
        scenario=scenario.resolved_toml(),
        scenario_digest=scenario.digest,
        format=file_format,
        code=code_digests(setup),
        versions=versions(),
    )


def _play(
    folder: WorkFolder,
    scenario: Scenario,
    job: Job,
    start: Start,
    executor: Executor,
    on_progress: OnRunProgress,
    on_message: OnMessage,
    is_enough: Enough,
) -> Tally | None:
    """Play what is missing and write all files but the report; None when it is not enough and the folder is gone."""
    began = time.monotonic()
    records, tally = play_chunks(job, scenario, executor, on_progress, on_message)
    played_s = time.monotonic() - began
    if not is_enough(tally):
        folder.abandon()
        return None
    files = write_results(job, records, goal_for(scenario, job.setup), tally, scenario.title)
    (folder.path / CRASH).unlink(missing_ok=True)
    durations = {"playing": round(played_s, 3), "writing": round(time.monotonic() - began - played_s, 3)}
    manifest = manifest_of(scenario, start, job, tally, files)
    manifest |= {"durations_s": durations, "workers": executor.workers, "faults": _fault_counts(records, tally)}
    manifest["self_test"] = run_checks(scenario, tally, apart=not _is_own(job), on_message=on_message)
    write_manifest(folder.path, manifest)
    return tally


def _add_report(path: Path) -> list[Exception]:
    """Write the report; the reason when that failed, since the rows are worth more than the page about them.

    Raises OSError on I/O errors: with room the report can be written as if nothing had happened.
    """
    try:
        from sims.reports.report import write_report

        write_report(path, fresh=True)
    except OSError:
        raise
    except Exception as fault:  # noqa: BLE001 - raised by the caller, after the folder is safe
        return [fault]
    return []


def _is_own(job: Job) -> bool:
    return Catalog().has_own(job.setup.game.name, job.setup.kind.name)


def _fault_counts(records: Iterable[ChunkRecord], tally: Tally) -> Mapping[str, Any]:
    """Attempts by their fault, in words; only those that there are."""
    counts = Counter(fault.kind for record in records for fault in record.faults)
    counts[BAD_PROPOSAL] = sum(tally.total(cohort, "bad_proposals") for cohort in range(tally.scheme.cohorts))
    return {FAULTS[kind]: counts[kind] for kind in sorted(counts) if counts[kind]}
