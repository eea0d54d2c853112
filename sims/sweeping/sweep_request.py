"""What a sweep is asked for besides its scenario."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable, suggestion
from sims.sweeping.objective import AUTO

SWEEP_METHODS: Final = ("auto", "grid", "random", "tpe", "gp", "hyperband", "staged", "pbt")
MOST_ATTEMPTS: Final = 200_000_000  # of a sweep without a budget
MOST_BUDGET: Final = 5_000_000_000


@dataclass(frozen=True)
class SweepRequest:
    """What is swept, how, and what that may cost."""

    over: Mapping[str, str | Sequence[Any]]  # key -> how it is swept, see sims.sweeping.space
    budget: int | None = None  # attempts
    seconds: float | None = None
    method: str = "auto"
    objective: str = AUTO

    def to_json(self) -> dict[str, Any]:
        """The request as values of JSON."""
        over = {key: value if isinstance(value, str) else list(value) for key, value in self.over.items()}
        return {**asdict(self), "over": over}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SweepRequest:
        """Inverse of `to_json`."""
        return cls(**content)


def check_sweep(request: SweepRequest) -> None:
    """Raise ScenarioError for a request that no scenario could fulfil."""
    if request.method not in SWEEP_METHODS:
        hint = suggestion(request.method, SWEEP_METHODS)
        raise ScenarioError(
            printable(f"the method must be one of {', '.join(SWEEP_METHODS)}, got {request.method!r}{hint}")
        )
    if request.budget is not None and not 1 <= request.budget <= MOST_BUDGET:
        raise ScenarioError(f"the budget must be 1 to {MOST_BUDGET:,} attempts, got {request.budget:,}")
    if request.seconds is not None and not (math.isfinite(request.seconds) and request.seconds > 0.0):
        raise ScenarioError(f"the time must be a number of seconds above 0, got {request.seconds}")
