"""One row out of a file of attempts, and everything needed to play it again: by number, by player, or by what it was.

People ask to be shown an example, so a row can be named in words: "the closest loss", "longest win", "first loss at
level 7", "hardest win of regulars". What the words mean stands in `KINDS` and `ENDINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import Address
from engine.errors import RunFolderError, ScenarioError
from engine.external.external_game import rules_of
from engine.game import FAILED, OUTCOMES, Faculties, Game
from engine.scenario_file.scenario_faults import quote_value, suggestion
from sims.playback.human_actions import read_human_actions
from sims.playback.stepper import NO_FACULTIES, AttemptStepper, HumanAction, Recording
from sims.run_folder.folder import changed_files, has_manifest, read_manifest
from sims.run_folder.row_file import AttemptTable, lines_of, open_table, row_batches_of, value_of
from sims.run_folder.saved_csv import TornRow, own_spelling

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


class RecordedRow(NamedTuple):
    """A row that can be played again."""

    path: Path
    number: int  # of the data row, from 0
    game: Game
    values: npt.NDArray[np.float64]
    faculties: Faculties
    address: Address
    cells: Mapping[str, Any]  # column -> value
    human_actions: list[HumanAction] | None  # what a person did; None for a synthetic player
    several_replicas: bool = False  # whether its file holds more than one
    ignored: tuple[str, ...] = ()  # columns of its file that no attempt has

    def recording(self) -> Recording:
        """The attempt, at its start."""
        return Recording(AttemptStepper(self.game, self.values, self.faculties, self.address), self.human_actions)


def attempts_file(target: Path) -> Path:
    """The file of attempts of a run folder, or the file itself. Raises RunFolderError when there is neither."""
    if target.is_file():
        return target
    if has_manifest(target):
        return target / f"attempts.{read_manifest(target)['format']}"
    for name in ("attempts.csv", "attempts.parquet"):  # a sitting at the window has no manifest
        if (target / name).is_file():
            return target / name
    raise RunFolderError(f"{target} is no file of attempts and no folder with one; name one that is there.")


def is_altered(path: Path) -> bool:
    """Whether a file of attempts is no more as the manifest beside it says; not where there is none."""
    if not has_manifest(path.parent):
        return False
    files = read_manifest(path.parent)["files"]
    return path.name in files and bool(changed_files(path.parent, {"files": {path.name: files[path.name]}}))


def choose_row(
    target: Path,
    *,
    row: int | None = None,
    player: int | None = None,
    attempt: int | None = None,
    replica: int | None = None,
    pick: str | None = None,
) -> RecordedRow:
    """The row that somebody asked for; the first one when nothing was said.

    row: its number, from 0; player and attempt, with the replica where several have them. Raises ScenarioError when it
    is not there, when it could be more than one, or when the words cannot be understood; RunFolderError when the file
    cannot be read.
    """
    if (player is None) != (attempt is None):
        raise ScenarioError("a player and an attempt belong together: give --player N and --attempt N, or --row N")
    if replica is not None and player is None:
        raise ScenarioError("a replica belongs to a player and an attempt: give --player N and --attempt N too")
    if sum(choice is not None for choice in (row, player, pick)) > 1:
        raise ScenarioError("choose a row in one way: by --row, by --player and --attempt, or by --pick")
    table = open_table(attempts_file(target))
    rules_of(table.game, "a replay")
    if player is not None and attempt is not None:
        number = _numbered(table, player, attempt, replica)
    elif pick is not None:
        number = pick_row(table, pick)
    else:
        number = row or 0
    if not 0 <= number < table.rows:
        raise ScenarioError(f"{table.path} has rows 0 to {table.rows - 1}, got --row {number}")
    found = read_row(table, number)
    if found.cells["outcome"] == OUTCOMES[FAILED]:
        raise ScenarioError(
            f"{table.path}, row {number}, cannot be shown: nothing was played in it, since a plug-in failed "
            f"({found.cells['fault']}); choose another row"
        )
    replicas = next(column for column in table.columns if column.name == "replica")
    last = next(lines_of(table.path, [replicas], [table.rows - 1]), None)  # rows are sorted by replica
    several = isinstance(last, list) and own_spelling(replicas, last[0]) != "0"
    return found._replace(several_replicas=found.address.replica > 0 or several)


def _numbered(table: AttemptTable, player: int, attempt: int, replica: int | None) -> int:
    """The number of the row of an address. Raises ScenarioError when there is none, or more than one."""
    asked = f"attempt {attempt} of player {player}"
    wanted = {"player": player, "attempt": attempt}
    if replica is not None:
        asked += f" in replica {replica}"
        wanted["replica"] = replica
    found = [at for _, at in _matches(table, ("player", "attempt", "replica"), _is(**wanted), "attempt")]
    if not found:
        raise ScenarioError(f"{table.path} has no {asked}")
    if len(found) > 1:
        remedy = "choose one with --replica N" if replica is None else "choose one with --row N"
        raise ScenarioError(f"{table.path} has {len(found)} rows of {asked}, the first is row {found[0]}; {remedy}")
    return found[0]


def pick_row(table: AttemptTable, words: str) -> int:
    """The number of the row that words describe. Raises ScenarioError when none fits, or they are not understood."""
    return rows_of_pick(table, words)[0]


def rows_of_pick(table: AttemptTable, words: str) -> list[int]:
    """The numbers of all rows that words describe, the one that fits best first; for `pick_row` that one alone counts.

    Raises ScenarioError when none fits, or they are not understood.
    """
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
    rows = list(_matches(table, (*wanted, column), _is(**wanted), column))
    if not rows:
        raise ScenarioError(f"{table.path} has no {asked}")
    rows.sort(key=lambda one: one[0] if smallest else -one[0])  # stable: of equal ones the first row comes first
    return [number for _, number in rows]


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


def _matches(
    table: AttemptTable, names: Sequence[str], fits: Callable[[Any], npt.NDArray[np.bool_]], column: str
) -> Iterator[tuple[float, int]]:
    """Rows that fit, in order: the value of a column, and the number of the row."""
    import pyarrow as pa

    columns = [one for one in table.columns if one.name in names]
    first = 0
    try:
        for batch in row_batches_of(table.path, columns):
            here = np.flatnonzero(fits(batch))
            if len(here):
                values = batch.column(column).to_numpy(zero_copy_only=False)[here].astype(np.float64)
                yield from zip(values.tolist(), (first + here).tolist(), strict=True)
            first += batch.num_rows
    except (pa.ArrowException, OSError) as fault:
        raise RunFolderError(f"{table.path} cannot be read: {' '.join(str(fault).split())[:300]}") from None


def read_row(table: AttemptTable, number: int) -> RecordedRow:
    """A row by its number. Raises RunFolderError, naming the cell, when a value is not one of its column."""
    texts = next(lines_of(table.path, table.columns, [number]), TornRow(0, len(table.columns)))
    if isinstance(texts, TornRow):
        raise RunFolderError(f"{table.path}, row {number}, has {texts.cells} cells, expected are {texts.expected}.")
    human = dict(zip((column.name for column in table.columns), texts, strict=True))["source"] == "human"
    cells: dict[str, Any] = {}
    for column, text in zip(table.columns, texts, strict=True):
        try:
            cells[column.name] = value_of(column, text, human=human)
        except ValueError as fault:
            came = quote_value(text)
            raise RunFolderError(f"{table.path}, row {number}, {column.name}: expected {fault}, got {came}.") from None
    game = rules_of(table.game, "a replay")
    if cells["game_version"] != game.version:
        raise RunFolderError(
            f"{table.path}, row {number}: it was played by version {cells['game_version']} of {game.name}, and here is "
            f"version {game.version}; use the Flowdial that wrote it."
        )
    try:
        params = [knob.real(cells[f"param_{knob.name}"]) for knob in game.space]
        values = np.array([*params, *table.numbers_on(int(cells["level"]))], dtype=np.float64)
    except ValueError as fault:
        raise RunFolderError(f"{table.path}, row {number}: {fault}") from None
    faculties = NO_FACULTIES if human else Faculties(*(float(cells[name]) for name in Faculties._fields))
    address = Address(**{name: int(cells[name]) for name in Address._fields if name in cells})
    human_actions = read_human_actions(table.path.parent, address, len(game.actions)) if human else None
    return RecordedRow(
        table.path, number, game, values, faculties, address, cells, human_actions, ignored=table.ignored
    )
