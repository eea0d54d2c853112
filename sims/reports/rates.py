"""Win rate against target: over a player's attempts, over simulated time, and level by level."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from engine.inference.intervals import Integers, rate_interval
from sims.html.charts import ChartPoint, Stretch, line_chart
from sims.html.legend import key
from sims.html.markup import Markup, joined, tag
from sims.html.page import charts, figure, folded, section, table
from sims.reports.facts import Facts
from sims.reports.strips import state
from sims.verdict.goal import Row
from sims.verdict.numbers import target_words
from sims.verdict.verdict import cells
from sims.wording import listed

LEAST_CLUSTERS: Final = 5  # a bin with fewer players or attempts is left out of the charts: its interval fills them
LEAST_ATTEMPTS: Final = 30
_MOST_LEVELS: Final = 400  # rows of the table of levels
_FEW_LEVELS: Final = 12  # so many of them need not be folded up
_RATE: Final = "win rate with its 95 % margin"


def shown(bins: Integers) -> list[int]:
    """Bins with enough players and attempts; all that were played when none has. bins: shape (bins, SUMS)."""
    return _enough(bins) or [j for j, sums in enumerate(bins) if sums[2]]


def _enough(bins: Integers) -> list[int]:
    return [j for j, sums in enumerate(bins) if sums[1] >= LEAST_CLUSTERS and sums[2] >= LEAST_ATTEMPTS]


def attempt_middles(facts: Facts) -> list[float]:
    """Middle of each bin of attempts, where a player's first attempt is number 1."""
    return [(low + high) / 2 + 0.5 for low, high in pairwise(facts.tally.scheme.attempt_edges)]


def rates_part(facts: Facts) -> Markup:
    """Two rows of charts: over attempts, and over simulated days."""
    scheme = facts.tally.scheme
    days = [(j + 0.5) * scheme.day_width_s / 86_400 for j in range(scheme.day_bins)]
    by_attempt = _figures(facts, facts.tally.by_attempt, attempt_middles(facts), "attempt of a player")
    by_day = _figures(facts, facts.tally.by_day, days, "simulated day")
    if not by_attempt:
        return Markup("")
    note = joined(
        key("rate", _RATE),
        key("wanted", "target"),
        f" Points with fewer than {LEAST_CLUSTERS} players or {LEAST_ATTEMPTS} attempts are left out{_thin(facts)}.",
    )
    return joined(
        section("Win rate against target", charts(*by_attempt), note=note),
        section("Win rate over simulated time", charts(*by_day)),
    )


def _thin(facts: Facts) -> str:
    """Groups whose points are all shown, because none of them has enough."""
    tally = facts.tally
    names = [
        facts.labels[j]
        for j in facts.charted
        if any(bins[j, :, 2].any() and not _enough(bins[j]) for bins in (tally.by_attempt, tally.by_day))
    ]
    return f"; {listed(names)} had too few for that, so all their points are shown and may be chance" if names else ""


def _figures(facts: Facts, bins: Integers, middles: Sequence[float], label: str) -> list[Markup]:
    lines = {j: [_point(facts, bins[j, at], middles[at]) for at in shown(bins[j])] for j in facts.charted}
    bands = {j: (facts.verdict.rows[j].target_low, facts.verdict.rows[j].target_high) for j in lines}
    span = _span((point for line in lines.values() for point in line), bands.values())
    end = max((line[-1].x for line in lines.values() if line), default=0.0)
    figures = []
    for j, line in lines.items():
        if line:
            picture = line_chart(line, "rate", (label, "win rate"), span, bands[j], end=end)
            target = target_words(facts.verdict.rows[j])
            figures.append(figure(facts.labels[j], picture, f"{_course(line)}, target {target}"))
    return figures


def _point(facts: Facts, sums: Integers, x: float) -> ChartPoint:
    interval = rate_interval(sums, facts.tally.scheme.cluster)
    return ChartPoint(x, interval.rate, interval.low, interval.high)


def _course(line: Sequence[ChartPoint]) -> str:
    return f"win rate from {100 * line[0].y:.0f} % at first to {100 * line[-1].y:.0f} % at last"


def _span(points: Iterable[ChartPoint], bands: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """A range in tenths that holds lines and bands, and the bulk of the intervals."""
    values = [value for point in points for value in (point.y - 0.03, point.y + 0.03)]
    values += [value for low, high in bands for value in (low - 0.03, high + 0.03)]
    low, high = max(0.0, min(values)), min(1.0, max(values))
    return math.floor(low * 10) / 10, math.ceil(high * 10) / 10


def levels_part(facts: Facts) -> Markup:
    """The levels of a campaign: a chart for each cohort, and a table of all of them."""
    rows = facts.verdict.level_rows
    if not rows:
        return Markup("")
    pictures = _level_figures(facts)
    note = joined(key("rate", f"{_RATE} (judged attempts)"), key("wanted", "target of each level"))
    return section("Level by level", charts(*pictures), _level_table(facts, rows), note=note)


def _level_figures(facts: Facts) -> list[Markup]:
    own = {j: [row for row in facts.verdict.level_rows if row.cohort == facts.goal.cohorts[j]] for j in facts.charted}
    played = {j: [row for row in rows if row.attempts] for j, rows in own.items()}
    lines = {
        j: [ChartPoint(row.level, row.win_rate, row.win_rate_low, row.win_rate_high) for row in rows]
        for j, rows in played.items()
        if rows
    }
    if not lines:
        return []
    bands = {
        j: [Stretch(row.level - 0.5, row.level + 0.5, row.target_low, row.target_high) for row in own[j]] for j in lines
    }
    edges = [(one.low, one.high) for band in bands.values() for one in band]
    span = _span((point for line in lines.values() for point in line), edges)
    return [
        figure(
            facts.labels[j],
            line_chart(line, "rate", ("level", "win rate"), span, stretches=bands[j]),
            f"{_course(line)} level, as in the table",
        )
        for j, line in lines.items()
    ]


def _level_table(facts: Facts, levels: Sequence[Row]) -> Markup:
    labels = dict(zip(facts.goal.cohorts, facts.labels, strict=True))
    rows = []
    for row in levels[:_MOST_LEVELS]:
        _, attempts, rate, target, _, difficulty, _ = cells(row)
        name = f"{labels[row.cohort]}, level {row.level}"
        rows.append((name, attempts, rate, target, state(row), difficulty, f"{row.players:,}"))
    headings = (
        "level",
        "judged attempts",
        "win rate (margin)",
        "target",
        "verdict",
        "mean difficulty (margin)",
        "players judged",
    )
    cut = f"The first {_MOST_LEVELS:,} of {len(levels):,} rows; all are in summary.csv."
    parts = [tag("p", cut, class_="note") if len(levels) > _MOST_LEVELS else None, table(headings, rows)]
    return joined(*parts) if len(rows) <= _FEW_LEVELS else folded(f"{len(rows):,} levels of cohorts as a table", *parts)
