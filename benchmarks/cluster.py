"""What a Ray cluster of two nodes on this machine costs against two workers of it, and what a killed node changes.

python -m benchmarks.cluster speed   rows per second and the cost of a task, in turns in one run
python -m benchmarks.cluster kills   runs in which a node is killed at a random moment
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario
from sims.catalog import load_scenario
from sims.runs.execution import run
from sims.runs.progress import RunProgress
from sims.workers.execution_place import executor_of
from tests.kit.ray_nodes import TwoNodes, digests, two_nodes

_SEED: Final = 18
_TASKS: Final = 400
_PLACES: Final[dict[str, dict[str, Any]]] = {"two workers": {"workers": 2}, "two nodes": {"on": "ray"}}


def scenario(players: int) -> Scenario:
    """Simulated attempts that cost little, so that what is around them shows."""
    return load_scenario("arena/stationary", **{"players.count": players, "horizon.attempts_per_player": 200})


def nothing(argument: Any) -> Any:
    return argument


def sleep(shared: Any, seconds: float) -> float:
    """A task that needs no core."""
    time.sleep(seconds)
    return seconds


def speed(players: int, turns: int) -> None:
    """Print what a run and a task cost in each place."""
    rows: dict[str, list[float]] = {name: [] for name in _PLACES}
    tasks: dict[str, list[float]] = {name: [] for name in _PLACES}
    connects: list[float] = []
    chosen = scenario(players)
    with tempfile.TemporaryDirectory() as place:
        for turn in range(turns + 1):
            for name, where in _PLACES.items():
                played = run(chosen, out=Path(place, f"{name.replace(' ', '-')}-{turn}"), **where)
                seconds = played.manifest["durations_s"]["playing"]
                began = time.perf_counter()
                with executor_of(2 if name == "two workers" else None, where.get("on")) as executor:
                    connected = time.perf_counter() - began
                    with executor.pool(nothing, None, sleep) as pool:
                        list(pool.run(enumerate([0.0] * 16)))  # all workers have started
                        began = time.perf_counter()
                        list(pool.run(enumerate([0.05] * _TASKS)))
                        each = (time.perf_counter() - began) * 2.0 / _TASKS - 0.05
                if turn:
                    rows[name].append(played.manifest["rows"] / seconds)
                    tasks[name].append(each * 1e3)
                    connects += [connected] if name == "two nodes" else []
    print(f"{'':12} {'rows/s, start included':>24} {'ms per task of 50 ms':>22}")
    for name in _PLACES:
        print(f"{name:12} {statistics.median(rows[name]):24,.0f} {statistics.median(tasks[name]):22.2f}")
    shares = [there / here for here, there in zip(*rows.values(), strict=True)]
    share = statistics.median(shares)
    print(f"rows/s of two nodes over two workers: {share:.2f} ({min(shares):.2f} to {max(shares):.2f})")
    print(f"seconds to connect: {statistics.median(connects):.1f}")


def kills(nodes: TwoNodes, players: int, times: int) -> int:
    """Kill the second node once in each run; print and return how many runs differ from one that nobody disturbed."""
    moments = random.Random(_SEED)
    chosen = scenario(players)
    unlike = 0
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        truth = digests(run(chosen, out=Path(place, "undisturbed"), on="ray").folder)
        whole_s = time.perf_counter() - began
        for number in range(times):
            at = moments.random()
            listener = Killer(nodes, at)
            began = time.perf_counter()
            played = run(chosen, out=Path(place, f"killed-{number}"), on="ray", on_progress=listener)
            seconds = time.perf_counter() - began
            equal = digests(played.folder) == truth
            unlike += not equal
            state = "equal" if equal else "NOT EQUAL"
            print(f"killed at {at:4.0%}: {state}, {seconds:.1f} s (undisturbed {whole_s:.1f} s)", flush=True)
            nodes.start_second()
    print(f"{times - unlike} of {times} equal")
    return unlike


class Killer:
    """Kills the second node when so large a share of the players is done."""

    def __init__(self, nodes: TwoNodes, at: float) -> None:
        self._kill: Callable[[], None] | None = nodes.kill_second
        self._at = at

    def __call__(self, progress: RunProgress) -> None:
        if self._kill is not None and progress.done >= self._at * progress.total:
            self._kill()
            self._kill = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two; the exit code is 1 where a run differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "kills"))
    parser.add_argument("--players", type=int, default=20_000, help="with 200 attempts each")
    parser.add_argument("--times", type=int, default=10, help="runs with a kill")
    parser.add_argument("--turns", type=int, default=3, help="of the measurement, after one that does not count")
    chosen = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with two_nodes() as nodes:
        if chosen.what == "kills":
            return int(kills(nodes, chosen.players, chosen.times) > 0)
        speed(chosen.players, chosen.turns)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
