"""A scenario tuned for several tiers of difficulty: a folder with a study of each, one after the other.

A tier that is complete has its study under its name. The one under way is NAME.partial, as any study is, so that it is
resumed as one. What a tier is asked for follows from the studies before it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError
from engine.parameters import Value
from engine.scenario import Scenario
from sims.catalog import Catalog, scenario_in
from sims.run_folder.begun_search import begun_work, lacks_only_its_name, partial_of
from sims.run_folder.files import disk_faults, read_sealed
from sims.run_folder.folder import PARTIAL, START, Start, WorkFolder, begin, folder_state, has_manifest, take_up
from sims.run_folder.names import plain_name
from sims.runs.finish import finish
from sims.terminal import OnMessage, no_message
from sims.tuning.answer.best_so_far import BestSoFar
from sims.tuning.progress import OnStudyProgress, StudyProgress, no_study_progress
from sims.tuning.request import StudyRequest, TierPlace, attempts_of, check_request
from sims.tuning.study import Study
from sims.tuning.tiers.tier_answer import TierAnswer
from sims.tuning.tiers.tier_files import write_tiers
from sims.tuning.tiers.tier_order import Neighbour, Tier, order_of_work, tier_scenario, tiers_of
from sims.tuning.tiers.tuned_tiers import TunedTiers, read_tiers
from sims.tuning.tune import (
    Listeners,
    OnStop,
    StudyWork,
    begun_study,
    check_study,
    freed_scenario,
    no_stop,
    start_of_study,
    write_study,
)
from sims.tuning.tuned_study import TunedStudy, read_study
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor
from sims.workers.signals import Postponing

WEIGHT: Final = 0.25  # of the change from one tier to the next, see sims.tuning.search.least_change
_TIERS: Final = "tiers"


class TierRequest(NamedTuple):
    """What all tiers together are asked for."""

    tiers: tuple[Tier, ...]
    attempts: int
    seconds: float | None
    method: str
    near_default: float
    level: int | None
    staged: bool
    locks: tuple[str, ...]

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> TierRequest:
        """Inverse of `to_json`."""
        tiers = tuple(Tier(name, cohort) for name, cohort in found[_TIERS])
        return cls(**{**found, _TIERS: tiers, "locks": tuple(found["locks"])})

    def to_json(self) -> dict[str, Any]:
        """The request as values of JSON."""
        return {**self._asdict(), _TIERS: [list(tier) for tier in self.tiers], "locks": list(self.locks)}

    def of_tier(self, attempts: int, place: TierPlace) -> StudyRequest:
        """The request of one tier's study."""
        seconds = None if self.seconds is None else self.seconds / len(self.tiers)
        return StudyRequest(
            attempts, seconds, self.method, 1, self.near_default, self.level, self.staged, self.locks, tier=place
        )


def tune_tiers(
    scenario: Scenario | str | Path,
    *,
    tiers: Sequence[str] = (),
    budget: int | None = None,
    seconds: float | None = None,
    method: str = "pooled",
    lock: Sequence[str] = (),
    near_default: float = WEIGHT,
    level: int | None = None,
    staged: bool = False,
    out: Path | str | None = None,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnStudyProgress = no_study_progress,
    on_message: OnMessage = no_message,
    on_stop: OnStop = no_stop,
) -> TunedTiers:
    """Tune one setting for each player group, ordered knob by knob: an easier tier is harder in no knob.

    The groups are tiers in the order of the file, easiest first. Each setting meets the target of its own group.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        tiers: their names, easiest first; none to call them like the groups.
        budget: most attempts of all tiers together, from 1; None with `seconds` for no limit but the time.
        seconds: about how long all may take, above 0; the result then depends on the machine.
        method: of the search; docs/tuning.md compares them.
        lock: names of knobs to leave at their defaults.
        near_default: weight of the change between tiers, and of the first one from the defaults.
        level: the only level of a campaign to tune for, from 1; None for all levels.
        staged: tune the most influential knobs first, one group at a time.
        out: the folder, which may not exist yet; None for studies/<name>-tiers-001, -002 ..., the first that is free.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes a `StudyProgress` after each batch of settings.
        on_message: takes sentences for people.
        on_stop: takes the best setting so far of the tier under way when Ctrl-C or SIGTERM comes.

    Returns:
        The settings of all tiers.

    Raises:
        ScenarioError: the scenario cannot be tuned, or an argument is wrong.
        RunFolderError: the folder exists already.
        EnvironmentFault: the disk or a worker process failed, or a package is missing; what is finished is kept.
        PluginFault: the game failed too often.
        Stopped: Ctrl-C or SIGTERM came; it is a KeyboardInterrupt.

    Example:
        >>> import sims
        >>> sims.tune_tiers("quickstart", budget=300_000)["experts"].scenario  # doctest: +SKIP
    """
    free = freed_scenario(scenario, lock)
    asked = TierRequest(
        tiers_of(free, tiers), attempts_of(budget, seconds), seconds, method, near_default, level, staged, tuple(lock)
    )
    for tier in asked.tiers:
        request = asked.of_tier(asked.attempts // len(asked.tiers), TierPlace(len(asked.tiers)))
        check_request(request)
        check_study(request.problem_of(tier_scenario(free, tier)), request)
    start = _start_of(free, asked, f"{plain_name(free.name)}-tiers")
    listeners = Listeners(on_progress, on_message, on_stop)
    with executor_of(workers, on) as executor, Postponing():
        with disk_faults():
            folder = begin(None if out is None else Path(out), start)
        return _carry_out(folder, free, start, executor, listeners)


def resume_tiers(
    folder: Path | str,
    *,
    workers: int | None = None,
    on: str | None = None,
    on_progress: OnStudyProgress = no_study_progress,
    on_message: OnMessage = no_message,
    on_stop: OnStop = no_stop,
) -> TunedTiers:
    """Finish what `tune_tiers` had begun: complete tiers stay, the one under way is resumed from its journal.

    Args:
        folder: NAME.partial, or the NAME that it will have.
        workers: number of processes, from 1; None for one per core.
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
        on_progress: takes a `StudyProgress` after each batch of settings.
        on_message: takes sentences for people.
        on_stop: takes the best setting so far of the tier under way when Ctrl-C or SIGTERM comes.

    Returns:
        The settings of all tiers, byte for byte as if nothing had been stopped.

    Raises:
        RunFolderError: another process works on the folder, or scenario, code or versions have changed since.
        EnvironmentFault: the disk or a worker process failed.
        Stopped: Ctrl-C or SIGTERM came again.

    Example:
        >>> from sims import resume_tiers
        >>> tiers = resume_tiers("studies/mine-tiers-001.partial")  # doctest: +SKIP
    """
    listeners = Listeners(on_progress, on_message, on_stop)
    with executor_of(workers, on) as executor:
        with disk_faults():
            work_folder = take_up(Path(folder))
        with work_folder.closed_on_fault(), disk_faults():
            complete = lacks_only_its_name(work_folder.path, "tier-study")
            begun = None if complete else begun_work(work_folder, "tier-study", _remade)
        if begun is None:
            return _published(finish(work_folder, lambda: True, on_message=on_message))
        return _carry_out(work_folder, *begun, executor, listeners)


def is_tiers(target: Path) -> bool:
    """Whether an unfinished folder, given as NAME.partial or NAME, is one of tiers."""
    try:
        return _TIERS in read_sealed(partial_of(target) / START).get("study", {})
    except (OSError, RunFolderError):
        return False


def _start_of(scenario: Scenario, asked: TierRequest, name: str) -> Start:
    """What tiers begin with, with the current code and libraries."""
    first = asked.of_tier(asked.attempts, TierPlace(len(asked.tiers)))
    problem = first.problem_of(tier_scenario(scenario, asked.tiers[0]))
    start = start_of_study(problem, first, name)
    content = scenario.resolved_toml()
    return replace(start, scenario=content, scenario_digest=scenario.digest, study=asked.to_json())


def _remade(path: Path, begun: Start) -> tuple[Scenario, Start]:
    scenario = scenario_in(path)
    return scenario, _start_of(scenario, TierRequest.from_json(begun.study), begun.name)


def _carry_out(
    folder: WorkFolder, scenario: Scenario, start: Start, executor: Executor, listeners: Listeners
) -> TunedTiers:
    asked = TierRequest.from_json(start.study)
    under_way: list[tuple[StudyWork, Study]] = []

    def work() -> bool:
        began = time.monotonic()
        studies = _studies(folder, scenario, asked, executor, listeners, under_way)
        write_tiers(folder.path, start, TierAnswer(scenario, asked.tiers, studies), time.monotonic() - began)
        return True

    def stop() -> None:
        if under_way:
            tier_work, study = under_way[-1]
            listeners.on_stop(BestSoFar.of(tier_work.problem, study))

    final = finish(
        folder,
        work,
        on_message=listeners.on_message,
        is_own=lambda: Catalog().has_own(scenario.form.game.name, scenario.controller),
        on_stop=stop,
    )
    return _published(final)


def _studies(
    folder: WorkFolder,
    scenario: Scenario,
    asked: TierRequest,
    executor: Executor,
    listeners: Listeners,
    under_way: list[tuple[StudyWork, Study]],
) -> list[TunedStudy]:
    """The studies of all tiers, easiest first. under_way: gets the one that is being carried out."""
    found: dict[int, TunedStudy] = {}
    values: dict[int, Mapping[str, Value]] = {}
    left = asked.attempts
    for number, (place, other) in enumerate(order_of_work(len(asked.tiers))):
        tier, beside = asked.tiers[place], None
        if other is not None:
            beside = Neighbour(asked.tiers[other].name, "easier" if place < other else "harder", values[other])
        room = TierPlace(len(asked.tiers), beside.name if beside else "", dict(beside.values) if beside else {})
        request = asked.of_tier(left // (len(asked.tiers) - number), room)
        alone = tier_scenario(scenario, tier, beside)
        study = _study(folder.path / tier.name, alone, request, tier, executor, listeners, under_way)
        left -= study.attempts
        found[place] = study
        values[place] = {**(beside.values if beside else {}), **study.options[0].params}
    return [found[place] for place in sorted(found)]


def _study(
    path: Path,
    scenario: Scenario,
    request: StudyRequest,
    tier: Tier,
    executor: Executor,
    listeners: Listeners,
    under_way: list[tuple[StudyWork, Study]],
) -> TunedStudy:
    """The study of one tier: read where it is complete, otherwise begun or resumed."""
    if has_manifest(path):
        return read_study(path)
    partial = path.with_name(path.name + PARTIAL)
    if folder_state(partial) == "begun":
        own = take_up(partial)
        work = begun_study(own)
    else:
        problem = request.problem_of(scenario)
        start = start_of_study(problem, request, tier.name)
        own = begin(path, start)
        work = StudyWork(own, problem, request, start)
    with own.closed_on_fault():
        if work is not None:
            begun = work

            def heard(progress: StudyProgress) -> None:
                listeners.on_progress(progress._replace(tier=tier.name))

            write_study(
                begun,
                executor,
                listeners._replace(on_progress=heard),
                lambda study: under_way.append((begun, study)),
            )
        return read_study(own.publish())


def _published(final: Path | None) -> TunedTiers:
    assert final is not None  # the work of tiers is always enough
    return read_tiers(final)
