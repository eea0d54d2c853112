"""What a row costs from ten thousand to ten million attempts: `python -m benchmarks.rows`.

Two measurements of each size, rows of logistic in a temporary folder. Cost per row: what workers and the end of a run
do, in one fresh process, start-up and report left out. Time and memory: the whole command, with the memory of all its
processes (on Linux). Ten million attempts take minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.cases import ATTEMPTS
from benchmarks.fresh import MEBIBYTE, ROOT, peak_bytes

SCENARIO: Final = """
format = 1
title = "Rows"
seed = 20260101
[game]
name = "logistic"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.55
[controller]
name = "kalman"
[players]
count = {players}
[players.flow]
end_base = -3.6636
end_place = 0.0
[[cohort]]
name = "players"
share = 1.0
[cohort.traits]
quit_frailty = -40.0
session_frailty = 0.0
[horizon]
days = 10000
attempts_per_player = {attempts}
"""
SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)


class Run(NamedTuple):
    """One run of the command line."""

    wall_s: float
    largest: int  # bytes, peak of the largest process
    together: int  # bytes, peak of all processes together
    file: int  # bytes of rows on disk


def run(attempts: int, workers: int, file_format: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        command = [sys.executable, "-m", "sims", "run", str(_scenario(folder, attempts)), "--out", str(out), "--quiet"]
        command += ["--workers", str(workers), "--format", file_format]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            largest, together = _watch(process)
        wall_s = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
        written = next(out.glob("attempts.*")).stat().st_size
        return Run(wall_s, largest, together, written)


def cost_s(attempts: int, file_format: str) -> float:
    """Processor time per row in a fresh process: median of so many repetitions as make a million rows."""
    code = f"from benchmarks.rows import cost; cost({attempts}, {file_format!r}, {max(1_000_000 // attempts, 1)})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(statistics.median(json.loads(done.stdout)))


def cost(attempts: int, file_format: str, times: int) -> None:
    """Play all chunks and put the tables together; print the processor time per row of every repetition."""
    from engine.scenario import load, setup_of
    from engine.world import chunks
    from sims.catalog import Catalog
    from sims.runs.chunks import CHUNKS, job_of, play_chunk
    from sims.runs.tables import write_tables

    spent = []
    for turn in range(times + 1):
        with tempfile.TemporaryDirectory() as folder:
            # The first turn loads the kernels and does not count.
            scenario = load(_scenario(folder, attempts if turn else ATTEMPTS), Catalog())
            setup = setup_of(scenario, Catalog())
            Path(folder, CHUNKS).mkdir()
            job = job_of(Path(folder), setup, scenario.after_attempts, "csv" if file_format == "csv" else "parquet")
            began = time.process_time()
            records = [play_chunk(job, chunk) for chunk in chunks(setup)]
            rows = write_tables(job, records)[0][3]
            if turn:
                spent.append((time.process_time() - began) / rows)
    sys.stdout.write(json.dumps(spent))


def _scenario(folder: str, attempts: int) -> Path:
    path = Path(folder, "rows.toml")
    path.write_text(SCENARIO.format(players=attempts // ATTEMPTS, attempts=ATTEMPTS), encoding="utf-8")
    return path


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Until a process ends: the peak of the largest of it and its children, and the peak of all together, in bytes."""
    largest = together = 0
    while process.poll() is None:
        family = (process.pid, *_children(process.pid))
        largest = max(largest, *(peak_bytes(number) for number in family))
        together = max(together, sum(_share(number) for number in family))
        time.sleep(0.02)
    return largest, together


def _share(process: int) -> int:
    """Memory of a process in bytes, what it shares with others divided among them; 0 where unknown."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            mine = [int(number) for number in task.read_text().split()]
        except OSError:
            continue
        for number in mine:
            found += [number, *_children(number)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1], metavar="N", help="leave larger runs out")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes of the command (default: 1)")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of rows (default: parquet)")
    chosen = parser.parse_args()
    heads = (("attempts", 12), ("us/row", 8), ("rows/s", 10), ("wall s", 8), ("MiB, largest", 14), ("MiB, all", 10))
    print("".join(f"{head:>{width}}" for head, width in heads) + f"{'bytes/row':>11}")
    for attempts in SIZES:
        if attempts <= chosen.most:
            row_s = cost_s(attempts, chosen.format)
            found = run(attempts, chosen.workers, chosen.format)
            print(
                f"{attempts:>12,}{1e6 * row_s:>8.2f}{attempts / found.wall_s:>10,.0f}{found.wall_s:>8.1f}"
                f"{found.largest / MEBIBYTE:>14.0f}{found.together / MEBIBYTE:>10.0f}{found.file / attempts:>11.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
