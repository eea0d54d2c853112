"""A Ray cluster of two nodes on this machine, and the digests of a folder, for tests of what is played on a cluster."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.kit.places import ROOT

STORE_BYTES: Final = 100 * 2**20
ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AUTH_MODE": "disabled",  # a token would be kept in the home folder
    "RAY_worker_niceness": "0",
}
TIMED: Final = ("report.html", "manifest.json")  # what tells of the clock


class TwoNodes:
    """A head with one core and a second node with one, which may be killed."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._second = cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def kill_second(self) -> None:
        """As if its machine lost its power."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def start_second(self) -> None:
        """Start the second node again, after it was killed."""
        self._second = self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)


@contextlib.contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Both nodes, for a block in which RAY_ADDRESS names them."""
    before = dict(os.environ)
    folder = tempfile.mkdtemp(prefix="fd-ray-")
    os.environ.update(ENVIRONMENT, RAY_TMPDIR=folder, PYTHONPATH=str(ROOT))  # tests send functions of their own
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes = TwoNodes(cluster)
            os.environ["RAY_ADDRESS"] = nodes.address
            yield nodes
        finally:
            cluster.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def digests(folder: Path) -> dict[str, str]:
    """Digests of all files whose bytes do not tell of the clock."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in TIMED]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
