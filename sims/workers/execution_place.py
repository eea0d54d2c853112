"""Which executor is meant by `workers` and `on` of the public surface."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from engine.errors import ScenarioError
from sims.workers.cores import cores
from sims.workers.executor import Executor

_RAY: Final = "ray"
_ADDRESS: Final = re.compile(r"ray://(\[[0-9A-Fa-f:.]+\]|[^/\s:]+):\d{1,5}")


@contextlib.contextmanager
def executor_of(workers: int | None, on: str | None) -> Iterator[Executor]:
    """Where `workers` and `on` of the public surface say that tasks are worked on, for the length of a block.

    Args:
        workers: how many tasks at once, from 1; None for one per core, or for all that a cluster has.
        on: None for processes of this machine, else as `check_place` allows.

    Raises:
        ScenarioError: if there is no such place.
        EnvironmentFault: if the package ray is missing, or the cluster cannot be reached.
    """
    check_place(on)
    if on is None:
        yield Executor(cores() if workers is None else workers)
        return
    from sims.workers.ray_cluster import ray_cluster

    with ray_cluster(on, workers) as executor:
        yield executor


def check_place(on: str | None) -> None:
    """Raise ScenarioError for an `on` that is neither None, "ray" nor "ray://HOST:PORT"."""
    if on is not None and on != _RAY and not _ADDRESS.fullmatch(on):
        raise ScenarioError(f'on must be "ray" or "ray://HOST:PORT", got {on!r}')
