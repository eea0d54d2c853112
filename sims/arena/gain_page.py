"""gains.html: a controller's error against its gain, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.scenario_file.calibration_label import NOT_FITTED, CalibrationLabel
from sims.arena.gains import GainTrial, GainTrials
from sims.arena.score_card import number_text
from sims.html.charts import ChartPoint, log_line_chart
from sims.html.legend import key, line_key
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import NOTHING, document, figure, header, section, table
from sims.wording import badge_of


def gain_page(title: str, subtitle: str, result: GainTrials, label: CalibrationLabel = NOT_FITTED) -> str:
    """The whole document."""
    headline, *sentences = result.sentences
    head = header(f"Gain of {result.controller} on {title}", badge_of(label), subtitle)
    answer = tag(
        "section",
        tag("p", headline, class_="headline"),
        *(tag("p", sentence) for sentence in sentences),
        class_="verdict",
    )
    parts = tag("div", _chart(result), _table(result), class_="charts wider")
    note = (
        "Error: root mean square of true win probability minus target, over judged attempts. All gains meet the same "
        "players with the same luck."
    )
    return document(f"Gain of {result.controller}", head, answer, section("Error against gain", parts, note=note))


def _chart(result: GainTrials) -> Markup:
    trials = [trial for trial in result.trials if not math.isnan(trial.rmse.value)]
    points = [ChartPoint(trial.gains[0], trial.rmse.value, *_ends(trial.rmse)) for trial in trials]
    best = min(points, key=lambda point: point.y)
    top = 1.05 * max(point.high for point in points) or 1.0
    labels = result.options[0], "error"
    drawn = log_line_chart(
        points, "rate", labels, (0.0, top), alike=(result.low, result.high), chosen=result.recommended[0]
    )
    legend = tag(
        "p",
        key("rate", "error with its 95 % margin"),
        key("wanted", "may be as good as the best"),
        line_key("limit", f"recommended: {result.recommended[0]:g}"),
        class_="legend",
    )
    return figure("", joined(drawn, legend), f"the lowest error is {best.y:.4f}, at {best.x:g}")


def _ends(interval: Sequence[float]) -> tuple[float, float]:
    value, low, high = interval
    return (value, value) if math.isnan(low) else (low, high)


def _table(result: GainTrials) -> Markup:
    rows = [
        (
            _gains(result, trial),
            number_text(trial.rmse.value, ".4f"),
            NOTHING if math.isnan(trial.rmse.low) else f"{trial.rmse.low:.4f} to {trial.rmse.high:.4f}",
            number_text(trial.behind.value, ".2f"),
        )
        for trial in result.trials
    ]
    return table((", ".join(result.options), "error", "95 % margin", "times the best"), rows)


def _gains(result: GainTrials, trial: GainTrial) -> Part:
    words = ", ".join(f"{gain:g}" for gain in trial.gains)
    chosen = tag("span", "recommended", class_="state good")
    return joined(words, " ", chosen) if trial.gains == result.recommended else words
