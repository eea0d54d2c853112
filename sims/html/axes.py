"""What all charts share: SVG that is put into the page itself, the places of numbers in it, ticks and their words.

Colours are names of the page's style sheet, so that one picture is readable on white, on black and on paper. Text stays
text. Nothing but the data decides the bytes: no font is measured, and there are neither ids nor dates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from sims.html.markup import Markup, Part, tag

WIDTH: Final = 340.0  # units of all sizes here: about a pixel, so a chart is read at its own size on a phone
_HEIGHT: Final = 190.0
_LEFT: Final = 44.0  # room for numbers of the y axis
_RIGHT: Final = 12.0
_TOP: Final = 24.0  # room for the name of the y axis, which stands above it
_BOTTOM: Final = 36.0
_MOST_LOG_TICKS: Final = 7
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)

AxisSpan = tuple[float, float]


class Axes:
    """Both axes of a chart: where numbers stand inside them."""

    def __init__(self, x_span: AxisSpan, y_span: AxisSpan, *, log_x: bool = False) -> None:
        """log_x: the x axis is logarithmic, and all its numbers are above 0."""
        self._log = log_x
        self.x_span = x_span if log_x else opened(x_span)
        self._ends = opened((math.log10(x_span[0]), math.log10(x_span[1])) if log_x else x_span)
        self.y_span = opened(y_span)
        self.width = WIDTH - _LEFT - _RIGHT
        self.height = _HEIGHT - _TOP - _BOTTOM

    def x(self, value: float) -> float:
        low, high = self._ends
        return ((math.log10(value) if self._log else value) - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        low, high = self.y_span
        return (high - value) / (high - low) * self.height

    def x_ticks(self) -> Iterator[tuple[float, str]]:
        """Round numbers along the x axis, each with its word."""
        return _log_ticks(*self.x_span) if self._log else ticks(*self.x_span, 6)

    def place(self, x: float, y: float) -> tuple[str, str]:
        return length(self.x(x)), length(self.y(y))

    def at(self, x: float, y: float) -> str:
        return " ".join(self.place(x, y))


def opened(span: AxisSpan) -> AxisSpan:
    """A span with room in it: one unit around a single number."""
    return span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)


def in_axes(
    axes: Axes, labels: tuple[str, str], inside: Iterable[Part], *, percent: bool = False, numbers: str | None = None
) -> Markup:
    """Axes, and inside of them what is cut off at their edges: a nested picture does that by itself.

    numbers: what the picture shows, as CSV.
    """
    inner = tag(
        "svg",
        *inside,
        x=length(_LEFT),
        y=length(_TOP),
        width=length(axes.width),
        height=length(axes.height),
        viewBox=f"0 0 {length(axes.width)} {length(axes.height)}",
    )
    return picture(_HEIGHT, [*_axes(axes, labels, percent), inner], numbers)


def _axes(axes: Axes, labels: tuple[str, str], percent: bool) -> Iterator[Markup]:
    right, bottom = _LEFT + axes.width, _TOP + axes.height
    low, high = (edge * 100.0 for edge in axes.y_span) if percent else axes.y_span
    for tick, word in ticks(low, high, 5):
        y = _TOP + axes.y(tick / 100.0 if percent else tick)
        yield tag("path", d=f"M{length(_LEFT)} {length(y)}H{length(right)}", class_="grid")
        yield tag("text", f"{word} %" if percent else word, x=length(_LEFT - 5.0), y=length(y + 4.0), class_="end")
    yield tag("path", d=f"M{length(_LEFT)} {length(bottom)}H{length(right)}", class_="axis")
    for tick, word in axes.x_ticks():
        x = _LEFT + axes.x(tick)
        yield tag("path", d=f"M{length(x)} {length(bottom)}v4", class_="axis")
        yield tag("text", word, x=length(x), y=length(bottom + 16.0), class_="middle")
    yield tag("text", labels[0], x=length(right), y=length(_HEIGHT - 4.0), class_="end quiet")
    yield tag("text", labels[1], x=length(1.0), y=length(12.0), class_="quiet")


def box(axes: Axes, x_span: AxisSpan, y_span: AxisSpan, kind: str, *parts: Part) -> Markup:
    """A rectangle inside the axes."""
    left, right = (axes.x(value) for value in x_span)
    bottom, top = (axes.y(value) for value in y_span)
    gap = 0.5 if kind == "bar" else 0.0
    return rect(left + gap, top, max(right - left - 2.0 * gap, 0.5), bottom - top, kind, *parts)


def rect(x: float, y: float, width: float, height: float, kind: str, *parts: Part, **attributes: str) -> Markup:
    """A rectangle; x and y are those of its upper left corner."""
    size = {"x": length(x), "y": length(y), "width": length(width), "height": length(height)}
    return tag("rect", *parts, **size, class_=kind, **attributes)


def picture(height: float, parts: Iterable[Part], numbers: str | None = None) -> Markup:
    """A chart of the usual width. numbers: what it shows, as CSV."""
    size = f"0 0 {length(WIDTH)} {length(height)}"
    return tag("svg", *parts, viewBox=size, class_="chart", aria_hidden="true", data_numbers=numbers)


def ticks(low: float, high: float, most: int) -> Iterator[tuple[float, str]]:
    """Round numbers between two numbers, at most so many steps, each with its word: as many digits for all."""
    step = _step((high - low) / most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield count * step, f"{count * step:,.{digits}f}"


def _log_ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round numbers for a logarithmic axis: 1, 2 and 5 in each power of ten, and fewer where there are many powers."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for digits in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        found = [digit * 10.0**power for power in powers for digit in digits]
        found = [tick for tick in found if low * (1.0 - 1e-9) <= tick <= high * (1.0 + 1e-9)]
        if len(found) <= _MOST_LOG_TICKS:
            break
    yield from ((tick, number(tick)) for tick in found)


def _step(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not smaller."""
    size: float = 10.0 ** math.floor(math.log10(least))
    return next(step * size for step in _STEPS if step * size >= least * (1.0 - 1e-9))


def ceiling(most: float) -> float:
    """Where an axis of shares ends."""
    return min(_step(most / 4.0) * math.ceil(most / _step(most / 4.0) - 1e-9), 1.0) if most > 0.0 else 1.0


def number(value: float) -> str:
    """A tick or a place in few digits, without the noise of binary fractions."""
    return f"{0.0 if abs(value) < 1e-12 else value:,.6g}"


def length(value: float, digits: int = 1) -> str:
    """A length in a picture."""
    found = f"{value:.{digits}f}"
    return found.rstrip("0").rstrip(".") if "." in found else found
