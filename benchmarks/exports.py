"""Rows to files: what the two formats cost."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Any, Final

from benchmarks.cases import setup as setup_of
from controllers.adaptive.kalman import CONTROLLER as KALMAN
from engine.record import attempt_batch, attempt_sheet, write_csv, write_parquet
from engine.world import belief_columns, chunks, play

_SLICE: Final = 65_536


@cache
def _rows(players: int) -> tuple[Any, tuple[Any, ...]]:
    setup = setup_of(KALMAN, players)
    return attempt_sheet(setup, belief_columns(setup)), tuple(play(setup, chunk).rows for chunk in chunks(setup))


def export(players: int, file_format: str) -> int:
    """Rows of logistic, kernels' records to a file that is thrown away; the number of rows."""
    sheet, parts = _rows(players)
    batches = (
        attempt_batch(sheet, rows[first : first + _SLICE]) for rows in parts for first in range(0, len(rows), _SLICE)
    )
    with tempfile.TemporaryFile() as sink:
        if file_format == "csv":
            write_csv(sink, batches)
        else:
            write_parquet(sink, sheet.columns, batches)
    return sum(len(rows) for rows in parts)
