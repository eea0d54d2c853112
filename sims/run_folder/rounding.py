"""Tables whose numbers a spreadsheet has rounded: they look whole, and no row of them can be played again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from engine.record import Column
from sims.run_folder.row_file import lines_of
from sims.run_folder.saved_csv import TornRow

_FEWEST: Final = 3  # digits; with fewer a table may just have short numbers
_MOST: Final = 15  # what spreadsheets keep; of random numbers of 64 bits one in twenty has so few
_ENOUGH: Final = 8  # different numbers of that length, which chance gives once in ten thousand million tables
_LOOK: Final = 200  # rows
_DIGITS: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE][-+]?[0-9]+)?")


def kept_digits(path: Path, columns: Sequence[Column]) -> int | None:
    """The number of digits to which a table was rounded; None where it keeps all.

    Args:
        path: of the table, CSV or Parquet.
        columns: those that are read of it.

    Raises:
        RunFolderError: if it cannot be read.
    """
    numbers = [place for place, column in enumerate(columns) if column.kind == "number"]
    rows = itertools.islice(lines_of(path, columns), _LOOK)
    return _digits_of_table(row[place] for row in rows if not isinstance(row, TornRow) for place in numbers)


def _digits_of_table(texts: Iterable[str]) -> int | None:
    lengths = [_length(text) for text in set(texts)]
    most = max(lengths, default=0)
    found = _FEWEST <= most <= _MOST and sum(length >= most - 1 for length in lengths) >= _ENOUGH
    return most if found else None


def _length(text: str) -> int:
    """Significant digits of a number."""
    match = _DIGITS.fullmatch(text)
    return len("".join(part or "" for part in match.groups()).strip("0")) if match else 0


def is_rounded(text: str, exact: str) -> bool:
    """Whether a number is another one rounded to as many digits as it has.

    A spreadsheet keeps fewer of long numbers (3.7072E+13) and of those with zeros before the first digit.
    """
    if not (_DIGITS.fullmatch(text) and _DIGITS.fullmatch(exact)):
        return False
    return float(text) == float(f"{float(exact):.{max(_length(text), 1)}g}")


def rounding_note(path: Path, digits: int) -> str:
    """What is said of a rounded table."""
    return (
        f"{path.name} keeps at most {digits} digits of a number, as a spreadsheet does, and a replay needs all 17; "
        "take the file as the run wrote it"
    )
