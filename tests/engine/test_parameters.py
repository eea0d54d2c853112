"""Knobs, spaces and dials: the way to the unit cube and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernel import compiled
from engine.parameters import Knob, ParameterSpace, along, straight_path, to_real, to_unit

KNOBS = {
    "linear": Knob("linear", -2.0, 5.0, 0.0),
    "linear, low is hard": Knob("turned", -2.0, 5.0, 0.0, harder="low"),
    "log": Knob("log", 0.01, 100.0, 1.0, scale="log"),
    "log, low is hard": Knob("turned_log", 0.01, 100.0, 1.0, harder="low", scale="log"),
    "integer": Knob("integer", 3, 9, 4, scale="integer"),
    "integer, low is hard": Knob("turned_integer", 3, 9, 4, harder="low", scale="integer"),
    "choice": Knob("choice", default="b", scale="choice", choices=("a", "b", "c")),
}
SPACE = ParameterSpace(*KNOBS.values())
EVERY_KNOB = pytest.mark.parametrize("j", range(len(SPACE)), ids=list(KNOBS))
FIXED = settings(derandomize=True, deadline=None)


@EVERY_KNOB
@given(share=st.floats(0.0, 1.0))
@FIXED
def test_a_value_comes_back_from_the_cube(j, share):
    knob, table = SPACE[j], SPACE.table()
    value = knob.low + share * (knob.high - knob.low)
    if knob.levels:
        value = float(round(value))
    u = to_unit(table, j, value)
    assert 0.0 <= u <= 1.0
    assert to_real(table, j, u) == pytest.approx(value, rel=1e-12, abs=1e-12)


@EVERY_KNOB
@given(a=st.floats(0.0, 1.0), b=st.floats(0.0, 1.0))
@FIXED
def test_values_move_towards_the_harder_end_and_stay_within_bounds(j, a, b):
    knob, table = SPACE[j], SPACE.table()
    easy, hard = (to_real(table, j, u) for u in sorted((a, b)))
    assert knob.low <= easy <= knob.high
    assert knob.low <= hard <= knob.high
    assert hard <= easy if knob.harder == "low" else easy <= hard


@EVERY_KNOB
def test_the_ends_of_the_cube_are_the_ends_of_the_range(j):
    knob, table = SPACE[j], SPACE.table()
    ends = [to_real(table, j, 0.0), to_real(table, j, 1.0)]
    assert sorted(ends) == pytest.approx([knob.low, knob.high], rel=1e-15)
    assert ends[1] == pytest.approx(knob.low if knob.harder == "low" else knob.high, rel=1e-15)


def test_whole_numbers_have_cells_of_equal_width():
    table = SPACE.table()
    j = SPACE.names.index("integer")
    values = [to_real(table, j, (i + 0.5) / 700.0) for i in range(700)]
    assert {value: values.count(value) for value in values} == {float(v): 100 for v in range(3, 10)}


def test_a_log_knob_is_geometric():
    j = SPACE.names.index("log")
    assert SPACE.real([0.5] * len(SPACE))[j] == pytest.approx(1.0, rel=1e-14)


def test_compiled_gives_the_same_bits():
    table = SPACE.table()
    real, unit = compiled(to_real), compiled(to_unit)
    for j in range(len(SPACE)):
        for i in range(201):
            value = to_real(table, j, i / 200.0)
            assert real(table, j, i / 200.0).hex() == value.hex()
            assert float(unit(table, j, value)).hex() == float(to_unit(table, j, value)).hex()


def test_held_knobs_keep_their_value_and_are_not_free():
    space = ParameterSpace(*KNOBS.values(), held={"choice": "c", "log": 2.0})
    assert [space.names[j] for j in range(len(space)) if j not in space.free] == ["log", "choice"]
    for u in (0.0, 0.3, 1.0):
        real = space.real([u] * len(space))
        assert (real[space.names.index("choice")], real[space.names.index("log")]) == (2.0, 2.0)
    assert space.defaults()[space.names.index("log")] == 2.0


def test_defaults_are_what_the_author_chose():
    assert SPACE.defaults() == [0.0, 0.0, 1.0, 1.0, 4.0, 4.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "two words", "low": 0.0, "high": 1.0}, "identifier"),
        ({"name": "a", "low": 1.0, "high": 1.0}, "low < high"),
        ({"name": "a", "low": 0.0, "high": math.inf}, "finite"),
        ({"name": "a", "low": 0.0, "high": 1.0, "scale": "log"}, "above 0"),
        ({"name": "a", "low": 0.5, "high": 2.0, "scale": "integer"}, "whole bounds"),
        ({"name": "a", "low": 0.0, "high": 1.0, "default": 2.0}, r"must lie in \[0, 1\]"),
        ({"name": "a", "low": 0.0, "high": 1.0, "default": math.nan}, "finite"),
        ({"name": "a", "low": 0.0, "high": 4.0, "default": 1.5, "scale": "integer"}, "whole number"),
        ({"name": "a", "scale": "choice", "choices": ("x",)}, "two or more"),
        ({"name": "a", "scale": "choice", "choices": ("x", "y"), "default": "z"}, "one of x, y"),
    ],
)
def test_a_wrong_knob_says_which_rule_it_breaks(arguments, message):
    with pytest.raises(ValueError, match=message):
        Knob(**arguments)


def test_a_space_needs_different_names():
    with pytest.raises(ValueError, match="different names"):
        ParameterSpace(KNOBS["linear"], KNOBS["linear"])


def test_narrowed_bounds_move_the_default():
    knob = KNOBS["linear"].narrowed(1.0, 2.0)
    assert (knob.low, knob.high, knob.default) == (1.0, 2.0, 1.0)
    with pytest.raises(ValueError, match="must satisfy"):
        KNOBS["linear"].narrowed(-3.0, 2.0)
    with pytest.raises(ValueError, match="no bounds to narrow"):
        KNOBS["choice"].narrowed(0.0, 1.0)


def test_people_read_names_and_whole_numbers():
    assert KNOBS["choice"].shown(2.0) == "c"
    assert KNOBS["integer"].shown(4.0) == 4
    assert isinstance(KNOBS["integer"].shown(4.0), int)


@given(difficulty=st.floats(0.0, 1.0))
@FIXED
def test_the_straight_dial_moves_all_knobs_together(difficulty):
    path = straight_path(SPACE)
    assert [along(path, j, difficulty) for j in range(len(SPACE))] == [difficulty] * len(SPACE)


def test_a_bent_dial_is_straight_between_its_points():
    path = np.array([[0.0, 1.0], [0.8, 0.5], [1.0, 0.0]])
    assert along(path, 0, 0.25) == pytest.approx(0.4)
    assert along(path, 0, 0.5) == pytest.approx(0.8)
    assert along(path, 1, 0.75) == pytest.approx(0.25)
    assert along(path, 0, 1.0) == 1.0
