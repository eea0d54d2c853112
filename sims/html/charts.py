"""Charts with an x and a y axis: lines with their intervals, several lines, and histograms.

A point shows its numbers under a resting pointer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sims.html.axes import Axes, AxisSpan, box, ceiling, in_axes, length, number
from sims.html.chart_numbers import numbers_csv
from sims.html.legend import line_key
from sims.html.markup import Markup, Part, joined, tag

PARTS: Final = 7  # different colours of a stacked bar, and of lines in one chart
_MANY: Final = 12  # points from which on a line has no dots
_LOG_MARGIN: Final = 1.12  # room beside the first and last point of a logarithmic axis


class ChartPoint(NamedTuple):
    """One point of a line with its interval."""

    x: float
    y: float
    low: float
    high: float


class Stretch(NamedTuple):
    """What is wanted from one x to another."""

    left: float
    right: float
    low: float
    high: float


class Line(NamedTuple):
    """One of several lines in a chart."""

    name: str
    points: Sequence[tuple[float, float]]


def line_chart(
    points: Sequence[ChartPoint],
    colour: str,
    labels: tuple[str, str],
    span: AxisSpan,
    band: AxisSpan | None = None,
    stretches: Sequence[Stretch] = (),
    end: float | None = None,
    *,
    begin: float = 0.0,
    log_x: bool = False,
) -> Markup:
    """Draw a line with its interval, over the wanted band if there is one.

    colour: a name of the style sheet; labels: of the x and y axes; span: of the y axis; band: wanted for all x;
    stretches: wanted bands that differ with x, which then ends where they do; end: of the x axis, None for the last
    point; begin: of the x axis, unless a point is before it; log_x: the x axis is logarithmic, and begins above 0. What
    lies outside the span is cut off. Raises ValueError without points.
    """
    if not points:
        raise ValueError("a line needs one point or more, got none")
    last = points[-1].x if end is None else end
    ends = (stretches[0].left, stretches[-1].right) if stretches else (min(begin, points[0].x), last)
    axes = Axes(ends, span, log_x=log_x)
    wanted = [Stretch(*axes.x_span, *band)] if band is not None else stretches
    bands = [box(axes, (one.left, one.right), (one.low, one.high), "wanted") for one in wanted]
    radius, kind = (3, "dot") if len(points) < _MANY else (6, "spot")
    series = _series(axes, points, colour, labels[0], radius, kind)
    return in_axes(axes, labels, [*bands, series], numbers=numbers_csv([*labels, "low", "high"], points))


def log_line_chart(
    points: Sequence[ChartPoint],
    colour: str,
    labels: tuple[str, str],
    span: AxisSpan,
    *,
    alike: AxisSpan,
    chosen: float,
) -> Markup:
    """Draw a line with its interval over a logarithmic x axis.

    colour: a name of the style sheet; labels: of the x and y axes; span: of the y axis; alike: from which x to which
    all are as good, shaded; chosen: the x that is marked by a dashed line. Raises ValueError without points.
    """
    if not points:
        raise ValueError("a line needs one point or more, got none")
    axes = Axes((points[0].x / _LOG_MARGIN, points[-1].x * _LOG_MARGIN), span, log_x=True)
    shade = box(axes, alike, span, "wanted")
    line = tag("path", d=f"M{axes.at(chosen, span[1])}V{length(axes.height)}", class_="limit")
    series = _series(axes, points, colour, labels[0], 3, "dot")
    return in_axes(axes, labels, [shade, line, series], numbers=numbers_csv([*labels, "low", "high"], points))


def _series(axes: Axes, points: Sequence[ChartPoint], colour: str, x_label: str, radius: int, kind: str) -> Markup:
    """A line through points, the area of their intervals, and a mark on each point with its numbers."""
    upper = [axes.at(point.x, point.high) for point in points]
    lower = [axes.at(point.x, point.low) for point in reversed(points)]
    drawn: list[Part] = [
        tag("path", d=f"M{'L'.join([*upper, *lower])}Z", class_="area"),
        tag("path", d=f"M{'L'.join(axes.at(point.x, point.y) for point in points)}", class_="line"),
    ]
    for point in points:
        words = f"{x_label} {number(point.x)}: {point.y:.3g} ({point.low:.3g} to {point.high:.3g})"
        x, y = axes.place(point.x, point.y)
        drawn.append(tag("circle", tag("title", words), cx=x, cy=y, r=radius, class_=kind))
    return tag("g", *drawn, style=f"color:var(--{colour})")


def lines_chart(lines: Sequence[Line], labels: tuple[str, str]) -> Markup:
    """Draw at most PARTS lines of shares in one chart, and below it which is which, by colour and by dashes."""
    x_span = (0.0, max((x for line in lines for x, _ in line.points), default=1.0))
    axes = Axes(x_span, (0.0, 1.0))
    drawn = [
        tag(
            "path",
            tag("title", line.name),
            d=f"M{'L'.join(axes.at(x, y) for x, y in line.points)}",
            class_=f"line dash{j}",
            style=f"color:var(--line{j})",
        )
        for j, line in enumerate(lines)
        if line.points
    ]
    names = [line_key(f"line dash{j}", line.name, f"line{j}") for j, line in enumerate(lines)]
    numbers = numbers_csv(["line", *labels], [(line.name, *point) for line in lines for point in line.points])
    return joined(in_axes(axes, labels, drawn, percent=True, numbers=numbers), tag("p", *names, class_="legend"))


def band_chart(points: Sequence[ChartPoint], seen: Sequence[tuple[float, float]], labels: tuple[str, str]) -> Markup:
    """Draw shares that are expected, with their band, and over them as marks those that were seen.

    points: expected; seen: x and y; labels: of the x and y axes. Raises ValueError without points.
    """
    if not points:
        raise ValueError("a band needs one point or more, got none")
    axes = Axes((min(0.0, points[0].x), points[-1].x), (0.0, 1.0))
    marks = []
    for x, y in seen:
        at_x, at_y = axes.place(x, y)
        words = f"{labels[0]} {number(x)}: {y:.3g}"
        marks.append(
            tag("circle", tag("title", words), cx=at_x, cy=at_y, r="2.5" if len(seen) < _MANY else "1.6", class_="dot")
        )
    drawn = [_series(axes, points, "line1", labels[0], 6, "spot"), tag("g", *marks, style="color:var(--line0)")]
    rows = [*(("expected", *point) for point in points), *(("seen", x, y, math.nan, math.nan) for x, y in seen)]
    return in_axes(axes, labels, drawn, percent=True, numbers=numbers_csv(["what", *labels, "low", "high"], rows))


def histogram(
    shares: Sequence[float], edges: Sequence[float], colour: str, labels: tuple[str, str], band: AxisSpan | None = None
) -> Markup:
    """Draw bars of shares between neighbouring edges, over a wanted band of x if there is one."""
    top = ceiling(max(shares, default=0.0))
    axes = Axes((edges[0], edges[-1]), (0.0, top))
    inside: list[Part] = []
    if band is not None:
        inside.append(box(axes, (band[0], band[1]), (0.0, top), "wanted"))
    for (left, right), share in zip(pairwise(edges), shares, strict=True):
        if share > 0.0:
            words = f"{number(left)} to {number(right)}: {share * 100:.1f} %"
            bar = box(axes, (left, right), (0.0, share), "bar", tag("title", words))
            inside.append(tag("g", bar, style=f"color:var(--{colour})"))
    rows = [(left, right, share) for (left, right), share in zip(pairwise(edges), shares, strict=True)]
    return in_axes(axes, labels, inside, percent=True, numbers=numbers_csv(["from", "to", labels[1]], rows))
