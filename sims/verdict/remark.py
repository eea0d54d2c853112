"""What is said of a run beside its verdict: why it stopped where it did, and what that means for a gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from engine.tally import Tally
from sims.verdict.goal import Goal


class Remark(NamedTuple):
    """One such thing."""

    name: str  # its key in JSON
    sentences: tuple[str, ...]
    numbers: dict[str, Any]  # for JSON
    exit_code: int = 0


Remarking = Callable[[Goal, Tally], Remark]
