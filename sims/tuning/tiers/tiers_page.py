"""report.html of tuned tiers: the answer, win rates and targets, the knobs from tier to tier."""

from __future__ import annotations

from sims.html.markup import Part, joined, tag
from sims.html.page import document, figure, header, section, table
from sims.html.row_charts import Mark, Track, interval_rows
from sims.tuning.tiers.tier_answer import TierAnswer
from sims.wording import badge_of


def tiers_page(answer: TierAnswer) -> str:
    """The whole document."""
    scenario = answer.scenario
    title = f"Tiers of {scenario.title or scenario.form.game.name}"
    first, *others = answer.sentences
    words = tag("section", tag("p", first, class_="headline"), *(tag("p", one) for one in others), class_="verdict")
    links: list[Part] = []
    for tier in answer.tiers:
        links += [" " if links else "", tag("a", tier.name, href=f"{tier.name}/report.html")]
    headings, *rows = answer.table
    note = "A knob that stands still has the same value in neighbouring columns. Harder tiers stand on the right."
    return document(
        title,
        header(title, badge_of(scenario.calibration)),
        words,
        section("Win rates and targets", _rates(answer), note="Measured on fresh players. All margins hold at once."),
        section("Settings", table(headings, rows), note=note),
        section("The study of each tier", tag("p", joined(*links))),
    )


def _rates(answer: TierAnswer) -> Part:
    tracks = [
        Track(
            f"{tier.name}: {group}",
            [Mark(tier.name, rate.win_rate, rate.low, rate.high, "rate")]
            if rate.win_rate is not None and rate.low is not None and rate.high is not None
            else [],
            (rate.target_low, rate.target_high),
        )
        for tier, option in zip(answer.tiers, answer.options, strict=True)
        for group, rate in option.rates.items()
    ]
    ends = [end for track in tracks for mark in track.marks for end in (mark.low, mark.high)]
    ends += [end for track in tracks if track.band for end in track.band]
    air = 0.05 * (max(ends) - min(ends)) + 0.01
    span = max(min(ends) - air, 0.0), min(max(ends) + air, 1.0)
    return figure("Win rates and targets", interval_rows(tracks, span, percent=True), "the numbers of the table below")
