"""The journal of a study: the counts of every ask, in order. A study is resumed by giving it these records again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError
from sims.run_folder.appended_records import AppendedRecords, read_records
from sims.tuning.search.counts import Tell

NAME: Final = "journal.txt"


class TellRecord(NamedTuple):
    """The counts of one ask, and the stage of the study that asked."""

    stage: str
    tell: Tell


class ClockNote(NamedTuple):
    """A number from the clock that the study used."""

    name: str
    value: float


JournalRecord = TellRecord | ClockNote


class Journal(AppendedRecords[JournalRecord]):
    """The journal of a study, see sims.run_folder.appended_records."""

    @staticmethod
    def items_of(record: JournalRecord) -> list[Any]:
        """The values of a line."""
        if isinstance(record, TellRecord):
            stage, tell = record
            return [stage, tell.block, tell.point, tell.attempts, tell.wins]
        return [record.name, record.value]

    @staticmethod
    def record_of(items: Any) -> JournalRecord:
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


def read_journal(path: Path) -> list[TellRecord]:
    """All counts of a study, in order. Raises RunFolderError when the journal is missing or damaged."""
    records = map(Journal.record_of, read_records(path))
    return [record for record in records if isinstance(record, TellRecord)]
