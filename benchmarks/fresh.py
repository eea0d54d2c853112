"""What can only be measured in a process of its own: the time to a first attempt, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.cases import TRIVIAL, world
from benchmarks.cases import setup as setup_of

ROOT: Final = Path(__file__).resolve().parents[1]
MEBIBYTE: Final = 2**20
_FIRST: Final = "from benchmarks.fresh import first; first()"
_MEMORY: Final = "from benchmarks.fresh import memory; memory({players})"
_COMMAND: Final = ("run", "quickstart", "--workers", "1", "--quiet")
_TINY: Final = ("--set", "players.count=6", "--set", "horizon.attempts_per_player=30")


def first() -> None:
    """Play one attempt of gap_runner and say so."""
    from benchmarks.cases import batch
    from games.gap_runner import GAME

    batch(GAME, 1, 1)
    sys.stdout.write("played\n")
    sys.stdout.flush()


def memory(players: int) -> None:
    """Play a run's chunks one after another and tell peak memory in bytes, before and after."""
    world(setup_of(TRIVIAL, 1, attempts=1))
    before = peak_bytes()
    world(setup_of(TRIVIAL, players))
    sys.stdout.write(f"{before} {peak_bytes()}\n")


def peak_bytes(process: int | None = None) -> int:
    """Largest resident memory so far of this process, or of another one on Linux; 0 where unknown."""
    try:
        # The system's own account; getrusage would count what the parent held when it started us.
        text = Path(f"/proc/{process or 'self'}/status").read_text()
        return next(1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    if process is not None:
        return 0
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def first_attempt_s(turns: int) -> float:
    """Median time from the start of a Python process to the end of its first attempt, kernels from the cache."""
    spent = []
    for turn in range(turns + 1):
        began = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", _FIRST], cwd=ROOT, stdout=subprocess.PIPE) as process:
            line = process.stdout.readline() if process.stdout else b""
            spent.append(time.perf_counter() - began)
        if process.returncode or line != b"played\n":
            raise RuntimeError(f"the first attempt failed: exit code {process.returncode}, said {line!r}")
        if turn == 0:
            spent.clear()  # the kernels may have been compiled
    return statistics.median(spent)


def first_rows_s(turns: int) -> float:
    """Median time from the start of `flowdial run quickstart` to its first rows on disk, kernels from the cache."""
    spent = []
    for turn in range(turns + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "sims", *_COMMAND, *_TINY, "--out", f"{folder}/run"]
            began = time.perf_counter()
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None and not _has_rows(Path(folder)):
                    time.sleep(0.002)
                took = time.perf_counter() - began
            if process.returncode:
                raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
        if turn:
            spent.append(took)
    return statistics.median(spent)


def _has_rows(folder: Path) -> bool:
    # rglob would trip over files that come and go
    return any("attempts" in name for _, _, files in os.walk(folder) for name in files)


def peak_memory(players: int) -> tuple[int, int]:
    """Peak memory in bytes of a fresh process with everything loaded, and after it played a run."""
    code = _MEMORY.format(players=players)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = done.stdout.split()
    return int(before), int(after)
