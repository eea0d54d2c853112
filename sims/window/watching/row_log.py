"""Writes the rows of `watch` to disk: appended about once a second, in the order of play.

Each append is synced, so that even a killed process loses at most the last second. At the end `publish` replaces the
file with a complete one in the order of a run. No frame waits for the disk: a thread writes.
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

from sims.run_folder.files import appended_file, file_fault
from sims.window.recording_folder import append

if TYPE_CHECKING:
    from sims.window.watching.live_world import LiveWorld

EVERY_S: Final = 0.8  # between two appends; with the time of the append itself, about a second


class RowLog:
    """Collects rows and keeps the file of attempts up to date. There is no file before the first row."""

    def __init__(self, world: LiveWorld, path: Path) -> None:
        self._world, self._path = world, path
        self._fresh: list[npt.NDArray[np.void]] = []
        self._beliefs: tuple[str, ...] | None = None  # the columns of the file; None before there is one
        self._file: FileIO | None = None
        self._thread = ThreadPoolExecutor(1, "row log")
        self._writing: Future[None] | None = None
        self._due_s = time.monotonic() + EVERY_S

    def add(self, row: npt.NDArray[np.void]) -> None:
        """Add a row, shape (1,)."""
        self._fresh.append(row.copy())

    def keep(self) -> None:
        """Write new rows if they are due. Raises EnvironmentFault when the last append failed."""
        if time.monotonic() < self._due_s or (self._writing is not None and not self._writing.done()):
            return
        self._finish()
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            beliefs = self._world.beliefs
            if beliefs == self._beliefs:
                self._writing = self._thread.submit(self._append, np.concatenate(fresh), beliefs)
            else:  # the first rows, or a new controller whose beliefs need columns
                self._beliefs = beliefs
                self._writing = self._thread.submit(self._begin, self._world.rows(), beliefs)
        self._due_s = time.monotonic() + EVERY_S

    def publish(self) -> bool:
        """Write all rows so far as a complete file in the order of a run, and end. Returns whether there was any.

        Raises EnvironmentFault on I/O errors; the rows appended before stay.
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
        self._file = appended_file(self._path)  # open until `publish`

    def _append(self, rows: npt.NDArray[np.void], beliefs: tuple[str, ...]) -> None:
        assert self._file is not None  # opened by `_begin`, in this thread
        lines: Any = io.BytesIO()
        self._world.write_lines(lines, rows, beliefs)
        append(self._file, lines.getvalue())
