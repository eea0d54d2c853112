"""How work in a folder ends: published under its final name, or kept so that it can be resumed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.errors import FlowdialError, PluginFault
from sims.run_folder.files import disk_faults, write_file
from sims.run_folder.folder import WorkFolder
from sims.terminal import OnMessage, quoted
from sims.workers.signals import Stopped, Stopping
from sims.workers.task_fault import TaskFault

CRASH: Final = "crash.log"


def finish(
    folder: WorkFolder,
    work: Callable[[], bool],
    *,
    on_message: OnMessage,
    is_own: Callable[[], bool] = lambda: True,
    on_stop: Callable[[], None] = lambda: None,
) -> Path | None:
    """Do the work of a folder, then give the folder its final name.

    Whatever ends the work early, what is finished is kept, and a message says how to resume.

    Args:
        folder: it is closed at the end in any case.
        work: writes all files; False when it has removed the folder because it was not enough.
        on_message: takes sentences about what is kept.
        is_own: whether game and controller come with Flowdial. It is asked after a fault only: nothing slow may come
            between the making of a folder and the handling of Ctrl-C.
        on_stop: is called on Ctrl-C and SIGTERM, before the message.

    Returns:
        The final folder, or None when `work` returned False.

    Raises:
        Stopped: Ctrl-C or SIGTERM came.
        FlowdialError: what `work` raises; an OSError as EnvironmentFault.
    """
    try:
        with disk_faults(), Stopping() as stopping:
            enough = work()
            stopping.hold()
            return folder.publish() if enough else None
    except Stopped:
        on_stop()
        on_message(f"stopped; {_what_is_kept(folder)}")
        raise
    except FlowdialError as fault:
        _leave_crash(folder.path, getattr(fault, "details", ""), on_message)
        on_message(after_plugin(folder) if is_of_plugin(fault, is_own=is_own) else _what_is_kept(folder))
        raise
    finally:
        folder.close()


def is_of_plugin(fault: Exception, *, is_own: Callable[[], bool]) -> bool:
    """Whether a game or controller has to be corrected first, also one that raised between attempts."""
    return isinstance(fault, PluginFault) or (isinstance(fault, TaskFault) and not is_own())


def after_plugin(folder: WorkFolder) -> str:
    """What to do with a folder that a plug-in ended: corrected code may not resume it, the same code fails again."""
    return f"{folder.path} keeps what is finished but cannot be resumed with a corrected plug-in; remove it."


def _what_is_kept(folder: WorkFolder) -> str:
    """What is left of work that ended early, and how to resume."""
    if folder.resumable:
        return f"what is finished is kept. To resume: flowdial resume {quoted(folder.path)}"
    if folder.final.is_dir():
        return f"{folder.final} is complete, but may not survive a power failure."
    return "nothing is kept; start again."


def _leave_crash(folder: Path, details: str, on_message: OnMessage) -> None:
    if details:
        with contextlib.suppress(OSError):  # a full disk must not hide what happened before
            write_file(folder / CRASH, details.encode(errors="backslashreplace"))
            on_message(f"the traceback is in {folder / CRASH}")
