"""A worker as its parent sees it: a process, a pipe, and the tasks that were sent to it.

Processes are spawned, never forked: what works here works on every system.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from typing import Any, Final

from engine.faults import ATTEMPT_AT, BOX_SIZE, NOBODY, PLAYER_AT, ROWS_AT
from sims.catalog import game_file
from sims.workers.scriptless_process import ScriptlessProcess
from sims.workers.task_fault import WorkerFault
from sims.workers.worker_process import NO_MEMORY, serve

_SAFE_PATH: Final = "PYTHONSAFEPATH"


class Worker:
    """The parent's side of one worker."""

    def __init__(self, prepare: Callable[[Any], Any], argument: Any, work: Callable[[Any, Any], Any]) -> None:
        """Start it, see sims.workers.worker_process.serve. Raises WorkerFault when that cannot be done."""
        context = multiprocessing.get_context("spawn")
        try:
            self.pipe, theirs = context.Pipe()
            self.box = context.RawArray("q", BOX_SIZE)
            self.box[PLAYER_AT] = NOBODY
            self.process = ScriptlessProcess(
                target=serve, args=(theirs, os.getpid(), self.box, game_file(), prepare, argument, work), daemon=True
            )
            with _without_current_folder(), undisturbed():  # the tracker of resources may start, too
                self.process.start()
        except OSError as fault:
            raise WorkerFault(f"a worker cannot start: {fault.strerror or fault}; use fewer workers.") from fault
        theirs.close()  # so that the worker's death is the end of the pipe
        self.tasks: deque[tuple[int, Any]] = deque()
        self.prepared = False
        self.since = 0.0  # when it began with the first of its tasks
        self.seen = self.attempt()  # by its black box
        self.seen_at = 0.0
        self.still_since: float | None = None  # since when its process is stopped, by the parent's watch
        self.begun = 0.0  # with what it was killed for, when it was
        self.fate = ""
        self.was_stopped = False  # by a signal, so that its end is nobody's fault here

    def send(self, task: tuple[int, Any], now: float) -> None:
        """Give it a task more. now: by the parent's watch."""
        if not self.tasks:
            self.since = now
        self.tasks.append(task)
        try:
            self.pipe.send(task[1])
        except OSError:  # it has exited; the end of the pipe will show it
            return

    def receive(self) -> Any:
        """(result,), () when prepared, or a Failure; None when the worker has exited."""
        if self.fate:
            return None
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None

    def attempt(self) -> tuple[int, int, int]:
        """Whose attempt is under way, which one, and how many were before it."""
        return self.box[PLAYER_AT], self.box[ATTEMPT_AT], self.box[ROWS_AT]

    def is_stopped(self) -> bool:
        """Whether its process was stopped by a signal, as SIGSTOP; only Linux tells."""
        if sys.platform != "linux":
            return False
        try:
            with open(f"/proc/{self.process.pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] == b"T"
        except (OSError, IndexError):
            return False

    def ended(self) -> str:
        """How it ended, in words."""
        return self.fate or _fate_of(self.process.exitcode)

    @property
    def cannot_start(self) -> bool:
        """Whether its process ended by itself before it was ready for a task."""
        exit_code = self.process.exitcode
        return not self.prepared and not self.fate and exit_code is not None and exit_code >= 0

    def end(self, patience_s: float) -> None:
        """Wait so long for the process to end by itself, then kill it."""
        self.pipe.close()
        self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Start a process: signals wait until it has all that it needs, and it hears no Ctrl-C from its first moment on."""
    heard: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    before = {
        number: signal.signal(number, lambda heard_one, frame: heard.append(heard_one))
        for number in ((signal.SIGINT, signal.SIGTERM) if in_main else ())
    }
    if os.name != "nt":  # other threads may still hear it, but the new process begins with this thread's mask
        resource_tracker.ensure_running()  # which takes the mask away when it has to be started
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if os.name != "nt":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for number, handler in before.items():
            signal.signal(number, handler)
    for one in heard:
        signal.raise_signal(one)


@contextlib.contextmanager
def _without_current_folder() -> Iterator[None]:
    """A new process imports nothing from the current folder, which may be a stranger's, before it knows our path."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _fate_of(exit_code: int | None) -> str:
    if exit_code == NO_MEMORY:
        return "found too little memory"
    if exit_code is not None and exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended by itself with exit code {exit_code}"
