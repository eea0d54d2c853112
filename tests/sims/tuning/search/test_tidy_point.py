"""A tidy setting: knobs that do nothing go back, numbers get short, and win rates stay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from engine.parameters import Knob, ParameterSpace
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.search_space import point_of, search_space_of, steps_of, values_of
from sims.tuning.search.tidy_point import tidy_point

KNOBS = ParameterSpace(
    Knob("speed", 5.0, 10.0, 7.0, "m/s"),
    Knob("tint", 0.0, 1.0, 0.5),
    Knob("pause_s", 0.1, 1.0, 0.4, "s", harder="low", scale="log"),
)
SPACE = search_space_of(KNOBS)
START = point_of(KNOBS, KNOBS.defaults())
WEIGHTS = np.array([3.0, 0.0, 1.0])  # tint does nothing


@pytest.fixture(scope="module")
def tells():
    dice = np.random.Generator(np.random.Philox(4))
    found = []
    for block in range(600):
        point = tuple(dice.random(3).tolist())
        found.append(Tell(point, (100,), (int(dice.binomial(100, expit(2.0 - WEIGHTS @ point))),), block))
    return found


def tidied(tells, point, tolerance=0.03):
    rate = float(expit(2.0 - WEIGHTS @ np.array(point)))
    segment = Segment("all", 0, 0, rate - tolerance, rate + tolerance)
    return tidy_point(KNOBS, SPACE, (segment,), tells, point, START, 1)


def test_a_knob_that_does_nothing_goes_back_and_numbers_get_short(tells):
    point = (0.3141592, 0.61803, 0.5772156)
    found = tidied(tells, point)
    speed, tint, pause = values_of(KNOBS, found)
    assert tint == 0.5
    assert (speed, pause) == (round(speed, 2), round(pause, 2))
    assert abs(expit(2.0 - WEIGHTS @ np.array(found)) - expit(2.0 - WEIGHTS @ np.array(point))) < 0.01


def test_narrow_tolerances_keep_digits(tells):
    point = (0.3141592, 0.61803, 0.5772156)
    wide, narrow = (values_of(KNOBS, tidied(tells, point, tolerance))[0] for tolerance in (0.1, 0.0005))
    assert len(repr(wide)) < len(repr(narrow))


def test_what_is_at_the_defaults_stays_there(tells):
    assert tidied(tells, START) == START


# --- Staircases -------------------------------------------------------------------------------------------------------

TICK = 1.0 / 30.0


def test_a_staircase_has_a_short_number_for_each_tick_away_from_the_steps():
    knob = KNOBS[2]
    values = steps_of(knob, TICK)
    assert len(values) == pytest.approx((knob.high - knob.low) / TICK, abs=1)
    assert list(values) == sorted(values, reverse=True)  # the easiest first
    assert knob.default in values
    for value in set(values) - {knob.default}:
        assert 0.09 < (value / TICK) % 1.0 < 0.41
        assert len(f"{value:.12g}") <= 5
    assert len({int(value / TICK + 1e-9) for value in values}) == len(values)


def test_points_of_a_staircase_and_values_are_each_others_inverse():
    space = search_space_of(KNOBS, {"pause_s": TICK})
    count = space.levels[2]
    assert (space.levels[:2], space.named) == ((0, 0), (False,) * 3)
    for cell in range(count):
        point = (0.5, 0.5, (cell + 0.5) / count)
        values = values_of(KNOBS, point, space.steps)
        assert values[2] == space.steps[2][cell]
        assert point_of(KNOBS, values, space.steps)[2] == pytest.approx(point[2])
    assert values_of(KNOBS, point_of(KNOBS, KNOBS.defaults(), space.steps), space.steps) == KNOBS.defaults()
    nearest = point_of(KNOBS, [7.0, 0.5, 0.43], space.steps)
    assert abs(values_of(KNOBS, nearest, space.steps)[2] - 0.43) < TICK


def test_a_number_with_few_digits_keeps_them():
    for value in (6.1, 7.25, 9.999):
        assert values_of(KNOBS, point_of(KNOBS, [value, 0.5, 0.4]))[0] == value


def test_a_small_change_goes_back_where_another_knob_makes_up_for_it(tells):
    speed, tint, _ = START
    point = (0.7, tint, START[2] + 0.03)  # the last one alone changes a fifth of the tolerance and more
    found = tidied(tells, point, 0.02)
    assert found[1:] == (tint, START[2])
    assert found[0] != speed
    assert abs(expit(2.0 - WEIGHTS @ np.array(found)) - expit(2.0 - WEIGHTS @ np.array(point))) < 0.006
