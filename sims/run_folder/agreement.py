"""Whether the tables of a run tell the same story: rows, keys, attempts and wins of each player, and the tallies.

A checksum says that a file is as it was when the manifest was written. Whoever alters a table can write another
checksum. Then the tables disagree with each other, unless all of them were altered alike.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import RunFolderError
from engine.game import FAILED, OUTCOMES, WON
from engine.record import ATTEMPT_COLUMNS, PLAYER_COLUMNS, SESSION_COLUMNS, Column
from engine.tally import Tally
from sims.run_folder.row_file import lines_of, row_batches_of, value_of
from sims.run_folder.saved_csv import TornRow
from sims.verdict.goal import SUMMARY_COLUMNS, goal_of
from sims.verdict.verdict import summary_rows, verdict

_PLAYERS: Final = "players.csv"
_SESSIONS: Final = "sessions.csv"
_SUMMARY: Final = "summary.csv"
_REPLICA_SHIFT: Final = 30  # a player's number is below 2**30
# Of summary.csv; its margins may come from another version.
_COUNTED: Final = ("cohort", "level", "players", "attempts", "wins")


def disagreements(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the tables of a run say against each other, as sentences without a full stop.

    Args:
        folder: of a complete run; its files are as the manifest says.
        manifest: its manifest.

    Yields:
        The first disagreement of each kind.

    Raises:
        RunFolderError: if a table cannot be read.
    """
    import pyarrow as pa

    try:
        yield from _disagreements(folder, manifest)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, csv.Error) as fault:
        reason = " ".join(str(fault).split())[:300]
        raise RunFolderError(f"the tables of {folder} must be as a run writes them, but: {reason}") from None


def refuse_disagreement(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raise RunFolderError, with the first of the `disagreements`, where there is one."""
    found = next(disagreements(folder, manifest), None)
    if found is not None:
        raise RunFolderError(f"the tables of {folder} must agree, but {found}; `flowdial verify {folder}` says more.")


def _disagreements(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    cohorts = [str(name) for name in manifest["cohorts"]]
    tally = Tally.from_json(manifest["tallies"])
    people = _Table(folder / _PLAYERS, PLAYER_COLUMNS, ("attempts", "wins", "sessions"), cohorts)
    players = _gathered(people)
    attempts = np.zeros(len(players["key"]), np.int64)
    wins = np.zeros_like(attempts)
    totals = np.zeros((len(cohorts), 3), np.int64)  # attempts that did not fail, wins, failed ones
    rows = _Table(folder / f"attempts.{manifest['format']}", ATTEMPT_COLUMNS, ("attempt", "outcome"), cohorts)
    for found in rows.batches():
        place = rows.places(found, players)
        won, failed = found["outcome"] == WON, found["outcome"] == FAILED
        np.add.at(attempts, place, 1)
        np.add.at(wins, place, won)
        for column, counted in enumerate((~failed, won, failed)):
            np.add.at(totals[:, column], found["cohort"], counted)
    visits = _Table(folder / _SESSIONS, SESSION_COLUMNS, ("session", "attempts", "wins"), cohorts)
    sums = {name: np.zeros_like(attempts) for name in ("attempts", "wins", "sessions")}
    for found in visits.batches():
        place = visits.places(found, players)
        np.add.at(sums["sessions"], place, 1)
        for name in ("attempts", "wins"):
            np.add.at(sums[name], place, found[name])
    for table in (people, rows, visits):
        yield from table.faults
        noted = manifest["files"].get(table.path.name, {}).get("rows")
        if noted is not None and noted != table.rows:
            yield f"{table.path.name} has {table.rows:,} rows, but the manifest says {noted:,}"
    yield from _apart(players, {"attempts": attempts, "wins": wins}, rows.path.name)
    yield from _apart(players, sums, _SESSIONS)
    yield from _tallied(tally, cohorts, totals, rows.path.name)
    yield from _summed(folder, manifest, tally)


class _Table:
    """A table with a key of replica, player and, in most, a number, which rises from row to row."""

    def __init__(self, path: Path, known: Sequence[Column], names: Sequence[str], cohorts: Sequence[str]) -> None:
        self.path = path
        self.rows = 0
        self.faults: list[str] = []
        self._columns = [column for column in known if column.name in ("replica", "cohort", "player", *names)]
        self._number = next((name for name in ("attempt", "session") if name in names), None)
        self._words = {"cohort": cohorts, "outcome": OUTCOMES}
        self._last = (-1, -1)

    def batches(self) -> Iterator[dict[str, npt.NDArray[np.int64]]]:
        """The columns as whole numbers, words by their places, and the key of the player."""
        for batch in row_batches_of(self.path, self._columns):
            found = {column.name: self._whole(batch.column(column.name), column) for column in self._columns}
            found["key"] = (found["replica"] << _REPLICA_SHIFT) + found["player"]
            self._check_order(found)
            self.rows += len(found["key"])
            yield found

    def places(self, found: Mapping[str, Any], players: Mapping[str, Any]) -> npt.NDArray[np.int64]:
        """The place of each row's player in players.csv; that of another player for one who is not there."""
        keys = players["key"]
        if not len(keys):
            raise ValueError(f"{self.path.name} has players, but {_PLAYERS} has none")
        place: npt.NDArray[np.int64] = np.minimum(np.searchsorted(keys, found["key"]), len(keys) - 1)
        for wrong, words in (
            (keys[place] != found["key"], f"its player is not in {_PLAYERS}"),
            (players["cohort"][place] != found["cohort"], f"{_PLAYERS} has its player in another group"),
        ):
            if wrong.any() and not self.faults:
                first = self.rows - len(wrong) + int(np.argmax(wrong))
                self.faults.append(f"{self.path.name}, row {first}: {words}")
        return place

    def _whole(self, column: Any, of: Column) -> npt.NDArray[np.int64]:
        if column.null_count:
            raise ValueError(f"{self.path.name} lacks a value in {of.name}")
        if of.name not in self._words:
            return np.array(column.to_numpy(zero_copy_only=False), dtype=np.int64)
        words = self._words[of.name]
        codes = np.array([words.index(word) for word in column.dictionary.to_pylist()], np.int64)
        return codes[np.array(column.indices.to_numpy(zero_copy_only=False), dtype=np.int64)]

    def _check_order(self, found: Mapping[str, npt.NDArray[np.int64]]) -> None:
        keys = np.concatenate([[self._last[0]], found["key"]])
        numbers = found[self._number] if self._number else np.zeros(len(keys) - 1, np.int64)
        numbers = np.concatenate([[self._last[1]], numbers])
        rising = (keys[1:] > keys[:-1]) | ((keys[1:] == keys[:-1]) & (numbers[1:] > numbers[:-1]))
        if not rising.all() and not self.faults:
            row = self.rows + int(np.argmin(rising))
            self.faults.append(f"{self.path.name}, row {row}: rows must be sorted, and none may stand twice")
        if len(keys) > 1:
            self._last = (int(keys[-1]), int(numbers[-1]))


def _gathered(table: _Table) -> dict[str, npt.NDArray[np.int64]]:
    pieces = list(table.batches())
    names = ("key", "cohort", "attempts", "wins", "sessions")
    return {name: np.concatenate([np.zeros(0, np.int64), *(one[name] for one in pieces)]) for name in names}


def _apart(players: Mapping[str, Any], counted: Mapping[str, Any], where: str) -> Iterator[str]:
    for name, numbers in counted.items():
        wrong = players[name] != numbers
        if wrong.any():
            row = int(np.argmax(wrong))
            yield f"{_PLAYERS}, row {row}: it says {int(players[name][row]):,} {name}, but {where} has {numbers[row]:,}"


def _tallied(tally: Tally, cohorts: Sequence[str], totals: Any, where: str) -> Iterator[str]:
    for number, cohort in enumerate(cohorts):
        for name, counted in zip(("attempts", "wins", "failed"), totals[number], strict=True):
            told = tally.total(number, name)
            if told != counted:
                what = f"{name} attempts" if name == "failed" else name
                yield f"the manifest counts {told:,} {what} of {cohort}, but {where} has {int(counted):,}"
                return


def _summed(folder: Path, manifest: Mapping[str, Any], tally: Tally) -> Iterator[str]:
    """Whether summary.csv has the counts of the tallies."""
    columns = SUMMARY_COLUMNS[: len(_COUNTED)]
    expected = [row[: len(_COUNTED)] for row in summary_rows(verdict(goal_of(manifest), tally))]
    found = [
        row if isinstance(row, TornRow) else tuple(map(value_of, columns, row))
        for row in itertools.islice(lines_of(folder / _SUMMARY, columns), len(expected) + 1)
    ]
    if found != expected:
        row = next((i for i, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), len(found))
        yield f"{_SUMMARY}, row {row}: it must have the players, attempts and wins that the manifest counts"
