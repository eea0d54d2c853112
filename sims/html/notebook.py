"""Results as a notebook shows them: a small table, and sentences below it."""

from __future__ import annotations

from collections.abc import Sequence

from sims.html.markup import tag


def notebook_table(headings: Sequence[str], rows: Sequence[Sequence[str]], sentences: Sequence[str] = ()) -> str:
    """A table as HTML, without styles, so that the notebook's own apply; everything is escaped.

    Args:
        headings: one text for each column.
        rows: one text for each cell.
        sentences: paragraphs below the table.
    """
    head = tag("tr", *(tag("th", heading) for heading in headings))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return str(tag("div", tag("table", tag("thead", head), tag("tbody", *body)), *(tag("p", one) for one in sentences)))
