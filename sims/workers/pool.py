"""A supervised pool: one process and one pipe per worker.

A worker that dies costs one task, which is tried again on a fresh worker; one that hangs is killed at its deadline,
or when its black box (engine.faults) has told of one attempt for too long; a machine that slept uses up neither. So is
one that a signal has stopped, as SIGSTOP does, while this process went on. A
task that lost two workers is tried a last time when no other runs, with all the memory to itself. A pool that is kept
apart for plug-ins of others has a worker in reserve from its first loss on, so that the next loss waits for no start.
docs/decisions.md says which pools of others were tried.

    with Pool(4, prepare, argument, work) as pool:
        for number, result in pool.run(enumerate(items)):
            ...

Each worker calls shared = prepare(argument) once and then work(shared, item) for each task; both are functions of an
importable module, and `work` may write into sims.workers.worker_process.worker_box(). Workers do not run the script of
the caller again. With one worker all of it happens in the calling process itself, unless it is to be kept apart.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Final, NamedTuple

from engine.faults import ATTEMPT_AT, KILLED, NOBODY, PLAYER_AT, ROWS_AT, TIMEOUT
from sims.terminal import OnMessage, no_message
from sims.workers.awake_clock import AwakeWatch
from sims.workers.start_fault import start_fault
from sims.workers.task_fault import Failure, WorkerFault, failure_of
from sims.workers.worker import Worker
from sims.workers.worker_process import NO_MEMORY

DEADLINE_S: Final = 1800.0  # for one task
STALL_S: Final = 60.0  # for one attempt
STILL_S: Final = 30.0  # for a process that a signal has stopped
START_S: Final = 300.0  # for a worker to start and prepare
AHEAD: Final = 2  # tasks per worker in flight: one is worked on, one waits, so that memory stays flat
_TRIES: Final = 3  # the last of them alone
_LOOK_S: Final = 10.0  # how often the parent looks at its watch
_PATIENCE_S: Final = 2.0  # for workers without work to end by themselves
_TOO_LITTLE: Final = "not enough memory; use fewer workers, or smaller cohorts where players share a controller"


class Loss(NamedTuple):
    """How the worker of a task was lost, and where by its black box."""

    player: int  # NOBODY when no plug-in was at work
    attempt: int
    rows: int  # attempts of the task so far
    kind: int  # TIMEOUT or KILLED
    fate: str
    sure: bool  # whether what happened is the task's own doing, if it happens there again
    stopped: bool = False  # whether a signal had stopped the worker, which is nobody's doing here


# What a task is tried with after a loss that is explained by it, or None when it is not.
Explain = Callable[[Any, Loss], Any]


class Pool:
    """Workers for one kind of task. Use it as a context manager, in the main thread; leaving it ends all workers."""

    def __init__(
        self,
        workers: int,
        prepare: Callable[[Any], Any],
        argument: Any,
        work: Callable[[Any, Any], Any],
        *,
        deadline_s: float = DEADLINE_S,
        stall_s: float = STALL_S,
        noun: str = "task",
        apart: bool = False,
        explain: Explain | None = None,
        still_s: float = STILL_S,
        on_message: OnMessage = no_message,
    ) -> None:
        """workers: 1 or more; argument and items must be picklable, they travel through a pipe; noun: for messages.

        apart: with one worker too, in a process of its own; explain: (item, loss) -> the item to try instead, as if
        nothing had been lost, or None when the loss is not explained; still_s: how long a worker may be stopped by a
        signal; on_message: takes a sentence when one was.
        """
        if workers < 1:
            raise ValueError(f"a pool needs one worker or more, got {workers}")
        self._size = workers
        self._recipe = (prepare, argument, work)
        self._deadline_s, self._stall_s = deadline_s, stall_s
        self._still_s, self._on_message = still_s, on_message
        self._noun = noun
        self._apart = apart or workers > 1
        self._explain = explain
        self._workers: list[Worker] = []
        self._reserves = apart  # whether to keep a worker in reserve once one was lost
        self._reserve: Worker | None = None
        self._any_lost = False
        self._here: tuple[Any] | None = None  # what `prepare` gave, where all of it happens in this process
        self._watch = AwakeWatch(min(_LOOK_S, deadline_s / 4, stall_s / 4, still_s / 3))

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        patience_s = 0.0 if kind else _PATIENCE_S
        for worker in self._workers:
            worker.pipe.close()  # a worker that waits for a task reads the end and returns
        until = time.monotonic() + patience_s
        for worker in self._workers:
            worker.end(max(until - time.monotonic(), 0.0))
        self._workers.clear()
        if self._reserve is not None:
            self._reserve.end(0.0)  # nothing is lost with it
            self._reserve = None

    def run(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Give (number, result) for each (number, item), started in the order given, in the order they end.

        Tasks are taken from the iterable only when a worker has room. Raises the task's own error when it is a
        FlowdialError, EnvironmentFault for one of the disk, TaskFault for any other, WorkerFault when a task's workers
        died or hung as often as it was tried, or when the memory is not enough.
        """
        return self._run_apart(tasks) if self._apart else self._run_here(tasks)

    def _run_here(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        prepare, argument, work = self._recipe
        if self._here is None:
            self._here = (_guarded("cannot start", prepare, argument, starting=True),)
        (shared,) = self._here
        for number, item in tasks:
            try:
                result = _guarded(f"{self._noun} {number} failed", work, shared, item)
            except MemoryError as fault:
                raise WorkerFault(f"{self._noun} {number} failed: {_TOO_LITTLE}.") from fault
            yield number, result

    def _run_apart(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        waiting = iter(tasks)
        lost = _Lost()
        while True:
            self._hand_out(lost.again, waiting)
            if not any(worker.tasks for worker in self._workers):
                if not lost.alone:
                    return
                self._hand_out(lost.alone, iter(()), most=1)
            self._keep_reserve()
            for worker in self._ready():
                message = worker.receive()
                if message is None:
                    self._replace(worker, lost)
                elif isinstance(message, Failure):
                    what = f"{self._noun} {worker.tasks[0][0]} failed" if worker.prepared else "a worker cannot start"
                    message.raise_it(what, starting=not worker.prepared)
                elif worker.prepared:
                    number, _ = worker.tasks.popleft()
                    worker.since = self._watch.look()
                    yield number, message[0]
                else:
                    worker.prepared = True
                    worker.since = self._watch.look()

    def _hand_out(
        self, again: deque[tuple[int, Any]], waiting: Iterator[tuple[int, Any]], most: int | None = None
    ) -> None:
        """Fill up the workers one task each in turn, starting workers while there are tasks for them. most: tasks."""
        left = self._size * AHEAD if most is None else most
        for room in range(AHEAD):
            for place in range(self._size):
                worker = self._workers[place] if place < len(self._workers) else None
                if worker is not None and len(worker.tasks) > room:
                    continue
                task = again.popleft() if again else next(waiting, None)
                if task is None:
                    return
                if worker is None:
                    worker = self._next_worker()
                    self._workers.append(worker)
                worker.send(task, self._watch.look())
                left -= 1
                if not left:
                    return

    def _next_worker(self) -> Worker:
        """The one in reserve, unless it has exited, or a new one."""
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            if reserve.process.is_alive():
                return reserve
            reserve.end(0.0)
        return Worker(*self._recipe)

    def _keep_reserve(self) -> None:
        if self._reserves and self._any_lost and self._reserve is None:
            with contextlib.suppress(WorkerFault):  # it is needed when the next worker is lost, or never
                self._reserve = Worker(*self._recipe)

    def _ready(self) -> list[Worker]:
        """Workers that have sent something, have exited, or were killed at their deadline just now."""
        limits = {worker: self._limit(worker) for worker in self._workers if worker.tasks}
        soonest_s = max(min(limits.values()) - self._watch.look(), 0.0)
        ready = wait([worker.pipe for worker in limits], min(soonest_s, self._watch.longest_s))
        now = self._watch.look()
        for worker in limits:
            limit = self._limit(worker)  # it may have begun another attempt since
            if worker.pipe in ready:
                worker.still_since = None
            elif now >= limit:
                worker.fate = f"took longer than {limit - worker.begun:g} s"
                worker.process.kill()
            elif self._stands_still(worker, now):
                worker.fate, worker.was_stopped = f"was stopped by a signal for {self._still_s:g} s", True
                self._on_message(f"a worker {worker.fate}; its {self._noun} is played again.")
                worker.process.kill()
        return [worker for worker in limits if worker.pipe in ready or worker.fate]

    def _stands_still(self, worker: Worker, now: float) -> bool:
        """Whether somebody has stopped a worker's process and this one went on without it."""
        if not worker.is_stopped():
            worker.still_since = None
        elif worker.still_since is None:
            worker.still_since = now
        return worker.still_since is not None and now - worker.still_since >= self._still_s

    def _limit(self, worker: Worker) -> float:
        """When a worker's time is up, by our watch."""
        worker.begun = worker.since
        if not worker.prepared:
            return worker.since + START_S
        limit = worker.since + self._deadline_s
        at = worker.attempt()
        if at != worker.seen:
            worker.seen, worker.seen_at = at, self._watch.look()
        if at[0] != NOBODY and worker.seen_at + self._stall_s < limit:
            worker.begun = worker.seen_at
            limit = worker.seen_at + self._stall_s
        return limit

    def _replace(self, worker: Worker, lost: _Lost) -> None:
        """Put the tasks of a worker that exited back in the queue; only the first of them was being worked on."""
        worker.end(_PATIENCE_S)
        self._workers.remove(worker)
        self._any_lost = True
        first = worker.tasks.popleft()
        lost.again.extendleft(reversed(worker.tasks))
        fates = lost.fates.setdefault(first[0], [])
        explained = self._explained(first[1], worker, alone=len(fates) == _TRIES - 1)
        if explained is not None:
            fates.clear()
            lost.again.appendleft((first[0], explained))
            return
        fates.append(worker.ended())
        if len(fates) == _TRIES:
            if worker.cannot_start:
                raise start_fault(worker.ended(), self._recipe, apart=self._reserves)
            raise WorkerFault(
                f"{self._noun} {first[0]} failed {_TRIES} times, the last time alone: its worker "
                f"{', then '.join(fates)}; where memory is short, use fewer workers."
            )
        if len(fates) == _TRIES - 1:
            lost.alone.append(first)
        else:
            lost.again.appendleft(first)

    def _explained(self, item: Any, worker: Worker, *, alone: bool) -> Any:
        if self._explain is None or not worker.prepared:
            return None
        box, kind = worker.box, TIMEOUT if worker.fate else KILLED
        # Memory may be short through others, as long as others run.
        sure = alone or worker.process.exitcode != NO_MEMORY
        loss = Loss(
            int(box[PLAYER_AT]), int(box[ATTEMPT_AT]), int(box[ROWS_AT]), kind, worker.ended(), sure, worker.was_stopped
        )
        return self._explain(item, loss)


class _Lost:
    """Tasks whose workers have exited."""

    def __init__(self) -> None:
        self.fates: dict[int, list[str]] = {}  # number of a task -> how its workers ended
        self.again: deque[tuple[int, Any]] = deque()  # to be tried at once
        self.alone: deque[tuple[int, Any]] = deque()  # to be tried when nothing else runs


def _guarded(what: str, function: Callable[..., Any], *arguments: Any, starting: bool = False) -> Any:
    """Call what plug-ins have a part in, here: what it prints is a message, and it cannot end this process."""
    try:
        with redirect_stdout(sys.stderr):
            return function(*arguments)
    except MemoryError:
        raise
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
        failure_of(fault).raise_it(what, starting=starting)
