"""Tables whose numbers were rounded, by a spreadsheet or a short type: whole to look at, but no row can be replayed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.record import Column
from sims.run_folder.row_file import lines_of
from sims.run_folder.saved_csv import TornRow

_FEWEST: Final = 3  # digits; with fewer a table may just have short numbers
_MOST: Final = 15  # what spreadsheets keep; of random numbers of 64 bits one in twenty has so few
_ENOUGH: Final = 8  # different numbers of that length, which chance gives once in ten thousand million tables
_ALMOST: Final = 16  # digits; half of random numbers need one more, so it takes many to know
_MANY: Final = 40  # of them, which chance gives once in a million million tables
_SINGLE: Final = 7  # digits that a type of 32 bits keeps
_SHORT_TYPES: Final = ((np.float16, 3), (np.float32, _SINGLE))
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
    lengths = {text: _length(text) for text in set(texts)}
    most = max(lengths.values(), default=0)
    near = sum(length >= most - 1 for length in lengths.values())
    short = _digits_of_short_type([float(text) for text, length in lengths.items() if length > _SINGLE])
    if short is not None:
        return short
    if (_FEWEST <= most <= _MOST and near >= _ENOUGH) or (most == _ALMOST and near >= _MANY):
        return most
    return None


def _digits_of_short_type(values: Sequence[float]) -> int | None:
    """The digits of a type of fewer bits that holds all these long numbers; None where none does."""
    held = (digits for kind, digits in _SHORT_TYPES if all(_in_type(value, kind) == value for value in values))
    return next(held, None) if len(values) >= _ENOUGH else None


def _in_type(value: float, kind: type[np.floating[Any]]) -> float:
    with np.errstate(over="ignore"):
        return float(kind(value))


def _length(text: str) -> int:
    """Significant digits of a number."""
    match = _DIGITS.fullmatch(text)
    return len("".join(part or "" for part in match.groups()).strip("0")) if match else 0


def is_rounded(text: str, exact: str) -> bool:
    """Whether a number is another one rounded to as many digits as it has, or to a type of fewer bits.

    A spreadsheet keeps fewer of long numbers (3.7072E+13) and of those with zeros before the first digit.
    """
    if not (_DIGITS.fullmatch(text) and _DIGITS.fullmatch(exact)):
        return False
    value, whole = float(text), float(exact)
    if value == float(f"{whole:.{max(_length(text), 1)}g}"):
        return True
    return any(value == _in_type(whole, kind) for kind, _ in _SHORT_TYPES)


def rounding_note(path: Path, digits: int) -> str:
    """What is said of a rounded table."""
    return (
        f"{path.name} keeps at most {digits} digits of a number, as a spreadsheet does or a type of 32 bits, and a "
        "replay needs all 17; take the file as the run wrote it"
    )
