"""Files that are complete or absent, their checksums, and I/O errors as a sentence."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from engine.errors import EnvironmentFault, RunFolderError
from engine.user_files.regular_file import open_regular, read_regular

_BLOCK: Final = 1 << 20
_REPLACE_TRIES: Final = 10  # Windows refuses while a scanner or an editor looks at the file
_REPLACE_PAUSE_S: Final = 0.05
_UNSYNCED: Final = {errno.EINVAL, errno.ENOTSUP}  # of file systems that cannot sync a folder
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Content(NamedTuple):
    """What a file holds."""

    bytes: int
    sha256: str


class Sink:
    """A binary file under way that counts and hashes what is written to it."""

    closed = False  # Arrow asks before it writes

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, data: Any) -> int:
        """Append bytes, or anything that has a buffer."""
        view = memoryview(data)
        self._file.write(view)
        self._hash.update(view)
        self._bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self._bytes

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Do nothing: `new_file` closes the file."""

    @property
    def content(self) -> Content:
        """What was written so far."""
        return Content(self._bytes, self._hash.hexdigest())


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Sink]:
    """A file to be written from the start; it gets its name when the block ends without an error, complete and synced.

    A file of that name is replaced. Raises OSError, with the path, on I/O errors.
    """
    # A name that no process can foresee: an abandoned writer cannot meet another's file, nor can a link wait there.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with naming(path), open(temporary, "xb", opener=open_unlinked) as file:
            yield Sink(file)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException as fault:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(fault, OSError) and fault.filename == str(temporary):
            fault.filename = str(path)  # the name that the user knows
        raise
    sync_folder(path.parent)


def appended_file(path: Path) -> FileIO:
    """A file opened without a buffer, to append to; a link of that name is an error. Raises OSError."""
    return open(path, "ab", buffering=0, opener=open_unlinked)


def open_unlinked(name: str, flags: int) -> int:
    """Open a file by its own name; a link of that name is an error, wherever it leads."""
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o666)


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)


def remove_unfinished(folder: Path) -> None:
    """Remove unfinished files whose writers have exited. Only for the holder of the folder's lock."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError that names no file names this one."""
    try:
        yield
    except OSError as fault:
        if fault.filename is None:
            fault.filename = str(path)
        raise


def write_file(path: Path, data: bytes) -> Content:
    """Write a small file, see `new_file`."""
    with new_file(path) as sink:
        sink.write(data)
    return sink.content


def write_new_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a small file that must not exist yet, and leave none that is torn.

    Args:
        path: the file.
        data: what it is to hold.
        private: whether only its owner may read it.

    Raises:
        FileExistsError: if there is one.
        OSError: on other I/O errors.
    """
    with naming(path), open(path, "xb", opener=_open_private if private else open_unlinked) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def write_json(path: Path, content: Mapping[str, Any]) -> Content:
    """Write JSON for people and programs, see `new_file`. Raises ValueError for a number that JSON cannot hold."""
    return write_file(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON with a last line that is the checksum of the lines before."""
    text = json.dumps(content).encode() + b"\n"
    write_file(path, text + hashlib.sha256(text).hexdigest().encode() + b"\n")


def read_sealed(path: Path) -> dict[str, Any]:
    """Inverse of write_sealed. Raises RunFolderError when the file is not as it was written."""
    data = read_regular(path)
    text, _, seal = data[:-1].rpartition(b"\n")
    text += b"\n"
    if data[-1:] != b"\n" or hashlib.sha256(text).hexdigest().encode() != seal:
        raise RunFolderError(f"{path} is damaged: its checksum differs; it cannot be used.")
    found: dict[str, Any] = json.loads(text)
    return found


def replace(source: Path, target: Path) -> None:
    """Rename a file over another, patiently where the system keeps open files from being replaced."""
    for tries_left in reversed(range(_REPLACE_TRIES)):
        try:
            os.replace(source, target)
        except PermissionError:
            if os.name != "nt" or not tries_left:
                raise
            time.sleep(_REPLACE_PAUSE_S)
        else:
            return


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with naming(folder):
            os.fsync(handle)
    except OSError as fault:
        if fault.errno not in _UNSYNCED:
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def disk_faults() -> Iterator[None]:
    """Turn an OSError into an EnvironmentFault of one sentence."""
    try:
        yield
    except OSError as fault:
        raise file_fault(fault) from fault


def file_fault(fault: OSError) -> EnvironmentFault:
    """A failed read or write as one sentence."""
    place = f"{fault.filename}: " if fault.filename else ""
    remedy = "; make room and try again" if fault.errno in _FULL else ""
    return EnvironmentFault(f"{place}{fault.strerror or fault}{remedy}.")


def content_of(path: Path) -> Content:
    """Size and hash of a file as it is on disk."""
    found = hashlib.sha256()
    size = 0
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            found.update(block)
            size += len(block)
    return Content(size, found.hexdigest())


def append_file(sink: Sink, path: Path) -> None:
    """Copy a whole file into a sink."""
    with open_regular(path) as file:
        while True:
            with naming(path):
                block = file.read(_BLOCK)
            if not block:
                return
            sink.write(block)
