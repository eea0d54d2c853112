"""A file of attempts, CSV or Parquet, read as untrusted: header, rows as text, cells with their type and range."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from engine import record
from engine.errors import RunFolderError
from engine.game import Faculties, Game
from engine.record import ATTEMPT_COLUMNS, WIN_CHANCE, Column
from engine.user_files.regular_file import open_parquet, open_regular
from sims.catalog import Catalog

# Columns that a file may lack: older runs were written without the first two, the others are on request.
_ADDED: Final = ("fault", "score", "layout_seed", "win_chance")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]{1,3})?")


class AttemptTable(NamedTuple):
    """A file of attempts and what is needed to read it."""

    path: Path
    columns: tuple[Column, ...]
    rows: int
    game: Game


def open_table(path: Path) -> AttemptTable:
    """Look at the header and the first row of a file of attempts. Raises RunFolderError when it is not one."""
    names, first, rows = _head(path)
    if "game" not in names:
        raise RunFolderError(f"{path} is not a table of attempts: it has no column named game; name another file.")
    if first is None:
        raise RunFolderError(f"{path} has no rows, so there is nothing to replay.")
    if len(first) != len(names):
        raise RunFolderError(f"row 0 of {path} has {len(first)} cells, but the header has {len(names)}.")
    game = Catalog().game(first[names.index("game")])
    knobs, score = record.knob_columns(game), record.score_columns(game)
    known = {column.name: column for column in (*ATTEMPT_COLUMNS, record.LAYOUT, WIN_CHANCE, *score, *knobs)}
    columns = []
    for name in names:
        if name in known:
            columns.append(known[name])
        elif name.startswith("belief_"):
            columns.append(record.belief_column(name.removeprefix("belief_")))
        else:
            raise RunFolderError(f"{path} has a column {name!r}, which rows of {game.name} do not have; remove it.")
    missing = [name for name in known if name not in (*names, *_ADDED)]
    if missing:
        raise RunFolderError(f"{path} lacks the column {missing[0]}, which a replay needs.")
    return AttemptTable(path, tuple(columns), rows, game)


def is_empty(path: Path) -> bool:
    """Whether a file has the columns that all attempts have, and no rows: no player arrived within the horizon."""
    names, first, _ = _head(path)
    return first is None and {column.name for column in ATTEMPT_COLUMNS} <= {*names, *_ADDED}


def _head(path: Path) -> tuple[list[str], list[str] | None, int]:
    """Names of the columns, the first row where there is one, number of rows."""
    return _parquet_head(path) if path.suffix == ".parquet" else _csv_head(path)


def _csv_head(path: Path) -> tuple[list[str], list[str] | None, int]:
    with open_regular(path) as file:
        header, first = file.readline(), file.readline()
        rows = int(bool(first)) + sum(1 for _ in file)
    cells = _cells(first) if first else None
    return _cells(header), cells, rows


def _cells(line: bytes) -> list[str]:
    return line.decode("utf-8", errors="replace").removesuffix("\n").removesuffix("\r").split(",")


def _parquet_head(path: Path) -> tuple[list[str], list[str] | None, int]:
    from pyarrow import ArrowException

    try:
        with open_parquet(path, page_checksum_verification=True, pre_buffer=False) as file:
            names, rows = file.schema_arrow.names, file.metadata.num_rows
            if not rows or "game" not in names:
                return names, None, rows
            game = next(file.iter_batches(1, columns=["game"]))
            return names, ["" if name != "game" else str(game[0][0].as_py()) for name in names], rows
    except (ArrowException, OSError) as fault:
        raise RunFolderError(f"{path} cannot be read: {_one_line(fault)}") from None


def lines_of(path: Path, columns: Sequence[Column], numbers: Sequence[int] | None = None) -> Iterator[list[str]]:
    """The cells of rows as CSV text, whatever the format; numbers: in order, None for all rows."""
    if path.suffix == ".parquet":
        yield from _parquet_lines(path, columns, numbers)
        return
    wanted = None if numbers is None else set(numbers)
    last = None if numbers is None else max(numbers, default=-1)
    with open_regular(path) as file:
        file.readline()
        for number, line in enumerate(file):
            if wanted is None or number in wanted:
                yield _cells(line)
            if number == last:
                return


def _parquet_lines(path: Path, columns: Sequence[Column], numbers: Sequence[int] | None) -> Iterator[list[str]]:
    import pyarrow as pa

    wanted = None if numbers is None else np.array(numbers, dtype=np.int64)
    first = 0
    try:
        for batch in record.read_batches(path, columns):
            taken = batch
            if wanted is not None:
                here = wanted[(wanted >= first) & (wanted < first + batch.num_rows)] - first
                taken = batch.take(pa.array(here))
            first += batch.num_rows
            yield from lines_of_batch(taken)
    except (pa.ArrowException, OSError) as fault:
        raise RunFolderError(f"{path} cannot be read: {_one_line(fault)}") from None


def lines_of_batch(batch: Any) -> Iterator[list[str]]:
    """The cells of a record batch as CSV text."""
    text = io.BytesIO()
    record.write_csv(text, [batch])
    yield from (_cells(line) for line in text.getvalue().splitlines())


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:300]


def value_of(column: Column, text: str, *, human: bool = False) -> Any:
    """A cell's value. Raises ValueError, with what is expected, when the text is not one of this column.

    human: in a row of a person, whose faculties are unknown; every other row has them. Of all texts with the same
    bits only the shortest is accepted, so that no digit can change unseen.
    """
    if text == "":
        if not column.optional or (column.name in Faculties._fields and not human):
            raise ValueError("a value")
        return None
    if column.kind == "name":
        return text
    if column.kind == "boolean":
        if text not in ("true", "false"):
            raise ValueError("true or false")
        return text == "true"
    whole = column.kind == "integer"
    if not (_WHOLE if whole else _NUMBER).fullmatch(text):
        raise ValueError("a whole number" if whole else "a number")
    value = int(text) if whole else float(text)
    if not whole and Decimal(text) != Decimal(repr(value)):
        raise ValueError(f"{value!r}, the shortest number with these bits")
    low, high = column.low, column.high
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise ValueError(f"a number from {low} to {high}")
    if whole and not -(2**63) <= value < 2**63:
        raise ValueError("a number of 64 bits")
    return value
