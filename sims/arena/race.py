"""Several controllers on the same players and the same luck: who keeps them nearer to their target?

A race plays each entrant on each course, scores what happened by the true chance behind each attempt, and keeps the
scores, never the rows. All entrants of a course are scored by its scenario's scope, so that all are compared on the
same players. Scores are put together in the order of their keys: the workers have no say in the result.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, Final, NamedTuple

import numpy as np

from engine.controller import ControllerKind
from engine.errors import FlowdialError, PluginFault, ScenarioError
from engine.faults import Fault
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, belief_columns, chunks, play
from sims.arena.score import scores_of
from sims.arena.true_chances import Judge, judge_of
from sims.catalog import Catalog
from sims.workers.pool import Pool

LIMIT: Final = "bayes_limit"  # what all others are told as a ratio of
STATIC: Final = "best_static"  # what regret is measured against


class Entrant(NamedTuple):
    """A controller in a race."""

    controller: str
    options: tuple[tuple[str, float], ...] = ()  # name and value of those that differ from the default

    @property
    def label(self) -> str:
        """Its name in tables."""
        return " ".join([self.controller, *(f"{name}={value:.6g}" for name, value in self.options)])


class Course(NamedTuple):
    """Where a race takes place: a scenario, whose own controller has no say."""

    name: str
    scenario: Scenario
    unscored: int = 0  # attempts at the start of each session that do not count, thrown or not


class Task(NamedTuple):
    """Some players of one course with one entrant."""

    course: int
    entrant: int
    chunk: Chunk


class Part(NamedTuple):
    """What came of a task."""

    scores: Any  # score.SCORE records; None after a fault
    attempts: int
    seconds: float  # of one core
    fault: Fault | None = None  # the first one of its controller or game, after which nothing counts


class Race(NamedTuple):
    """What came of it, by the names of course and entrant."""

    scores: dict[tuple[str, str], Any]  # one score.SCORE record per track
    microseconds: dict[tuple[str, str], float]  # of one core, per attempt, the players' world included
    absent: dict[tuple[str, str], str]  # why an entrant cannot play a course, or its attempts do not count
    faulty: frozenset[tuple[str, str]] = frozenset()  # those of them that raised


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


def setup_for(base: Setup, entrant: Entrant, catalog: Catalog) -> Setup:
    """A scenario's setup with another controller, at its own defaults but for the entrant's options.

    The scope is the scenario's where the controller knows it, else the controller's first. What best_static is not
    told of the horizon is the scenario's: it is the best for these attempts and sessions.
    """
    kind = catalog.controller(entrant.controller)
    scope = base.scope if base.scope in kind.scopes else kind.scopes[0]
    usual = _horizon(base) if kind.name == STATIC else {}
    return dataclasses.replace(base, kind=kind, options=kind.options(**{**usual, **dict(entrant.options)}), scope=scope)


def _horizon(base: Setup) -> dict[str, float]:
    """How long players play: their attempts, and those of a session, which are all where sessions have no limit."""
    attempts = float(base.attempts_per_player)
    return {"attempts": attempts, "session": base.flow.session_attempts or attempts}


def refusal(base: Setup, setup: Setup) -> str | None:
    """Why a controller cannot play a scenario, or None. base: the scenario with its own; setup: with this one."""
    if base.deploy_every_s > 0.0 and setup.scope == "player" and base.scope != "player":
        return f"{setup.kind.name} decides for each player alone, but here players get their settings together"
    if setup.kind.name == LIMIT and setup.scope != base.scope:
        return f"{LIMIT} knows no dial that {base.scope} shares, and with another it would be no limit"
    try:
        with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
            belief_columns(setup)
    except MemoryError:
        raise
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
        return " ".join(str(fault).split())[:300] or type(fault).__name__
    return None


def race(
    courses: Sequence[Course],
    entrants: Sequence[Entrant],
    *,
    workers: int,
    shown: Callable[[int, int], None] = lambda done, all_: None,
    told: Callable[[str], None] = lambda sentence: None,
) -> Race:
    """The scores of every entrant on every course that it can play.

    shown: is told attempts played and attempts in all, at most; told: gets sentences about what takes time before.
    """
    catalog = Catalog()
    judges: list[Judge] = []
    tasks: list[Task] = []
    work: list[int] = []
    absent: dict[tuple[str, str], str] = {}
    for c, course in enumerate(courses):
        base = setup_of(course.scenario, catalog)
        judges.append(judge_of(base, threads=workers, told=told))
        for e, entrant in enumerate(entrants):
            reason = refusal(base, setup_for(base, entrant, catalog))
            if reason is not None:
                absent[course.name, entrant.label] = reason
                continue
            for chunk in chunks(base):  # by the scenario's scope: who is scored together is played together
                tasks.append(Task(c, e, chunk))
                work.append((chunk.size if chunk.cohort >= 0 else base.players) * base.attempts_per_player)
    parts: dict[int, Part] = {}
    done = 0
    argument = (tuple(courses), tuple(entrants), tuple(judges))
    with Pool(max(min(workers, len(tasks)), 1), prepared, argument, run, noun="race") as pool:
        for number, part in pool.run(enumerate(tasks)):
            parts[number] = part
            done += work[number]
            shown(done, sum(work))
    found: dict[tuple[str, str], list[Part]] = {}
    faulty: list[tuple[str, str]] = []
    for number, task in enumerate(tasks):
        key = courses[task.course].name, entrants[task.entrant].label
        fault = parts[number].fault
        if fault is not None:
            said = f"{fault.type}: {fault.message}" if fault.message else fault.type
            faulty.append(key)
            absent.setdefault(key, f"its controller or the game raised {said}, as player {fault.player} played")
        found.setdefault(key, []).append(parts[number])
    found = {key: own for key, own in found.items() if key not in absent}
    return Race(
        {key: np.concatenate([part.scores for part in own]) for key, own in found.items()},
        {key: 1e6 * sum(part.seconds for part in own) / max(sum(part.attempts for part in own), 1)
         for key, own in found.items()},
        absent,
        frozenset(faulty),
    )  # fmt: skip


def refuse_absent(found: Race) -> None:
    """Raise PluginFault, with the first reason, when somebody's attempts do not count."""
    for (course, name), why in found.absent.items():
        raise PluginFault(f"{course}: {name} is left out: {why}.")


class Stable:
    """What a worker needs for its tasks, made when first asked for."""

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

    def setup(self, task: Task) -> Setup:
        """The setup of a task. When it is made, everybody plays one attempt, so that kernels are compiled then."""
        key = task.course, task.entrant
        if key not in self._setups:
            setup = setup_for(self.base(task.course), self.entrants[task.entrant], self._catalog)
            play(dataclasses.replace(setup, attempts_per_player=1), task.chunk)
            self._setups[key] = setup
        return self._setups[key]


def prepared(argument: tuple[tuple[Course, ...], tuple[Entrant, ...], tuple[Judge, ...]]) -> Stable:
    """In a worker's process: what its tasks share."""
    return Stable(*argument)


def run(stable: Stable, task: Task) -> Part:
    """Play some players and score them, but for attempts that are thrown on purpose."""
    course, entrant = stable.courses[task.course], stable.entrants[task.entrant]
    try:
        setup = stable.setup(task)
        began_s = time.process_time()
        played = play(setup, task.chunk)
        seconds = time.process_time() - began_s
    except (FlowdialError, MemoryError):
        raise
    except Exception as fault:
        raise RuntimeError(f"{entrant.label} on {course.name}: {type(fault).__name__}: {fault}") from fault
    if played.faults:
        return Part(None, len(played.rows), seconds, played.faults[0])
    rows = played.rows
    thrown = played.players["thrown"][np.searchsorted(played.players["player"], rows["player"])]
    meant = rows[rows["place"] >= np.maximum(thrown, course.unscored)]
    chances = stable.judges[task.course].chances(setup, played, meant)
    base = stable.base(task.course)
    scores = scores_of(
        base.scope, meant, chances, course.scenario.after_attempts, dial=setup.scope, deploy_every_s=base.deploy_every_s
    )
    return Part(scores, len(rows), seconds)
