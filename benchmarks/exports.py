"""What it costs to write rows, a million of them: `python -m benchmarks.exports`.

Processor time, of rows of logistic that were played before. "as a run": all that a run does from there, the parts of
its chunks, the table that is put together from them, checksums, players and sessions. "alone": nothing but the one file
of attempts. A workbook is written from a hundredth of the rows.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.cases import ATTEMPTS
from benchmarks.cases import setup as setup_of
from benchmarks.timing import Item, Ratio, measure, quotient, rate, verdict
from controllers.adaptive.kalman import CONTROLLER as KALMAN
from engine.record import Format, attempt_batch, csv_header, write_csv, write_parquet
from engine.world import Chunk, Played, chunks, simulate
from sims.run_folder.data_package import Resource
from sims.run_folder.files import new_file
from sims.runs.chunks import CHUNKS, Job, job_of, write_chunk
from sims.runs.tables import write_tables
from sims.runs.workbook import write_workbook

Form = Literal["csv", "parquet", "xlsx"]

RUN_TO_CSV: Final = "CSV, as a run"
RUN_TO_PARQUET: Final = "Parquet, as a run"
TO_CSV: Final = "CSV, alone"
TO_PARQUET: Final = "Parquet, alone"
AS_A_RUN: Final = Ratio("CSV / Parquet, as a run", RUN_TO_CSV, RUN_TO_PARQUET, 1.0 / 3.0, 0.5)
_TO_WORKBOOK: Final = "workbook"
_RATIOS: Final = (
    AS_A_RUN,
    Ratio("CSV / Parquet, alone", TO_CSV, TO_PARQUET, 0.0, 0.0),
    Ratio("workbook / Parquet, alone", _TO_WORKBOOK, TO_PARQUET, 0.0, 0.0),
)
_SLICE: Final = 65_536


@cache
def _played(players: int) -> tuple[tuple[Chunk, Played], ...]:
    setup = setup_of(KALMAN, players)
    return tuple((chunk, simulate(setup, chunk)) for chunk in chunks(setup))


def _job(folder: str, players: int, form: Format) -> Job:
    return job_of(Path(folder), setup_of(KALMAN, players), 20, form)


def written_by_a_run(players: int, form: Format) -> int:
    """Write all tables of so many players as a run does; the number of attempts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, CHUNKS).mkdir()
        job = _job(folder, players, form)
        records = [write_chunk(job, chunk, played) for chunk, played in _played(players)]
        return write_tables(job, records)[0][3]


def written(players: int, form: Form) -> int:
    """Write the attempts of so many players to one file; the number of its rows."""
    return _written(players, form)[0]


def _written(players: int, form: Form) -> tuple[int, int]:
    """Rows and bytes of the file."""
    count = sum(len(played.rows) for _, played in _played(players))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows")
        sheet = _job(folder, players, "csv").sheets[0]
        if form == "xlsx":
            write_workbook(path, [(Resource(sheet, "", count), _batches(sheet, players))])
            return count, path.stat().st_size
        with new_file(path) as sink:
            if form == "csv":
                sink.write(csv_header(sheet.columns))
                write_csv(sink, _batches(sheet, players))
            else:
                write_parquet(sink, sheet.columns, _batches(sheet, players))
    return count, sink.content.bytes


def _batches(sheet: Any, players: int) -> Iterator[Any]:
    for _, played in _played(players):
        for first in range(0, len(played.rows), _SLICE):
            yield attempt_batch(sheet, played.rows[first : first + _SLICE])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="about so many (default: a million)")
    parser.add_argument("--turns", type=int, default=7, metavar="N", help="how often (default: 7)")
    chosen = parser.parse_args()
    players = max(chosen.rows // ATTEMPTS, 100)
    items = [
        Item(RUN_TO_CSV, "rows/s", lambda: written_by_a_run(players, "csv")),
        Item(RUN_TO_PARQUET, "rows/s", lambda: written_by_a_run(players, "parquet")),
        Item(TO_CSV, "rows/s", lambda: written(players, "csv")),
        Item(TO_PARQUET, "rows/s", lambda: written(players, "parquet")),
        Item(_TO_WORKBOOK, "rows/s", lambda: written(players // 100, "xlsx")),
    ]
    samples = measure(items, chosen.turns)
    for item in items:
        median, low, high = rate(samples, item.name)
        print(f"{item.name:<28}{median:>12,.0f} rows/s ({low:,.0f} to {high:,.0f})")
    for ratio in _RATIOS:
        median, low, high = quotient(samples, ratio)
        words = f", {verdict(median, ratio.floor, ratio.aim)}" if ratio.floor else ""
        print(f"{ratio.name:<28}1 / {1.0 / median:.2f} (1 / {1.0 / low:.2f} to 1 / {1.0 / high:.2f}){words}")
    sizes: tuple[tuple[Form, int], ...] = (("csv", players), ("parquet", players), ("xlsx", players // 100))
    for form, number in sizes:
        rows, size = _written(number, form)
        print(f"{form:<28}{size / rows:>12.0f} bytes a row")


if __name__ == "__main__":
    main()
