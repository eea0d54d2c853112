"""A pool whose workers are processes of a Ray cluster.

Ray chooses the process, and repeats what was lost with a process or a node. Here items become tasks of a length that is
worth sending, and only some are under way at once, so that memory stays flat.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Final

import ray
from ray.exceptions import RayError

from engine.errors import EnvironmentFault
from sims.catalog import game_file
from sims.run_folder.provenance import versions
from sims.terminal import OnMessage, no_message
from sims.workers.pool import AHEAD, DEADLINE_S, START_S
from sims.workers.ray_task import Recipe, TaskReply, work_on
from sims.workers.task_fault import WorkerFault

_TASK_S: Final = 0.05  # shorter tasks are not worth sending
_MOST_ITEMS: Final = 64  # in one task, so that progress is seen
_TRIES: Final = 10  # of a task that its process or its node was lost with: nodes may come and go
_LOOK_S: Final = 10.0  # how often the cluster is asked for its size
_SILENCE_S: Final = 60.0  # without any result, after which the user is told

TaskGroup = tuple[tuple[int, Any], ...]


class RayPool:
    """Workers for one kind of task, with the interface of sims.workers.pool.Pool."""

    def __init__(
        self,
        room: Callable[[], int],
        prepare: Callable[[Any], Any],
        argument: Any,
        work: Callable[[Any, Any], Any],
        *,
        on_message: OnMessage = no_message,
        noun: str = "task",
        deadline_s: float = DEADLINE_S,
        **options: Any,
    ) -> None:
        """room: tells how many tasks may be under way; all others: as of sims.workers.pool.Pool."""
        self._room, self._noun, self._on_message = room, noun, on_message
        self._late_s = AHEAD * (START_S + deadline_s)  # a task waits for one other at most
        chosen: Mapping[str, Any] = {**options, "noun": noun, "deadline_s": deadline_s}
        self._key = secrets.token_hex(8)
        self._box = [ray.put(Recipe(prepare, argument, work, chosen, game_file(), versions()))]
        self._send = ray.remote(work_on).options(num_cpus=1, max_retries=_TRIES - 1, scheduling_strategy="SPREAD")
        self._under_way: dict[Any, TaskGroup] = {}
        self._seconds, self._items, self._groups = 0.0, 0, 0  # of what has ended

    def __enter__(self) -> RayPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(RayError, ConnectionError):
            for task in self._under_way:
                ray.cancel(task, force=True)
        self._under_way.clear()
        self._box.clear()

    def run(self, tasks: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Give (number, result) for each (number, item), started in the order given, in the order they end.

        Raises what sims.workers.pool.Pool.run raises, and EnvironmentFault where the cluster is lost.
        """
        waiting = iter(tasks)
        silent_s, most, looked = 0.0, 0, -math.inf
        while True:
            if time.monotonic() - looked >= _LOOK_S:  # nodes come and go
                most, looked = self._room(), time.monotonic()
            while len(self._under_way) < most and (group := self._next_group(waiting)):
                self._under_way[self._send.remote(self._key, self._box, group)] = group
            if not self._under_way:
                return
            ended, _ = ray.wait(list(self._under_way), num_returns=1, timeout=_LOOK_S)
            for task in ended:
                yield from self._results(task, self._under_way.pop(task))
            silent_s = 0.0 if ended else silent_s + _LOOK_S
            self._mind(silent_s)

    def _mind(self, silent_s: float) -> None:
        """Tell the user of a cluster that gives no results. Raises WorkerFault when that was too long."""
        if silent_s >= self._late_s:
            raise WorkerFault(
                f"no {self._noun} has ended on the cluster for {silent_s:g} s; look at it with: ray status"
            )
        if silent_s == _SILENCE_S:
            self._on_message(f"no {self._noun} has ended for {silent_s:g} s; the cluster may be busy or starting.")

    def _next_group(self, waiting: Iterator[tuple[int, Any]]) -> TaskGroup:
        """So many tasks that they are worth sending, as far as is known how long one takes."""
        each_s = self._seconds / self._items if self._items else _TASK_S
        size = _MOST_ITEMS if each_s <= 0.0 else min(math.ceil(_TASK_S / each_s), _MOST_ITEMS)
        return tuple(islice(waiting, size))

    def _results(self, task: Any, group: TaskGroup) -> Iterator[tuple[int, Any]]:
        try:
            answer: TaskReply = ray.get(task)
        except RayError as fault:
            why = next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
            raise WorkerFault(
                f"{self._noun} {group[0][0]} was lost on the cluster as often as it was tried: {why[:200].rstrip('.')}."
            ) from fault
        except ConnectionError as fault:
            raise EnvironmentFault(f"the connection to the cluster was lost: {fault}") from fault
        yield from answer.results
        if answer.fault is not None:
            raise answer.fault
        if answer.seconds is not None:
            self._seconds += answer.seconds
            self._items += len(group)
            self._groups += 1
