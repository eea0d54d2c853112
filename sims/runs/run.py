"""Run a scenario from its file to a verdict, and take up a run that was stopped.

Progress and messages go to stderr, results to stdout. The first Ctrl-C or SIGTERM keeps all finished chunks and says
how to go on; a second one ends at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json as json_text
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.errors import FlowdialError, PluginFault, RunFolderError
from engine.faults import BAD_PROPOSAL, FAULTS
from engine.record import Format
from engine.scenario import Scenario, load, setup_of
from engine.setup import Setup
from engine.tally import Tally
from sims.catalog import Catalog, version
from sims.run_folder.files import file_fault, write_file
from sims.run_folder.folder import (
    FORMAT_VERSION,
    MANIFEST,
    REPORT,
    SCENARIO,
    START,
    Start,
    WorkFolder,
    begin,
    changed_files,
    changed_line,
    read_manifest,
    take_up,
    write_manifest,
)
from sims.run_folder.names import plain_name
from sims.run_folder.provenance import code_digests, versions
from sims.runs.chunk_pool import play_chunks
from sims.runs.chunks import ChunkRecord, Job
from sims.runs.preflight import prepared
from sims.runs.self_test import run_checks
from sims.runs.tables import goal_for, manifest_of, write_results
from sims.terminal import quoted, say
from sims.verdict.goal import goal_of
from sims.verdict.remark import Remark, Remarking
from sims.verdict.verdict import show, verdict
from sims.workers.cores import cores
from sims.workers.signals import Stopped, Stopping
from sims.workers.task_fault import TaskFault

_CRASH: Final = "crash.log"
_MISSED: Final = 1  # exit code of a remark that comes before the code for faults of a plug-in

Larger = Callable[[Tally], Scenario | None]  # what to play instead of a run that is not enough; None when it is


class _NotEnough(Exception):
    """What was played has been thrown away, and a larger scenario is to be played instead."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self.scenario = scenario


def run(
    scenario: Scenario,
    *,
    out: Path | None = None,
    workers: int | None = None,
    format: Format = "csv",  # noqa: A002 - the name of the option
    quiet: bool = False,
    json: bool = False,
    larger: Larger = lambda tally: None,
    remarks: Sequence[Remarking] = (),
) -> int:
    """Play a scenario, leave a run folder, print the verdict; the exit code.

    out: the folder, None for runs/<name>-001, -002 ... whichever is free; workers: processes, None for one per core;
    larger: is asked once all is played; remarks: what else is to be said of the run, and may give the exit code.
    Raises RunFolderError when the folder is there already, EnvironmentFault when the disk is in the way, and what a
    plug-in's fault became, see sims.workers.pool; the folder then keeps what is finished.
    """
    while True:
        try:
            setup = setup_of(scenario, Catalog())
            job = prepared(scenario, setup, format)  # what cannot be played must not leave a folder
            start = start_of(scenario, setup, format, plain_name(scenario.name))
            folder = begin(out, start)
        except OSError as fault:
            raise file_fault(fault) from fault
        job = dataclasses.replace(job, folder=folder.path)
        work = partial(_carry_out, folder, scenario, job, start, workers, quiet=quiet, larger=larger)
        try:
            return _to_the_end(folder, work, own=partial(_has_own, job), quiet=quiet, json=json, remarks=remarks)
        except _NotEnough as request:
            scenario = request.scenario


def resume(target: Path, *, workers: int | None = None, quiet: bool = False, json: bool = False) -> int:
    """Take up a run that was stopped: only chunks that are missing or damaged are played again; the exit code.

    Raises RunFolderError when somebody works on the folder, or when scenario, code or versions are not those that
    the run began with; the message names the first difference. EnvironmentFault when the disk is in the way.
    """
    try:
        folder = take_up(target)
    except OSError as fault:
        raise file_fault(fault) from fault
    try:
        manifest = _whole_manifest(folder.path)
        if manifest is not None:
            return _to_the_end(folder, lambda: manifest, quiet=quiet, json=json)
        scenario, job, start = _begun(folder)
        folder.chunks.mkdir(exist_ok=True)
    except OSError as fault:
        folder.close()
        raise file_fault(fault) from fault
    except BaseException:
        folder.close()
        raise
    work = partial(_carry_out, folder, scenario, job, start, workers, quiet=quiet)
    return _to_the_end(folder, work, own=partial(_has_own, job), quiet=quiet, json=json)


def _whole_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest of a run that was stopped between its last file and its name; None when files are missing."""
    if not (path / MANIFEST).is_file():
        return None
    try:
        manifest = read_manifest(path)
    except RunFolderError:
        if not (path / START).is_file():
            raise
        return None
    return None if changed_files(path, manifest) else manifest


def _begun(folder: WorkFolder) -> tuple[Scenario, Job, Start]:
    """What a run began with, which must be what it would begin with now."""
    begun = folder.read_start()
    path = folder.path / SCENARIO
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    difference = changed_line(begun.scenario, text)
    if difference is None:
        scenario = load(path, Catalog(), allow_long=True)
        setup = setup_of(scenario, Catalog())
        difference = begun.difference(start_of(scenario, setup, begun.format, begun.name))
        if difference is None:
            job = prepared(scenario, setup, begun.format)
            return scenario, dataclasses.replace(job, folder=folder.path), begun
    raise RunFolderError(f"{folder.path} cannot be resumed, since {difference}; run the scenario anew.")


def start_of(scenario: Scenario, setup: Setup, file_format: Format, name: str) -> Start:
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


def _to_the_end(
    folder: WorkFolder,
    work: Callable[[], Mapping[str, Any]],
    *,
    own: Callable[[], bool] = lambda: True,
    quiet: bool,
    json: bool,
    remarks: Sequence[Remarking] = (),
) -> int:
    """Do the work, which gives the manifest, publish the folder and print what was found; the exit code.

    own: whether neither game nor controller is a plug-in of others; asked after a fault, since nothing slow may come
    between the folder and the handling of Ctrl-C. Whatever ends it early, what is finished is kept, and stderr says how
    to go on.
    """
    try:
        with Stopping() as stopping:
            manifest = work()
            unreported = _add_report(folder.path)
            stopping.hold()
            final = folder.publish()
    except Stopped as stop:
        say(f"stopped; {_kept(folder)}")
        return stop.exit_code
    except (FlowdialError, OSError) as fault:
        _leave_crash(folder.path, getattr(fault, "details", ""))
        say(after_plugin(folder) if is_of_plugin(fault, own=own()) else _kept(folder))
        if isinstance(fault, OSError):
            raise file_fault(fault) from fault
        raise
    finally:
        folder.close()
    made = _remarks_on(manifest, remarks)
    _print(final, manifest, made, quiet=quiet, json=json)
    if unreported is not None:
        say(f"{final} is whole but has no report. To try again: flowdial report {quoted(final)}")
        raise unreported
    return _exit_code(manifest, made)


def _kept(folder: WorkFolder) -> str:
    """What is left of a run that ended early, and how to go on."""
    if folder.resumable:
        return f"what is finished is kept. To go on: flowdial resume {quoted(folder.path)}"
    if folder.final.is_dir():
        return f"{folder.final} is whole, but may not survive a loss of power."
    return "nothing of it is kept; run the scenario anew."


def is_of_plugin(fault: Exception, *, own: bool) -> bool:
    """Whether a game or controller has to be corrected first: of others too what is raised outside of attempts."""
    return isinstance(fault, PluginFault) or (isinstance(fault, TaskFault) and not own)


def after_plugin(folder: WorkFolder) -> str:
    """What is left of what a plug-in ended: another code refuses to go on with it, and the same one fails again."""
    return f"{folder.path} has what is finished, but cannot be resumed with a corrected plug-in; remove it."


def _remarks_on(manifest: Mapping[str, Any], remarks: Sequence[Remarking]) -> list[Remark]:
    goal, tally = goal_of(manifest), Tally.from_json(manifest["tallies"])
    return [remark(goal, tally) for remark in remarks]


def _exit_code(manifest: Mapping[str, Any], made: Sequence[Remark]) -> int:
    """A missed goal first, then faults of a plug-in, then what else is to be said."""
    codes = {remark.exit_code for remark in made} - {0}
    if _MISSED in codes:
        return _MISSED
    return PluginFault.exit_code if manifest.get("faults") else max(codes, default=0)


def _add_report(path: Path) -> Exception | None:
    """Write the report; why that failed, since the rows are worth more than the page about them.

    Raises OSError when the disk is in the way: with room it can be written as if nothing had happened.
    """
    try:
        from sims.reports.report import report

        report(path)
    except OSError:
        raise
    except Exception as fault:  # noqa: BLE001 - raised by the caller, after the folder is safe
        return fault
    return None


def _print(final: Path, manifest: Mapping[str, Any], made: Sequence[Remark], *, quiet: bool, json: bool) -> None:
    rows = final / f"attempts.{manifest['format']}"
    found = verdict(goal_of(manifest), Tally.from_json(manifest["tallies"]))
    if json:
        paths = {"folder": str(final), "rows_file": str(rows), "report": str(final / REPORT)}
        content = {**found.to_json(), "attempts": manifest["rows"], **paths}
        content |= {remark.name: {**remark.numbers, "said": " ".join(remark.sentences)} for remark in made}
        sys.stdout.write(json_text.dumps(content, indent=1) + "\n")
    elif quiet:
        sys.stdout.write(f"{final}\n")
        for remark in made:
            if remark.exit_code:
                say(" ".join(remark.sentences))
    else:
        show(found, sys.stdout)
        for remark in made:
            sys.stdout.write("\n" + "\n".join(remark.sentences) + "\n")
        sys.stdout.write(f"\nrows    {rows}\nreport  {final / REPORT}\n")


def _carry_out(
    folder: WorkFolder,
    scenario: Scenario,
    job: Job,
    start: Start,
    workers: int | None,
    *,
    quiet: bool,
    larger: Larger = lambda tally: None,
) -> dict[str, Any]:
    """Play what is missing and write all files but the report; the manifest."""
    count = workers if workers is not None else cores()
    began = time.monotonic()
    records, tally = play_chunks(job, scenario, count, quiet=quiet)
    played_s = time.monotonic() - began
    instead = larger(tally)
    if instead is not None:
        folder.abandon()
        raise _NotEnough(instead)
    files = write_results(job, records, goal_for(scenario, job.setup), tally, scenario.title)
    (folder.path / _CRASH).unlink(missing_ok=True)
    durations = {"playing": round(played_s, 3), "writing": round(time.monotonic() - began - played_s, 3)}
    manifest = manifest_of(scenario, start, job, tally, files)
    manifest |= {"durations_s": durations, "workers": count, "faults": _fault_counts(records, tally)}
    manifest["self_test"] = run_checks(scenario, tally, apart=not _has_own(job))
    write_manifest(folder.path, manifest)
    return manifest


def _has_own(job: Job) -> bool:
    return Catalog().has_own(job.setup.game.name, job.setup.kind.name)


def _fault_counts(records: Iterable[ChunkRecord], tally: Tally) -> dict[str, int]:
    """Attempts by their fault, in words; only those that there are."""
    found = Counter(fault.kind for record in records for fault in record.faults)
    found[BAD_PROPOSAL] = sum(tally.total(cohort, "bad_proposals") for cohort in range(tally.scheme.cohorts))
    return {FAULTS[kind]: found[kind] for kind in sorted(found) if found[kind]}


def _leave_crash(folder: Path, details: str) -> None:
    if details:
        with contextlib.suppress(OSError):  # a full disk must not hide what happened before
            write_file(folder / _CRASH, details.encode(errors="backslashreplace"))
            say(f"the traceback is in {folder / _CRASH}")
