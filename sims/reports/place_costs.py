"""What each place of a level costs, as a table of the report and of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.places.knock_out import PlaceCost
from sims.html.markup import Markup
from sims.html.page import folded, section, table
from sims.reports.facts import Facts

MOST_SHOWN: Final = 12  # places in the open table
_MOST_ROWS: Final = 500
NOTE: Final = (
    "The attempts of this run, made again by the same players with the same luck on the same level, with nothing at "
    "one place. The cost is the win rate without it less the win rate as it is. Margins are at 95 % and not corrected "
    "for the number of places: of twenty places that cost nothing, one looks as if it did."
)


def cost_headings(noun: str, *, levels: bool) -> tuple[str, ...]:
    """Of a table of costs."""
    return noun, *(("level",) if levels else ()), "group", "win rate", "without it", "costs, points (margin)", "watch"


def cost_cells(cost: PlaceCost, labels: Sequence[str], noun: str, *, levels: bool) -> tuple[str, ...]:
    """A cost as text under its headings. labels: what people read for the cohorts."""
    found = cost.difference
    margin = "" if found.low != found.low else f" ({100.0 * found.low:+.1f} to {100.0 * found.high:+.1f})"
    return (
        f"{noun} {cost.place}",
        *((str(cost.level),) if levels else ()),
        labels[cost.cohort],
        f"{100.0 * found.before:.1f} %",
        f"{100.0 * found.after:.1f} %",
        f"{100.0 * found.value:+.1f}{margin}",
        f"--row {cost.row}" if cost.row >= 0 else "-",
    )


def costs_part(facts: Facts) -> Markup:
    """What each place costs, the most costly first; nothing where it was not measured."""
    costs = facts.costs
    if not costs:
        return Markup("")
    noun, levels = str(facts.manifest.get("place_noun", "place")), facts.levels > 0
    headings = cost_headings(noun, levels=levels)
    cells = [cost_cells(cost, facts.labels, noun, levels=levels) for cost in costs[:_MOST_ROWS]]
    rest = cells[MOST_SHOWN:]
    left = len(costs) - MOST_SHOWN
    words = f"{len(rest):,} more" if len(rest) == left else f"{len(rest):,} of {left:,} more"
    more = folded(words, table(headings, rest)) if rest else None
    return section(f"What each {noun} costs", table(headings, cells[:MOST_SHOWN]), more, note=NOTE)
