"""Charts in rows: bars of shares, strips, and values with their intervals, each under or beside its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sims.html.axes import WIDTH, AxisSpan, length, number, picture, rect, ticks
from sims.html.chart_numbers import numbers_csv
from sims.html.legend import key
from sims.html.markup import Markup, Part, joined, tag

_BAR: Final = 22.0  # height of a bar
_BAR_WIDTH: Final = WIDTH - 2.0
_ROW: Final = 46.0  # a bar and its label above it
_READABLE: Final = 0.09  # share of a bar in which its number has room


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
    band: AxisSpan | None = None


def interval_rows(rows: Sequence[Track], span: AxisSpan, *, percent: bool = False) -> Markup:
    """Draw a row of dots with their intervals for each track, over its wanted band if it has one.

    span: what all rows reach over; percent: whether shares are written as such. What lies outside is drawn at the edge.
    """
    low, high = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)

    def x(value: float) -> float:
        return 1.0 + (min(max(value, low), high) - low) / (high - low) * _BAR_WIDTH

    drawn: list[Part] = []
    for i, track in enumerate(rows):
        top = _ROW * i + 19.0
        drawn.append(rect(1.0, top, _BAR_WIDTH, _BAR, "ground"))
        if track.band is not None:
            left, right = map(x, track.band)
            drawn.append(rect(left, top, max(right - left, 1.0), _BAR, "wanted"))
        if low < 0.0 < high:
            drawn.append(tag("path", d=f"M{length(x(0.0))} {length(top)}v{length(_BAR)}", class_="axis"))
        for j, mark in enumerate(track.marks):
            y = length(top + _BAR * (j + 0.5) / len(track.marks))
            told = f"{mark.name}: {mark.value:.3f} ({mark.low:.3f} to {mark.high:.3f})"
            line = tag("path", d=f"M{length(x(mark.low))} {y}H{length(x(mark.high))}", class_="line")
            dot = tag("circle", tag("title", told), cx=length(x(mark.value)), cy=y, r="2.6", class_="dot")
            drawn.append(tag("g", line, dot, style=f"color:var(--{mark.colour})"))
    size = 100.0 if percent else 1.0
    unit = " %" if percent else ""
    foot = []
    for tick, word in ticks(low * size, high * size, 5):
        place = x(tick / size)
        kind = None if place < 12.0 else "end" if place > WIDTH - 14.0 else "middle"
        foot.append((f"{word}{unit}", place, kind))
    found = [(track.label, *mark[:4]) for track in rows for mark in track.marks]
    numbers = numbers_csv(["row", "name", "value", "low", "high"], found)
    return _rows([track.label for track in rows], drawn, foot, numbers)


def stacked_bars(rows: Sequence[tuple[str, Sequence[float]]], words: Sequence[str]) -> Markup:
    """Draw a horizontal bar of shares per row, and below them what the parts mean: words, at most PARTS of them."""
    drawn: list[Part] = []
    for top, shares in _tops(rows):
        left = 0.0
        for j, (word, share) in enumerate(zip(words, shares, strict=True)):
            told = tag("title", f"{word}: {share * 100:.1f} %")
            x, width = 1.0 + left * _BAR_WIDTH, share * _BAR_WIDTH
            drawn.append(rect(x, top, width, _BAR, "part", told, style=f"color:var(--part{j})"))
            if share >= _READABLE:
                middle = {"x": length(x + width / 2.0), "y": length(top + 15.5)}
                drawn.append(tag("text", f"{share * 100:.0f} %", **middle, class_="on-part"))
            left += share
    names = [key(f"part{j}", word) for j, word in enumerate(words)]
    found = [(label, word, share) for label, shares in rows for word, share in zip(words, shares, strict=True)]
    return joined(_bars(rows, drawn, numbers_csv(["row", "part", "share"], found)), tag("p", *names, class_="legend"))


def strips(rows: Sequence[tuple[str, Sequence[float]]], colour: str, what: str) -> Markup:
    """Draw a strip of cells from 0 to 1 per row; the more of a row's share lies in a cell, the darker it is.

    The darkest cell has the largest share of all rows. what: of which things these are the shares.
    """
    most = max((share for _, shares in rows for share in shares), default=0.0) or 1.0
    drawn: list[Part] = []
    for top, shares in _tops(rows):
        drawn.append(rect(1.0, top, _BAR_WIDTH, _BAR, "ground"))
        width = _BAR_WIDTH / len(shares)
        for j, share in enumerate(shares):
            if share > 0.0:
                low, high = (number(edge * 100.0) for edge in (j / len(shares), (j + 1) / len(shares)))
                told = tag("title", f"{low} to {high} % of the way: {share * 100:.1f} % of {what}")
                shade = length(max(share / most, 0.04), 2)
                drawn.append(rect(1.0 + j * width, top, width, _BAR, "cell", told, fill_opacity=shade))
    found = [
        (label, j / len(shares), (j + 1) / len(shares), share)
        for label, shares in rows
        for j, share in enumerate(shares)
    ]
    return _bars(
        rows,
        [tag("g", *drawn, style=f"color:var(--{colour})")],
        numbers_csv(["row", "from", "to", f"share of {what}"], found),
    )


def _tops(rows: Sequence[tuple[str, Sequence[float]]]) -> Iterator[tuple[float, Sequence[float]]]:
    """The upper edge of each row's bar, and its shares."""
    for i, (_, shares) in enumerate(rows):
        yield _ROW * i + 19.0, shares


def _bars(rows: Sequence[tuple[str, Sequence[float]]], drawn: Iterable[Part], numbers: str) -> Markup:
    """Bars from 0 to 100 %, each under its label."""
    ends: list[tuple[str, float, str | None]] = [
        ("0", 1.0, None),
        ("25", 1.0 + 0.25 * _BAR_WIDTH, "middle"),
        ("50", 1.0 + 0.5 * _BAR_WIDTH, "middle"),
        ("75", 1.0 + 0.75 * _BAR_WIDTH, "middle"),
        ("100 %", 1.0 + _BAR_WIDTH, "end"),
    ]
    return _rows([label for label, _ in rows], drawn, ends, numbers)


def _rows(
    labels: Sequence[str], drawn: Iterable[Part], foot: Iterable[tuple[str, float, str | None]], numbers: str
) -> Markup:
    """What is drawn in rows, each under its label, and below them words at their places."""
    height = _ROW * len(labels) + 18.0
    names = [tag("text", label, x=1, y=length(_ROW * i + 14.0), class_="name") for i, label in enumerate(labels)]
    below = [tag("text", word, x=length(at), y=length(height - 5.0), class_=kind) for word, at, kind in foot]
    return picture(height, [*names, *drawn, *below], numbers)
