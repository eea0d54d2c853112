"""Difficulty over a player's attempts, and what the controller thought of the player meanwhile."""

from __future__ import annotations

import math
from typing import Final

from engine.inference.intervals import mean_dial
from sims.html.charts import ChartPoint, line_chart
from sims.html.legend import key
from sims.html.markup import Markup, joined
from sims.html.page import charts, figure, section
from sims.reports.facts import Facts
from sims.reports.rates import attempt_middles, shown

_LABEL: Final = "attempt of a player"


def dials_part(facts: Facts) -> Markup:
    """For each cohort a chart of the difficulty, and below it one of the controller's first belief, if it has one."""
    figures = []
    beliefs = {j: _beliefs(facts, j) for j in facts.charted}
    span = _span([point for line in beliefs.values() for point in line])
    dials = {j: _dial(facts, j) for j in facts.charted}
    end = max((line[-1].x for line in dials.values() if line), default=0.0)
    for j, line in dials.items():
        if not line:
            continue
        pictures = [line_chart(line, "dial", (_LABEL, "difficulty"), (0.0, 1.0), end=end)]
        meaning = f"mean difficulty from {line[0].y:.2f} at first to {line[-1].y:.2f} at last"
        if beliefs[j]:
            labels = (_LABEL, f"estimate: {facts.rows.beliefs.name}")
            pictures.append(line_chart(beliefs[j], "belief", labels, span, end=end))
            meaning += f"; median estimate from {beliefs[j][0].y:.3g} to {beliefs[j][-1].y:.3g}"
        figures.append(figure(facts.labels[j], joined(*pictures), meaning))
    if not figures:
        return Markup("")
    note = joined(key("dial", "mean difficulty; half of the attempts lie in the shaded range"))
    if any(beliefs.values()):
        note = joined(note, key("belief", f"what the controller thinks of the player: {_belief(facts)}"))
    heading = "Difficulty, and what the controller thinks of the player" if any(beliefs.values()) else "Difficulty"
    return section(heading, charts(*figures), note=note)


def _belief(facts: Facts) -> str:
    every = max(facts.rows.beliefs.every)
    sample = f", of one player in {every} or more" if every > 1 else ""
    return f"{facts.rows.beliefs.name}, in its own unit, before each attempt{sample}; the median and the middle half"


def _dial(facts: Facts, cohort: int) -> list[ChartPoint]:
    middles, bins = attempt_middles(facts), facts.tally.by_attempt[cohort]
    line = []
    for place in shown(bins):
        low, _, high = facts.rows.quartiles(cohort, place)
        mean = mean_dial(bins[place])
        line.append(ChartPoint(middles[place], mean, min(low, mean), max(high, mean)))
    return line


def _beliefs(facts: Facts, cohort: int) -> list[ChartPoint]:
    if not facts.rows.beliefs.name:
        return []
    middles = attempt_middles(facts)
    line = []
    for place in shown(facts.tally.by_attempt[cohort]):
        low, middle, high = facts.rows.beliefs.quartiles(cohort, place)
        if not math.isnan(middle):
            line.append(ChartPoint(middles[place], middle, low, high))
    return line


def _span(points: list[ChartPoint]) -> tuple[float, float]:
    """A range around all quartiles, with some air."""
    if not points:
        return 0.0, 1.0
    low, high = min(point.low for point in points), max(point.high for point in points)
    air = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    return low - air, high + air
