"""The game under a search: synthetic players play the asks, and the result is counts.

Each attempt is by another player, who is drawn as in the scenario, has made `after_attempts` attempts before, and
begins a session. The players of a block are a replica of their own, beyond all replicas of runs: no run meets the
players of a study. Skill is stratified over the players of an ask. Where the players of a cohort share a draw in each
replica, here each player has a replica of their own: the win rate is the mean over replicas, and attempts stay
independent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from types import TracebackType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.batch import Crowd, batch_wins
from engine.errors import FlowdialError, PluginFault
from engine.faults import message_of, too_many
from engine.parameters import level_value
from engine.players import COHORT_STRIDE, KINDS
from engine.randomness import LARGEST_REPLICA
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from sims.catalog import Catalog
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.search_space import Point, values_of
from sims.workers.pool import Pool

FIRST_REPLICA: Final = 1 << 27  # runs have at most 100,000 replicas
LARGEST_ASK: Final = COHORT_STRIDE  # attempts of one segment in one ask
_TASK_S: Final = 0.05  # shorter tasks are not worth sending to a worker
_LONGEST_TASK_S: Final = 1.0  # so that a study stops quickly
_TASKS_PER_WORKER: Final = 4
_FIRST_GUESS_S: Final = 1e-3  # of one attempt, before any was measured; rather too long, so that no task is endless
_DEADLINE_S: Final = 300.0  # for one task


class Piece(NamedTuple):
    """Some players of one ask in one segment."""

    ask: int  # index in the asks that are played together
    segment: int
    values: tuple[float, ...]  # of all knobs, as rules see them
    block: int
    first: int
    players: int
    strata: int  # players of the whole ask in this segment


class PieceCounts(NamedTuple):
    """The counts of a piece."""

    ask: int
    segment: int
    attempts: int  # fewer than players where attempts failed
    wins: int
    failure: str  # how the last failed attempt ended


class WorkerSetup(NamedTuple):
    """What a worker needs to play pieces."""

    setup: Setup
    traits: npt.NDArray[np.float64]
    segments: tuple[Segment, ...]
    before: int


class Simulator:
    """Plays the asks of a scenario. Use it as a context manager in the main thread: leaving it ends all workers."""

    def __init__(self, scenario: Scenario, segments: Sequence[Segment], *, workers: int) -> None:
        catalog = Catalog()
        own = catalog.has_own(scenario.form.game.name, scenario.controller)
        argument = (scenario, tuple(segments))
        self._space = setup_of(scenario, catalog).space
        self._segments = tuple(segments)
        self._levels = max(scenario.levels, 1)
        self._workers = workers
        self._pool = Pool(
            workers, prepare_worker, argument, play_pieces, deadline_s=_DEADLINE_S, noun="task", apart=not own
        )
        self._played = self._failed = 0
        self._busy_s = 0.0  # of one core
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
        missing = [sum(ask.attempts) for ask in asks]
        next_one = 0
        for counted in self._play_tasks(asks):
            for counts, players in counted:
                attempts[counts.ask][counts.segment] += counts.attempts
                wins[counts.ask][counts.segment] += counts.wins
                missing[counts.ask] -= players
            while next_one < len(asks) and not missing[next_one]:
                ask = asks[next_one]
                yield Tell(ask.point, tuple(attempts[next_one]), tuple(wins[next_one]), ask.block)
                next_one += 1

    def _play_tasks(self, asks: Sequence[Ask]) -> Iterator[list[tuple[PieceCounts, int]]]:
        """The counts of the pieces, with the players of each, as tasks end."""
        tasks = list(self._tasks(asks))
        yield []  # asks without attempts need no task
        first = 0 if self._warm else 1
        for some in (tasks[:first], tasks[first:]):  # the first task runs alone: its worker compiles for all
            for number, (counts, seconds) in self._pool.run(enumerate(some)):
                self._warm = True
                done = sum(piece.players for piece in some[number])
                self._busy_s += seconds
                self._played += done
                self._count_failures(counts, done)
                yield [(one, piece.players) for one, piece in zip(counts, some[number], strict=True)]

    def _count_failures(self, counts: Sequence[PieceCounts], players: int) -> None:
        failed = players - sum(one.attempts for one in counts)
        self._failed += failed
        if failed and too_many(self._failed, self._played):
            why = next(one.failure for one in reversed(counts) if one.failure)
            raise PluginFault(
                f"at most a fifth of the attempts may fail, but {self._failed:,} of the first {self._played:,} did, "
                f"the last one with {why}; correct the game and start a new study."
            )

    def _tasks(self, asks: Sequence[Ask]) -> Iterator[tuple[Piece, ...]]:
        """The pieces of all asks, cut into tasks of about equal length."""
        total = sum(sum(ask.attempts) for ask in asks)
        work_s = total * self._attempt_s
        tasks = min(work_s / _TASK_S, self._workers * _TASKS_PER_WORKER)
        size = int(total / max(tasks, work_s / _LONGEST_TASK_S, 1.0)) + 1
        task: list[Piece] = []
        room = size
        for piece in self._pieces(asks):
            first, last = piece.first, piece.first + piece.players
            while first < last:
                players = min(room, last - first)
                task.append(piece._replace(first=first, players=players))
                first, room = first + players, room - players
                if not room:
                    yield tuple(task)
                    task, room = [], size
        if task:
            yield tuple(task)

    def _pieces(self, asks: Sequence[Ask]) -> Iterator[Piece]:
        known: dict[Point, tuple[float, ...]] = {}
        for place, ask in enumerate(asks):
            values = known.setdefault(ask.point, tuple(values_of(self._space, ask.point)))
            for k, attempts in enumerate(ask.attempts):
                if attempts:
                    yield Piece(place, k, values, ask.block, 0, attempts, attempts)


def _check_room(ask: Ask, levels: int) -> None:
    """Raise ValueError where an ask names a block or players that do not exist."""
    if not 0 <= ask.block < largest_block(levels):
        raise ValueError(f"a block must be below {largest_block(levels)}, got {ask.block}")
    if max(ask.attempts) > LARGEST_ASK:
        raise ValueError(f"an ask may have at most {LARGEST_ASK} attempts in each segment, got {max(ask.attempts)}")


def largest_block(levels: int) -> int:
    """The number of blocks with so many levels (1 for an endless stream): about 134 million for one level."""
    return (LARGEST_REPLICA + 1 - FIRST_REPLICA) // levels


def prepare_worker(argument: tuple[Scenario, tuple[Segment, ...]]) -> WorkerSetup:
    """In a worker: prepare to play the segments of a scenario."""
    scenario, segments = argument
    setup = setup_of(scenario, Catalog())
    traits = np.array([unshared_traits(table) for table in setup.traits])
    worker = WorkerSetup(setup, traits, segments, scenario.after_attempts)
    # One attempt at the defaults compiles everything, so that no task is slow; a failure here shows in a task.
    play_pieces(worker, (Piece(0, 0, tuple(setup.space.defaults()), 0, 0, 1, 1),))
    return worker


def unshared_traits(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A cohort's table of traits where each player comes from a replica of their own, shape (traits, 6).

    A draw that the cohort shares in a replica then becomes one more independent draw. Two normal draws together are one
    with a spread of sqrt(b^2 + common^2), see engine.players.draw_trait.
    """
    unshared = table.copy()
    shared = np.isin(table[:, 0], (KINDS.index("normal"), KINDS.index("lognormal"))) & (table[:, 5] != 0.0)
    unshared[:, 2] = np.where(shared, np.sqrt(table[:, 2] ** 2 + table[:, 5] ** 2), table[:, 2])
    unshared[:, 5] = 0.0
    return unshared


def play_pieces(worker: WorkerSetup, pieces: tuple[Piece, ...]) -> tuple[list[PieceCounts], float]:
    """In a worker: the counts of some pieces, and the seconds that they took."""
    began = time.perf_counter()
    counts = [_count(worker, piece) for piece in pieces]
    return counts, time.perf_counter() - began


def _count(worker: WorkerSetup, piece: Piece) -> PieceCounts:
    try:
        return PieceCounts(piece.ask, piece.segment, piece.players, _wins(worker, piece), "")
    except (FlowdialError, MemoryError, OSError):
        raise
    except (Exception, SystemExit):  # noqa: BLE001 - a plug-in may raise anything
        return _one_by_one(worker, piece)


def _one_by_one(worker: WorkerSetup, piece: Piece) -> PieceCounts:
    """The counts without those attempts that end with an exception."""
    attempts = wins = 0
    failure = ""
    for place in range(piece.first, piece.first + piece.players):
        try:
            wins += _wins(worker, piece._replace(first=place, players=1))
            attempts += 1
        except (FlowdialError, MemoryError, OSError):
            raise
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
            failure = f"{type(fault).__name__}: {message_of(fault)}"
    return PieceCounts(piece.ask, piece.segment, attempts, wins, failure)


def _wins(worker: WorkerSetup, piece: Piece) -> int:
    segment = worker.segments[piece.segment]
    levels = max(worker.setup.levels, 1)
    crowd = Crowd(
        worker.traits[segment.cohort],
        piece.players,
        cohort=segment.cohort,
        first=piece.first,
        first_attempt=worker.before,
        before=worker.before,
        level=segment.level,
        layout_seed=worker.setup.layout_seed(0),
        strata=piece.strata,
    )
    replica = FIRST_REPLICA + piece.block * levels + max(segment.level - 1, 0)  # other players on each level
    table = worker.setup.space.table()
    values = np.array([[level_value(table, j, segment.level, value) for j, value in enumerate(piece.values)]])
    with redirect_stdout(sys.stderr):  # what a plug-in prints is not a result
        return int(batch_wins(worker.setup.game, values, crowd, worker.setup.seed, replica=replica)[0])
