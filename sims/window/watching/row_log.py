"""The rows of a wall on disk while it is watched: appended about once a second, in the order in which they were played.

What is appended is synced, so that not even the end of the process by force takes more than the last second. A run's
order comes at the end, when `publish` replaces the file with a whole one. No frame waits for the disk: a thread writes.
"""

from __future__ import annotations

import io
import time
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sims.run_folder.files import file_fault
from sims.window.recording_folder import append

if TYPE_CHECKING:
    from sims.window.watching.live_world import LiveWorld

EVERY_S: Final = 0.8  # between two appends; with the time of the append itself, about a second


class RowLog:
    """Takes rows from a wall and keeps its file of attempts up to date. There is no file before the first row."""

    def __init__(self, world: LiveWorld, path: Path) -> None:
        self._world, self._path = world, path
        self._fresh: list[npt.NDArray[np.void]] = []
        self._beliefs: tuple[str, ...] | None = None  # the columns of the file; None before there is one
        self._file: FileIO | None = None
        self._thread = ThreadPoolExecutor(1, "row log")
        self._writing: Future[None] | None = None
        self._due_s = time.monotonic() + EVERY_S

    def add(self, row: npt.NDArray[np.void]) -> None:
        """Take in a row that was played, shape (1,)."""
        self._fresh.append(row.copy())

    def keep(self) -> None:
        """Hand what is new to the disk, if it is time. Raises EnvironmentFault when the last append failed."""
        if time.monotonic() < self._due_s or (self._writing is not None and not self._writing.done()):
            return
        self._finish()
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            beliefs = self._world.beliefs
            if beliefs == self._beliefs:
                self._writing = self._thread.submit(self._append, np.concatenate(fresh), beliefs)
            else:  # the first rows; or a new controller believes something that needs columns of its own
                self._beliefs = beliefs
                self._writing = self._thread.submit(self._begin, self._world.rows(), beliefs)
        self._due_s = time.monotonic() + EVERY_S

    def publish(self) -> bool:
        """Write all rows so far as a whole file in the order of a run, and end; whether there was any.

        Raises EnvironmentFault when the disk is in the way; what was appended before stays.
        """
        self._thread.shutdown()
        if self._file is not None:
            self._file.close()
        if not self._world.played:
            return False
        try:
            self._world.save(self._path)
        except OSError as fault:
            raise file_fault(fault) from fault
        return True

    def _finish(self) -> None:
        if self._writing is None:
            return
        try:
            self._writing.result()
        except OSError as fault:
            raise file_fault(fault) from fault
        self._writing = None

    def _begin(self, rows: npt.NDArray[np.void], beliefs: tuple[str, ...]) -> None:
        if self._file is not None:
            self._file.close()
        self._world.write(self._path, rows, beliefs)
        self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 - open until `publish`

    def _append(self, rows: npt.NDArray[np.void], beliefs: tuple[str, ...]) -> None:
        assert self._file is not None  # opened by `_begin`, in this thread
        lines: Any = io.BytesIO()
        self._world.write_lines(lines, rows, beliefs)
        append(self._file, lines.getvalue())
