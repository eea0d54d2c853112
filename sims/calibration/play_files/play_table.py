"""The columns of a file as numbers: every cell read, every bad row named, and what cannot be used left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from sims.calibration.histories import Flags, Indices, Numbers, Plays
from sims.calibration.level_totals import LevelTotals
from sims.calibration.play_files.attempt_order import first_of_equals, late_of, places_of, quits_of, ranks_of
from sims.calibration.play_files.cell_reader import CellReader, holds
from sims.calibration.play_files.columns import FileForm, Mapped, map_columns
from sims.calibration.play_files.natural_order import natural_order
from sims.calibration.play_files.play_file import PlayFile

LEAST_PLAYERS: Final = 50
LEAST_MET: Final = 10  # players of a level, so that nothing is said of fewer
LEAST_ATTEMPTS: Final = 300
MOST_LEVELS: Final = 2_000
MOST_ATTEMPTS: Final = 5_000  # of a player; more are the work of a bot
RETRIES: Final = 0.8  # share of losses that are tried again, from which on a file is one of a campaign


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
    features: tuple[str, ...]  # of levels
    level_features: Numbers  # shape (levels, features), centred and scaled
    ids: tuple[str, ...]  # of players, by their number in plays; empty where they are not to be kept
    retried: float  # share of losses after which the same player tried the same level again; NaN without an order

    @property
    def is_campaign(self) -> bool:
        """Whether players of the file retry a lost level, as those of a campaign do."""
        return self.retried >= RETRIES


def read_play_table(
    file: PlayFile,
    given: Mapping[str, str],
    *,
    skip_bad: bool = False,
    settings: Mapping[str, tuple[Callable[[str], float], str]] | None = None,
    keep_ids: bool = False,
) -> PlayTable:
    """Read every cell of the columns that are used.

    Args:
        file: the table of texts.
        given: role -> column, as --columns says.
        skip_bad: leave out rows that cannot be read, if they are at most 1 %.
        settings: of a game: column -> how its cells are read, and the rule that they follow; then these are the
            numbers of the plays, as they are.
        keep_ids: keep the ids of players, which nothing else here needs.

    Raises:
        ScenarioError: a column is missing, rows cannot be read, or there are too few players or attempts.
    """
    mapped = map_columns(list(file.columns), given, lambda role, name: holds(file.columns[name], role))
    reader = CellReader(file, mapped)
    if mapped.form == "totals":
        if keep_ids:
            raise ScenarioError(
                f"--keep-ids keeps ids of players, but {file.name} does not say who played; leave it out."
            )
        return _totals(file, mapped, reader, skip_bad)
    cells = _cells(mapped, reader)
    raw = reader.settings(settings) if settings else None
    no_numbers = reader.check_params()
    good = reader.good_rows(skip_bad)
    left_out = {"rows that cannot be read": int((~good).sum()) + len(file.ragged)}
    left_out |= {f"column that should hold numbers ({name})": 1 for name in no_numbers}
    form = mapped.form
    if form == "counts" and cells.order is not None and (cells.tried[good] == 1).all():
        form = "attempts"  # one try a row, in an order: each is an attempt
    attempts = _single_attempts(cells, good) if form == "attempts" else _spread_counts(cells, good)
    rank = ranks_of(attempts.player, attempts.level, attempts.won, attempts.order, attempts.time)
    keep, used = _kept(attempts, reader, cells.names, left_out)
    _check_enough(file.name, len(np.unique(attempts.player[keep])), int(keep.sum()), len(used))
    plays = _plays(attempts, rank, keep, used, reader)
    if settings and raw is not None:
        plays = replace(plays, extra=tuple(settings), numbers=raw[attempts.rows][keep])
    time = attempts.time
    dates = None if time is None else (_day(float(time[keep].min())), _day(float(time[keep].max())))
    said = {why: number for why, number in left_out.items() if number}
    retried = _retried(plays)
    plays = replace(plays, campaign=retried >= RETRIES)
    features = reader.level_features(attempts.rows[keep], plays.level, len(used))
    return PlayTable(
        file.name, form, mapped, plays, None, said, dates, *features, cells.ids if keep_ids else (), retried
    )


class _Cells(NamedTuple):
    """The columns as numbers, bad rows among them; None where the file has no such column."""

    player: Indices
    ids: tuple[str, ...]  # of players
    level: Indices
    names: list[str]  # of the levels
    tried: Indices
    won: Indices
    order: Numbers | None
    time: Numbers | None
    session: Indices | None
    quit: Flags | None
    seconds: Numbers | None  # NaN where a cell does not tell


def _cells(mapped: Mapped, reader: CellReader) -> _Cells:
    level, names = reader.names("level")
    player, ids = reader.names("player")
    if "replica" in mapped:
        replica, repeats = reader.names("replica")
        player = player * len(repeats) + replica
        ids = [f"{one} {repeat}" for one in ids for repeat in repeats]
    if mapped.form == "attempts":
        won = reader.won("won").astype(np.int64)
        tried = np.ones(len(won), np.int64)
    else:
        tried, won = reader.counts()
    return _Cells(
        player,
        tuple(ids),
        level,
        names,
        tried,
        won,
        reader.number("order") if "order" in mapped else None,
        reader.time("time") if "time" in mapped else None,
        reader.names("session")[0] if "session" in mapped else None,
        reader.won("quit") if "quit" in mapped else None,
        reader.seconds("duration") if "duration" in mapped else None,
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
    seconds: Numbers | None


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
        None if cells.seconds is None else cells.seconds[rows],
    )


def _spread_counts(cells: _Cells, good: npt.NDArray[np.bool_]) -> _Attempts:
    """Counts as attempts without an order: as many losses and wins as they say."""
    rows = np.flatnonzero(good & (cells.tried > 0))
    lost, won = np.repeat(rows, (cells.tried - cells.won)[rows]), np.repeat(rows, cells.won[rows])
    both = np.concatenate((lost, won))
    result = np.concatenate((np.zeros(len(lost), np.int8), np.ones(len(won), np.int8)))
    return _Attempts(both, cells.player[both], cells.level[both], result, None, None, None, None, None)


def _kept(
    attempts: _Attempts, reader: CellReader, names: Sequence[str], left_out: dict[str, int]
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Which attempts are used, and the names of their levels in natural order; adds to what is left out."""
    player, level = attempts.player, attempts.level
    keep = np.ones(len(player), bool)
    if attempts.order is not None or attempts.time is not None:
        keep = _first_rows(attempts, reader)
        left_out["rows that are there twice"] = int((~keep).sum())
    played = np.bincount(player[keep], minlength=int(player.max(initial=0)) + 1)
    left_out[f"players with more than {MOST_ATTEMPTS:,} attempts, likely bots"] = int((played > MOST_ATTEMPTS).sum())
    keep &= (played <= MOST_ATTEMPTS)[player]
    met = np.unique(np.column_stack((level[keep], player[keep])), axis=0)[:, 0] if keep.any() else np.empty(0, int)
    people = np.bincount(met, minlength=len(names))
    left_out[f"levels that fewer than {LEAST_MET} players met"] = int(((people > 0) & (people < LEAST_MET)).sum())
    keep &= (people >= LEAST_MET)[level]
    return keep, natural_order([name for name, count in zip(names, people, strict=True) if count >= LEAST_MET])


def _first_rows(attempts: _Attempts, reader: CellReader) -> npt.NDArray[np.bool_]:
    """Whether each row is the first that says the same of one attempt.

    Two attempts on a level may have the same order, such as that of the level. So without times only rows that are
    alike in every column are the same attempt.
    """
    order, time = attempts.order, attempts.time
    keys: list[npt.NDArray[Any]] = [attempts.player, attempts.level, attempts.won]
    keys += (each for each in (order, time) if each is not None)
    keep = first_of_equals(keys)
    if time is None and not keep.all():
        keep = first_of_equals([*keys, *reader.other_cells(attempts.rows)])
    return keep


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
    attempts: _Attempts, rank: Indices | None, keep: npt.NDArray[np.bool_], used: list[str], reader: CellReader
) -> Plays:
    player, session, time = attempts.player, attempts.session, attempts.time
    place = None if session is None and time is None else places_of(player, rank, session, time, keep)
    gone, closed = quits_of(player, rank, attempts.quit, time, keep)
    late = late_of(player, rank, time, keep)
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
        None if late is None else late[keep],
        time=None if time is None else time[keep],
        seconds=None if attempts.seconds is None else attempts.seconds[keep],
    )


def _totals(file: PlayFile, mapped: Mapped, reader: CellReader, skip_bad: bool) -> PlayTable:
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
    nothing = np.empty((len(used), 0))
    return PlayTable(file.name, "totals", mapped, None, totals, said, None, (), nothing, (), math.nan)


def _retried(plays: Plays) -> float:
    if plays.order is None:
        return math.nan
    sort = np.lexsort((plays.order, plays.player))
    player, level, won = plays.player[sort], plays.level[sort], plays.won[sort]
    followed = player[1:] == player[:-1]
    lost = followed & (won[:-1] == 0)
    return float((level[1:] == level[:-1])[lost].mean()) if lost.any() else math.nan


def _day(seconds: float) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()
