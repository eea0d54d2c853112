"""The frame of every HTML file: one document that loads nothing, and its sections, tables and figures.

Whatever is put in is escaped by sims.html.markup; even so the policy in the head keeps a browser from loading anything,
and from running any script but the page's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sims.html.figure_tools import DIGEST, SCRIPT
from sims.html.markup import Markup, Part, joined, tag
from sims.html.style import STYLE

_POLICY: Final = (
    f"default-src 'none'; script-src '{DIGEST}'; style-src 'unsafe-inline'; img-src blob:; base-uri 'none'; "
    "form-action 'none'"
)
NOTHING: Final = "-"  # a cell without a value
_SHORT: Final = 20  # characters of a cell that stays on one line


def document(title: str, *parts: Part) -> str:
    """A whole page. parts: what stands in it, from top to bottom."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} - Flowdial"),
        tag("style", Markup(STYLE)),
    )
    script = tag("script", Markup(SCRIPT))
    return f'<!doctype html>\n<html lang="en">\n{head}\n{tag("body", tag("main", *parts), script)}\n</html>\n'


def header(title: str, badge: tuple[str, str], *subtitles: str) -> Markup:
    """The head of a page. badge: a word above the title, and what it means."""
    word, meaning = badge
    return tag(
        "header",
        tag("p", tag("span", word, class_="badge", title=meaning), class_="badges"),
        tag("h1", title),
        *(tag("p", subtitle, class_="subtitle") for subtitle in subtitles),
    )


def section(heading: str, *parts: Part, note: Part = None) -> Markup:
    """A part of a page under a heading. note: one or two quiet lines below it."""
    lead = tag("p", note, class_="note") if note is not None else None
    return joined("\n", tag("section", tag("h2", heading), lead, *parts))


def table(headings: Sequence[str], rows: Iterable[Sequence[Part]], kind: str | None = None) -> Markup:
    """A table that becomes a list of cards on a narrow screen. The first column names the row.

    kind: "pairs" for a table of names and values, which stays a table everywhere.
    """
    head = tag("tr", *(tag("th", text, scope="col") for text in headings))
    body = []
    for first, *others in rows:
        named = zip(headings[1:], others, strict=True)
        tds = (tag("td", cell, data_label=text, class_=_kind(cell)) for text, cell in named)
        body.append(tag("tr", tag("th", first, scope="row", class_=_kind(first)), *tds))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_=kind), class_="wide")


def _kind(cell: Part) -> str | None:
    """How a cell may be shown: "none" has nothing to say and is left out of a card, "short" stays on one line."""
    if cell == NOTHING:
        return "none"
    return "short" if isinstance(cell, str) and not isinstance(cell, Markup) and len(cell) <= _SHORT else None


def figure(label: str, picture: Markup, meaning: str) -> Markup:
    """A picture under its label. meaning: what it shows, for those who do not see it."""
    caption = tag("figcaption", label) if label else None
    return tag("figure", caption, tag("div", picture, role="img", aria_label=f"{label}: {meaning}".lstrip(": ")))


def folded(summary: str, *parts: Part) -> Markup:
    """Parts that are shown when somebody asks for them. summary: what stands there instead."""
    return tag("details", tag("summary", summary), *parts)


def charts(*figures: Markup) -> Markup:
    """Figures side by side, as many as there is room for."""
    return tag("div", *figures, class_="charts")
