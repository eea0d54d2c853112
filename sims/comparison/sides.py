"""The scenarios that are compared, as they are played: the same players, the same luck, and only sums are kept.

All are played with one seed, and a cohort has the address that it has in the first scenario. So player 17 of a cohort
is the same person in all of them, and meets the same luck in the same attempt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.faults import Fault
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.world import Chunk, chunks, play
from sims.catalog import Catalog
from sims.comparison.changed_keys import paired
from sims.comparison.metrics import Metric, Sums, metrics_for, places_of, sums_of
from sims.workers.pool import Pool
from sims.workers.quarantine import check
from sims.workers.worker_process import worker_box


class Side(NamedTuple):
    """One of the scenarios, as it is played here. Plain data: it can be sent to another process."""

    scenario: Scenario
    seed: int
    cohorts: tuple[int, ...]  # their places in the scenario, in the order of their addresses
    addresses: tuple[int, ...]

    def setup(self, catalog: Catalog) -> Setup:
        """What the world plays."""
        setup = setup_of(self.scenario, catalog)
        order = list(self.cohorts)
        return dataclasses.replace(
            setup,
            seed=self.seed,
            cohorts=tuple(setup.cohorts[j] for j in order),
            counts=tuple(setup.counts[j] for j in order),
            traits=setup.traits[order],
            targets=setup.targets[order],
            gaps_s=tuple(setup.gaps_s[j] for j in order),
            addresses=self.addresses,
        )


def sides_of(first: Scenario, others: Sequence[Scenario], seed: int) -> list[Side]:
    """All scenarios with one seed and the first one's addresses; who is new in another comes after all of those."""
    count = len(first.cohorts)
    sides = [Side(first, seed, tuple(range(count)), tuple(range(count)))]
    for other in others:
        pairs = paired(first, other)
        met = [pair.after for pair in pairs]
        new = [j for j in range(len(other.cohorts)) if j not in met]
        addresses = (*(pair.before for pair in pairs), *range(count, count + len(new)))
        sides.append(Side(other, seed, (*met, *new), addresses))
    return sides


class Task(NamedTuple):
    """Some players of one side."""

    side: int
    chunk: Chunk


class Part(NamedTuple):
    """What came of a task, by players."""

    address: Any  # of each player's cohort, shape (players,)
    place: Any  # in the cohort
    sums: Sums  # shape (players, metrics, 2)
    attempts: int
    faults: tuple[Fault, ...]


@dataclasses.dataclass
class Table:
    """Everybody's sums on one side."""

    sums: dict[int, Sums]  # by the address of the cohort, shape (replicas, players, metrics, 2)
    attempts: int = 0
    faults: list[Fault] = dataclasses.field(default_factory=list)


class Stage:
    """What a worker needs for its tasks."""

    def __init__(self, sides: Sequence[Side]) -> None:
        catalog = Catalog()
        self.after = sides[0].scenario.after_attempts
        self.setups = [side.setup(catalog) for side in sides]
        self.levels = min(setup.levels for setup in self.setups)  # passed levels are compared of campaigns alone

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is compared."""
        return metrics_for(self.setups[0].game.causes, self.levels)


def prepared(sides: tuple[Side, ...]) -> Stage:
    """In a worker's process: what its tasks share."""
    return Stage(sides)


def run(stage: Stage, task: Task) -> Part:
    """Play some players and sum up what they did."""
    setup = stage.setups[task.side]
    played = play(setup, task.chunk, box=worker_box())
    sums = sums_of(played, stage.after, len(setup.game.causes), stage.levels)
    return Part(*places_of(played), sums, len(played.rows), played.faults)


def tables_of(
    sides: Sequence[Side], *, workers: int, shown: Callable[[int, int], None] = lambda done, all_: None
) -> list[Table]:
    """Play all sides. Raises PluginFault when too many attempts of one of them failed.

    shown: is told attempts played and attempts in all, at most.
    """
    stage = Stage(sides)
    tables = []
    for side, setup in zip(sides, stage.setups, strict=True):
        shapes = [(setup.replicas, count, len(stage.metrics) - 1, 2) for count in setup.counts]  # all but the tail
        tables.append(Table({at: np.zeros(shape) for at, shape in zip(side.addresses, shapes, strict=True)}))
    tasks = [Task(side, chunk) for side, setup in enumerate(stage.setups) for chunk in chunks(setup)]
    work = [_most(stage.setups[task.side], task.chunk) for task in tasks]
    done = 0
    with Pool(max(min(workers, len(tasks)), 1), prepared, tuple(sides), run, noun="comparison") as pool:
        for number, part in pool.run(enumerate(tasks)):
            task = tasks[number]
            _put(tables[task.side], task.chunk.replica, part)
            done += work[number]
            shown(done, sum(work))
    for table in tables:
        check(sorted(table.faults), table.attempts)
    return tables


def _most(setup: Setup, chunk: Chunk) -> int:
    return (chunk.size if chunk.cohort >= 0 else setup.players) * setup.attempts_per_player


def _put(table: Table, replica: int, part: Part) -> None:
    for address in np.unique(part.address):
        own = part.address == address
        table.sums[int(address)][replica, part.place[own]] = part.sums[own]
    table.attempts += part.attempts
    table.faults.extend(part.faults)
