"""arena.html: controllers over all worlds, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sims.arena.courses import LIMIT
from sims.arena.score_card import number_text, ratio_text
from sims.arena.score_page import MODES, legend
from sims.arena.standings import ArenaScores
from sims.arena.worlds import WORLDS
from sims.html.forest_plot import Estimate, forest_plot
from sims.html.markup import Markup, joined, tag
from sims.html.page import document, figure, header, section, table
from sims.html.shaded_table import ShadedRow, shaded_table
from sims.wording import UNCALIBRATED

_EDGES: Final = (1.1, 1.25, 1.5, 1.75, 2.0, 2.5)  # multiples of the limit at which the next shade begins


def standings_page(subtitle: str, arena: ArenaScores) -> str:
    """The whole document."""
    limited = arena.limited_worlds
    rest = [world for world in arena.worlds if world not in limited]
    return document(
        "The arena",
        header("The arena", ("uncalibrated", UNCALIBRATED), subtitle),
        _ratios(arena, limited) if limited else None,
        _errors(arena, rest) if rest else None,
        _advantages(arena) if arena.advantages else None,
        _left_out(arena.absences),
    )


def _ratios(arena: ArenaScores, worlds: Sequence[str]) -> Markup:
    """The shaded table: mean and worst, then the ten worlds of which they are, then the other worlds."""
    ten = [world for world in WORLDS if world in worlds]
    others = [world for world in worlds if world not in WORLDS]
    titles = {
        (line.controller, line.course): f"{line.controller} on {line.course}: {ratio_text(line.ratio)}"
        for line in arena.scores
    }
    rows = [
        ShadedRow(
            one.controller,
            [one.mean, one.worst, *(one.ratios[world] for world in (*ten, *others))],
            ["", "", *(titles.get((one.controller, world), "") for world in (*ten, *others))],
        )
        for one in arena.standings
    ]
    drawn = shaded_table(("mean", "worst", *ten, *others), rows, _EDGES, apart={2, 2 + len(ten)})
    note = (
        f"Error of the true win probability, divided by that of {LIMIT}, the lowest that any controller can reach. "
        "Mean (geometric) and worst are over the ten worlds that follow them, not over the worlds further right."
    )
    return section("How near each controller comes to the limit", drawn, note=note)


def _errors(arena: ArenaScores, worlds: Sequence[str]) -> Markup:
    """The errors themselves, where there is no limit to divide them by."""
    rmse = {(line.controller, line.course): line.card.rmse.value for line in arena.scores}
    rows = [
        (one.controller, *(number_text(rmse.get((one.controller, world), math.nan), ".4f") for world in worlds))
        for one in arena.standings
    ]
    return section(f"Errors where {LIMIT} cannot play", table(("controller", *worlds), rows))


def _advantages(arena: ArenaScores) -> Markup:
    """What each controller gives to players that lose on purpose."""
    modes = {line.controller: line.mode for line in arena.scores}
    gains = sorted(arena.advantages.items(), key=lambda item: item[1].value)
    ends = [end for _, gain in gains for end in gain if not math.isnan(end)]
    span = min(0.0, *ends), max(0.0, *ends)
    rows = [Estimate(name, *gain, *MODES[modes[name]]) for name, gain in gains]
    worst = f"{gains[-1][0]} gives most, {gains[-1][1].value:+.3f}"
    drawn = figure("", forest_plot(rows, span, "+.3f", line=0.0), f"{len(gains)} controllers; {worst}")
    note = (
        "What losing three of twenty attempts on purpose gains in the others, in win probability, with 95 % margins. "
        "At the dashed line, it gains nothing."
    )
    return section("What players gain by losing on purpose", joined(drawn, legend(set(modes.values()))), note=note)


def _left_out(reasons: Sequence[str]) -> Markup | None:
    return section("What is missing, and why", tag("ul", *(tag("li", one) for one in reasons))) if reasons else None
