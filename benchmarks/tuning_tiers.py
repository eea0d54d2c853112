"""Whether `flowdial tune --tiers` meets the targets of three tiers: `python -m benchmarks.tuning_tiers`.

For each game and seed the targets of three player groups are drawn, each from 60 to 85 %, give or take two points. All
attempts are judged: no controller has to settle. A study has met its targets when it says so, for all three tiers at
once, on players whom no search has met.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.tuning_games import COHORTS, GAMES
from engine.parameters import ParameterSpace
from engine.scenario import load, setup_of
from sims.catalog import Catalog
from sims.tuning.tiers.tier_order import harder_knobs
from sims.tuning.tiers.tune_tiers import tune_tiers
from sims.tuning.tiers.tuned_tiers import TunedTiers

TOLERANCE: Final = 0.02
TIERS: Final = ("easy", "normal", "hard")
_TARGETS: Final = (0.60, 0.85)
_DRAWN: Final = 0x74696572  # of the dice that draw targets
_FIRST_SEED: Final = 8000


class Result(NamedTuple):
    """What came of one seed."""

    met: int  # tiers
    ordered: bool
    changed: float  # knobs from one tier to the next, on average
    attempts: int
    seconds: float


def scenario_text(game: str, seed: int) -> str:
    """A scenario with three player groups whose targets are drawn."""
    dice = np.random.Generator(np.random.Philox(key=[seed, _DRAWN]))
    targets = dice.uniform(*_TARGETS, len(COHORTS)).round(3).tolist()
    cohorts = [
        f'[[cohort]]\nname = "{name}"\nshare = {share}\ntarget = {{ win_rate = {target} }}\n'
        f'[cohort.traits]\nskill = {{ kind = "normal", mean = {mean}, sd = {sd} }}\n'
        for (name, mean, sd), share, target in zip(COHORTS, (0.4, 0.4, 0.2), targets, strict=True)
    ]
    return (
        f'format = 1\nseed = {seed}\n[game]\nname = "{game}"\n[dial]\nfloor = 0.0\nceiling = 1.0\n'
        f"[target]\nwin_rate = 0.7\ntolerance = {TOLERANCE}\nafter_attempts = 0\n"
        "[players]\ncount = 90\n[horizon]\ndays = 1\nattempts_per_player = 40\n" + "".join(cohorts)
    )


def space_of(path: Path) -> ParameterSpace:
    """The knobs of a scenario's game."""
    return setup_of(load(path, Catalog()), Catalog()).space


def is_ordered(space: ParameterSpace, tiers: TunedTiers) -> bool:
    """Whether no knob of a tuned scenario is harder in an easier tier, read off the files."""
    settings = [option.scenario.form.game.params for option in tiers.values()]
    pairs = itertools.pairwise(settings)
    return all(step > 0.0 for pair in pairs for step in harder_knobs(space, *pair).values())


def study(game: str, seed: int, attempts: int) -> Result:
    """All tiers of one seed."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scenario.toml"
        path.write_text(scenario_text(game, seed))
        began = time.perf_counter()
        tiers = tune_tiers(path, tiers=TIERS, budget=attempts, out=Path(name) / "tiers", workers=2)
        seconds = time.perf_counter() - began
        met = sum(tier["met"] for tier in tiers.answer["tiers"])
        steps = tiers.answer["steps"]
        changed = sum(map(len, steps)) / len(steps)
        return Result(met, is_ordered(space_of(path), tiers), changed, tiers.attempts, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", nargs="+", default=list(GAMES), choices=GAMES)
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--attempts", type=int, default=300_000, metavar="N")
    options = parser.parse_args()
    print("| game | seeds | all tiers met | ordered | knobs changed | attempts, most | seconds, median |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for game in options.games:
        results = []
        for seed in range(_FIRST_SEED, _FIRST_SEED + options.seeds):
            results.append(study(game, seed, options.attempts))
            print(f"<!-- {game} {seed} {results[-1]} -->", flush=True)
        met = sum(result.met == len(TIERS) for result in results)
        print(
            f"| {game} | {len(results)} | {met} | {sum(result.ordered for result in results)} "
            f"| {np.mean([result.changed for result in results]):.1f} | {max(one.attempts for one in results):,} "
            f"| {np.median([result.seconds for result in results]):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
