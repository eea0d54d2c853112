"""Attempts that end or hang their worker: the black box names them, and the next try leaves them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.errors import PluginFault
from engine.faults import FAULTS, NOBODY, TIMEOUT, Fault, too_many
from engine.world import Chunk
from sims.workers.pool import Loss


class Quarantine:
    """Explains the losses of workers, for sims.workers.pool.

    The attempt at which a chunk was lost twice in a row is to blame. Once is not enough: a worker may be killed from
    outside.
    """

    def __init__(self) -> None:
        self._suspects: dict[int, tuple[int, int]] = {}  # number of a chunk -> player and attempt of its latest loss

    def __call__(self, chunk: Chunk, loss: Loss) -> Chunk | None:
        """The chunk with one more attempt that is not to be played; None when the loss is not explained yet.

        Raises PluginFault when there are too many of them.
        """
        if loss.stopped:
            return None
        here = (loss.player, loss.attempt)
        before = self._suspects.get(chunk.number)
        self._suspects[chunk.number] = here
        if loss.player == NOBODY or here != before or not loss.sure:
            return None
        del self._suspects[chunk.number]
        text = f"its worker {loss.fate}"
        faults = (*chunk.faults, Fault(chunk.replica, *here, loss.kind, "", text))
        check_fault_share(faults, loss.rows)
        return chunk._replace(faults=faults)


def check_fault_share(faults: Sequence[Fault], attempts: int) -> None:
    """Raise PluginFault when too many of the attempts failed."""
    if too_many(len(faults), attempts):
        last = faults[-1]
        why = ": ".join(word for word in (FAULTS[last.kind], last.type, last.message) if word)
        raise PluginFault(
            f"at most a fifth of the attempts may fail, but {len(faults):,} of the first {attempts:,} did, the last "
            f"one attempt {last.attempt} of player {last.player} ({why}); correct the plug-in and start a new run."
        )


def ended_workers(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The faults that a chunk must know before it is played; the others occur again when it is."""
    return tuple(fault for fault in faults if fault.kind >= TIMEOUT)
