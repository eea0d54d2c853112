"""Where the attempts of a run ended, read from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.errors import RunFolderError
from engine.game import FAILED, LOST, OUTCOMES, TIMED_OUT
from engine.places.endings import PASSED, TIME_LIMIT, Endings
from sims.reports.row_batches import BatchArrays, batches, column_names

PLACE_COLUMNS: Final = ("level", "end_place")  # of rows of games that name places
_COLUMNS: Final = ("cohort", "outcome", "cause", *PLACE_COLUMNS)


def has_places(path: Path) -> bool:
    """Whether a table of attempts says where they ended: not that of every game, nor of older versions."""
    return set(PLACE_COLUMNS) <= set(column_names(path))


def add_endings(endings: Endings, batch: BatchArrays, first: int) -> None:
    """Add a batch of rows. first: number of its first row. Raises ValueError for a place that is none."""
    words, outcome = batch.words("outcome")
    kind = np.array([OUTCOMES.index(word) for word in words], np.int64)[outcome]
    causes, cause = batch.words("cause")
    names = [*(word or "no cause" for word in causes), TIME_LIMIT, PASSED]
    ending = np.where(kind == LOST, cause, np.where(kind == TIMED_OUT, len(causes), len(causes) + 1))
    played = kind != FAILED
    level, place = (batch.numbers(name) for name in PLACE_COLUMNS)
    if played.all():
        endings.add(batch.cohort, level, place, ending, names, first)
        return
    rows = first + np.flatnonzero(played)
    for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):  # rows one after the other
        if len(run):
            here = rows[run] - first
            endings.add(batch.cohort[here], level[here], place[here], ending[here], names, int(rows[run[0]]))


def read_endings(folder: Path, manifest: Mapping[str, Any]) -> Endings | None:
    """Where the attempts of a run ended; None where its rows do not say it.

    Raises RunFolderError when the table cannot be read.
    """
    import pyarrow as pa

    path = folder / f"attempts.{manifest['format']}"
    endings, rows = Endings(), 0
    try:
        if not has_places(path):
            return None
        for batch in batches(path, _COLUMNS, {}, None):
            add_endings(endings, BatchArrays(batch, [str(name) for name in manifest["cohorts"]]), rows)
            rows += batch.num_rows
    except (OSError, KeyError, ValueError, pa.ArrowException) as fault:
        raise RunFolderError(f"the tables of {folder} must be as the run wrote them, but: {fault}") from None
    return endings
