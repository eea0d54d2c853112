"""exp, log and the normal quantile: as exact as they say, and the same bits compiled and plain."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from engine import arithmetic
from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, uniform

STATED_ERROR = 4e-16  # relative, of exp and log
QUANTILE_ERROR = 5e-15  # ten times what is stated, since the reference has an error of its own
KEY = key_of(50, 0, CHANCE, 0, 0)


def spread(low, high, count):
    """Numbers all over a range, by address."""
    return [low + (high - low) * uniform(KEY, block) for block in range(count)]


def relative_error(got, exact):
    return abs((Decimal(got) - exact) / exact)


def test_exp_has_the_stated_error():
    with localcontext() as context:
        context.prec = 50
        errors = [relative_error(arithmetic.exp(x), Decimal(x).exp()) for x in spread(-700.0, 700.0, 3000)]
        errors += [relative_error(arithmetic.exp(x), Decimal(x).exp()) for x in spread(-1.0, 1.0, 3000)]
    assert max(errors) < STATED_ERROR


def test_log_has_the_stated_error():
    numbers = [math.exp(x) for x in spread(-700.0, 700.0, 3000)] + spread(0.5, 2.0, 3000) + [5e-324, 1.7e308]
    with localcontext() as context:
        context.prec = 50
        errors = [relative_error(arithmetic.log(x), Decimal(x).ln()) for x in numbers if x != 1.0]
    assert max(errors) < STATED_ERROR
    assert arithmetic.log(1.0) == 0.0


def test_exp_is_held_beyond_700():
    assert arithmetic.exp(1e9) == arithmetic.exp(700.0) < math.inf
    assert 0.0 < arithmetic.exp(-1e9) == arithmetic.exp(-700.0)


def test_normal_quantile_agrees_with_scipy():
    tails = [10.0**-power for power in range(1, 300, 7)]
    points = [p for p in spread(0.0, 1.0, 3000) if p > 0.0] + tails + [1.0 - p for p in tails if p > 1e-15]
    for p in points:
        expected = float(special.ndtri(p))
        assert arithmetic.normal_quantile(p) == pytest.approx(expected, rel=QUANTILE_ERROR, abs=1e-15)
    assert arithmetic.normal_quantile(0.5) == 0.0


@given(st.floats(1e-12, 1.0 - 1e-12))
@settings(derandomize=True, deadline=None)
def test_logit_is_the_inverse_of_logistic(p):
    assert arithmetic.logistic(arithmetic.logit(p)) == pytest.approx(p, rel=1e-13)


@given(st.floats(-745.0, 745.0), st.floats(-745.0, 745.0))
@settings(derandomize=True, deadline=None)
def test_exp_keeps_order(a, b):
    low, high = sorted((a, b))
    assert arithmetic.exp(low) <= arithmetic.exp(high)


@pytest.mark.parametrize(
    ("function", "numbers"),
    [
        (arithmetic.exp, lambda: [*spread(-710.0, 710.0, 4000), 0.0, -0.0, 1e300, -1e300]),
        (arithmetic.log, lambda: [*(math.exp(x) for x in spread(-700.0, 700.0, 4000)), 5e-324, 1.7e308]),
        (arithmetic.logistic, lambda: [*spread(-800.0, 800.0, 2000), *spread(-5.0, 5.0, 2000)]),
        (arithmetic.normal_quantile, lambda: [p for p in spread(0.0, 1.0, 4000) if p > 0.0] + [1e-300, 1e-10]),
    ],
    ids=["exp", "log", "logistic", "normal_quantile"],
)
def test_compiled_gives_the_same_bits(function, numbers):
    kernel = compiled(function)
    assert [kernel(x).hex() for x in numbers()] == [function(x).hex() for x in numbers()]
