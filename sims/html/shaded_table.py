"""A table of numbers whose cells are darker, the larger the number is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sims.html.legend import key
from sims.html.markup import Markup, joined, tag
from sims.html.page import NOTHING

SHADES: Final = 7  # different colours of cells


class ShadedRow(NamedTuple):
    """One row of a shaded table."""

    name: str
    cells: Sequence[float]  # NaN where there is no number
    titles: Sequence[str]  # what each cell says to a resting pointer; "" for nothing


def shaded_table(
    headings: Sequence[str], rows: Sequence[ShadedRow], edges: Sequence[float], *, apart: Collection[int]
) -> Markup:
    """A table of shaded numbers that stays a table everywhere; its first column stays in view.

    headings: of the columns, without that of the names; edges: SHADES - 1 numbers at which the next shade begins;
    apart: columns with a gap to their left. Raises ValueError for another number of edges.
    """
    if len(edges) != SHADES - 1:
        raise ValueError(f"a shaded table needs {SHADES - 1} edges, got {len(edges)}")

    def kind(column: int, shade: str | None) -> str | None:
        return " ".join(filter(None, ("apart" if column in apart else None, shade))) or None

    head = [tag("th", text, scope="col", class_=kind(j, None)) for j, text in enumerate(headings)]
    body = []
    for row in rows:
        cells = [
            tag("td", _cell(number), title=title or None, class_=kind(j, _shade(number, edges)))
            for j, (number, title) in enumerate(zip(row.cells, row.titles, strict=True))
        ]
        body.append(tag("tr", tag("th", row.name, scope="row"), *cells))
    content = tag("thead", tag("tr", tag("td"), *head)), tag("tbody", *body)
    return joined(tag("div", tag("table", *content, class_="heat"), class_="wide"), _legend(edges))


def _cell(number: float) -> str:
    return NOTHING if math.isnan(number) else f"{number:.2f}"


def _shade(number: float, edges: Sequence[float]) -> str | None:
    return None if math.isnan(number) else f"heat{bisect_right(edges, number)}"


def _legend(edges: Sequence[float]) -> Markup:
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    words = [f"below {edges[0]:g}", *between, f"{edges[-1]:g} and more"]
    return tag("p", *(key(f"heat{j}", one) for j, one in enumerate(words)), class_="legend")
