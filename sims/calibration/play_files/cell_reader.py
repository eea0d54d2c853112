"""Reads the cells of columns as numbers, and remembers which rows are bad, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable
from sims.calibration.histories import Flags, Indices, Numbers
from sims.calibration.play_files.columns import Mapped, Role
from sims.calibration.play_files.play_file import PlayFile

WON: Final = {
    "1", "1.0", "true", "t", "yes", "y", "won", "win", "w", "success", "successful", "solved", "pass", "passed",
    "victory", "completed", "complete", "cleared", "correct", "ok",
}  # fmt: skip
LOST: Final = {
    "0", "0.0", "false", "f", "no", "n", "lost", "loss", "lose", "l", "fail", "failed", "failure", "unsolved",
    "defeat", "timed_out", "timeout", "incorrect", "wrong", "dnf",
}  # fmt: skip
MOST_SKIPPED: Final = 0.01  # of the rows
_MOST_NAMED: Final = 20  # bad rows
_MOST_LOOKED_AT: Final = 100  # different cells, to see what a column holds
_PARAM: Final = "param_"
_NUMBERS: Final = 0.5  # of the cells of a column must be numbers for the others to be bad
_EARLIEST: Final = 946_684_800.0  # 2000-01-01: an earlier time is no time of a play
_LATEST: Final = 4_102_444_800.0  # 2100-01-01
_MS: Final = 1e11  # a larger number counts milliseconds


class CellReader:
    """Reads columns and remembers which rows are bad, and why."""

    def __init__(self, file: PlayFile, mapped: Mapped) -> None:
        self._file, self._mapped = file, mapped
        self._good = np.ones(file.rows, bool)
        self._settings: list[str] = []  # columns of param_ that hold numbers
        self._faults: list[tuple[int, str]] = list(file.ragged)
        self._count = len(file.ragged)

    def bad(self, rows: npt.NDArray[np.bool_], role: Any, rule: str) -> None:
        """Note rows whose cell of a role is bad."""
        name = self._mapped.get(role, role)
        places = np.flatnonzero(rows)
        self._count += int((rows & self._good).sum())
        self._good &= ~rows
        for place in places[:_MOST_NAMED].tolist():
            value = str(self._file.columns[name][place])[:40]
            self._faults.append((int(self._file.numbers[place]), f"{name} {rule}, got {value!r}"))

    def names(self, role: Any) -> tuple[Indices, list[str]]:
        """Numbers of the different texts of a column, and the texts without blanks at their ends."""
        coded = self._coded(role)
        texts = [str(text).strip() for text in coded.dictionary.to_pylist()]
        if all(_WHOLE.fullmatch(text) for text in texts if text):
            texts = [str(int(float(text))) if text else text for text in texts]
        texts = [printable(text) for text in texts]
        distinct = list(dict.fromkeys(texts))
        place = {text: i for i, text in enumerate(distinct)}
        codes = np.array([place[text] for text in texts], np.int64)[_codes(coded)]
        if "" in place:
            self.bad(codes == place[""], role, "must say something")
        return codes, distinct

    def won(self, role: Any) -> Flags:
        coded = self._coded(role)
        words = [str(text).strip().lower() for text in coded.dictionary.to_pylist()]
        values = np.array([1 if word in WON else 0 if word in LOST else -1 for word in words], np.int8)
        found = values[_codes(coded)]
        self.bad(found < 0, role, "must be won or lost (1/0, true/false, yes/no, won/lost)")
        return found

    def counts(self) -> tuple[Indices, Indices]:
        """Attempts and successes of each row."""
        tried, won = self.count("attempts"), self.count("successes")
        self.bad(won > tried, "successes", "is above the attempts of its row")
        return tried, won

    def number(self, role: Any) -> Numbers:
        found = self._numeric(role, float)
        self.bad(~np.isfinite(found), role, "must be a number")
        return found

    def seconds(self, role: Any) -> Numbers:
        """How long attempts took; NaN where a cell is empty, no number or below 0, as no fit of wins needs it."""
        found = self._numeric(role, float)
        return np.where(np.isfinite(found) & (found >= 0.0), found, math.nan)

    def count(self, role: Any) -> Indices:
        found = self._numeric(role, float)
        bad = ~(np.isfinite(found) & (found >= 0) & (found == np.floor(found)) & (found < 1e9))
        self.bad(bad, role, "must be a whole number from 0")
        return np.where(bad, 0, found).astype(np.int64)

    def time(self, role: Any) -> Numbers:
        """Seconds since 1970: of a day and time by ISO 8601, of unix seconds or milliseconds."""
        found = self._numeric(role, _seconds)
        self.bad(~np.isfinite(found), role, "must be a time as 2024-05-31T12:00:00, or unix seconds or milliseconds")
        return found

    def check_params(self) -> list[str]:
        """Find the columns of settings and note their bad cells; returns those that hold no numbers."""
        others = []
        for name in (name for name in self._file.columns if name.startswith(_PARAM)):
            found = np.isfinite(self._numeric(name, float))
            if found.sum() < _NUMBERS * len(found):
                others.append(name)
                continue
            self.bad(~found, name, "must be a number")
            self._settings.append(name)
        return others

    def params(self, rows: Indices, level: Indices) -> tuple[tuple[str, ...], Numbers | None]:
        """The numeric columns whose names begin with param_, those that vary on a level."""
        names, columns = [], []
        for name in self._settings:
            found = self._numeric(name, float)[rows]
            tried = np.maximum(np.bincount(level), 1)
            around = found - (np.bincount(level, found) / tried)[level]
            if around.std() > 1e-6 * (found.std() + 1e-300):
                names.append(name)
                columns.append((found - found.mean()) / found.std())
        return tuple(names), np.column_stack(columns) if columns else None

    def other_cells(self, rows: Indices) -> list[Indices]:
        """Numbers of the different texts of every column that has no role, of some of the rows."""
        used = set(self._mapped.values())
        return [_codes(self._coded(name))[rows] for name in self._file.columns if name not in used]

    def level_features(self, rows: Indices, level: Indices, levels: int) -> tuple[tuple[str, ...], Numbers]:
        """The means of the columns whose names begin with param_, those that differ between levels.

        Args:
            rows: of the file, those that are used.
            level: of each of these rows, from 0 to levels - 1.
            levels: how many there are.

        Returns:
            Their names, and the means, centred and scaled, shape (levels, names).
        """
        names, columns = [], []
        tried = np.maximum(np.bincount(level, minlength=levels), 1)
        for name in self._settings:
            found = self._numeric(name, float)[rows]
            means = np.bincount(level, found, levels) / tried
            if means.std() > 1e-6 * (found.std() + 1e-300):
                names.append(name)
                columns.append((means - means.mean()) / means.std())
        return tuple(names), np.column_stack(columns) if columns else np.empty((levels, 0))

    def settings(self, readers: Mapping[str, tuple[Callable[[str], float], str]]) -> Numbers:
        """The columns of a game's knobs as rules see them, shape (rows, columns). readers: see game.settings."""
        found = [self._numeric(name, read) for name, (read, _) in readers.items()]
        for name, values in zip(readers, found, strict=True):
            self.bad(~np.isfinite(values), name, readers[name][1])
        return np.column_stack(found)

    def good_rows(self, skip_bad: bool) -> npt.NDArray[np.bool_]:
        """The rows that can be used. Raises ScenarioError for bad ones that may not be skipped."""
        rows = self._file.rows + len(self._file.ragged)
        if not self._count:
            return self._good
        lines = [f"{self._file.name}: row {number}: {what}" for number, what in sorted(set(self._faults))[:_MOST_NAMED]]
        more = f"; the first {len(lines)} of them are above" if self._count > len(lines) else ""
        share = self._count / max(rows, 1)
        if not skip_bad:
            remedy = "correct them, or add --skip-bad to leave them out"
        elif share > MOST_SKIPPED:
            remedy = f"--skip-bad leaves out at most {100 * MOST_SKIPPED:.0f} %"
        else:
            return self._good
        raise ScenarioError(
            *lines, f"{self._file.name}: {self._count:,} of {rows:,} rows cannot be read{more}; {remedy}."
        )

    def _coded(self, role: Any) -> Any:
        return self._file.columns[self._mapped.get(role, role)].dictionary_encode()

    def _numeric(self, role: Any, read: Callable[[str], float]) -> Numbers:
        coded = self._coded(role)
        values = np.array([_tried(read, str(text).strip()) for text in coded.dictionary.to_pylist()] or [math.nan])
        return values[_codes(coded)]


_WHOLE: Final = re.compile(r"[+-]?\d{1,15}(\.0+)?")


def _codes(coded: Any) -> Indices:
    return np.asarray(coded.indices.to_numpy(zero_copy_only=False), np.int64)


def _tried(read: Callable[[str], float], text: str) -> float:
    try:
        return read(text)
    except (ValueError, OverflowError):
        return math.nan


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        import datetime

        found = datetime.datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=datetime.UTC)
        number = found.timestamp()
    seconds = number / 1000.0 if abs(number) > _MS else number
    return seconds if _EARLIEST <= seconds <= _LATEST else math.nan


def holds(column: Any, role: Role) -> bool:
    """Whether the cells of a column can be read as what a role says.

    Args:
        column: texts.
        role: won and quit need two words, one for each; order, attempts and successes numbers; time times; a player
            must be there more than once.
    """
    texts = [str(text).strip() for text in column.unique().to_pylist()]
    if role in ("won", "quit"):
        words = {text.lower() for text in texts}
        return len(words) == 2 and bool(words & WON) and bool(words & LOST)
    if role == "player":
        return 2 * len(texts) <= len(column)
    read = _seconds if role == "time" else float
    return any(math.isfinite(_tried(read, text)) for text in texts[:_MOST_LOOKED_AT])
