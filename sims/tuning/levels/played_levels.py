"""A campaign that is played to be counted: win rates by level, and who is left; it leaves no file."""

from __future__ import annotations

from typing import NamedTuple

from engine.faults import Fault
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Scheme, Tally, scheme_of, tally_of
from engine.world import Chunk, chunks, simulate
from sims.catalog import Catalog
from sims.runs.preflight import prepare_job
from sims.runs.tables import goal_for
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.verdict.verdict import Verdict, verdict
from sims.workers.executor import Workers, executor_for
from sims.workers.quarantine import check_fault_share
from sims.workers.worker_process import worker_box


class _Job(NamedTuple):
    """What a worker needs for its chunks."""

    setup: Setup
    scheme: Scheme


class _Part(NamedTuple):
    """What a chunk comes to."""

    tally: Tally
    attempts: int
    faults: tuple[Fault, ...]


def play_levels(
    scenario: Scenario,
    *,
    workers: Workers,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> Verdict:
    """Play a campaign, and judge it.

    Args:
        scenario: the campaign.
        workers: to play it with, at most.
        on_progress: takes chunks played, and all chunks.
        on_message: takes a sentence when a worker was stopped by a signal.

    Raises:
        PluginFault: too many attempts failed.
    """
    prepare_job(scenario)
    setup = setup_of(scenario, Catalog())
    tasks = list(chunks(setup))
    tally = Tally.empty(scheme_of(setup, scenario.after_attempts))
    attempts, faults, done = 0, list[Fault](), 0
    executor = executor_for(workers)
    with executor.pool(_prepare, scenario, _play, most=len(tasks), noun="study", on_message=on_message) as pool:
        for _, part in pool.run(enumerate(tasks)):
            tally += part.tally
            attempts += part.attempts
            faults += part.faults
            done += 1
            on_progress(done, len(tasks))
    check_fault_share(sorted(faults), attempts)
    return verdict(goal_for(scenario, setup), tally)


def _prepare(scenario: Scenario) -> _Job:
    setup = setup_of(scenario, Catalog())
    return _Job(setup, scheme_of(setup, scenario.after_attempts))


def _play(job: _Job, chunk: Chunk) -> _Part:
    played = simulate(job.setup, chunk, box=worker_box())
    return _Part(tally_of(played.rows, played.players, job.scheme), len(played.rows), played.faults)
