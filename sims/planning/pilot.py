"""A pilot: a scenario played for its counts alone, with other players than the run it is for. It leaves no file.

A pilot may decide how many players a run has, because the run's own luck has no part in it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.game import FAILED, WON
from engine.inference.intervals import Cluster, RateInterval, rate_interval, sums_of
from engine.inference.sequential import Width, kurtosis_of
from engine.players import COHORT_STRIDE
from engine.randomness import LARGEST_SEED
from engine.scenario import Scenario, parse, setup_of
from engine.scenario_file.sections import LaunchWave
from engine.setup import Setup
from engine.tally import scheme_of
from engine.world import Chunk, chunks, simulate
from sims.catalog import Catalog
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.workers.executor import Workers, executor_for
from sims.workers.pool import STALL_S
from sims.workers.quarantine import Quarantine
from sims.workers.worker_process import worker_box

_APART: Final = 2_000_000_011  # how far a pilot's seed is from the scenario's
_MOST_REPLICAS: Final = 100_000  # of a scenario

Sums = npt.NDArray[np.int64]
Growing = Literal["players", "replicas"]


def growing(scenario: Scenario) -> Growing:
    """What a longer run of a scenario has more of, without being another scenario.

    Replicas where players share a controller or layouts, or arrive in a steady stream: late players have less time.
    """
    alone = not scenario.shares_luck and isinstance(scenario.form.players.arrival, LaunchWave)
    return "players" if alone else "replicas"


def people(noun: Growing | str) -> str:
    """What a person reads for players or replicas."""
    return "repeats" if noun == "replicas" else noun


def first_size(scenario: Scenario, players: int, replicas: int) -> int:
    """The size that gives every cohort so many players; where players share luck, so many replicas."""
    form = scenario.form
    if growing(scenario) == "players":
        return math.ceil(players / (min(cohort.share for cohort in form.cohort) * form.run.replicas))
    return replicas if scenario.shares_luck else math.ceil(players / min(scenario.counts))


def resized(scenario: Scenario, size: int) -> Scenario:
    """The same scenario with so many of what grows. Raises ScenarioError when it cannot be so large."""
    key = "players.count" if growing(scenario) == "players" else "run.replicas"
    text = scenario.resolved_toml().encode()
    return parse(text, scenario.name, Catalog(), {key: str(size)}, allow_long=True)


def largest_size(scenario: Scenario) -> int:
    """The largest size that `resized` takes, but for the limit on attempts."""
    if growing(scenario) == "replicas":
        return _MOST_REPLICAS
    return int(COHORT_STRIDE / max(cohort.share for cohort in scenario.form.cohort))


def elsewhere(scenario: Scenario) -> Scenario:
    """The same scenario with other players and other luck than any run of it."""
    seed = (scenario.seed + _APART) % (LARGEST_SEED + 1)
    return dataclasses.replace(scenario, form=scenario.form.model_copy(update={"seed": seed}))


def sums_for(
    scenario: Scenario,
    *,
    workers: Workers,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> dict[str, Sums]:
    """Play a scenario as it is, and count.

    Args:
        scenario: the scenario.
        workers: to play it with, at most.
        on_progress: takes attempts done and attempts in all.
        on_message: takes a sentence when a worker was stopped by a signal.

    Returns:
        For each cohort, judged wins and attempts of each player, or of each replica where a controller is shared; shape
        (clusters, 2).

    Raises:
        TaskFault: a game or controller failed, see sims.workers.pool.
    """
    setup = setup_of(scenario, Catalog())
    plan = chunks(setup)
    own = Catalog().has_own(setup.game.name, setup.kind.name)
    work = [(chunk.size if chunk.cohort >= 0 else setup.players) * setup.attempts_per_player for chunk in plan]
    done = 0
    parts: dict[int, list[tuple[int, Sums]]] = {}
    with executor_for(workers).pool(
        _job, scenario, _play, most=len(plan), stall_s=STALL_S, noun="pilot", apart=not own, explain=Quarantine(),
        on_message=on_message,
    ) as pool:  # fmt: skip
        for number, part in pool.run((chunk.number, chunk) for chunk in plan):
            parts[number] = part
            done += work[number]
            on_progress(done, sum(work))
    sums_by_cohort = [item for number in sorted(parts) for item in parts[number]]
    return {
        name: np.concatenate([sums for cohort, sums in sums_by_cohort if cohort == place])
        for place, name in enumerate(scenario.cohorts)
    }


class PilotJob(NamedTuple):
    """What a worker needs to know to play chunks of a pilot."""

    setup: Setup
    after: int  # first attempt that is judged
    cluster: Cluster


def _job(scenario: Scenario) -> PilotJob:
    setup = setup_of(scenario, Catalog())
    return PilotJob(setup, scenario.after_attempts, scheme_of(setup, scenario.after_attempts).cluster)


def _play(job: PilotJob, chunk: Chunk) -> list[tuple[int, Sums]]:
    """Place and sums of each cohort in a chunk, which holds whole clusters."""
    played = simulate(job.setup, chunk, box=worker_box())
    rows, players = played.rows, played.players
    rows = rows[(rows["attempt"] >= job.after) & (rows["outcome"] != FAILED)]
    of = np.searchsorted(players["player"], rows["player"])
    wins = np.bincount(of, rows["outcome"] == WON, len(players)).astype(np.int64)
    sums = np.stack((wins, np.bincount(of, minlength=len(players))), axis=1)
    parts = [(int(cohort), sums[players["cohort"] == cohort]) for cohort in np.unique(players["cohort"])]
    if job.cluster != "player":
        return [(cohort, own.sum(axis=0, keepdims=True)) for cohort, own in parts]
    return parts


def width_of(sums: Sums) -> Width:
    """How wide the interval of a cohort's win rate is; half_width is NaN where no player was judged."""
    interval = interval_of(sums)
    influence = sums[:, 0] - interval.rate * sums[:, 1]
    half_width = max(interval.high - interval.rate, interval.rate - interval.low)
    return Width(interval.clusters, half_width, kurtosis_of(influence[sums[:, 1] > 0]))


def interval_of(sums: Sums) -> RateInterval:
    """The interval of a cohort's win rate."""
    return rate_interval(sums_of(sums[:, 0], sums[:, 1]), "player")
