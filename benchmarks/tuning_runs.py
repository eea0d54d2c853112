"""Whether runs keep what a study promises: `python -m benchmarks.tuning_runs`.

Each study tunes a game towards targets that a hidden setting meets (benchmarks.tuning_games), or the game of
benchmarks.doors, two of whose knobs are staircases. Then `tuned.toml` is run with another seed and so many players that
the run's own noise is small beside the study's intervals. The table shows how often the run's win rates of all groups
lie inside the study's simultaneous intervals, which should be in 95 % of the studies. It also shows how often a study
says that all targets are met, and how often the run then has a group outside its target, which should be in at most
5 %.

Whether intervals are as wide as they say shows in fewer studies by how far runs lie from them: each distance is divided
by the standard error of study and run together, by the normal distribution. The root of its mean square is then near 1,
and its mean near 0. Intervals by Student's t are a few percent wider, which makes it a little smaller.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.tuning_games import GAMES, hidden_targets, scenario_text
from engine.inference.intervals import CONFIDENCE, normal_half_width

DOORS: Final = "doors"
BUDGETS: Final = {**dict.fromkeys(GAMES, 100_000), DOORS: 60_000}
PLAYERS: Final = {**dict.fromkeys(GAMES, 60_000), DOORS: 12_000}  # of a run: few stay until they are judged
_DOORS_TEXT: Final = """format = 1
seed = 1
game.name = "doors"
dial = { floor = 0.0, ceiling = 1.0 }
target = { win_rate = 0.75, tolerance = 0.03, after_attempts = 20 }
players.count = 200
horizon = { days = 7, attempts_per_player = 100 }
"""


class Result(NamedTuple):
    """What came of one study and the run of its first option."""

    inside: bool  # all win rates of the run lie in the study's intervals
    claimed: bool  # the study says that all targets are met
    kept: bool  # and the run has all groups inside their targets
    widest: float  # half width of an interval
    miss: float  # largest distance of a win rate of the run from the measured one, in half widths
    seconds: float
    errors: tuple[float, ...]  # by group: distance of the two win rates, in standard errors of both together


class RunRate(NamedTuple):
    """What a run says of a group."""

    rate: float
    low: float  # margin at 95 %
    high: float


def studied(game: str, seed: int, budget: int, players: int) -> Result:
    """One study by the command itself, and the run of tuned.toml."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*_with_doors(folder), *sys.path])}
        path = folder / "scenario.toml"
        text = _DOORS_TEXT if game == DOORS else scenario_text(game, hidden_targets(game, seed, folder))
        path.write_text(text, encoding="utf-8")
        began = time.perf_counter()
        study = folder / "study"
        _flowdial(["tune", str(path), "--budget", str(budget), "--seed", str(seed), "--out", str(study)], environment)
        seconds = time.perf_counter() - began
        fresh = ["--seed", str(500_000 + seed), "--set", f"players.count={players}", "--out", str(folder / "run")]
        _flowdial(["run", str(study / "tuned.toml"), *fresh], environment)
        with (folder / "run" / "summary.csv").open(encoding="utf-8", newline="") as table:
            rates = {
                row["cohort"]: RunRate(*(float(row[name]) for name in ("win_rate", "win_rate_low", "win_rate_high")))
                for row in csv.DictReader(table)
            }
        return judged(json.loads((study / "answer.json").read_text(encoding="utf-8")), rates, seconds)


def judged(answer: dict[str, Any], rates: dict[str, RunRate], seconds: float) -> Result:
    """A study beside the win rates of its run."""
    segments = answer["options"][0]["segments"]
    halves = {name: (one["interval"][1] - one["interval"][0]) / 2.0 for name, one in segments.items()}
    middles = {name: sum(one["interval"]) / 2.0 for name, one in segments.items()}
    bands = answer["targets"]
    z = normal_half_width(CONFIDENCE ** (1.0 / (len(segments) * len(answer["options"]))))
    run_z = 2.0 * normal_half_width()
    errors = {name: math.hypot(halves[name] / z, (rates[name].high - rates[name].low) / run_z) for name in segments}
    return Result(
        all(one["interval"][0] <= rates[name].rate <= one["interval"][1] for name, one in segments.items()),
        answer["met"],
        all(low <= rates[name].rate <= high for name, (low, high) in bands.items()),
        max(halves.values()),
        max(abs(rates[name].rate - middles[name]) / halves[name] for name in segments),
        seconds,
        tuple((rates[name].rate - middles[name]) / errors[name] for name in segments),
    )


def _with_doors(folder: Path) -> list[str]:
    """A folder in which the game of benchmarks.doors is an installed plug-in."""
    info = folder / "plugins" / "doors-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: doors\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.games]\ndoors = benchmarks.doors:GAME\n")
    return [str(info.parent)]


def _flowdial(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "sims", *arguments, "--quiet"], check=True, capture_output=True, env=environment
    )


def line(game: str, results: list[Result]) -> str:
    """A row of the table."""
    count = len(results)
    inside, claimed = sum(one.inside for one in results), sum(one.claimed for one in results)
    false = sum(one.claimed and not one.kept for one in results)
    widest = sorted(one.widest for one in results)[count // 2]
    slow = sorted(one.seconds for one in results)[count // 2]
    errors = np.concatenate([one.errors for one in results])
    away = f"{np.sqrt((errors**2).mean()):.2f}, mean {errors.mean():+.2f}"
    share = f"{inside} ({inside / count:.0%})"
    return f"| {game} | {count} | {share} | {away} | {claimed} | {false} | {widest:.4f} | {slow:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", nargs="+", default=list(BUDGETS), choices=BUDGETS)
    parser.add_argument("--studies", type=int, default=15, metavar="N", help="of each game")
    parser.add_argument("--first-seed", type=int, default=7000, metavar="N")
    parser.add_argument("--budget", type=int, metavar="N", help="attempts of a study (default: that of the docs)")
    parser.add_argument("--players", type=int, metavar="N", help="of a run (default: that of the docs)")
    options = parser.parse_args()
    print(
        "| game | studies | run inside | distance in standard errors: root mean square | said met | falsely "
        "| half width (median) | seconds (median) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    found: list[Result] = []
    for game in options.games:
        budget = options.budget or BUDGETS[game]
        results = []
        for seed in range(options.first_seed, options.first_seed + options.studies):
            results.append(studied(game, seed, budget, options.players or PLAYERS[game]))
            print(f"  {game} {seed}: {results[-1]}", file=sys.stderr, flush=True)
        print(line(game, results), flush=True)
        found += results
    if len(options.games) > 1:
        print(line("all", found))


if __name__ == "__main__":
    main()
