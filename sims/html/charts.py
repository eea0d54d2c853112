"""Charts as SVG that is put into the page itself: lines, bars and strips.

Colours are names of the page's style sheet, so that one picture is readable on white, on black and on paper. Text stays
text. Nothing but the data decides the bytes: no font is measured, and there are neither ids nor dates. Who rests a
pointer on a point reads its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sims.html.markup import Markup, Part, joined, tag

PARTS: Final = 7  # different colours of a stacked bar, and of lines in one chart
WIDTH: Final = 340.0  # units of all sizes here: about a pixel, so a chart is read at its own size on a phone
_HEIGHT: Final = 190.0
_LEFT: Final = 44.0  # room for numbers of the y axis
_RIGHT: Final = 12.0
_TOP: Final = 24.0  # room for the name of the y axis, which stands above it
_BOTTOM: Final = 36.0
_BAR: Final = 22.0  # height of a bar
_BAR_WIDTH: Final = WIDTH - 2.0
_ROW: Final = 46.0  # a bar and its label above it
_MANY: Final = 12  # points from which on a line has no dots
_READABLE: Final = 0.09  # share of a bar in which its number has room
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)

Span = tuple[float, float]


class Point(NamedTuple):
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


class Mark(NamedTuple):
    """A value with its interval, in a colour of the style sheet."""

    name: str
    value: float
    low: float
    high: float
    colour: str


class Track(NamedTuple):
    """One row of values that belong together, and the band that is wanted for them."""

    label: str
    marks: Sequence[Mark]
    band: Span | None = None


class Line(NamedTuple):
    """One of several lines in a chart."""

    name: str
    points: Sequence[tuple[float, float]]


def line_chart(
    points: Sequence[Point],
    colour: str,
    labels: tuple[str, str],
    span: Span,
    band: Span | None = None,
    stretches: Sequence[Stretch] = (),
    end: float | None = None,
) -> Markup:
    """Draw a line with its interval, over the wanted band if there is one.

    colour: a name of the style sheet; labels: of the x and y axes; span: of the y axis; band: wanted for all x;
    stretches: wanted bands that differ with x, which then ends where they do; end: of the x axis, None for the last
    point. What lies outside the span is cut off. Raises ValueError without points.
    """
    if not points:
        raise ValueError("a line needs one point or more, got none")
    last = points[-1].x if end is None else end
    ends = (stretches[0].left, stretches[-1].right) if stretches else (min(0.0, points[0].x), last)
    frame = _Frame(ends, span)
    wanted = [Stretch(*frame.x_span, *band)] if band is not None else stretches
    upper = [frame.at(point.x, point.high) for point in points]
    lower = [frame.at(point.x, point.low) for point in reversed(points)]
    series: list[Part] = [
        tag("path", d=f"M{'L'.join([*upper, *lower])}Z", class_="area"),
        tag("path", d=f"M{'L'.join(frame.at(point.x, point.y) for point in points)}", class_="line"),
    ]
    radius, kind = (3, "dot") if len(points) < _MANY else (6, "spot")
    for point in points:
        told = f"{labels[0]} {_number(point.x)}: {point.y:.3g} ({point.low:.3g} to {point.high:.3g})"
        x, y = frame.place(point.x, point.y)
        series.append(tag("circle", tag("title", told), cx=x, cy=y, r=radius, class_=kind))
    bands = [_box(frame, (one.left, one.right), (one.low, one.high), "wanted") for one in wanted]
    return _chart(frame, labels, [*bands, tag("g", *series, style=f"color:var(--{colour})")])


def lines_chart(lines: Sequence[Line], labels: tuple[str, str]) -> Markup:
    """Draw at most PARTS lines of shares in one chart, and below it which is which, by colour and by dashes."""
    x_span = (0.0, max((x for line in lines for x, _ in line.points), default=1.0))
    frame = _Frame(x_span, (0.0, 1.0))
    drawn = [
        tag(
            "path",
            tag("title", line.name),
            d=f"M{'L'.join(frame.at(x, y) for x, y in line.points)}",
            class_=f"line dash{j}",
            style=f"color:var(--line{j})",
        )
        for j, line in enumerate(lines)
        if line.points
    ]
    names = [
        tag("span", _swatch(f"line dash{j}", f"line{j}"), line.name, class_="meaning") for j, line in enumerate(lines)
    ]
    return joined(_chart(frame, labels, drawn, percent=True), tag("p", *names, class_="legend"))


def interval_rows(rows: Sequence[Track], span: Span, *, percent: bool = False) -> Markup:
    """Draw a row of dots with their intervals for each track, over its wanted band if it has one.

    span: what all rows reach over; percent: whether shares are written as such. What lies outside is drawn at the edge.
    """
    low, high = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)

    def x(value: float) -> float:
        return 1.0 + (min(max(value, low), high) - low) / (high - low) * _BAR_WIDTH

    drawn: list[Part] = []
    for i, track in enumerate(rows):
        top = _ROW * i + 19.0
        drawn.append(_rect(1.0, top, _BAR_WIDTH, _BAR, "ground"))
        if track.band is not None:
            left, right = map(x, track.band)
            drawn.append(_rect(left, top, max(right - left, 1.0), _BAR, "wanted"))
        if low < 0.0 < high:
            drawn.append(tag("path", d=f"M{_text(x(0.0))} {_text(top)}v{_text(_BAR)}", class_="axis"))
        for j, mark in enumerate(track.marks):
            y = _text(top + _BAR * (j + 0.5) / len(track.marks))
            told = f"{mark.name}: {mark.value:.3f} ({mark.low:.3f} to {mark.high:.3f})"
            line = tag("path", d=f"M{_text(x(mark.low))} {y}H{_text(x(mark.high))}", class_="line")
            dot = tag("circle", tag("title", told), cx=_text(x(mark.value)), cy=y, r="2.6", class_="dot")
            drawn.append(tag("g", line, dot, style=f"color:var(--{mark.colour})"))
    size = 100.0 if percent else 1.0
    unit = " %" if percent else ""
    foot = []
    for tick, word in _ticks(low * size, high * size, 5):
        place = x(tick / size)
        kind = None if place < 12.0 else "end" if place > WIDTH - 14.0 else "middle"
        foot.append((f"{word}{unit}", place, kind))
    return _rows([track.label for track in rows], drawn, foot)


def histogram(
    shares: Sequence[float], edges: Sequence[float], colour: str, labels: tuple[str, str], band: Span | None = None
) -> Markup:
    """Draw bars of shares between neighbouring edges, over a wanted band of x if there is one."""
    top = _ceiling(max(shares, default=0.0))
    frame = _Frame((edges[0], edges[-1]), (0.0, top))
    inside: list[Part] = []
    if band is not None:
        inside.append(_box(frame, (band[0], band[1]), (0.0, top), "wanted"))
    for (left, right), share in zip(pairwise(edges), shares, strict=True):
        if share > 0.0:
            told = f"{_number(left)} to {_number(right)}: {share * 100:.1f} %"
            bar = _box(frame, (left, right), (0.0, share), "bar", tag("title", told))
            inside.append(tag("g", bar, style=f"color:var(--{colour})"))
    return _chart(frame, labels, inside, percent=True)


def stacked_bars(rows: Sequence[tuple[str, Sequence[float]]], words: Sequence[str]) -> Markup:
    """Draw a horizontal bar of shares per row, and below them what the parts mean: words, at most PARTS of them."""
    drawn: list[Part] = []
    for top, shares in _tops(rows):
        left = 0.0
        for j, (word, share) in enumerate(zip(words, shares, strict=True)):
            told = tag("title", f"{word}: {share * 100:.1f} %")
            x, width = 1.0 + left * _BAR_WIDTH, share * _BAR_WIDTH
            drawn.append(_rect(x, top, width, _BAR, "part", told, style=f"color:var(--part{j})"))
            if share >= _READABLE:
                middle = {"x": _text(x + width / 2.0), "y": _text(top + 15.5)}
                drawn.append(tag("text", f"{share * 100:.0f} %", **middle, class_="on-part"))
            left += share
    names = [key(f"part{j}", word) for j, word in enumerate(words)]
    return joined(_bars(rows, drawn), tag("p", *names, class_="legend"))


def strips(rows: Sequence[tuple[str, Sequence[float]]], colour: str, what: str) -> Markup:
    """Draw a strip of cells from 0 to 1 per row; the more of a row's share lies in a cell, the darker it is.

    The darkest cell has the largest share of all rows. what: of which things these are the shares.
    """
    most = max((share for _, shares in rows for share in shares), default=0.0) or 1.0
    drawn: list[Part] = []
    for top, shares in _tops(rows):
        drawn.append(_rect(1.0, top, _BAR_WIDTH, _BAR, "ground"))
        width = _BAR_WIDTH / len(shares)
        for j, share in enumerate(shares):
            if share > 0.0:
                low, high = (_number(edge * 100.0) for edge in (j / len(shares), (j + 1) / len(shares)))
                told = tag("title", f"{low} to {high} % of the way: {share * 100:.1f} % of {what}")
                shade = _text(max(share / most, 0.04), 2)
                drawn.append(_rect(1.0 + j * width, top, width, _BAR, "cell", told, fill_opacity=shade))
    return _bars(rows, [tag("g", *drawn, style=f"color:var(--{colour})")])


def key(colour: str, words: str) -> Markup:
    """What a colour of a chart means. colour: a name of the style sheet."""
    return tag("span", tag("span", class_=f"key {colour}"), words, class_="meaning")


def _tops(rows: Sequence[tuple[str, Sequence[float]]]) -> Iterator[tuple[float, Sequence[float]]]:
    """The upper edge of each row's bar, and its shares."""
    for i, (_, shares) in enumerate(rows):
        yield _ROW * i + 19.0, shares


def _bars(rows: Sequence[tuple[str, Sequence[float]]], drawn: Iterable[Part]) -> Markup:
    """Bars from 0 to 100 %, each under its label."""
    ends: list[tuple[str, float, str | None]] = [
        ("0", 1.0, None),
        ("25", 1.0 + 0.25 * _BAR_WIDTH, "middle"),
        ("50", 1.0 + 0.5 * _BAR_WIDTH, "middle"),
        ("75", 1.0 + 0.75 * _BAR_WIDTH, "middle"),
        ("100 %", 1.0 + _BAR_WIDTH, "end"),
    ]
    return _rows([label for label, _ in rows], drawn, ends)


def _rows(labels: Sequence[str], drawn: Iterable[Part], foot: Iterable[tuple[str, float, str | None]]) -> Markup:
    """What is drawn in rows, each under its label, and below them words at their places."""
    height = _ROW * len(labels) + 18.0
    names = [tag("text", label, x=1, y=_text(_ROW * i + 14.0), class_="name") for i, label in enumerate(labels)]
    below = [tag("text", word, x=_text(at), y=_text(height - 5.0), class_=kind) for word, at, kind in foot]
    return _picture(height, [*names, *drawn, *below])


# --- Frame and axes --------------------------------------------------------------------------------------------------


class _Frame:
    """Where numbers stand inside the axes."""

    def __init__(self, x_span: Span, y_span: Span) -> None:
        self.x_span = x_span if x_span[1] > x_span[0] else (x_span[0] - 0.5, x_span[0] + 0.5)
        self.y_span = y_span if y_span[1] > y_span[0] else (y_span[0] - 0.5, y_span[0] + 0.5)
        self.width = WIDTH - _LEFT - _RIGHT
        self.height = _HEIGHT - _TOP - _BOTTOM

    def x(self, value: float) -> float:
        low, high = self.x_span
        return (value - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        low, high = self.y_span
        return (high - value) / (high - low) * self.height

    def place(self, x: float, y: float) -> tuple[str, str]:
        return _text(self.x(x)), _text(self.y(y))

    def at(self, x: float, y: float) -> str:
        return " ".join(self.place(x, y))


def _chart(frame: _Frame, labels: tuple[str, str], inside: Iterable[Part], *, percent: bool = False) -> Markup:
    """Axes, and inside of them what is cut off at their edges: a nested picture does that by itself."""
    inner = tag(
        "svg",
        *inside,
        x=_text(_LEFT),
        y=_text(_TOP),
        width=_text(frame.width),
        height=_text(frame.height),
        viewBox=f"0 0 {_text(frame.width)} {_text(frame.height)}",
    )
    return _picture(_HEIGHT, [*_axes(frame, labels, percent), inner])


def _axes(frame: _Frame, labels: tuple[str, str], percent: bool) -> Iterator[Markup]:
    right, bottom = _LEFT + frame.width, _TOP + frame.height
    low, high = (edge * 100.0 for edge in frame.y_span) if percent else frame.y_span
    for tick, word in _ticks(low, high, 5):
        y = _TOP + frame.y(tick / 100.0 if percent else tick)
        yield tag("path", d=f"M{_text(_LEFT)} {_text(y)}H{_text(right)}", class_="grid")
        yield tag("text", f"{word} %" if percent else word, x=_text(_LEFT - 5.0), y=_text(y + 4.0), class_="end")
    yield tag("path", d=f"M{_text(_LEFT)} {_text(bottom)}H{_text(right)}", class_="axis")
    for tick, word in _ticks(*frame.x_span, 6):
        x = _LEFT + frame.x(tick)
        yield tag("path", d=f"M{_text(x)} {_text(bottom)}v4", class_="axis")
        yield tag("text", word, x=_text(x), y=_text(bottom + 16.0), class_="middle")
    yield tag("text", labels[0], x=_text(right), y=_text(_HEIGHT - 4.0), class_="end quiet")
    yield tag("text", labels[1], x=_text(1.0), y=_text(12.0), class_="quiet")


def _box(frame: _Frame, x_span: Span, y_span: Span, kind: str, *parts: Part) -> Markup:
    left, right = (frame.x(value) for value in x_span)
    bottom, top = (frame.y(value) for value in y_span)
    gap = 0.5 if kind == "bar" else 0.0
    return _rect(left + gap, top, max(right - left - 2.0 * gap, 0.5), bottom - top, kind, *parts)


def _rect(x: float, y: float, width: float, height: float, kind: str, *parts: Part, **attributes: str) -> Markup:
    size = {"x": _text(x), "y": _text(y), "width": _text(width), "height": _text(height)}
    return tag("rect", *parts, **size, class_=kind, **attributes)


def _swatch(kind: str, colour: str) -> Markup:
    """A piece of a line, for a legend."""
    line = tag("path", d="M0 5H26", class_=kind, style=f"color:var(--{colour})")
    return tag("svg", line, viewBox="0 0 26 10", class_="swatch")


def _picture(height: float, parts: Iterable[Part]) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {_text(WIDTH)} {_text(height)}", class_="chart", aria_hidden="true")


def _ticks(low: float, high: float, most: int) -> Iterator[tuple[float, str]]:
    """Round numbers between two numbers, at most so many steps, each with its word: as many digits for all."""
    step = _step((high - low) / most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield number * step, f"{number * step:,.{digits}f}"


def _step(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not smaller."""
    size: float = 10.0 ** math.floor(math.log10(least))
    return next(step * size for step in _STEPS if step * size >= least * (1.0 - 1e-9))


def _ceiling(most: float) -> float:
    """Where an axis of shares ends."""
    return min(_step(most / 4.0) * math.ceil(most / _step(most / 4.0) - 1e-9), 1.0) if most > 0.0 else 1.0


def _number(value: float) -> str:
    """A tick or a place in few digits, without the noise of binary fractions."""
    return f"{0.0 if abs(value) < 1e-12 else value:,.6g}"


def _text(value: float, digits: int = 1) -> str:
    """A length in a picture."""
    found = f"{value:.{digits}f}"
    return found.rstrip("0").rstrip(".") if "." in found else found
