"""The sides of a comparison: each scenario, played with the same players and the same luck. Only sums are kept.

All sides are played with one seed, and a cohort keeps the address that it has in the first scenario. So player 17 of a
cohort is the same person on all sides, and meets the same luck in the same attempt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.faults import Fault
from engine.places.endings import Endings, endings_of
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Tally, scheme_of, tally_of
from engine.world import Chunk, chunks, simulate
from sims.catalog import Catalog
from sims.comparison.changed_keys import pair_cohorts
from sims.comparison.metrics import Metric, Sums, cohort_places, metric_sums, metrics_for
from sims.runs.tables import goal_for
from sims.terminal import OnMessage, OnProgress, announce, no_message, no_progress
from sims.verdict.goal import Goal
from sims.verdict.verdict import Verdict, verdict
from sims.workers.executor import Workers, executor_for
from sims.workers.quarantine import check_fault_share
from sims.workers.worker_process import worker_box


class Side(NamedTuple):
    """One scenario, as it is played here. Plain data: it can be sent to another process."""

    scenario: Scenario
    seed: int
    cohorts: tuple[int, ...]  # their places in the scenario, in the order of their addresses
    addresses: tuple[int, ...]
    strangers: frozenset[int] = frozenset()  # addresses of cohorts whose players are not those of the first side

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
    """Give all scenarios one seed and the addresses of the first. A new cohort gets an address after those."""
    count = len(first.cohorts)
    sides = [Side(first, seed, tuple(range(count)), tuple(range(count)))]
    for other in others:
        pairs = pair_cohorts(first, other)
        known = [pair.after for pair in pairs]
        new = [j for j in range(len(other.cohorts)) if j not in known]
        addresses = (*(pair.before for pair in pairs), *range(count, count + len(new)))
        sides.append(Side(other, seed, (*known, *new), addresses))
    return sides


class SideTask(NamedTuple):
    """Some players of one side."""

    side: int
    chunk: Chunk


class PlayerSums(NamedTuple):
    """What a task returns, by players."""

    address: Any  # of each player's cohort, shape (players,)
    place: Any  # in the cohort
    sums: Sums  # shape (players, metrics, 2)
    attempts: int
    faults: tuple[Fault, ...]
    tally: Tally  # with the cohorts in the order of the scenario
    endings: Endings | None  # the same; None where the game names no places


@dataclasses.dataclass
class SideSums:
    """The sums of all players of one side."""

    sums: dict[int, Sums]  # by the address of the cohort, shape (replicas, players, metrics, 2)
    verdict: Verdict  # each cohort against its target, as a run of the scenario would say it
    attempts: int = 0
    failed: int = 0  # of these attempts
    endings: Endings | None = None  # where attempts ended, with the cohorts in the order of the scenario
    code: Mapping[str, str] = dataclasses.field(default_factory=dict)  # digests of what played a finished run


class SideSetups:
    """What a worker needs for its tasks."""

    def __init__(self, sides: Sequence[Side]) -> None:
        catalog = Catalog()
        self.sides = sides
        self.setups = [side.setup(catalog) for side in sides]
        # A campaign has no warm-up: past the first attempts only those play on who kept losing.
        campaign = any(setup.levels for setup in self.setups)
        self.after = 0 if campaign else sides[0].scenario.after_attempts
        self.schemes = [
            scheme_of(setup, side.scenario.after_attempts, side.scenario.further_targets)
            for side, setup in zip(sides, self.setups, strict=True)
        ]
        self.levels = min(setup.levels for setup in self.setups)  # passed levels are compared between campaigns only

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is compared."""
        return metrics_for(self.setups[0].game.causes, self.levels)

    def no_sums(self, number: int) -> dict[int, Sums]:
        """Sums of 0 for all players of a side, by the address of the cohort."""
        setup, metrics = self.setups[number], len(self.metrics) - 1  # all but the tail
        shapes = [(setup.replicas, count, metrics, 2) for count in setup.counts]
        return {at: np.zeros(shape) for at, shape in zip(self.sides[number].addresses, shapes, strict=True)}


def prepare_sides(sides: tuple[Side, ...]) -> SideSetups:
    """Prepare what the tasks of a worker share."""
    return SideSetups(sides)


def play_side(setups: SideSetups, task: SideTask) -> PlayerSums:
    """Play some players and sum up what they did."""
    setup = setups.setups[task.side]
    played = simulate(setup, task.chunk, box=worker_box())
    sums = metric_sums(played, setups.after, len(setup.game.causes), setups.levels)
    places = cohort_places(played)
    order = np.array(setups.sides[task.side].cohorts)
    for table in (played.rows, played.players):  # targets are those of the scenario's own order
        table["cohort"] = order[table["cohort"]]
    tally = tally_of(played.rows, played.players, setups.schemes[task.side])
    endings = None if not setup.game.has_places else endings_of(played.rows, setup.game.causes)
    return PlayerSums(*places, sums, len(played.rows), played.faults, tally, endings)


def play_sides(
    sides: Sequence[Side],
    *,
    workers: Workers,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> list[SideSums]:
    """Play all sides.

    Args:
        sides: the scenarios as they are played.
        workers: to play them with, at most.
        on_progress: takes attempts played, and the largest possible number of attempts in all.
        on_message: takes sentences: how long it will take, and that a worker was lost.

    Returns:
        The sums of each side.

    Raises:
        PluginFault: if too many attempts of one side failed.
    """
    setups = SideSetups(sides)
    sums = [setups.no_sums(number) for number in range(len(sides))]
    tallies = [Tally.empty(scheme) for scheme in setups.schemes]
    attempts = [0] * len(sides)
    endings = [None if not setup.game.has_places else Endings() for setup in setups.setups]
    faults: list[list[Fault]] = [[] for _ in sides]
    tasks = [SideTask(side, chunk) for side, setup in enumerate(setups.setups) for chunk in chunks(setup)]
    work = [_most_attempts(setups.setups[task.side], task.chunk) for task in tasks]
    done = 0
    executor = executor_for(workers)
    announce(sum(work), executor.workers, on_message)
    chosen: dict[str, Any] = {"most": len(tasks), "noun": "comparison", "on_message": on_message}
    with executor.pool(prepare_sides, tuple(sides), play_side, **chosen) as pool:
        for number, part in pool.run(enumerate(tasks)):
            task = tasks[number]
            side = task.side
            for address in np.unique(part.address):
                own = part.address == address
                sums[side][int(address)][task.chunk.replica, part.place[own]] = part.sums[own]
            tallies[side] += part.tally
            if part.endings is not None:
                endings[side] = (endings[side] or Endings()) + part.endings
            attempts[side] += part.attempts
            faults[side] += part.faults
            done += work[number]
            on_progress(done, sum(work))
    for own, made in zip(faults, attempts, strict=True):
        check_fault_share(sorted(own), made)
    return [
        SideSums(
            sums[number],
            verdict(_goal_of(side), tallies[number]),
            attempts[number],
            len(faults[number]),
            endings=endings[number],
        )
        for number, side in enumerate(sides)
    ]


def _goal_of(side: Side) -> Goal:
    """The targets of a side, with the cohorts in the order of its scenario."""
    return goal_for(side.scenario, setup_of(side.scenario, Catalog()))


def _most_attempts(setup: Setup, chunk: Chunk) -> int:
    return (chunk.size if chunk.cohort >= 0 else setup.players) * setup.attempts_per_player
