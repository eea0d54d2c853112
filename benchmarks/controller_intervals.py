"""Does the margin of a win rate hold with every controller in the loop? `python -m benchmarks.controller_intervals`.

Each controller plays one scenario with hundreds of seeds. Every seed gives an interval for each player group, by the
functions that a run uses. Counted is how often it holds the mean over all seeds. Players who draw the same luck, or a
controller that carries something from one player to another unseen, would make the intervals too narrow. Where players
share a controller a run has ten repeats, which are what the interval counts. Seeds are 1, 2, 3 and so on. Exit code 1
when a promise is not kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from benchmarks.comparison import TWO, scenario
from engine.controller import ControllerKind
from engine.inference.intervals import SUMS, rate_interval
from engine.scenario import setup_of
from engine.tally import scheme_of, tally_of
from engine.world import chunks, simulate
from sims.arena.courses import Entrant, setup_with
from sims.catalog import Catalog
from sims.workers.cores import cores

SEEDS: Final = 400
QUICK_SEEDS: Final = 20
FLOOR: Final = 0.93  # of coverage
CEILING: Final = 0.97
PLAYERS: Final = 120  # of a run, or of a repeat that shares a controller
FEW_PLAYERS: Final = 40  # of such a repeat
REPEATS: Final = 10
ATTEMPTS: Final = 50
AFTER: Final = 10
GROUPS: Final = 2


class Coverage(NamedTuple):
    """Of the intervals of one controller."""

    name: str
    scope: str
    rate: float  # won, over all seeds
    held: int  # intervals that hold the mean over all seeds
    intervals: int

    @property
    def share(self) -> float:
        return self.held / self.intervals

    @property
    def error(self) -> float:
        """Standard error of the share, if 95 % is true."""
        return math.sqrt(0.95 * 0.05 / self.intervals)


def coverage_of(name: str, seeds: int) -> Coverage:
    """Play all seeds of one controller, and count the intervals that hold the mean over them."""
    catalog = Catalog()
    kind: ControllerKind = catalog.controller(name)
    scope = kind.scopes[0]
    shared = scope != "player"
    played = scenario(
        "intervals.toml", game="logistic", controller="constant", cohorts=TWO, attempts=ATTEMPTS, after=AFTER,
        players=FEW_PLAYERS if shared else PLAYERS, replicas=REPEATS if shared else 1,
    )  # fmt: skip
    base = setup_with(setup_of(played, catalog), Entrant(name), catalog)
    cells = np.zeros((seeds, GROUPS, len(SUMS)), np.int64)
    for number in range(seeds):
        setup = dataclasses.replace(base, seed=1 + number)
        scheme = scheme_of(setup, AFTER)
        for chunk in chunks(setup):
            found = simulate(setup, chunk)
            cells[number] += tally_of(found.rows, found.players, scheme).judged[:, 0]
    wins, attempts = (cells[..., SUMS.index(column)].sum(axis=0) for column in ("wins", "attempts"))
    truths = wins / attempts
    held = 0
    for group, truth in enumerate(truths):
        for cell in cells[:, group]:
            interval = rate_interval(cell.tolist(), scheme.cluster)
            held += bool(interval.low <= truth <= interval.high)
    return Coverage(name, scope, float(wins.sum() / attempts.sum()), held, seeds * GROUPS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.controller_intervals", description=__doc__)
    parser.add_argument("controllers", nargs="*", help="names; all where none is given")
    parser.add_argument("--quick", action="store_true", help="20 seeds, with 4 standard errors of slack")
    chosen = parser.parse_args(arguments)
    names = chosen.controllers or Catalog().names("controllers")
    seeds, slack = (QUICK_SEEDS, 4.0) if chosen.quick else (SEEDS, 0.0)
    kept = True
    print("| controller | shared by | won | intervals | hold the mean, % | |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor(cores()) as pool:
        for found in pool.map(coverage_of, names, [seeds] * len(names)):
            near = FLOOR - slack * found.error <= found.share <= CEILING + slack * found.error
            kept &= near
            print(
                f"| {found.name} | {found.scope} | {found.rate:.3f} | {found.intervals} | {100 * found.share:.1f} | "
                f"{'' if near else 'not kept'} |",
                flush=True,
            )
    print(f"standard error {100 * Coverage('', '', 0.0, 0, seeds * GROUPS).error:.2f}; promised 93 to 97")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
