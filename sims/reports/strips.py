"""The picture of a verdict: for each player group a strip with its target, its win rate, and who is not in it."""

from __future__ import annotations

import math
from typing import Final

from sims.html.markup import Markup, tag
from sims.html.target_strip import Strip, strip_key, strip_list
from sims.reports.facts import Facts
from sims.verdict.goal import Row
from sims.verdict.reservations import MANY_NEVER_JUDGED
from sims.wording import share_text

_STATES: Final = {"in band": "good", "below": "off", "above": "off", "off": "off", "cannot tell": "open"}


def state(row: Row, words: str | None = None) -> Markup:
    """Where a row lies against its target, as coloured words. words: others than the row's own."""
    return tag("span", words or row.state_words, class_=f"state {_STATES[row.state]}")


def verdict_strips(facts: Facts) -> Markup:
    """Strips of all groups; nothing in a campaign, where each level has a target, and a mean over levels has none."""
    if facts.levels:
        return Markup("")
    shown = [
        (label, row, line)
        for label, row, line in zip(facts.labels, facts.verdict.rows, facts.verdict.lines, strict=True)
        if not math.isnan(row.win_rate)
    ][: len(facts.charted)]
    if not shown:
        return Markup("")
    lines = []
    for label, row, line in shown:
        about = tag("p", tag("strong", line[2]), tag("br"), f"target {line[3]}", *_beside(row, facts))
        name = tag("p", tag("strong", label), " ", state(row, line[4]))
        lines.append((name, f"{label}: {line[2]}, target {line[3]}", _strip(row), about))
    early = f"win rate in the first {facts.verdict.after_attempts} attempts" if facts.verdict.after_attempts else None
    some = any(not math.isnan(row.wanted) for _, row, _ in shown)
    return strip_list(lines, strip_key("win rate with its 95 % margin", early=early, wanted=some))


def _strip(row: Row) -> Strip:
    return Strip(
        (row.target_low, row.target_high),
        row.win_rate,
        row.win_rate_low,
        row.win_rate_high,
        wanted=row.wanted,
        early=row.warm_up_win_rate,
    )


def _beside(row: Row, facts: Facts) -> list[Markup]:
    """What the judged win rate leaves out."""
    words = []
    if not math.isnan(row.warm_up_win_rate):
        words.append(f"first {facts.verdict.after_attempts} attempts: {share_text(row.warm_up_win_rate)}")
    if row.never_judged_share >= MANY_NEVER_JUDGED:
        words.append(f"{share_text(row.never_judged_share)} of players never judged")
    return [part for text in words for part in (tag("br"), tag("small", text))]
