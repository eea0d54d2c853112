"""A 48-bit hash of an attempt: equal bits in, equal number out, in compiled and in plain Python.

It covers every bit of every float (a hash of outcomes alone would miss almost all numerical drift). 48 bits fit
exactly into a double, so a spreadsheet and pandas keep the number whole. It guards against accident, not attack.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

FRESH: Final = (0x9747B28C, 0x5BD1E995)  # the two lanes before anything was folded in


def fold_int(folded: tuple[int, int], value: int) -> tuple[int, int]:
    """The lanes after a signed 64-bit integer; rounds as in MurmurHash3 (Appleby 2011)."""
    a, b = folded
    a = ((a ^ (value & 0xFFFFFFFF)) * 0xCC9E2D51) & 0xFFFFFFFF
    a = a ^ (a >> 15)
    b = ((b ^ ((value >> 32) & 0xFFFFFFFF)) * 0x85EBCA6B + a) & 0xFFFFFFFF
    b = b ^ (b >> 13)
    a = (a * 5 + b) & 0xFFFFFFFF
    return a, b


def fold(folded: tuple[int, int], value: float) -> tuple[int, int]:
    """The lanes after a float: sign, 52 bits of fraction, exponent; NaN and infinities have numbers of their own.

    The product leaves 64 bits in compiled code, where it wraps, and not in plain Python, where it grows: the two
    halves that are folded are the same.
    """
    if value != value:
        return fold_int(folded, 0x7FF8000000000001)
    if value > 1.7976931348623157e308:
        return fold_int(folded, 0x7FF0000000000000)
    if value < -1.7976931348623157e308:
        return fold_int(folded, -0x7FF0000000000000)
    bits = int(np.float64(value).view(np.int64))
    fraction = bits & 0xFFFFFFFFFFFFF
    exponent = (bits >> 52) & 2047
    if exponent > 0:
        exponent = exponent - 1022  # as frexp counts
    elif fraction == 0:
        fraction = -4503599627370496  # zero: frexp's fraction less the hidden bit
    else:  # too small to have the hidden bit
        mantissa, exponent = math.frexp(value)
        fraction = int(abs(mantissa) * 9007199254740992.0) - 4503599627370496
    return fold_int(folded, fraction * 4096 + (exponent & 2047) * 2 + ((bits >> 63) & 1))


def seal_hash(folded: tuple[int, int]) -> int:
    """The hash: a whole number in [0, 2**48)."""
    a, b = folded
    a = ((a ^ (b >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    a = a ^ (a >> 13)
    b = ((b ^ a) * 0xC2B2AE35) & 0xFFFFFFFF
    b = b ^ (b >> 16)
    return ((b & 0xFFFF) << 32) | a
