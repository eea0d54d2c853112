"""A scenario tuned to a study folder: begin a study, or resume one that was stopped.

The first Ctrl-C or SIGTERM keeps the journal and raises Stopped; a second one ends the process at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog, scenario_in, version
from sims.run_folder.begun_search import begun_work, journal_seal, lacks_only_its_name, partial_of
from sims.run_folder.files import disk_faults, read_sealed
from sims.run_folder.folder import (
    FORMAT_VERSION,
    START,
    Start,
    WorkFolder,
    begin,
    take_up,
)
from sims.run_folder.names import plain_name
from sims.run_folder.provenance import code_digests, search_digest, versions
from sims.runs.finish import finish
from sims.runs.preflight import check_rules
from sims.terminal import OnMessage, no_message
from sims.tuning.answer.answer import answer_of
from sims.tuning.answer.as_json import write_answer
from sims.tuning.answer.best_so_far import BestSoFar
from sims.tuning.answer.skill_order import find_contradiction
from sims.tuning.answer.study_page import write_study_report
from sims.tuning.budget import search_budget
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.journal import Journal
from sims.tuning.problem import Problem, free_knobs, load_free, problem_of
from sims.tuning.progress import OnStudyProgress, no_study_progress
from sims.tuning.request import StudyRequest, attempts_of, check_budget, check_request
from sims.tuning.search.methods import begin_search
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.searcher import Searcher
from sims.tuning.search.staged_search import StagedSearch
from sims.tuning.simulator import Simulator
from sims.tuning.study import SearchTask, Study, StudyLimits, StudyRecord
from sims.tuning.study_files import write_study_manifest, write_study_results
from sims.tuning.tuned_study import TunedStudy, read_study
from sims.tuning.warm_start import earlier_tells
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor
from sims.workers.signals import Postponing

OnStop = Callable[[BestSoFar], None]  # is called on Ctrl-C and SIGTERM, before Stopped is raised
_LIBRARIES: Final = {"tpe": ("optuna",), "gp": ("optuna", "torch")}  # that a method depends on besides
_POOLED: Final = "pooled"  # the method that learns from all counts
_SEEDS: Final = 1 << 63  # number of seeds


def no_stop(best: BestSoFar) -> None:
    """Show nothing."""


def tune(
    scenario: Scenario | str | Path,
    *,
    budget: int | None = None,
    seconds: float | None = None,
    method: str = _POOLED,
    lock: Sequence[str] = (),
    options: int = 3,
    near_default: float = 0.0,
    level: int | None = None,
    staged: bool = False,
    warm_start: Path | str | None = None,
    out: Path | str | None = None,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnStudyProgress = no_study_progress,
    on_message: OnMessage = no_message,
    on_stop: OnStop = no_stop,
) -> TunedStudy:
    """Tune the knobs of a game until every player group is on target, and leave a study folder.

    Every knob is tuned that the scenario file does not hold in [game.params], within [game.bounds]. Of a scenario that
    was read before, every knob is tuned that its dial moves. The dial and the controller themselves are not used.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        budget: most attempts, from 1; None with `seconds` for no limit but the time.
        seconds: about how long the study may take, above 0; the result then depends on the machine.
        method: of the search; docs/tuning.md compares them.
        lock: names of knobs to leave at their defaults.
        options: most settings to end with, 1 to 8.
        near_default: weight of change, from 0; at 1, changing all knobs from end to end is as bad as missing every
            target by its tolerance.
        level: the only level of a campaign to tune for, from 1; None for all levels.
        staged: tune the most influential knobs first, one group at a time.
        warm_start: folder of an earlier study, whose counts the search begins with.
        out: the folder, which may not exist yet; None for studies/<name>-001, -002 ..., the first that is free.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes a `StudyProgress` after each batch of settings.
        on_message: takes sentences for people, such as how to resume a study that was stopped.
        on_stop: takes the best setting so far when Ctrl-C or SIGTERM comes.

    Returns:
        The complete study.

    Raises:
        ScenarioError: the scenario cannot be tuned, or an argument is wrong.
        RunFolderError: the folder exists already, or `warm_start` is not a complete study.
        EnvironmentFault: the disk or a worker process failed, or a package is missing; the journal is kept.
        PluginFault: the game failed too often.
        Stopped: Ctrl-C or SIGTERM came; it is a KeyboardInterrupt.

    Example:
        >>> import sims
        >>> sims.tune("quickstart", budget=100_000).options[0].scenario  # doctest: +SKIP
    """
    attempts = attempts_of(budget, seconds)
    request = StudyRequest(attempts, seconds, method, options, near_default, level, staged, tuple(lock))
    check_request(request)
    problem = problem_of(freed_scenario(scenario, lock), level, lock)
    if warm_start is not None:
        request = replace(request, earlier=tuple(earlier_tells(Path(warm_start), problem)))
    check_study(problem, request)
    if contradiction := find_contradiction(problem):
        on_message(f"warning: {contradiction}")
    start = start_of_study(problem, request, plain_name(problem.scenario.name))
    listeners = Listeners(on_progress, on_message, on_stop)
    with executor_of(workers, on) as executor, Postponing():
        with disk_faults():
            folder = begin(None if out is None else Path(out), start)
        return _carry_out(StudyWork(folder, problem, request, start), executor, listeners)


def check_study(problem: Problem, request: StudyRequest) -> None:
    """Raise ScenarioError or PluginFault for a study that cannot be, before there is a folder of it."""
    check_budget(problem, request.attempts)
    check_rules(Catalog().game(problem.scenario.form.game.name))
    most = search_budget(request.attempts, problem.segments, effort=problem.effort())
    _begin(problem, request, SearchTask(most, problem.segments))


def resume_study(
    folder: Path | str,
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnStudyProgress = no_study_progress,
    on_message: OnMessage = no_message,
    on_stop: OnStop = no_stop,
) -> TunedStudy:
    """Finish a study that was stopped: the counts in its journal are used again, the rest is played.

    Args:
        folder: NAME.partial, or the NAME that it will have.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes a `StudyProgress` after each batch of settings.
        on_message: takes sentences for people.
        on_stop: takes the best setting so far when Ctrl-C or SIGTERM comes.

    Returns:
        The complete study, byte for byte as if it had not been stopped.

    Raises:
        RunFolderError: another process works on the folder, or scenario, code or versions have changed since.
        EnvironmentFault: the disk or a worker process failed.
        Stopped: Ctrl-C or SIGTERM came again.

    Example:
        >>> from sims import resume_study
        >>> study = resume_study("studies/mine-001.partial")  # doctest: +SKIP
    """
    with executor_of(workers, on) as executor:
        return _resume(Path(folder), executor, Listeners(on_progress, on_message, on_stop))


def _resume(folder: Path, executor: Executor, listeners: Listeners) -> TunedStudy:
    with disk_faults():
        work_folder = take_up(folder)
    work = begun_study(work_folder)
    if work is None:
        return _published(finish(work_folder, lambda: True, on_message=listeners.on_message))
    return _carry_out(work, executor, listeners)


def begun_study(folder: WorkFolder) -> StudyWork | None:
    """What is left to do in the folder of a study; None where it lacks only its final name.

    The folder is closed where that raises RunFolderError: scenario, code or versions have changed since.
    """
    with folder.closed_on_fault(), disk_faults():
        return None if lacks_only_its_name(folder.path, "study") else StudyWork(folder, *_begun(folder))


def is_study(target: Path) -> bool:
    """Whether an unfinished folder, given as NAME.partial or NAME, is that of a study."""
    path = partial_of(target)
    try:
        return bool(read_sealed(path / START).get("study"))
    except (OSError, RunFolderError):
        return (path / JOURNAL).is_file()


def start_of_study(problem: Problem, request: StudyRequest, name: str) -> Start:
    """What a study begins with, with the current code and libraries."""
    scenario = problem.scenario
    return Start(
        format_version=FORMAT_VERSION,
        flowdial_version=version(),
        name=name,
        scenario=scenario.resolved_toml(),
        scenario_digest=scenario.digest,
        format="csv",
        code={**code_digests(setup_of(scenario, Catalog())), "search": search_digest("tuning")},
        versions=versions(*_LIBRARIES.get(request.method, ())),
        study=request.to_json(),
    )


def freed_scenario(scenario: Scenario | str | Path, locks: Sequence[str]) -> Scenario:
    """A scenario with a dial that moves all knobs to tune."""
    if isinstance(scenario, str | Path):
        return replace(load_free(Catalog().scenario(str(scenario)), locks=locks), name=str(scenario))
    return free_knobs(scenario, locks)


def _begun(folder: WorkFolder) -> tuple[Problem, StudyRequest, Start]:
    """What a study began with, which must be what it would begin with now."""

    def remade(path: Path, begun: Start) -> tuple[tuple[Problem, StudyRequest], Start]:
        request = StudyRequest.from_json(begun.study)
        problem = request.problem_of(scenario_in(path))
        return (problem, request), start_of_study(problem, request, begun.name)

    (problem, request), start = begun_work(folder, "study", remade)
    return problem, request, start


def _begin(problem: Problem, request: StudyRequest, task: SearchTask) -> Searcher:
    """Begin a search. The pooled method learns from earlier counts; the others begin at the best of their points."""
    start, known = task.start or problem.start, task.known or request.earlier
    if known and task.start is None:
        board = Scoreboard(problem.search_space, task.segments, start)
        board.add(known)
        (start,) = board.best(1)
    method = partial(begin_search, request.method)
    # What goes on has other luck than what it goes on from.
    seed = problem.scenario.seed if task.start is None else (problem.scenario.seed + 1) % _SEEDS
    place = (problem.search_space, task.segments, seed, task.attempts, start)
    if request.staged and task.start is None:
        return StagedSearch(*place, method, request.earlier)
    search = method(*place)
    if known and request.method == _POOLED:
        search.tell(known)
    return search


class Listeners(NamedTuple):
    """What the caller wants to hear of a study."""

    on_progress: OnStudyProgress
    on_message: OnMessage
    on_stop: OnStop


class StudyWork(NamedTuple):
    """A study to carry out."""

    folder: WorkFolder
    problem: Problem
    request: StudyRequest
    start: Start


def _carry_out(work: StudyWork, executor: Executor, listeners: Listeners) -> TunedStudy:
    """Carry a study out in its folder, and publish the folder."""
    scenario = work.problem.scenario
    studies: list[Study] = []
    final = finish(
        work.folder,
        lambda: write_study(work, executor, listeners, studies.append),
        on_message=listeners.on_message,
        is_own=lambda: Catalog().has_own(scenario.form.game.name, scenario.controller),
        on_stop=lambda: listeners.on_stop(BestSoFar.of(work.problem, studies[0])) if studies else None,
    )
    return _published(final)


def write_study(work: StudyWork, executor: Executor, listeners: Listeners, on_begin: Callable[[Study], None]) -> bool:
    """Carry a study out and write all its files; return True, since that is always enough.

    on_begin: takes the study before it plays anything. Raises what `tune` raises.
    """
    folder, problem, request, start = work
    began = time.monotonic()

    def play() -> StudyRecord:
        with (
            Journal(folder.path / JOURNAL, journal_seal(start)) as journal,
            Simulator(problem, workers=executor, on_message=listeners.on_message) as simulator,
        ):
            study = Study(
                problem,
                partial(_begin, problem, request),
                simulator.tells,
                journal,
                StudyLimits(request.attempts, request.seconds),
                options=request.options,
                near_default=request.near_default,
                earlier=request.earlier,
                effort=problem.effort(),
                speed=lambda: simulator.attempts_per_s,
                tiers=0 if request.tier is None else request.tier.of,
                on_progress=listeners.on_progress,
            )
            on_begin(study)
            return study.run()

    try:
        answer = answer_of(play())
    except ScenarioError:  # the method refuses the attempts that a time limit leaves it
        folder.abandon()
        raise
    names = [*write_study_results(folder.path, answer.record), write_answer(folder.path, answer)]
    names.append(write_study_report(folder.path, answer, start))
    write_study_manifest(folder.path, start, answer.record, names, time.monotonic() - began)
    return True


def _published(final: Path | None) -> TunedStudy:
    assert final is not None  # the work of a study is always enough
    return read_study(final)
