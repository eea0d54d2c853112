"""What a verdict says of targets beyond the win rate: a row for each, and sentences.

A target is on target only where its whole margin lies in its band. They are further targets of the same players, so a
run meets its targets where all of them are met, and each may be wrong as rarely as a win rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.further.further_interval import FurtherInterval
from engine.further.further_target import FurtherTarget
from engine.inference.intervals import CONFIDENCE
from engine.tally import Tally
from sims.verdict.goal import NOT_KNOWN, STATE_WORDS, Goal, TargetState
from sims.verdict.numbers import decimals_of

_MOST_SAID: Final = 4  # in sentences
FURTHER_HEADINGS: Final = ("group", "further target", "measured (margin)", "target", "verdict")


@dataclass(frozen=True)
class FurtherRow:
    """One further target of one player group, judged. NaN where nothing is known."""

    cohort: str
    name: str  # what is measured, in words
    target: FurtherTarget
    players: int  # who tell something of it
    value: float  # a share, attempts or minutes
    low: float  # its 95 % interval; the upper end is infinite where none is known
    high: float
    state: TargetState
    is_known: bool  # whether there are two clusters or more, which can speak for others

    @property
    def state_words(self) -> str:
        """What a person reads for the state."""
        return STATE_WORDS[self.state] if self.is_known else NOT_KNOWN

    @property
    def measured(self) -> str:
        """The value and its margin in words; a dash where nothing is known."""
        if math.isnan(self.value):
            return "-"
        return f"{_number(self.value, self.target)} (margin {_range((self.low, self.high), self.target)})"

    @property
    def wanted(self) -> str:
        """The band in words."""
        return _range((self.target.low, self.target.high), self.target, exact=True)

    @property
    def line(self) -> tuple[str, ...]:
        """Texts under FURTHER_HEADINGS."""
        return self.cohort, self.name, self.measured, self.wanted, self.state_words

    def to_json(self) -> dict[str, Any]:
        """As values of JSON; null for what is not a finite number."""
        given = {key: value for key, value in self.target._asdict().items() if key not in ("cohort", "low", "high")}
        values = {"value": self.value, "low": self.low, "high": self.high}
        return {
            "cohort": self.cohort,
            "name": self.name,
            **given,
            "players": self.players,
            **{key: value if math.isfinite(value) else None for key, value in values.items()},
            "target_low": self.target.low,
            "target_high": self.target.high,
            "state": self.state,
        }


def further_rows(goal: Goal, tally: Tally, confidence: float = CONFIDENCE) -> tuple[FurtherRow, ...]:
    """The further targets of a run, judged. confidence: of each interval."""
    found = zip(tally.scheme.further, tally.further_intervals(confidence), strict=True)
    return tuple(_row(goal.cohorts[target.cohort], target, one) for target, one in found)


def _row(cohort: str, target: FurtherTarget, found: FurtherInterval) -> FurtherRow:
    state: TargetState = "cannot tell"
    if found.clusters >= 2:
        if target.low <= found.low and found.high <= target.high:
            state = "in band"
        elif found.high < target.low:
            state = "below"
        elif found.low > target.high:
            state = "above"
    return FurtherRow(
        cohort, target.words, target, found.players, found.value, found.low, found.high, state, found.clusters >= 2
    )


def about_further(rows: Sequence[FurtherRow]) -> Iterator[str]:
    """Sentences: how many are on target, then the first that are not; none where there are no further targets."""
    if not rows:
        return
    good = sum(row.state == "in band" for row in rows)
    if good == len(rows):
        yield "The further target is met." if good == 1 else f"All {good} further targets are met."
        return
    yield f"Of {len(rows)} further target{'s' * (len(rows) > 1)}, {good} {'is' if good == 1 else 'are'} met."
    open_ones = [row for row in rows if row.state != "in band"]
    yield from map(further_sentence, open_ones[:_MOST_SAID])
    if len(open_ones) > _MOST_SAID:
        yield f"The table has {len(open_ones) - _MOST_SAID:,} more that are not met."


def further_sentence(row: FurtherRow) -> str:
    """What is known of one further target."""
    subject = f"{row.cohort[0].upper()}{row.cohort[1:]}, {row.name}"
    if math.isnan(row.value):
        return f"{subject}: {NOT_KNOWN}, since no player tells anything of it."
    if not row.is_known:
        return f"{subject}: {NOT_KNOWN}, since one player or repeat says nothing of others."
    return f"{subject}: {row.measured}, {row.state_words}. Wanted: {row.wanted}."


def _number(value: float, target: FurtherTarget) -> str:
    if not math.isfinite(value):
        return "unknown"
    if target.is_share:
        return f"{100.0 * value:.1f} %"
    return f"{value:.0f}" if target.statistic == "p90" else f"{value:.2f}"


def _range(ends: tuple[float, float], target: FurtherTarget, *, exact: bool = False) -> str:
    """Two ends in words. exact: with as many decimals as they were given with."""
    low, high = ends
    if target.is_share:
        decimals = decimals_of(low, high) if exact else 1
        return f"{100.0 * low:.{decimals}f} to {100.0 * high:.{decimals}f} %"
    if exact:
        return f"{low:g} to {high:g}"
    return f"{_number(low, target)} to {_number(high, target)}"
