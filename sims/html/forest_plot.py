"""A forest plot: a row for each estimate, with its interval and its number, beside its name."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sims.html.axes import WIDTH, AxisSpan, length, opened, picture, ticks
from sims.html.chart_numbers import numbers_csv
from sims.html.markup import Markup, tag

_NAMES: Final = 126.0  # room for names
_VALUES: Final = 46.0  # room for numbers at the right
_LETTERS: Final = 18  # of a name in one line; no font is measured
_LINE: Final = 13.5  # from one line of a name to the next
_GAP: Final = 11.0  # between two rows
_FOOT: Final = 22.0  # ticks and their words
_MARK: Final = 4.2  # half a mark's size

SHAPES: Final = ("square", "circle", "diamond", "bar")


class Estimate(NamedTuple):
    """A value with its interval: NaN at both ends where there is none."""

    name: str
    value: float
    low: float
    high: float
    colour: str  # a name of the style sheet
    shape: str  # one of SHAPES, so that colour alone never tells two kinds apart


def forest_plot(rows: Sequence[Estimate], span: AxisSpan, form: str, *, line: float | None = None) -> Markup:
    """Draw estimates from top to bottom over one x axis.

    span: of the x axis; what lies outside is drawn at the edge. form: how numbers are written, ".4f" for example.
    line: where a dashed line stands, None for no line.
    """
    axis = _Axis(span)
    names = [_lines(row.name) for row in rows]
    heights = [_LINE * len(lines) + _GAP for lines in names]
    bottom = sum(heights)
    drawn = [*axis.grid(bottom)]
    if line is not None:
        drawn.append(tag("path", d=f"M{length(axis.x(line))} 0V{length(bottom)}", class_="limit"))
    top = 0.0
    for row, lines, height in zip(rows, names, heights, strict=True):
        middle = top + height / 2.0
        first = middle + 4.0 - _LINE * (len(lines) - 1) / 2.0
        for j, (words, kind) in enumerate(lines):
            drawn.append(tag("text", words, x=1, y=length(first + j * _LINE), class_=kind))
        drawn.append(tag("text", format(row.value, form), x=length(WIDTH - 1.0), y=length(middle + 4.0), class_="end"))
        drawn.append(_estimate(row, axis, middle, form))
        top += height
    numbers = numbers_csv(["name", "value", "low", "high"], [row[:4] for row in rows])
    return picture(bottom + _FOOT, drawn, numbers)


def shape_key(colour: str, shape: str, words: str) -> Markup:
    """What a mark of a forest plot means."""
    drawn = tag("g", _shape(shape, 13.0, 6.0), style=f"color:var(--{colour})")
    return tag("span", tag("svg", drawn, viewBox="0 0 26 12", class_="swatch"), words, class_="meaning")


def _lines(name: str) -> list[tuple[str, str | None]]:
    """A name in lines, each with its class: the first word, and below it more quietly the others."""
    first, _, others = name.partition(" ")
    lines: list[tuple[str, str | None]] = [(words, None) for words in textwrap.wrap(first, _LETTERS)]
    return [*lines, *((words, "quiet") for words in textwrap.wrap(others, _LETTERS))]


class _Axis:
    """Where numbers stand between the names and the numbers at the right."""

    def __init__(self, span: AxisSpan) -> None:
        self._low, self._high = opened(span)

    def x(self, value: float) -> float:
        inside = min(max(value, self._low), self._high)
        return _NAMES + (inside - self._low) / (self._high - self._low) * (WIDTH - _NAMES - _VALUES)

    def grid(self, bottom: float) -> Iterator[Markup]:
        for tick, word in ticks(self._low, self._high, 5):
            x = length(self.x(tick))
            yield tag("path", d=f"M{x} 0V{length(bottom)}", class_="grid")
            yield tag("text", word, x=x, y=length(bottom + 15.0), class_="middle")


def _estimate(row: Estimate, axis: _Axis, middle: float, form: str) -> Markup:
    """A mark at a value, on the line of its interval."""
    words, interval = f"{row.name}: {row.value:{form}}", None
    if not math.isnan(row.low):
        words += f" ({row.low:{form}} to {row.high:{form}})"
        ends = length(axis.x(row.low)), length(axis.x(row.high))
        interval = tag("path", d=f"M{ends[0]} {length(middle)}H{ends[1]}", class_="line")
    mark = _shape(row.shape, axis.x(row.value), middle)
    return tag("g", tag("title", words), interval, mark, style=f"color:var(--{row.colour})")


def _shape(shape: str, x: float, y: float) -> Markup:
    """A mark around a point."""
    size = _MARK
    if shape == "circle":
        return tag("circle", cx=length(x), cy=length(y), r=length(size), class_="dot")
    outlines = {
        "square": f"M{length(x - size)} {length(y - size)}h{length(2 * size)}v{length(2 * size)}h{length(-2 * size)}Z",
        "diamond": f"M{length(x)} {length(y - 1.3 * size)}l{length(1.3 * size)} {length(1.3 * size)} "
        f"{length(-1.3 * size)} {length(1.3 * size)} {length(-1.3 * size)} {length(-1.3 * size)}Z",
        "bar": f"M{length(x - 1.2)} {length(y - 1.5 * size)}h2.4v{length(3.0 * size)}h-2.4Z",
    }
    return tag("path", d=outlines[shape], class_="dot")
