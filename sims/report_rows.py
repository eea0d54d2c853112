"""What a report needs from the rows themselves, gathered in one pass that never holds more than a batch of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import RunFolderError
from engine.statistics import DIAL_UNIT, Scheme

Integers = npt.NDArray[np.int64]

DIAL_CELLS: Final = 200  # of the histograms that quartiles of the difficulty are read from
_BATCH: Final = 65_536  # rows
_CSV_BLOCK: Final = 1 << 22  # bytes
_REPLICA_SHIFT: Final = 30  # a player's number is below 2**30
_REGULARS: Final = 20  # attempts that a player's own win rate needs to be looked at


@dataclass(frozen=True)
class Example:
    """A row worth playing again."""

    why: str
    row: int  # place in the table of attempts, from 0
    replica: int
    player: int
    attempt: int


@dataclass(frozen=True, eq=False)
class People:
    """players.csv, one item a player, sorted by replica and player."""

    key: Integers
    cohort: Integers
    attempts: Integers
    wins: Integers
    left: tuple[Counter[str], ...]  # per cohort: how many left for which reason

    def own_rates(self, cohort: int) -> npt.NDArray[np.float64]:
        """Win rates of the cohort's players with 20 attempts or more, sorted."""
        chosen = (self.cohort == cohort) & (self.attempts >= _REGULARS)
        return np.sort(self.wins[chosen] / self.attempts[chosen])


@dataclass(eq=False)
class Gathered:
    """Sums over all rows. Whole numbers, so that batches of any size give the same report."""

    people: People
    dial: Integers  # histograms of difficulty, shape (cohorts, bins of attempts, DIAL_CELLS)
    rows: int = 0
    causes: list[Counter[str]] = field(default_factory=list)  # per cohort: what ended attempts that were not won
    late: Integers = field(default_factory=lambda: np.zeros(0, np.int64))  # rows of last thirds per cohort
    late_sums: dict[str, Integers] = field(default_factory=dict)  # per knob and cohort, in DIAL_UNIT of its range
    late_choices: dict[str, list[Counter[str]]] = field(default_factory=dict)
    examples: dict[str, tuple[float, Example]] = field(default_factory=dict)

    @property
    def attempts(self) -> list[int]:
        """Rows per cohort."""
        return [int(number) for number in self.dial.sum(axis=(1, 2))]

    def late_mean(self, knob: Mapping[str, Any], cohort: int) -> float:
        """Mean of a knob over the last third of each player's attempts, in its own unit; NaN without any."""
        if not self.late[cohort]:
            return math.nan
        share = int(self.late_sums[knob["name"]][cohort]) / (int(self.late[cohort]) * DIAL_UNIT)
        return float(knob["low"] + (knob["high"] - knob["low"]) * share)

    def quartiles(self, cohort: int, place: int) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of the difficulty in one bin of attempts, to half a cell."""
        counts = np.cumsum(self.dial[cohort, place])
        if not counts[-1]:
            return math.nan, math.nan, math.nan
        cells = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.25, 0.5, 0.75))
        low, middle, high = ((cell + 0.5) / DIAL_CELLS for cell in cells)
        return low, middle, high


def gather(folder: Path, manifest: Mapping[str, Any], scheme: Scheme) -> Gathered:
    """Read a run's tables once. Raises RunFolderError when a table cannot be read."""
    cohorts = [str(name) for name in manifest["cohorts"]]
    knobs = [knob for knob in manifest["knobs"] if knob["held"] is None]
    import pyarrow as pa

    try:
        people = _people(folder / "players.csv", cohorts)
        gathered = Gathered(people, np.zeros((len(cohorts), len(scheme.attempt_edges) - 1, DIAL_CELLS), np.int64))
        gathered.causes = [Counter() for _ in cohorts]
        gathered.late = np.zeros(len(cohorts), np.int64)
        for knob in knobs:
            if knob["scale"] == "choice":
                gathered.late_choices[knob["name"]] = [Counter() for _ in cohorts]
            else:
                gathered.late_sums[knob["name"]] = np.zeros(len(cohorts), np.int64)
        for batch in _batches(folder / f"attempts.{manifest['format']}", knobs):
            _add(gathered, _Batch(batch, cohorts), knobs, scheme)
    except (OSError, KeyError, pa.ArrowException) as fault:
        raise RunFolderError(f"the tables of {folder} must be as the run wrote them, but: {fault}") from None
    return gathered


def _people(path: Path, cohorts: Sequence[str]) -> People:
    from pyarrow import csv

    names = ["replica", "player", "cohort", "attempts", "wins", "left"]
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(include_columns=names, column_types=_types(names)))
    batch = _Batch(table.combine_chunks().to_batches()[0], cohorts) if table.num_rows else None
    if batch is None:
        nothing = np.zeros(0, np.int64)
        return People(nothing, nothing, nothing, nothing, tuple(Counter() for _ in cohorts))
    words, left = batch.words("left")
    key = _keys(batch)
    order = np.argsort(key, kind="stable")
    attempts, wins = batch.numbers("attempts"), batch.numbers("wins")
    reasons = []
    for j in range(len(cohorts)):
        counts = np.bincount(left[batch.cohort == j], minlength=len(words))
        reasons.append(Counter({word: int(number) for word, number in zip(words, counts, strict=True) if number}))
    return People(key[order], batch.cohort[order], attempts[order], wins[order], tuple(reasons))


def _types(names: Sequence[str]) -> dict[str, Any]:
    """Arrow types of CSV columns that are read."""
    import pyarrow as pa

    types = dict.fromkeys(names, pa.int64())
    types |= dict.fromkeys({"difficulty", "progress"} & types.keys(), pa.float64())
    return types | dict.fromkeys(
        {"cohort", "left", "outcome", "cause"} & types.keys(), pa.dictionary(pa.int32(), pa.string())
    )


def _batches(path: Path, knobs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Record batches of the table of attempts with the columns that are needed."""
    import pyarrow as pa

    names = ["replica", "cohort", "player", "attempt", "difficulty", "outcome", "progress", "cause", "streak"]
    chosen = {f"param_{knob['name']}": knob["scale"] == "choice" for knob in knobs}
    if path.suffix == ".parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(path, pre_buffer=False) as file:  # ahead of need, it would hold the whole file
            yield from file.iter_batches(batch_size=_BATCH, columns=[*names, *chosen])
        return
    from pyarrow import csv

    words = pa.dictionary(pa.int32(), pa.string())
    types = _types(names) | {name: words if choice else pa.float64() for name, choice in chosen.items()}
    convert = csv.ConvertOptions(include_columns=[*names, *chosen], column_types=types)
    with csv.open_csv(path, csv.ReadOptions(block_size=_CSV_BLOCK), convert_options=convert) as reader:
        yield from reader


class _Batch:
    """A record batch as arrays; cohorts as places in the manifest's list."""

    def __init__(self, batch: Any, cohorts: Sequence[str]) -> None:
        self._batch = batch
        words, codes = self.words("cohort")
        self.cohort = np.array([cohorts.index(word) for word in words], np.int64)[codes]

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def numbers(self, name: str) -> Any:
        """A column of numbers."""
        return self._batch.column(name).to_numpy(zero_copy_only=False)

    def words(self, name: str) -> tuple[list[str], Integers]:
        """A column of names: the different words, and for each row the place of its word; "" where there is none."""
        import pyarrow as pa

        column = self._batch.column(name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        words = [word or "" for word in column.dictionary.to_pylist()]
        if column.indices.null_count:
            words.append("")
        codes = column.indices.cast(pa.int64()).fill_null(len(words) - 1)
        return words, codes.to_numpy(zero_copy_only=False)


def _keys(batch: _Batch) -> Integers:
    keys: Integers = (batch.numbers("replica") << _REPLICA_SHIFT) + batch.numbers("player")
    return keys


def _add(gathered: Gathered, batch: _Batch, knobs: Sequence[Mapping[str, Any]], scheme: Scheme) -> None:
    if not len(batch):
        return
    cohort, difficulty, attempt = batch.cohort, batch.numbers("difficulty"), batch.numbers("attempt")
    bins = np.searchsorted(np.array(scheme.attempt_edges[1:-1]), attempt, side="right")
    cells = np.minimum((difficulty * DIAL_CELLS).astype(np.int64), DIAL_CELLS - 1)
    shape = gathered.dial.shape
    place = (cohort * shape[1] + bins) * DIAL_CELLS + cells
    gathered.dial += np.bincount(place, minlength=gathered.dial.size).reshape(shape)
    words, outcome = batch.words("outcome")
    lost = np.isin(outcome, [j for j, word in enumerate(words) if word == "lost"])
    won = np.isin(outcome, [j for j, word in enumerate(words) if word == "won"])
    stopped = np.isin(outcome, [j for j, word in enumerate(words) if word == "timed_out"])
    _add_causes(gathered, batch, lost, stopped)
    _add_late(gathered, batch, attempt, knobs)
    never = np.full(len(batch), -math.inf)
    _keep(gathered, batch, "the closest loss", np.where(lost, batch.numbers("progress"), never))
    _keep(gathered, batch, "the hardest level that was won", np.where(won, difficulty, never))
    _keep(gathered, batch, "the end of the longest losing run", batch.numbers("streak").astype(np.float64))
    gathered.rows += len(batch)


def _add_causes(gathered: Gathered, batch: _Batch, lost: npt.NDArray[np.bool_], stopped: npt.NDArray[np.bool_]) -> None:
    words, cause = batch.words("cause")
    for j, counter in enumerate(gathered.causes):
        here = batch.cohort == j
        counts = np.bincount(cause[lost & here], minlength=len(words))
        counter.update({word or "no cause": int(number) for word, number in zip(words, counts) if number})
        late = int(np.count_nonzero(stopped & here))
        if late:
            counter["time limit"] += late


def _add_late(gathered: Gathered, batch: _Batch, attempt: Integers, knobs: Sequence[Mapping[str, Any]]) -> None:
    key = _keys(batch)
    first = np.concatenate(([0], np.flatnonzero(key[1:] != key[:-1]) + 1))
    known = gathered.people.key
    place = np.minimum(np.searchsorted(known, key[first]), max(len(known) - 1, 0))
    if not len(known) or np.any(known[place] != key[first]):
        raise KeyError("a player of the table of attempts is not in players.csv")
    made = np.repeat(gathered.people.attempts[place], np.diff(first, append=len(key)))
    late = np.flatnonzero(attempt >= 2 * made // 3)
    cohort = batch.cohort[late]
    np.add.at(gathered.late, cohort, 1)
    for knob in knobs:
        name, column = knob["name"], f"param_{knob['name']}"
        if name in gathered.late_choices:
            words, codes = batch.words(column)
            for j, counter in enumerate(gathered.late_choices[name]):
                counts = np.bincount(codes[late[cohort == j]], minlength=len(words))
                counter.update({word: int(number) for word, number in zip(words, counts) if number})
        else:
            share = (batch.numbers(column)[late] - knob["low"]) / (knob["high"] - knob["low"])
            np.add.at(gathered.late_sums[name], cohort, np.rint(share * float(DIAL_UNIT)).astype(np.int64))


def _keep(gathered: Gathered, batch: _Batch, why: str, score: npt.NDArray[np.float64]) -> None:
    """Keep the row with the highest score, the first of equals."""
    best = int(np.argmax(score))
    if score[best] > gathered.examples[why][0] if why in gathered.examples else score[best] > -math.inf:
        replica, player, attempt = (int(batch.numbers(name)[best]) for name in ("replica", "player", "attempt"))
        gathered.examples[why] = (float(score[best]), Example(why, gathered.rows + best, replica, player, attempt))
