"""scores.html: what came of a race on one scenario, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

from sims.arena.race import LIMIT
from sims.arena.score_card import LEGEND, WHY_LAST, Line, cohort_table, table
from sims.html.forest import Estimate, forest, shape_key
from sims.html.legend import line_key
from sims.html.markup import Markup, joined, tag
from sims.html.page import charts, document, figure, header, section
from sims.html.page import table as page_table
from sims.wording import UNCALIBRATED

_MOST_PANELS: Final = 6
_COST: Final = "us"  # differs from one machine and run to the next, so it is no part of a page
_EVERYBODY: Final = "all players"
# Colour and shape of each mode: the colours are those of the style sheet, safe for colour-blind people.
MODES: Final = {
    "deterministic": ("line1", "square"),
    "adaptive": ("line0", "circle"),
    "self_adaptive": ("line2", "diamond"),
    "reference": ("line4", "bar"),
}


def score_page(title: str, subtitle: str, lines: Sequence[Line], verdict: str, notes: Sequence[str]) -> str:
    """The whole document. lines: those of all players together, then those of each cohort."""
    headline, _, rest = verdict.partition("; ")
    head = header(f"Controllers on {title}", ("uncalibrated", UNCALIBRATED), subtitle)
    answer = tag(
        "section",
        tag("p", headline, class_="headline"),
        tag("p", rest) if rest else None,
        *(tag("p", note, class_="caution") for note in notes),
        class_="verdict",
    )
    return document(f"Controllers on {title}", head, answer, _errors(lines), _cards(lines), _cohorts(lines))


def _errors(lines: Sequence[Line]) -> Markup:
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
        drawn = forest([_estimate(line) for line in own], span, ".4f", line=limit)
        best = min(own, key=lambda line: line.card.rmse.value)
        meaning = f"{len(own)} controllers; the smallest error has {best.controller}, {best.card.rmse.value:.4f}"
        figures.append(figure(panel or _EVERYBODY, drawn, meaning))
    note = (
        "RMSE: root mean square of the true win probability less the target, over judged attempts. Lines are 95 % "
        "intervals. Further left is better."
    )
    limited = any(line.controller == LIMIT for line in known)
    dashed = [line_key("limit", f"{LIMIT}, the least error that any controller can reach")] if limited else []
    meaning = legend({line.mode for line in known}, *dashed)
    return section("How far off each controller is", charts(*figures), meaning, note=note)


def _estimate(line: Line) -> Estimate:
    return Estimate(line.controller, *line.card.rmse, *MODES[line.mode])


def legend(modes: Collection[str], *further: Markup) -> Markup:
    """What the marks mean. further: of other things than modes."""
    marks = [shape_key(*MODES[mode], mode.replace("_", "-")) for mode in MODES if mode in modes]
    return tag("p", *marks, *further, class_="legend")


def _cards(lines: Sequence[Line]) -> Markup:
    headings, *rows = table([line for line in lines if not line.cohort])
    cost = headings.index(_COST)
    shown = [(*row[:cost], *row[cost + 1 :]) for row in (headings, *rows)]
    meaning = joined(*(tag("p", words.replace("\n", " "), class_="note") for words in (_without_cost(), WHY_LAST)))
    return section("Score cards", page_table(shown[0], shown[1:]), meaning)


def _without_cost() -> str:
    return LEGEND.removesuffix(f"; {_COST}: microseconds each.") + "."


def _cohorts(lines: Sequence[Line]) -> Markup | None:
    if not any(line.cohort for line in lines):
        return None
    headings, *rows = cohort_table(lines)
    return section("Each cohort", page_table(headings, rows), note="RMSE, and its multiple of the limit's.")
