"""The hash of an attempt: every bit counts, in compiled and in plain Python alike."""

from __future__ import annotations

import math
import struct

import pytest

from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, words
from engine.statehash import FRESH, fold, fold_int, seal_hash

SPECIAL = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf, -math.inf]


def from_bits(pattern):
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def patterns(count):
    """64-bit patterns all over the range of floats, by address."""
    key = key_of(54, 0, CHANCE, 0, 0)
    return [(words(key, block)[0] << 32) | words(key, block)[1] for block in range(count)]


FLOATS = [x for x in (from_bits(pattern) for pattern in patterns(3000)) if x == x] + SPECIAL


def test_compiled_equals_plain():
    kernel = compiled(fold)
    assert [tuple(kernel(FRESH, x)) for x in [*FLOATS, math.nan]] == [fold(FRESH, x) for x in [*FLOATS, math.nan]]


def test_a_float_is_folded_by_sign_fraction_and_exponent_as_frexp_gives_them():
    for x in FLOATS:
        if math.isfinite(x):
            mantissa, exponent = math.frexp(x)
            fraction = int(abs(mantissa) * 2.0**53) - 2**52
            sign = 1 if math.copysign(1.0, x) < 0.0 else 0
            assert fold(FRESH, x) == fold_int(FRESH, fraction * 4096 + (exponent & 2047) * 2 + sign)


def test_compiled_integers_equal_plain_ones():
    kernel, seal = compiled(fold_int), compiled(seal_hash)
    for number in [0, 1, -1, 2**63 - 1, -(2**63), *(pattern - 2**63 for pattern in patterns(2000))]:
        assert tuple(kernel(FRESH, number)) == fold_int(FRESH, number)
        assert seal(fold_int(FRESH, number)) == seal_hash(fold_int(FRESH, number))


@pytest.mark.parametrize("bit", range(64))
def test_every_bit_of_a_float_matters(bit):
    for pattern in patterns(40):
        x, y = from_bits(pattern), from_bits(pattern ^ (1 << bit))
        if x == x and y == y:
            assert fold(FRESH, x) != fold(FRESH, y)


def test_the_sign_of_zero_matters():
    assert fold(FRESH, 0.0) != fold(FRESH, -0.0)


def test_all_nans_are_one():
    assert fold(FRESH, math.nan) == fold(FRESH, from_bits(0x7FF8000000000099))


def test_order_matters():
    assert fold(fold(FRESH, 1.0), 2.0) != fold(fold(FRESH, 2.0), 1.0)


def test_hashes_fit_into_48_bits_and_do_not_meet():
    hashes = {seal_hash(fold(FRESH, x)) for x in FLOATS}
    assert len(hashes) == len(set(FLOATS)) + 1  # 0.0 and -0.0 are equal as numbers
    assert all(0 <= number < 2**48 for number in hashes)


def test_hashes_stay_as_they_are():
    """Files of old runs hold these numbers: a change here makes them unverifiable."""
    folded = FRESH
    for x in (0.1, -2.5, 1e300, 5e-324):
        folded = fold(folded, x)
    assert seal_hash(fold_int(folded, -7)) == 206327203395424
