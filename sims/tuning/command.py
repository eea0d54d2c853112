"""Tune a scenario from its file to an answer, and take up a study that was stopped.

Progress and messages go to stderr, results to stdout. The first Ctrl-C or SIGTERM ends with the best setting found so
far and keeps the journal; a second one ends at once.
"""

from __future__ import annotations

import hashlib
import json as json_text
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import Scenario, load, setup_of
from engine.scenario_file.faults import printable
from sims.catalog import Catalog, version
from sims.run_folder.files import file_fault, read_sealed
from sims.run_folder.folder import (
    FORMAT_VERSION,
    MANIFEST,
    PARTIAL,
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
)
from sims.run_folder.names import plain_name
from sims.run_folder.provenance import code_digests, search_digest, versions
from sims.runs.finish import after_plugin, is_of_plugin
from sims.terminal import quoted, say
from sims.tuning.answer.answer import Answer, answer_of
from sims.tuning.answer.as_json import answer_json
from sims.tuning.answer.report import write_report
from sims.tuning.answer.sentences import answer_text
from sims.tuning.answer.skill_order import find_contradiction
from sims.tuning.answer.table import candidate_json, table
from sims.tuning.budget import least_budget, search_budget
from sims.tuning.journal import NAME as JOURNAL
from sims.tuning.journal import Journal
from sims.tuning.problem import Problem, problem_of
from sims.tuning.progress import study_meter
from sims.tuning.search.counts import Tell
from sims.tuning.search.methods import begin_search
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.searcher import Searcher
from sims.tuning.search.staged_search import StagedSearch
from sims.tuning.simulator import Simulator
from sims.tuning.study import Study, StudyLimits
from sims.tuning.study_files import COUNTS, write_results, write_study_manifest
from sims.workers.cores import cores
from sims.workers.signals import Stopped, Stopping

LONG_BUDGET: Final = 200_000_000  # attempts that are not begun by accident
LARGEST_BUDGET: Final = 5_000_000_000
_LIBRARIES: Final = {"tpe": ("optuna",), "gp": ("optuna", "torch")}  # that a method depends on besides
_POOLS: Final = "pooled"  # the method to which every count tells something, whoever asked for it


@dataclass(frozen=True)
class StudyRequest:
    """What a study is asked for besides its scenario."""

    attempts: int
    seconds: float | None = None
    method: str = _POOLS
    options: int = 3
    near_default: float = 0.0
    level: int | None = None
    staged: bool = False
    locks: tuple[str, ...] = ()  # knobs that the scenario holds for this study alone
    earlier: tuple[Tell, ...] = ()  # what an earlier study was told

    @classmethod
    def of(cls, study: Mapping[str, Any]) -> StudyRequest:
        """Inverse of dataclasses.asdict, after JSON."""
        earlier = tuple(
            Tell(tuple(point), tuple(attempts), tuple(wins), block) for point, attempts, wins, block in study["earlier"]
        )
        return cls(**{**study, "locks": tuple(study["locks"]), "earlier": earlier})


def attempts_for(
    budget: int | None, seconds: float | None, money: float | None, price: float | None, *, allow_long: bool
) -> int:
    """Most attempts of a study by what was typed. price: of a million attempts. Raises ScenarioError."""
    if (money is None) != (price is None):
        raise ScenarioError("--money is spent at a price, and --price-per-million says which: give both or neither")
    if budget is None and seconds is None and money is None:
        raise ScenarioError(
            "a study needs a limit: --budget in attempts, --seconds, or --money with --price-per-million; "
            "--budget 100000 is a good beginning"
        )
    most = LARGEST_BUDGET if allow_long else LONG_BUDGET
    if budget is not None and budget > most:
        remedy = "" if allow_long else "; give less, or add --allow-long"
        raise ScenarioError(f"--budget is at most {most:,} attempts, got {budget:,}{remedy}")
    affordable = most if money is None or price is None else int(min(money / price * 1e6, most))
    return min(affordable, budget if budget is not None else most)


def tune(
    scenario: Scenario,
    request: StudyRequest,
    *,
    out: Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Tune a scenario of sims.tuning.problem.free_scenario, leave the folder of a study, print what was found.

    out: the folder, None for studies/<name>-001, -002 ... whichever is free; workers: processes, None for one per
    core. Returns the exit code. Raises ScenarioError for what cannot be tuned, RunFolderError when the folder is there
    already, EnvironmentFault when the disk is in the way, and what a plug-in's fault became, see sims.workers.pool.
    """
    problem = problem_of(scenario, request.level, request.locks)
    _check_budget(problem, request)
    contradiction = find_contradiction(problem)
    if contradiction:
        say(f"warning: {contradiction}")
    start = start_of(problem, request, plain_name(scenario.name))
    _search_of(problem, request, search_budget(request.attempts, problem.segments))  # or there is no folder
    try:
        folder = begin(out, start)
    except OSError as fault:
        raise file_fault(fault) from fault
    return _to_the_end(folder, problem, request, start, workers, quiet=quiet, json=json)


def _check_budget(problem: Problem, request: StudyRequest) -> None:
    """Raise ScenarioError where so few attempts could never say that anything meets the targets."""
    least = least_budget(problem.segments)
    narrowest = min(problem.segments, key=lambda segment: segment.tolerance)
    band = f"the band of {narrowest.name}, {narrowest.low:g} to {narrowest.high:g}"
    if least > LARGEST_BUDGET:
        raise ScenarioError(
            f"{printable(problem.scenario.name)}: {band}, is narrower than {LARGEST_BUDGET:,} attempts can tell; "
            "give it a larger tolerance"
        )
    if least > request.attempts:
        raise ScenarioError(
            f"{printable(problem.scenario.name)}: with {request.attempts:,} attempts no setting could be said to meet "
            f"the targets: {band}, is too narrow for that; give a budget of {math.ceil(least):,} at the very least, ten "
            "times as many to find something, or a larger tolerance"
        )


def is_study(target: Path) -> bool:
    """Whether an unfinished folder, by its name or by the one it will have, is that of a study."""
    path = target if target.name.endswith(PARTIAL) else target.with_name(target.name + PARTIAL)
    try:
        return bool(read_sealed(path / START).get("study"))
    except (OSError, RunFolderError):
        return (path / JOURNAL).is_file()


def resume(target: Path, *, workers: int | None = None, quiet: bool = False, json: bool = False) -> int:
    """Take up a study that was stopped: what its journal holds is told again, the rest is played; the exit code.

    Raises RunFolderError when somebody works on the folder, or when scenario, code or versions are not those that
    the study began with; the message names the first difference.
    """
    try:
        folder = take_up(target)
    except OSError as fault:
        raise file_fault(fault) from fault
    try:
        if (folder.path / MANIFEST).is_file() and not (folder.path / START).is_file():
            return _publish(folder)
        begun = folder.read_start()
        request = StudyRequest.of(begun.study)
        path = folder.path / SCENARIO
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        difference = changed_line(begun.scenario, text)
        if difference is None:
            problem = problem_of(load(path, Catalog(), allow_long=True), request.level, request.locks)
            difference = begun.difference(start_of(problem, request, begun.name))
        if difference is not None:
            raise RunFolderError(f"{folder.path} cannot be resumed, since {difference}; tune the scenario anew.")
    except OSError as fault:
        folder.close()
        raise file_fault(fault) from fault
    except BaseException:
        folder.close()
        raise
    return _to_the_end(folder, problem, request, begun, workers, quiet=quiet, json=json)


def _publish(folder: WorkFolder) -> int:
    """Give a study its final name that was stopped just before it; the exit code."""
    changed = changed_files(folder.path, read_manifest(folder.path, "study"))
    if changed:
        raise RunFolderError(f"{folder.path / changed[0]} is not as the study wrote it; tune the scenario anew.")
    sys.stdout.write(f"{folder.publish()}\n")
    return 0


def start_of(problem: Problem, request: StudyRequest, name: str) -> Start:
    """What a study begins with, with the code and the libraries of this moment."""
    scenario = problem.scenario
    return Start(
        format_version=FORMAT_VERSION,
        flowdial_version=version(),
        name=name,
        scenario=scenario.resolved_toml(),
        scenario_digest=scenario.digest,
        format="csv",
        code={**code_digests(setup_of(scenario, Catalog())), "search": search_digest()},
        versions=versions(*_LIBRARIES.get(request.method, ())),
        study={
            **asdict(request),
            "locks": list(request.locks),
            "earlier": [_json_of_tell(tell) for tell in request.earlier],
        },
    )


def _json_of_tell(tell: Tell) -> list[Any]:
    return [list(tell.point), list(tell.attempts), list(tell.wins), tell.block]


def _search_of(problem: Problem, request: StudyRequest, attempts: int) -> Searcher:
    """A fresh search of the method that is wished for. Of earlier counts, a method that pools learns from all.

    The others begin at the best point of them.
    """
    start = problem.start
    if request.earlier:
        board = Scoreboard(problem.search_space, problem.segments, start)
        board.add(request.earlier)
        (start,) = board.best(1)
    begin = partial(begin_search, request.method)
    seed = problem.scenario.seed
    if request.staged:
        return StagedSearch(problem.search_space, problem.segments, seed, attempts, start, begin, request.earlier)
    search = begin(problem.search_space, problem.segments, seed, attempts, start)
    if request.earlier and request.method == _POOLS:
        search.tell(request.earlier)
    return search


def _to_the_end(
    folder: WorkFolder,
    problem: Problem,
    request: StudyRequest,
    start: Start,
    workers: int | None,
    *,
    quiet: bool,
    json: bool,
) -> int:
    """Carry the study out, publish its folder and print what was found; the exit code.

    Whatever ends it early, the journal is kept, and stderr says how to go on.
    """
    began = time.monotonic()
    count = workers if workers is not None else cores()
    study: Study | None = None
    try:
        with Stopping() as stopping:
            with (
                Journal(folder.path / JOURNAL, _seal(start)) as journal,
                Simulator(problem.scenario, problem.segments, workers=count) as simulator,
            ):
                study = Study(
                    problem,
                    lambda attempts: _search_of(problem, request, attempts),
                    simulator.tells,
                    journal,
                    StudyLimits(request.attempts, request.seconds),
                    options=request.options,
                    near_default=request.near_default,
                    earlier=request.earlier,
                    speed=lambda: simulator.attempts_per_s,
                    on_batch=study_meter(problem.segments, quiet=quiet),
                )
                answer = answer_of(study.run())
            names = [*write_results(folder.path, answer.record), write_report(folder.path, answer, start)]
            write_study_manifest(folder.path, start, answer.record, names, time.monotonic() - began)
            stopping.hold()
            final = folder.publish()
    except Stopped as stop:
        if study is not None:
            _print_best(problem, study, json=json)
        say(f"stopped; the journal is kept. To go on: flowdial resume {quoted(folder.path)}")
        return stop.exit_code
    except OSError as fault:
        _say_how_to_go_on(folder)
        raise file_fault(fault) from fault
    except ScenarioError:  # the method refuses what a limit of seconds leaves to it
        folder.abandon()
        raise
    except Exception as fault:
        scenario = problem.scenario
        if is_of_plugin(fault, is_own=lambda: Catalog().has_own(scenario.form.game.name, scenario.controller)):
            say(after_plugin(folder))
        else:
            _say_how_to_go_on(folder)
        raise
    finally:
        folder.close()
    _print(final, answer, quiet=quiet, json=json)
    return 0


def _say_how_to_go_on(folder: WorkFolder) -> None:
    if folder.found == folder.path:
        say(f"the journal is kept. To go on: flowdial resume {quoted(folder.path)}")


def _seal(start: Start) -> str:
    """What binds a journal to the study that it is of."""
    return hashlib.sha256(json_text.dumps(asdict(start), sort_keys=True).encode()).hexdigest()


def _print(final: Path, answer: Answer, *, quiet: bool, json: bool) -> None:
    if json:
        sys.stdout.write(json_text.dumps({"folder": str(final), **answer_json(answer)}, indent=1) + "\n")
    elif quiet:
        sys.stdout.write(f"{final}\n")
    else:
        places = {"report": final / REPORT, "counts": final / COUNTS, "folder": final}
        lines = "\n".join(f"{what}  {path}" for what, path in places.items())
        sys.stdout.write(f"{answer_text(answer)}\n\n{lines}\n")


def _print_best(problem: Problem, study: Study, *, json: bool) -> None:
    """The best so far of a study that was stopped, and beside it what was played, where the best was not."""
    best = {"best so far": study.best()}
    if not any(best["best so far"].attempts):
        best["best played"] = study.best_played()
    if json:
        found = {name.replace(" ", "_"): candidate_json(problem, one) for name, one in best.items()}
        sys.stdout.write(json_text.dumps(found, indent=1) + "\n")
    else:
        sys.stdout.write(
            f"{table(problem, best)}\n\nBest so far by what the search has seen, which flatters: not measured on fresh "
            "players.\n"
        )
