"""One sanity check as a manifest keeps it and a report shows it: see sims.runs.self_test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

CheckState = Literal["passed", "warning", "not tested"]

PASSED: Final = "passed"
WARNING: Final = "warning"
NOT_TESTED: Final = "not tested"
_STATES: Final = (PASSED, WARNING, NOT_TESTED)


class Check(NamedTuple):
    """The result of one check."""

    name: str
    state: CheckState
    sentence: str


def read_checks(manifest: Mapping[str, Any]) -> list[Check]:
    """The checks in a manifest; none in one from before there were any, or in another form."""
    entries = manifest.get("self_test")
    if not isinstance(entries, list):
        return []
    try:
        checks = [Check(str(one["name"]), one["state"], str(one["sentence"])) for one in entries]
    except (KeyError, TypeError):
        return []
    return checks if all(check.state in _STATES for check in checks) else []
