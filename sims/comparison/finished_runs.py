"""Finished runs as sides of a comparison: their rows are summed up by player, as those of a played scenario are.

Two runs of one seed have the same players where a cohort has the same place in both files, since a player's number
and the seed are the address of every draw. All other players are different ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine import record
from engine.errors import RunFolderError
from engine.game import OUTCOMES
from engine.players import COHORT_STRIDE, LEAVINGS
from engine.scenario import Scenario
from engine.world import Played
from sims.catalog import scenario_in
from sims.comparison.metrics import metric_sums
from sims.comparison.sides import Side, SideSetups, SideSums, sides_of
from sims.reports.end_places import read_endings
from sims.run_folder.agreement import refuse_disagreement
from sims.run_folder.folder import SCENARIO
from sims.run_folder.row_file import row_batches_of
from sims.run_folder.sound_tables import sound_manifest
from sims.runs.run import Run

_ROW: Final = np.dtype(
    [
        *((name, np.int64) for name in ("replica", "player", "attempt", "streak", "outcome", "cause")),
        *((name, np.float64) for name in ("duration_s", "difficulty", "progress")),
    ]
)
_PLAYER: Final = np.dtype([(name, np.int64) for name in ("replica", "player", "level", "left")])
_SESSION: Final = np.dtype([(name, np.int64) for name in ("replica", "player")])

Rows = npt.NDArray[np.void]


def run_scenario(run: Run) -> Scenario:
    """The scenario of a run, under the name of its folder.

    Raises:
        RunFolderError: a file of the run was altered, or a person played it.
        ScenarioError: its game or controller is not here, or has other knobs now.
    """
    manifest = sound_manifest(run.folder)
    refuse_disagreement(run.folder, manifest)
    if manifest.get("source") == "human":
        raise RunFolderError(f"{run.folder} was played by a person; only runs of synthetic players can be compared.")
    scenario = scenario_in(run.folder / SCENARIO)
    return dataclasses.replace(scenario, name=str(run.folder))


def run_sides(first: Scenario, others: Sequence[Scenario]) -> list[Side]:
    """The sides of runs by their scenarios, each with its own seed."""
    sides = sides_of(first, others, first.seed)
    found = [sides[0]]
    for side, other in zip(sides[1:], others, strict=True):
        moved = {address for cohort, address in zip(side.cohorts, side.addresses, strict=True) if cohort != address}
        strangers = frozenset(moved if other.seed == first.seed else side.addresses)
        found.append(side._replace(seed=other.seed, strangers=strangers))
    return found


def read_sides(runs: Sequence[Run], sides: Sequence[Side]) -> list[SideSums]:
    """Sum up the rows of runs by player. Memory holds sums and players, never all rows.

    Args:
        runs: as `run_scenario` accepts them.
        sides: as `run_sides` gives them.

    Raises:
        RunFolderError: a table cannot be read.
    """
    setups = SideSetups(sides)
    return [_sums_of(run, setups, number) for number, run in enumerate(runs)]


def _sums_of(run: Run, setups: SideSetups, number: int) -> SideSums:
    side, causes = setups.sides[number], setups.setups[number].game.causes
    sums = setups.no_sums(number)
    address = dict(zip(side.cohorts, side.addresses, strict=True))
    players = _table(run.players(_PLAYER.names), _PLAYER, {"left": LEAVINGS})
    sessions = _table(run.sessions(_SESSION.names), _SESSION, {})
    keys, sitting = _keys(players), _keys(sessions)
    missing = np.ones(len(players), bool)  # players without an attempt are in no piece

    def add(chosen: Any, rows: Rows, visits: Rows) -> None:
        own = players[chosen]
        found = metric_sums(Played(rows, own, np.empty(0), visits), setups.after, len(causes), setups.levels)
        cohort, place = own["player"] // COHORT_STRIDE, own["player"] % COHORT_STRIDE
        for one in np.unique(cohort):
            here = cohort == one
            sums[address[int(one)]][own["replica"][here], place[here]] = found[here]

    for piece in _whole_players(_rows(run, causes)):
        first, last = _keys(piece[[0, -1]])
        here = slice(*np.searchsorted(keys, (first, last + 1)))
        missing[here] = False
        add(here, piece, sessions[slice(*np.searchsorted(sitting, (first, last + 1)))])
    for replica in np.unique(players["replica"][missing]):
        add(missing & (players["replica"] == replica), np.empty(0, _ROW), np.empty(0, _SESSION))
    failed = sum(run.tally.total(cohort, "failed") for cohort in range(len(side.cohorts)))
    endings = read_endings(run.folder, run.manifest)
    code = run.manifest.get("code", {})
    return SideSums(sums, run.verdict, int(run.manifest["rows"]), failed, endings=endings, code=code)


def _rows(run: Run, causes: Sequence[str]) -> Iterator[Rows]:
    """The attempts of a run, a batch at a time, with words as the numbers that kernels write."""
    import pyarrow as pa

    columns = [column for column in record.ATTEMPT_COLUMNS if column.name in (_ROW.names or ())]
    words = {"outcome": OUTCOMES, "cause": causes}
    try:
        for batch in row_batches_of(run.rows_file, columns):
            rows = np.zeros(batch.num_rows, _ROW)
            for name in _ROW.names or ():
                column = batch.column(name)
                if name in words:
                    codes = [words[name].index(word) for word in column.dictionary.to_pylist()]
                    places = np.array([*codes, -1])
                    rows[name] = places[column.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)]
                else:
                    rows[name] = column.to_numpy(zero_copy_only=False)
            yield rows
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise RunFolderError(f"{run.rows_file} cannot be read: {' '.join(str(fault).split())[:300]}") from None


def _whole_players(batches: Iterator[Rows]) -> Iterator[Rows]:
    """The same rows in pieces of one replica each, all rows of a player in one piece."""
    held = np.empty(0, _ROW)
    for batch in batches:
        rows = np.concatenate((held, batch))
        keys = _keys(rows)
        last = int(np.searchsorted(keys, keys[-1])) if len(rows) else 0
        yield from _by_replica(rows[:last])
        held = rows[last:]
    yield from _by_replica(held)


def _by_replica(rows: Rows) -> Iterator[Rows]:
    ends = np.flatnonzero(np.diff(rows["replica"])) + 1
    yield from (piece for piece in np.split(rows, ends) if len(piece))


def _keys(table: Rows) -> npt.NDArray[np.int64]:
    """Replica and player in one number, which sorts as the tables do."""
    found: npt.NDArray[np.int64] = table["replica"] * 2**32 + table["player"]
    return found


def _table(frame: Any, kind: np.dtype[np.void], words: dict[str, tuple[str, ...]]) -> Rows:
    """A DataFrame as an array, with words as numbers."""
    found = np.zeros(len(frame), kind)
    for name in kind.names or ():
        column = frame[name]
        found[name] = column.map(words[name].index).astype(np.int64) if name in words else column
    return found
