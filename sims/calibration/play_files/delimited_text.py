"""A text with commas, semicolons, tabs or bars as columns of texts, with the line that each row has."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable

Lines = npt.NDArray[np.int64]
Columns = tuple[dict[str, Any], Lines, list[tuple[int, str]]]  # texts, lines of the rows, ragged rows

_MARK: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ",;\t|"


def read_delimited(data: bytes, name: str) -> Columns:
    """Read a text.

    Args:
        data: what the file holds.
        name: of the file, for messages.

    Returns:
        name -> pyarrow array of texts; the line of each row, the header being 1; and rows with too few or too many
        cells, as the line and what came.

    Raises:
        ScenarioError: it is no text, or no table.
    """
    text = _as_utf8(data, name)
    header = text[: text.find(b"\n")] if b"\n" in text else text
    _check_text(text, name)
    delimiter = max(_DELIMITERS, key=header.decode().count)
    table, odd = _parsed(text, header, delimiter, name)
    if not table.num_rows and not odd.ragged:
        raise ScenarioError(f"{name} must hold rows, but it has a header only.")
    table, numbers = _without_empty_rows(table, odd)
    names: list[str] = table.column_names
    if doubled := next((column for column in names if names.count(column) > 1), None):
        raise ScenarioError(f"every column needs a name of its own, but {doubled!r} is there twice; rename one.")
    columns = {printable(column.strip()): table.column(i).combine_chunks() for i, column in enumerate(names)}
    return columns, numbers, odd.ragged


def _as_utf8(data: bytes, name: str) -> bytes:
    """The text without a byte-order mark, in UTF-8, with line breaks of one kind where it has the oldest."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise ScenarioError(f"{name} must be saved as UTF-8, but it is damaged UTF-16.") from None
    data = data.removeprefix(_MARK)
    return data.replace(b"\r", b"\n") if b"\r" in data and b"\n" not in data else data


def _check_text(data: bytes, name: str) -> None:
    """Raise ScenarioError for what is no text, and for a quotation mark that would swallow the lines after it."""
    if b"\x00" in data:
        raise ScenarioError(
            f"{name} must be CSV, gzip or Parquet, but row {_line_of(data, data.index(0))} holds a byte of 0, which no "
            "text has; export it as CSV."
        )
    try:
        data.decode()
    except UnicodeDecodeError as fault:
        raise ScenarioError(
            f"{name} must be saved as UTF-8, but row {_line_of(data, fault.start)} has the byte "
            f"0x{data[fault.start]:02x}; save it again."
        ) from None
    if (open_row := _unclosed_quote(data)) is not None:
        raise ScenarioError(
            f"{name}: row {open_row} has a quotation mark without its other half, and a cell may hold no line break; "
            "correct it."
        )


def _line_of(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def _unclosed_quote(data: bytes) -> int | None:
    """The first line with an odd number of quotation marks, which would swallow those that follow; None without one."""
    if b'"' not in data:
        return None
    return next((number for number, line in enumerate(data.split(b"\n"), 1) if line.count(b'"') % 2), None)


@dataclass
class _OddLines:
    """Lines that are no rows."""

    ragged: list[tuple[int, str]] = field(default_factory=list)  # too few or too many cells, and what came
    empty: list[int] = field(default_factory=list)

    def note(self, row: Any) -> str:
        """For the parser: remember a line and leave it out."""
        if not row.text.strip():
            self.empty.append(row.number)
        else:
            self.ragged.append(
                (row.number, f"has {row.actual_columns} cells where the header has {row.expected_columns}")
            )
        return "skip"


def _parsed(data: bytes, header: bytes, delimiter: str, name: str) -> tuple[Any, _OddLines]:
    import pyarrow as pa
    from pyarrow import csv

    odd = _OddLines()
    try:
        names = csv.read_csv(
            io.BytesIO(header + b"\n"), parse_options=csv.ParseOptions(delimiter=delimiter),
        ).column_names  # fmt: skip
        table = csv.read_csv(
            io.BytesIO(data),
            read_options=csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=odd.note, ignore_empty_lines=False, newlines_in_values=False
            ),
            convert_options=csv.ConvertOptions(
                column_types={column: pa.string() for column in names}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as fault:
        raise ScenarioError(f"{name} cannot be read as CSV: {' '.join(str(fault).split())[:200]}.") from None
    return table, odd


def _without_empty_rows(table: Any, odd: _OddLines) -> tuple[Any, Lines]:
    """The rows that say something, and the line of each."""
    import pyarrow as pa
    from pyarrow import compute

    some = np.zeros(table.num_rows, bool)
    for column in table.columns:
        some |= np.asarray(compute.greater(compute.binary_length(column), 0))
    skipped = np.array(sorted([number for number, _ in odd.ragged] + odd.empty), np.int64)
    return table.filter(pa.array(some)), _line_numbers(table.num_rows, skipped)[some]


def _line_numbers(rows: int, skipped: Lines) -> Lines:
    """The lines of the rows, the header being line 1, when some lines are none."""
    lines = np.arange(2, rows + len(skipped) + 2)
    return lines[~np.isin(lines, skipped)][:rows]
