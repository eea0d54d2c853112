"""Where Flowdial keeps compiled kernels and measured maps: one folder of the user's own.

The place follows the XDG base directory specification: a variable that is empty or relative counts as not set. No home
folder is needed. The files of a kernel are pickles, and a pickle can run code. So a folder is used only if it is a real
folder of this user that no other user may write.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

_KEPT_FILES: Final = 2000  # some 100 MB; fewer would be compiled again and again where every plug-in is played


def cache_folder() -> Path:
    """The folder for cached files.

    Returns:
        FLOWDIAL_CACHE_DIR, else the user's cache folder, else a folder beside the temporary files, else a folder of
        this process that is removed when it ends.

    Raises:
        OSError: if not even a temporary folder can be made.
    """
    return _first_private(tuple(_candidates()))


@cache
def _first_private(candidates: tuple[Path, ...]) -> Path:
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK) and is_private(folder):
            return folder
    return _folder_of_this_process()


def _folder_of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="flowdial-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _candidates() -> Iterator[Path]:
    """The folders to try, in order."""
    chosen, home = absolute_variable("FLOWDIAL_CACHE_DIR"), home_folder()
    if chosen is not None:
        yield chosen
    if os.name == "nt":
        base = absolute_variable("LOCALAPPDATA") or (home / "AppData" / "Local" if home is not None else None)
    else:
        base = absolute_variable("XDG_CACHE_HOME") or (home / ".cache" if home is not None else None)
    if chosen is None and base is not None:
        yield base / "flowdial" / "kernels"
    owner = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    yield Path(tempfile.gettempdir()) / f"flowdial-kernels-{owner}"


def absolute_variable(variable: str) -> Path | None:
    """The folder that a variable names; None for one that is not set, empty or relative."""
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None


def home_folder() -> Path | None:
    """The user's home; None where neither HOME nor the list of users knows one, as in many containers."""
    if os.name != "nt" and "HOME" in os.environ:
        return absolute_variable("HOME")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_absolute() else None


def is_own_file(path: Path) -> bool:
    """Whether a path is a regular file of this user, and no link. Its folder decides who else may write it."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and _is_mine(status)


def is_private(folder: Path) -> bool:
    """Whether a folder is real, no link, belongs to this user, and no other user may write into it."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    shared = sys.platform != "win32" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and _is_mine(status) and not shared


def _is_mine(status: os.stat_result) -> bool:
    return sys.platform == "win32" or status.st_uid == os.getuid()  # Windows keeps owners elsewhere


def prune(folder: Path, pattern: str) -> None:
    """Keep the newest files of this kind in a cache folder. Raises OSError."""
    files = sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[_KEPT_FILES:]:
        file.unlink(missing_ok=True)
