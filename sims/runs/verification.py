"""Replay rows of a run from what they say themselves, and compare.

A row is replayed from its own columns: address, params, faculties; a person's from the recorded actions beside it.
That covers what the attempt was and how it ended. All other columns are covered by the checksum of the file, where a
manifest lies beside it. When the checksum differs, the run is played again, and each cell that differs is listed by row
and column.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import Address, Result, attempt_of
from engine.errors import FlowdialError, RunFolderError
from engine.external.external_game import AnyGame, AttemptUnplayed, ExternalGame, external_attempt, rules_of
from engine.faults import BAD_PROPOSAL, FAULTS
from engine.game import FAILED, OUTCOMES, Faculties
from engine.kernel import compiled
from engine.record import Column, Sheet, source_of
from engine.scenario import parse, setup_of
from engine.scenario_file.scenario_faults import quote_value
from engine.scenario_file.toml import LARGEST_FILE
from engine.user_files.regular_file import read_regular
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.playback.human_actions import HUMAN_ACTIONS, read_human_actions
from sims.playback.outcome_cells import outcome_cells
from sims.playback.stepper import NO_FACULTIES, AttemptStepper, Recording
from sims.run_folder.agreement import disagreements
from sims.run_folder.faults_table import read_faults
from sims.run_folder.folder import PACKAGE, SCENARIO, changed_files, has_manifest, read_manifest
from sims.run_folder.names import ATTEMPTS
from sims.run_folder.provenance import code_digests
from sims.run_folder.rounding import is_rounded, kept_digits, rounding_note
from sims.run_folder.row_file import (
    AttemptTable,
    ignored_note,
    is_empty,
    lines_of,
    lines_of_batch,
    open_table,
    value_of,
)
from sims.run_folder.saved_csv import TornRow, own_spelling
from sims.run_folder.sound_tables import holds_the_same
from sims.runs.chunks import batches_of, job_of
from sims.runs.run import Run
from sims.workers.quarantine import ended_workers

HUMAN: Final = "human"
_ENDINGS: Final = ("duration_s", "outcome", "won", "progress", "score", "cause", "end_place", "ticks", "state_hash")
_MOST_SHOWN: Final = 20
_MOST_FOUND: Final = 1_000


class CellDifference(NamedTuple):
    """One cell that is not what it should be."""

    table: str  # attempts, players or sessions
    row: int  # number of the data row, from 0
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        found, expected = map(quote_value, (self.found, self.expected))
        return f"{self.table}, row {self.row}: {self.column}: the file has {found}, expected {expected}"


@dataclass(repr=False)
class _Tally:
    """What a verification has seen so far."""

    file: Path
    seed: int
    replayed: int = 0  # rows that were played again
    faulty: int = 0  # of them, rows that differ
    failed: int = 0  # rows without an attempt that could be played again
    checksums: int = 0  # files whose checksum was compared with the manifest's
    changed: int = 0  # of them, files that differ
    differences: list[CellDifference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class Verification:
    """Whether the rows of a run are what the rules give.

    Attributes:
        file: the table of attempts.
        seed: by which the rows were drawn.
        replayed: number of rows that were played again.
        faulty: of them, rows that differ.
        failed: rows of failed attempts, in which nothing was played.
        checksums: number of files whose checksum was compared with the manifest's.
        changed: of them, files that differ.
        differences: cells that are not what they should be.
        notes: sentences about everything else that is wrong.
        remarks: sentences about what is unusual and does no harm, such as a column that no attempt has.
    """

    file: Path
    seed: int
    replayed: int
    faulty: int
    failed: int
    checksums: int
    changed: int
    differences: tuple[CellDifference, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing is wrong."""
        return not self.differences and not self.notes

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is wrong, then how much was compared."""
        return tuple(_sentences(self))

    def to_json(self) -> dict[str, Any]:
        """Counts, differences and notes as values of JSON."""
        return {
            "file": str(self.file),
            "equal": self.equal,
            "rows_replayed": self.replayed,
            "rows_equal": self.replayed - self.faulty,
            "rows_failed": self.failed,
            "checksums_compared": self.checksums,
            "checksums_equal": self.checksums - self.changed,
            "seed": self.seed,
            "differences": [difference._asdict() for difference in self.differences],
            "notes": list(self.notes),
            "remarks": list(self.remarks),
        }

    def __repr__(self) -> str:
        return f"Verification({self.sentences[-1]!r})"


def verify(target: Run | Path | str, *, rows: int | None = None, seed: int = 0) -> Verification:
    """Play rows of a run again and compare them, and compare the files with their checksums.

    Args:
        target: a run, its folder, or a file of attempts.
        rows: how many rows to replay, drawn without replacement by the seed; None for all of them.
        seed: chooses the rows, from 0.

    Raises:
        RunFolderError: the target cannot be read at all, or was played by another version of the game.

    Example:
        >>> from sims import load_scenario, run, verify
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> result = verify(run(load_scenario("arena/stationary", **small), workers=1), rows=20)
        >>> result.equal, result.replayed
        (True, 20)
    """
    path = target.folder if isinstance(target, Run) else Path(target)
    folder, manifest = _run_of(path)
    file = path if path.is_file() else folder / (ATTEMPTS if manifest is None else _attempts_file(manifest))
    changed = []
    seen = _Tally(file, seed)
    if manifest is not None:
        changed = [name for name in changed_files(folder, manifest) if path.is_dir() or name == file.name]
        same = [name for name in changed if holds_the_same(folder, manifest, name)]
        changed = [name for name in changed if name not in same]
        seen.notes = [f"{name} has changed since the run" for name in changed]
        seen.remarks = [f"{name} was saved by another program, and every value is as the run wrote it" for name in same]
        seen.checksums, seen.changed = len(manifest["files"]) if path.is_dir() else 1, len(changed)
    unread: list[str] = []
    try:
        _replay(seen, rows)
    except RunFolderError as fault:
        if not changed:
            raise
        seen.notes.append(str(fault))
        unread = [file.name]  # why was said
    if manifest is not None and changed:
        _pinpoint(seen, folder, manifest, [name for name in changed if name not in unread])
    elif manifest is not None and path.is_dir() and manifest.get("source") != HUMAN:
        seen.notes += disagreements(folder, manifest)
    lists = {name: tuple(getattr(seen, name)) for name in ("differences", "notes", "remarks")}
    return Verification(**{**vars(seen), **lists})


def _run_of(target: Path) -> tuple[Path, dict[str, Any] | None]:
    """The run folder of a target and its manifest; none for a sitting at the window, or a file that lies elsewhere."""
    if target.is_dir():
        whole = has_manifest(target) or ((target / PACKAGE).exists() and not (target / HUMAN_ACTIONS).exists())
        sitting = (target / ATTEMPTS).is_file() and not whole
        return target, None if sitting else read_manifest(target)
    if not target.is_file():
        raise RunFolderError(f"there is no run folder and no file at {target}; name another one.")
    folder = target.parent
    if has_manifest(folder):
        manifest = read_manifest(folder)
        if target.name == _attempts_file(manifest):
            return folder, manifest
    return folder, None


def _attempts_file(manifest: Mapping[str, Any]) -> str:
    return f"attempts.{manifest['format']}"


def _replay(seen: _Tally, rows: int | None) -> None:
    if is_empty(seen.file):
        return
    table = open_table(seen.file)
    _refuse_other_version(table)
    if isinstance(table.game, ExternalGame) and not table.game.deterministic:
        seen.remarks.append(
            f"no row was replayed, since {table.game.name} is external and says that it is not deterministic"
        )
        return
    numbers = sample_rows(table.rows, rows, seen.seed)
    seen.differences, unrecorded, seen.failed = replay_rows(table, numbers)
    seen.replayed = len(numbers) - len(unrecorded) - seen.failed
    seen.faulty = len({difference.row for difference in seen.differences})
    if table.ignored:
        seen.remarks.append(ignored_note(table.path, table.ignored))
    digits = kept_digits(table.path, table.columns) if seen.differences else None
    if digits is not None:
        seen.notes.append(rounding_note(table.path, digits))
        seen.differences = [item for item in seen.differences if item.column not in _ENDINGS]
    if unrecorded:
        seen.notes.append(
            f"{len(unrecorded):,} human rows were skipped (first: row {unrecorded[0]}), because {HUMAN_ACTIONS} beside "
            "the rows lacks their actions"
        )


def _refuse_other_version(table: AttemptTable) -> None:
    """Raise RunFolderError when first and last row alike are of other rules than those of the game that is here."""
    place = [column.name for column in table.columns].index("game_version")
    lines = lines_of(table.path, table.columns, sorted({0, table.rows - 1}))
    ends = [cells[place] for cells in lines if not isinstance(cells, TornRow)]
    if len(set(ends)) == 1 and ends[0] != str(table.game.version) and ends[0].isdecimal():
        raise RunFolderError(
            f"{table.path} was played by version {ends[0]} of {table.game.name}, but this Flowdial has version "
            f"{table.game.version}; use the Flowdial that wrote it."
        )


def _pinpoint(seen: _Tally, folder: Path, manifest: Mapping[str, Any], changed: Sequence[str]) -> None:
    tables = [name for name in changed if name.split(".")[0] in ("attempts", "players", "sessions")]
    tables = [name for name in tables if (folder / name).is_file()]
    if not tables or manifest.get("source") == HUMAN:  # a person can be replayed row by row only
        return
    try:
        found, notes = replay_run(folder, manifest, tables)
    except RunFolderError as fault:  # a table cannot be read to its end
        seen.notes.append(str(fault))
        return
    seen.notes += [one for one in notes if one not in seen.notes]
    seen.differences += [item for item in found if item not in seen.differences]


def _sentences(result: Verification) -> list[str]:
    same = result.replayed - result.faulty
    lines = [*result.remarks, *result.notes, *(str(difference) for difference in result.differences[:_MOST_SHOWN])]
    if len(result.differences) > _MOST_SHOWN:
        lines.append(f"and {len(result.differences) - _MOST_SHOWN:,} more cells")
    if result.differences:
        lines.append("rows are counted from 0, without the header")
    if result.failed:
        lines.append(f"{result.failed:,} rows were skipped: their attempts failed, so nothing was played")
    sums = f", and {result.checksums - result.changed} of {result.checksums} checksums" if result.checksums else ""
    return [*lines, f"{result.file}: {same:,} of {result.replayed:,} replayed rows are equal{sums}"]


def sample_rows(rows: int, count: int | None, seed: int) -> list[int]:
    """Row numbers in order: all of them, or so many drawn without replacement."""
    if count is None or count >= rows:
        return list(range(rows))
    drawn = np.random.default_rng(seed).choice(rows, size=count, replace=False, shuffle=False)
    return sorted(int(number) for number in drawn)


def replay_rows(table: AttemptTable, numbers: Sequence[int]) -> tuple[list[CellDifference], list[int], int]:
    """Replay these rows and compare their cells with those of the file.

    Returns the cells that differ, the numbers of a person's rows without recorded actions, and the number of rows of
    failed attempts. Rows of the last two kinds cannot be replayed.
    """
    attempt = _attempt_of(table.game)
    found: list[CellDifference] = []
    unrecorded: list[int] = []
    failed = 0
    lines = lines_of(table.path, table.columns, numbers)
    for number in numbers:
        cells = next(lines, None)
        if cells is None:  # a damaged file may hold fewer rows than it says
            found.append(CellDifference("attempts", number, "row", "no row", "a row"))
            continue
        if isinstance(cells, TornRow):
            found.append(CellDifference("attempts", number, "row", f"{cells.cells} cells", f"{cells.expected} cells"))
            continue
        row = {column.name: own_spelling(column, text) for column, text in zip(table.columns, cells, strict=True)}
        if row["outcome"] == OUTCOMES[FAILED] and row.get("fault"):
            failed += 1
            continue
        try:
            found += [CellDifference("attempts", number, *cell) for cell in _cells_that_differ(table, attempt, row)]
        except _Unrecorded:
            unrecorded.append(number)
    return found, unrecorded, failed


def _attempt_of(game: AnyGame) -> Callable[..., Result]:
    """(values, faculties, address) -> Result. Raises AttemptUnplayed in an external game that does not play."""
    if isinstance(game, ExternalGame):

        def elsewhere(values: npt.NDArray[np.float64], faculties: Faculties, *address: int) -> Result:
            return external_attempt(game, values, faculties, Address(*address))

        return elsewhere
    return compiled(attempt_of(game))


class _Unrecorded(Exception):
    """The actions of a person in this attempt are not recorded."""


def _cells_that_differ(
    table: AttemptTable, attempt: Callable[..., Result], row: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    values: dict[str, Any] = {}
    human = row["source"] == HUMAN
    for column in table.columns:
        text = row[column.name]
        try:
            values[column.name] = value_of(column, text, human=human)
        except ValueError as fault:
            yield column.name, text, str(fault)
    source = HUMAN if human else source_of(table.game)
    expected_constants = {"source": source, "game": table.game.name, "game_version": str(table.game.version)}
    for name, constant in expected_constants.items():
        if row[name] != constant:
            yield name, row[name], constant
    if values.get("fault") not in (None, FAULTS[BAD_PROPOSAL]):  # that of an attempt that was not played
        yield "fault", row["fault"], ""
    if len(values) < len(table.columns):
        return
    params = []
    for knob in table.game.space:
        name = f"param_{knob.name}"
        try:
            params.append(knob.real(values[name]))
        except ValueError as fault:
            yield name, row[name], str(fault)
    if len(params) < len(table.game.space):
        return
    params += table.numbers_on(values["level"])
    address = Address(**{name: values[name] for name in Address._fields if name in values})
    if human:
        yield from ((name, row[name], "") for name in Faculties._fields if values[name] is not None)
        result = _result_of_deeds(table, np.array(params, dtype=np.float64), address)
    else:
        faculties = Faculties(*(float(values[name]) for name in Faculties._fields))
        try:
            result = attempt(np.array(params, dtype=np.float64), faculties, *address)
        except AttemptUnplayed as fault:
            yield "fault", row["fault"], f"{fault.why.type}: {fault}"
            return
    for name, value in outcome_cells(table.game, result).items():
        if name in values and values[name] != value:  # a file from before scores and places has none
            yield name, row[name], _as_text(value)


def _result_of_deeds(table: AttemptTable, values: npt.NDArray[np.float64], address: Address) -> Result:
    """How an attempt of a person ends when all that they did is done again."""
    game = rules_of(table.game, "a replay")
    try:
        human_actions = read_human_actions(table.path.parent, address, len(game.actions))
    except RunFolderError as fault:
        raise _Unrecorded from fault
    recording = Recording(AttemptStepper(game, values, NO_FACULTIES, address), human_actions)
    recording.reach(game.max_ticks)
    return recording.stepper.result()


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def replay_run(
    folder: Path, manifest: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[CellDifference], list[str]]:
    """Play a whole run again: cells of its tables that differ, and sentences about them, or why that is unknown."""
    try:
        path = folder / SCENARIO
        scenario = parse(read_regular(path, LARGEST_FILE), str(path), Catalog(), allow_long=True)
        setup = setup_of(scenario, Catalog())
    except (FlowdialError, OSError) as fault:
        return [], [f"which rows differ is unknown, because {SCENARIO} cannot be read: {fault}"]
    if scenario.digest != manifest["scenario_digest"]:
        return [], [f"which rows differ is unknown, because {SCENARIO} is not the one that was run"]
    if code_digests(setup) != manifest.get("code"):
        return [], ["which rows differ is unknown, because the code has changed since the run"]
    job = job_of(folder, setup, scenario.after_attempts, manifest["format"], scenario.further_targets)
    sheets = [sheet for sheet in job.sheets if job.table(sheet).name in names]
    found: list[CellDifference] = []
    readers = {sheet.name: lines_of(job.table(sheet), sheet.columns) for sheet in sheets}
    digits = {sheet.name: kept_digits(job.table(sheet), sheet.columns) for sheet in sheets}
    notes = [rounding_note(job.table(sheet), kept) for sheet in sheets if (kept := digits[sheet.name]) is not None]
    counts = dict.fromkeys(readers, 0)
    known = ended_workers(read_faults(folder))
    for chunk in chunks(setup) if sheets else ():
        faults = tuple(fault for fault in known if fault.replica == chunk.replica)
        with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
            played = simulate(setup, chunk._replace(faults=faults))
        batches = batches_of(job, chunk, played)
        for sheet in sheets:
            expected = (line for batch in batches[sheet.name] for line in lines_of_batch(batch))
            for cells in expected:
                line = next(readers[sheet.name], None)
                found += _cells_apart(sheet, counts[sheet.name], line, cells, digits[sheet.name])
                counts[sheet.name] += 1
            if len(found) > _MOST_FOUND:
                return found, [*notes, f"more than {_MOST_FOUND:,} cells differ"]
    for sheet in sheets:
        if next(readers[sheet.name], None) is not None:
            found.append(CellDifference(sheet.name, counts[sheet.name], "row", "a row", "no row"))
    return found, notes or ([] if found else ["no cell differs in value, only in the way it is written"])


def _cells_apart(
    sheet: Sheet, row: int, found: list[str] | TornRow | None, expected: Sequence[str], digits: int | None
) -> list[CellDifference]:
    """Cells of a row with another value. digits: to how many the table was rounded, which is told elsewhere."""
    if found is None:
        return [CellDifference(sheet.name, row, "row", "no row", "a row")]
    if isinstance(found, TornRow):
        return [CellDifference(sheet.name, row, "row", f"{found.cells} cells", f"{found.expected} cells")]
    return [
        CellDifference(sheet.name, row, column.name, was, is_)
        for column, was, is_ in zip(sheet.columns, found, expected, strict=True)
        if was != is_ and not _same(column, was, is_) and not (digits is not None and is_rounded(was, is_))
    ]


def _same(column: Column, text: str, expected: str) -> bool:
    """Whether two texts of a cell have the same value."""
    try:
        return bool(value_of(column, text, human=True) == value_of(column, expected, human=True))
    except ValueError:
        return False
