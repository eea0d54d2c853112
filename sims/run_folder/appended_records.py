"""A file of records that is appended and never changed, so that work can be resumed by giving it its records again.

Each line is a record: the CRC-32 of the rest in eight hex digits, a space, a JSON list. The first record is the seal: a
digest of what the work began with. A killed process leaves at most one torn record at the end, which is cut off before
anything is appended.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from engine.errors import RunFolderError
from engine.user_files.regular_file import read_regular
from sims.run_folder.files import appended_file, naming, sync_folder

_LARGEST: Final = 4 << 30  # bytes of a file
_SYNC_S: Final = 1.0  # a power failure loses at most so much

R = TypeVar("R")


class AppendedRecords(Generic[R]):
    """The file in a folder that this process has locked: it first gives the records it has, then it grows."""

    def __init__(self, path: Path, seal: str) -> None:
        """Open the file, or begin one.

        seal: a digest of what the work began with. Raises RunFolderError when the file belongs to other work, OSError
        on I/O errors.
        """
        self.path = path
        data = read_regular(path, _LARGEST) if os.path.lexists(path) else b""
        records, length = _sound(data)
        if records and records[0] != [seal]:
            raise RunFolderError(f"{path} belongs to other work, so this cannot be resumed; start anew.")
        self._past = [self.record_of(items) for items in records[1:]]
        self._next = 0
        self._file = appended_file(path)
        try:
            if length < len(data):
                with naming(path):
                    self._file.truncate(length)
            if not records:
                self._append([seal])
                self._sync()
                sync_folder(path.parent)
        except BaseException:
            self._file.close()
            raise
        self._synced = time.monotonic()

    @staticmethod
    @abstractmethod
    def record_of(items: Any) -> R:
        """The record of a line. Raises RunFolderError for one that nothing of ours writes."""

    @staticmethod
    @abstractmethod
    def items_of(record: R) -> list[Any]:
        """Inverse of `record_of`: values of JSON, all numbers finite."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def next(self) -> R | None:
        """The next record of the past; None when all of them were given."""
        if self._next == len(self._past):
            return None
        self._next += 1
        return self._past[self._next - 1]

    @property
    def unread(self) -> bool:
        """Whether there are records of the past that `next` has not given yet."""
        return self._next < len(self._past)

    def add(self, record: R) -> None:
        """Append a record, after all records of the past were given. `keep` makes it durable."""
        self._append(self.items_of(record))

    def keep(self) -> None:
        """Flush the records to the disk, at most once a second."""
        now = time.monotonic()
        if now - self._synced >= _SYNC_S:
            self._sync()
            self._synced = now

    def close(self) -> None:
        """Flush the records to the disk and close the file. Raises OSError on I/O errors."""
        try:
            self._sync()
        finally:
            self._file.close()

    def _append(self, items: list[Any]) -> None:
        left = memoryview(_line(items))
        with naming(self.path):
            while left:  # a full disk takes only a part; a torn record is cut off on resume
                left = left[self._file.write(left) :]

    def _sync(self) -> None:
        with naming(self.path):
            os.fsync(self._file.fileno())


def read_records(path: Path) -> list[Any]:
    """The lists of all records but the seal, in order. Raises RunFolderError when the file is missing or damaged."""
    try:
        data = read_regular(path, _LARGEST)
    except FileNotFoundError:
        raise RunFolderError(f"{path.parent} has no {path.name}, so it is not a study; name another folder.") from None
    records, length = _sound(data)
    if not records or length < len(data):
        raise RunFolderError(f"{path} is damaged, so it cannot be used; name another study.")
    return records[1:]


def _line(items: list[Any]) -> bytes:
    text = json.dumps(items, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _sound(data: bytes) -> tuple[list[Any], int]:
    """The records before the first damaged one, and their length in bytes."""
    records = []
    length = 0
    for line in _lines(data):
        text = line[9:-1]
        if line[8:9] != b" " or line[:8] != b"%08x" % zlib.crc32(text):
            break
        records.append(json.loads(text))
        length += len(line)
    return records, length


def _lines(data: bytes) -> Iterator[bytes]:
    """Whole lines with their ends."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        yield data[begin : end + 1]
        begin = end + 1
