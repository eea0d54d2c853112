"""A file of attempts, CSV or Parquet, read as untrusted: header, rows as text, cells with their type and range."""

from __future__ import annotations

import io
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from engine import record
from engine.errors import RunFolderError
from engine.external.external_game import AnyGame
from engine.game import Faculties
from engine.record import ATTEMPT_COLUMNS, WIN_CHANCE, Column
from engine.scenario_file.level_files import level_numbers
from engine.scenario_file.toml import LARGEST_FILE
from engine.user_files.regular_file import open_parquet, open_regular, read_regular
from sims.catalog import Catalog
from sims.run_folder.folder import SCENARIO
from sims.run_folder.saved_csv import (
    TornRow,
    cells_in,
    csv_head,
    header_of,
    is_exact,
    open_csv,
    own_spelling,
    records,
    refuse_numbers,
)

# Columns that a file may lack: older runs were written without the first three, the others are on request.
_ADDED: Final = ("fault", "score", "end_place", "layout_seed", "win_chance")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")


class AttemptTable(NamedTuple):
    """A file of attempts and what is needed to read it."""

    path: Path
    columns: tuple[Column, ...]  # those that attempts have, in the file's order
    rows: int
    game: AnyGame
    ignored: tuple[str, ...] = ()  # other columns of the file
    made: tuple[tuple[float, ...], ...] = ()  # numbers of levels made by hand, of the scenario beside the file

    def numbers_on(self, level: int) -> tuple[float, ...]:
        """The numbers of a level made by hand, which follow the params; none where it was not."""
        return self.made[level - 1] if 0 < level <= len(self.made) else ()


def open_table(path: Path) -> AttemptTable:
    """Look at the header and the first rows of a file of attempts. Raises RunFolderError when it is not one."""
    names, first, rows = _head(path)
    if "game" not in names:
        raise RunFolderError(f"{path} is not a table of attempts: it has no column named game; name another file.")
    if not first:
        raise RunFolderError(f"{path} has no rows, so there is nothing to replay.")
    if len(first[0]) != len(names):
        raise RunFolderError(f"row 0 of {path} has {len(first[0])} cells, but the header has {len(names)}.")
    game = Catalog().game(first[0][names.index("game")].strip(" "))
    knobs, score = record.knob_columns(game), record.score_columns(game)
    extra = (record.LAYOUT, WIN_CHANCE, *score, *record.place_columns(game), *knobs)
    known = {column.name: column for column in (*ATTEMPT_COLUMNS, *extra)}
    known |= {name: record.belief_column(name.removeprefix("belief_")) for name in names if name.startswith("belief_")}
    missing = [name for name in known if name not in (*names, *_ADDED)]
    if missing:
        raise RunFolderError(f"{path} lacks the column {missing[0]}, which a replay needs.")
    refuse_numbers(path, [known.get(name) for name in names], first)
    columns = tuple(known[name] for name in names if name in known)
    ignored = tuple(name for name in names if name not in known)
    return AttemptTable(path, columns, rows, game, ignored, _made_beside(path, game))


def _made_beside(path: Path, game: AnyGame) -> tuple[tuple[float, ...], ...]:
    """The levels made by hand of the scenario beside a file of attempts; none where there is none."""
    if game.read_level is None:
        return ()
    try:
        levels = tomllib.loads(read_regular(path.parent / SCENARIO, LARGEST_FILE).decode()).get("levels")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError):  # it is no scenario; what plays it says so
        return ()
    made = levels.get("made") if isinstance(levels, dict) else None
    try:
        return tuple(level_numbers(game, content) for content in made or ())
    except (ValueError, TypeError) as fault:
        raise RunFolderError(f"the levels of {path.parent / SCENARIO} must be those of a run, but: {fault}") from None


def ignored_note(path: Path, names: Sequence[str]) -> str:
    """What is said of columns that no attempt has."""
    shown = ", ".join(repr(name[:40]) for name in names[:3]) + (" and more" if len(names) > 3 else "")
    return f"{path.name} has columns that no attempt has ({shown}); they are left out"


def is_empty(path: Path) -> bool:
    """Whether a file has the columns that all attempts have, and no rows: no player arrived within the horizon."""
    names, first, _ = _head(path)
    return not first and {column.name for column in ATTEMPT_COLUMNS} <= {*names, *_ADDED}


def _head(path: Path) -> tuple[list[str], list[list[str]], int]:
    """Names of the columns, a few of the first rows, number of rows."""
    if path.suffix == ".parquet":
        return _parquet_head(path)
    found = csv_head(path, "game")
    with open_regular(path) as file:
        header_of(file)
        return found.names, found.rows, sum(1 for _ in records(file))


def _parquet_head(path: Path) -> tuple[list[str], list[list[str]], int]:
    from pyarrow import ArrowException

    try:
        with open_parquet(path, page_checksum_verification=True, pre_buffer=False) as file:
            names, rows = file.schema_arrow.names, file.metadata.num_rows
            if not rows or "game" not in names:
                return names, [], rows
            game = next(file.iter_batches(1, columns=["game"]))[0][0].as_py()
            text = game.decode(errors="replace") if isinstance(game, bytes) else str(game)
            return names, [["" if name != "game" else text for name in names]], rows
    except (ArrowException, OSError) as fault:
        raise RunFolderError(f"{path} cannot be read: {_one_line(fault)}") from None


def lines_of(
    path: Path, columns: Sequence[Column], numbers: Sequence[int] | None = None
) -> Iterator[list[str] | TornRow]:
    """The cells of these columns as CSV text, whatever the format; numbers: of the rows, in order, None for all."""
    if path.suffix == ".parquet":
        yield from _parquet_lines(path, columns, numbers)
        return
    wanted = None if numbers is None else set(numbers)
    last = None if numbers is None else max(numbers, default=-1)
    with open_regular(path) as file:
        names = header_of(file)
        missing = next((column.name for column in columns if column.name not in names), None)
        if missing is not None:
            raise RunFolderError(f"{path} lacks the column {missing}.")
        places = [names.index(column.name) for column in columns]
        for number, row in enumerate(records(file)):
            if wanted is None or number in wanted:
                cells = cells_in(row)
                torn = len(cells) != len(names)
                yield TornRow(len(cells), len(names)) if torn else [cells[place] for place in places]
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


def row_batches_of(path: Path, columns: Sequence[Column]) -> Iterator[Any]:
    """Record batches of these columns of a table, CSV or Parquet, as any program saved it.

    Raises RunFolderError, OSError and pyarrow.ArrowException when the file does not hold them.
    """
    if path.suffix == ".parquet":
        yield from record.read_batches(path, columns)
        return
    with open_csv(path, columns) as source:
        yield from record.read_csv(source, columns)


def lines_of_batch(batch: Any) -> Iterator[list[str]]:
    """The cells of a record batch as CSV text."""
    text = io.BytesIO()
    record.write_csv(text, [batch])
    yield from (cells_in(line) for line in text.getvalue().splitlines())


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:300]


def value_of(column: Column, text: str, *, human: bool = False) -> Any:
    """A cell's value. Raises ValueError, with what is expected, when the text is not one of this column.

    human: in a row of a person, whose faculties are unknown; every other row has them. Spellings of other programs are
    accepted (saved_csv), but of all numbers with the same bits only the one of the shortest digits, so that no digit
    can change unseen.
    """
    text = own_spelling(column, text)
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
    if not whole and not math.isfinite(value):
        raise ValueError("a number of 64 bits")
    if not whole and not is_exact(text, value):
        raise ValueError(f"{value!r}, the shortest number with these bits")
    low, high = column.low, column.high
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise ValueError(_within(low, high))
    if whole and not -(2**63) <= value < 2**63:
        raise ValueError("a number of 64 bits")
    return value


def _within(low: float | None, high: float | None) -> str:
    """What numbers are allowed."""
    if high is None:
        return f"a number of {low} or more"
    return f"a number from {low} to {high}" if low is not None else f"a number of {high} or less"
