"""The journal of a study: the counts of every ask, in order, appended and never changed.

Each line is a record: the CRC-32 of the rest in eight hex digits, a space, a JSON list. The first record is the seal: a
digest of what the study began with. A killed process leaves at most one torn record at the end, which is cut off before
anything is appended. A study is resumed by giving it the records of its journal again.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError
from engine.user_files.regular_file import read_regular
from sims.run_folder.files import appended_file, naming, sync_folder
from sims.tuning.search.counts import Tell

NAME: Final = "journal.txt"
_LARGEST: Final = 4 << 30  # bytes of a journal
_SYNC_S: Final = 1.0  # a power failure loses at most so much


class TellRecord(NamedTuple):
    """The counts of one ask, and the stage of the study that asked."""

    stage: str
    tell: Tell


class ClockNote(NamedTuple):
    """A number from the clock that the study used."""

    name: str
    value: float


JournalRecord = TellRecord | ClockNote


class Journal:
    """The journal in a folder that this process has locked: it first gives the records it has, then it grows."""

    def __init__(self, path: Path, seal: str) -> None:
        """Open the journal, or begin one.

        seal: a digest of what the study began with. Raises RunFolderError when the journal belongs to another study,
        OSError on I/O errors.
        """
        self.path = path
        data = read_regular(path, _LARGEST) if os.path.lexists(path) else b""
        records, length = _sound(data)
        if records and records[0] != [seal]:
            raise RunFolderError(f"{path} belongs to another study, so this one cannot be resumed; start a new one.")
        self._past = [_record_of(items) for items in records[1:]]
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

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def next(self) -> JournalRecord | None:
        """The next record of the past; None when all of them were given."""
        if self._next == len(self._past):
            return None
        self._next += 1
        return self._past[self._next - 1]

    @property
    def unread(self) -> bool:
        """Whether there are records of the past that `next` has not given yet."""
        return self._next < len(self._past)

    def add(self, record: JournalRecord) -> None:
        """Append a record, after all records of the past were given. `keep` makes it durable."""
        if isinstance(record, TellRecord):
            stage, tell = record
            self._append([stage, tell.block, tell.point, tell.attempts, tell.wins])
        else:
            self._append([record.name, record.value])

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


def read_journal(path: Path) -> list[TellRecord]:
    """All counts of a study, in order. Raises RunFolderError when the journal is missing or damaged."""
    try:
        data = read_regular(path, _LARGEST)
    except FileNotFoundError:
        raise RunFolderError(f"{path.parent} has no {path.name}, so it is not a study; name another folder.") from None
    records, length = _sound(data)
    if not records or length < len(data):
        raise RunFolderError(f"{path} is damaged, so it cannot be used; name another study.")
    return [record for record in map(_record_of, records[1:]) if isinstance(record, TellRecord)]


def _line(items: list[Any]) -> bytes:
    text = json.dumps(items, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _sound(data: bytes) -> tuple[list[list[Any]], int]:
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


def _record_of(items: Any) -> JournalRecord:
    """The record of a line. Raises RunFolderError for one that no study writes."""
    match items:
        case [str(name), float() | int() as value]:
            return ClockNote(name, value)
        case [str(stage), int(block), list(point), list(attempts), list(wins)] if (
            len(attempts) == len(wins)
            and all(isinstance(u, float | int) for u in point)
            and all(isinstance(n, int) for n in (*attempts, *wins))
        ):
            return TellRecord(stage, Tell(tuple(point), tuple(attempts), tuple(wins), block))
    raise RunFolderError(f"a journal holds counts of settings, got {str(items)[:80]}; it cannot be used.")
