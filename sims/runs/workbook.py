"""A workbook for spreadsheets: a sheet for each table, and a last one that explains the columns.

Every text is a text cell, whatever it begins with, so nothing in it is ever computed or becomes a link.
"""

from __future__ import annotations

import contextlib
import datetime
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.errors import EnvironmentFault, ScenarioError
from engine.record import Column
from sims.run_folder.data_package import Resource, range_of
from sims.run_folder.files import Sink, new_file

ROWS: Final = 1_048_576  # of a sheet, its header among them
_DIGITS: Final = 10**15  # a spreadsheet would round a larger whole number, so it stands as text
_HEADS: Final = ("table", "column", "type", "unit", "range", "may be empty", "meaning")
_WIDTHS: Final = (10, 24, 9, 14, 22, 13, 100)  # characters
_PLAIN: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_CREATED: Final = datetime.datetime(1980, 1, 1)  # noqa: DTZ001 - nothing of the clock: the same run, the same bytes


def write_workbook(path: Path, tables: Sequence[tuple[Resource, Iterable[Any]]]) -> None:
    """Write tables, each with its rows as Arrow record batches, in memory of a few rows.

    Raises ScenarioError when a table has too many rows for a sheet, EnvironmentFault without xlsxwriter, OSError on
    I/O errors.
    """
    for table, _ in tables:
        if table.rows >= ROWS:
            raise ScenarioError(
                f"a sheet has at most {ROWS:,} rows with its header, and {table.sheet.name} has {table.rows:,} rows; "
                "export it to parquet."
            )
    try:
        import xlsxwriter
        from xlsxwriter.exceptions import FileCreateError
    except ModuleNotFoundError:
        raise EnvironmentFault(
            "a workbook needs the package xlsxwriter, which is missing; install it, or the extra flowdial[xlsx]."
        ) from None
    with new_file(path) as sink:
        book = xlsxwriter.Workbook(_Outlet(sink), {"constant_memory": True, "tmpdir": str(path.parent), **_PLAIN})
        book.set_properties({"created": _CREATED})
        book.use_zip64()  # used from 2 GB of a sheet on, which a million rows can come to
        bold = book.add_format({"bold": True})
        try:
            for table, batches in tables:
                _fill(book.add_worksheet(table.sheet.name), table.sheet.columns, batches, bold)
            _explain(book.add_worksheet("columns"), [table for table, _ in tables], bold)
            book.close()
        except FileCreateError as fault:
            raise fault.args[0] from None
        finally:
            for page in book.worksheets():  # a workbook that failed leaves the files of its sheets open
                with contextlib.suppress(OSError):
                    page.row_data_fh.close()


class _Outlet:
    """A sink that is left alone once it has failed: an archive that is thrown away would still write its end to it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._failed = False

    def write(self, data: bytes) -> int:
        if self._failed:
            return len(data)
        try:
            return self._sink.write(data)
        except OSError:
            self._failed = True
            raise

    def tell(self) -> int:
        return self._sink.tell()

    def flush(self) -> None:
        if not self._failed:
            self._sink.flush()


def _fill(page: Any, columns: Sequence[Column], batches: Iterable[Any], bold: Any) -> None:
    _begin(page, [column.name for column in columns], [max(len(column.name) + 2, 9) for column in columns], bold)
    row = 0
    for batch in batches:
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row += 1
            for place, cell in enumerate(cells):
                _put(page, row, place, cell)


def _put(page: Any, row: int, place: int, cell: Any) -> None:
    match cell:
        case None:
            pass
        case bool():
            page.write_boolean(row, place, cell)
        case int() if abs(cell) < _DIGITS:
            page.write_number(row, place, cell)
        case float() if math.isfinite(cell):
            page.write_number(row, place, cell)
        case _:
            page.write_string(row, place, str(cell))


def _begin(page: Any, heads: Sequence[str], widths: Sequence[int], bold: Any) -> None:
    page.freeze_panes(1, 0)
    for place, (head, width) in enumerate(zip(heads, widths, strict=True)):
        page.set_column(place, place, width)
        page.write_string(0, place, head, bold)


def _explain(page: Any, tables: Sequence[Resource], bold: Any) -> None:
    _begin(page, _HEADS, _WIDTHS, bold)
    lines = [
        (table.sheet.name, c.name, c.kind, c.unit, range_of(c), "yes" if c.optional else "", c.meaning)
        for table in tables
        for c in table.sheet.columns
    ]
    for row, cells in enumerate(lines, start=1):
        for place, cell in enumerate(cells):
            page.write_string(row, place, cell)
