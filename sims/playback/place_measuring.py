"""What each place costs in a finished run: its attempts are played again without one place after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.attempt import RUNS_OWN
from engine.errors import RunFolderError, ScenarioError
from engine.external.external_game import rules_of
from engine.game import FAILED, OUTCOMES, Faculties, Game
from engine.places.endings import Endings
from engine.places.knock_out import PlaceCost, place_cost, won_without
from engine.record import Column, row_type
from sims.run_folder.folder import read_manifest
from sims.run_folder.row_file import AttemptTable, open_table, row_batches_of
from sims.terminal import OnMessage, no_message

ATTEMPTS: Final = 2000  # of each cohort on each level, that places are measured on
_PROBE: Final = 50  # attempts by which the time is estimated
_WHOLE: Final = ("replica", "player", "attempt", "level", "layout_seed", "end_place")

_Rows = npt.NDArray[np.void]


def measure_places(
    folder: Path,
    endings: Endings,
    *,
    level: int | None = None,
    attempts: int = ATTEMPTS,
    on_message: OnMessage = no_message,
) -> list[PlaceCost]:
    """Measure what every place costs every cohort, the most costly first.

    Args:
        folder: of a complete run.
        endings: of the run's attempts.
        level: of a campaign, from 1; None for all of them.
        attempts: how many attempts of each cohort on each level to play again, at most, from 1.
        on_message: takes a sentence: how long it will take.

    Raises:
        ScenarioError: the game cannot leave out a place, or there is no such level.
        RunFolderError: the table of attempts cannot be read, or another version of the game wrote it.
    """
    manifest = read_manifest(folder)
    table = open_table(folder / f"attempts.{manifest['format']}")
    game = rules_of(table.game, "leaving out a place")
    if game.without is None:
        raise ScenarioError(
            f"places are measured in games that can leave one out, such as gap_runner, but {game.name} cannot; "
            "look at where attempts end instead."
        )
    if game.version != manifest["game_version"]:
        raise RunFolderError(
            f"{folder} was played by version {manifest['game_version']} of {game.name}, and here is version "
            f"{game.version}; use the Flowdial that wrote it."
        )
    seed, shared = int(manifest["seed"]), manifest["tallies"]["scheme"]["cluster"] != "player"
    groups = _chosen_rows(table, endings, [str(name) for name in manifest["cohorts"]], level, attempts)
    if level is not None and not groups:
        raise ScenarioError(f"{folder} has no attempts on level {level}; name one that was played.")
    work = [
        (cohort, number, place, rows)
        for (cohort, number), rows in groups.items()
        for place in range(1, int(rows["end_place"].max()) + 1)
    ]
    on_message(_how_long(game, [rows for *_, rows in work], [place for _, _, place, _ in work], seed))
    watch: dict[tuple[int, int, int], int] = {}
    for spot, row in endings.rows.items():
        if spot.cause:
            watch[spot[:3]] = min(watch.get(spot[:3], row), row)
    costs = []
    for cohort, number, place, rows in work:
        cluster = rows["replica"] if shared else rows["replica"] * 2**32 + rows["player"]
        found = place_cost(game, rows, place, seed, cluster)
        costs.append(PlaceCost(cohort, number, place, found, len(rows), watch.get((cohort, number, place), -1)))
    return sorted(costs, key=lambda one: (-one.difference.value, one.cohort, one.level, one.place))


def _how_long(game: Game, groups: list[_Rows], places: list[int], seed: int) -> str:
    """How many attempts are played again, and about how long it takes."""
    count = sum(int((rows["end_place"] >= place).sum()) for rows, place in zip(groups, places, strict=True))
    probe = groups[0][:_PROBE]
    won_without(game, probe[:1], 1, seed)  # compiles
    begin = time.perf_counter()
    won_without(game, probe, 1, seed)
    seconds = (time.perf_counter() - begin) / max(int((probe["end_place"] >= 1).sum()), 1) * count
    about = f"about {seconds:.0f} s" if seconds >= 1.0 else "less than a second"
    return f"{count:,} attempts are played again, each without one {game.place_noun}; that takes {about}."


def _chosen_rows(
    table: AttemptTable, endings: Endings, cohorts: list[str], level: int | None, most: int
) -> dict[tuple[int, int], _Rows]:
    """_Rows of each cohort and level, evenly over all of them, at most so many."""
    import pyarrow as pa

    total: dict[tuple[int, int], int] = {}
    for spot, count in endings.counts.items():
        if level in (None, spot.level):
            total[spot[:2]] = total.get(spot[:2], 0) + count
    seen = dict.fromkeys(total, 0)
    kept: dict[tuple[int, int], list[_Rows]] = {key: [] for key in sorted(total)}
    try:
        for rows in _batches(table, cohorts):
            rows = rows[rows["outcome"] != FAILED]
            for key in kept:
                own = rows[(rows["cohort"] == key[0]) & (rows["level"] == key[1])]
                number = seen[key] + np.arange(len(own))
                seen[key] += len(own)
                few = min(most, total[key])
                kept[key].append(own[(number + 1) * few // total[key] > number * few // total[key]])
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise RunFolderError(f"{table.path} cannot be read: {' '.join(str(fault).split())[:300]}") from None
    return {key: np.concatenate(parts) for key, parts in kept.items()}


def _batches(table: AttemptTable, cohorts: list[str]) -> Iterator[_Rows]:
    """The rows of a table as kernels take them."""
    knobs = {f"param_{knob.name}": knob for knob in table.game.space}
    names = {"cohort", "outcome", *_WHOLE, *Faculties._fields, *knobs}
    columns = [column for column in table.columns if column.name in names]
    words: Mapping[str, list[Any]] = {"cohort": cohorts, "outcome": list(OUTCOMES)}
    for batch in row_batches_of(table.path, columns):
        rows = np.zeros(batch.num_rows, row_type(len(knobs) + len(table.numbers_on(1)), 0))
        rows["layout_seed"] = RUNS_OWN
        for column in columns:
            cells = batch.column(column.name)
            if column.name in words:
                rows[column.name] = _codes(cells, words[column.name])
            elif column.name in knobs:
                knob = knobs[column.name]
                place = table.game.space.names.index(knob.name)
                rows["params"][:, place] = (
                    _codes(cells, list(knob.choices)) if knob.choices else _numbers(column, cells)
                )
            else:
                rows[column.name] = _numbers(column, cells)
        if table.made:
            rows["params"][:, len(knobs) :] = np.array(table.made)[_levels(rows, len(table.made))]
        yield rows


def _levels(rows: _Rows, count: int) -> npt.NDArray[np.int64]:
    """Places in the list of levels. Raises ValueError for a level that is not in it."""
    level: npt.NDArray[np.int64] = rows["level"]
    if len(level) and not 1 <= level.min() <= level.max() <= count:
        raise ValueError(f"a level must be one of the {count} that were made by hand")
    return level - 1


def _codes(cells: Any, words: list[Any]) -> npt.NDArray[np.int64]:
    """Words of a column as their places in a list. Raises ValueError for one that is not in it."""
    places = np.array([words.index(word) for word in cells.dictionary.to_pylist()], np.int64)
    codes: npt.NDArray[np.int64] = places[cells.indices.to_numpy(zero_copy_only=False)]
    return codes


def _numbers(column: Column, cells: Any) -> Any:
    """Numbers of a column. Raises ValueError for one out of its range."""
    numbers = cells.to_numpy(zero_copy_only=False)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    if not ((numbers >= low) & (numbers <= high)).all():
        raise ValueError(f"{column.name} has a value outside of its range")
    return numbers
