"""The journal of a study: every tell in the order in which it was asked for, appended and never changed.

One line a record: the CRC-32 of what follows in eight hex digits, a space, a JSON list. The first record holds the seal
of what the study began with. A process that dies leaves a torn tail at worst; it is cut off before anything is
appended. A study is resumed by going through its journal again: a search is a function of what it was told.
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
from sims.run_folder.files import naming, sync_folder
from sims.tuning.search.counts import Tell

NAME: Final = "journal.txt"
_SYNC_S: Final = 1.0  # a loss of power takes no more


class Told(NamedTuple):
    """One ask that was played, and the stage of the study in which it was."""

    stage: str
    tell: Tell


class Note(NamedTuple):
    """A number that depends on the clock, and that the study went by."""

    name: str
    value: float


Record = Told | Note


class TellJournal:
    """The journal in a folder that this process holds the lock of: first it gives what is there, then it grows."""

    def __init__(self, path: Path, seal: str) -> None:
        """Open the journal or begin it. Raises RunFolderError when it belongs to another study, OSError for the disk.

        seal: a digest of what the study began with.
        """
        self.path = path
        if path.is_symlink():  # it would lead somebody's counts out of the folder
            raise RunFolderError(f"{path} must be a file of its own, got a link; remove the folder.")
        data = path.read_bytes() if path.is_file() else b""
        records, length = _sound(data)
        if records and records[0] != [seal]:
            raise RunFolderError(f"{path} belongs to another study, so this one cannot be resumed; tune anew.")
        self._before = [_record(items) for items in records[1:]]
        self._next = 0
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - open until `close`
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

    def __enter__(self) -> TellJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def next(self) -> Record | None:
        """The next record of what is there already; None when all of it was given."""
        if self._next == len(self._before):
            return None
        self._next += 1
        return self._before[self._next - 1]

    @property
    def unread(self) -> bool:
        """Whether there are records that were not given yet."""
        return self._next < len(self._before)

    def add(self, record: Record) -> None:
        """Append a record, once all that were there have been given. The disk has it after `keep`."""
        if isinstance(record, Told):
            stage, tell = record
            self._append([stage, tell.block, tell.point, tell.attempts, tell.wins])
        else:
            self._append([record.name, record.value])

    def keep(self) -> None:
        """Make what was added durable, if that was not done for a second."""
        now = time.monotonic()
        if now - self._synced >= _SYNC_S:
            self._sync()
            self._synced = now

    def close(self) -> None:
        """Make it durable and let go of the file. Raises OSError when the disk is in the way."""
        try:
            self._sync()
        finally:
            self._file.close()

    def _append(self, items: list[Any]) -> None:
        left = memoryview(_line(items))
        with naming(self.path):
            while left:  # a disk that fills up takes a part; what is torn is cut off when the study is resumed
                left = left[self._file.write(left) :]

    def _sync(self) -> None:
        with naming(self.path):
            os.fsync(self._file.fileno())


def read_journal(path: Path) -> list[Told]:
    """All tells of a study. Raises RunFolderError when the journal is not as it was written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RunFolderError(f"{path.parent} has no {path.name}, so it is no study; name another folder.") from None
    records, length = _sound(data)
    if not records or length < len(data):
        raise RunFolderError(f"{path} must be as it was written, but it is damaged; it cannot be used.")
    return [record for record in map(_record, records[1:]) if isinstance(record, Told)]


def _line(items: list[Any]) -> bytes:
    text = json.dumps(items, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _sound(data: bytes) -> tuple[list[list[Any]], int]:
    """The records up to the first that is not as it was written, and the bytes that they take."""
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
    """Whole lines, their ends included."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        yield data[begin : end + 1]
        begin = end + 1


def _record(items: Any) -> Record:
    """Raises RunFolderError for what no study writes."""
    match items:
        case [str(name), float() | int() as value]:
            return Note(name, value)
        case [str(stage), int(block), list(point), list(attempts), list(wins)] if (
            len(attempts) == len(wins)
            and all(isinstance(u, float | int) for u in point)
            and all(isinstance(n, int) for n in (*attempts, *wins))
        ):
            return Told(stage, Tell(tuple(point), tuple(attempts), tuple(wins), block))
    raise RunFolderError(f"a journal must hold counts of settings, got {str(items)[:80]}; it cannot be used.")
