"""What a report needs from the rows themselves, gathered in one pass that never holds more than a batch of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import RunFolderError
from engine.inference.intervals import DIAL_UNIT
from engine.places.endings import Endings
from engine.tally import Scheme
from sims.reports.beliefs import Beliefs
from sims.reports.end_places import PLACE_COLUMNS, add_endings, has_places
from sims.reports.people import People, read_people
from sims.reports.row_batches import BatchArrays, Integers, Numbers, batches, column_names

DIAL_CELLS: Final = 200  # of the histograms that quartiles of the difficulty are read from
PROGRESS_CELLS: Final = 25  # of the histograms of progress at a loss
_COLUMNS: Final = ("replica", "cohort", "player", "attempt", "difficulty", "outcome", "progress", "cause", "streak")
_BELIEF: Final = "belief_"
_ALMOST: Final = 1e-9  # by which rounding may leave a range


@dataclass(frozen=True)
class Example:
    """A row worth playing again."""

    why: str
    row: int  # place in the table of attempts, from 0
    replica: int
    player: int
    attempt: int


@dataclass(eq=False)
class Gathered:
    """Sums over all rows. Whole numbers, so that batches of any size give the same report."""

    people: People
    beliefs: Beliefs
    dial: Integers  # histograms of difficulty, shape (cohorts, bins of attempts, DIAL_CELLS)
    progress: Integers  # histograms of progress at a loss, shape (cohorts, PROGRESS_CELLS)
    late: Integers  # rows of last thirds, shape (cohorts,)
    rows: int = 0
    causes: list[Counter[str]] = field(default_factory=list)  # per cohort: what ended attempts that were not won
    late_sums: dict[str, Integers] = field(default_factory=dict)  # per knob and cohort, in DIAL_UNIT of its range
    late_choices: dict[str, list[Counter[str]]] = field(default_factory=dict)
    examples: dict[str, tuple[float, Example]] = field(default_factory=dict)
    endings: Endings | None = None  # where attempts ended; None where the rows do not say it

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
    path = folder / f"attempts.{manifest['format']}"
    import pyarrow as pa

    try:
        people = read_people(folder / "players.csv", cohorts)
        belief = next((name for name in column_names(path) if name.startswith(_BELIEF)), None)
        gathered = _empty(people, len(cohorts), knobs, scheme, belief)
        params = {f"param_{knob['name']}": knob["scale"] == "choice" for knob in knobs}
        columns: tuple[str, ...] = _COLUMNS
        if has_places(path):
            gathered.endings, columns = Endings(), (*_COLUMNS, *PLACE_COLUMNS)
        for batch in batches(path, columns, params, belief):
            _add(gathered, BatchArrays(batch, cohorts), knobs, scheme, belief)
    except (OSError, KeyError, ValueError, pa.ArrowException) as fault:
        raise RunFolderError(f"the tables of {folder} must be as the run wrote them, but: {fault}") from None
    return gathered


def _empty(
    people: People, cohorts: int, knobs: Sequence[Mapping[str, Any]], scheme: Scheme, belief: str | None
) -> Gathered:
    gathered = Gathered(
        people,
        Beliefs("" if belief is None else belief.removeprefix(_BELIEF), people, cohorts),
        dial=np.zeros((cohorts, len(scheme.attempt_edges) - 1, DIAL_CELLS), np.int64),
        progress=np.zeros((cohorts, PROGRESS_CELLS), np.int64),
        late=np.zeros(cohorts, np.int64),
        causes=[Counter() for _ in range(cohorts)],
    )
    for knob in knobs:
        if knob["scale"] == "choice":
            gathered.late_choices[knob["name"]] = [Counter() for _ in range(cohorts)]
        else:
            gathered.late_sums[knob["name"]] = np.zeros(cohorts, np.int64)
    return gathered


def _add(
    gathered: Gathered, batch: BatchArrays, knobs: Sequence[Mapping[str, Any]], scheme: Scheme, belief: str | None
) -> None:
    if not len(batch):
        return
    cohort, difficulty, attempt = batch.cohort, batch.numbers("difficulty"), batch.numbers("attempt")
    bins = np.searchsorted(np.array(scheme.attempt_edges[1:-1]), attempt, side="right")
    cells = np.minimum((_shares(difficulty, "difficulty") * DIAL_CELLS).astype(np.int64), DIAL_CELLS - 1)
    _count(gathered.dial, (cohort * gathered.dial.shape[1] + bins) * DIAL_CELLS + cells)
    words, outcome = batch.words("outcome")
    won, lost, stopped = (
        np.isin(outcome, [j for j, word in enumerate(words) if word == name]) for name in ("won", "lost", "timed_out")
    )
    progress, streak = batch.numbers("progress"), batch.numbers("streak") + (lost | stopped)
    reached = np.minimum((_shares(progress[lost], "progress") * PROGRESS_CELLS).astype(np.int64), PROGRESS_CELLS - 1)
    _count(gathered.progress, cohort[lost] * PROGRESS_CELLS + reached)
    _add_causes(gathered, batch, lost, stopped)
    if gathered.endings is not None:
        add_endings(gathered.endings, batch, gathered.rows)
    key = batch.keys()
    first = np.concatenate(([0], np.flatnonzero(key[1:] != key[:-1]) + 1))  # rows at which a player's begin
    players = gathered.people.places(key[first])
    np.maximum.at(gathered.people.losing_run, players, np.maximum.reduceat(streak, first))
    whose = np.repeat(players, np.diff(first, append=len(key)))
    _add_late(gathered, batch, np.flatnonzero(attempt >= 2 * gathered.people.attempts[whose] // 3), knobs)
    if belief is not None:
        gathered.beliefs.add(whose, bins, batch.numbers(belief))
    _keep(gathered, batch, "the closest loss", progress, lost)
    _keep(gathered, batch, "the hardest level that was won", difficulty, won)
    _keep(gathered, batch, "the end of the longest losing streak", streak, lost | stopped)
    gathered.rows += len(batch)


def _shares(numbers: Numbers, name: str) -> Numbers:
    """Numbers of an untrusted column. Raises ValueError where one is not from 0 to 1."""
    if not ((numbers >= -_ALMOST) & (numbers <= 1.0 + _ALMOST)).all():
        raise ValueError(f"{name} has a value outside of its range")
    return numbers


def _count(histogram: Integers, places: Integers) -> None:
    histogram += np.bincount(places, minlength=histogram.size).reshape(histogram.shape)


def _add_causes(
    gathered: Gathered, batch: BatchArrays, lost: npt.NDArray[np.bool_], stopped: npt.NDArray[np.bool_]
) -> None:
    words, cause = batch.words("cause")
    for j, counter in enumerate(gathered.causes):
        here = batch.cohort == j
        counts = np.bincount(cause[lost & here], minlength=len(words))
        counter.update({word or "no cause": int(number) for word, number in zip(words, counts) if number})
        late = int(np.count_nonzero(stopped & here))
        if late:
            counter["time limit"] += late


def _add_late(gathered: Gathered, batch: BatchArrays, late: Integers, knobs: Sequence[Mapping[str, Any]]) -> None:
    """Add the last third of each player's attempts. late: their rows."""
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
            sums = np.rint(_shares(share, column) * float(DIAL_UNIT)).astype(np.int64)
            np.add.at(gathered.late_sums[name], cohort, sums)


def _keep(gathered: Gathered, batch: BatchArrays, why: str, score: Numbers, among: npt.NDArray[np.bool_]) -> None:
    """Keep the row with the highest score among some, the first of equals."""
    scores = np.where(among, score, -math.inf)
    best = int(np.argmax(scores))
    if scores[best] > gathered.examples[why][0] if why in gathered.examples else scores[best] > -math.inf:
        replica, player, attempt = (int(batch.numbers(name)[best]) for name in ("replica", "player", "attempt"))
        gathered.examples[why] = (float(scores[best]), Example(why, gathered.rows + best, replica, player, attempt))
