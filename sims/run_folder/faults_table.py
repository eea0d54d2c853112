"""The table faults.csv of a run: attempts that a game or controller failed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from engine.errors import RunFolderError
from engine.faults import FAULTS, Fault
from engine.record import Column, Sheet
from engine.user_files.regular_file import open_regular
from sims.run_folder.files import Content, write_file

NAME: Final = "faults.csv"

SHEET: Final = Sheet(
    "faults",
    (
        Column("replica", "integer", "1", "independent copy of the world, from 0", low=0),
        Column("player", "integer", "1", "number of the player", low=0),
        Column("attempt", "integer", "1", "attempts this player made before, from 0", low=0),
        Column("kind", "name", "", "raised (an exception), timeout (it hung) or killed (its process)"),
        Column("type", "name", "", "class of the exception", optional=True),
        Column(
            "message",
            "name",
            "",
            "the exception's message, or how the worker ended, in at most 500 characters. An apostrophe stands where a "
            "spreadsheet could read a formula: at the start and after a semicolon, before all but letters and digits",
            optional=True,
        ),
    ),
    ("replica", "player", "attempt"),
    {},
)

# Where a spreadsheet may begin a cell: some take a semicolon for the comma. Signs of full width count for them too.
_BEGIN: Final = re.compile(r"(^|;)(\s*)(?=[^\w\s])")

_MARKED: Final = re.compile(r"(^|;)(\s*)'")

_LONGEST_CELL: Final = 1_000  # characters: a message has 500, and a mark for each start of a formula


def write_faults(folder: Path, faults: Iterable[Fault]) -> tuple[Sheet, str, Content, int]:
    """Write faults.csv, in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in SHEET.columns])
    rows = 0
    for fault in faults:
        writer.writerow([*fault[:3], FAULTS[fault.kind], marked(fault.type), marked(fault.message)])
        rows += 1
    return SHEET, NAME, write_file(folder / NAME, text.getvalue().encode()), rows


def marked(text: str) -> str:
    """A text that no spreadsheet takes for a formula, with an apostrophe where one might."""
    return _BEGIN.sub(r"\1\2'", text)


def _unmarked(text: str) -> str:
    return _MARKED.sub(r"\1\2", text)


def read_faults(folder: Path) -> list[Fault]:
    """Inverse of write_faults; none where there is no such file. Raises RunFolderError when it cannot be read."""
    path = folder / NAME
    if not path.is_file():
        return []
    try:
        with open_regular(path) as source, io.TextIOWrapper(source, encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        if any(len(cell) > _LONGEST_CELL for row in rows for cell in row):
            raise ValueError(f"a cell of more than {_LONGEST_CELL:,} characters")
        return [
            Fault(int(replica), int(player), int(attempt), FAULTS.index(kind), _unmarked(type_), _unmarked(message))
            for replica, player, attempt, kind, type_, message in rows
        ]
    except (ValueError, OSError, csv.Error) as fault:
        raise RunFolderError(f"{path} must be as the run wrote it, got {fault!r}") from None
