"""Shapes that a number can follow over attempts, whatever their outcomes.

A shape is a pure function of u and of the heights it passes through. u is the share of its length that is over, 0 to 1.
The deterministic controllers let difficulty follow a shape, and a gain can follow one. Heights lie in [0, 1], and so
does every shape between them.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from engine.arithmetic import exp

QUARTER_TURN: Final = 1.5707963267948966
FLAT_RATE: Final = 1e-6  # an exponential this slow is a straight line, in which the rate would cancel badly


def share_done(attempt: float, length: float) -> float:
    """How much of a schedule is over before this attempt: 0 at the first, 1 from attempt number `length` on."""
    return min(attempt / (length - 1.0), 1.0)


def linear(u: float, start: float, end: float) -> float:
    """A straight line."""
    return start + (end - start) * u


def half_wave(u: float) -> float:
    """(1 - cos(pi u)) / 2 for u in [0, 1], error below 1e-15, the same bits on every machine.

    It is sin(pi u / 2) squared; the sine is its Taylor series of degree 21, whose next term is below 2e-18.
    """
    x = QUARTER_TURN * u
    z = x * x
    sine = 1.0
    for k in range(10, 0, -1):
        sine = 1.0 - sine * z / (2.0 * k * (2.0 * k + 1.0))
    sine = sine * x
    return min(sine * sine, 1.0)


def cosine(u: float, start: float, end: float) -> float:
    """Half a cosine wave: slow at both ends (Loshchilov and Hutter 2017)."""
    return linear(half_wave(u), start, end)


def exponential(u: float, start: float, end: float, rate: float) -> float:
    """An exponential approach to `end`, reached at u = 1; `rate` is how many times it shrinks e-fold on the way."""
    if rate < FLAT_RATE:
        return linear(u, start, end)
    left = exp(-rate)
    return linear((1.0 - exp(-rate * u)) / (1.0 - left) if u < 1.0 else 1.0, start, end)


class Knots(NamedTuple):
    """Three places between the ends of a shape, and the heights there.

    A knot placed before the one before it stands at the same place as that one.
    """

    at1: float
    height1: float
    at2: float
    height2: float
    at3: float
    height3: float


def knots_of(options: Any) -> Knots:
    """The knots of options that have them."""
    return Knots(options.at1, options.height1, options.at2, options.height2, options.at3, options.height3)


def sort_knots(knots: Knots) -> Knots:
    """The knots with none placed before the one before it."""
    at2 = max(knots.at1, knots.at2)
    return Knots(knots.at1, knots.height1, at2, knots.height2, max(at2, knots.at3), knots.height3)


def stairs(u: float, start: float, end: float, knots: Knots) -> float:
    """Stairs: each height holds from its knot to the next one; `end` comes at u = 1."""
    k = sort_knots(knots)
    if u >= 1.0:
        return end
    if u >= k.at3:
        return k.height3
    if u >= k.at2:
        return k.height2
    return k.height1 if u >= k.at1 else start


def piecewise(u: float, start: float, end: float, knots: Knots) -> float:
    """Straight lines from knot to knot."""
    k = sort_knots(knots)
    if u >= 1.0:
        return end
    if u >= k.at3:
        return line_between(u, k.at3, k.height3, 1.0, end)
    if u >= k.at2:
        return line_between(u, k.at2, k.height2, k.at3, k.height3)
    if u >= k.at1:
        return line_between(u, k.at1, k.height1, k.at2, k.height2)
    return line_between(u, 0.0, start, k.at1, k.height1)


def line_between(u: float, left: float, low: float, right: float, high: float) -> float:
    """The height at u of the line from (left, low) to (right, high), for left <= u < right."""
    return linear((u - left) / (right - left), low, high)


def warm_up_cosine(u: float, start: float, peak: float, end: float, warm_up: float) -> float:
    """A straight line to `peak` over the share `warm_up`, then half a cosine wave to `end`."""
    if u < warm_up:
        return line_between(u, 0.0, start, warm_up, peak)
    return cosine((u - warm_up) / (1.0 - warm_up), peak, end)


def warm_up_decay(u: float, start: float, peak: float, end: float, warm_up: float) -> float:
    """A straight line to `peak` over the share `warm_up`, then a straight line to `end`."""
    if u < warm_up:
        return line_between(u, 0.0, start, warm_up, peak)
    return linear((u - warm_up) / (1.0 - warm_up), peak, end)


def one_cycle(u: float, start: float, peak: float, end: float, rise: float) -> float:
    """Up to `peak` over the share `rise`, down to `start` over as much again, then to `end` (Smith 2018)."""
    if u < rise:
        return line_between(u, 0.0, start, rise, peak)
    if u < 2.0 * rise:
        return line_between(u, rise, peak, 2.0 * rise, start)
    return linear((u - 2.0 * rise) / (1.0 - 2.0 * rise), start, end)


def sawtooth(u: float, start: float, end: float, teeth: float, breather: float, rest: float) -> float:
    """Lines from `start` to `end`, one after the other, with a pause at `rest` between them.

    breather: the share of a tooth and its pause that is pause. The last tooth has none: it ends at `end` with u = 1.
    """
    count = max(math.floor(teeth), 1.0)
    if u >= 1.0:
        return end
    x = u * (count - breather)
    along = (x - math.floor(x)) / (1.0 - breather)
    return linear(along, start, end) if along <= 1.0 else rest
