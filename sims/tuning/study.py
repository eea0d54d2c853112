"""A study: the designer's defaults, a search, and a race of its finalists on players whom nobody has met.

A study asks, something plays, the journal keeps what was told. Its course follows from the problem, the options and
the tells alone, so that a study which was stopped is taken up by telling it again what its journal holds. Only what
the clock decides is noted in the journal besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.errors import RunFolderError
from sims.tuning.budget import baseline_attempts, search_budget
from sims.tuning.final_race import ENTRANTS, Finals, Rate, affordable_options, measured
from sims.tuning.journal import Note, TellJournal, Told
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Ask, Counts, Tell
from sims.tuning.search.knob_box import Point
from sims.tuning.search.least_change import USUAL_WEIGHT, least_change
from sims.tuning.search.pooled import PooledSearch
from sims.tuning.search.protocol import Search
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.staged_search import Stage, StagedSearch

EARLIER: Final = "earlier"  # counts of another study
BASELINE: Final = "baseline"
SEARCH: Final = "search"
RACE: Final = "race"
MEASUREMENT: Final = "measurement"  # of the race's winners: what is reported
_LEANER: Final = 3  # finalists of which a setting that changes less is made where that was asked for
_PROBE: Final = 200  # attempts in each segment, at most, that tell how fast the game is played
_BLOCK: Final = 50  # attempts in each segment of a block of the baseline
_LEAST_BLOCKS: Final = 8
_SPENT_S: Final = "spent_s"
_SPEED: Final = "attempts_per_s"

Play = Callable[[Sequence[Ask]], Iterable[Tell]]


class Limits(NamedTuple):
    """What a study may cost. Seconds are of its process: a study that was stopped goes on where it was."""

    attempts: int
    seconds: float | None = None


class Candidate(NamedTuple):
    """A point, and what was counted for it."""

    point: Point
    attempts: tuple[int, ...]  # by segment
    wins: tuple[int, ...]
    rates: tuple[Rate, ...]  # with intervals that hold at once


@dataclass(frozen=True)
class Outcome:
    """What came of a study: all that a report says follows from it."""

    problem: Problem
    baseline: Candidate  # the designer's defaults, on players of their own
    options: tuple[Candidate, ...]  # best first, measured on players whom nothing else has met
    certain: str  # why the search stopped early: "met" or "unreachable"; nothing where it did not
    stages: tuple[Stage, ...]  # of a search by stages: what each has bought
    told: tuple[Told, ...]  # in order, first what an earlier study was told
    spent: dict[str, int]  # stage -> attempts that were asked for
    limits: Limits


class Progress(NamedTuple):
    """How far a study is."""

    stage: str
    spent: int
    budget: int
    counts: Counts


class Study:
    """One study. `run` it once."""

    def __init__(
        self,
        problem: Problem,
        begin_search: Callable[[int], Search],
        play: Play,
        journal: TellJournal,
        limits: Limits,
        *,
        options: int,
        near_default: float = 0.0,
        earlier: Sequence[Tell] = (),
        speed: Callable[[], float] = lambda: 1.0,
        shown: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """begin_search: attempts that it may ask for -> a fresh search; options: settings to end with, at most.

        near_default: the weight of change, see sims.tuning.search.least_change; 0 for none.
        earlier: what another study was told, which the search knows: the blocks of this one come after those.
        speed: attempts in a second, as measured; read only where the limits have seconds.
        """
        self._problem, self._begin_search = problem, begin_search
        self._play, self._journal, self._limits = play, journal, limits
        self._options, self._near_default = options, near_default
        self._speed, self._shown = speed, shown
        self._clock = _Clock()
        self._search: Search | None = None
        self._finals: Finals | None = None
        self._told = [Told(EARLIER, tell) for tell in earlier]
        self._counts = Counts()
        self._spent = dict.fromkeys((BASELINE, SEARCH, RACE, MEASUREMENT), 0)
        self._next_block = self._first_block = max((tell.block for tell in earlier), default=-1) + 1
        self._budget = limits.attempts

    def run(self) -> Outcome:
        """Carry it out to the end.

        Raises RunFolderError when the journal does not hold what this study asks for, and what playing raises.
        """
        problem, segments = self._problem, self._problem.segments
        self._measure_baseline()
        self._budget = self._affordable()
        most = search_budget(self._budget, segments, self._spent[BASELINE])
        self._search = self._begin_search(most)
        share = (sum(self._spent.values()) + most) / max(self._budget, 1)
        self._go(self._search, most, share, lambda: SEARCH)
        self._budget = self._affordable()
        left = self._budget - sum(self._spent.values())
        points = self._entrants(self._search, max(min(self._options, affordable_options(segments, left)), 1))
        self._finals = finals = Finals(points, segments, left, self._options)
        self._go(finals, left, None, lambda: MEASUREMENT if finals.measuring else RACE)
        if self._journal.unread:
            raise _strange(self._journal)
        return Outcome(
            problem,
            self._candidate(problem.start, BASELINE),
            tuple(self._candidate(point, MEASUREMENT) for point in finals.points),
            self._search.certain if isinstance(self._search, PooledSearch) else "",
            tuple(self._search.stages) if isinstance(self._search, StagedSearch) else (),
            tuple(self._told),
            dict(self._spent),
            self._limits,
        )

    def best(self) -> Candidate:
        """The best point by what was told so far, and its counts, which have chosen it: it may be luck."""
        if self._finals is not None:
            return self._candidate(self._finals.points[0], MEASUREMENT if self._finals.measuring else RACE)
        if self._search is not None and self._spent[SEARCH]:
            return self._candidate(self._search.finalists(1)[0], SEARCH)
        return self._candidate(self._problem.start, BASELINE)

    def best_played(self) -> Candidate:
        """The point that was surely good by its own counts in the search; the designer's where there was none yet.

        A search may hold a point for the best that it has not played.
        """
        problem = self._problem
        board = Scoreboard(problem.cube, problem.segments, problem.start)
        board.add([told.tell for told in self._told if told.stage == SEARCH])
        return self._candidate(board.best(1)[0], SEARCH if self._spent[SEARCH] else BASELINE)

    def _entrants(self, search: Search, options: int) -> list[Point]:
        """Who races: what the search found, and what changes less than its best, where there is an option left for it.

        Where that was asked for, only what changes less, and beside it the best as it is where there is an option left.
        options: settings that can be measured well enough, 1 or more. What changes less misses its targets by a part of
        their tolerance, so it must not take the only option from the best.
        """
        found = search.finalists(ENTRANTS)
        if self._near_default:
            near = [self._leaner(point, self._near_default) for point in found[:_LEANER]]
            found = [*near, found[0]] if options > 1 else near
        elif options > 1:
            found = [found[0], self._leaner(found[0], USUAL_WEIGHT), *found[1:]]
        return list(dict.fromkeys(found))

    def _leaner(self, point: Point, weight: float) -> Point:
        problem, tells = self._problem, [told.tell for told in self._told]
        seed = problem.scenario.seed
        return least_change(problem.cube, problem.segments, tells, point, problem.start, weight, seed)

    def _candidate(self, point: Point, stage: str) -> Candidate:
        """A point with what a stage counted for it."""
        segments = self._problem.segments
        tells = [told.tell for told in self._told if told.stage == stage and told.tell.point == point]
        options = len(self._finals.points) if stage == MEASUREMENT and self._finals is not None else 1
        rates = tuple(measured(tells, segments, options))
        attempts = tuple(sum(tell.attempts[k] for tell in tells) for k in range(len(segments)))
        wins = tuple(sum(tell.wins[k] for tell in tells) for k in range(len(segments)))
        return Candidate(point, attempts, wins, rates)

    def _measure_baseline(self) -> None:
        """The designer's defaults, on players of their own; in a limited time first a few of them, for the speed."""
        segments = len(self._problem.segments)
        asked = 0
        if self._limits.seconds is not None:
            asked = min(_PROBE, baseline_attempts(self._limits.attempts, segments))
            self._play_all(BASELINE, self._blocks(asked))
            self._budget = self._affordable()
        self._play_all(BASELINE, self._blocks(baseline_attempts(self._budget, segments) - asked))

    def _blocks(self, attempts: int) -> list[Ask]:
        """The designer's defaults with so many attempts in each segment, in blocks whose spread can be told."""
        self._first_block = self._next_block
        if attempts <= 0:
            return []
        size = min(_BLOCK, max(attempts // _LEAST_BLOCKS, 1))
        each = (size,) * len(self._problem.segments)
        return [Ask(self._problem.start, each, block) for block in range(attempts // size)]

    def _go(self, driver: Search | Finals, most: int, share: float | None, stage: Callable[[], str]) -> None:
        """Let a search or a race ask until it ends, has asked for `most` attempts, or its share of the time is up.

        share: None for a race, which has no more attempts than there is time for, and must come to its end; stage: is
        read after each ask.
        """
        self._first_block = self._next_block
        while self._in_time(share):
            asks = driver.ask(most)
            if not asks:
                return
            most -= sum(sum(ask.attempts) for ask in asks)
            if most < 0:
                raise ValueError(f"a {stage()} must not ask for more attempts than are left, got {-most} more")
            driver.tell(self._play_all(stage(), asks))

    def _play_all(self, stage: str, asks: Sequence[Ask]) -> list[Tell]:
        """What came of some asks, in their order, from the journal as far as it goes.

        The blocks of the baseline, of the search and of the race come one after the other.
        """
        moved = [ask._replace(block=self._first_block + ask.block) for ask in asks]
        tells: list[Tell] = []
        while len(tells) < len(moved) and self._journal.unread:
            tells.append(self._remembered(stage, moved[len(tells)]))
        for tell in self._play(moved[len(tells) :]):
            self._journal.add(Told(stage, tell))
            tells.append(tell)
        self._journal.keep()
        for ask, tell in zip(moved, tells, strict=True):
            self._told.append(Told(stage, tell))
            self._counts.add(tell)
            self._spent[stage] += sum(ask.attempts)
            self._next_block = max(self._next_block, ask.block + 1)
        self._shown(Progress(stage, sum(self._spent.values()), self._budget, self._counts))
        return [tell._replace(block=ask.block) for ask, tell in zip(asks, tells, strict=True)]

    def _remembered(self, stage: str, ask: Ask) -> Tell:
        match self._journal.next():
            case Told(stage_then, tell) if (stage_then, tell.point, tell.block) == (
                stage,
                ask.point,
                ask.block,
            ) and all(0 <= w <= n <= most for w, n, most in zip(tell.wins, tell.attempts, ask.attempts, strict=True)):
                return tell
        raise _strange(self._journal)

    def _affordable(self) -> int:
        """Attempts that the study may have in all, by what is left of its time."""
        if self._limits.seconds is None:
            return self._limits.attempts
        spent_s = self._noted(_SPENT_S, self._clock.spent_s)
        speed = self._noted(_SPEED, self._speed)
        more = speed * max(self._limits.seconds - spent_s, 0.0)
        return int(min(self._limits.attempts, sum(self._spent.values()) + more))

    def _in_time(self, share: float | None) -> bool:
        if share is None or self._limits.seconds is None:
            return True
        return self._noted(_SPENT_S, self._clock.spent_s) < share * self._limits.seconds

    def _noted(self, name: str, read: Callable[[], float]) -> float:
        """A number of the clock's: the one that the study went by, or the one of now."""
        if not self._journal.unread:
            found = Note(name, read())
            self._journal.add(found)
            return found.value
        match self._journal.next():
            case Note(name_then, value) if name_then == name:
                if name == _SPENT_S:
                    self._clock.go_on_from(value)
                return value
        raise _strange(self._journal)


class _Clock:
    """Seconds of work, those before the study was taken up included."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before_s = 0.0

    def spent_s(self) -> float:
        return round(self._before_s + time.monotonic() - self._began, 3)

    def go_on_from(self, spent_s: float) -> None:
        self._before_s, self._began = spent_s, time.monotonic()


def _strange(journal: TellJournal) -> RunFolderError:
    return RunFolderError(f"{journal.path} does not hold what this study asks for, so it cannot be resumed; tune anew.")
