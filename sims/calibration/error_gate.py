"""The gate of a calibration: is the error for unseen players small enough?"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sims.calibration.check_sentences import rate_words
from sims.calibration.checks.rivals import Rivals


@dataclass(frozen=True)
class ErrorGate:
    """Met, missed or too close to call, for continuous integration."""

    state: str
    exit_code: int  # 0 met, 1 missed, 2 too close to call
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def error_gate(tried: Rivals | None, limit: float) -> ErrorGate:
    """Judge at 95 % confidence.

    Args:
        tried: the error for unseen players; None where it is not known.
        limit: the largest error that is good enough.
    """
    if tried is None or math.isnan(tried.model.high):
        return ErrorGate("cannot tell", 2, "Gate: too close to call; too few players met each level.")
    found = tried.model
    words = f"unseen players are off by {rate_words(found.error)} ({rate_words(found.low)}-{rate_words(found.high)})"
    if found.high <= limit:
        return ErrorGate("met", 0, f"Gate: met; {words}, at most {limit:g}.")
    if found.low > limit:
        return ErrorGate("missed", 1, f"Gate: missed; {words}, more than {limit:g}.")
    return ErrorGate("cannot tell", 2, f"Gate: too close to call; {words}, and the limit is {limit:g}.")
