"""arena.html: all controllers over all worlds, as one page for any browser, without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sims.arena.race import LIMIT
from sims.arena.score_card import interval, number
from sims.arena.score_page import MODES, legend
from sims.arena.worlds import WORLDS, Arena, Standing, absences, limited_worlds
from sims.html.forest import Estimate, forest
from sims.html.heat_map import HeatRow, heat_map
from sims.html.markup import Markup, joined, tag
from sims.html.page import document, figure, header, section, table
from sims.wording import UNCALIBRATED

_EDGES: Final = (1.1, 1.25, 1.5, 1.75, 2.0, 2.5)  # multiples of the limit at which the next shade begins


def standings_page(subtitle: str, found: Arena, standings: Sequence[Standing]) -> str:
    """The whole document. standings: all controllers, the best first."""
    limited = limited_worlds(standings)
    rest = [world for world in standings[0].ratios if world not in limited]
    return document(
        "The arena",
        header("The arena", ("uncalibrated", UNCALIBRATED), subtitle),
        _ratios(found, standings, limited) if limited else None,
        _errors(found, standings, rest) if rest else None,
        _thrown(found) if found.gains else None,
        _left_out(absences(found)),
    )


def _ratios(found: Arena, standings: Sequence[Standing], worlds: Sequence[str]) -> Markup:
    """The heat map: mean and worst, then the ten worlds of which they are, then the other worlds."""
    ten = [world for world in WORLDS if world in worlds]
    others = [world for world in worlds if world not in WORLDS]
    titles = {
        (line.controller, line.course): f"{line.controller} on {line.course}: {interval(line.ratio)}"
        for line in found.lines
    }
    rows = [
        HeatRow(
            one.controller,
            [one.mean, one.worst, *(one.ratios[world] for world in (*ten, *others))],
            ["", "", *(titles.get((one.controller, world), "") for world in (*ten, *others))],
        )
        for one in standings
    ]
    drawn = heat_map(("mean", "worst", *ten, *others), rows, _EDGES, apart={2, 2 + len(ten)})
    note = (
        f"RMSE of the true win probability, as a multiple of the RMSE of {LIMIT}, the least that any controller can "
        "reach. Mean (geometric) and worst are over the ten worlds that follow them; worlds further right stand apart."
    )
    return section("How near each controller comes to the limit", drawn, note=note)


def _errors(found: Arena, standings: Sequence[Standing], worlds: Sequence[str]) -> Markup:
    """RMSE itself, where there is no limit to divide it by."""
    rmse = {(line.controller, line.course): line.card.rmse.value for line in found.lines}
    rows = [
        (one.controller, *(number(rmse.get((one.controller, world), math.nan), ".4f") for world in worlds))
        for one in standings
    ]
    return section(f"RMSE where {LIMIT} cannot play", table(("controller", *worlds), rows))


def _thrown(found: Arena) -> Markup:
    """What each controller gives to players that lose on purpose."""
    modes = {line.controller: line.mode for line in found.lines}
    gains = sorted(found.gains.items(), key=lambda item: item[1].value)
    ends = [end for _, gain in gains for end in gain if not math.isnan(end)]
    span = min(0.0, *ends), max(0.0, *ends)
    rows = [Estimate(name, *gain, *MODES[modes[name]]) for name, gain in gains]
    worst = f"{gains[-1][0]} gives most, {gains[-1][1].value:+.3f}"
    drawn = figure("", forest(rows, span, "+.3f", line=0.0), f"{len(gains)} controllers; {worst}")
    note = (
        "What throwing three attempts of twenty gains in the others, as win probability, with 95 % intervals. At the "
        "dashed line, losing on purpose gains nothing."
    )
    return section("What players gain by losing on purpose", joined(drawn, legend(set(modes.values()))), note=note)


def _left_out(reasons: Sequence[str]) -> Markup | None:
    return section("What is missing, and why", tag("ul", *(tag("li", one) for one in reasons))) if reasons else None
