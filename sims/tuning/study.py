"""A study: the designer's defaults, a search, and a final race of its best points on fresh players.

Where a search ends early, its best point is measured with a part of the attempts. If that does not confirm that the
targets are met, the search goes on with what is left. It then looks for targets that are moved by how much the
measured win rates differ from those of the search, and its best point is measured on other players. Each of the two
looks may be wrong less often, so that both together are wrong as seldom as one would be.

A study asks, something plays, and the journal keeps the counts. Its course follows from the problem, the request and
the counts alone. So a stopped study is resumed by giving it the counts of its journal again. Only numbers from the
clock are noted in the journal besides.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.errors import RunFolderError, ScenarioError
from engine.inference.intervals import CONFIDENCE
from sims.tuning.budget import (
    ALONE,
    Effort,
    baseline_attempts,
    least_budget,
    least_measurement,
    search_budget,
    search_share,
)
from sims.tuning.conditions import PARTS, Control, RehearsedPart
from sims.tuning.final_race import (
    ENTRANTS,
    FinalRace,
    Rate,
    affordable_options,
    enough_attempts,
    estimate_rates,
    whole_blocks,
)
from sims.tuning.journal import ClockNote, Journal, TellRecord
from sims.tuning.problem import Problem
from sims.tuning.progress import OnStudyProgress, StudyProgress, no_study_progress
from sims.tuning.search.counts import Ask, Counts, Segment, Tell
from sims.tuning.search.least_change import USUAL_WEIGHT, change_size, least_change
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.pooled import PooledSearch
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.search_space import Numbers, Point
from sims.tuning.search.searcher import Searcher
from sims.tuning.search.staged_search import StagedSearch, StageResult
from sims.tuning.search.tidy_point import tidy_point

EARLIER: Final = "earlier"  # counts of another study
BASELINE: Final = "baseline"
SEARCH: Final = "search"
REHEARSAL: Final = "rehearsal"  # how much skill decides near the targets: moves what the search looks for
FINAL_RACE: Final = "final_race"
MEASUREMENT: Final = "measurement"  # of the race's winners: only its counts are reported
_LEANER: Final = 3  # finalists that get a version that changes less, where the user asked for that
_PROBE: Final = 200  # most attempts in each segment that measure the speed of the game
_BLOCK: Final = 50  # attempts in each segment of a block of the baseline
_LEAST_BLOCKS: Final = 8
_SPENT_S: Final = "spent_s"
_SPEED: Final = "attempts_per_s"
_REHEARSED: Final = 0.4  # of a search, before the rehearsal
_REHEARSAL: Final = 0.05  # of a search's attempts
_FIRST_LOOK: Final = 0.35  # of what is left, where the search ended early
_ENDED_EARLY: Final = 0.9  # share of its attempts; a search that had less ended early
_LOOKS: Final = (0.98, 0.97)  # confidence of a first look and of a second one: both are wrong in 5 %
_LIKELY_OFF: Final = 0.1  # logits by which win rates of runs and of a search differ, about
_DRAWS: Final = 100
_SETTLED: Final = 0.5  # of a tier's search: its best point is moved towards the tier beside it, round by round
_ROUNDS: Final = 8
_NEAR: Final = (0.3, 0.15)  # width of the model in the first rounds and in the last ones, see local_model

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
    confidence: float = CONFIDENCE  # with which the intervals of all options hold at once
    went_on: bool = False  # whether the search went on after a first measurement


class SearchTask(NamedTuple):
    """What a search is asked for."""

    attempts: int
    segments: tuple[Segment, ...]  # with the targets to look for
    start: Point | None = None  # of a search that goes on; None for the study's own
    known: tuple[Tell, ...] = ()  # counts that it goes on from


class Study:
    """One study. `run` it once."""

    def __init__(
        self,
        problem: Problem,
        begin_search: Callable[[SearchTask], Searcher],
        play: PlayAsks,
        journal: Journal,
        limits: StudyLimits,
        *,
        options: int,
        near_default: float = 0.0,
        earlier: Sequence[Tell] = (),
        effort: Effort = ALONE,
        speed: Callable[[], float] = lambda: 1.0,
        tiers: int = 0,
        on_progress: OnStudyProgress = no_study_progress,
    ) -> None:
        """Prepare a study.

        begin_search: returns a fresh search; options: most settings to end with; near_default: the weight of change,
        see sims.tuning.search.least_change, 0 for none; earlier: counts of another study, which the search has already,
        and whose blocks come before those of this study; effort: of what is reported; speed: attempts per second so
        far, read only where the limits have seconds; tiers: number of studies that are tiers
        of difficulty, whose intervals hold at once, 0 for a study on its own; on_progress: is called after each batch.
        """
        self._problem, self._begin_search = problem, begin_search
        self._play, self._journal, self._limits = play, journal, limits
        self._options, self._near_default, self._effort = options, near_default, effort
        self._speed, self._tiers, self._on_progress = speed, tiers, on_progress
        self._clock = _Clock()
        self._search: Searcher | None = None
        self._race: FinalRace | None = None
        self._settled: Point | None = None
        self._history = [TellRecord(EARLIER, tell) for tell in earlier]
        self._counts = Counts()
        self._spent = dict.fromkeys((BASELINE, SEARCH, REHEARSAL, FINAL_RACE, MEASUREMENT), 0)
        self._next_block = self._first_block = max((tell.block for tell in earlier), default=-1) + 1
        self._budget = limits.attempts
        self._sought = problem.segments  # with the targets that the search looks for
        self._slopes: tuple[float, ...] | None = None  # how much skill decides, once it is known
        self._players: dict[int, tuple[int, ...]] = {}  # of blocks that play as in a run
        self._controls: dict[tuple[object, ...], tuple[Control, ...]] = {}
        self._confidence = CONFIDENCE
        self._look = 0  # place in the history from which the measurement that is reported begins

    def run(self) -> StudyRecord:
        """Carry the study out to its end.

        Raises RunFolderError when the journal holds other asks than those of this study, ScenarioError where the time
        is too short to confirm any setting, and what playing raises.
        """
        problem, segments = self._problem, self._problem.segments
        self._measure_baseline()
        self._budget = self._affordable()
        self._check_time()
        most = search_budget(self._budget, segments, self._spent[BASELINE], self._effort)
        self._search = search = self._begin_search(SearchTask(most, segments))
        if self._tiers:
            self._search_for(search, int((1.0 - _SETTLED) * most))
            self._settled = self._settle(search.finalists(1)[0], most - self._spent[SEARCH] - self._spent[REHEARSAL])
        else:
            self._search_for(search, most)
        looks = 2 if self._leaves_enough(most) else 1
        self._measure(search, 0 if looks == 2 else None)
        went_on = looks == 2 and not self._confirmed()
        if went_on:
            self._go_on()
        if self._journal.unread:
            raise _mismatch(self._journal)
        assert self._race is not None  # by _measure
        return StudyRecord(
            problem,
            self._counted(problem.start, BASELINE),
            tuple(self._counted(point, MEASUREMENT) for point in self._race.points),
            search.certain if isinstance(search, PooledSearch) else "",
            tuple(search.stages) if isinstance(search, StagedSearch) else (),
            tuple(self._history),
            dict(self._spent),
            self._limits,
            self._confidence,
            went_on,
        )

    def _search_for(self, search: Searcher, most: int) -> None:
        """A search with `most` attempts. A pooled one in mid-course hears what runs need, and looks for that."""
        share = (sum(self._spent.values()) + most) / max(self._budget, 1)
        if isinstance(search, PooledSearch) and self._effort.whole:
            early = int(_REHEARSED * most)
            self._drive(search, early, share, lambda: SEARCH)
            spent = self._spent[SEARCH]
            self._sought = self._rehearse(search.finalists(1)[0], int(_REHEARSAL * most))
            search.aim_at(self._sought)
            most -= spent + self._spent[REHEARSAL]
        self._drive(search, most, share, lambda: SEARCH)

    def _rehearse(self, point: Point, most: int) -> tuple[Segment, ...]:
        """The targets that the search must look for, by attempts of players of several classes of skill at a point."""
        segments = self._problem.segments
        each = most // (len(segments) * PARTS)
        if not each:
            return segments
        self._first_block = self._next_block
        asks = [Ask(point, (each,) * len(segments), part, part=(part, PARTS)) for part in range(PARTS)]
        tells = self._play_all(REHEARSAL, asks)
        self._slopes = self._problem.slopes([RehearsedPart(tell.attempts, tell.wins) for tell in tells])
        self._effort = self._problem.effort(self._slopes)
        return self._problem.aims(self._slopes)

    def _leaves_enough(self, most: int) -> bool:
        """Whether a first look leaves enough for a second one. most: attempts that the search could have had.

        It does where the search ended early, and where a measurement needs but a small part of what is left.
        """
        segments = self._problem.segments
        left = self._budget - sum(self._spent.values())
        plenty = self._options * len(segments) * enough_attempts(segments, self._effort)
        if self._spent[SEARCH] >= _ENDED_EARLY * most and _FIRST_LOOK * left < plenty:
            return False
        return min(_FIRST_LOOK, 1.0 - _FIRST_LOOK) * left >= least_measurement(segments, self._effort)

    def _measure(self, search: Searcher, look: int | None) -> None:
        """Race and measurement. look: which one of two, or None for the only one."""
        segments = self._problem.segments
        self._confidence = CONFIDENCE if look is None else _LOOKS[look]
        self._budget = self._affordable()
        left = self._budget - sum(self._spent.values())
        if self._limits.seconds is not None:  # what was promised is measured, although the clock says that it is late
            room = self._limits.attempts - sum(self._spent.values())
            left = max(left, min(least_measurement(segments, self._effort), room))
        if look == 0:
            left = int(_FIRST_LOOK * left)
        options = max(min(self._options, affordable_options(segments, left, self._effort)), 1)
        points = self._entrants(search, options)
        self._look = len(self._history)
        self._race = race = FinalRace(points, segments, left, self._options, self._effort, self._sought)
        self._drive(race, left, None, lambda: MEASUREMENT if race.measuring else FINAL_RACE)

    def _confirmed(self) -> bool:
        """Whether the first look confirms that some option meets all targets."""
        assert self._race is not None
        counted = [self._counted(point, MEASUREMENT) for point in self._race.points]
        segments = self._problem.segments
        return any(all(rate.met(one) for rate, one in zip(point.rates, segments, strict=True)) for point in counted)

    def _go_on(self) -> None:
        """Search on with what is left, for targets that are moved by what the first look has shown."""
        assert self._race is not None
        point = self._race.points[0]
        self._sought = self._moved_targets(point)
        self._budget = self._affordable()
        left = self._budget - sum(self._spent.values())
        most = int(search_share(left, self._sought, self._effort) * left)
        known = tuple(record.tell for record in self._history if record.stage in (EARLIER, SEARCH, FINAL_RACE))
        self._search = self._begin_search(SearchTask(most, self._sought, point, known))
        share = (sum(self._spent.values()) + most) / max(self._budget, 1)
        self._drive(self._search, most, share, lambda: SEARCH)
        self._measure(self._search, 1)

    def _moved_targets(self, point: Point) -> tuple[Segment, ...]:
        """Targets at which a search finds settings that are on target in runs.

        At the point that was measured, win rates of runs and of the model of the search are compared in logits. A
        difference counts only as far as it is likely to be more than chance.
        """
        tells = [record.tell for record in self._history if record.stage in (SEARCH, FINAL_RACE)]
        segments, measured = self._problem.segments, self._counted(point, MEASUREMENT)
        if not tells:
            return self._sought
        model = LocalModel(self._problem.search_space, tells, np.array(point))
        place = np.array([point])
        dice = np.random.Generator(np.random.Philox(key=[self._problem.scenario.seed, 0x6D6F7665]))
        doubts = _logits(model.chances_by(model.draw(_DRAWS, dice), place)[:, 0]).std(axis=0)
        expected = _logits(model.chances(place)[0])
        moved = []
        parts = zip(segments, self._sought, measured.rates, expected.tolist(), doubts.tolist(), strict=True)
        for one, sought, rate, guess, doubt in parts:
            shift = 0.0
            if rate.attempts:
                low, middle, high = (_logit(end) for end in (rate.low, rate.rate, rate.high))
                known = _logit(one.target) - _logit(sought.target)  # by the rehearsal
                error = math.hypot((high - low) / 5.0, doubt)  # the interval is about five standard errors wide
                shift = (middle - guess - known) * _LIKELY_OFF**2 / (_LIKELY_OFF**2 + error**2)
            ends = (1.0 / (1.0 + math.exp(shift - _logit(end))) for end in (sought.low, sought.high))
            moved.append(sought._replace(low=next(ends), high=next(ends)))
        return tuple(moved)

    def _check_time(self) -> None:
        """Raise ScenarioError where the time is too short to confirm any setting."""
        seconds = self._limits.seconds
        least = least_budget(self._problem.segments, self._effort)
        if seconds is None or self._budget >= min(least, self._limits.attempts):
            return
        needed = max(seconds * least / max(self._budget, 1), seconds + 1.0)
        raise ScenarioError(
            f"{seconds:g} seconds are too few to confirm any setting: about {self._budget:,} attempts fit into them, "
            f"but {math.ceil(least):,} are needed; give about {math.ceil(needed):,} seconds, better ten times as many"
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
        if self._settled is not None:
            return [self._settled]
        finalists = [self._tidied(point) for point in search.finalists(ENTRANTS)]
        if self._near_default:
            near = [self._leaner(point, self._near_default) for point in finalists[:_LEANER]]
            finalists = [*near, finalists[0]] if options > 1 else near
        elif options > 1:
            finalists = [finalists[0], self._leaner(finalists[0], USUAL_WEIGHT), *finalists[1:]]
        return list(dict.fromkeys(finalists))

    def _settle(self, point: Point, most: int) -> Point:
        """The best point of a tier's search, moved as near to the start as its targets allow.

        A model of counts elsewhere is not to be trusted there. So the point is played wherever it comes to lie, and
        moved again by what that shows. most: attempts.
        """
        problem, each = self._problem, most // (_ROUNDS * len(self._problem.segments))
        space, start = problem.search_space, problem.start
        widest = max(float(change_size(space, np.array([point]), start)[0]), 1.0 / space.size)
        for number in range(_ROUNDS + 1):
            near = _NEAR[0] if 2 * number < _ROUNDS else _NEAR[1]
            tells = [record.tell for record in self._history if record.stage == SEARCH]
            point = least_change(
                space,
                self._sought,
                tells,
                point,
                start,
                self._near_default or USUAL_WEIGHT,
                problem.scenario.seed,
                most=widest,
                near=near,
            )
            if number < _ROUNDS and each:
                self._first_block = self._next_block
                self._play_all(SEARCH, [Ask(point, (each,) * len(problem.segments), 0)])
        return point

    def _tidied(self, point: Point) -> Point:
        problem = self._problem
        tells = [record.tell for record in self._history if record.stage in (SEARCH, FINAL_RACE)]
        if not tells:
            return point
        seed = problem.scenario.seed
        return tidy_point(problem.space, problem.search_space, problem.segments, tells, point, problem.start, seed)

    def _leaner(self, point: Point, weight: float) -> Point:
        problem, tells = self._problem, [record.tell for record in self._history]
        seed = problem.scenario.seed
        return least_change(problem.search_space, problem.segments, tells, point, problem.start, weight, seed)

    def _counted(self, point: Point, stage: str) -> CountedPoint:
        """A point with its counts of a stage."""
        segments = self._problem.segments
        measured = stage == MEASUREMENT and self._race is not None
        history = self._history[self._look :] if measured else self._history
        tells = [record.tell for record in history if record.stage == stage and record.tell.point == point]
        whole = self._effort.whole and stage in (BASELINE, MEASUREMENT)
        rates = tuple(
            estimate_rates(
                tells,
                segments,
                max(self._tiers, 1) * (len(self._race.points) if measured and self._race is not None else 1),
                confidence=self._confidence if measured else CONFIDENCE,
                players=self._who([tell.block for tell in tells]) if whole else (),
                controls=self._controls_of([tell.block for tell in tells]) if whole else (),
            )
        )
        attempts = tuple(sum(tell.attempts[k] for tell in tells) for k in range(len(segments)))
        wins = tuple(sum(tell.wins[k] for tell in tells) for k in range(len(segments)))
        return CountedPoint(point, attempts, wins, rates)

    def _who(self, blocks: Sequence[int]) -> tuple[int, ...]:
        """Players of some blocks, by segment."""
        return tuple(sum(self._players[block][k] for block in blocks) for k in range(len(self._problem.segments)))

    def _controls_of(self, blocks: Sequence[int]) -> tuple[Control, ...]:
        """What the stand-in says of the players of some blocks."""
        asked = tuple((block, self._players[block]) for block in blocks)
        key = (self._slopes, asked)
        if key not in self._controls:
            self._controls[key] = self._problem.controls(self._slopes, asked)
        return self._controls[key]

    def _measure_baseline(self) -> None:
        """Measure the designer's defaults; where time is limited, a few attempts first measure the speed."""
        asked = 0
        if self._limits.seconds is not None:
            probe = max(_PROBE, *(math.ceil(2.0 * cost) for cost in (0.0, *self._effort.costs)))
            asked = min(probe, self._baseline_attempts(self._limits.attempts))
            self._play_all(BASELINE, self._baseline_blocks(asked))
            self._budget = self._affordable()
        self._play_all(BASELINE, self._baseline_blocks(self._baseline_attempts(self._budget) - asked))

    def _baseline_attempts(self, attempts: int) -> int:
        """Attempts in each segment for the designer's defaults, of `attempts` in all."""
        return baseline_attempts(attempts, self._problem.segments, self._effort)

    def _baseline_blocks(self, attempts: int) -> list[Ask]:
        """The designer's defaults with `attempts` in each segment, in enough blocks to estimate their spread."""
        self._first_block = self._next_block
        if attempts <= 0:
            return []
        if self._effort.whole:
            whole = whole_blocks(attempts, self._problem.segments, self._effort)
            return [Ask(self._problem.start, whole.attempts, b, whole.players) for b in range(whole.blocks)]
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
            if ask.players:
                self._players[ask.block] = ask.players
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
            ) and all(
                0 <= w <= n and (n <= most or ask.players)
                for w, n, most in zip(tell.wins, tell.attempts, ask.attempts, strict=True)
            ):
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


def _logit(rate: float) -> float:
    held = min(max(rate, 1e-3), 1.0 - 1e-3)
    return math.log(held / (1.0 - held))


def _logits(rates: Numbers) -> Numbers:
    """Log-odds, of the same shape."""
    held = np.clip(rates, 1e-3, 1.0 - 1e-3)
    logits: Numbers = np.log(held / (1.0 - held))
    return logits


def _mismatch(journal: Journal) -> RunFolderError:
    return RunFolderError(
        f"{journal.path} does not hold the counts that this study asks for, so it cannot be resumed; start a new one."
    )
