"""One row out of a file of attempts, and everything needed to play it again: by number, by player, or by what it was.

People ask to be shown an example, so a row can be named in words: "the closest loss", "longest win", "first loss at
level 7", "hardest win of regulars". What the words mean stands in `KINDS` and `ENDINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine import record
from engine.errors import RunFolderError, ScenarioError
from engine.game import Faculties, Game
from engine.scenario_file.faults import suggestion
from sims.film import NO_FACULTIES, Address, Deed, Film, Reel
from sims.human_actions import read_deeds
from sims.row_file import Table, lines_of, open_table, value_of
from sims.run_folder import MANIFEST, read_manifest

# What is looked for among the rows that fit: the column, and whether its smallest value is meant.
KINDS: Final[Mapping[str, tuple[str, bool]]] = {
    "first": ("start_s", True),
    "last": ("start_s", False),
    "closest": ("progress", False),
    "worst": ("progress", True),
    "longest": ("duration_s", False),
    "shortest": ("duration_s", True),
    "easiest": ("difficulty", True),
    "hardest": ("difficulty", False),
}
ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "win": ("won",),
    "loss": ("lost",),
    "timeout": ("timed_out",),
    "attempt": ("won", "lost", "timed_out"),
}
_WORDS: Final = re.compile(r"(?:the )?(\S+) (\S+)((?: at level \d+| of (?:player \d+|[^\s]+))*)")
_PART: Final = re.compile(r" at level (\d+)| of player (\d+)| of (\S+)")
_HELP: Final = '"closest loss", "longest win", "first loss at level 7" or "hardest win of COHORT"'


class Recorded(NamedTuple):
    """A row that can be played again."""

    path: Path
    number: int  # of the data row, from 0
    game: Game
    values: npt.NDArray[np.float64]
    faculties: Faculties
    address: Address
    cells: Mapping[str, Any]  # column -> value
    deeds: list[Deed] | None  # what a person did; None for a synthetic player

    def reel(self) -> Reel:
        """The attempt, at its start."""
        return Reel(Film(self.game, self.values, self.faculties, self.address), self.deeds)


def attempts_file(target: Path) -> Path:
    """The file of attempts of a run folder, or the file itself. Raises RunFolderError when there is neither."""
    if target.is_file():
        return target
    if (target / MANIFEST).is_file():
        return target / f"attempts.{read_manifest(target)['format']}"
    for name in ("attempts.csv", "attempts.parquet"):  # a sitting at the window has no manifest
        if (target / name).is_file():
            return target / name
    raise RunFolderError(f"{target} is no file of attempts and no folder with one; name one that is there.")


def chosen_row(
    target: Path,
    *,
    row: int | None = None,
    player: int | None = None,
    attempt: int | None = None,
    pick: str | None = None,
) -> Recorded:
    """The row that somebody asked for; the first one when nothing was said.

    row: its number, from 0. Raises ScenarioError when it is not there or the words cannot be understood,
    RunFolderError when the file cannot be read.
    """
    if (player is None) != (attempt is None):
        raise ScenarioError("a player and an attempt belong together: give --player N and --attempt N, or --row N")
    if sum(choice is not None for choice in (row, player, pick)) > 1:
        raise ScenarioError("choose a row in one way: by --row, by --player and --attempt, or by --pick")
    table = open_table(attempts_file(target))
    if player is not None and attempt is not None:
        number = _find(table, ("player", "attempt"), _is(player=player, attempt=attempt), "attempt", True)
        if number is None:
            raise ScenarioError(f"{table.path} has no attempt {attempt} of player {player}")
    elif pick is not None:
        number = picked(table, pick)
    else:
        number = row or 0
    if not 0 <= number < table.rows:
        raise ScenarioError(f"{table.path} has rows 0 to {table.rows - 1}, got --row {number}")
    return read_row(table, number)


def picked(table: Table, words: str) -> int:
    """The number of the row that words describe. Raises ScenarioError when none fits, or they are not understood."""
    asked = " ".join(words.split())
    found = _WORDS.fullmatch(asked)
    if found is None:
        raise ScenarioError(f"--pick takes words like {_HELP}, got {asked[:80]!r}")
    kind, ending, rest = found.groups()
    for word, known in ((kind, KINDS), (ending, ENDINGS)):
        if word not in known:
            raise ScenarioError(
                f"--pick knows {', '.join(known)}, got {word[:40]!r}{suggestion(word, known)}; for example {_HELP}"
            )
    wanted: dict[str, Any] = {"outcome": ENDINGS[ending]}
    for level, player, cohort in _PART.findall(rest):
        if level:
            wanted["level"] = int(level)
        elif player:
            wanted["player"] = int(player)
        else:
            wanted["cohort"] = (cohort,)
    column, smallest = KINDS[kind]
    number = _find(table, (*wanted, column), _is(**wanted), column, smallest)
    if number is None:
        raise ScenarioError(f"{table.path} has no {asked}")
    return number


def _is(**wanted: Any) -> Callable[[Any], npt.NDArray[np.bool_]]:
    """A test of record batches: columns that must have a value, or one of several words."""

    def fits(batch: Any) -> npt.NDArray[np.bool_]:
        kept = np.ones(batch.num_rows, bool)
        for name, value in wanted.items():
            column = batch.column(name)
            if isinstance(value, tuple):
                kept &= np.isin(np.array(column.cast("string").to_pylist()), value)
            else:
                kept &= column.to_numpy(zero_copy_only=False) == value
        return kept

    return fits


def _find(
    table: Table, names: Sequence[str], fits: Callable[[Any], npt.NDArray[np.bool_]], column: str, smallest: bool
) -> int | None:
    """The number of the first row that fits and has the smallest, or largest, value of a column."""
    import pyarrow as pa

    columns = [one for one in table.columns if one.name in names]
    best: float | None = None
    number, first = None, 0
    try:
        for batch in record.read_batches(table.path, columns):
            here = np.flatnonzero(fits(batch))
            if len(here):
                values = batch.column(column).to_numpy(zero_copy_only=False)[here].astype(np.float64)
                place = int(np.argmin(values) if smallest else np.argmax(values))
                value = float(values[place])
                if best is None or (value < best if smallest else value > best):
                    best, number = value, first + int(here[place])
            first += batch.num_rows
    except (pa.ArrowException, OSError) as fault:
        raise RunFolderError(f"{table.path} cannot be read: {' '.join(str(fault).split())[:300]}") from None
    return number


def read_row(table: Table, number: int) -> Recorded:
    """A row by its number. Raises RunFolderError, naming the cell, when a value is not one of its column."""
    texts = next(iter(lines_of(table.path, table.columns, [number])), [])
    if len(texts) != len(table.columns):
        raise RunFolderError(f"{table.path}, row {number}, has {len(texts)} cells, expected are {len(table.columns)}")
    human = dict(zip((column.name for column in table.columns), texts, strict=True))["source"] == "human"
    cells: dict[str, Any] = {}
    for column, text in zip(table.columns, texts, strict=True):
        if human and text == "" and column.name in Faculties._fields:
            cells[column.name] = None
            continue
        try:
            cells[column.name] = value_of(column, text)
        except ValueError as fault:
            raise RunFolderError(f"{table.path}, row {number}, {column.name}: expected {fault}, got {text!r}") from None
    game = table.game
    if cells["game_version"] != game.version:
        raise RunFolderError(
            f"{table.path}, row {number}: it was played by version {cells['game_version']} of {game.name}, and here is "
            f"version {game.version}; use the Flowdial that wrote it."
        )
    try:
        values = np.array([knob.real(cells[f"param_{knob.name}"]) for knob in game.space], dtype=np.float64)
    except ValueError as fault:
        raise RunFolderError(f"{table.path}, row {number}: {fault}") from None
    faculties = NO_FACULTIES if human else Faculties(*(float(cells[name]) for name in Faculties._fields))
    address = Address(*(int(cells[name]) for name in Address._fields))
    deeds = read_deeds(table.path.parent, address, len(game.actions)) if human else None
    return Recorded(table.path, number, game, values, faculties, address, cells, deeds)
