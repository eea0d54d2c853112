"""Better or worse: a player group against its target, before and after a change.

A group is judged on each side as a run of that scenario would judge it (sims.verdict). What counts is its distance to
the band of wanted win rates, 0 inside. It is nearer where that distance fell by a size that matters, and did not rise
for any rates within their margins. The change of the rate has a margin of its own, narrower where the players are the
same, so a group can be nearer though it is too close to call on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from engine.inference.difference import Difference
from sims.verdict.goal import Row
from sims.verdict.numbers import target_words
from sims.verdict.verdict import Verdict

Direction = Literal["better", "worse", "mixed", "as before", "unclear"]

_NOTHING: Final = 1e-9  # of a share: rounding

HEADINGS: Final = ("players", "target", "before", "", "after", "", "against the target")


class TargetChange(NamedTuple):
    """A cohort against its target, before and after.

    Attributes:
        cohort: its name in the first scenario.
        before: its row of the verdict on the first scenario.
        after: that of the other.
        levels: levels of a campaign that are on target before and after, and how many both have; None without one.
        answer: whether it is nearer to its target; "mixed" where some levels are and others are further off.
        nearer: by how much the distance of the win rate to the band fell; NaN where nothing was judged.
    """

    cohort: str
    before: Row
    after: Row
    levels: tuple[int, int, int] | None
    answer: Direction
    nearer: float

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN where unknown."""
        return {
            "cohort": self.cohort,
            "before": _row_json(self.before),
            "after": _row_json(self.after),
            "levels": None if self.levels is None else dict(zip(("before", "after", "of"), self.levels, strict=True)),
            "answer": self.answer,
            "nearer": self.nearer,
        }


def standing_of(
    before: tuple[Verdict, str], after: tuple[Verdict, str], rate: Difference, least: float
) -> TargetChange:
    """Judge a cohort.

    Args:
        before: the verdict on the first scenario, and the cohort's name in it.
        after: the same of the other.
        rate: the change of the cohort's win rate.
        least: the smallest change that matters, a share.
    """
    was, is_ = (next(row for row in said.rows if row.cohort == name) for said, name in (before, after))
    nearer = _distance(was.win_rate, was) - _distance(is_.win_rate, is_)
    levels = list(zip(*([row for row in said.level_rows if row.cohort == name] for said, name in (before, after))))
    if not levels:
        return TargetChange(before[1], was, is_, None, _answer(was, is_, rate, least), nearer)
    answers = {_answer(one, two, None, least) for one, two in levels}
    better, worse = "better" in answers, "worse" in answers
    clear: Direction = "unclear" if "unclear" in answers else "as before"
    answer: Direction = "mixed" if better and worse else "better" if better else "worse" if worse else clear
    met = [sum(row.state == "in band" for row in side) for side in zip(*levels, strict=True)]
    return TargetChange(before[1], was, is_, (met[0], met[1], len(levels)), answer, nearer)


def _distance(rate: float, row: Row) -> float:
    """From a win rate to the band of a row."""
    return max(row.target_low - rate, rate - row.target_high, 0.0) if not math.isnan(rate) else math.nan


def _answer(was: Row, is_: Row, rate: Difference | None, least: float) -> Direction:
    """Whether a row is nearer to its target. rate: the change of its win rate; None where it is not known."""
    if not (was.attempts and is_.attempts):
        return "unclear"
    rises = [_distance(two, is_) - _distance(one, was) for one, two in _possible(was, is_, rate)]
    low, high = min(rises, default=-math.inf), max(rises, default=math.inf)
    rise = _distance(is_.win_rate, is_) - _distance(was.win_rate, was)
    if (high <= _NOTHING and -rise >= least) or (high < -_NOTHING and is_.state == "in band"):
        return "better"
    if (low >= -_NOTHING and rise >= least) or (low > _NOTHING and was.state == "in band"):
        return "worse"
    return "as before" if max(-low, high) <= least else "unclear"


def _possible(was: Row, is_: Row, rate: Difference | None) -> Iterator[tuple[float, float]]:
    """Pairs of rates within their margins, whose difference is within its own, at which a distance can be extreme.

    The distances have corners at the ends of the bands and are straight between them, so their difference is extreme
    where two of the lines meet that bound or bend it.
    """
    before, after = (
        [
            row.win_rate_low,
            row.win_rate_high,
            *(edge for edge in (row.target_low, row.target_high) if _inside(edge, row)),
        ]
        for row in (was, is_)
    )
    low, high = (rate.low, rate.high) if rate is not None and _is_of(rate, was, is_) else (-math.inf, math.inf)
    meetings = [(one, two) for one in before for two in after]
    for change in (low, high):
        if math.isfinite(change):
            meetings += [(one, one + change) for one in before] + [(two - change, two) for two in after]
    for one, two in meetings:
        if _inside(one, was) and _inside(two, is_) and low - _NOTHING <= two - one <= high + _NOTHING:
            yield one, two


def _is_of(rate: Difference, was: Row, is_: Row) -> bool:
    """Whether a change with a margin is that of two rows: of the same players, from the same attempt on."""
    same = abs(rate.before - was.win_rate) + abs(rate.after - is_.win_rate) < 1e-9
    return same and not math.isnan(rate.low)


def _inside(rate: float, row: Row) -> bool:
    """Whether a rate lies within the margin of a row."""
    return row.win_rate_low - _NOTHING <= rate <= row.win_rate_high + _NOTHING


def standing_cells(standing: TargetChange) -> tuple[str, ...]:
    """A cohort as text under HEADINGS."""
    was, is_ = standing.before, standing.after
    targets = list(dict.fromkeys(map(target_words, (was, is_))))
    return (
        standing.cohort,
        " -> ".join(targets),
        _rate_text(was),
        was.state_words,
        _rate_text(is_),
        is_.state_words,
        _answer_text(standing),
    )


def _rate_text(row: Row) -> str:
    if not row.attempts:
        return "-"
    return f"{100 * row.win_rate:.1f} % ({100 * row.win_rate_low:.1f}-{100 * row.win_rate_high:.1f})"


def _answer_text(standing: TargetChange) -> str:
    """The answer, and how large it is."""
    words = {"mixed": "better on some levels, worse on others", "unclear": "no clear change"}
    text = words.get(standing.answer, standing.answer)
    if standing.levels is not None:
        before, after, of = standing.levels
        return f"{text}: {before} of {of} levels on target before, {after} after"
    if standing.answer not in ("better", "worse"):
        return text
    where = "nearer" if standing.nearer > 0.0 else "further off"
    return f"{text}: {100 * abs(standing.nearer):.1f} points {where}"


def _row_json(row: Row) -> dict[str, Any]:
    """What a verdict says of the cohort."""
    return {
        "win_rate": row.win_rate,
        "win_rate_low": row.win_rate_low,
        "win_rate_high": row.win_rate_high,
        "target_low": row.target_low,
        "target_high": row.target_high,
        "state": row.state,
        "attempts": row.attempts,
    }
