"""How many cores this process may use."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")


def cores() -> int:
    """Cores that this process may use.

    Returns:
        The cores of its affinity mask, or fewer where a control group of Linux, as of a container, allows less
        processor time: half a core counts as one, one and a half as two.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0))
    quota = min(_quotas(_GROUPS, _MEMBERSHIP), default=math.inf)
    return min(allowed, max(1, math.ceil(quota))) if quota < allowed else allowed


def _quotas(groups: Path, membership: Path) -> Iterator[float]:
    """Cores that each control group above this process allows, where it sets a limit (cgroups(7), versions 1 and 2)."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2
            for folder in _above(groups, path):
                yield from _quota_of(_words(folder / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for base in {groups / controllers, groups / "cpu"}:
                for folder in _above(base, path):
                    limit = [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
                    yield from _quota_of(limit)


def _above(base: Path, path: str) -> Iterator[Path]:
    """The folder of a group and those of all groups around it. A container often sees its own group as the root."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    for length in range(len(parts), -1, -1):
        yield base.joinpath(*parts[:length])


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def _quota_of(words: list[str]) -> Iterator[float]:
    """Microseconds of processor time for each period, and the period; "max" and -1 mean no limit."""
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
        yield int(words[0]) / int(words[1])
