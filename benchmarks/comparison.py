"""How sure a before/after comparison is, measured on the command's own code. `python -m benchmarks.comparison`.

What it prints is pairing: where a knob of gap_runner is changed by 3 %, the difference of the win rates has at most a
third of the variance that different players would give it, at one difficulty and with a controller that adapts.

Two more measurements are lines of benchmarks.calibration. Nulls: two runs of one scenario on different seeds, in which
nothing is the same but the odds, or two scenarios on one seed in which a coin decides for each player which side is
which. A known change: 3 points of win rate.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from engine.scenario import Scenario, parse
from sims.catalog import Catalog
from sims.comparison.comparison import compare
from sims.comparison.differences import EVERYBODY, Change, Differences, measure_differences
from sims.comparison.sides import play_sides, sides_of
from sims.workers.cores import cores

LEAST_FACTOR: Final = 3.0
AIM: Final = 10.0
SEEDS: Final = 5  # of each change whose pairing is measured
CHANGE: Final = 1.03
KNOBS: Final = {"speed": 7.0, "gap_share": 0.5, "spacing_m": 14.0, "sight_m": 5.5}  # before; those in real numbers
TWO: Final = """
[[cohort]]
name = "new"
share = 0.5
traits = { skill = { kind = "normal", mean = -0.5, sd = 0.6 } }
[[cohort]]
name = "old"
share = 0.5
"""
FIXED: Final[dict[str, object]] = {"controller": "constant", "options": "difficulty = 0.45"}
SCENARIO: Final = """
format = 1
seed = {seed}
[game]
name = "{game}"
params = {{ {params} }}
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = {target}
after_attempts = {after}
[controller]
name = "{controller}"
scope = "{scope}"
options = {{ {options} }}
[players]
count = {players}
{cohorts}
[horizon]
days = 60
attempts_per_player = {attempts}
[run]
replicas = {replicas}
"""


Play = Callable[[Scenario, Scenario, int], Differences]


def scenario(name: str, **choices: object) -> Scenario:
    """A scenario of these choices."""
    usual = {"seed": 1, "target": 0.7, "after": 0, "options": "", "scope": "player", "params": "", "cohorts": ""}
    text = SCENARIO.format(**{**usual, "replicas": 1, **choices})
    return parse(text.encode(), name, Catalog(), allow_long=True)


def change_of(found: Differences, metric: str) -> Change:
    """What became of a metric for all players, or the only cohort."""
    found_ones = [change for change in found.changes if change.metric.name == metric]
    return next((change for change in found_ones if change.cohort == EVERYBODY), found_ones[0])


class Pairing(NamedTuple):
    """How many times the variance would be without pairing, over seeds."""

    controller: str
    changed: str
    change: float  # of the win rate, mean
    factor: float  # median
    low: float
    high: float


def pairings(players: int, attempts: int, seeds: int) -> Iterator[Pairing]:
    """One for each controller and knob."""
    for controller, options in (("constant", "difficulty = 0.4"), ("kalman", "")):
        for knob, value in KNOBS.items():
            one, two = (
                scenario(
                    f"{knob}.toml", game="gap_runner", controller=controller, options=options, players=players,
                    attempts=attempts, params=f'{knob} = {number!r}, hazards = "gaps_spikes_beams"',
                )
                for number in (value, value * CHANGE)
            )  # fmt: skip
            changes = [
                change_of(compare(one, two, seed=seed, workers=cores()), "win_rate").difference for seed in range(seeds)
            ]
            factors = [change.pairing_factor for change in changes]
            mean = statistics.fmean(change.value for change in changes)
            yield Pairing(controller, f"{knob} +3 %", mean, statistics.median(factors), min(factors), max(factors))


def unpaired(one: Scenario, two: Scenario, run: int) -> Differences:
    """Both with seeds of their own, which no other run has."""
    before, after = sides_of(one, [two], 2 * run)
    sides = [before, after._replace(seed=2 * run + 1)]
    return measure_differences(sides, play_sides(sides, workers=1))


def swapped(one: Scenario, two: Scenario, run: int) -> Differences:
    """The same players and luck in both, each player's two sides swapped by a coin: no difference but chance."""
    sides = sides_of(one, [two], run)
    tables = play_sides(sides, workers=1)
    coins = np.random.default_rng(run)
    for address, was in tables[0].sums.items():
        is_ = tables[1].sums[address]
        chosen = coins.random(was.shape[:2]) < 0.5
        was[chosen], is_[chosen] = is_[chosen], was[chosen]
    return measure_differences(sides, tables)


class Share(NamedTuple):
    """How often something happened in so many runs."""

    what: str
    hits: int
    runs: int
    tests: int  # comparisons in each run

    @property
    def share(self) -> float:
        return self.hits / self.runs


def nulls(runs: int, players: int) -> Iterator[Share]:
    """How often anything is flagged where nothing changed."""
    cases: list[tuple[str, Play, dict[str, object], dict[str, object]]] = [
        ("constant, other players", unpaired, FIXED, {}),
        ("constant, other players, two cohorts", unpaired, {**FIXED, "cohorts": TWO}, {}),
        ("kalman, other players", unpaired, {"controller": "kalman"}, {}),
        ("constant, same players, two cohorts", swapped, {**FIXED, "cohorts": TWO}, {"params": "guess = 0.1"}),
        ("kalman, same players", swapped, {"controller": "kalman"}, {"params": "guess = 0.1"}),
    ]
    for what, play, choices, change in cases:
        common = {"game": "logistic", "players": players, "attempts": 30, "after": 5, **choices}
        one, two = scenario("one.toml", **common), scenario("two.toml", **{**common, **change})
        flagged = tests = 0
        for run in range(runs):
            found = play(one, two, run)
            flagged += bool(found.flagged)
            tests = max(tests, sum(not math.isnan(change.p_adjusted) for change in found.changes))
        yield Share(what, flagged, runs, tests)


def known(runs: int, players: int) -> Iterator[tuple[Share, float]]:
    """How often 3 points of win rate are flagged, and the mean change."""

    def paired(one: Scenario, two: Scenario, run: int) -> Differences:
        return compare(one, two, seed=run, workers=1)

    def side(**choices: object) -> Scenario:
        return scenario("side.toml", game="logistic", params="guess = 0.0", players=players, **choices)

    fixed = [side(controller="constant", attempts=10, options=f"difficulty = {place}") for place in (0.45, 0.4692)]
    steered = [side(controller="kalman", attempts=30, after=10, target=target) for target in (0.73, 0.70)]
    cases: list[tuple[str, list[Scenario], Play]] = [
        ("constant difficulty, same players", fixed, paired),
        ("constant difficulty, other players", fixed, unpaired),
        ("kalman, another target, same players", steered, paired),
    ]
    for what, (one, two), play in cases:
        changes = [change_of(play(one, two, run), "win_rate") for run in range(runs)]
        found = sum(change.flagged for change in changes)
        yield Share(what, found, runs, 1), statistics.fmean(change.difference.value for change in changes)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little work: to see that it runs, not to quote")
    players, attempts, seeds = (40, 20, 1) if parser.parse_args().quick else (400, 100, SEEDS)
    kept = True
    print(f"variance without pairing over that with it, win rate; {seeds} seeds (median; least to most)")
    for one in pairings(players, attempts, seeds):
        holds = one.factor >= LEAST_FACTOR
        kept = kept and holds
        print(
            f"  {one.controller:<10}{one.changed:<18}{one.change:>+8.4f}{one.factor:>8.1f}"
            f"  ({one.low:.1f} to {one.high:.1f})  at least {LEAST_FACTOR:g}, aim {AIM:g}: {'yes' if holds else 'NO'}"
        )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
