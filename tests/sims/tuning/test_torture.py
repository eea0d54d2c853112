"""A study that is killed, and killed again, ends as if nothing had happened: a small form of `make torture-tune`."""

from __future__ import annotations

import sys

import pytest

from benchmarks.torture import torture_studies

pytestmark = pytest.mark.thorough


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_study_that_is_killed_twice_loses_nothing(tmp_path):
    found = torture_studies(tmp_path, 1, budget=20_000, game="logistic", method="random")
    assert found.faults == []
    assert (found.equal, found.orphans, found.torn) == (1, 0, 0)
