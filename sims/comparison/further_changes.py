"""Targets beyond the win rate, before and after a change.

Both values have margins of their own: what the same players have in common is not used, so an answer is cautious. A
target is better only where every value within the margin after lies nearer to the band than every one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from sims.verdict.further import FurtherRow

FurtherAnswer = Literal["better", "worse", "as before", "unclear"]

FURTHER: Final = "Further targets"
FURTHER_NOTE: Final = "Each value has its own margin. Better: every value within the margin is nearer to the band."
FURTHER_CHANGE_HEADINGS: Final = ("players", "further target", "before", "", "after", "", "target", "against it")


class FurtherChange(NamedTuple):
    """A further target that both scenarios have for a cohort, each by its own band."""

    before: FurtherRow
    after: FurtherRow
    answer: FurtherAnswer

    @property
    def line(self) -> tuple[str, ...]:
        """Texts under FURTHER_CHANGE_HEADINGS."""
        was, is_ = self.before, self.after
        return (
            was.cohort, was.name, was.measured, was.state_words, is_.measured, is_.state_words, is_.wanted, self.answer
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As values of JSON."""
        return {"before": self.before.to_json(), "after": self.after.to_json(), "answer": self.answer}


def further_changes(
    before: Sequence[FurtherRow], after: Sequence[FurtherRow], cohorts: Mapping[str, str]
) -> tuple[FurtherChange, ...]:
    """The targets that both have, in the order of the first.

    cohorts: name of a cohort in the first scenario -> its name in the other.
    """
    return tuple(_pairs(before, after, cohorts))


def _pairs(
    before: Sequence[FurtherRow], after: Sequence[FurtherRow], cohorts: Mapping[str, str]
) -> Iterator[FurtherChange]:
    others = {(row.cohort, row.name): row for row in reversed(after)}
    for row in before:
        other = others.get((cohorts.get(row.cohort, ""), row.name))
        if other is not None:
            yield FurtherChange(row, other, _answer(row, other))


def _answer(before: FurtherRow, after: FurtherRow) -> FurtherAnswer:
    if not (before.is_known and after.is_known):
        return "unclear"
    was, is_ = _distances(before), _distances(after)
    if is_[1] < was[0]:
        return "better"
    if is_[0] > was[1]:
        return "worse"
    return "as before" if was[1] == is_[1] == 0.0 else "unclear"


def _distances(row: FurtherRow) -> tuple[float, float]:
    """Least and largest distance to the band of any value within the margin."""
    low, high = row.target.low, row.target.high
    least = max(low - row.high, row.low - high, 0.0)
    return least, max(low - row.low, row.high - high, 0.0)
