"""A target strip: one rate with its margin on a band of wanted rates. Strips of one page share their axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from sims.html.axes import WIDTH, AxisSpan, length, opened, picture, rect, ticks
from sims.html.legend import key
from sims.html.markup import Markup, tag

_ROOM: Final = 0.1  # of the axis, beside each band
_EDGE: Final = 20.0  # room for half a word at both ends
_TOP: Final = 3.0
_BAND: Final = 26.0  # height of the band
_FOOT: Final = 18.0  # words of the ticks
_MIDDLE: Final = _TOP + _BAND / 2.0


RateBand = tuple[float, float]


class Strip(NamedTuple):
    """Rates, each in [0, 1]; NaN where there is none."""

    band: RateBand
    rate: float
    low: float
    high: float
    wanted: float = math.nan  # inside the band
    early: float = math.nan  # a rate from before, for contrast
    early_band: RateBand | None = None  # what was wanted then, where it was something else
    joined: bool = False  # whether a line leads from the rate before to the rate: a change


def target_strip(strip: Strip, span: AxisSpan) -> Markup:
    """Draw a strip. span: of its axis; what lies outside is drawn at the edge."""
    low, high = opened(span)

    def x(rate: float) -> float:
        inside = min(max(rate, low), high)
        return _EDGE + (inside - low) / (high - low) * (WIDTH - 2.0 * _EDGE)

    bottom, middle = _TOP + _BAND, length(_MIDDLE)
    drawn = []
    for tick, word in ticks(100.0 * low, 100.0 * high, 6):
        at = length(x(tick / 100.0))
        drawn.append(tag("path", d=f"M{at} 0V{length(bottom + 3.0)}", class_="grid"))
        drawn.append(tag("text", f"{word} %", x=at, y=length(bottom + 15.0), class_="middle quiet"))
    left, right = (x(edge) for edge in strip.band)
    drawn.append(rect(left, _TOP, max(right - left, 1.0), _BAND, "wanted"))
    if strip.early_band is not None:
        left, right = (x(edge) for edge in strip.early_band)
        drawn.append(rect(left, _TOP + 4.0, max(right - left, 1.0), _BAND - 8.0, "once-wanted"))
    if not math.isnan(strip.wanted):
        drawn.append(
            tag("path", d=f"M{length(x(strip.wanted))} {length(_TOP - 3.0)}V{length(bottom + 3.0)}", class_="tick")
        )
    if strip.joined and not math.isnan(strip.early + strip.rate):
        drawn.append(tag("path", d=f"M{length(x(strip.early))} {middle}H{length(x(strip.rate))}", class_="way"))
    if not math.isnan(strip.early):
        drawn.append(tag("circle", cx=length(x(strip.early)), cy=middle, r="4.5", class_="hollow"))
    if not math.isnan(strip.rate):
        ends = length(x(strip.low)), length(x(strip.high))
        drawn.append(tag("path", d=f"M{ends[0]} {middle}H{ends[1]}", class_="reach"))
        drawn.append(tag("circle", cx=length(x(strip.rate)), cy=middle, r="5", class_="dot"))
    return picture(bottom + _FOOT, [tag("g", *drawn, style="color:var(--rate)")])


def strip_key(rate: str, *, early: str | None = None, wanted: bool = False, early_band: bool = False) -> Markup:
    """What the marks of strips mean.

    rate: words for the full mark; early: for the hollow one; wanted: whether any strip has a tick; early_band: whether
    any strip has a second band.
    """
    marks = [
        key("wanted", "target"),
        _mark(rect(1.0, 1.0, 24.0, 10.0, "once-wanted"), "target before") if early_band else None,
        _mark(tag("path", d="M13 0V12", class_="tick"), "wanted win rate") if wanted else None,
        _mark(tag("circle", cx="13", cy="6", r="4.5", class_="hollow"), early) if early else None,
        _mark(
            tag("g", tag("path", d="M0 6H26", class_="reach"), tag("circle", cx="13", cy="6", r="4.5", class_="dot")),
            rate,
        ),
    ]
    return tag("p", *marks, class_="legend")


def _mark(drawn: Markup, words: str) -> Markup:
    inside = tag("g", drawn, style="color:var(--rate)")
    return tag("span", tag("svg", inside, viewBox="0 0 26 12", class_="swatch"), words, class_="meaning")


def shared_span(strips: Sequence[Strip]) -> AxisSpan:
    """An axis for all strips: whole steps of five points around every number, and room around every band."""
    bands = [band for strip in strips for band in (strip.band, strip.early_band) if band is not None]
    numbers = [edge for band in bands for edge in (band[0] - _ROOM, band[1] + _ROOM)]
    numbers += [
        one for strip in strips for one in (strip.rate, strip.low, strip.high, strip.early) if not math.isnan(one)
    ]
    low, high = math.floor(min(numbers) / 0.05) * 0.05, math.ceil(max(numbers) / 0.05) * 0.05
    return max(low, 0.0), min(high, 1.0)


def strip_list(lines: Sequence[tuple[Markup, str, Strip, Markup]], legend: Markup) -> Markup:
    """Strips one below the other.

    lines: for each strip what stands at its left, what it says to those who do not see it, the strip, and what stands
    at its right. legend: see `strip_key`.
    """
    span = shared_span([strip for _, _, strip, _ in lines])
    items = [
        tag("li", name, tag("div", target_strip(strip, span), role="img", aria_label=words), about)
        for name, words, strip, about in lines
    ]
    return tag("div", tag("ul", *items, class_="strips"), legend)
