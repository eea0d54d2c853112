"""A disk that fails, fills up or loses its process at the n-th thing that is done to it.

While it is active, everything that this process does to files below one folder goes through it, as calls to the
operating system: opening to write, each write, truncate, fsync, rename, making and removing of files and folders.
What comes after a death never reaches the disk, as if the process were gone. Buffers are the interpreter's own.
A visitor may come before each of these calls, and do to the same folder whatever another process would.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FULL, BROKEN, DEATH, REAL_DEATH = "ENOSPC", "EIO", "death", "SIGKILL"
_GROWS = ("open", "write", "fsync", "mkdir")  # what a full disk refuses


class Dead(BaseException):
    """The process is no more; nobody can catch this who would not be gone."""


class FaultyDisk:
    """Use `active` as a context. calls: what was done so far; sealed: hash of each file when it got its name."""

    def __init__(
        self,
        folder: Path,
        at: int = 0,
        fault: str = "",
        room: int | None = None,
        visitor: Callable[[FaultyDisk], None] | None = None,
    ) -> None:
        """at: the call that fails, from 1, 0 for none. FULL lasts, BROKEN is once. room: bytes until it fills up.

        visitor: comes before each call; what it does itself is neither counted nor disturbed.
        """
        self.folder = str(folder)
        self.calls: list[str] = []
        self.sealed: dict[str, set[str]] = {}
        self.written: dict[str, int] = {}
        self.dead = False
        self._at = at
        self._fault = fault
        self._room = room
        self._visitor = visitor
        self._visited = False

    @contextlib.contextmanager
    def active(self) -> Iterator[FaultyDisk]:
        with pytest.MonkeyPatch.context() as patch:
            for module, name in ((builtins, "open"), (io, "open")):
                patch.setattr(module, name, self._open(getattr(module, name)))
            for name in ("mkdir", "unlink", "remove", "rmdir", "rename", "replace"):
                patch.setattr(os, name, self._call(name, getattr(os, name)))
            patch.setattr(os, "fsync", self._fsync(os.fsync))
            yield self

    def reach(self, call: str, path: str) -> None:
        """Somebody does this; it may end here."""
        if self.dead:
            raise Dead
        self.calls.append(f"{call} {Path(path).name}")
        if self._visitor is not None:
            self._visited = True
            try:
                self._visitor(self)
            finally:
                self._visited = False
        if self._at and len(self.calls) >= self._at:
            self._end(call, path)

    def _end(self, call: str, path: str) -> None:
        now = len(self.calls) == self._at
        if self._fault == FULL and call in _GROWS:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), None if call in ("write", "fsync") else path)
        if self._fault == BROKEN and now:
            raise OSError(errno.EIO, os.strerror(errno.EIO), None if call in ("write", "fsync") else path)
        if self._fault == DEATH and now:
            self.dead = True
            raise Dead
        if self._fault == REAL_DEATH and now:
            os.kill(os.getpid(), signal.SIGKILL)

    def take_room(self, path: str, data: memoryview) -> memoryview:
        """As much of the data as there is room for; raises when there is none."""
        if self._room is not None:
            if data.nbytes and not self._room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self._room]
            self._room -= data.nbytes
        self.written[path] = self.written.get(path, 0) + data.nbytes
        return data

    def _mine(self, path: object) -> bool:
        return (
            not self._visited and isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self.folder)
        )

    def _open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
            if not self._mine(file) or not set(mode) & set("wax+"):
                return real(file, mode, buffering, *rest, **more)
            assert "b" in mode, f"{file} is written as text: whole files go through sims.run_folder.files"
            self.reach("open", str(file))
            if "w" in mode:
                self.written[str(file)] = 0
            raw = _Raw(self, str(file), mode.replace("b", ""))
            return raw if buffering == 0 else io.BufferedWriter(raw)

        return opened

    def _call(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **more: Any) -> Any:
            path = arguments[0]
            handle = more.get("dir_fd")
            place = path if handle is None else os.path.join(os.readlink(f"/proc/self/fd/{handle}"), path)
            if not self._mine(place):
                return real(*arguments, **more)
            self.reach(name, str(place))
            if name in ("rename", "replace") and os.path.isfile(path):
                target = str(arguments[1])
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                self.sealed.setdefault(Path(target).name, set()).add(digest)
                self.written[target] = self.written.pop(str(path), 0)
            return real(*arguments, **more)

        return called

    def _fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def synced(handle: int) -> None:
            if not self._visited:
                self.reach("fsync", os.readlink(f"/proc/self/fd/{handle}"))
            real(handle)

        return synced


class _Raw(io.FileIO):
    def __init__(self, disk: FaultyDisk, path: str, mode: str) -> None:
        super().__init__(path, mode)
        self._disk = disk
        self._path = path

    def write(self, data: Any) -> int:
        """A write that fails leaves half of what it was given."""
        view = memoryview(data).cast("B")
        gone = self._disk.dead
        try:
            self._disk.reach("write", self._path)
        except BaseException:
            if not gone:
                super().write(view[: len(view) // 2])
            raise
        return super().write(self._disk.take_room(self._path, view))

    def truncate(self, size: int | None = None) -> int:
        self._disk.reach("truncate", self._path)
        return super().truncate(size)
