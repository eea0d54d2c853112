"""A CSV table as any program saves it: pandas, R, Excel, LibreOffice.

They write True, TRUE or WAHR, put quotes or blanks around cells, begin with a byte-order mark or Excel's line sep=,
end lines with CR and LF, add columns and empty rows of their own, write NA for what is missing, and 100000.0, 1e+05 or
17 digits for a number. All of that is read as the table it was. A file with the separators of another language is
refused, because half of its cells would be guessed.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from engine.errors import RunFolderError
from engine.record import MISSING_WORDS, Column
from engine.user_files.regular_file import open_regular

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OTHER_KINDS: Final = (  # the first bytes of what is no CSV -> what it is, and what to do
    (b"\xff\xfe", "must be UTF-8, got UTF-16; save it as CSV UTF-8"),
    (b"\xfe\xff", "must be UTF-8, got UTF-16; save it as CSV UTF-8"),
    (b"\x1f\x8b", "must be CSV, got a file that gzip has compressed; unpack it"),
    (b"PK\x03\x04", "must be CSV, got a workbook or another ZIP file; save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "must be CSV, got an old workbook; save it as CSV UTF-8"),
    (b"PAR1", "must be CSV, got Parquet; give it a name that ends in .parquet"),
)
_EXCELS_LINE: Final = re.compile(rb'"?sep=.?"?[\r\n]*', re.IGNORECASE)
_LONGEST: Final = 1 << 16  # bytes of a row; a quote without an end would swallow the file
_LOOK: Final = 200  # rows that tell how a file is written
_TAIL: Final = 1 << 12  # bytes at the end, where spreadsheets leave empty rows
_BLOCK: Final = 1000  # rows that are written again at a time
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+(E[-+]?[0-9]+)?", re.IGNORECASE)
_OTHER_NUMBER: Final = re.compile(
    r"-?[0-9]+([,' \u00a0\u2019\u202f][0-9]+)+([.,][0-9]+)?(E[-+]?[0-9]+)?|-?[0-9]{1,3}(\.[0-9]{3}){2,}", re.IGNORECASE
)
_TRUE: Final = ("true", "1", "1.0", "t", "yes", "y", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar")
_FALSE: Final = ("false", "0", "0.0", "f", "no", "n", "falsch", "faux", "falso", "onwaar")
_BOOLEANS: Final = {**dict.fromkeys(_TRUE, "true"), **dict.fromkeys(_FALSE, "false")}
_WHOLE: Final = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")
_PLUS: Final = re.compile(r"\+(?=[0-9])")


class TornRow(NamedTuple):
    """A row with another number of cells than the header."""

    cells: int
    expected: int


class CsvHead(NamedTuple):
    """The first rows of a CSV file."""

    names: list[str]
    rows: list[list[str]]  # a few of the first


def records(file: BinaryIO) -> Iterator[bytes]:
    """The rows of a file from where it stands, each with its line end and with those inside quoted cells.

    Rows without any value are left out: spreadsheets write them where cells were emptied.
    """
    for line in file:
        row = line
        while row.count(b'"') % 2 and len(row) < _LONGEST and (more := file.readline()):
            row += more
        if row.strip(b",\r\n"):
            yield row


def cells_in(row: bytes) -> list[str]:
    """The cells of a row."""
    text = row.decode("utf-8", errors="replace").rstrip("\r\n")  # CR CR LF comes of two programs that each add a CR
    if '"' in text:
        with contextlib.suppress(csv.Error, StopIteration):
            return next(csv.reader([text]))
    return text.split(",")


def header_of(file: BinaryIO) -> list[str]:
    """The names in a file's first row. The file then stands at its first data row."""
    return [name.strip(" ") for name in cells_in(_header_row(file))]


def _header_row(file: BinaryIO) -> bytes:
    rows = records(file)
    row = next(rows, b"")
    while row.startswith(BYTE_ORDER_MARK):
        row = row.removeprefix(BYTE_ORDER_MARK)
    return next(rows, b"") if _EXCELS_LINE.fullmatch(row) else row


def csv_head(path: Path, wanted: str) -> CsvHead:
    """Look at the first rows of a CSV file.

    Args:
        path: the file.
        wanted: a column that it must have; without it the separators may be those of another language.

    Returns:
        The names of its columns and its first rows.

    Raises:
        RunFolderError: if it is written with other separators, in another encoding, or names a column twice.
    """
    with open_regular(path) as file:
        _refuse_other_kinds(path, file.peek(_LOOK)[:_LOOK])
        names = header_of(file)
        rows = [cells_in(row) for row in itertools.islice(records(file), _LOOK)]
    if any("\r" in name for name in names):
        raise RunFolderError(f"{path} must end its lines with LF or CR LF, got CR alone; save it as CSV UTF-8.")
    if wanted not in names:
        _refuse_separators(path, wanted, names, rows)
        return CsvHead(names, rows)
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise RunFolderError(f"{path} has the column {twice[:64]!r} twice; remove one.")
    return CsvHead(names, rows)


def _refuse_other_kinds(path: Path, start: bytes) -> None:
    """Raise RunFolderError for a file that is no CSV in UTF-8. start: its first bytes."""
    words = next((words for mark, words in _OTHER_KINDS if start.startswith(mark)), None)
    if words is None and b"\x00" in start:
        words = "must be CSV UTF-8, got bytes of 0, which no text has; save it as CSV UTF-8"
    if words is not None:
        raise RunFolderError(f"{path} {words}.")


def _refuse_separators(path: Path, wanted: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise RunFolderError where cells are separated by something else than commas."""
    header = ",".join(names)
    if wanted in header.replace('"', "").split(" "):
        raise RunFolderError(f"{path} must have commas between its cells, got blanks; save it with commas.")
    for separator, words in _SEPARATORS.items():
        if header.count(separator) >= 3:
            comma = any(_COMMA.fullmatch(cell) for row in rows for cell in ",".join(row).split(separator))
            and_ = " and decimal commas" if comma else ""
            remedy = "commas and decimal points" if comma else "commas"
            raise RunFolderError(
                f"{path} must have commas between its cells, got {words}{and_}; save it with {remedy}."
            )


def refuse_numbers(path: Path, columns: Sequence[Column | None], rows: Iterable[Sequence[str]]) -> None:
    """Raise RunFolderError where numbers have the separators of another language.

    Args:
        path: the file.
        columns: what stands in each cell of a row; None for a column that is not read.
        rows: some of its rows.
    """
    for row in rows:
        for column, text in zip(columns, row, strict=False):
            if column is None or column.kind not in ("number", "integer"):
                continue
            if _OTHER_NUMBER.fullmatch(text):
                raise RunFolderError(
                    f"{path} has numbers with the separators of another language, such as {text!r} in {column.name}; "
                    "save it with decimal points and without separators of thousands."
                )


def own_spelling(column: Column, text: str) -> str:
    """A cell as a run would write it, where only its spelling differs. Any other text comes back as it is."""
    text = text.strip(" ")
    if column.optional and text in MISSING_WORDS:
        return ""
    if column.kind == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    if column.kind == "name":
        return text
    text = _PLUS.sub("", text, count=1).replace("\u2212", "-", 1)
    if column.kind == "integer" and not text.isdecimal() and _WHOLE.fullmatch(text):
        with contextlib.suppress(InvalidOperation):
            value = Decimal(text)
            if value == value.to_integral_value():
                return str(int(value))
    return text


def is_exact(text: str, value: float) -> bool:
    """Whether a text has the digits that belong to a number of 64 bits: the fewest that do, or 17 of them.

    Other digits with the same bits are refused, so that no digit can change unseen.
    """
    return Decimal(text) in (Decimal(repr(value)), Decimal(f"{value:.17g}"))


@contextlib.contextmanager
def open_csv(path: Path, columns: Sequence[Column]) -> Iterator[BinaryIO]:
    """Open a CSV file for a reader that knows only the spelling of a run.

    Args:
        path: the file.
        columns: the columns that are read. All others may be anything.

    Yields:
        The file itself where it is written as a run writes it; otherwise its rows, written again as they are read.

    Raises:
        RunFolderError: if the file is no regular one, or lacks a column.
        OSError: if it cannot be read.
    """
    head = csv_head(path, columns[0].name)
    missing = next((column.name for column in columns if column.name not in head.names), None)
    if missing is not None:
        raise RunFolderError(f"{path} lacks the column {missing}.")
    places = [head.names.index(column.name) for column in columns]
    with open_regular(path) as file:
        looked = [[row[place] for place in places] for row in head.rows if len(row) == len(head.names)]
        if _is_plain(file) and all(
            own_spelling(column, text) == text for row in looked for column, text in zip(columns, row, strict=True)
        ):
            file.seek(0)
            yield file
            return
        file.seek(0)
        _header_row(file)
        yield io.BufferedReader(_Stream(_respelled(file, columns, places, len(head.names))), 1 << 16)


def _is_plain(file: BinaryIO) -> bool:
    """Whether a file begins and ends as a run writes it: nothing before the header, no quotes, no empty rows."""
    start = file.readline(_LONGEST)
    length = file.seek(0, io.SEEK_END)
    file.seek(max(length - _TAIL, 0))
    empty = [line for line in file.read().splitlines()[1:] if not line.strip(b",")]
    mark = start.startswith(BYTE_ORDER_MARK) or b'"' in start or b"\r" in start or b" " in start
    return not mark and not empty and not _EXCELS_LINE.fullmatch(start)


def _respelled(file: BinaryIO, columns: Sequence[Column], places: Sequence[int], width: int) -> Iterator[bytes]:
    """The header and the rows of a file as a run would write them, some at a time. A torn row stays torn."""
    yield ",".join(column.name for column in columns).encode() + b"\n"
    rows = records(file)
    while block := list(itertools.islice(rows, _BLOCK)):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in map(cells_in, block):
            if len(row) != width:
                writer.writerow([*row, "torn"] if len(row) == len(columns) else row)
                continue
            writer.writerow([own_spelling(column, row[place]) for column, place in zip(columns, places, strict=True)])
        yield text.getvalue().encode()


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
