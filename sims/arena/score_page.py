"""scores.html: controllers compared on one scenario, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

from engine.scenario_file.calibration_label import NOT_FITTED, CalibrationLabel
from sims.arena.courses import LIMIT
from sims.arena.score_card import COST, ScoreLine, cohort_table, legend_text, score_table
from sims.html.forest_plot import Estimate, forest_plot, shape_key
from sims.html.legend import line_key
from sims.html.markup import Markup, tag
from sims.html.page import charts, document, figure, header, section, table
from sims.wording import badge_of

_MOST_PANELS: Final = 6
_EVERYBODY: Final = "all players"
# Colour and shape of each mode: the colours are those of the style sheet, safe for colour-blind people.
MODES: Final = {
    "deterministic": ("line1", "square"),
    "adaptive": ("line0", "circle"),
    "self_adaptive": ("line2", "diamond"),
    "reference": ("line4", "bar"),
}


def score_page(
    title: str,
    subtitle: str,
    lines: Sequence[ScoreLine],
    verdict: str,
    notes: Sequence[str],
    label: CalibrationLabel = NOT_FITTED,
) -> str:
    """The whole document. lines: those of all players together, then those of each cohort."""
    headline, _, rest = verdict.partition(". ")
    head = header(f"Controllers on {title}", badge_of(label), subtitle)
    answer = tag(
        "section",
        tag("p", f"{headline}." if rest else headline, class_="headline"),
        tag("p", rest) if rest else None,
        *(tag("p", note, class_="caution") for note in notes),
        class_="verdict",
    )
    return document(f"Controllers on {title}", head, answer, _errors(lines), _cards(lines), _cohorts(lines))


def _errors(lines: Sequence[ScoreLine]) -> Markup:
    """A forest plot for all players, and for each of the first cohorts."""
    known = [line for line in lines if not math.isnan(line.card.rmse.value)]
    panels = list(dict.fromkeys(line.cohort for line in known))[:_MOST_PANELS]
    ends = [end for line in known for end in (line.card.rmse.value, line.card.rmse.high) if not math.isnan(end)]
    span = (0.0, 1.03 * max(ends, default=0.0) or 1.0)  # of all panels, so that they can be compared by eye
    ranked = sorted(known, key=lambda line: line.card.rmse.value)
    order = [line.controller for line in ranked if not line.cohort]
    figures = []
    for panel in panels:
        own = sorted((line for line in known if line.cohort == panel), key=lambda line: order.index(line.controller))
        limit = next((line.card.rmse.value for line in own if line.controller == LIMIT), None)
        drawn = forest_plot([_estimate(line) for line in own], span, ".4f", line=limit)
        best = min(own, key=lambda line: line.card.rmse.value)
        meaning = f"{len(own)} controllers; {best.controller} has the lowest error, {best.card.rmse.value:.4f}"
        figures.append(figure(panel or _EVERYBODY, drawn, meaning))
    note = (
        "Error: root mean square of true win probability minus target, over judged attempts. Lines are 95 % margins. "
        "Further left is better."
    )
    limited = any(line.controller == LIMIT for line in known)
    dashed = [line_key("limit", f"{LIMIT}, the lowest error that any controller can reach")] if limited else []
    meaning = legend({line.mode for line in known}, *dashed)
    return section("Error of each controller", charts(*figures), meaning, note=note)


def _estimate(line: ScoreLine) -> Estimate:
    return Estimate(line.controller, *line.card.rmse, *MODES[line.mode])


def legend(modes: Collection[str], *further: Markup) -> Markup:
    """What the marks mean. further: entries for other things than modes."""
    marks = [shape_key(*MODES[mode], mode.replace("_", "-")) for mode in MODES if mode in modes]
    return tag("p", *marks, *further, class_="legend")


def _cards(lines: Sequence[ScoreLine]) -> Markup:
    """The score cards without the cost, which differs from one machine and run to the next."""
    headings, *rows = score_table([line for line in lines if not line.cohort])
    cost = headings.index(COST)
    shown = [(*row[:cost], *row[cost + 1 :]) for row in (headings, *rows)]
    return section("Score cards", table(shown[0], shown[1:]), tag("p", legend_text(but=COST), class_="note"))


def _cohorts(lines: Sequence[ScoreLine]) -> Markup | None:
    if not any(line.cohort for line in lines):
        return None
    headings, *rows = cohort_table(lines)
    return section("Player groups", table(headings, rows), note="Error, and how many times the limit's it is.")
