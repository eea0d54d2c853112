"""The columns of a file as numbers: every cell read, every bad row named, and what cannot be used left out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable
from sims.calibration.columns import FileForm, Mapped, map_columns
from sims.calibration.histories import Flags, Indices, Numbers, Plays
from sims.calibration.level_totals import LevelTotals
from sims.calibration.play_file import PlayFile

WON: Final = {
    "1", "1.0", "true", "t", "yes", "y", "won", "win", "w", "success", "successful", "solved", "pass", "passed",
    "victory", "completed", "complete", "cleared", "correct", "ok",
}  # fmt: skip
LOST: Final = {
    "0", "0.0", "false", "f", "no", "n", "lost", "loss", "lose", "l", "fail", "failed", "failure", "unsolved",
    "defeat", "timed_out", "timeout", "incorrect", "wrong", "dnf",
}  # fmt: skip
LEAST_PLAYERS: Final = 50
LEAST_MET: Final = 10  # players of a level, so that nothing is said of fewer
LEAST_ATTEMPTS: Final = 300
MOST_LEVELS: Final = 2_000
MOST_ATTEMPTS: Final = 5_000  # of a player; more are the work of a bot
CHURN_S: Final = 7 * 86_400.0  # without play before the end of the data: the player has quit
SESSION_GAP_S: Final = 1_800.0  # a longer break ends a session
RETRIES: Final = 0.8  # share of losses that are tried again, from which on a file is one of a campaign
MOST_SKIPPED: Final = 0.01  # of the rows
_MOST_NAMED: Final = 20  # bad rows
_EARLIEST: Final = 946_684_800.0  # 2000-01-01: an earlier time is no time of a play
_LATEST: Final = 4_102_444_800.0  # 2100-01-01
_MS: Final = 1e11  # a larger number counts milliseconds


@dataclass(frozen=True)
class PlayTable:
    """What a file says, and what was left out of it."""

    source: str
    form: FileForm
    mapped: Mapped
    plays: Plays | None  # None of totals
    totals: LevelTotals | None
    left_out: dict[str, int]  # why -> how many
    dates: tuple[str, str] | None  # first and last day of the plays
    retried: float  # share of losses after which the same player tried the same level again; NaN without an order

    @property
    def is_campaign(self) -> bool:
        """Whether players of the file retry a lost level, as those of a campaign do."""
        return self.retried >= RETRIES


def read_play_table(file: PlayFile, given: Mapping[str, str], *, skip_bad: bool = False) -> PlayTable:
    """Read every cell of the columns that are used.

    Args:
        file: the table of texts.
        given: role -> column, as --columns says.
        skip_bad: leave out rows that cannot be read, if they are at most 1 %.

    Raises:
        ScenarioError: a column is missing, rows cannot be read, or there are too few players or attempts.
    """
    mapped = map_columns(list(file.columns), given, lambda name: _is_won(file.columns[name]))
    reader = _Reader(file, mapped)
    if mapped.form == "totals":
        return _totals(file, mapped, reader, skip_bad)
    cells = _cells(mapped, reader)
    good = reader.good_rows(skip_bad)
    left_out = {"rows that cannot be read": int((~good).sum()) + len(file.ragged)}
    form = mapped.form
    if form == "counts" and cells.order is not None and (cells.tried[good] == 1).all():
        form = "attempts"  # one try a row, in an order: each is an attempt
    attempts = _single_attempts(cells, good) if form == "attempts" else _spread_counts(cells, good)
    rank = _ranks(attempts.order, attempts.time, attempts.player)
    keep, used = _kept(attempts, rank, cells.names, left_out)
    _check_enough(file.name, len(np.unique(attempts.player[keep])), int(keep.sum()), len(used))
    plays = _plays(attempts, rank, keep, used, reader)
    time = attempts.time
    dates = None if time is None else (_day(float(time[keep].min())), _day(float(time[keep].max())))
    said = {why: number for why, number in left_out.items() if number}
    retried = _retried(plays)
    plays = replace(plays, campaign=retried >= RETRIES)
    return PlayTable(file.name, form, mapped, plays, None, said, dates, retried)


class _Cells(NamedTuple):
    """The columns as numbers, bad rows among them; None where the file has no such column."""

    player: Indices
    level: Indices
    names: list[str]  # of the levels
    tried: Indices
    won: Indices
    order: Numbers | None
    time: Numbers | None
    session: Indices | None
    quit: Flags | None


def _cells(mapped: Mapped, reader: _Reader) -> _Cells:
    level, names = reader.names("level")
    player, _ = reader.names("player")
    if "replica" in mapped:
        replica, _ = reader.names("replica")
        player = player * (int(replica.max(initial=0)) + 1) + replica
    if mapped.form == "attempts":
        won = reader.won("won").astype(np.int64)
        tried = np.ones(len(won), np.int64)
    else:
        tried, won = reader.counts()
    return _Cells(
        player,
        level,
        names,
        tried,
        won,
        reader.number("order") if "order" in mapped else None,
        reader.time("time") if "time" in mapped else None,
        reader.names("session")[0] if "session" in mapped else None,
        reader.won("quit") if "quit" in mapped else None,
    )


class _Attempts(NamedTuple):
    """One row for each attempt."""

    rows: Indices  # of the file
    player: Indices
    level: Indices
    won: Flags
    order: Numbers | None
    time: Numbers | None
    session: Indices | None
    quit: Flags | None


def _single_attempts(cells: _Cells, good: npt.NDArray[np.bool_]) -> _Attempts:
    rows = np.flatnonzero(good)
    return _Attempts(
        rows,
        cells.player[rows],
        cells.level[rows],
        cells.won[rows].astype(np.int8),
        None if cells.order is None else cells.order[rows],
        None if cells.time is None else cells.time[rows],
        None if cells.session is None else cells.session[rows],
        None if cells.quit is None else cells.quit[rows],
    )


def _spread_counts(cells: _Cells, good: npt.NDArray[np.bool_]) -> _Attempts:
    """Counts as attempts without an order: as many losses and wins as they say."""
    rows = np.flatnonzero(good & (cells.tried > 0))
    lost, won = np.repeat(rows, (cells.tried - cells.won)[rows]), np.repeat(rows, cells.won[rows])
    both = np.concatenate((lost, won))
    result = np.concatenate((np.zeros(len(lost), np.int8), np.ones(len(won), np.int8)))
    return _Attempts(both, cells.player[both], cells.level[both], result, None, None, None, None)


def _kept(
    attempts: _Attempts, rank: Indices | None, names: Sequence[str], left_out: dict[str, int]
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Which attempts are used, and the names of their levels in natural order; adds to what is left out."""
    player, level = attempts.player, attempts.level
    keep = np.ones(len(player), bool)
    if rank is not None:
        keep = _first_of_equals(player, level, attempts.won, attempts.order, attempts.time)
        left_out["rows that are there twice"] = int((~keep).sum())
    played = np.bincount(player[keep], minlength=int(player.max(initial=0)) + 1)
    left_out[f"players with more than {MOST_ATTEMPTS:,} attempts, likely bots"] = int((played > MOST_ATTEMPTS).sum())
    keep &= (played <= MOST_ATTEMPTS)[player]
    met = np.unique(np.column_stack((level[keep], player[keep])), axis=0)[:, 0] if keep.any() else np.empty(0, int)
    people = np.bincount(met, minlength=len(names))
    left_out[f"levels that fewer than {LEAST_MET} players met"] = int(((people > 0) & (people < LEAST_MET)).sum())
    keep &= (people >= LEAST_MET)[level]
    return keep, natural_order([name for name, count in zip(names, people, strict=True) if count >= LEAST_MET])


def _check_enough(source: str, players: int, attempts: int, levels: int) -> None:
    for what, least, came in (("players", LEAST_PLAYERS, players), ("attempts", LEAST_ATTEMPTS, attempts)):
        if came < least:
            raise ScenarioError(
                f"a calibration needs at least {LEAST_PLAYERS} players and {LEAST_ATTEMPTS} attempts on levels that "
                f"{LEAST_MET} players met, but {source} has {came:,} {what}; give more of your telemetry."
            )
    _check_levels(levels)


def _check_levels(levels: int) -> None:
    if levels > MOST_LEVELS:
        raise ScenarioError(
            f"a calibration takes at most {MOST_LEVELS:,} levels, got {levels:,}; give those of one part of the game."
        )


def _plays(
    attempts: _Attempts, rank: Indices | None, keep: npt.NDArray[np.bool_], used: list[str], reader: _Reader
) -> Plays:
    player, session, time = attempts.player, attempts.session, attempts.time
    place = None if session is None and time is None else _places(player, rank, session, time, keep)
    gone, closed = _quits(player, rank, attempts.quit, time, keep)
    extra, columns = reader.params(attempts.rows, attempts.level)
    number = {name: i for i, name in enumerate(used)}
    numbers = np.array([number.get(name, -1) for name in reader.names("level")[1]])
    return Plays(
        tuple(used),
        player[keep],
        numbers[attempts.level[keep]],
        attempts.won[keep],
        None if rank is None else rank[keep],
        None if place is None else place[keep],
        None if gone is None else gone[keep],
        None if closed is None else closed[keep],
        extra,
        None if columns is None else columns[keep],
    )


def _totals(file: PlayFile, mapped: Mapped, reader: _Reader, skip_bad: bool) -> PlayTable:
    """A file that does not say who played: sums of each level."""
    level, names = reader.names("level")
    tried, won = reader.counts()
    good = reader.good_rows(skip_bad)
    sums = [np.zeros(len(names), np.int64) for _ in range(2)]
    for total, values in zip(sums, (tried, won), strict=True):
        np.add.at(total, level[good], values[good])
    enough = sums[0] >= LEAST_MET  # fewer attempts are surely of fewer players
    used = natural_order([name for name, one in zip(names, enough, strict=True) if one])
    if not used:
        raise ScenarioError(f"a calibration needs a level with {LEAST_MET} attempts, but {file.name} has none.")
    _check_levels(len(used))
    order = [names.index(name) for name in used]
    left_out = {
        "rows that cannot be read": int((~good).sum()) + len(file.ragged),
        f"levels with fewer than {LEAST_MET} attempts": int((~enough).sum()),
    }
    totals = LevelTotals(tuple(used), sums[0][order], sums[1][order])
    said = {why: number for why, number in left_out.items() if number}
    return PlayTable(file.name, "totals", mapped, None, totals, said, None, math.nan)


class _Reader:
    """Reads columns and remembers which rows are bad, and why."""

    def __init__(self, file: PlayFile, mapped: Mapped) -> None:
        self._file, self._mapped = file, mapped
        self._good = np.ones(file.rows, bool)
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

    def params(self, rows: Indices, level: Indices) -> tuple[tuple[str, ...], Numbers | None]:
        """The numeric columns whose names begin with param_, those that vary on a level."""
        names, columns = [], []
        for name in self._file.columns:
            if not name.startswith("param_"):
                continue
            found = self._numeric(name, float)[rows]
            if not np.isfinite(found).all():
                continue
            tried = np.maximum(np.bincount(level), 1)
            around = found - (np.bincount(level, found) / tried)[level]
            if around.std() > 1e-6 * (found.std() + 1e-300):
                names.append(name)
                columns.append((found - found.mean()) / found.std())
        return tuple(names), np.column_stack(columns) if columns else None

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


def _day(seconds: float) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


def _is_won(column: Any) -> bool:
    words = {str(text).strip().lower() for text in column.unique().to_pylist()}
    return len(words) == 2 and bool(words & WON) and bool(words & LOST)


def _ranks(order: Numbers | None, time: Numbers | None, player: Indices) -> Indices | None:
    """The rank of each row in time; by order where the file has one, else by time."""
    if order is None and time is None:
        return None
    keys = [each for each in (order, time) if each is not None]  # lexsort: the last is first, so time decides
    sort = np.lexsort((*keys, player))
    changed = np.ones(len(player), bool)
    changed[1:] = player[sort][1:] != player[sort][:-1]
    for key in keys:
        changed[1:] |= key[sort][1:] != key[sort][:-1]
    ranks = np.empty(len(player), np.int64)
    ranks[sort] = np.cumsum(changed)
    return ranks


def _first_of_equals(
    player: Indices, level: Indices, won: Flags, order: Numbers | None, time: Numbers | None
) -> npt.NDArray[np.bool_]:
    """Whether each row is the first of those that say the same of one attempt."""
    keys = [player, level, won.astype(np.int64), *(each for each in (order, time) if each is not None)]
    sort = np.lexsort(keys)
    same = np.ones(len(player), bool)
    same[:1] = False
    for key in keys:
        same[1:] &= key[sort][1:] == key[sort][:-1]
    keep = np.empty(len(player), bool)
    keep[sort] = ~same
    return keep


def _places(
    player: Indices,
    rank: Indices | None,
    session: Indices | None,
    time: Numbers | None,
    keep: npt.NDArray[np.bool_],
) -> Indices | None:
    """Attempts of the same session before each; by the session's column, else by breaks of half an hour."""
    if rank is None:
        return None
    sort = np.lexsort((rank, player))
    sort = sort[keep[sort]]
    fresh = np.ones(len(sort), bool)
    fresh[1:] = player[sort][1:] != player[sort][:-1]
    if session is not None:
        fresh[1:] |= session[sort][1:] != session[sort][:-1]
    elif time is not None:
        fresh[1:] |= time[sort][1:] - time[sort][:-1] > SESSION_GAP_S
    at = np.arange(len(sort))
    places = np.zeros(len(player), np.int64)
    places[sort] = at - np.maximum.accumulate(np.where(fresh, at, 0))
    return places


def _quits(
    player: Indices, rank: Indices | None, flag: Flags | None, time: Numbers | None, keep: npt.NDArray[np.bool_]
) -> tuple[Flags | None, Flags | None]:
    """Whether a player quit after a row, and whether it is known of the player; None where the file does not tell."""
    if rank is None or (flag is None and time is None):
        return None, None
    sort = np.lexsort((rank, player))
    sort = sort[keep[sort]]
    last = sort[np.concatenate((player[sort][1:] != player[sort][:-1], [True]))] if len(sort) else sort
    gone, closed = np.zeros(len(player), np.int8), np.ones(len(player), np.int8)
    if flag is not None:
        gone[last] = flag[last] == 1
        return gone, closed
    assert time is not None
    if not len(last):
        return gone, closed
    end = float(time[keep].max())
    if end - float(time[keep].min()) < 2.0 * CHURN_S:
        return None, None
    gone[last] = end - time[last] > CHURN_S
    closed[last] = gone[last]
    return gone, closed


def natural_order(names: Sequence[str]) -> list[str]:
    """Names with numbers in them as a person would sort them."""
    return sorted(names, key=lambda name: ([(not part.isdecimal(), part.zfill(18)) for part in _parts(name)], name))


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", name.lower()) if part]


def _retried(plays: Plays) -> float:
    if plays.order is None:
        return math.nan
    sort = np.lexsort((plays.order, plays.player))
    player, level, won = plays.player[sort], plays.level[sort], plays.won[sort]
    followed = player[1:] == player[:-1]
    lost = followed & (won[:-1] == 0)
    return float((level[1:] == level[:-1])[lost].mean()) if lost.any() else math.nan
