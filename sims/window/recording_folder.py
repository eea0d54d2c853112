"""The folder of a session at the window: the attempts that were watched or played, and their scenario.

scenario.toml         the resolved scenario
attempts.csv          the rows, as a run writes them
human_actions.jsonl   the actions of a person, after `play` only; see sims.playback.human_actions

After `play`, a clean end adds the other files of a run, see sims.window.playing.human_run.
"""

from __future__ import annotations

import contextlib
import os
from io import FileIO
from pathlib import Path

from engine.scenario import Scenario
from sims.run_folder.files import file_fault, write_file
from sims.run_folder.folder import SCENARIO
from sims.run_folder.new_folder import new_folder, numbered_folder


def begin_recording(out: Path | None, name: str, scenario: Scenario) -> Path:
    """Create the folder. out: its path; None for runs/<name>-001, -002 ..., the next free number.

    Raises RunFolderError when `out` exists, EnvironmentFault on I/O errors.
    """
    try:
        folder = numbered_folder(Path("runs"), name) if out is None else new_folder(out)
        write_file(folder / SCENARIO, scenario.resolved_toml().encode())
    except OSError as fault:
        raise file_fault(fault) from fault
    return folder


def append(file: FileIO, data: bytes) -> None:
    """Append to an unbuffered file and sync it: all of the data or, with OSError, nothing."""
    before = file.tell()
    left = memoryview(data)
    try:
        while left:  # a disk that fills up writes only a part
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError as fault:
        cut(file, before)
        fault.filename = fault.filename or file.name
        raise


def cut(file: FileIO, length: int) -> None:
    """Truncate a file to a length; I/O errors are ignored."""
    with contextlib.suppress(OSError):
        file.seek(length)
        file.truncate()


def discard(folder: Path) -> None:
    """Remove a folder that contains only its scenario; leave any other folder alone."""
    if [path.name for path in folder.iterdir()] == [SCENARIO]:
        (folder / SCENARIO).unlink()
        folder.rmdir()
