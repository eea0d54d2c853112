"""A scenario swept to a folder: begin a sweep, or resume one that was stopped.

The first Ctrl-C or SIGTERM keeps the journal and raises Stopped; a second one ends the process at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog, scenario_in, scenario_of, version
from sims.run_folder.begun_search import begun_work, journal_seal, lacks_only_its_name, partial_of
from sims.run_folder.files import disk_faults, read_sealed, write_file
from sims.run_folder.folder import (
    FORMAT_VERSION,
    REPORT,
    START,
    Start,
    WorkFolder,
    begin,
    read_manifest,
    take_up,
)
from sims.run_folder.names import plain_name
from sims.run_folder.provenance import code_digests, search_digest, versions
from sims.runs.finish import finish
from sims.runs.preflight import prepare_job
from sims.sweeping.answer.sentences import settings_text, short_names
from sims.sweeping.answer.sweep_answer import SweepAnswer
from sims.sweeping.answer.sweep_page import sweep_page
from sims.sweeping.exploration import Exploration
from sims.sweeping.finished_sweep import FinishedSweep, read_sweep
from sims.sweeping.objective import AUTO, Objective, objectives_of
from sims.sweeping.space import SweepSpace
from sims.sweeping.space_file import over_of, placed, read_space
from sims.sweeping.sweep_files import SWEEP_JOURNAL, write_sweep_files, write_sweep_manifest
from sims.sweeping.sweep_plan import SweepPlan, plan_sweep
from sims.sweeping.sweep_request import SweepRequest, check_sweep
from sims.sweeping.trial_player import TrialPlayer
from sims.sweeping.trial_records import SweepJournal
from sims.sweeping.trial_scenarios import checked_space
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor
from sims.workers.signals import Postponing

_LIBRARIES: Final = {"tpe": ("optuna",), "gp": ("optuna", "torch")}  # that a method depends on besides
OnSweepStop = Callable[[str], None]  # takes a sentence about the best trial so far, before Stopped is raised


def _no_sweep_stop(sentence: str) -> None:
    """Show nothing."""


class _Work(NamedTuple):
    """A sweep to carry out."""

    scenario: Scenario
    request: SweepRequest
    space: SweepSpace
    objectives: tuple[Objective, ...]
    plan: SweepPlan
    start: Start


def sweep(
    scenario: Scenario | str | Path,
    over: Mapping[str, str | Sequence[Any]] | Path | str | None = None,
    *,
    budget: int | None = None,
    seconds: float | None = None,
    method: str = "auto",
    objective: str = AUTO,
    out: Path | str | None = None,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
    on_stop: OnSweepStop = _no_sweep_stop,
) -> FinishedSweep:
    """Vary keys of a scenario, say which values are best and for whom, and leave a sweep folder.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        over: key -> "low:high:steps", "low:high", "log:low:high", or a list of values; or the path of a file with a
            table [sweep] of these; None for the table [sweep] of the scenario itself.
        budget: most attempts, from 1; None for all settings of a finite space.
        seconds: about how long the sweep may take, above 0; the result then depends on the machine.
        method: grid, random, tpe, gp, hyperband, staged, pbt, or auto, which chooses one of them and says why.
        objective: true_chance, win_rates, out_of_band, quit_share or longest_losses, the smaller the better; "auto" for
            the first where the game's chances are known, else the second. Several with commas between them: the search
            goes by the first, and the trials that no other beats in all of them are measured on fresh players.
        out: the folder, which may not exist yet; None for sweeps/<name>-001, -002 ..., the first that is free.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes attempts so far, and the largest possible number of attempts in all.
        on_message: takes sentences for people, such as how to resume a sweep that was stopped.
        on_stop: takes a sentence about the best trial so far when Ctrl-C or SIGTERM comes.

    Returns:
        The complete sweep.

    Raises:
        ScenarioError: the scenario or a key is wrong, or the sweep would cost more than it may.
        RunFolderError: the folder exists already.
        EnvironmentFault: the disk or a worker process failed, or a package is missing; the journal is kept.
        PluginFault: the scenario itself, or every trial, failed.
        Stopped: Ctrl-C or SIGTERM came; it is a KeyboardInterrupt.

    Example:
        >>> from sims import sweep
        >>> sweep("quickstart", {"game.params.speed": "5:9:9"}).sentences  # doctest: +SKIP
    """
    baseline = scenario_of(scenario)
    entries = baseline.swept if over is None else read_space(Path(over)) if isinstance(over, str | Path) else ()
    request = SweepRequest(
        dict(over) if isinstance(over, Mapping) else over_of(entries), budget, seconds, method, objective
    )
    try:
        work = _work(baseline, request)
    except ScenarioError as fault:
        raise placed(fault, entries) from None
    work.plan.begin(work.space, work.scenario.seed)  # a refusal must not leave a folder
    with executor_of(workers, on) as executor, Postponing():
        with disk_faults():
            folder = begin(None if out is None else Path(out), work.start)
        return _carry_out(folder, work, executor, on_progress, on_message, on_stop)


def resume_sweep(
    folder: Path | str,
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
    on_stop: OnSweepStop = _no_sweep_stop,
) -> FinishedSweep:
    """Finish a sweep that was stopped: the trials in its journal are used again, the rest is played.

    Args:
        folder: NAME.partial, or the NAME that it will have.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: as of `sweep`.
        on_message: as of `sweep`.
        on_stop: as of `sweep`.

    Returns:
        The complete sweep, byte for byte as if it had not been stopped.

    Raises:
        RunFolderError: another process works on the folder, or scenario, code or versions have changed since.
        EnvironmentFault: the disk or a worker process failed.
        Stopped: Ctrl-C or SIGTERM came again.

    Example:
        >>> from sims import resume_sweep
        >>> resume_sweep("sweeps/mine-001.partial")  # doctest: +SKIP
    """
    with executor_of(workers, on) as executor:
        with disk_faults():
            work_folder = take_up(Path(folder))
        with work_folder.closed_on_fault(), disk_faults():
            begun = None if lacks_only_its_name(work_folder.path, "sweep") else _begun(work_folder)
        if begun is None:
            return _opened_sweep(finish(work_folder, lambda: True, on_message=on_message))
        return _carry_out(work_folder, begun, executor, on_progress, on_message, on_stop)


def is_sweep(target: Path) -> bool:
    """Whether an unfinished folder, given as NAME.partial or NAME, is that of a sweep."""
    path = partial_of(target)
    try:
        return bool(read_sealed(path / START).get("sweep"))
    except (OSError, RunFolderError):
        try:
            return bool(read_manifest(path, "sweep"))
        except RunFolderError:
            return False


def _work(scenario: Scenario, request: SweepRequest) -> _Work:
    """Everything that follows from scenario and request. Raises ScenarioError."""
    check_sweep(request)
    setup = prepare_job(scenario).setup
    space = checked_space(request.over, scenario)
    objectives = objectives_of(request.objective, setup)
    plan = plan_sweep(request, space, scenario, setup)
    libraries = _LIBRARIES.get(plan.method, ())
    rooms = ("tuning",) if libraries else ()
    start = Start(
        format_version=FORMAT_VERSION,
        flowdial_version=version(),
        name=plain_name(scenario.name),
        scenario=scenario.resolved_toml(),
        scenario_digest=scenario.digest,
        format="csv",
        code={**_code_of(scenario, space), "search": search_digest("sweeping", "comparison", "arena", *rooms)},
        versions=versions(*libraries),
        sweep=request.to_json(),
    )
    return _Work(scenario, request, space, objectives, plan, start)


def _code_of(scenario: Scenario, space: SweepSpace) -> dict[str, str]:
    """Digests of what plays the scenario, and of every other controller that a trial may have."""
    setup, catalog = setup_of(scenario, Catalog()), Catalog()
    found = code_digests(setup)
    for name in space.options:
        if name != scenario.controller:
            from dataclasses import replace

            kind = catalog.controller(name)
            found[name] = code_digests(replace(setup, kind=kind, options=kind.options()))["controller"]
    return found


def _begun(folder: WorkFolder) -> _Work:
    """What a sweep began with, which must be what it would begin with now."""

    def remade(path: Path, begun: Start) -> tuple[_Work, Start]:
        work = _work(scenario_in(path), SweepRequest.from_json(begun.sweep))
        return work, Start(**{**asdict(work.start), "name": begun.name})

    work, start = begun_work(folder, "sweep", remade)
    return work._replace(start=start)


def _carry_out(
    folder: WorkFolder,
    work: _Work,
    executor: Executor,
    on_progress: OnProgress,
    on_message: OnMessage,
    on_stop: OnSweepStop,
) -> FinishedSweep:
    """Carry a sweep out in its folder, and publish the folder."""
    scenario, request, space, objectives, plan, start = work
    began = time.monotonic()
    explorations: list[Exploration] = []

    def is_own() -> bool:
        catalog = Catalog()
        return all(catalog.has_own(scenario.form.game.name, name) for name in (scenario.controller, *space.options))

    def write() -> bool:
        with (
            SweepJournal(folder.path / SWEEP_JOURNAL, journal_seal(start)) as journal,
            TrialPlayer(scenario, *objectives, workers=executor, apart=not is_own(), on_message=on_message) as player,
        ):
            exploration = Exploration(
                plan,
                plan.begin(space, scenario.seed),
                player.play,
                journal,
                per_player=scenario.work // scenario.form.players.count,
                seconds=request.seconds,
                on_progress=on_progress,
            )
            explorations.append(exploration)
            outcome = exploration.run()
            answer = SweepAnswer(scenario, space, request, plan, objectives, player.metrics, outcome)
        names = write_sweep_files(folder.path, answer)
        write_file(folder.path / REPORT, sweep_page(answer, start).encode())
        write_sweep_manifest(folder.path, start, answer, [*names, REPORT], time.monotonic() - began)
        return True

    def stopped() -> None:
        best = explorations[0].best_so_far() if explorations else None
        if best is not None:
            what = settings_text(best.ask.settings, short_names(space.names))
            on_stop(f"Best so far: {what}. It may be good by luck: it was not measured on fresh players.")

    final = finish(
        folder,
        write,
        on_message=on_message,
        is_own=is_own,
        on_stop=stopped,
    )
    return _opened_sweep(final)


def _opened_sweep(final: Path | None) -> FinishedSweep:
    assert final is not None  # the work of a sweep is always enough
    return read_sweep(final)
