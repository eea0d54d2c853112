"""A worker as it sees itself: what runs in its process.

It answers each task that comes through its pipe, tells in its black box (engine.faults) where it is, is deaf to Ctrl-C,
since the parent decides, and dies with its parent, so that no orphan ever writes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.faults import BlackBox, empty_box
from sims.catalog import use_game_file
from sims.workers.task_fault import failure_of

NO_MEMORY: Final = 75  # exit code of a worker for whose task the memory was not enough

_box: Any = None  # the memory that this worker shares with its parent


def worker_box() -> BlackBox:
    """The black box of this worker; in any other process a new one without a reader."""
    return empty_box() if _box is None else np.frombuffer(_box, dtype=np.int64)


def serve(
    pipe: Connection,
    parent: int,
    box: Any,
    game: Path | None,
    prepare: Callable[[Any], Any],
    argument: Any,
    work: Callable[[Any, Any], Any],
) -> None:
    """Prepare, answer (), then answer each item with (result,), or with a Failure, until the pipe ends.

    parent: the number of its process; box: the shared memory of this worker's black box; game: the file of a game that
    the user named, see sims.catalog.use_game_file.
    """
    global _box
    _box = box
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(parent)
    sys.stdout = sys.stderr  # results belong to the parent; what a plug-in prints is a message
    try:
        if game is not None:
            use_game_file(game)
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
        except MemoryError:
            os._exit(NO_MEMORY)  # with it, all that it holds: the task is tried again on a fresh worker
        except BaseException as fault:  # noqa: BLE001 - a plug-in may raise anything, SystemExit too
            answer = failure_of(fault)
        _answer(pipe, answer)


def _answer(pipe: Connection, answer: Any) -> None:
    try:
        pipe.send(answer)
    except OSError:  # the parent has exited
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
