"""Why no worker starts, as one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from multiprocessing import spawn
from typing import Any, Final

from sims.workers import worker_process
from sims.workers.task_fault import WorkerFault

_PATIENCE_S: Final = 60.0
_LONGEST: Final = 300  # characters of a cause


def start_fault(ended: str, recipe: Iterable[Any], *, apart: bool) -> WorkerFault:
    """The error for a worker whose process ended before it was ready for a task.

    ended: how, in words; recipe: what it was given; apart: whether one worker would be a process of its own too.
    """
    homes = [part.__module__ for part in recipe if hasattr(part, "__qualname__")]
    cause = _cause([worker_process.__name__, *homes])
    why = f"{ended}: {cause}" if cause else f"{ended}, see its message on stderr"
    remedy = "correct this" if apart else "correct this or use one worker"
    return WorkerFault(f"a worker cannot start: its process {why}; {remedy}.")


def _cause(modules: Iterable[str]) -> str:
    """The last line on the stderr of one more process, which loads what a worker loads; empty when that succeeds.

    The stderr of the process that ended is also that of its parent, where it cannot be read again.
    """
    program = "\n".join(["import sys", f"sys.path[:] = {sys.path!a}", *(f"import {module}" for module in modules)])
    try:
        done = subprocess.run(
            [spawn.get_executable(), "-P", "-"],
            input=program,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return str(fault)[:_LONGEST]
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if done.returncode and lines else ""
