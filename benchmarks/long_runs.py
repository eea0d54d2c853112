"""Does memory stay flat in a long run and in many runs of one process? `python -m benchmarks.long_runs`.

Two measurements, Linux only, each held against its limit; the exit code is 1 when one is missed. One run of ten million
attempts on two workers: the peak of each process's memory in the first fifth of the chunks and how it grew until the
last one; and of the main process until the end, when the tables are put together and the report is drawn, against that
of a run of a fifth of the attempts, since the libraries for that are loaded whatever the size. And a thousand small
runs in one process: open files, threads and memory after the first of them, after a fifth and at the end. Nearly all
that they leave comes with the first ten, in which libraries are loaded and buffers grow, so it is held against the
limit from the first fifth on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple
from unittest import mock

from benchmarks.cases import ATTEMPTS
from benchmarks.fresh import ROOT, peak_bytes
from benchmarks.rows import SCENARIO
from sims.run_folder.folder import CHUNKS, PARTIAL

LONG_MB: Final = 8.0  # that a process of the long run may grow by after the first fifth
MANY_MB: Final = 20.0  # that a process may grow by in many runs after the first fifth
_LOOK_S: Final = 0.05
# The command line, and then the peak of its memory: whoever looks at it from outside may come too late for that.
_RUN: Final = """
import sys
from sims.cli.app import main
code = main(sys.argv[1:])
with open("/proc/self/status") as file:
    print(*[line.split()[1] for line in file if line.startswith("VmHWM")])
sys.exit(code)
"""
_MEGABYTE: Final = 10**6


class Growth(NamedTuple):
    """Peaks of resident memory so far, MB."""

    process: str
    first: float  # in the first fifth of the chunks
    played: float  # until the last chunk
    ended: float  # until the end


def long_run(attempts: int, workers: int, file_format: str) -> list[Growth]:
    """How the memory of each process of one run grows."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "long.toml")
        scenario.write_text(SCENARIO.format(players=attempts // ATTEMPTS, attempts=ATTEMPTS), encoding="utf-8")
        words = ["run", str(scenario), "--out", str(Path(folder, "run")), "--quiet", "--workers", str(workers)]
        command = [sys.executable, "-c", _RUN, *words, "--format", file_format]
        seen: list[tuple[int, dict[int, float]]] = []
        parts = Path(folder, f"run{PARTIAL}", CHUNKS)
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                sizes = {number: peak_bytes(number) / _MEGABYTE for number in family(process.pid)}
                seen.append((_done(parts), sizes))
                time.sleep(_LOOK_S)
            said = process.communicate()[0]
        if process.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with exit code {process.returncode}")
    seen.append((0, {process.pid: 1024 * int(said.split()[-1]) / _MEGABYTE}))
    most = max(done for done, _ in seen)
    last = next(n for n, (done, _) in enumerate(seen) if done == most)
    found = []
    for number in {number for _, sizes in seen for number in sizes}:
        spans = (
            [sizes.get(number, 0.0) for done, sizes in seen[: last + 1] if done <= most / 5],
            [sizes.get(number, 0.0) for _, sizes in seen[: last + 1]],
            [sizes.get(number, 0.0) for _, sizes in seen],
        )
        peaks = [max(span, default=0.0) for span in spans]
        if number == process.pid or peaks[1] > 64:  # not the standard library's helper
            name = "main" if number == process.pid else f"worker {number}"
            found.append(Growth(name, *peaks))
    return found


def _done(parts: Path) -> int:
    """How many chunks have a record."""
    try:
        return sum(name.endswith(".json") for name in os.listdir(parts))
    except FileNotFoundError:  # not there yet, or not any more
        return 0


def family(parent: int) -> list[int]:
    """A process and its children."""
    try:
        words = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return []
    return [parent, *map(int, words)]


def resident() -> float:
    """Memory of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) / _MEGABYTE for line in lines if line.startswith("VmRSS"))


def many_runs(count: int) -> list[tuple[int, int, float]]:
    """Open files, threads and MB after the first of so many runs in one fresh process, a fifth of them, and all."""
    code = f"from benchmarks.long_runs import repeat; repeat({count})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [tuple(item) for item in json.loads(done.stdout.splitlines()[-1])]


def repeat(count: int) -> None:
    """Run a small scenario so often; charts are drawn in one run of fifty, since they take ten times as long."""
    from engine.scenario import parse
    from sims.catalog import Catalog
    from sims.runs.execution import run

    found = []
    scenario = parse(SCENARIO.format(players=4, attempts=50).encode(), "small.toml", Catalog())
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        said, sys.stdout = sys.stdout, nowhere
        for turn in range(1, count + 1):
            drawn = turn % 50 == 1
            with (
                contextlib.nullcontext()
                if drawn
                else mock.patch("sims.reports.report.report_page", lambda facts: facts.title)
            ):
                run(scenario, out=Path(folder, str(turn)), workers=1)
            if turn in (1, count // 5, count):
                files, threads = (len(os.listdir(f"/proc/self/{name}")) for name in ("fd", "task"))
                found.append((files, threads, resident()))
        sys.stdout = said
    sys.stdout.write(json.dumps(found) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_runs", description=__doc__)
    parser.add_argument("--attempts", type=int, default=10_000_000, metavar="N", help="of the long run")
    parser.add_argument("--runs", type=int, default=1_000, metavar="N", help="small runs in one process")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of rows (default: csv)")
    chosen = parser.parse_args()
    print(f"{chosen.runs:,} runs in one process: open files, threads, MB after the first, a fifth and all of them")
    found = many_runs(chosen.runs)
    for files, threads, memory in found:
        print(f"{files:>8}{threads:>8}{memory:>10.1f}", flush=True)
    _, fifth, last = found
    good = [
        _held("open files more after the first fifth", last[0] - fifth[0], 0),
        _held("threads more after the first fifth", last[1] - fifth[1], 0),
        _held("MB more after the first fifth", last[2] - fifth[2], MANY_MB),
    ]
    print(f"{chosen.attempts:,} attempts: peak MB of the first fifth, growth until the last chunk")
    small, large = (long_run(attempts, 2, chosen.format) for attempts in (chosen.attempts // 5, chosen.attempts))
    for item in large:
        print(f"{item.process:<16}{item.first:>10.1f}{item.played - item.first:>10.1f}")
    print("main until the end: peak MB with a fifth of the attempts, growth with all of them")
    ends = [item.ended for item in (*small, *large) if item.process == "main"]
    print(f"{ends[0]:>26.1f}{ends[1] - ends[0]:>10.1f}")
    grown = max(ends[1] - ends[0], *(item.played - item.first for item in large))
    good.append(_held("MB more after the first fifth of the long run", grown, LONG_MB))
    return 0 if all(good) else 1


def _held(what: str, found: float, limit: float) -> bool:
    print(f"{what}: {found:.1f}, at most {limit:g}: {'kept' if found <= limit else 'MISSED'}", flush=True)
    return found <= limit


if __name__ == "__main__":
    sys.exit(main())
