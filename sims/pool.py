"""A supervised pool: one process and one pipe per worker.

A worker that dies costs one task, which is tried once more on a fresh worker; one that hangs is killed at its
deadline. Workers ignore Ctrl-C, since the parent decides, and they die with their parent, so that no orphan ever
writes. Processes are spawned, never forked: what works here works on every system. The standard pools lose all tasks
in flight with one dead worker, or wait for it for ever.

    with Pool(4, prepare, argument, work) as pool:
        for number, result in pool.run(enumerate(items)):
            ...

Each worker calls shared = prepare(argument) once and then work(shared, item) for each task; both are functions of an
importable module. With one worker all of it happens in the calling process itself.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn

from engine.errors import EnvironmentFault, FlowdialError

DEADLINE_S: Final = 1800.0  # for one task
START_S: Final = 300.0  # for a worker to start and prepare
AHEAD: Final = 2  # tasks per worker in flight: one is worked on, one waits, so that memory stays flat
_TRIES: Final = 2
_PATIENCE_S: Final = 2.0  # for workers without work to end by themselves
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class TaskFault(FlowdialError):
    """A task raised an exception. `details` is the traceback, for --debug."""

    exit_code = 3

    def __init__(self, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details
        if details:
            self.add_note(details)


class WorkerFault(EnvironmentFault):
    """The same task ended its worker, or hung, twice."""


class Failure(NamedTuple):
    """What a worker sends instead of a result: an error of ours as it is, any other as a sentence."""

    sentence: str
    details: str
    known: FlowdialError | None


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
        noun: str = "task",
    ) -> None:
        """workers: 1 or more; argument and items must be picklable, they travel through a pipe; noun: for messages."""
        if workers < 1:
            raise ValueError(f"a pool needs one worker or more, got {workers}")
        self._size = workers
        self._recipe = (prepare, argument, work)
        self._deadline_s = deadline_s
        self._noun = noun
        self._workers: list[_Worker] = []

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

    def run(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Give (number, result) for each (number, item), started in the order given, in the order they end.

        Tasks are taken from the iterable only when a worker has room. Raises the task's own error when it is a
        FlowdialError, TaskFault for any other, WorkerFault when a task's worker died or hung twice.
        """
        if self._size == 1:
            return self._run_here(tasks)
        return self._run_apart(tasks)

    def _run_here(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        prepare, argument, work = self._recipe
        shared = _guarded("cannot start", prepare, argument)
        for number, item in tasks:
            yield number, _guarded(f"{self._noun} {number} failed", work, shared, item)

    def _run_apart(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        waiting = iter(tasks)
        again: deque[tuple[int, Any]] = deque()  # tasks of workers that are gone
        lost: dict[int, str] = {}  # number of a task that ended a worker -> how
        while True:
            self._hand_out(again, waiting)
            if not any(worker.tasks for worker in self._workers):
                return
            for worker in self._ready():
                message = worker.receive()
                if message is None:
                    self._replace(worker, again, lost)
                elif isinstance(message, Failure):
                    what = f"{self._noun} {worker.tasks[0][0]} failed" if worker.prepared else "a worker cannot start"
                    _raise(message, what)
                elif worker.prepared:
                    number, _ = worker.tasks.popleft()
                    worker.since = time.monotonic()
                    yield number, message[0]
                else:
                    worker.prepared = True
                    worker.since = time.monotonic()

    def _hand_out(self, again: deque[tuple[int, Any]], waiting: Iterator[tuple[int, Any]]) -> None:
        """Fill up the workers one task each in turn, starting workers while there are tasks for them."""
        for room in range(AHEAD):
            for place in range(self._size):
                worker = self._workers[place] if place < len(self._workers) else None
                if worker is not None and len(worker.tasks) > room:
                    continue
                task = again.popleft() if again else next(waiting, None)
                if task is None:
                    return
                if worker is None:
                    worker = _Worker(*self._recipe)
                    self._workers.append(worker)
                worker.send(task)

    def _ready(self) -> list[_Worker]:
        """Workers that have sent something, are gone, or were killed at their deadline just now."""
        limits = {worker: worker.since + self._limit_s(worker) for worker in self._workers if worker.tasks}
        ready = wait([worker.pipe for worker in limits], max(min(limits.values()) - time.monotonic(), 0.0))
        now = time.monotonic()
        for worker, limit in limits.items():
            if worker.pipe not in ready and now >= limit:
                worker.fate = f"took longer than {self._limit_s(worker):g} s"
                worker.process.kill()
        return [worker for worker in limits if worker.pipe in ready or worker.fate]

    def _limit_s(self, worker: _Worker) -> float:
        return self._deadline_s if worker.prepared else START_S

    def _replace(self, worker: _Worker, again: deque[tuple[int, Any]], lost: dict[int, str]) -> None:
        """Put the tasks of a worker that is gone back in the queue; only the first of them was being worked on."""
        worker.end(_PATIENCE_S)
        fate = worker.fate or _fate_of(worker.process.exitcode)
        number, _ = worker.tasks[0]
        if number in lost:
            raise WorkerFault(f"{self._noun} {number} failed {_TRIES} times: its worker {lost[number]}, then {fate}.")
        lost[number] = fate
        again.extendleft(reversed(worker.tasks))
        self._workers.remove(worker)


class _Worker:
    """The parent's side of one worker."""

    def __init__(self, prepare: Any, argument: Any, work: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=_serve, args=(theirs, os.getpid(), prepare, argument, work), daemon=True
        )
        self.process.start()
        theirs.close()  # so that the worker's death is the end of the pipe
        self.tasks: deque[tuple[int, Any]] = deque()
        self.prepared = False
        self.since = time.monotonic()  # when it began with the first of its tasks
        self.fate = ""

    def send(self, task: tuple[int, Any]) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        try:
            self.pipe.send(task[1])
        except OSError:  # it is gone; the end of the pipe will say so
            return

    def receive(self) -> Any:
        """(result,), () when prepared, or a Failure; None when the worker is gone."""
        if self.fate:
            return None
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None

    def end(self, patience_s: float) -> None:
        """Wait so long for the process to end by itself, then kill it."""
        self.pipe.close()
        self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _fate_of(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended by itself with exit code {exit_code}"


def _guarded(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call what plug-ins have a part in, here: what it prints is a message, and it cannot end this process."""
    try:
        with redirect_stdout(sys.stderr):
            return function(*arguments)
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - a plug-in may raise anything
        _raise(failure_of(fault), what)


def _raise(failure: Failure, what: str) -> NoReturn:
    if failure.known is not None:
        raise failure.known
    raise TaskFault(f"{what}: {failure.sentence}", failure.details)


def failure_of(fault: BaseException) -> Failure:
    """An exception as one line and its traceback. A file error becomes an EnvironmentFault."""
    details = "".join(traceback.format_exception(fault))
    if isinstance(fault, OSError) and fault.errno is not None:
        return Failure("", details, file_fault(fault))
    known = fault if isinstance(fault, FlowdialError) else None
    text = " ".join(str(fault).split())
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:500]
    return Failure(f"{type(fault).__name__}: {shown}", details, known)


def file_fault(fault: OSError) -> EnvironmentFault:
    """A failed read or write as one sentence."""
    place = f"{fault.filename}: " if fault.filename else ""
    remedy = "; make room and try again" if fault.errno in _FULL else ""
    return EnvironmentFault(f"{place}{fault.strerror or fault}{remedy}.")


# --- In the worker's process ---------------------------------------------------------------------------------------


def _serve(
    pipe: Connection,
    parent: int,
    prepare: Callable[[Any], Any],
    argument: Any,
    work: Callable[[Any, Any], Any],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(parent)
    sys.stdout = sys.stderr  # results belong to the parent; what a plug-in prints is a message
    try:
        shared = prepare(argument)
    except BaseException as fault:  # noqa: BLE001 - a plug-in may raise anything, SystemExit too
        _answer(pipe, failure_of(fault))
        return
    _answer(pipe, ())
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        answer: Any
        try:
            answer = (work(shared, item),)
        except BaseException as fault:  # noqa: BLE001 - a plug-in may raise anything, SystemExit too
            answer = failure_of(fault)
        _answer(pipe, answer)


def _answer(pipe: Connection, answer: Any) -> None:
    try:
        pipe.send(answer)
    except OSError:  # nobody listens any more
        return


def die_with(parent: int) -> None:
    """End this process at once when the process with that number, its parent, ends.

    On Linux the kernel does it, on other systems a thread waits for the parent's end, which a kernel of ours does not
    keep from running since it releases the interpreter's lock.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG
    else:
        threading.Thread(target=_watch, daemon=True).start()
    if os.name != "nt" and os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _watch() -> None:
    process = multiprocessing.parent_process()
    if process is not None:
        wait([process.sentinel])
        os._exit(1)
