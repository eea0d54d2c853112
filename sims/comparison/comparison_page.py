"""changes.html: a comparison as one page for any browser, without scripts and without parts from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sims.comparison.cells import FOLLOWING_HEADINGS, HEADINGS, change_cells, following_cells
from sims.comparison.changed_keys import ChangedKey
from sims.comparison.differences import EVERYBODY, Change, ComparedScenario, Differences
from sims.comparison.further_changes import FURTHER, FURTHER_CHANGE_HEADINGS, FURTHER_NOTE
from sims.comparison.levels_left import HEADING as LEFT
from sims.comparison.levels_left import HEADINGS as LEFT_HEADINGS
from sims.comparison.levels_left import NOTE as LEFT_NOTE
from sims.comparison.levels_left import LevelLeft
from sims.comparison.notes import notes
from sims.comparison.place_changes import HEADING as PLACES
from sims.comparison.place_changes import MOST_ROWS, place_cells, place_headings
from sims.comparison.place_changes import NOTE as PLACES_NOTE
from sims.comparison.sentences import (
    FOLLOWING,
    MATTERING,
    TARGETS,
    UNCLEAR,
    caution,
    label_of_all,
    names_of,
    players_line,
    small_heading,
    summary,
)
from sims.comparison.target_changes import HEADINGS as STANDING_HEADINGS
from sims.comparison.target_changes import standing_cells
from sims.comparison.target_strips import change_strips
from sims.html.markup import Markup, Part, joined, tag
from sims.html.page import document, header, section, table
from sims.wording import badge_of

_WIDTH: Final = 120  # of a bar, px
_HEIGHT: Final = 14
_MOST_PLACES: Final = 500  # of a page
_MOST_KEYS: Final = 5  # above the verdict
_CHANGE: Final = HEADINGS[4]


def comparison_page(differences: Differences) -> str:
    """The whole document."""
    names = names_of(differences)
    title = f"{names[0]} → {', '.join(names[1:])}"
    played = f"{differences.before.form.game.name}, {players_line(differences, differences.others[0])}"
    subtitles = [differences.before.title, played] if differences.before.title else [played]
    sections = [part for other in differences.others for part in _scenario_parts(differences, other, names)]
    exact = f"For analysts: margins are at {100.0 * differences.confidence:.2f} % (Benjamini and Yekutieli 2005)."
    method = section("How to read this", *(tag("p", one) for one in (*caution(differences), exact)))
    return document(title, header(title, badge_of(label_of_all(differences)), *subtitles), *sections, method)


def _scenario_parts(differences: Differences, other: ComparedScenario, names: Sequence[str]) -> list[Markup]:
    headline, *sentences = summary(differences, other)
    own = differences.changes_of(other)
    mattering = [change for change in own if change.matters]
    small = [change for change in own if change.flagged and not change.matters]
    following = [change for change in own if change.follows]
    unclear = [change for change in own if change.unclear]
    exact = [change for change in own if not change.flagged and change.exact]
    parts = [
        tag("h2", f"{names[0]} → {names[other.number]}") if len(names) > 2 else None,
        tag(
            "section",
            _keys(other.keys[:_MOST_KEYS]),
            tag("p", headline, class_="headline"),
            change_strips(other.standings),
            *(tag("p", sentence) for sentence in sentences),
            *(tag("p", note, class_="caution") for note in notes(differences, other)),
            class_="verdict",
        ),
        section(TARGETS, table(STANDING_HEADINGS, map(standing_cells, other.standings))),
        section(FURTHER, table(FURTHER_CHANGE_HEADINGS, (change.line for change in other.further)), note=FURTHER_NOTE)
        if other.further
        else None,
        section(LEFT, table(LEFT_HEADINGS, [one.cells() for one in other.left]), note=LEFT_NOTE)
        if other.left
        else None,
        _mattering(mattering) if mattering else None,
        section(small_heading(differences.least), table(HEADINGS, map(_row, small))) if small else None,
        _unclear(unclear, several=len(other.pairs) > 1),
        _places(other),
        section(FOLLOWING, table(FOLLOWING_HEADINGS, map(following_cells, following))) if following else None,
        _unchanged(exact),
        section("All changed keys", _keys(other.keys)) if len(other.keys) > _MOST_KEYS else None,
    ]
    return [part for part in parts if part is not None]


def _left(left: Sequence[LevelLeft]) -> Markup | None:
    return section(LEFT, table(LEFT_HEADINGS, [one.cells() for one in left]), note=LEFT_NOTE) if left else None


def _places(other: ComparedScenario) -> Markup | None:
    """Where attempts ended; most of it is folded."""
    if not other.places:
        return None
    headings = place_headings(other.places, other.place_noun)
    cells = [place_cells(one, headings) for one in other.places[:_MOST_PLACES]]
    rest = cells[MOST_ROWS:]
    left = len(other.places) - MOST_ROWS
    more = f"{len(rest):,} more" if len(rest) == left else f"{len(rest):,} of {left:,} more"
    folded = tag("details", tag("summary", more), table(headings, rest)) if rest else None
    return section(PLACES, table(headings, cells[:MOST_ROWS]), folded, note=PLACES_NOTE)


def _keys(keys: Sequence[ChangedKey]) -> Markup:
    """One line for each changed key."""
    if not keys:
        return tag("p", "No key that affects play was changed.", class_="note")
    lines = [joined(tag("code", key.text("→")), tag("br")) for key in keys]
    return tag("p", *lines)


def _mattering(changes: Sequence[Change]) -> Markup:
    scale = max((abs(end) for change in changes for end in _ends(change)), default=0.0)
    rows = [(*_row(change), _bar(change, scale)) for change in changes]
    note = "The picture shows each change and its margin beside no change, the line in the middle."
    return section(MATTERING, table((*HEADINGS, "picture"), rows), note=note)


def _unclear(changes: Sequence[Change], *, several: bool) -> Markup | None:
    """What may be luck: for all players, and folded up for player groups. several: whether there are groups."""
    if not changes:
        return None
    together = [change for change in changes if change.cohort == EVERYBODY or not several]
    apart = [change for change in changes if change not in together]
    folded = None
    if apart:
        heading = f"The same for player groups: {len(apart):,} changes"
        folded = tag("details", tag("summary", heading), table(HEADINGS, map(_row, apart)))
    return section(UNCLEAR, table(HEADINGS, map(_row, together)) if together else None, folded)


def _row(change: Change) -> list[Part]:
    return [
        tag("span", cell, class_="short") if heading == _CHANGE else cell
        for heading, cell in zip(HEADINGS, change_cells(change), strict=True)
    ]


def _unchanged(changes: Sequence[Change]) -> Markup | None:
    """The metrics in which every player did the same."""
    labels: dict[str, list[str]] = {}
    for change in changes:
        labels.setdefault(change.metric.label, []).append(change_cells(change)[1])
    if not labels:
        return None
    rows = [(label, ", ".join(names)) for label, names in labels.items()]
    return tag(
        "details",
        tag("summary", f"Exactly as before: {len(changes):,} values"),
        table(("metric", "players"), rows),
    )


def _ends(change: Change) -> tuple[float, ...]:
    """Effect and ends of its interval, in standard deviations between players; empty if unknown."""
    value, low, high = change.difference.value, change.difference.low, change.difference.high
    if not change.spread > 0.0 or math.isnan(low):
        return ()
    return value / change.spread, low / change.spread, high / change.spread


def _bar(change: Change, scale: float) -> Markup:
    """A dot with its interval on a line around 0."""
    ends = _ends(change)
    if not ends or scale == 0.0:
        return Markup("")
    value, low, high = (round(_WIDTH / 2 + end / scale * (_WIDTH / 2 - 4), 1) for end in ends)
    middle = _HEIGHT // 2

    def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> Markup:
        return tag(
            "line", x1=str(x1), y1=str(y1), x2=str(x2), y2=str(y2), style=f"stroke:var(--{colour});stroke-width:{width}"
        )

    return tag(
        "svg",
        line(0, middle, _WIDTH, middle, "line", 1),
        line(_WIDTH / 2, 0, _WIDTH / 2, _HEIGHT, "quiet", 1),
        line(low, middle, high, middle, "rate", 2.5),
        tag("circle", cx=str(value), cy=middle, r=3, style="fill:var(--rate)"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        style=f"width:{_WIDTH}px",
        aria_hidden="true",
    )
