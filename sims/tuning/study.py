"""A study: the designer's defaults, a search, and a final race of its best points on fresh players.

A study asks, something plays, and the journal keeps the counts. Its course follows from the problem, the request and
the counts alone. So a stopped study is resumed by giving it the counts of its journal again. Only numbers from the
clock are noted in the journal besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.errors import RunFolderError
from sims.tuning.budget import baseline_attempts, search_budget
from sims.tuning.final_race import ENTRANTS, FinalRace, Rate, affordable_options, estimate_rates
from sims.tuning.journal import ClockNote, Journal, TellRecord
from sims.tuning.problem import Problem
from sims.tuning.progress import OnStudyProgress, StudyProgress, no_study_progress
from sims.tuning.search.counts import Ask, Counts, Tell
from sims.tuning.search.least_change import USUAL_WEIGHT, least_change
from sims.tuning.search.pooled import PooledSearch
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.search_space import Point
from sims.tuning.search.searcher import Searcher
from sims.tuning.search.staged_search import StagedSearch, StageResult

EARLIER: Final = "earlier"  # counts of another study
BASELINE: Final = "baseline"
SEARCH: Final = "search"
FINAL_RACE: Final = "final_race"
MEASUREMENT: Final = "measurement"  # of the race's winners: only its counts are reported
_LEANER: Final = 3  # finalists that get a version that changes less, where the user asked for that
_PROBE: Final = 200  # most attempts in each segment that measure the speed of the game
_BLOCK: Final = 50  # attempts in each segment of a block of the baseline
_LEAST_BLOCKS: Final = 8
_SPENT_S: Final = "spent_s"
_SPEED: Final = "attempts_per_s"

PlayAsks = Callable[[Sequence[Ask]], Iterable[Tell]]


class StudyLimits(NamedTuple):
    """What a study may cost. Seconds are those of its processes: a resumed study goes on from where it was."""

    attempts: int
    seconds: float | None = None


class CountedPoint(NamedTuple):
    """A point and its counts."""

    point: Point
    attempts: tuple[int, ...]  # by segment
    wins: tuple[int, ...]
    rates: tuple[Rate, ...]  # by segment, with intervals that hold at once


@dataclass(frozen=True)
class StudyRecord:
    """The counts and choices of a finished study: everything in its report follows from them."""

    problem: Problem
    baseline: CountedPoint  # the designer's defaults, on players of their own
    options: tuple[CountedPoint, ...]  # best first, measured on fresh players
    certain: str  # why the search stopped early: "met" or "unreachable"; empty where it did not
    stages: tuple[StageResult, ...]  # of a search by stages
    history: tuple[TellRecord, ...]  # all counts in order, those of an earlier study first
    spent: dict[str, int]  # stage -> attempts that were asked for
    limits: StudyLimits


class Study:
    """One study. `run` it once."""

    def __init__(
        self,
        problem: Problem,
        begin_search: Callable[[int], Searcher],
        play: PlayAsks,
        journal: Journal,
        limits: StudyLimits,
        *,
        options: int,
        near_default: float = 0.0,
        earlier: Sequence[Tell] = (),
        speed: Callable[[], float] = lambda: 1.0,
        on_progress: OnStudyProgress = no_study_progress,
    ) -> None:
        """Prepare a study.

        begin_search: gets the attempts of the search, returns a fresh search; options: most settings to end with;
        near_default: the weight of change, see sims.tuning.search.least_change, 0 for none; earlier: counts of another
        study, which the search has already, and whose blocks come before those of this study; speed: attempts per
        second so far, read only where the limits have seconds; on_progress: is called after each batch.
        """
        self._problem, self._begin_search = problem, begin_search
        self._play, self._journal, self._limits = play, journal, limits
        self._options, self._near_default = options, near_default
        self._speed, self._on_progress = speed, on_progress
        self._clock = _Clock()
        self._search: Searcher | None = None
        self._race: FinalRace | None = None
        self._history = [TellRecord(EARLIER, tell) for tell in earlier]
        self._counts = Counts()
        self._spent = dict.fromkeys((BASELINE, SEARCH, FINAL_RACE, MEASUREMENT), 0)
        self._next_block = self._first_block = max((tell.block for tell in earlier), default=-1) + 1
        self._budget = limits.attempts

    def run(self) -> StudyRecord:
        """Carry the study out to its end.

        Raises RunFolderError when the journal holds other asks than those of this study, and what playing raises.
        """
        problem, segments = self._problem, self._problem.segments
        self._measure_baseline()
        self._budget = self._affordable()
        most = search_budget(self._budget, segments, self._spent[BASELINE])
        self._search = self._begin_search(most)
        share = (sum(self._spent.values()) + most) / max(self._budget, 1)
        self._drive(self._search, most, share, lambda: SEARCH)
        self._budget = self._affordable()
        left = self._budget - sum(self._spent.values())
        points = self._entrants(self._search, max(min(self._options, affordable_options(segments, left)), 1))
        self._race = race = FinalRace(points, segments, left, self._options)
        self._drive(race, left, None, lambda: MEASUREMENT if race.measuring else FINAL_RACE)
        if self._journal.unread:
            raise _mismatch(self._journal)
        return StudyRecord(
            problem,
            self._counted(problem.start, BASELINE),
            tuple(self._counted(point, MEASUREMENT) for point in race.points),
            self._search.certain if isinstance(self._search, PooledSearch) else "",
            tuple(self._search.stages) if isinstance(self._search, StagedSearch) else (),
            tuple(self._history),
            dict(self._spent),
            self._limits,
        )

    def best(self) -> CountedPoint:
        """The best point so far, with the counts that chose it: it may be good by luck."""
        if self._race is not None:
            return self._counted(self._race.points[0], MEASUREMENT if self._race.measuring else FINAL_RACE)
        if self._search is not None and self._spent[SEARCH]:
            return self._counted(self._search.finalists(1)[0], SEARCH)
        return self._counted(self._problem.start, BASELINE)

    def best_played(self) -> CountedPoint:
        """The best point that the search has played, by its own counts; the designer's defaults before the search.

        The best point by the search's model may not have been played.
        """
        problem = self._problem
        board = Scoreboard(problem.search_space, problem.segments, problem.start)
        board.add([record.tell for record in self._history if record.stage == SEARCH])
        return self._counted(board.best(1)[0], SEARCH if self._spent[SEARCH] else BASELINE)

    def _entrants(self, search: Searcher, options: int) -> list[Point]:
        """The points that enter the final race: finalists, and versions of the best ones that change less.

        Where the user asked for little change, only such versions enter, and the best point itself if there is room
        for another option. options: settings that can be measured well enough, 1 or more. A version that changes less
        misses its targets by a part of their tolerance, so it must not replace the best point as the only option.
        """
        finalists = search.finalists(ENTRANTS)
        if self._near_default:
            near = [self._leaner(point, self._near_default) for point in finalists[:_LEANER]]
            finalists = [*near, finalists[0]] if options > 1 else near
        elif options > 1:
            finalists = [finalists[0], self._leaner(finalists[0], USUAL_WEIGHT), *finalists[1:]]
        return list(dict.fromkeys(finalists))

    def _leaner(self, point: Point, weight: float) -> Point:
        problem, tells = self._problem, [record.tell for record in self._history]
        seed = problem.scenario.seed
        return least_change(problem.search_space, problem.segments, tells, point, problem.start, weight, seed)

    def _counted(self, point: Point, stage: str) -> CountedPoint:
        """A point with its counts of a stage."""
        segments = self._problem.segments
        tells = [record.tell for record in self._history if record.stage == stage and record.tell.point == point]
        options = len(self._race.points) if stage == MEASUREMENT and self._race is not None else 1
        rates = tuple(estimate_rates(tells, segments, options))
        attempts = tuple(sum(tell.attempts[k] for tell in tells) for k in range(len(segments)))
        wins = tuple(sum(tell.wins[k] for tell in tells) for k in range(len(segments)))
        return CountedPoint(point, attempts, wins, rates)

    def _measure_baseline(self) -> None:
        """Measure the designer's defaults; where time is limited, a few attempts first measure the speed."""
        segments = len(self._problem.segments)
        asked = 0
        if self._limits.seconds is not None:
            asked = min(_PROBE, baseline_attempts(self._limits.attempts, segments))
            self._play_all(BASELINE, self._baseline_blocks(asked))
            self._budget = self._affordable()
        self._play_all(BASELINE, self._baseline_blocks(baseline_attempts(self._budget, segments) - asked))

    def _baseline_blocks(self, attempts: int) -> list[Ask]:
        """The designer's defaults with `attempts` in each segment, in enough blocks to estimate their spread."""
        self._first_block = self._next_block
        if attempts <= 0:
            return []
        size = min(_BLOCK, max(attempts // _LEAST_BLOCKS, 1))
        each = (size,) * len(self._problem.segments)
        return [Ask(self._problem.start, each, block) for block in range(attempts // size)]

    def _drive(self, driver: Searcher | FinalRace, most: int, share: float | None, stage: Callable[[], str]) -> None:
        """Play what a search or a race asks for until it ends, has had `most` attempts, or its time is up.

        share: its share of the time, None for a race, whose attempts are planned by the time and which must come to
        its end; stage: is read after each ask.
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
        """The counts of some asks, in their order: from the journal as far as it goes, then played.

        The blocks of the baseline, the search and the race follow each other.
        """
        segments = self._problem.segments
        moved = [ask._replace(block=self._first_block + ask.block) for ask in asks]
        tells: list[Tell] = []
        while len(tells) < len(moved) and self._journal.unread:
            tells.append(self._remembered(stage, moved[len(tells)]))
        for tell in self._play(moved[len(tells) :]):
            self._journal.add(TellRecord(stage, tell))
            tells.append(tell)
        self._journal.keep()
        for ask, tell in zip(moved, tells, strict=True):
            self._history.append(TellRecord(stage, tell))
            self._counts.add(tell)
            self._spent[stage] += sum(ask.attempts)
            self._next_block = max(self._next_block, ask.block + 1)
        self._on_progress(StudyProgress(stage, sum(self._spent.values()), self._budget, segments, self._counts))
        return [tell._replace(block=ask.block) for ask, tell in zip(asks, tells, strict=True)]

    def _remembered(self, stage: str, ask: Ask) -> Tell:
        """The counts of an ask from the journal. Raises RunFolderError where it holds something else."""
        match self._journal.next():
            case TellRecord(stage_then, tell) if (stage_then, tell.point, tell.block) == (
                stage,
                ask.point,
                ask.block,
            ) and all(0 <= w <= n <= most for w, n, most in zip(tell.wins, tell.attempts, ask.attempts, strict=True)):
                return tell
        raise _mismatch(self._journal)

    def _affordable(self) -> int:
        """Attempts that the study may have in all, by the time that is left."""
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
        """A number of the clock: the one in the journal, otherwise the current one, which the journal then keeps."""
        if not self._journal.unread:
            note = ClockNote(name, read())
            self._journal.add(note)
            return note.value
        match self._journal.next():
            case ClockNote(name_then, value) if name_then == name:
                if name == _SPENT_S:
                    self._clock.go_on_from(value)
                return value
        raise _mismatch(self._journal)


class _Clock:
    """Seconds of work, those before a resume included."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before_s = 0.0

    def spent_s(self) -> float:
        return round(self._before_s + time.monotonic() - self._began, 3)

    def go_on_from(self, spent_s: float) -> None:
        self._before_s, self._began = spent_s, time.monotonic()


def _mismatch(journal: Journal) -> RunFolderError:
    return RunFolderError(
        f"{journal.path} does not hold the counts that this study asks for, so it cannot be resumed; start a new one."
    )
