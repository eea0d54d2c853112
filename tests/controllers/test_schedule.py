"""Shapes against the formulas of their sources, in libm and interpolation; and the controllers that follow them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from controllers.common.schedule import DAYS, LEVELS, SESSIONS, schedule_rule
from controllers.deterministic import (
    constant,
    cosine,
    exponential,
    one_cycle,
    piecewise,
    ramp,
    sawtooth,
    step,
    warm_up_cosine,
    warm_up_decay,
)
from engine.controller import Observation, Situation
from engine.scheduling import shapes as schedule

LENGTH = 101  # attempts, so that u runs in hundredths
ALONG = range(150)
KNOTS = schedule.Knots(0.2, 0.9, 0.5, 0.1, 0.7, 0.4)


def at(attempt):
    return Situation(0.55, attempt, 0, 0, 1.0)


def followed(module, **options):
    """Difficulties of 150 attempts with a length of 101."""
    chosen = module.Options(length=float(LENGTH), **options)
    rule = module.CONTROLLER.rule
    state = rule.start(chosen, 0.55)
    return [rule.ask(chosen, state, at(attempt)) for attempt in ALONG]


def expected(shape):
    return [pytest.approx(shape(min(attempt / 100.0, 1.0)), abs=1e-14) for attempt in ALONG]


def through(*points):
    places, heights = zip(*points)
    return lambda u: float(np.interp(u, places, heights))


def wave(u, high, low):
    return low + (high - low) * (1.0 + math.cos(math.pi * u)) / 2.0


def warmed(u, rest):
    return 0.1 + 0.7 * u / 0.25 if u < 0.25 else rest((u - 0.25) / 0.75)


CASES = {
    "ramp": (ramp, {"start": 0.2, "end": 0.8}, lambda u: 0.2 + 0.6 * u),
    "falling ramp": (ramp, {"start": 1.0, "end": 0.0}, lambda u: 1.0 - u),
    "cosine": (cosine, {"start": 0.2, "end": 0.8}, lambda u: wave(u, 0.2, 0.8)),
    "exponential": (
        exponential,
        {"start": 0.2, "end": 0.8, "rate": 5.0},
        lambda u: 0.2 + 0.6 * math.expm1(-5.0 * u) / math.expm1(-5.0),
    ),
    "flat exponential": (exponential, {"start": 0.2, "end": 0.8, "rate": 0.0}, lambda u: 0.2 + 0.6 * u),
    "piecewise": (
        piecewise,
        {"start": 0.3, "end": 0.7, **KNOTS._asdict()},
        through((0.0, 0.3), (0.2, 0.9), (0.5, 0.1), (0.7, 0.4), (1.0, 0.7)),
    ),
    "step": (
        step,
        {"start": 0.3, "end": 0.7, **KNOTS._asdict()},
        lambda u: [0.3, 0.9, 0.1, 0.4, 0.7][sum(u >= place for place in (0.2, 0.5, 0.7, 1.0))],
    ),
    "warm-up and cosine": (
        warm_up_cosine,
        {"start": 0.1, "peak": 0.8, "end": 0.4, "warm_up": 0.25},
        lambda u: warmed(u, lambda v: wave(v, 0.8, 0.4)),
    ),
    "warm-up and decay": (
        warm_up_decay,
        {"start": 0.1, "peak": 0.8, "end": 0.4, "warm_up": 0.25},
        lambda u: warmed(u, lambda v: 0.8 - 0.4 * v),
    ),
    "no warm-up": (
        warm_up_decay,
        {"start": 0.1, "peak": 0.8, "end": 0.4, "warm_up": 0.0},
        lambda u: 0.8 - 0.4 * u,
    ),
    "one cycle": (
        one_cycle,
        {"start": 0.3, "peak": 0.9, "end": 0.1, "rise": 0.4},
        through((0.0, 0.3), (0.4, 0.9), (0.8, 0.3), (1.0, 0.1)),
    ),
}


@pytest.mark.parametrize(("module", "options", "shape"), CASES.values(), ids=list(CASES))
def test_a_schedule_follows_its_formula_and_then_stays(module, options, shape):
    assert followed(module, **options) == expected(shape)


@pytest.mark.parametrize(("clock", "field"), [(LEVELS, "level"), (SESSIONS, "session"), (DAYS, "day")])
def test_a_schedule_may_run_over_levels_sessions_or_days(clock, field):
    chosen = ramp.Options(0.0, 1.0, 11.0, clock)
    rule = ramp.CONTROLLER.rule
    assert rule is not None
    state = rule.start(chosen, 0.55)
    first = 1 if field == "level" else 0
    asked = [rule.ask(chosen, state, at(7)._replace(**{field: first + step})) for step in range(13)]
    assert asked == pytest.approx([min(step / 10.0, 1.0) for step in range(13)])


def test_a_sawtooth_climbs_rests_and_ends_at_its_end():
    heights = followed(sawtooth, start=0.2, end=0.8, teeth=4.0, breather=0.2, rest=0.1)
    rests = [attempt for attempt, height in enumerate(heights) if height == 0.1]
    # u (4 - 0.2) passes 0.8, 1.8 and 2.8 on its way up, and rests until the next whole number.
    assert rests == [a for a in range(101) if (a * 0.038) % 1.0 > 0.8 and a < 100]
    assert len({math.floor(a * 0.038) for a in rests}) == 3
    assert heights[0] == 0.2
    assert heights[100:] == [0.8] * 50
    climbs = [b - a for a, b in itertools.pairwise(heights) if 0.1 not in (a, b) and b != a]
    assert climbs == pytest.approx([0.6 * 0.038 / 0.8] * len(climbs), rel=1e-9, abs=1e-12)


def test_a_sawtooth_without_breathers_is_a_plain_one():
    heights = followed(sawtooth, start=0.3, end=0.7, teeth=4.0, breather=0.0)
    assert heights[:100] == [pytest.approx(0.3 + 0.4 * (a % 25) / 25.0, abs=1e-9) for a in range(100)]


def test_knots_out_of_order_stand_at_the_one_before():
    mixed = KNOTS._replace(at2=0.1)
    sorted_out = KNOTS._replace(at2=KNOTS.at1)
    for u in np.linspace(0.0, 1.0, 97):
        assert schedule.stairs(u, 0.3, 0.7, mixed) == schedule.stairs(u, 0.3, 0.7, sorted_out)
        assert schedule.piecewise(u, 0.3, 0.7, mixed) == schedule.piecewise(u, 0.3, 0.7, sorted_out)


def test_a_constant_stays():
    options = constant.Options(0.3)
    assert constant.ask(options, constant.start(options, 0.5), at(7)) == 0.3


def test_a_schedule_shows_the_difficulty_that_was_played():
    rule = schedule_rule(ramp.height)
    state = rule.tell(
        ramp.Options(), rule.start(ramp.Options(), 0.55), Observation(0.42, 1.0, 1.0, 1.0, 0.55, 3, 1.0, 1.0)
    )
    assert state.difficulty == 0.42
