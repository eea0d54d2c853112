"""The picture of a comparison: each player group against its target, before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sims.comparison.target_changes import Direction, TargetChange, standing_cells
from sims.html.markup import Markup, tag
from sims.html.target_strip import Strip, strip_key, strip_list
from sims.verdict.numbers import target_words

_STATES: Final[dict[Direction, str]] = {"better": "good", "worse": "off", "mixed": "off"}


def change_strips(standings: Sequence[TargetChange]) -> Markup | None:
    """A dumbbell for each group; None in a campaign, where each level has a target, and where nothing was judged."""
    shown = [
        one for one in standings if one.levels is None and not math.isnan(one.before.win_rate + one.after.win_rate)
    ]
    if not shown:
        return None
    lines = []
    for one in shown:
        cohort, target, before, _, after, _, answer = standing_cells(one)
        name = tag(
            "p", tag("strong", cohort), " ", tag("span", one.answer, class_=f"state {_STATES.get(one.answer, 'open')}")
        )
        about = tag(
            "p", tag("strong", f"{before} → {after}"), tag("br"), f"target {target}", tag("br"), tag("small", answer)
        )
        lines.append((name, f"{cohort}: {before} before, {after} after, target {target}", _strip(one), about))
    strips = [strip for _, _, strip, _ in lines]
    legend = strip_key(
        "win rate after, with its 95 % margin",
        early="win rate before",
        wanted=any(not math.isnan(strip.wanted) for strip in strips),
        early_band=any(strip.early_band is not None for strip in strips),
    )
    return strip_list(lines, legend)


def _strip(one: TargetChange) -> Strip:
    was, is_ = one.before, one.after
    return Strip(
        (is_.target_low, is_.target_high),
        is_.win_rate,
        is_.win_rate_low,
        is_.win_rate_high,
        wanted=is_.wanted,
        early=was.win_rate,
        early_band=(was.target_low, was.target_high) if target_words(was) != target_words(is_) else None,
        joined=True,
    )
