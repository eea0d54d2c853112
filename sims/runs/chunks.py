"""What a worker does: play a chunk, write its parts of the tables, and last its record with their checksums.

A chunk without a good record, or with a part that differs from it, counts as not played. The bytes of a part follow
from the scenario, the code and the chunk alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, PlainValidator, TypeAdapter

from engine import record
from engine.errors import EnvironmentFault, RunFolderError
from engine.faults import Fault, failed
from engine.further.further_target import FurtherTarget
from engine.record import Format, Sheet
from engine.response.win_probability import recorded_chances
from engine.setup import Setup
from engine.tally import Scheme, Tally, scheme_of, tally_of
from engine.world import Chunk, Played, belief_columns, simulate
from sims.run_folder.files import Content, Sink, content_of, new_file, read_sealed, write_file, write_sealed
from sims.run_folder.json_types import STRICT, Count, fits, is_count
from sims.workers.worker_process import worker_box

CHUNKS: Final = "chunks"
_SLICE: Final = 65_536  # rows converted at a time
_TABLES: Final = ("attempts", "players", "sessions")


@dataclass(frozen=True, eq=False)
class Job:
    """What a worker needs to know to play chunks into a folder."""

    folder: Path
    setup: Setup
    scheme: Scheme
    format: Format  # of the table of attempts; the others are always CSV
    sheets: tuple[Sheet, Sheet, Sheet]  # attempts, players, sessions

    def suffix(self, sheet: Sheet, *, part: bool = False) -> str:
        """Ending of a table's file, or of a chunk's part of it."""
        if sheet.name != "attempts" or self.format == "csv":
            return ".csv"
        return ".arrow" if part else ".parquet"

    def table(self, sheet: Sheet) -> Path:
        """A table's file."""
        return self.folder / f"{sheet.name}{self.suffix(sheet)}"

    def part(self, number: int, sheet: Sheet) -> Path:
        """A chunk's part of a table."""
        return self.folder / CHUNKS / f"{number:06d}.{sheet.name}{self.suffix(sheet, part=True)}"

    def record(self, number: int) -> Path:
        """A chunk's record."""
        return self.folder / CHUNKS / f"{number:06d}.json"


def job_of(
    folder: Path, setup: Setup, after_attempts: int, file_format: Format, further: Sequence[FurtherTarget] = ()
) -> Job:
    """The job of a scenario. Everything in it follows from the arguments, in whatever process."""
    sheets = (
        record.attempt_sheet(setup, belief_columns(setup)),
        record.player_sheet(setup),
        record.session_sheet(setup),
    )
    return Job(folder, setup, scheme_of(setup, after_attempts, further), file_format, sheets)


def _is_fault(fault: Fault) -> bool:
    numbers, words = fault[:4], fault[4:]
    return all(map(is_count, numbers)) and failed(fault.kind) and all(map(str.isprintable, words))


_ForEachTable = fits(lambda found: found.keys() == set(_TABLES))


class ChunkRecord(NamedTuple):
    """What is known of a chunk that was played."""

    number: Count
    rows: Annotated[dict[str, Count], _ForEachTable]
    parts: Annotated[dict[str, Content], _ForEachTable]  # files
    tally: Annotated[Tally, PlainValidator(Tally.from_json)]
    faults: Annotated[tuple[Annotated[Fault, fits(_is_fault)], ...], Field(strict=False)] = ()  # of failed attempts


_RECORD: Final = TypeAdapter(ChunkRecord, config=STRICT)


def play_chunk(job: Job, chunk: Chunk) -> ChunkRecord:
    """Play a chunk and leave its parts and its record in the folder. Raises OSError on I/O errors."""
    return write_chunk(job, chunk, simulate(job.setup, chunk, box=worker_box()))


def write_chunk(job: Job, chunk: Chunk, played: Played) -> ChunkRecord:
    """Leave the parts and the record of a chunk that was played. Raises OSError on I/O errors."""
    tables = batches_of(job, chunk, played)
    parts = {}
    for sheet in job.sheets:
        with new_file(job.part(chunk.number, sheet)) as sink:
            _write_part(job, sheet, sink, tables[sheet.name])
        parts[sheet.name] = sink.content
    return _leave_record(job, _record_of(job, chunk, played, parts))


class PackedChunk(NamedTuple):
    """A chunk that was played where the folder of the run is not."""

    record: ChunkRecord
    files: dict[str, bytes]  # by table


def pack_chunk(job: Job, chunk: Chunk) -> PackedChunk:
    """Play a chunk without touching the disk."""
    played = simulate(job.setup, chunk, box=worker_box())
    tables = batches_of(job, chunk, played)
    parts, files = {}, {}
    for sheet in job.sheets:
        buffer = BytesIO()
        sink = Sink(buffer)
        _write_part(job, sheet, sink, tables[sheet.name])
        parts[sheet.name], files[sheet.name] = sink.content, buffer.getvalue()
    return PackedChunk(_record_of(job, chunk, played, parts), files)


def store_chunk(job: Job, packed: PackedChunk) -> ChunkRecord:
    """Leave the parts and the record of a chunk as `play_chunk` does.

    Raises OSError on I/O errors, EnvironmentFault where a part is not as it was sent.
    """
    done, files = packed
    for sheet in job.sheets:
        if write_file(job.part(done.number, sheet), files[sheet.name]) != done.parts[sheet.name]:
            raise EnvironmentFault(f"chunk {done.number} was damaged on its way here; resume the run.")
    return _leave_record(job, done)


def _write_part(job: Job, sheet: Sheet, sink: Sink, batches: Iterator[Any]) -> None:
    if job.suffix(sheet, part=True) == ".csv":
        record.write_csv(sink, batches)
    else:
        record.write_stream(sink, sheet.columns, batches)


def _record_of(job: Job, chunk: Chunk, played: Played, parts: dict[str, Content]) -> ChunkRecord:
    rows = {"attempts": len(played.rows), "players": len(played.players), "sessions": len(played.sessions)}
    return ChunkRecord(chunk.number, rows, parts, tally_of(played.rows, played.players, job.scheme), played.faults)


def _leave_record(job: Job, done: ChunkRecord) -> ChunkRecord:
    write_sealed(job.record(done.number), {**done._asdict(), "tally": done.tally.to_json()})
    return done


def batches_of(job: Job, chunk: Chunk, played: Played) -> dict[str, Iterator[Any]]:
    """What was played as Arrow record batches, by table; made as they are taken, so that memory stays flat."""
    attempts, players, sessions = job.sheets

    def sliced() -> Iterator[Any]:
        for first in range(0, len(played.rows), _SLICE):
            rows = played.rows[first : first + _SLICE]
            yield record.attempt_batch(attempts, rows, recorded_chances(job.setup, rows))

    people = record.player_batch(players, chunk.replica, played.players, played.arrivals, played.sessions)
    visits = record.session_batch(sessions, chunk.replica, played.sessions)
    return {"attempts": sliced(), "players": iter((people,)), "sessions": iter((visits,))}


def read_chunk(job: Job, number: int) -> ChunkRecord | None:
    """The record of a chunk, where record and parts are as they were written; None otherwise."""
    try:
        done = _RECORD.validate_python(read_sealed(job.record(number)))
        whole = all(content_of(job.part(number, sheet)) == done.parts[sheet.name] for sheet in job.sheets)
    except (OSError, RunFolderError, ValueError, RecursionError):
        return None
    return done if whole and done.number == number and done.tally.scheme == job.scheme else None
