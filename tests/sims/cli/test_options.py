"""What options of the command line take."""

from __future__ import annotations

import math

import click
import pytest

from sims.cli.options import NumberRange

WHOLE = NumberRange(1, 1024, whole=True)
OPEN = NumberRange(0, 1, low_open=True, high_open=True)
ANY_ABOVE = NumberRange(0, low_open=True)
SPEED = NumberRange(0, math.inf, low_open=True)


@pytest.mark.parametrize(
    ("number", "typed", "value"),
    [
        (WHOLE, "1", 1),
        (WHOLE, "1024", 1024),
        (WHOLE, 3, 3),  # a default
        (NumberRange(0, 2**63 - 1, whole=True), str(2**63 - 1), 2**63 - 1),  # to the last digit
        (OPEN, "0.5", 0.5),
        (ANY_ABOVE, "1e308", 1e308),
        (SPEED, "inf", math.inf),
    ],
)
def test_a_number_is_taken_as_it_is(number, typed, value):
    taken = number.convert(typed, None, None)
    assert (taken, type(taken)) == (value, type(value))


@pytest.mark.parametrize(
    ("number", "typed", "sentence"),
    [
        (WHOLE, "0", "must be a whole number from 1 to 1,024, got '0'."),
        (WHOLE, "1025", "must be a whole number from 1 to 1,024, got '1025'."),
        (WHOLE, "1.5", "must be a whole number from 1 to 1,024, got '1.5'."),
        (WHOLE, "x", "must be a whole number from 1 to 1,024, got 'x'."),
        (OPEN, "0", "must be a number above 0 and below 1, got '0'."),
        (OPEN, "1", "must be a number above 0 and below 1, got '1'."),
        (OPEN, "nan", "must be a number above 0 and below 1, got 'nan'."),
        (ANY_ABOVE, "inf", "must be a number above 0, got 'inf'."),
        (ANY_ABOVE, "nan", "must be a number above 0, got 'nan'."),
        (ANY_ABOVE, "", "must be a number above 0, got ''."),
        (SPEED, "-inf", "must be a number above 0, got '-inf'."),
        (SPEED, "nan", "must be a number above 0, got 'nan'."),
    ],
)
def test_any_other_is_refused_in_one_sentence(number, typed, sentence):
    with pytest.raises(click.BadParameter) as caught:
        number.convert(typed, None, None)
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("number", "extra"), [(WHOLE, "[1<=x<=1024]"), (OPEN, "[0<x<1]"), (ANY_ABOVE, "[x>0]"), (SPEED, "[0<x<=inf]")]
)
def test_help_says_the_range(number, extra):
    context = click.Context(click.Command("tune"))
    name, text = click.Option(["--x"], type=number).get_help_record(context) or ("", "")
    assert extra in text
    assert name == f"--x {'INTEGER' if number is WHOLE else 'NUMBER'}"
