"""A file of plays as a table of texts: CSV with commas, semicolons or tabs, with or without gzip, or Parquet."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable

STDIN: Final = "-"
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_MARK: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ",;\t|"
_LONGEST_NAME: Final = 100  # characters of a file's name that are said
_LARGEST: Final = 4 << 30  # bytes of a file, unpacked


@dataclass
class PlayFile:
    """Columns of text, and the number that each row has in the file."""

    name: str  # for messages, without the folder
    columns: dict[str, Any]  # name -> pyarrow array of texts
    numbers: npt.NDArray[np.int64]  # of the rows: of the line in a text file, the header being 1
    ragged: list[tuple[int, str]] = field(default_factory=list)  # rows with too few or too many cells, and what came

    @property
    def rows(self) -> int:
        return len(self.numbers)


def read_play_file(path: Path | str) -> PlayFile:
    """Read a file of plays.

    Args:
        path: the file; "-" for standard input.

    Raises:
        ScenarioError: it is empty, damaged, or no table of text.
        OSError: it cannot be read.
    """
    name = "standard input" if str(path) == STDIN else printable(Path(path).name)[:_LONGEST_NAME]
    data = sys.stdin.buffer.read() if str(path) == STDIN else Path(path).read_bytes()
    if data.startswith(_GZIP):
        data = _unpacked(data, name)
    if not data.strip():
        raise ScenarioError(f"{name} must hold a header and rows, but it is empty.")
    return _parquet(data, name) if data.startswith(_PARQUET) else _text(data, name)


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            found = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise ScenarioError(f"{name} must be whole, but its gzip data is damaged: {fault}.") from None
    if len(found) > _LARGEST:
        raise ScenarioError(f"{name} may have at most {_LARGEST >> 30} GB when it is unpacked; give a part of it.")
    return found


def _parquet(data: bytes, name: str) -> PlayFile:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(data))
        columns = {printable(name): _texts(table.column(name)) for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise ScenarioError(f"{name} cannot be read as Parquet: {' '.join(str(fault).split())[:200]}.") from None
    return PlayFile(name, columns, np.arange(1, table.num_rows + 1))


def _texts(column: Any) -> Any:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.array([""] * len(column), pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return compute.fill_null(column.cast(pa.string()), "").combine_chunks()


def _text(data: bytes, name: str) -> PlayFile:
    import pyarrow as pa
    from pyarrow import compute, csv

    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise ScenarioError(f"{name} must be saved as UTF-8, but it is damaged UTF-16.") from None
    data = data.removeprefix(_MARK)
    if b"\x00" in data:
        line = data.count(b"\n", 0, data.index(b"\x00")) + 1
        raise ScenarioError(
            f"{name} must be CSV, gzip or Parquet, but row {line} holds a byte of 0, which no text has; "
            "export it as CSV."
        )
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    head = data[: data.find(b"\n")] if b"\n" in data else data
    try:
        header = head.decode().strip("\r")
        data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ScenarioError(
            f"{name} must be saved as UTF-8, but row {line} has the byte 0x{data[fault.start]:02x}; save it again."
        ) from None
    if (open_row := _unclosed_quote(data)) is not None:
        raise ScenarioError(
            f"{name}: row {open_row} has a quotation mark without its other half, and a cell may hold no line break; "
            "correct it."
        )
    delimiter = max(_DELIMITERS, key=header.count)
    odd: list[tuple[int, str]] = []
    empty: list[int] = []

    def on_odd(row: Any) -> str:
        if not row.text.strip():
            empty.append(row.number)
        else:
            odd.append((row.number, f"has {row.actual_columns} cells where the header has {row.expected_columns}"))
        return "skip"

    try:
        names = csv.read_csv(
            io.BytesIO(head + b"\n"), parse_options=csv.ParseOptions(delimiter=delimiter),
        ).column_names  # fmt: skip
        table = csv.read_csv(
            io.BytesIO(data),
            read_options=csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=on_odd, ignore_empty_lines=False, newlines_in_values=False
            ),
            convert_options=csv.ConvertOptions(
                column_types={column: pa.string() for column in names}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as fault:
        raise ScenarioError(f"{name} cannot be read as CSV: {' '.join(str(fault).split())[:200]}.") from None
    skipped = np.array(sorted([number for number, _ in odd] + empty), np.int64)
    some = np.zeros(table.num_rows, bool)  # a line of nothing is no row
    for column in table.columns:
        some |= np.asarray(compute.greater(compute.binary_length(column), 0))
    numbers = _line_numbers(table.num_rows, skipped)[some]
    table = table.filter(pa.array(some))
    columns = {column: table.column(i).combine_chunks() for i, column in enumerate(table.column_names)}
    if len(columns) != len(table.column_names):
        map_names: Sequence[str] = table.column_names
        doubled = next(column for column in map_names if map_names.count(column) > 1)
        raise ScenarioError(f"every column needs a name of its own, but {doubled!r} is there twice; rename one.")
    if not table.num_rows and not odd:
        raise ScenarioError(f"{name} must hold rows, but it has a header only.")
    return PlayFile(name, {printable(key.strip()): column for key, column in columns.items()}, numbers, odd)


def _unclosed_quote(data: bytes) -> int | None:
    """The first line with an odd number of quotation marks, which would swallow those that follow; None without one."""
    if b'"' not in data:
        return None
    return next((number for number, line in enumerate(data.split(b"\n"), 1) if line.count(b'"') % 2), None)


def _line_numbers(rows: int, skipped: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The lines of the rows, the header being line 1, when some lines are none."""
    lines = np.arange(2, rows + len(skipped) + 2)
    return lines[~np.isin(lines, skipped)][:rows]
