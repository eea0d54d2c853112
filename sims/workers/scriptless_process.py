"""A spawned process that does not run the script of its caller.

What multiprocessing spawns runs the caller's script once more, as `__mp_main__`. A script without a guard would play
its own runs again, and a script from stdin has no file to run. Our workers need nothing of the script: functions and
objects that are sent to them come from importable modules.
"""

from __future__ import annotations

import threading
from multiprocessing import spawn
from multiprocessing.context import SpawnProcess
from typing import Any

_SCRIPT = ("init_main_from_name", "init_main_from_path")  # where the script is, in what a new process is told
_told = spawn.get_preparation_data
_this_thread = threading.local()


class ScriptlessProcess(SpawnProcess):
    """As multiprocessing's own on each system, with the caller's sys.path, arguments and folder, but not its script."""

    def start(self) -> None:
        """Start it. Raises OSError when that cannot be done."""
        _this_thread.starts_ours = True
        try:
            super().start()
        finally:
            _this_thread.starts_ours = False


def _tell(name: str) -> dict[str, Any]:
    """What a new process is told of its caller; nothing of the script when the process is one of ours."""
    data = _told(name)
    if getattr(_this_thread, "starts_ours", False):
        return {key: value for key, value in data.items() if key not in _SCRIPT}
    return data


# Why so: taking `__file__` off `__main__` for a moment would be seen by other threads, which may start processes of
# their own just then. This function acts for one thread, and other processes of the caller start as ever. Starting
# `python -m` instead would need code of ours for pipes, shared memory and virtual environments on each system.
spawn.get_preparation_data = _tell
