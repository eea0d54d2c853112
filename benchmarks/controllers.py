"""What rules cost: microseconds per player-attempt inside the session kernel. `python -m benchmarks.controllers`.

Each rule plays the same steady players of `logistic` in the bare session kernel (see benchmarks.cases), and so does
`constant`, whose rule does nothing; the difference is the rule. All take turns within one process, and the median of
the differences of the same turn is told: what else the machine does hits both.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from benchmarks.cases import Bare, setup
from controllers.adaptive import kalman
from engine.setup import Setup
from sims.catalog import Catalog

NOTHING: Final = "constant"
ALL_STATES: Final = "kalman, all states"  # with change detection, tilt and tire
MOST: Final = {"kalman": 1.0, ALL_STATES: 1.0}  # microseconds that are promised
PLAYERS: Final = 1_000
QUICK_PLAYERS: Final = 20
SLOW: Final = 20.0  # microseconds from which a tenth of the players will do
TURNS: Final = 7


class Cost(NamedTuple):
    """Of one rule, microseconds per player-attempt: processor time less that of a rule that does nothing."""

    name: str
    median: float
    low: float
    high: float


def setups(names: list[str], players: int) -> dict[str, Setup]:
    """The named controllers at work, or all that are compiled rules of a player's own and no references."""
    catalog = Catalog()
    kinds = {name: catalog.controller(name) for name in names or catalog.names("controllers")}
    found = {
        name: setup(kind, players)
        for name, kind in kinds.items()
        if kind.rule is not None and kind.mode != "reference" and "player" in kind.scopes and name != NOTHING
    }
    if "kalman" in found:
        options = kalman.Options(tilt_sd=0.3, tire_sd=0.1, reopen=4.0)
        found[ALL_STATES] = dataclasses.replace(found["kalman"], options=options)
    return found


def timed(run: Callable[[], int]) -> float:
    """Microseconds of processor time per attempt."""
    start = time.process_time()
    attempts = run()
    return (time.process_time() - start) / attempts * 1e6


def costs(of: dict[str, Setup], turns: int) -> tuple[list[Cost], float]:
    """The cost of each rule, and what an attempt costs without one."""
    players = max(one.counts[0] for one in of.values())
    nothing = Bare(setup(Catalog().controller(NOTHING), players))
    nothing.run()
    found = []
    bare: list[float] = []
    for name, one in of.items():
        few = Bare(dataclasses.replace(one, counts=(max(players // 10, 1),)))
        few.run()  # compiles
        chosen = few if timed(few.run) > SLOW else Bare(one)
        differences = []
        for _ in range(turns):
            bare.append(timed(nothing.run))
            differences.append(timed(chosen.run) - bare[-1])
        found.append(Cost(name, statistics.median(differences), min(differences), max(differences)))
    return found, statistics.median(bare)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.controllers", description=__doc__)
    parser.add_argument("controller", nargs="*", help="names of rules; all where none is given")
    parser.add_argument("--quick", action="store_true", help="little work: to see that it runs, not to quote")
    chosen = parser.parse_args()
    of = setups(chosen.controller, QUICK_PLAYERS if chosen.quick else PLAYERS)
    if not of:
        parser.error("none of these is a compiled rule of a player's own; leave the names out to measure all that are")
    found, bare = costs(of, 1 if chosen.quick else TURNS)
    print(f"microseconds per player-attempt, over the {bare:.2f} of an attempt with {NOTHING} (median; least to most)")
    for cost in sorted(found, key=lambda cost: cost.median):
        most = MOST.get(cost.name)
        promise = "" if most is None else f"  at most {most:g}: {'yes' if cost.median <= most else 'NO'}"
        print(f"  {cost.name:<20}{cost.median:>9.2f}  ({cost.low:.2f} to {cost.high:.2f}){promise}")


if __name__ == "__main__":
    main()
