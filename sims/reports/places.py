"""Where on a level attempts end: place x cause x player group, the places that end most attempts first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.places.endings import PlaceLosses
from sims.html.markup import Markup, tag
from sims.html.page import NOTHING, folded, section, table
from sims.reports.facts import Facts
from sims.wording import share_text

_MOST_SHOWN: Final = 12  # places in the open table
_MOST_ROWS: Final = 500  # of the folded one: the page stays under a megabyte


def places_part(facts: Facts) -> Markup:
    """One table of places; nothing where the game names none."""
    endings = facts.rows.endings
    found = [] if endings is None else endings.by_place()
    if not found:
        return Markup("")
    noun = str(facts.manifest.get("place_noun", "place"))
    losses = sum(one.losses for one in found)
    shown = _table(facts, found[:_MOST_SHOWN], noun, losses)
    rest = found[_MOST_SHOWN:_MOST_ROWS]
    more = f"{len(rest):,} more" if len(found) <= _MOST_ROWS else f"{len(rest):,} of {len(found) - _MOST_SHOWN:,} more"
    file = f"attempts.{facts.manifest['format']}"
    note = (
        f"Each of the {losses:,} losses is counted at the {noun} where it came; those that end most attempts are "
        f'first. "Lost there" is a share of the attempts that got so far. Watch one with flowdial replay {file} '
        "--row N."
    )
    return section(
        f"At which {noun} attempts end",
        shown,
        folded(f"{more}", _table(facts, rest, noun, losses)) if rest else None,
        note=note,
    )


def _table(facts: Facts, found: Sequence[PlaceLosses], noun: str, losses: int) -> Markup:
    levels = ("level",) if facts.levels else ()
    headings = (noun, *levels, "group", "losses", "of all losses", "lost there", "what ended it", "watch")
    rows = []
    for one in found:
        level = (str(one.level),) if facts.levels else ()
        causes = ", ".join(f"{cause} {count:,}" for cause, count in one.causes)
        watch = tag("code", f"--row {one.row}") if one.row >= 0 else NOTHING
        rows.append(
            (
                f"{noun} {one.place}",
                *level,
                facts.labels[one.cohort],
                f"{one.losses:,}",
                share_text(one.losses / losses),
                share_text(one.losses / one.reached),
                causes,
                watch,
            )
        )
    return table(headings, rows)
