"""Whether `flowdial tune` meets targets that can be met, on real games: `python -m benchmarks.tuning_games`.

For each game and seed a hidden setting of all knobs is drawn, and what three cohorts win there becomes their targets,
so they can be reached. A study that knows nothing of it has so many attempts; it has met its targets when it says so:
when, on players whom it has never met, the simultaneous interval of every cohort lies within 0.02 of the target.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from engine.batch import Crowd, batch_wins
from engine.scenario import Scenario, load, setup_of
from sims.catalog import Catalog
from sims.tuning.search.search_space import Numbers, search_space_of, values_of
from sims.tuning.whole_runs import held_at, judged_counts, play_block, run_setup

GAMES: Final = ("gap_runner", "tile_match", "boss_duel")
TOLERANCE: Final = 0.02
COHORTS: Final = (("newcomers", -0.7, 0.7), ("regulars", 0.3, 0.6), ("experts", 1.4, 0.5))
PRACTICE: Final = 10  # warm-up attempts
_TRUTH: Final = 4_000  # players of each cohort, playing as in a run, that tell what a hidden setting's targets are
_BLOCK: Final = 400  # of them, who play together
_RATES: Final = (0.15, 0.97)  # of them
_OFF: Final = 0.1  # from some target, at the game's defaults
_SKETCH: Final = 1000  # players of each cohort that tell whether a setting will do


class Result(NamedTuple):
    """What came of one study."""

    met: bool
    attempts: int
    seconds: float  # on a clock, with everything


def scenario_text(game: str, targets: Numbers) -> str:
    """A scenario with three cohorts; targets: shape (cohorts,)."""
    cohorts = [
        f'[[cohort]]\nname = "{name}"\nshare = {share}\ntarget = {{ win_rate = {target:.6f} }}\n'
        f'[cohort.traits]\nskill = {{ kind = "normal", mean = {mean}, sd = {sd} }}\n'
        for (name, mean, sd), share, target in zip(COHORTS, (0.4, 0.4, 0.2), targets, strict=True)
    ]
    return (
        f'format = 1\nseed = 1\n[game]\nname = "{game}"\n[dial]\nfloor = 0.0\nceiling = 1.0\n'
        f"[target]\nwin_rate = 0.7\ntolerance = {TOLERANCE}\nafter_attempts = {PRACTICE}\n"
        "[players]\ncount = 90\n[horizon]\ndays = 1\nattempts_per_player = 40\n" + "".join(cohorts)
    )


def hidden_targets(game: str, seed: int, folder: Path) -> Numbers:
    """What the cohorts win in runs at a hidden setting, shape (cohorts,)."""
    path = folder / "draft.toml"
    path.write_text(scenario_text(game, np.full(len(COHORTS), 0.5)))
    scenario = load(path, Catalog())
    setup = setup_of(scenario, Catalog())
    space = setup.game.space
    search_space = search_space_of(space)

    def sketch(values: list[float]) -> Numbers:
        """Roughly, by single attempts of players who have practised."""
        crowds = [Crowd(traits, _SKETCH, cohort=c, before=PRACTICE) for c, traits in enumerate(setup.traits)]
        wins = [batch_wins(setup.game, np.array([values]), crowd, 900_000 + seed)[0] for crowd in crowds]
        found: Numbers = np.array(wins) / _SKETCH
        return found

    usual = sketch(space.defaults())
    dice = np.random.Generator(np.random.Philox(key=[seed, 5]))
    while True:
        values = values_of(space, search_space.snap(dice.random(search_space.size))[0].tolist())
        found = sketch(values)
        if _RATES[0] < found.min() and found.max() < _RATES[1] and np.abs(found - usual).max() > _OFF:
            return run_rates(scenario, values, 900_000 + seed)


def run_rates(scenario: Scenario, values: Sequence[float], seed: int) -> Numbers:
    """What each cohort wins in runs at a setting, shape (cohorts,), by many players."""
    setup = replace(held_at(run_setup(scenario), values), seed=seed)
    rates = []
    for cohort in range(len(setup.cohorts)):
        wins = attempts = 0
        for block in range(_TRUTH // _BLOCK):
            rows = play_block(setup, cohort, _BLOCK, block).rows
            counts = judged_counts(setup, rows, scenario.after_attempts)
            wins, attempts = wins + int(counts.wins.sum()), attempts + int(counts.attempts.sum())
        rates.append(wins / attempts)
    return np.array(rates)


def study(game: str, seed: int, attempts: int) -> Result:
    """One study, by the command itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "scenario.toml"
        path.write_text(scenario_text(game, hidden_targets(game, seed, folder)))
        began = time.perf_counter()
        command = [sys.executable, "-m", "sims", "tune", str(path), "--budget", str(attempts), "--seed", str(seed)]
        told = subprocess.run(
            [*command, "--quiet", "--json", "--out", str(folder / "study")], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        found = json.loads(told.stdout)
        met = any(all(one["verdict"] == "met" for one in option["segments"].values()) for option in found["options"])
        return Result(met, sum(found["attempts"].values()), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", nargs="+", default=list(GAMES), choices=GAMES)
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--attempts", type=int, default=200_000, metavar="N")
    options = parser.parse_args()
    print("| game | studies | met | attempts (median) | seconds (median, largest) |\n|---|---|---|---|---|")
    for game in options.games:
        results = [study(game, 7000 + seed, options.attempts) for seed in range(options.seeds)]
        seconds = sorted(result.seconds for result in results)
        print(
            f"| {game} | {len(results)} | {sum(result.met for result in results)} "
            f"| {int(np.median([result.attempts for result in results])):,} "
            f"| {np.median(seconds):.0f}, {seconds[-1]:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
