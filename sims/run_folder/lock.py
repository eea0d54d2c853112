"""The right to write in a folder, which the kernel takes back when its holder dies."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from io import FileIO
from pathlib import Path
from typing import Final

from engine.errors import RunFolderError
from sims.run_folder.files import naming, open_unlinked


class FolderLock:
    """The right to write in a folder. The kernel releases it when the process ends, however it ends.

    Two things are locked. First the folder itself: then no other process makes a file in it, not even when the file
    `lock` was removed for the folder to be published. Then that file, which names the holder. Network file systems pass
    its lock on to other machines; those that do not are not supported. Windows cannot lock a folder, but renames none
    in which a file is open.
    """

    NAME: Final = "lock"

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises RunFolderError, naming the holder, when another process has it, or when it is a link.

        The same when the folder was removed or got its final name meanwhile; OSError when it cannot be written, or is
        on a file system without locks.
        """
        self._folder = folder
        self._path = folder / self.NAME
        self._held = contextlib.ExitStack()  # what is open; closing it releases the lock
        if self._path.is_symlink():  # the holder's name would be written into another file
            raise RunFolderError(f"{self._path} must be a file of its own, got a link; remove it.")
        try:
            self._take_folder()
            self._sign(self._take_file())
        except BaseException as fault:
            self._held.close()
            if isinstance(fault, FileNotFoundError):
                raise RunFolderError(
                    f"another process has just finished or removed {folder}; look for it without .partial."
                ) from None
            raise

    def _take_folder(self) -> None:
        if os.name == "nt":  # where a folder cannot be opened
            return
        handle = os.open(self._folder, os.O_RDONLY)
        self._held.callback(os.close, handle)
        try:
            mine = _locked(handle)
        except OSError:  # a file system that locks files alone
            mine = True
        self._check(handle, self._folder, mine)

    def _take_file(self) -> FileIO:
        file = self._held.enter_context(open(self._path, "a+b", buffering=0, opener=open_unlinked))  # noqa: SIM115 - until release
        with naming(self._path):
            mine = _locked(file.fileno())
        self._check(file.fileno(), self._path, mine)
        return file

    def _sign(self, file: FileIO) -> None:
        """Name the holder. A full disk has no room for the name, but the lock holds without it."""
        with contextlib.suppress(OSError):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def _check(self, handle: int, path: Path, mine: bool) -> None:
        """Raise RunFolderError when another process has it, FileNotFoundError when the path is another file by now."""
        if not mine:
            holder = ""
            with contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
                holder = file.read(200).decode(errors="replace").strip()
            raise RunFolderError(
                f"{self._folder} is in use by {holder or 'another process'}; wait until it ends, or stop it."
            )
        if not os.path.samestat(os.fstat(handle), os.stat(path)):
            raise FileNotFoundError

    def remove(self) -> None:
        """Remove the lock's file while the folder itself is still locked, before it gets its final name."""
        if os.name == "nt":  # an open file cannot be removed there
            self.release()
        self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let other processes in."""
        self._held.close()


def _locked(handle: int) -> bool:
    """Whether the lock could be had. Raises OSError where the file system has no locks."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 1 << 30, os.SEEK_SET)  # far from the holder's name, which others may read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
