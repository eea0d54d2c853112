"""Controllers on the same players with the same luck, scored by the true win probability behind each attempt.

Each entrant plays each course. Only scores are kept, never the rows. All entrants of a course are scored by the scope
of its scenario, so that all are compared on the same players. Scores are put together in the order of their keys, so
the number of workers does not change the result.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, Final, NamedTuple

import numpy as np

from engine.controller import ControllerKind
from engine.errors import FlowdialError, PluginFault, ScenarioError
from engine.faults import Fault
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, belief_columns, chunks, simulate
from sims.arena.score import scores_of
from sims.arena.true_chances import Judge, judge_of
from sims.catalog import Catalog
from sims.terminal import OnMessage, OnProgress, announce, no_message, no_progress
from sims.workers.executor import Workers, executor_for

LIMIT: Final = "bayes_limit"  # the errors of all others are divided by its error
STATIC: Final = "best_static"  # regret is measured against it


class Entrant(NamedTuple):
    """A controller that is compared."""

    controller: str
    options: tuple[tuple[str, float], ...] = ()  # name and value of those that differ from the default

    @property
    def label(self) -> str:
        """Its name in tables."""
        return " ".join([self.controller, *(f"{name}={value:.6g}" for name, value in self.options)])


class Course(NamedTuple):
    """A scenario that the entrants play; its own controller does not play."""

    name: str
    scenario: Scenario
    unscored: int = 0  # attempts at the start of each session that do not count, whether thrown or not


class CourseTask(NamedTuple):
    """Some players of one course with one entrant."""

    course: int
    entrant: int
    chunk: Chunk


class TaskScores(NamedTuple):
    """What a task returns."""

    scores: Any  # score.SCORE records; None after a fault
    attempts: int
    seconds: float  # of one core
    fault: Fault | None = None  # the first one of its controller or game; then nothing counts


class CourseScores(NamedTuple):
    """The scores of all entrants, by the names of course and entrant.

    Attributes:
        scores: one score.SCORE record for each track.
        microseconds: of one core, for each attempt, the players' world included.
        absent: why an entrant cannot play a course, or why its attempts do not count.
        faulty: the keys of `absent` whose controller or game raised an error.
    """

    scores: dict[tuple[str, str], Any]
    microseconds: dict[tuple[str, str], float]
    absent: dict[tuple[str, str], str]
    faulty: frozenset[tuple[str, str]] = frozenset()


def refuse_schedule(scenario: Scenario) -> None:
    """Raise ScenarioError where options of the scenario's controller change: entrants have fixed ones."""
    if scenario.form.controller.gain is not None or scenario.form.controller.piecewise:
        raise ScenarioError(
            "controllers are compared with fixed options here, but those of this scenario change with outcomes; remove "
            "[controller.gain] and [controller.piecewise], or use flowdial compare"
        )


def entrant_of(kind: ControllerKind, given: Mapping[str, float]) -> Entrant:
    """A controller with these options. Raises ScenarioError for an unknown name or a value out of range."""
    known = {option.name: option for option in kind.option_list}
    for name, value in given.items():
        if name not in known:
            raise ScenarioError(
                f"{kind.name} has no option {name[:64]!r}; its options are {', '.join(known) or 'none'}"
            )
        option = known[name]
        if not option.low <= value <= option.high:
            raise ScenarioError(
                f"{kind.name}: {name} must be a number from {option.low:g} to {option.high:g} ({option.meaning}), "
                f"got {value:g}"
            )
    usual = kind.options()._asdict()
    return Entrant(
        kind.name, tuple((name, float(given[name])) for name in known if given.get(name, usual[name]) != usual[name])
    )


def setup_with(base: Setup, entrant: Entrant, catalog: Catalog) -> Setup:
    """A scenario's setup with another controller, at its own defaults except for the entrant's options.

    The scope is the scenario's if the controller knows it, else the controller's first. best_static gets the horizon of
    the scenario unless it is given: it is the best for these attempts and sessions.
    """
    kind = catalog.controller(entrant.controller)
    scope = base.scope if base.scope in kind.scopes else kind.scopes[0]
    usual = _horizon(base) if kind.name == STATIC else {}
    return dataclasses.replace(base, kind=kind, options=kind.options(**{**usual, **dict(entrant.options)}), scope=scope)


def _horizon(base: Setup) -> dict[str, float]:
    """How long players play: their attempts, and those of a session (all of them if sessions have no limit)."""
    attempts = float(base.attempts_per_player)
    return {"attempts": attempts, "session": base.flow.session_attempts or attempts}


def refusal(base: Setup, setup: Setup) -> str | None:
    """Why a controller cannot play a scenario, or None. base: the scenario with its own; setup: with this one."""
    if base.deploy_every_s > 0.0 and setup.scope == "player" and base.scope != "player":
        return f"{setup.kind.name} sets the difficulty for each player, but here players get their settings together"
    if setup.kind.name == LIMIT and setup.scope != base.scope:
        return f"{LIMIT} does not support scope {base.scope}"
    try:
        with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
            belief_columns(setup)
    except MemoryError:
        raise
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
        return " ".join(str(fault).split())[:300] or type(fault).__name__
    return None


def refuse_unplayable(scenario: Scenario, entrants: Sequence[Entrant], catalog: Catalog) -> None:
    """Raise ScenarioError for controllers that cannot play a scenario."""
    base = setup_of(scenario, catalog)
    reasons = [(entrant, refusal(base, setup_with(base, entrant, catalog))) for entrant in entrants]
    faults = [f"{scenario.name}: {entrant.label} cannot play: {reason}" for entrant, reason in reasons if reason]
    if faults:
        raise ScenarioError(*faults)


def score_courses(
    courses: Sequence[Course],
    entrants: Sequence[Entrant],
    *,
    workers: Workers,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> CourseScores:
    """Score every entrant on every course that it can play.

    Args:
        courses: what is played.
        entrants: the controllers.
        workers: to play them with, at most.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences: how long it will take, and that a worker was lost.
    """
    catalog, executor = Catalog(), executor_for(workers)
    bases = [setup_of(course.scenario, catalog) for course in courses]
    absent = {
        (course.name, entrant.label): reason
        for course, base in zip(courses, bases, strict=True)
        for entrant in entrants
        if (reason := refusal(base, setup_with(base, entrant, catalog))) is not None
    }
    tasks = [
        CourseTask(c, e, chunk)
        for c, course in enumerate(courses)
        for e, entrant in enumerate(entrants)
        if (course.name, entrant.label) not in absent
        for chunk in chunks(bases[c])  # by the scenario's scope: players that are scored together play together
    ]
    work = [_most_attempts(bases[task.course], task.chunk) for task in tasks]
    parts: dict[int, TaskScores] = {}
    done = 0
    announce(sum(work), executor.workers, on_message)  # before anything is measured or compiled
    judges = [judge_of(base, threads=executor.workers, on_message=on_message) for base in bases]
    shared = tuple(courses), tuple(entrants), tuple(judges)
    chosen: dict[str, Any] = {"most": len(tasks), "noun": "comparison", "on_message": on_message}
    with executor.pool(prepare_courses, shared, play_and_score, **chosen) as pool:
        for number, part in pool.run(enumerate(tasks)):
            parts[number] = part
            done += work[number]
            on_progress(done, sum(work))
    keys = [(courses[task.course].name, entrants[task.entrant].label) for task in tasks]
    return _put_together(keys, [parts[number] for number in range(len(tasks))], absent)


def _most_attempts(setup: Setup, chunk: Chunk) -> int:
    return (chunk.size if chunk.cohort >= 0 else setup.players) * setup.attempts_per_player


def _put_together(
    keys: Sequence[tuple[str, str]], parts: Sequence[TaskScores], refused: Mapping[tuple[str, str], str]
) -> CourseScores:
    """Join the parts of each course and entrant. Those with a fault are absent. refused: why others are."""
    absent, faulty = dict(refused), []
    by_key: dict[tuple[str, str], list[TaskScores]] = {}
    for key, part in zip(keys, parts, strict=True):
        by_key.setdefault(key, []).append(part)
        fault = part.fault
        if fault is not None:
            error = f"{fault.type}: {fault.message}" if fault.message else fault.type
            faulty.append(key)
            absent.setdefault(key, f"its controller or the game raised {error} (player {fault.player})")
    by_key = {key: own for key, own in by_key.items() if key not in absent}
    seconds = {key: sum(part.seconds for part in own) for key, own in by_key.items()}
    return CourseScores(
        {key: np.concatenate([part.scores for part in own]) for key, own in by_key.items()},
        {key: 1e6 * seconds[key] / max(sum(part.attempts for part in own), 1) for key, own in by_key.items()},
        absent,
        frozenset(faulty),
    )


def refuse_absent(scores: CourseScores) -> None:
    """Raise PluginFault, with the first reason, if the attempts of any entrant do not count."""
    for (course, name), why in scores.absent.items():
        raise PluginFault(f"{course}: {name} is left out: {why}.")


class CourseSetups:
    """What a worker needs for its tasks, made when it is first needed."""

    def __init__(self, courses: Sequence[Course], entrants: Sequence[Entrant], judges: Sequence[Judge]) -> None:
        self.courses, self.entrants, self.judges = courses, entrants, judges
        self._catalog = Catalog()
        self._bases: dict[int, Setup] = {}
        self._setups: dict[tuple[int, int], Setup] = {}

    def base(self, course: int) -> Setup:
        """A course's scenario with its own controller."""
        if course not in self._bases:
            self._bases[course] = setup_of(self.courses[course].scenario, self._catalog)
        return self._bases[course]

    def setup(self, task: CourseTask) -> Setup:
        """The setup of a task. When it is made, all players play one attempt, so that kernels are compiled then."""
        key = task.course, task.entrant
        if key not in self._setups:
            setup = setup_with(self.base(task.course), self.entrants[task.entrant], self._catalog)
            simulate(dataclasses.replace(setup, attempts_per_player=1), task.chunk)
            self._setups[key] = setup
        return self._setups[key]


def prepare_courses(argument: tuple[tuple[Course, ...], tuple[Entrant, ...], tuple[Judge, ...]]) -> CourseSetups:
    """Prepare what the tasks of a worker share."""
    return CourseSetups(*argument)


def play_and_score(setups: CourseSetups, task: CourseTask) -> TaskScores:
    """Play some players and score them, except for attempts that they throw on purpose."""
    course, entrant = setups.courses[task.course], setups.entrants[task.entrant]
    try:
        setup = setups.setup(task)
        began_s = time.process_time()
        played = simulate(setup, task.chunk)
        seconds = time.process_time() - began_s
    except (FlowdialError, MemoryError):
        raise
    except Exception as fault:
        raise RuntimeError(f"{entrant.label} on {course.name}: {type(fault).__name__}: {fault}") from fault
    if played.faults:
        return TaskScores(None, len(played.rows), seconds, played.faults[0])
    rows = played.rows
    thrown = played.players["thrown"][np.searchsorted(played.players["player"], rows["player"])]
    meant = rows[rows["place"] >= np.maximum(thrown, course.unscored)]
    chances = setups.judges[task.course].chances(setup, played, meant)
    base = setups.base(task.course)
    scores = scores_of(
        base.scope, meant, chances.chance, course.scenario.after_attempts, doubts=chances.doubt,
        foretold=chances.foretold, dial=setup.scope, deploy_every_s=base.deploy_every_s,
    )  # fmt: skip
    return TaskScores(scores, len(rows), seconds)
