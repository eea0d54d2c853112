"""What each knob does around a setting, by the model of all counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

from engine.parameters import Knob
from sims.tuning.answer.sensitivity import effects_of
from sims.tuning.answer.sentences import step_text
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.search_space import point_of
from tests.kit.studies import INTERCEPTS, KNOBS, PROBLEM, START, WEIGHTS, chance, problem, tells_of


@pytest.fixture(scope="module")
def effects():
    return effects_of(PROBLEM, tells_of(1), START)


def test_the_most_influential_knob_comes_first_with_its_sign_and_its_units(effects):
    first = effects[0]
    assert {effect.knob.name for effect in effects[:2]} == {"gap_width", "speed"}
    by_knob = {effect.knob.name: effect for effect in effects}
    assert by_knob["gap_width"].strongest == 0
    assert by_knob["speed"].strongest == 1
    assert first.shifts[first.strongest].high < 0.0  # wider and faster is harder
    wide, slow, warned = (by_knob[name] for name in ("gap_width", "speed", "warning"))
    assert (wide.before, wide.after) == (pytest.approx(114.0), pytest.approx(126.0))
    assert step_text(wide) == "from 114 to 126 px"
    assert step_text(slow) == "from 3.48 to 4.59 m/s"
    assert step_text(by_knob["lives"]) == "one fewer (from 3 to 2)"  # towards hard, from where they are
    assert {step_text(one) for one in effects if one.knob.name == "tint"} == {
        "blue instead of red",
        "green instead of red",
    }
    assert slow.after / slow.before == pytest.approx(16.0**0.1)
    assert warned.after > warned.before
    assert warned.shifts[0].low > 0.0  # a longer warning is easier, although its setting is turned round
    assert (by_knob["lives"].before, by_knob["lives"].after) == (3, 2)
    assert sorted((one.before, one.after) for one in effects if one.knob.name == "tint") == [
        ("red", "blue"),
        ("red", "green"),
    ]


@pytest.mark.parametrize(
    ("default", "harder", "words", "easier"),
    [
        (3, "low", "one fewer (from 3 to 2)", False),
        (1, "low", "one more (from 1 to 2)", True),  # at the hard end there is but one way
        (3, "high", "one more (from 3 to 4)", False),
        (4, "high", "one fewer (from 4 to 3)", True),
    ],
)
def test_a_whole_number_steps_from_its_own_value_with_the_sign_of_that_step(default, harder, words, easier):
    hearts = Knob("hearts", 1, 4, default, harder=harder, scale="integer")
    about = problem(knobs=(*KNOBS[:2], hearts))

    def truth(points):
        return expit(2.0 - 2.5 * points[:, 2:] @ np.ones((1, 2)))  # only hearts count

    effect = effects_of(about, tells_of(4, about=about, truth=truth), about.start)[0]
    assert step_text(effect) == words
    assert all((shift.low > 0.0, shift.high < 0.0) == (easier, not easier) for shift in effect.shifts)


def test_few_attempts_show_no_effect_and_rule_none_out():
    few = effects_of(PROBLEM, tells_of(1, count=8, attempts=5), START)
    assert not any(effect.visible for effect in few)
    assert not any(effect.small for effect in few)
    assert effects_of(PROBLEM, [], START) == ()


def test_the_interval_of_an_effect_covers_the_truth():
    covered = []
    for seed in range(20):
        for effect in effects_of(PROBLEM, tells_of(100 + seed, 200, 25), START):
            if effect.knob.name in ("gap_width", "speed", "warning"):
                j = PROBLEM.search_space.names.index(effect.knob.name)
                ends = []
                for value in map(float, (effect.before, effect.after)):
                    place = list(PROBLEM.space.defaults())
                    place[j] = value
                    ends.append(chance([point_of(PROBLEM.space, place)])[0])
                truth = ends[1] - ends[0]
                covered += [shift.low <= t <= shift.high for shift, t in zip(effect.shifts, truth, strict=True)]
    assert len(covered) == 20 * 3 * 2
    assert np.mean(covered) >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / len(covered))


def test_what_the_model_cannot_fit_widens_its_intervals():
    def rough(points):
        return expit(INTERCEPTS - 2.0 * points @ WEIGHTS.T + 1.2 * np.sign(np.sin(60.0 * points[:, :1])))

    centre = np.array(START)
    smooth, wide = (
        LocalModel(PROBLEM.search_space, tells_of(2, truth=truth), centre)
        .draw(200, np.random.default_rng(1))
        .std(axis=0)
        for truth in (chance, rough)
    )
    assert np.median(wide / smooth) > 1.4
