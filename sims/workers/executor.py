"""Where the tasks of a pool are worked on: in processes of this machine, or in those of a Ray cluster.

    with Executor(4).pool(prepare, argument, work) as pool:
        for number, result in pool.run(enumerate(items)):
            ...

What comes out is the same in both places: a result is a function of the item alone, and results are put in the order
of their numbers by whoever asked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, ClassVar, Protocol

from sims.workers.pool import Pool


class TaskPool(Protocol):
    """Workers for one kind of task, see sims.workers.pool.Pool."""

    def __enter__(self) -> TaskPool: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]: ...


class Executor:
    """Processes of this machine."""

    far: ClassVar[bool] = False  # whether workers may be on machines that do not see the folders of this one

    def __init__(self, workers: int) -> None:
        """workers: how many tasks are worked on at once, from 1."""
        self.workers = workers

    def pool(
        self,
        prepare: Callable[[Any], Any],
        argument: Any,
        work: Callable[[Any, Any], Any],
        *,
        most: int | None = None,
        **options: Any,
    ) -> TaskPool:
        """Workers for one kind of task. most: how many are of use; options: as of sims.workers.pool.Pool."""
        workers = self.workers if most is None else max(min(self.workers, most), 1)
        return Pool(workers, prepare, argument, work, **options)


Workers = Executor | int  # an int: so many processes of this machine


def executor_for(workers: Workers) -> Executor:
    """Where tasks are worked on, for those who may say it by a number alone."""
    return Executor(workers) if isinstance(workers, int) else workers
