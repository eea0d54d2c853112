"""The chunks of a run, played by a pool of workers: those that are missing, and in whatever order.

What is counted is counted in the order of their keys, so it does not depend on who played what and when.
"""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from engine.errors import FlowdialError
from engine.external.external_game import AnyGame, ExternalGame
from engine.faults import Fault
from engine.record import Format
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from engine.tally import Tally
from engine.world import LEAST_ROWS, Chunk, World, chunks, simulate
from sims.catalog import DEFAULT_CONTROLLER, Catalog
from sims.run_folder.provenance import code_digest
from sims.runs.chunks import ChunkRecord, Job, PackedChunk, job_of, pack_chunk, play_chunk, read_chunk, store_chunk
from sims.runs.preflight import contract_sentence
from sims.runs.progress import OnRunProgress, RunProgress, no_run_progress
from sims.runs.self_test import warm
from sims.terminal import OnMessage, no_message
from sims.workers.executor import Executor
from sims.workers.pool import STALL_S, Pool
from sims.workers.quarantine import Quarantine, check_fault_share
from sims.workers.task_fault import TaskFault
from sims.workers.worker_process import worker_box

_EXTERNAL_S: Final = 86_400.0  # for a chunk of an external game
_FOREIGN_ROWS: Final = 512  # of a chunk at least, where a plug-in of others may end or hang its worker again and again


def play_chunks(
    job: Job,
    scenario: Scenario,
    executor: Executor,
    on_progress: OnRunProgress = no_run_progress,
    on_message: OnMessage = no_message,
) -> tuple[list[ChunkRecord], Tally]:
    """The records of all chunks in the order of their keys, those that were there already included."""
    own = Catalog().has_own(job.setup.game.name, job.setup.kind.name)
    plan = chunks(job.setup, LEAST_ROWS if own else _FOREIGN_ROWS)
    records: dict[int, ChunkRecord] = {}
    total = Tally.empty(job.scheme)
    players = attempts = 0
    checked = made = 0  # chunks in the order of their keys, so that no order of workers decides when it is too much
    faults: list[Fault] = []
    all_players = sum(chunk.size for chunk in plan)

    def take(record: ChunkRecord) -> None:
        nonlocal total, players, attempts, checked, made
        total = total + record.tally
        records[record.number] = record._replace(tally=nothing)  # so that memory stays flat
        players += record.rows["players"]
        attempts += record.rows["attempts"]
        on_progress(RunProgress(players, all_players, attempts, job.setup.cohorts, total))
        while checked in records:
            faults.extend(records[checked].faults)
            made += records[checked].rows["attempts"]
            check_fault_share(faults, made)
            checked += 1

    nothing = Tally.empty(job.scheme)
    for chunk in plan:
        kept = read_chunk(job, chunk.number)
        if kept is not None:
            take(kept)
    todo = [(chunk.number, chunk) for chunk in plan if chunk.number not in records]
    for record in _play(job, scenario, todo, executor, apart=not own, on_message=on_message):
        take(record)
    return [records[chunk.number] for chunk in plan], total


def _play(
    job: Job,
    scenario: Scenario,
    todo: Sequence[tuple[int, Chunk]],
    executor: Executor,
    *,
    apart: bool,
    on_message: OnMessage,
) -> Iterable[ChunkRecord]:
    argument = (job.folder.absolute(), scenario, job.format)  # a plug-in may change the directory
    if min(executor.workers, len(todo)) > 1:
        _warm_up(job, argument, own=not apart, on_message=on_message)
    if todo:
        chosen: dict[str, Any] = {"stall_s": STALL_S, "noun": "chunk", "apart": apart, "explain": Quarantine()}
        chosen["on_message"] = on_message
        if isinstance(job.setup.game, ExternalGame):  # it has a limit for each attempt, and may take its time
            chosen["deadline_s"] = _EXTERNAL_S
        work = play_and_pack if executor.far else play_or_explain
        with executor.pool(job_in_worker, argument, work, most=len(todo), **chosen) as pool:
            for _, played in pool.run(todo):
                yield store_chunk(job, played) if isinstance(played, PackedChunk) else played


def job_in_worker(argument: tuple[Path, Scenario, Format]) -> Job:
    """The job of a run folder, in a worker's process, which then needs no more than the chunk."""
    folder, scenario, file_format = argument
    job = job_of(folder, setup_of(scenario, Catalog()), scenario.after_attempts, file_format, scenario.further_targets)
    little = _little(job.setup)
    World(little, chunks(little)[0], 0)  # births alone: numba and its types are loaded, and no plug-in is asked
    return job


def _warm_up(job: Job, argument: tuple[Path, Scenario, Format], *, own: bool, on_message: OnMessage) -> None:
    """Let one worker compile the kernels of a setup, unless that was done before: else each worker would do it.

    own: neither game nor controller is a plug-in of others; then a second worker compiles for the self-test meanwhile.
    """
    from engine.user_files.cache_folder import cache_folder

    mark = cache_folder() / f"warm-{code_digest(job.setup)}.nbw"  # old ones go with the kernels, by age
    if not mark.exists():
        chosen: dict[str, Any] = {"noun": "compilation", "explain": Quarantine(), "on_message": on_message}
        with Pool(2, job_in_worker, argument, play_little, **chosen) as pool:
            tasks: list[tuple[int, Chunk | None]] = [(0, chunks(_little(job.setup))[0]), *([(1, None)] if own else [])]
            list(pool.run(tasks))
        with contextlib.suppress(OSError):  # a full disk costs a look next time, not the run
            mark.touch()


def play_little(job: Job, chunk: Chunk | None) -> None:
    """Play one attempt of one player of each cohort, in a worker's process, so that all kernels are compiled.

    chunk: None for what the self-test plays.
    """
    if chunk is None:
        warm(job.setup)
    else:
        with explained(job.setup.game):
            simulate(_little(job.setup), chunk, box=worker_box())


def play_or_explain(job: Job, chunk: Chunk) -> ChunkRecord:
    """`play_chunk`, in a worker's process; a game that does not compile is told in the words of `check_game`.

    Raises TaskFault for such a game, and what `play_chunk` raises.
    """
    with explained(job.setup.game):
        return play_chunk(job, chunk)


def play_and_pack(job: Job, chunk: Chunk) -> PackedChunk:
    """As `play_or_explain`, on a machine that may not see the folder of the run."""
    with explained(job.setup.game):
        return pack_chunk(job, chunk)


@contextlib.contextmanager
def explained(game: AnyGame) -> Iterator[None]:
    """Look into a fault outside of attempts: whether the game of a plug-in does not compile, and which rule of it."""
    try:
        yield
    except (FlowdialError, OSError, MemoryError):
        raise
    except Exception as fault:
        if isinstance(game, ExternalGame) or Catalog().has_own(game.name, DEFAULT_CONTROLLER):
            raise
        from engine.contract.game_wins import compiles

        finding = next(compiles(game), None)
        if finding is None:  # it is the controller, or something else
            raise
        raise TaskFault(contract_sentence(game, finding), "".join(traceback.format_exception(fault))) from fault


def _little(setup: Setup) -> Setup:
    return dataclasses.replace(setup, counts=(1,) * len(setup.counts), replicas=1, attempts_per_player=1)
