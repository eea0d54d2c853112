"""The game under a search: synthetic players play the asks, and the result is counts.

An ask of a search is played by other players for each attempt, in the conditions in which a run judges players
(sims.tuning.conditions); skill is stratified over the players of an ask. An ask that measures is a small run
(sims.tuning.whole_runs). The players of a block are a replica of their own, beyond all replicas of runs: no run meets
the players of a study. Where the players of a cohort share a draw in each replica, here each player has a replica of
their own: the win rate is the mean over replicas, and players stay independent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from types import TracebackType
from typing import Final, NamedTuple

import numpy as np

from engine.batch import Places, wins_of_able
from engine.errors import FlowdialError, PluginFault
from engine.faults import message_of, too_many
from engine.game import FAILED
from engine.parameters import level_value
from engine.players import COHORT_STRIDE
from engine.randomness import LARGEST_REPLICA
from engine.scenario import Scenario
from engine.setup import Setup
from sims.catalog import Catalog
from sims.terminal import OnMessage, no_message
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.search_space import Numbers, Point
from sims.tuning.whole_runs import FIRST_REPLICA, held_at, judged_counts, play_block, replica_of, run_setup, strata
from sims.workers.executor import Workers, executor_for

LARGEST_ASK: Final = COHORT_STRIDE  # attempts of one segment in one ask
_TASK_S: Final = 0.05  # shorter tasks are not worth sending to a worker
_LONGEST_TASK_S: Final = 1.0  # so that a study stops quickly
_TASKS_PER_WORKER: Final = 4
_FIRST_GUESS_S: Final = 1e-3  # of one attempt, before any was measured; rather too long, so that no task is endless
_DEADLINE_S: Final = 300.0  # for one task
_ABLE: Final = 0x61626C65  # of the dice that choose in which condition players are


class Piece(NamedTuple):
    """Some players of one ask: those of one segment, or all of a cohort who play as in a run."""

    ask: int  # index in the asks that are played together
    segments: tuple[int, ...]  # one, or all of the cohort
    values: tuple[float, ...]  # of all knobs, as rules see them
    block: int
    first: int
    players: int
    strata: int  # players of the whole ask in this segment
    attempts: float  # of each player, by plan
    whole: bool = False  # whether they play as in a run
    part: tuple[int, int] = (0, 1)  # class of skill, see sims.tuning.search.counts.Ask

    @property
    def work(self) -> float:
        """Attempts by plan."""
        return self.players * self.attempts


class PieceCounts(NamedTuple):
    """The counts of a piece."""

    attempts: tuple[int, ...]  # by segment of the piece; fewer than planned where attempts failed, or are not judged
    wins: tuple[int, ...]
    failed: int = 0  # attempts
    failure: str = ""  # how the last of them ended


class WorkerSetup(NamedTuple):
    """What a worker needs to play pieces."""

    setup: Setup
    segments: tuple[Segment, ...]
    able: tuple[Numbers, ...]  # see sims.tuning.conditions
    after_attempts: int


class Simulator:
    """Plays the asks of a scenario. Use it as a context manager in the main thread: leaving it ends all workers."""

    def __init__(self, problem: Problem, *, workers: Workers, on_message: OnMessage = no_message) -> None:
        scenario, segments = problem.scenario, problem.segments
        own = Catalog().has_own(scenario.form.game.name, scenario.controller)
        argument = (scenario, segments, problem.conditions.able)
        self._values = problem.values
        self._segments = segments
        self._levels = max(scenario.levels, 1)
        executor = executor_for(workers)
        self._workers = executor.workers
        self._pool = executor.pool(
            prepare_worker,
            argument,
            play_pieces,
            deadline_s=_DEADLINE_S,
            noun="task",
            apart=not own,
            on_message=on_message,
        )
        self._failed = 0
        self._played = self._busy_s = 0.0  # attempts, and seconds of one core
        self._warm = False

    def __enter__(self) -> Simulator:
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, fault, trace)

    @property
    def attempts_per_s(self) -> float:
        """Attempts per second of all workers together, as measured so far."""
        return self._workers / self._attempt_s

    @property
    def _attempt_s(self) -> float:
        return self._busy_s / self._played if self._played else _FIRST_GUESS_S

    def play(self, asks: Sequence[Ask]) -> list[Tell]:
        """The counts of some asks, in their order. They depend only on the scenario, the code and the asks."""
        return list(self.tells(asks))

    def tells(self, asks: Sequence[Ask]) -> Iterator[Tell]:
        """As `play`, each tell as soon as it and those before it are complete.

        Raises PluginFault when more than a fifth of the attempts fail, and what sims.workers.pool.Pool.run raises.
        """
        for ask in asks:
            _check_room(ask, self._levels)
        attempts = [[0] * len(self._segments) for _ in asks]
        wins = [[0] * len(self._segments) for _ in asks]
        missing = [self._players(ask) for ask in asks]
        next_one = 0
        for played in self._play_tasks(asks):
            for piece, counts in played:
                for k, made, won in zip(piece.segments, counts.attempts, counts.wins, strict=True):
                    attempts[piece.ask][k] += made
                    wins[piece.ask][k] += won
                missing[piece.ask] -= piece.players
            while next_one < len(asks) and not missing[next_one]:
                ask = asks[next_one]
                yield Tell(ask.point, tuple(attempts[next_one]), tuple(wins[next_one]), ask.block)
                next_one += 1

    def _play_tasks(self, asks: Sequence[Ask]) -> Iterator[list[tuple[Piece, PieceCounts]]]:
        """Pieces and their counts, as tasks end."""
        tasks = list(self._tasks(asks))
        yield []  # asks without attempts need no task
        first = 0 if self._warm else 1
        for some in (tasks[:first], tasks[first:]):  # the first task runs alone: its worker compiles for all
            for number, (counts, seconds) in self._pool.run(enumerate(some)):
                self._warm = True
                self._busy_s += seconds
                self._played += sum(piece.work for piece in some[number])
                self._count_failures(counts)
                yield list(zip(some[number], counts, strict=True))

    def _count_failures(self, counts: Sequence[PieceCounts]) -> None:
        failed = sum(one.failed for one in counts)
        self._failed += failed
        played = round(self._played)
        if failed and too_many(self._failed, played):
            why = next(one.failure for one in reversed(counts) if one.failure)
            raise PluginFault(
                f"at most a fifth of the attempts may fail, but {self._failed:,} of the first {played:,} did, "
                f"the last one with {why}; correct the game and start a new study."
            )

    def _tasks(self, asks: Sequence[Ask]) -> Iterator[tuple[Piece, ...]]:
        """The pieces of all asks, cut into tasks of about equal length. Players of a run are not divided."""
        pieces = list(self._pieces(asks))
        total = sum(piece.work for piece in pieces)
        work_s = total * self._attempt_s
        tasks = min(work_s / _TASK_S, self._workers * _TASKS_PER_WORKER)
        size = int(total / max(tasks, work_s / _LONGEST_TASK_S, 1.0)) + 1
        task: list[Piece] = []
        room = float(size)
        for piece in pieces:
            first, last = piece.first, piece.first + piece.players
            while first < last:
                players = last - first if piece.whole else min(int(room), last - first)
                task.append(piece._replace(first=first, players=players))
                first, room = first + players, room - task[-1].work
                if room < 1.0:
                    yield tuple(task)
                    task, room = [], float(size)
        if task:
            yield tuple(task)

    def _pieces(self, asks: Sequence[Ask]) -> Iterator[Piece]:
        known: dict[Point, tuple[float, ...]] = {}
        for place, ask in enumerate(asks):
            values = known.setdefault(ask.point, tuple(self._values(ask.point)))
            if ask.players:
                for own in _by_cohort(self._segments):
                    if players := ask.players[own[0]]:
                        each = sum(ask.attempts[k] for k in own) / players
                        yield Piece(place, own, values, ask.block, 0, players, players, max(each, 1.0), whole=True)
                continue
            for k, attempts in enumerate(ask.attempts):
                if attempts:
                    yield Piece(place, (k,), values, ask.block, 0, attempts, attempts, 1.0, part=ask.part)

    def _players(self, ask: Ask) -> int:
        """Players of an ask in all."""
        if not ask.players:
            return sum(ask.attempts)
        return sum(ask.players[own[0]] for own in _by_cohort(self._segments))


def _by_cohort(segments: Sequence[Segment]) -> list[tuple[int, ...]]:
    """Places of the segments of each cohort."""
    cohorts = dict.fromkeys(segment.cohort for segment in segments)
    return [tuple(k for k, segment in enumerate(segments) if segment.cohort == cohort) for cohort in cohorts]


def _check_room(ask: Ask, levels: int) -> None:
    """Raise ValueError where an ask names a block or players that do not exist."""
    if not 0 <= ask.block < largest_block(levels):
        raise ValueError(f"a block must be below {largest_block(levels)}, got {ask.block}")
    if max(ask.attempts) > LARGEST_ASK:
        raise ValueError(f"an ask may have at most {LARGEST_ASK} attempts in each segment, got {max(ask.attempts)}")


def largest_block(levels: int) -> int:
    """The number of blocks with so many levels (1 for an endless stream): about 134 million for one level."""
    return (LARGEST_REPLICA + 1 - FIRST_REPLICA) // levels


def prepare_worker(argument: tuple[Scenario, tuple[Segment, ...], tuple[Numbers, ...]]) -> WorkerSetup:
    """In a worker: prepare to play the segments of a scenario."""
    scenario, segments, able = argument
    setup = run_setup(scenario)
    worker = WorkerSetup(setup, segments, able, scenario.after_attempts)
    # One attempt at the defaults, alone and in a run, compiles everything, so that no task is slow; a failure here
    # shows in a task.
    values = tuple(setup.space.defaults())
    play_pieces(worker, (Piece(0, (0,), values, 0, 0, 1, 1, 1.0),))
    play_block(held_at(replace(setup, attempts_per_player=1), values), segments[0].cohort, 1, FIRST_REPLICA)
    return worker


def play_pieces(worker: WorkerSetup, pieces: tuple[Piece, ...]) -> tuple[list[PieceCounts], float]:
    """In a worker: the counts of some pieces, and the seconds that they took."""
    began = time.perf_counter()
    counts = [_play_run(worker, piece) if piece.whole else _count(worker, piece) for piece in pieces]
    return counts, time.perf_counter() - began


def _play_run(worker: WorkerSetup, piece: Piece) -> PieceCounts:
    """The counts of players who play as in a run."""
    setup = held_at(worker.setup, piece.values)
    cohort = worker.segments[piece.segments[0]].cohort
    replica = replica_of(setup, piece.block)
    with redirect_stdout(sys.stderr):  # what a plug-in prints is not a result
        played = play_block(setup, cohort, piece.players, replica)
    counts = judged_counts(setup, played.rows, worker.after_attempts)
    levels = [max(worker.segments[k].level - 1, 0) for k in piece.segments]
    failed = int((played.rows["outcome"] == FAILED).sum())
    failure = f"{played.faults[-1].type}: {played.faults[-1].message}" if played.faults else ""
    return PieceCounts(tuple(counts.attempts[levels].tolist()), tuple(counts.wins[levels].tolist()), failed, failure)


def _count(worker: WorkerSetup, piece: Piece) -> PieceCounts:
    able = _able(worker, piece)
    try:
        return PieceCounts((piece.players,), (_wins(worker, piece, able),))
    except (FlowdialError, MemoryError, OSError):
        raise
    except (Exception, SystemExit):  # noqa: BLE001 - a plug-in may raise anything
        return _one_by_one(worker, piece, able)


def _one_by_one(worker: WorkerSetup, piece: Piece, able: Numbers) -> PieceCounts:
    """The counts without those attempts that end with an exception."""
    attempts = wins = 0
    failure = ""
    for i in range(piece.players):
        try:
            wins += _wins(worker, piece._replace(first=piece.first + i, players=1), able[i : i + 1])
            attempts += 1
        except (FlowdialError, MemoryError, OSError):
            raise
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
            failure = f"{type(fault).__name__}: {message_of(fault)}"
    return PieceCounts((attempts,), (wins,), piece.players - attempts, failure)


def _able(worker: WorkerSetup, piece: Piece) -> Numbers:
    """The faculties of the players of a piece, shape (players, faculties): stratified over those of the whole ask."""
    setup, segment = worker.setup, piece.segments[0]
    dice = np.random.Generator(
        np.random.Philox(key=[setup.seed, _replica(worker, piece)], counter=[0, 0, segment, _ABLE])
    )
    able = worker.able[segment]
    places = strata(dice, piece.strata)[piece.first : piece.first + piece.players]
    places = (piece.part[0] + places) / piece.part[1]
    chosen: Numbers = able[np.floor(places * len(able)).astype(np.int64)]
    return chosen


def _replica(worker: WorkerSetup, piece: Piece) -> int:
    """The replica of a piece: there are other players on each level."""
    level = worker.segments[piece.segments[0]].level
    return replica_of(worker.setup, piece.block) + max(level - 1, 0)


def _wins(worker: WorkerSetup, piece: Piece, able: Numbers) -> int:
    segment, replica = worker.segments[piece.segments[0]], _replica(worker, piece)
    first = worker.setup.player_number(segment.cohort, piece.first)
    table = worker.setup.space.table()
    params = (level_value(table, j, segment.level, value) for j, value in enumerate(piece.values))
    values = np.array([*params, *worker.setup.space.numbers_on(segment.level)])
    places = Places(worker.setup.seed, replica, first, segment.level, worker.setup.layout_seed(replica))
    with redirect_stdout(sys.stderr):  # what a plug-in prints is not a result
        return wins_of_able(worker.setup.game, values, able, places)
