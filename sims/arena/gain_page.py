"""gains.html: a controller's error against its gain, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sims.arena.gain_finder import Finding, Trial, said
from sims.arena.score_card import number
from sims.html.charts import Point, log_line_chart
from sims.html.legend import key, line_key
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import NOTHING, document, figure, header, section, table
from sims.wording import UNCALIBRATED


def gain_page(title: str, subtitle: str, finding: Finding) -> str:
    """The whole document."""
    first, *others = said(finding).split("\n")
    headline, _, how_sure = first.partition(". ")
    head = header(f"Gain of {finding.controller} on {title}", ("uncalibrated", UNCALIBRATED), subtitle)
    answer = tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", words) for words in (how_sure, *others) if words),
        class_="verdict",
    )
    parts = tag("div", _chart(finding), _table(finding), class_="charts wider")
    note = (
        "RMSE: root mean square of the true win probability less the target, over judged attempts. All gains play the "
        "same players with the same luck."
    )
    return document(f"Gain of {finding.controller}", head, answer, section("Error against gain", parts, note=note))


def _chart(finding: Finding) -> Markup:
    trials = [trial for trial in finding.trials if not math.isnan(trial.rmse.value)]
    points = [Point(trial.gains[0], trial.rmse.value, *_ends(trial.rmse)) for trial in trials]
    best = min(points, key=lambda point: point.y)
    top = 1.05 * max(point.high for point in points) or 1.0
    labels = finding.options[0], "RMSE"
    drawn = log_line_chart(
        points, "rate", labels, (0.0, top), alike=(finding.low, finding.high), chosen=finding.recommended[0]
    )
    legend = tag(
        "p",
        key("rate", "RMSE with its 95 % interval"),
        key("wanted", "may be as good as the best"),
        line_key("limit", f"recommended: {finding.recommended[0]:g}"),
        class_="legend",
    )
    return figure("", joined(drawn, legend), f"the smallest error is {best.y:.4f}, at {best.x:g}")


def _ends(interval: Sequence[float]) -> tuple[float, float]:
    value, low, high = interval
    return (value, value) if math.isnan(low) else (low, high)


def _table(finding: Finding) -> Markup:
    rows = [
        (
            _gains(finding, trial),
            number(trial.rmse.value, ".4f"),
            NOTHING if math.isnan(trial.rmse.low) else f"{trial.rmse.low:.4f} to {trial.rmse.high:.4f}",
            number(trial.behind.value, ".2f"),
        )
        for trial in finding.trials
    ]
    return table((", ".join(finding.options), "RMSE", "95 % interval", "times the best"), rows)


def _gains(finding: Finding, trial: Trial) -> Part:
    words = ", ".join(f"{gain:g}" for gain in trial.gains)
    chosen = tag("span", "recommended", class_="state good")
    return joined(words, " ", chosen) if trial.gains == finding.recommended else words
