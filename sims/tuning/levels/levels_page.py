"""The page of help per level: the answer in words, win rates and players by level before and now, and the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sims.html.charts import Line, lines_chart
from sims.html.markup import Markup, tag
from sims.html.page import charts, document, figure, header, section, table
from sims.verdict.verdict import Verdict
from sims.wording import badge_of


def levels_page(
    title: str,
    sentences: Sequence[str],
    headings: Sequence[str],
    lines: Sequence[Sequence[str]],
    before: Verdict,
    after: Verdict,
) -> str:
    """The whole document.

    Args:
        title: of the scenario.
        sentences: the answer, the most important one first.
        headings: of the table.
        lines: of the table.
        before: the verdict on the levels as they were.
        after: the verdict on the levels as they are now.
    """
    first, *others = sentences
    words = tag("section", tag("p", first, class_="headline"), *(tag("p", one) for one in others), class_="verdict")
    pictures = [picture for row in after.rows for picture in _pictures(before, after, row.cohort)]
    note = "Win rates are of players whom the search had not seen. The same players play the levels before and now."
    return document(
        f"Levels of {title}",
        header(f"Levels of {title}", badge_of(after.label)),
        words,
        section("By level", charts(*pictures), note=note),
        section("Levels", table(headings, lines)),
    )


def _pictures(before: Verdict, after: Verdict, cohort: str) -> Iterator[Markup]:
    old, new = ([row for row in one.level_rows if row.cohort == cohort] for one in (before, after))
    group = f"{cohort}, " if len(after.rows) > 1 else ""
    rates = [
        Line("target", [(row.level, 0.5 * (row.target_low + row.target_high)) for row in new]),
        Line("before", [(row.level, row.win_rate) for row in old if row.attempts]),
        Line("now", [(row.level, row.win_rate) for row in new if row.attempts]),
    ]
    yield figure("Win rates", lines_chart(rates, ("level", "win rate")), f"{group}{len(new)} levels")
    most = max(max(row.players for row in (*old, *new)), 1)
    left = [
        Line(name, [(row.level, row.players / most) for row in rows]) for name, rows in (("before", old), ("now", new))
    ]
    yield figure("Players who reach it", lines_chart(left, ("level", "players")), f"{group}{most:,} at most")
