"""A target strip: one rate with its margin on a band of wanted rates. Strips of one page share their axis."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from sims.html.axes import WIDTH, AxisSpan, length, opened, picture, rect, ticks
from sims.html.legend import key
from sims.html.markup import Markup, tag

_EDGE: Final = 16.0  # room for half a word at both ends
_TOP: Final = 3.0
_BAND: Final = 26.0  # height of the band
_FOOT: Final = 18.0  # words of the ticks
_MIDDLE: Final = _TOP + _BAND / 2.0


class Strip(NamedTuple):
    """Rates, each in [0, 1]; NaN where there is none."""

    band: tuple[float, float]
    rate: float
    low: float
    high: float
    wanted: float = math.nan  # inside the band
    early: float = math.nan  # the rate before what is judged


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
    if not math.isnan(strip.wanted):
        drawn.append(
            tag("path", d=f"M{length(x(strip.wanted))} {length(_TOP - 3.0)}V{length(bottom + 3.0)}", class_="tick")
        )
    if not math.isnan(strip.early):
        drawn.append(tag("circle", cx=length(x(strip.early)), cy=middle, r="4.5", class_="hollow"))
    if not math.isnan(strip.rate):
        ends = length(x(strip.low)), length(x(strip.high))
        drawn.append(tag("path", d=f"M{ends[0]} {middle}H{ends[1]}", class_="reach"))
        drawn.append(tag("circle", cx=length(x(strip.rate)), cy=middle, r="5", class_="dot"))
    return picture(bottom + _FOOT, [tag("g", *drawn, style="color:var(--rate)")])


def strip_key(early: str | None, wanted: bool) -> Markup:
    """What the marks of strips mean. early: words for the hollow mark; wanted: whether any strip has a tick."""
    marks = [
        key("wanted", "target"),
        _mark(tag("path", d="M13 0V12", class_="tick"), "wanted win rate") if wanted else None,
        _mark(
            tag("g", tag("path", d="M0 6H26", class_="reach"), tag("circle", cx="13", cy="6", r="4.5", class_="dot")),
            "win rate with its 95 % margin",
        ),
        _mark(tag("circle", cx="13", cy="6", r="4.5", class_="hollow"), early) if early else None,
    ]
    return tag("p", *marks, class_="legend")


def _mark(drawn: Markup, words: str) -> Markup:
    inside = tag("g", drawn, style="color:var(--rate)")
    return tag("span", tag("svg", inside, viewBox="0 0 26 12", class_="swatch"), words, class_="meaning")


def shared_span(strips: list[Strip], room: float) -> AxisSpan:
    """An axis for all strips: whole steps of five points around every number, and room around every band."""
    numbers = [edge for strip in strips for edge in (strip.band[0] - room, strip.band[1] + room)]
    numbers += [
        one for strip in strips for one in (strip.rate, strip.low, strip.high, strip.early) if not math.isnan(one)
    ]
    low, high = math.floor(min(numbers) / 0.05) * 0.05, math.ceil(max(numbers) / 0.05) * 0.05
    return max(low, 0.0), min(high, 1.0)
