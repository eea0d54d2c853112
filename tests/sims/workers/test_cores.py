"""A container that may use less than the machine has gets fewer workers."""

from __future__ import annotations

import os
import sys

import pytest

from sims.workers import cores as module
from sims.workers.cores import cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups of Linux")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Eight cores; returns a function that writes the files of control groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(module, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(module, "_MEMBERSHIP", tmp_path / "membership")

    def write(membership: str, **files: str) -> None:
        (tmp_path / "membership").write_text(membership, encoding="ascii")
        for name, text in files.items():
            file = tmp_path / "cgroup" / name.replace("__", "/").replace("-", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="ascii")

    return write


def test_without_groups_the_affinity_mask_decides(machine):
    assert cores() == 8
    machine("not a line of control groups\n")
    assert cores() == 8


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000", 8), ("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2), ("300000 100000", 3),
     ("1600000 100000", 8), ("1000 100000", 1), ("", 8), ("nonsense", 8), ("100000 0", 8)],
)  # fmt: skip
def test_a_quota_of_version_2_is_a_limit(machine, limit, expected):
    machine("0::/\n", **{"cpu-max": limit})
    assert cores() == expected


def test_the_tightest_group_around_the_process_counts(machine):
    machine(
        "0::/machine/box/inner\n",
        **{"machine__cpu-max": "400000 100000", "machine__box__cpu-max": "200000 100000",
           "machine__box__inner__cpu-max": "max 100000"},
    )  # fmt: skip
    assert cores() == 2


def test_a_group_that_the_container_cannot_see_is_its_root(machine):
    machine("0::/../../docker/abc\n", **{"cpu-max": "50000 100000"})
    assert cores() == 1


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
def test_a_quota_of_version_1_is_a_limit(machine, folder):
    machine(
        "4:memory:/box\n3:cpu,cpuacct:/box\n",
        **{f"{folder}__box__cpu.cfs_quota_us": "250000", f"{folder}__box__cpu.cfs_period_us": "100000"},
    )
    assert cores() == 3


def test_version_1_says_minus_one_for_no_limit(machine):
    machine("3:cpu,cpuacct:/\n", **{"cpu__cpu.cfs_quota_us": "-1", "cpu__cpu.cfs_period_us": "100000"})
    assert cores() == 8
