"""The connection to a Ray cluster, for the length of one command: one of this machine, or one that is there already.

Ray sends nothing home, starts no dashboard and says nothing here. What it leaves on the disk for a cluster of its own
is in a private temporary folder, which is removed at the end with all its processes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from engine.errors import EnvironmentFault
from sims.workers.code_parcel import code_parcel
from sims.workers.cores import cores
from sims.workers.executor import Executor, TaskPool
from sims.workers.pool import AHEAD

_PATIENCE_S: Final = 10.0  # for an address to answer
_LONGEST: Final = 18  # characters of the path of temporary files
_STORE_BYTES: Final = 100 * 2**20  # for results on their way; more of them wait on the disk
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # without it, Ray warns of what a later version will do
    "RAY_LOG_TO_STDERR": "0",
}
_token = secrets.token_hex(32)  # between the processes of a cluster of our own; Ray would keep one in the home folder


class RayExecutor(Executor):
    """Processes of a Ray cluster."""

    far: ClassVar[bool] = True

    def __init__(self, workers: int | None) -> None:
        """workers: how many tasks are worked on at once; None for as many as the cluster has cores."""
        self._most = workers
        super().__init__(_cores_of_cluster() if workers is None else min(workers, _cores_of_cluster()))

    def under_way(self) -> int:
        """How many tasks may be under way by now: one that waits for each that is worked on, so that none stands by."""
        slots = _cores_of_cluster()
        return slots * AHEAD if self._most is None or self._most >= slots else self._most

    def pool(
        self,
        prepare: Callable[[Any], Any],
        argument: Any,
        work: Callable[[Any, Any], Any],
        *,
        most: int | None = None,
        **options: Any,
    ) -> TaskPool:
        """As of Executor."""
        from sims.workers.ray_pool import RayPool

        return RayPool(self.under_way, prepare, argument, work, **options)


def _cores_of_cluster() -> int:
    import ray

    return max(int(ray.cluster_resources().get("CPU", 0.0)), 1)


@contextlib.contextmanager
def ray_cluster(on: str, workers: int | None) -> Iterator[RayExecutor]:
    """Connect to a cluster for the length of a block.

    A process that is connected to one already goes on with it. "ray" alone means the cluster that RAY_ADDRESS names,
    which is Ray's own way to say it, or without one a cluster of this machine, which ends with the block.

    Args:
        on: "ray", or "ray://HOST:PORT" of a cluster's client server.
        workers: how many tasks are worked on at once; None for as many as there are cores.

    Raises:
        EnvironmentFault: if the package is missing, or the cluster cannot be reached or does not start.
    """
    os.environ.update(_QUIET)
    try:
        import ray
    except ModuleNotFoundError as fault:
        raise EnvironmentFault("a Ray cluster needs the package ray; install flowdial[ray].") from fault
    if ray.is_initialized():
        yield RayExecutor(workers)
        return
    address = os.environ.get("RAY_ADDRESS", "") if on == "ray" else on
    handler = signal.getsignal(signal.SIGTERM)
    with contextlib.ExitStack() as stack:
        if address:
            folder = stack.enter_context(_temporary_folder())
            _reach(address)
            code_parcel(folder)
            settings: dict[str, Any] = {"address": address, "runtime_env": {"working_dir": str(folder)}}
        else:
            settings = _own_cluster(stack, cores() if workers is None else workers)
        try:
            ray.init(**settings, log_to_driver=False, logging_level="ERROR")
        except (Exception, SystemExit) as fault:  # Ray raises errors of many kinds
            why = " ".join(str(fault).split())[:300] or type(fault).__name__
            what = f"{address} cannot be used" if address else "a Ray cluster of this machine does not start"
            raise EnvironmentFault(f"{what}: {why.rstrip('.')}.") from fault
        finally:
            _handle_again(handler)
        stack.callback(ray.shutdown)
        # Ray prints what becomes of nodes to stdout, where results go, and has no setting for that.
        ray._private.worker._worker_logs_enabled = False
        yield RayExecutor(workers)


def _own_cluster(stack: contextlib.ExitStack, workers: int) -> dict[str, Any]:
    """How to start a cluster of this machine, whose processes find our packages and plug-ins as this one does."""
    paths = os.pathsep.join(dict.fromkeys(path for path in sys.path if path))
    stack.enter_context(_environment(RAY_AUTH_TOKEN=_token, RAY_worker_niceness="0", PYTHONPATH=paths))
    return {
        "address": "local",
        "num_cpus": workers,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "_temp_dir": str(stack.enter_context(_temporary_folder())),
    }


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    long = len(tempfile.gettempdir()) > _LONGEST and os.name != "nt"  # for the names of sockets that Ray makes in it
    folder = Path(tempfile.mkdtemp(prefix="flowdial-ray-", dir="/tmp" if long else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _handle_again(handler: Any) -> None:
    """Ray sets a handler of its own for SIGTERM when it connects; put the one before back."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _reach(address: str) -> None:
    """Raise EnvironmentFault where nothing answers at an address, which Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():  # "auto", which Ray finds by itself
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
    except (OSError, OverflowError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault) or "no answer"
        raise EnvironmentFault(
            f"nothing answers at {address}: {reason}; start a cluster with: ray start --head, and give its address."
        ) from fault
