"""Targets beyond the win rate: how many quit, how long a level takes, losing runs, how long a session is.

A controller steers the win rate. These targets steer nothing: they are judged. Each is a ratio of two sums over
players, so that its margin is that of a rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

Measured = Literal["win_rate", "quit", "attempts_to_pass", "losing_run", "session_length"]
Statistic = Literal["mean", "p90"]
LengthUnit = Literal["attempts", "minutes"]

MEASURED: Final[tuple[Measured, ...]] = get_args(Measured)
KEYS_OF: Final[dict[Measured, tuple[str, ...]]] = {  # which keys say more of each
    "win_rate": ("first", "level"),
    "quit": ("first", "day", "level"),
    "attempts_to_pass": ("level", "statistic"),
    "losing_run": ("first", "length"),
    "session_length": ("unit",),
}
USUAL_RUN: Final = 5  # losses in a row
MOST_TRIES: Final = 60  # of a 90th percentile; it may be larger, but then no more is known of it
QUANTILE: Final = 0.9


class FurtherTarget(NamedTuple):
    """One target of one player group. 0 stands for a key that was not given."""

    what: Measured
    cohort: int  # by number
    low: float  # the band
    high: float
    first: int = 0  # of a player's attempts
    day: float = 0.0  # days since a player's first attempt
    level: int = 0
    statistic: Statistic = "mean"
    length: int = USUAL_RUN  # losses in a row
    unit: LengthUnit = "attempts"

    @property
    def is_share(self) -> bool:
        """Whether it is a share, from 0 to 1; else a number of attempts or minutes."""
        return self.what in ("win_rate", "quit", "losing_run")

    @property
    def cells(self) -> int:
        """How many ratios are counted for it."""
        return MOST_TRIES if self.statistic == "p90" else 1

    @property
    def words(self) -> str:
        """What is measured, as people read it."""
        level = f" on level {self.level}" if self.level else ""
        if self.what == "win_rate":
            return f"win rate{f' in the first {self.first:,} attempts' if self.first else ''}{level}"
        if self.what == "quit":
            return f"share who quit{_by(self)}"
        if self.what == "losing_run":
            within = f" in their first {self.first:,} attempts" if self.first else ""
            return f"share with {self.length} losses in a row{within}"
        if self.what == "attempts_to_pass":
            kind = "mean" if self.statistic == "mean" else "90th percentile of"
            return f"{kind} attempts to pass level {self.level}"
        return f"{self.unit} of a session"


def read_further_target(found: Mapping[str, Any], cohorts: int) -> FurtherTarget:
    """A target from its JSON, of so many cohorts. Raises ValueError or TypeError for one that no run writes."""
    target = FurtherTarget(**found)
    counts = (target.cohort, target.first, target.level, target.length)
    numbers = (target.low, target.high, target.day)
    sound = (
        target.what in MEASURED
        and target.statistic in get_args(Statistic)
        and target.unit in get_args(LengthUnit)
        and all(type(count) is int and count >= 0 for count in counts)
        and all(type(number) in (int, float) and math.isfinite(number) and number >= 0.0 for number in numbers)
        and target.cohort < cohorts
    )
    if not sound:
        raise ValueError(f"a further target is one that a run wrote, got {str(found)[:80]}")
    return target


def _by(target: FurtherTarget) -> str:
    if target.first:
        return f" by attempt {target.first:,}"
    if target.day:
        return f" within {target.day:g} {'day' if target.day == 1.0 else 'days'}"
    return f" on level {target.level}" if target.level else ""
