"""The numbers of a picture as CSV, which a page saves beside the picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

Cell = str | float | int


def numbers_csv(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Lines of CSV with a header; a number that is not known is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return "" if math.isnan(cell) else f"{cell:.6g}"
