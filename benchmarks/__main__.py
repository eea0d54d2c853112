"""Measure speed and memory in one interleaved run and print them beside what is promised: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.cases import (
    RULES,
    TRIVIAL,
    Agreement,
    Bare,
    agreement,
    batch,
    duel_agreement,
    duel_rows,
    duels,
    naive,
    naive_duels,
    raw_simpy,
    setup,
    world,
)
from benchmarks.exports import AS_A_RUN, RUN_TO_CSV, RUN_TO_PARQUET, TO_CSV, TO_PARQUET, written, written_by_a_run
from benchmarks.fresh import MEBIBYTE, first_attempt_s, first_rows_s, peak_bytes, peak_memory
from benchmarks.timing import Item, Ratio, Samples, measure, quotient, rate, verdict
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC

PACKAGES: Final = ("numpy", "numba", "simpy", "pyarrow")
FIRST_FLOOR_S: Final = 2.0
FIRST_AIM_S: Final = 1.0

RAW: Final = "raw SimPy, 1,000 processes"
RATIOS: Final = (
    Ratio("batch, one core / naive twin (gap_runner)", "batch gap_runner, one core", "naive gap_runner", 200.0, 600.0),
    Ratio("batch, one core / naive twin (boss_duel)", "batch boss_duel, one core", "naive boss_duel", 150.0, 400.0),
    *(
        Ratio(f"sessions / bare kernel ({name})", f"sessions, {name}", f"bare kernel, {name}", 0.5, 0.8)
        for name in RULES
    ),
    Ratio("attempts, own controllers / raw SimPy", "attempts, own controllers", RAW, 0.2, 0.35),
    Ratio("attempts, shared controller / raw SimPy", "attempts, shared controller", RAW, 0.2, 0.35),
    Ratio("two cores / one (gap_runner)", "batch gap_runner, two threads", "batch gap_runner, one thread", 1.5, 1.8),
    Ratio("two cores / one (logistic)", "batch logistic, two threads", "batch logistic, one thread", 1.5, 1.8),
    AS_A_RUN,
)


class Size(NamedTuple):
    """How much work."""

    turns: int
    naive: int  # attempts at each setting
    agree: int  # attempts at each setting for the comparison of win rates
    players: int  # of the world
    batch: int  # players of gap_runner and boss_duel; fifty times as many of logistic
    events: int
    memory: int  # players


FULL: Final = Size(turns=7, naive=40, agree=400, players=1_000, batch=8_000, events=200_000, memory=5_000)
QUICK: Final = Size(turns=1, naive=4, agree=60, players=20, batch=100, events=5_000, memory=50)


def items(size: Size) -> list[Item]:
    shared = setup(TRIVIAL, size.players, scope="everyone")
    own = setup(TRIVIAL, size.players)
    found = [
        Item(RAW, "events/s", lambda: raw_simpy(1_000, size.events)),
        Item("raw SimPy, 100 processes", "events/s", lambda: raw_simpy(100, size.events)),
        Item("attempts, own controllers", "attempts/s", lambda: world(own)),
        Item("attempts, shared controller", "attempts/s", lambda: world(shared)),
    ]
    for name, kind in RULES.items():
        found += _sessions(name, Bare(setup(kind, size.players)), setup(kind, size.players))
    found += [
        Item("naive gap_runner", "attempts/s", lambda: naive(size.naive, 1)),
        Item("batch gap_runner, one core", "attempts/s", lambda: batch(GAP_RUNNER, size.batch, 1)),
        Item("naive boss_duel", "attempts/s", lambda: naive_duels(5 * size.naive, 1)),
        Item("batch boss_duel, one core", "attempts/s", lambda: duels(size.batch)),
        Item("batch boss_duel, a row each", "attempts/s", lambda: duel_rows(size.batch)),
        Item("batch logistic, one core", "attempts/s", lambda: batch(LOGISTIC, 50 * size.batch, 1)),
    ]
    for threads, word in ((1, "one thread"), (2, "two threads")):
        found += _threaded(threads, word, size)
    found += [
        Item(RUN_TO_CSV, "rows/s", lambda: written_by_a_run(size.players, "csv")),
        Item(RUN_TO_PARQUET, "rows/s", lambda: written_by_a_run(size.players, "parquet")),
        Item(TO_CSV, "rows/s", lambda: written(size.players, "csv")),
        Item(TO_PARQUET, "rows/s", lambda: written(size.players, "parquet")),
    ]
    return found


def _sessions(name: str, bare: Bare, of: Any) -> list[Item]:
    if not bare.same_rows():
        raise AssertionError(f"{name}: the bare kernel and the world differ in a row, so their rates say nothing")
    return [
        Item(f"bare kernel, {name}", "attempts/s", bare.run),
        Item(f"sessions, {name}", "attempts/s", lambda: world(of)),
    ]


def _threaded(threads: int, word: str, size: Size) -> list[Item]:
    def gaps() -> int:
        return batch(GAP_RUNNER, size.batch, threads)

    def closed_form() -> int:
        return batch(LOGISTIC, 50 * size.batch, threads)

    return [
        Item(f"batch gap_runner, {word}", "attempts/s", gaps, two_cores=True),
        Item(f"batch logistic, {word}", "attempts/s", closed_form, two_cores=True),
    ]


def machine() -> dict[str, Any]:
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def show_rates(found: list[Item], samples: Samples) -> None:
    print(f"\n{'rate (median; lowest to highest)':<44}{'per second':>14}")
    for item in found:
        median, low, high = rate(samples, item.name)
        print(f"{item.name:<44}{median:>14,.0f} {item.unit:<11} {low:,.0f} to {high:,.0f}")


def show_ratios(samples: Samples) -> None:
    print(f"\n{'ratio (median; lowest to highest)':<44}{'':>10}{'floor':>8}{'aim':>8}")
    for ratio in RATIOS:
        median, low, high = quotient(samples, ratio)
        words = verdict(median, ratio.floor, ratio.aim)
        print(f"{ratio.name:<44}{median:>10.3g}{ratio.floor:>8g}{ratio.aim:>8g}  {words} ({low:.3g} to {high:.3g})")


def show_agreement(found: list[Agreement]) -> None:
    print("\nnaive twins and product: win rate, ticks per attempt; differences (duration, too) in standard errors")
    for row in found:
        print(
            f"  {row.game:<10} dial {row.dial:<5g} naive {row.naive:.3f} {row.naive_ticks:>6.1f}"
            f"  product {row.product:.3f} {row.product_ticks:>6.1f}"
            f"  {row.errors:+.1f} {row.tick_errors:+.1f} {row.second_errors:+.1f}"
        )


def agreed_on(attempts: int) -> list[Agreement]:
    """The comparison of naive twins and product. Raises AssertionError where they are not the same game."""
    found = [*agreement(attempts), *duel_agreement(5 * attempts)]
    for row in found:
        if not row.same:
            raise AssertionError(f"naive twin and product play different games, so their rates say nothing: {row}")
    return found


def show_fresh(found: dict[str, float]) -> None:
    print("\na process of its own, kernels from the cache")
    for name in ("first attempt", "first rows of a run"):
        seconds = found[name]
        words = verdict(-seconds, -FIRST_FLOOR_S, -FIRST_AIM_S)
        print(f"  {name:<42}{seconds:>8.2f} s  (at most {FIRST_FLOOR_S:g} s, aim {FIRST_AIM_S:g} s: {words})")
    for name in ("memory with everything loaded", "peak memory of a run", "peak memory of these measurements"):
        print(f"  {name:<42}{found[name] / MEBIBYTE:>8.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little work: to see that it runs, not to quote")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all samples to a file, too")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL

    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    agreed = agreed_on(size.agree)
    found = items(size)
    samples = measure(found, size.turns)
    show_rates(found, samples)
    show_ratios(samples)
    show_agreement(agreed)
    loaded, peak = peak_memory(size.memory)
    fresh = {
        "first attempt": first_attempt_s(size.turns),
        "first rows of a run": first_rows_s(size.turns),
        "memory with everything loaded": loaded,
        "peak memory of a run": peak,
        "peak memory of these measurements": peak_bytes(),
    }
    show_fresh(fresh)
    if chosen.json:
        ratios = {ratio.name: quotient(samples, ratio).median for ratio in RATIOS}
        whole = {
            "machine": about,
            "samples": samples,
            "ratios": ratios,
            "agreement": [row._asdict() for row in agreed],
            "fresh": fresh,
        }
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
