"""The game under a search: asks are played by synthetic players, and what comes back are counts.

Every attempt is the work of another player, who is drawn as in the scenario, has made `after_attempts` attempts before,
and begins a session. Players of a block are a replica of their own, beyond all replicas of runs: no run ever meets the
players of a study. Skill is stratified over the players of an ask. Where the players of a cohort share a draw in each
replica, here everybody comes from a world of their own: the win rate is the mean over worlds, and attempts stay
independent of each other.
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
from engine.players import COHORT_STRIDE, KINDS
from engine.randomness import LARGEST_REPLICA
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from sims.catalog import Catalog
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.knob_box import Point, values_of
from sims.workers.pool import Pool

FIRST_REPLICA: Final = 1 << 27  # runs have at most 100,000
LARGEST_ASK: Final = COHORT_STRIDE  # attempts of a segment in one ask
_TASK_S: Final = 0.05  # a task that takes less is not worth its way to a worker
_LONGEST_TASK_S: Final = 1.0  # so that nobody waits long for a study that was stopped
_TASKS_PER_WORKER: Final = 4
_FIRST_GUESS_S: Final = 1e-3  # of one attempt, before any was measured: rather too long, so that no task is endless
_DEADLINE_S: Final = 300.0  # for one task


class Piece(NamedTuple):
    """Some of the players of one ask in one segment."""

    ask: int  # place in the asks that are played together
    segment: int
    values: tuple[float, ...]  # of all knobs, as rules see them
    block: int
    first: int
    players: int
    strata: int  # players of the ask in this segment


class Share(NamedTuple):
    """What came of a piece."""

    ask: int
    segment: int
    attempts: int  # fewer than players where attempts failed
    wins: int
    failure: str  # what the last of those ended with


class Bench(NamedTuple):
    """What a worker needs to know."""

    setup: Setup
    traits: npt.NDArray[np.float64]
    segments: tuple[Segment, ...]
    before: int


class Simulator:
    """Plays asks of a scenario. Use it as a context manager, in the main thread: leaving it ends all workers."""

    def __init__(self, scenario: Scenario, segments: Sequence[Segment], *, workers: int) -> None:
        catalog = Catalog()
        own = catalog.has_own(scenario.form.game.name, scenario.controller)
        argument = (scenario, tuple(segments))
        self._space = setup_of(scenario, catalog).space
        self._segments = tuple(segments)
        self._levels = max(scenario.levels, 1)
        self._workers = workers
        self._pool = Pool(workers, bench_of, argument, play_pieces, deadline_s=_DEADLINE_S, noun="task", apart=not own)
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
        """Attempts in a second of all workers together, by what was measured so far."""
        return self._workers / self._attempt_s

    @property
    def _attempt_s(self) -> float:
        return self._busy_s / self._played if self._played else _FIRST_GUESS_S

    def play(self, asks: Sequence[Ask]) -> list[Tell]:
        """What comes of some asks, in their order. It depends on scenario, code and asks alone."""
        return list(self.tells(asks))

    def tells(self, asks: Sequence[Ask]) -> Iterator[Tell]:
        """As `play`, each as soon as it and those before it are there.

        Raises PluginFault when more than a fifth of the attempts fail, and what sims.workers.pool.Pool.run raises.
        """
        for ask in asks:
            _check_room(ask, self._levels)
        attempts = [[0] * len(self._segments) for _ in asks]
        wins = [[0] * len(self._segments) for _ in asks]
        missing = [sum(ask.attempts) for ask in asks]
        next_one = 0
        for shares in self._shares(asks):
            for share, players in shares:
                attempts[share.ask][share.segment] += share.attempts
                wins[share.ask][share.segment] += share.wins
                missing[share.ask] -= players
            while next_one < len(asks) and not missing[next_one]:
                ask = asks[next_one]
                yield Tell(ask.point, tuple(attempts[next_one]), tuple(wins[next_one]), ask.block)
                next_one += 1

    def _shares(self, asks: Sequence[Ask]) -> Iterator[list[tuple[Share, int]]]:
        """What came of the pieces, with the players that each had, as tasks end."""
        tasks = list(self._tasks(asks))
        yield []  # asks for no attempt at all are answered without any task
        first = 0 if self._warm else 1
        for some in (tasks[:first], tasks[first:]):  # the first of all alone: its worker compiles for all
            for number, (shares, seconds) in self._pool.run(enumerate(some)):
                self._warm = True
                done = sum(piece.players for piece in some[number])
                self._busy_s += seconds
                self._played += done
                self._count_failures(shares, done)
                yield [(share, piece.players) for share, piece in zip(shares, some[number], strict=True)]

    def _count_failures(self, shares: Sequence[Share], players: int) -> None:
        failed = players - sum(share.attempts for share in shares)
        self._failed += failed
        if failed and too_many(self._failed, self._played):
            why = next(share.failure for share in reversed(shares) if share.failure)
            raise PluginFault(
                f"at most a fifth of the attempts may fail, and {self._failed:,} of the first {self._played:,} did, "
                f"the last of them by {why}; correct the game and tune anew."
            )

    def _tasks(self, asks: Sequence[Ask]) -> Iterator[tuple[Piece, ...]]:
        """The pieces of all asks, cut into tasks of about the same length."""
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
    """Raise ValueError where an ask names players who are not there."""
    if not 0 <= ask.block < largest_block(levels):
        raise ValueError(f"a block has a number below {largest_block(levels)}, got {ask.block}")
    if max(ask.attempts) > LARGEST_ASK:
        raise ValueError(f"an ask has at most {LARGEST_ASK} attempts in each segment, got {max(ask.attempts)}")


def largest_block(levels: int) -> int:
    """So many blocks there are for so many levels; an endless stream has one. About 134 million for one level."""
    return (LARGEST_REPLICA + 1 - FIRST_REPLICA) // levels


# --- In the worker's process ---------------------------------------------------------------------------------------


def bench_of(argument: tuple[Scenario, tuple[Segment, ...]]) -> Bench:
    """What is needed to play a scenario's segments."""
    scenario, segments = argument
    setup = setup_of(scenario, Catalog())
    traits = np.array([of_strangers(table) for table in setup.traits])
    bench = Bench(setup, traits, segments, scenario.after_attempts)
    # One attempt at the defaults, so that no task is slow for having to compile; what fails here shows in a task.
    play_pieces(bench, (Piece(0, 0, tuple(setup.space.defaults()), 0, 0, 1, 1),))
    return bench


def of_strangers(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A cohort's table of traits for players of whom each comes from a replica of their own, shape (traits, 6).

    What a cohort shares in a replica is then one more independent draw, and two normal draws together are one with a
    spread of sqrt(b^2 + common^2), see engine.players.drawn.
    """
    found = table.copy()
    shared = np.isin(table[:, 0], (KINDS.index("normal"), KINDS.index("lognormal"))) & (table[:, 5] != 0.0)
    found[:, 2] = np.where(shared, np.sqrt(table[:, 2] ** 2 + table[:, 5] ** 2), table[:, 2])
    found[:, 5] = 0.0
    return found


def play_pieces(bench: Bench, pieces: tuple[Piece, ...]) -> tuple[list[Share], float]:
    """What came of some pieces, and the seconds that it took."""
    began = time.perf_counter()
    shares = [_share(bench, piece) for piece in pieces]
    return shares, time.perf_counter() - began


def _share(bench: Bench, piece: Piece) -> Share:
    try:
        return Share(piece.ask, piece.segment, piece.players, _wins(bench, piece), "")
    except (FlowdialError, MemoryError, OSError):
        raise
    except (Exception, SystemExit):  # noqa: BLE001 - a plug-in may raise anything
        return _one_by_one(bench, piece)


def _one_by_one(bench: Bench, piece: Piece) -> Share:
    """The same where an attempt ended with an exception: without those that do."""
    attempts = wins = 0
    failure = ""
    for place in range(piece.first, piece.first + piece.players):
        try:
            wins += _wins(bench, piece._replace(first=place, players=1))
            attempts += 1
        except (FlowdialError, MemoryError, OSError):
            raise
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
            failure = f"{type(fault).__name__}: {message_of(fault)}"
    return Share(piece.ask, piece.segment, attempts, wins, failure)


def _wins(bench: Bench, piece: Piece) -> int:
    segment = bench.segments[piece.segment]
    levels = max(bench.setup.levels, 1)
    crowd = Crowd(
        bench.traits[segment.cohort],
        piece.players,
        cohort=segment.cohort,
        first=piece.first,
        first_attempt=bench.before,
        before=bench.before,
        level=segment.level,
        strata=piece.strata,
    )
    replica = FIRST_REPLICA + piece.block * levels + max(segment.level - 1, 0)  # other players on each level
    values = np.array([piece.values])
    with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
        return int(batch_wins(bench.setup.game, values, crowd, bench.setup.seed, replica=replica)[0])
