"""Tables of a run that are as the run wrote them: byte for byte, or value by value where another program saved them.

Whatever reads a table of a run goes through `sound_manifest`, so that all readers refuse an altered one alike.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from engine.errors import RunFolderError
from engine.record import Column, Format, Sheet, csv_header, schema_of, write_csv, write_parquet
from sims.run_folder.data_package import Resource, read_package
from sims.run_folder.faults_table import NAME as FAULTS_TABLE
from sims.run_folder.files import Content, Sink
from sims.run_folder.folder import PACKAGE, changed_files, read_manifest
from sims.run_folder.row_file import lines_of, lines_of_batch, row_batches_of
from sims.run_folder.saved_csv import TornRow, is_exact, own_spelling

_BY_ROWS: Final = ("summary.csv", FAULTS_TABLE)  # tables that are written row by row, not from Arrow's batches


def sound_manifest(folder: Path, names: Collection[str] | None = None) -> dict[str, Any]:
    """The manifest of a complete run whose files are as the run wrote them.

    A table that another program has saved will do while every value is the same.

    Args:
        folder: of the run.
        names: the files that are read; None for all that the manifest lists.

    Raises:
        RunFolderError: as `read_manifest`, and when a file differs from its checksum; it names the file.
    """
    manifest = read_manifest(folder)
    read = (
        manifest
        if names is None
        else {"files": {name: note for name, note in manifest["files"].items() if name in names}}
    )
    changed = [name for name in changed_files(folder, read) if not holds_the_same(folder, manifest, name)]
    if changed:
        raise RunFolderError(
            f"the files of {folder} must be as the run wrote them, but {', '.join(changed)} "
            f"{'is' if len(changed) == 1 else 'are'} not; `flowdial verify {folder}` says more."
        )
    return manifest


def holds_the_same(folder: Path, manifest: Mapping[str, Any], name: str) -> bool:
    """Whether a table with another checksum still holds the values that the run wrote.

    Args:
        folder: of the run.
        manifest: its manifest.
        name: of the file.

    Returns:
        Whether the checksum is right again once the table is written as a run writes it.
    """
    import pyarrow as pa

    note = manifest["files"][name]
    if changed_files(folder, {"files": {PACKAGE: manifest["files"].get(PACKAGE, {"bytes": -1, "sha256": ""})}}):
        return False
    try:
        table = next((table for table in read_package(folder).tables if table.path == name), None)
        if table is None or not (folder / name).is_file():
            return False
        sink = Sink(cast(BinaryIO, _Nowhere()))
        if name in _BY_ROWS:
            sink.write(_by_rows(folder / name, table.sheet))
            return sink.content == Content(note["bytes"], note["sha256"])
        batches = batches_of_table(folder, table)
        if name.endswith(".parquet"):
            write_table(sink, "parquet", table.sheet, batches)
        else:
            write_table(sink, "csv", table.sheet, _same_digits(folder / name, table.sheet, batches))
    except (RunFolderError, OSError, pa.ArrowException, ValueError, ArithmeticError):
        return False
    return sink.content == Content(note["bytes"], note["sha256"])


def _same_digits(path: Path, sheet: Sheet, batches: Iterable[Any]) -> Iterator[Any]:
    """The batches of a CSV table, as long as every number has the digits that its bits are written with.

    Raises ValueError for another digit, even one that changes no bit.
    """
    lines = lines_of(path, sheet.columns)
    for batch in batches:
        for expected in lines_of_batch(batch):
            found = next(lines, None)
            if found is None or isinstance(found, TornRow):
                raise ValueError("a row is torn")
            for column, was, is_ in zip(sheet.columns, found, expected, strict=True):
                own = own_spelling(column, was)
                if own != is_ and column.kind == "number" and is_ and not is_exact(own, float(is_)):
                    raise ValueError(f"{column.name} has other digits")
        yield batch


def _by_rows(path: Path, sheet: Sheet) -> bytes:
    """A table as Python's csv module writes it, which has 0.0 where Arrow has 0.

    Raises ValueError for a torn row, or a number with other digits than those that belong to it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in sheet.columns])
    for row in lines_of(path, sheet.columns):
        if isinstance(row, TornRow):
            raise ValueError("a row is torn")
        writer.writerow([_as_python_writes(column, cell) for column, cell in zip(sheet.columns, row, strict=True)])
    return text.getvalue().encode()


def _as_python_writes(column: Column, cell: str) -> str:
    text = own_spelling(column, cell)
    if column.kind != "number" or not text:
        return text
    value = float(text)
    if not is_exact(text, value):
        raise ValueError(f"{column.name} has other digits")
    return repr(value)


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing."""


def write_table(sink: Sink, form: Format, sheet: Sheet, batches: Iterable[Any]) -> None:
    """Write the rows of a table as a run writes them."""
    if form == "csv":
        sink.write(csv_header(sheet.columns))
        write_csv(sink, batches)
    else:
        write_parquet(sink, sheet.columns, batches)


def batches_of_table(folder: Path, table: Resource) -> Iterator[Any]:
    """The record batches of a table, with the sheet's words in the sheet's order.

    That of the words as they come in a file would show in the bytes of a Parquet file. Raises RunFolderError when the
    table is not what the data package says.
    """
    import pyarrow as pa

    path, columns = folder / table.path, table.sheet.columns
    try:
        for batch in row_batches_of(path, columns):
            arrays = [
                _reworded(array, table.sheet.words[column.name]) if column.name in table.sheet.words else array
                for column, array in zip(columns, batch.columns, strict=True)
            ]
            yield pa.record_batch(arrays, schema=schema_of(columns))
    except (pa.ArrowException, ValueError) as fault:
        raise RunFolderError(f"{path} must be as {PACKAGE} says, but: {' '.join(str(fault).split())[:300]}") from None


def _reworded(array: Any, words: tuple[str, ...]) -> Any:
    """The same values with these words as the dictionary. Raises ValueError for a value that is none of them."""
    import pyarrow as pa
    from pyarrow import compute

    numbers = compute.index_in(array.dictionary, value_set=pa.array(words, pa.string()))
    if numbers.null_count:
        raise ValueError(f"one of {', '.join(words)} is expected, got {array.dictionary.filter(numbers.is_null())[0]}")
    return pa.DictionaryArray.from_arrays(numbers.take(array.indices), pa.array(words, pa.string()))
