"""A run that is killed, once or twice, ends as if nothing had happened: a small form of `make torture`."""

from __future__ import annotations

import sys

import pytest

from benchmarks.torture import torture_runs

pytestmark = pytest.mark.thorough


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_runs_that_are_killed_twice_lose_nothing(tmp_path):
    found = torture_runs(tmp_path, 4, players=24, game="logistic")
    assert found.faults == []
    assert (found.equal, found.orphans, found.torn) == (4, 0, 0)
    assert found.kills > 0, "every kill came too late"
