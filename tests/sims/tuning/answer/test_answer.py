"""What a study says is true: each sentence stands where it should and nowhere else, on studies whose truth is known."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from engine.inference.intervals import wilson
from engine.parameters import Knob, ParameterSpace
from sims.run_folder.folder import Start
from sims.tuning.answer.answer import answer_of, further_attempts
from sims.tuning.answer.as_json import answer_json
from sims.tuning.answer.feasibility import ReachableRate, feasibility_of
from sims.tuning.answer.phrases import step_text
from sims.tuning.answer.report import page
from sims.tuning.answer.sensitivity import effects_of
from sims.tuning.answer.sentences import answer_text, sentences
from sims.tuning.answer.table import value_text
from sims.tuning.command import StudyRequest, tune
from sims.tuning.final_race import Rate
from sims.tuning.journal import TellRecord
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.search_space import point_of, search_space_of
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import BASELINE, FINAL_RACE, MEASUREMENT, SEARCH, CountedPoint, StudyLimits, StudyRecord
from sims.tuning.study_files import practice_note
from tests.kit import small

NASTY = "<script>alert('1')</script> & <b>bold</b>"
KNOBS = (
    Knob("gap_width", 80.0, 200.0, 120.0, "px"),
    Knob("speed", 1.0, 16.0, 4.0, "m/s", scale="log"),
    Knob("warning", 0.2, 1.2, 0.7, "s", harder="low"),
    Knob("lives", 1, 6, 3, harder="low", scale="integer"),
    Knob("tint", scale="choice", choices=("red", "green", "blue"), default="red"),
)
SEGMENTS = (Segment("newcomers", 0, 0, 0.60, 0.70), Segment("experts", 1, 0, 0.70, 0.80))
WEIGHTS = np.array([[1.2, 0.8, 0.6, 0.0, 0.0], [0.6, 1.2, 0.3, 0.0, 0.0]])  # lives and tint do nothing
INTERCEPTS = np.array([1.2, 2.0])


def problem(segments=SEGMENTS, knobs=KNOBS, held=None):
    space = ParameterSpace(*knobs, held=held)
    cohorts = tuple(segment.name for segment in segments)
    scenario: Any = SimpleNamespace(
        seed=5,
        name="known.toml",
        title="Known",
        cohorts=cohorts,
        form=SimpleNamespace(game=SimpleNamespace(name="known")),
    )
    return Problem(scenario, space, search_space_of(space), tuple(segments), point_of(space, space.defaults()))


PROBLEM = problem()
START = PROBLEM.start
MOVED = (START[0] + 0.05, *START[1:])
FAR = (START[0] + 0.2, START[1] + 0.1, *START[2:])
FARTHER = (0.9, 0.9, *START[2:])


def rate(value, half=0.01, attempts=4000):
    return Rate(value, value - half, value + half, attempts)


def candidate(point, *rates):
    attempts = tuple(one.attempts for one in rates)
    wins = tuple(round(one.rate * one.attempts) if one.attempts else 0 for one in rates)
    return CountedPoint(point, attempts, wins, tuple(rates))


BAD = candidate(START, rate(0.5), rate(0.9))
NOT_MEASURED = Rate(math.nan, math.nan, math.nan, 0)


def record(*options, baseline=BAD, about=PROBLEM, told=(), certain="", stages=()):
    spent = {BASELINE: 8000, SEARCH: 70_000, FINAL_RACE: 5000, MEASUREMENT: 17_000}
    return StudyRecord(
        about, baseline, tuple(options), certain, tuple(stages), tuple(told), spent, StudyLimits(100_000)
    )


def said(*options, **rest):
    return " ".join(sentences(answer_of(record(*options, **rest))))


GOOD = (rate(0.65), rate(0.75))


# --- The headline ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([MOVED], "This setting meets both targets."),
        ([MOVED, FAR], "Both settings meet both targets."),
        ([MOVED, FAR, FARTHER], "All three settings meet both targets."),
    ],
)
def test_all_settings_meet_all_targets(points, words):
    best = [candidate(point, rate(0.65 + 0.03 / 2**i), rate(0.75)) for i, point in enumerate(points)]  # ever less off
    assert said(*best).startswith(words)


def test_those_that_meet_all_targets_are_named_and_come_first():
    good, bad = candidate(FAR, *GOOD), candidate(MOVED, rate(0.65), rate(0.85))
    found = answer_of(record(bad, good))
    assert [option.candidate for option in found.options] == [good, bad]
    assert sentences(found)[0] == "One of the two settings meets both targets: A."
    assert found.record.options == (good, bad)  # so the files have the same order


def test_a_single_target_is_called_the_target():
    one = problem(SEGMENTS[:1])
    text = said(candidate(MOVED, rate(0.65)), about=one, baseline=candidate(START, rate(0.5)))
    assert text.startswith(
        "This setting meets the target. Your defaults miss the target of newcomers, 0.500 (0.490 to 0.510), "
    )


def test_what_the_defaults_meet_needs_no_change():
    text = said(candidate(MOVED, *GOOD), baseline=candidate(START, *GOOD))
    assert text.startswith("Your defaults already meet both targets; nothing needs to change.")
    assert "Your defaults miss" not in text
    again = said(candidate(START, *GOOD), baseline=candidate(START, rate(0.65, 0.06), rate(0.75, 0.06)))
    assert again.startswith("Your defaults already meet both targets")  # they came out of the search, measured anew
    assert "A changes nothing: it is your defaults, measured anew" in again


def test_what_cannot_be_told_is_not_claimed_and_the_attempts_that_it_takes_are_told():
    unsure = rate(0.69, 0.02, 8000)
    text = said(candidate(MOVED, unsure, rate(0.75)))
    assert text.startswith("It cannot be told yet whether a setting meets both targets; nearest to it is A.")
    words = re.search(r"About ([\d,]+) further attempts at A would probably decide", text)
    assert words
    more = int(words[1].replace(",", ""))
    half = 0.02 * math.sqrt(8000 / (8000 + more))
    assert half < 0.01  # a rate that stays as it is then lies inside
    assert half > 0.005  # and not much more was asked for than it takes with a chance of four in five
    assert further_attempts(unsure, SEGMENTS[0]) == pytest.approx(more, rel=0.1)


def test_what_no_number_of_attempts_decides_is_said_to_be_so():
    text = said(candidate(MOVED, rate(0.7, 0.02), rate(0.75)))
    assert "So near an edge of the band is A for newcomers that even a million further attempts would" in text
    exact = problem((SEGMENTS[0]._replace(low=0.65, high=0.65),))
    text = said(candidate(MOVED, rate(0.65)), about=exact, baseline=candidate(START, rate(0.5)))
    assert "--warm-start with this study, can find another setting; or give a wider tolerance." in text
    assert "(cannot tell, wanted 0.65 to 0.65)" in text


def test_what_is_missed_is_named_with_how_far_it_is_off():
    text = said(candidate(MOVED, rate(0.65), rate(0.862)))
    assert text.startswith(
        "No setting was found that meets both targets. The best compromise is A: it is furthest off for experts, "
        "0.862 (0.852 to 0.872), 0.062 above their band of 0.7 to 0.8."
    )
    assert "further attempts" not in text


def test_of_settings_that_all_miss_the_nearest_comes_first():
    found = answer_of(record(candidate(MOVED, rate(0.5), rate(0.75)), candidate(FAR, rate(0.58), rate(0.75))))
    assert [option.candidate.point for option in found.options] == [FAR, MOVED]


def test_of_what_was_not_measured_nothing_is_said():
    nothing = candidate(MOVED, NOT_MEASURED, NOT_MEASURED)
    text = said(nothing, baseline=candidate(START, NOT_MEASURED, NOT_MEASURED))
    assert text.startswith("It cannot be told whether a setting meets both targets: the limit was reached before")
    assert "Your defaults could not be measured within the limit." in text
    assert "It was not measured." in text
    json.dumps(answer_json(answer_of(record(nothing))), allow_nan=False)


def test_met_is_never_said_of_an_interval_that_leaves_its_band():
    dice = np.random.Generator(np.random.Philox(3))
    seen = set()
    for _ in range(300):
        points = [MOVED, FAR, FARTHER][: int(dice.integers(1, 4))]
        halves = dice.choice([0.01, 0.03, 0.06], len(points))
        options = [
            candidate(point, *(rate(one.target + dice.normal(0, 0.04), half) for one in SEGMENTS))
            for point, half in zip(points, halves, strict=True)
        ]
        found = answer_of(record(*options))
        inside = {
            option.candidate.point: [
                one.low <= got.low and got.high <= one.high for got, one in zip(option.rates, SEGMENTS, strict=True)
            ]
            for option in found.options
        }
        words = sentences(found)
        headline = re.search(r"(meets? both targets)", words[0])
        claims = headline and not words[0].startswith(("No setting", "It cannot"))
        assert bool(claims) == any(all(flags) for flags in inside.values())
        for option in found.options:
            (line,) = [one for one in words if one.startswith(f"{option.letter} changes")]
            assert line.count("(met)") == sum(inside[option.candidate.point])
        seen.add(words[0].split()[0])
    assert {"No", "It", "This", "One"} <= seen


# --- Options ---------------------------------------------------------------------------------------------------------


def test_what_an_option_changes_is_told_in_the_games_units():
    text = said(candidate(FAR, *GOOD))
    assert "A changes two of the five knobs: gap_width from 120 to 144 px and speed from 4 to 5.28 m/s." in text
    assert "Measured on 8,000 fresh players: newcomers 0.650 (0.640 to 0.660) (met) and experts 0.750 (" in text


@pytest.mark.parametrize(
    ("knob", "value", "text"),
    [
        (Knob("speed", 5.0, 10.0, 7.0), 7.123456789, "7.12"),
        (Knob("speed", 5.0, 10.0, 7.0), 7.0, "7"),
        (Knob("speed", -5.0, 5.0), -0.001, "0"),
        (Knob("share", 0.0, 0.25), 0.123456, "0.1235"),
        (Knob("price", 0.0, 80_000.0), 30_049.7, "30050"),
        (Knob("rate", 0.001, 10.0, 1.0, scale="log"), 0.0123456, "0.0123"),  # a place where small steps count
        (Knob("rate", 0.001, 10.0, 1.0, scale="log"), 7.123456, "7.1"),
        (Knob("lives", 1, 6, 3, scale="integer"), 3, "3"),
        (Knob("tint", scale="choice", choices=("red", "blue"), default="red"), "blue", "blue"),
    ],
)
def test_a_value_has_the_digits_that_matter_in_its_knobs_range(knob, value, text):
    assert value_text(knob, value) == text
    if isinstance(value, float):
        place = ParameterSpace(knob, Knob("other", 0.0, 1.0))
        ends = [place.setting([end, 0.0])[0] for end in (value, float(text))]
        assert abs(ends[0] - ends[1]) <= 0.001


def test_a_turn_smaller_than_the_last_digit_is_not_from_a_value_to_the_same():
    text = said(candidate((START[0] + 0.0001, START[1] + 0.1, *START[2:]), *GOOD))
    assert "A changes two of the five knobs: gap_width hardly, at 120 px and speed from 4 to 5.28 m/s." in text


def test_an_option_that_changes_every_knob_changes_them_all():
    for count, words in ((2, "both"), (3, "all three")):
        about = problem(knobs=KNOBS[:count])
        text = said(candidate((0.9,) * count, *GOOD), baseline=candidate(about.start, *GOOD), about=about)
        assert f"A changes {words} knobs: gap_width from 120 to 188 px" in text


def test_an_option_that_is_worse_in_everything_is_left_out():
    better, worse = candidate(MOVED, *GOOD), candidate(FAR, rate(0.67), rate(0.74))
    found = answer_of(record(worse, better))
    assert [option.candidate for option in found.options] == [better]
    assert "One more setting was measured and left out" in " ".join(sentences(found))
    trade = candidate(FAR, rate(0.651), rate(0.751))  # changes more, but without any spread
    found = answer_of(record(trade, candidate(MOVED, rate(0.652), rate(0.749))))
    assert len(found.options) == 2
    assert found.dropped == 0


def test_what_surely_meets_its_targets_never_gives_way_to_what_may():
    sure, maybe = candidate(FAR, rate(0.66), rate(0.75)), candidate(MOVED, rate(0.651, 0.08), rate(0.75))
    assert answer_of(record(maybe, sure)).options[0].candidate == sure


@pytest.mark.parametrize(
    ("first", "words"), [(0.66, None), (0.69, "gentler on newcomers than A, 0.690 against 0.650"), (0.61, "harder on")]
)
def test_gentler_is_said_only_beyond_noise(first, words):
    text = said(candidate(FAR, *GOOD), candidate(MOVED, rate(first), rate(0.75)))
    assert ("gentler" in text or "harder" in text) == (words is not None)
    assert (words or "") in text


def test_stages_tell_what_each_bought():
    stages = [
        StageResult(("gap_width", "speed"), MOVED, (1000, 1000), (600, 700)),
        StageResult(("lives",), FAR, (1000, 1000), (640, 745)),
    ]
    text = said(candidate(FAR, *GOOD), stages=stages)
    assert "with your defaults 0.150; after turning gap_width and speed 0.050; after turning lives 0.010." in text
    assert (
        "measured while searching, on only 2,000 players each, and chooses no option: A is what turning lives" in text
    )
    assert "came out ahead" not in text
    text = said(candidate(MOVED, *GOOD), stages=[stages[0], stages[1]._replace(attempts=(500, 500), wins=(320, 372))])
    assert "on only 1,000 to 2,000 players each" in text
    assert "A is what turning gap_width and speed ended with, which came out ahead on new players." in text
    assert "A is not a setting with which one of them ended." in said(candidate(FARTHER, *GOOD), stages=stages)


def test_an_early_end_is_told():
    assert "out of reach" not in said(candidate(MOVED, *GOOD))
    assert "sure enough that a target is out of reach" in said(candidate(MOVED, *GOOD), certain="unreachable")
    assert "sure enough that the targets are met" in said(candidate(MOVED, *GOOD), certain="met")


# --- What moves whom -------------------------------------------------------------------------------------------------


def chance(points, weights=WEIGHTS, intercepts=INTERCEPTS):
    return expit(intercepts - 2.0 * np.atleast_2d(points) @ weights.T)


def tells_of(seed, count=400, attempts=50, about=PROBLEM, truth=chance):
    dice = np.random.Generator(np.random.Philox(seed))
    points = about.search_space.snap(dice.random((count, about.search_space.size)))
    wins = dice.binomial(attempts, truth(points))
    return [
        Tell(tuple(point), (attempts,) * wins.shape[1], tuple(won), block)
        for block, (point, won) in enumerate(zip(points.tolist(), wins.tolist(), strict=True))
    ]


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
    assert step_text(wide) == "from 114 to 126 px (a tenth of its range)"
    assert step_text(slow) == "from 3.48 to 4.59 m/s (a tenth of its range, on a log scale)"
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
    ("default", "harder", "words", "gentler"),
    [
        (3, "low", "one fewer (from 3 to 2)", False),
        (1, "low", "one more (from 1 to 2)", True),  # at the hard end there is but one way
        (3, "high", "one more (from 3 to 4)", False),
        (4, "high", "one fewer (from 4 to 3)", True),
    ],
)
def test_a_whole_number_steps_from_its_own_value_with_the_sign_of_that_step(default, harder, words, gentler):
    hearts = Knob("hearts", 1, 4, default, harder=harder, scale="integer")
    about = problem(knobs=(*KNOBS[:2], hearts))

    def truth(points):
        return expit(2.0 - 2.5 * points[:, 2:] @ np.ones((1, 2)))  # only hearts count

    effect = effects_of(about, tells_of(4, about=about, truth=truth), about.start)[0]
    assert step_text(effect) == words
    assert all((shift.low > 0.0, shift.high < 0.0) == (gentler, not gentler) for shift in effect.shifts)


def test_knobs_that_do_nothing_have_no_visible_effect(effects):
    words = " ".join(
        sentences(
            answer_of(record(candidate(START, *GOOD), told=[TellRecord(SEARCH, t) for t in tells_of(1, 800, 200)]))
        )
    )
    assert re.search(r"There is no visible effect of (lives and tint|tint and lives) around A: at most 0\.0\d", words)
    assert re.search(
        r"the most influential knob is (gap_width|speed): from .* moves the win rate of \w+ by -0\.0", words
    )
    few = effects_of(PROBLEM, tells_of(1, count=8, attempts=5), START)
    assert not any(effect.visible for effect in few)
    assert not any(effect.small for effect in few)
    text = said(candidate(START, *GOOD), told=[TellRecord(SEARCH, tell) for tell in tells_of(1, count=8, attempts=5)])
    assert "these attempts are too few to tell" in text
    assert "most influential" not in text
    assert effects_of(PROBLEM, [], START) == ()


def test_the_interval_of_an_effect_covers_the_truth():
    covered = []
    for seed in range(20):
        found = effects_of(PROBLEM, tells_of(100 + seed, 200, 25), START)
        for effect in found:
            if effect.knob.name in ("gap_width", "speed", "warning"):
                j = PROBLEM.search_space.names.index(effect.knob.name)
                ends = []
                for value in (effect.before, effect.after):
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


# --- What is out of reach --------------------------------------------------------------------------------------------


def lenient(points):
    return chance(points, intercepts=INTERCEPTS + 2.0)


FLOOR = lenient([1.0] * 5)[0]  # the least win rates that there are then: 0.119 and 0.450
MET = rate(0.65), rate(0.75)


def test_a_bound_is_found_within_its_interval():
    hopeless = problem((SEGMENTS[0]._replace(low=0.0, high=0.04), SEGMENTS[1]))
    played = (tells_of(seed, truth=lenient) for seed in range(200, 208))
    reaches = [one for tells in played for one in feasibility_of(hopeless, tells, START, (rate(0.3), rate(0.75))).alone]
    assert all(reach.verdict == "out of reach" for reach in reaches)
    inside = [reach.low <= FLOOR[0] <= reach.high for reach in reaches]
    assert len(inside) == 8
    assert sum(inside) >= 5  # at 95 % fewer come in 1 of 2,500 cases
    assert all(0.0 < reach.high - reach.low < 0.1 for reach in reaches)


def test_what_is_out_of_reach_is_said_with_the_locks():
    locked = problem((SEGMENTS[0], SEGMENTS[1]._replace(low=0.01, high=0.03)), held={"speed": 4.0})
    bound = expit(2.0 - 2.0 * (0.6 + 0.3 + 1.2 * point_of(PROBLEM.space, PROBLEM.space.defaults())[1]))

    def truth(points):
        return chance(np.insert(points, 1, START[1], axis=1))

    told = [TellRecord(SEARCH, tell) for tell in tells_of(7, about=locked, truth=truth)]
    point = tuple(place for j, place in enumerate(START) if j != 1)
    text = said(
        candidate(point, rate(0.65), rate(0.5)),
        about=locked,
        told=told,
        baseline=candidate(point, rate(0.5), rate(0.5)),
    )
    words = re.search(r"\(held: speed\), experts cannot go below (\S+) \((\S+) to (\S+)\), by the model", text)
    assert words
    assert float(words[2]) <= bound <= float(words[3])
    free = said(
        candidate(START, rate(0.65), rate(0.5)),
        about=problem(locked.segments),
        told=[TellRecord(SEARCH, t) for t in tells_of(7)],
    )
    assert "Even with every knob free, experts cannot go below" in free


def test_targets_that_exclude_each_other_are_told_from_those_that_do_not():
    def alike(points):
        return np.repeat(chance(points)[:, :1], 2, axis=1)  # both segments always win the same

    missed = (rate(0.45), rate(0.5))
    against = problem((SEGMENTS[0]._replace(low=0.6, high=0.64), SEGMENTS[1]._replace(low=0.3, high=0.34)))
    found = feasibility_of(against, tells_of(8, truth=alike), START, missed)
    assert [reach.verdict for reach in found.alone] == ["within reach", "within reach"]
    assert [reach.above for reach in found.alone] == [True, False]  # the farthest off first
    assert found.conflict
    text = said(
        candidate(START, *missed), about=against, told=[TellRecord(SEARCH, t) for t in tells_of(8, truth=alike)]
    )
    assert "targets of experts and newcomers can each be met alone, but by the model of all counts no setting" in text
    together = problem((SEGMENTS[0]._replace(low=0.6, high=0.64), SEGMENTS[1]._replace(low=0.6, high=0.64)))
    assert not feasibility_of(together, tells_of(8, truth=alike), START, missed).conflict
    text = said(
        candidate(START, *missed), about=together, told=[TellRecord(SEARCH, t) for t in tells_of(8, truth=alike)]
    )
    assert "whether together with the others, these attempts do not tell" in text


@pytest.mark.parametrize(
    ("ends", "above", "verdict"),
    [
        ((0.66, 0.72), True, "cannot tell"),  # the wanted band is 0.60 to 0.70
        ((0.71, 0.75), True, "out of reach"),
        ((0.71, 0.85), True, "out of reach"),
        ((0.50, 0.69), True, "within reach"),
        ((0.55, 0.59), False, "out of reach"),
        ((0.45, 0.59), False, "out of reach"),
        ((0.45, 0.61), False, "cannot tell"),
        ((0.61, 0.90), False, "within reach"),
    ],
)
def test_a_bound_is_claimed_only_where_all_of_its_interval_lies_outside(ends, above, verdict):
    assert ReachableRate(SEGMENTS[0], above, sum(ends) / 2.0, *ends).verdict == verdict


def test_a_nearest_rate_is_told_only_where_it_is_known():
    hopeless = problem((SEGMENTS[0]._replace(low=0.0, high=0.01), SEGMENTS[1]))

    def text(count, attempts):
        told = [TellRecord(SEARCH, tell) for tell in tells_of(3, count, attempts, truth=lenient)]
        return said(candidate(START, rate(0.3), rate(0.75)), about=hopeless, told=told)

    assert re.search(r"newcomers cannot go below 0\.1\d\d \(0\.\d\d\d to 0\.1\d\d\), by the model", text(400, 50))
    assert re.search(
        r"newcomers cannot meet their target: they cannot go below a rate that lies between 0", text(60, 50)
    )


def test_a_conflict_that_some_draws_do_not_see_is_not_claimed():
    def alike(points):
        return np.repeat(chance(points)[:, :1], 2, axis=1)

    close = problem((SEGMENTS[0]._replace(low=0.6, high=0.64), SEGMENTS[1]._replace(low=0.5, high=0.54)))
    found = feasibility_of(close, tells_of(8, truth=alike), START, (rate(0.45), rate(0.45)))
    assert [reach.verdict for reach in found.alone] == ["within reach", "within reach"]
    assert not found.conflict


def test_nothing_is_claimed_from_too_few_attempts_or_none():
    hopeless = problem((SEGMENTS[0]._replace(low=0.0, high=0.04), SEGMENTS[1]))
    few: list[list[Tell]] = [[], tells_of(9, count=10, attempts=5, truth=lenient)]
    for tells in few:
        (reach,) = feasibility_of(hopeless, tells, START, (rate(0.3), rate(0.75))).alone
        assert reach.verdict == "cannot tell"
        text = said(
            candidate(START, rate(0.3), rate(0.75)), about=hopeless, told=[TellRecord(SEARCH, t) for t in tells]
        )
        assert "Whether newcomers can be brought to their target at all, these attempts do not tell." in text
        assert "cannot go" not in text


def test_a_count_that_speaks_against_the_model_forbids_its_claim():
    hopeless = problem((SEGMENTS[0]._replace(low=0.0, high=0.04), SEGMENTS[1]))
    rates_then = (rate(0.3), rate(0.75))
    tells = tells_of(10, attempts=500, truth=lenient)
    assert feasibility_of(hopeless, tells, START, rates_then).alone[0].verdict == "out of reach"
    pit = Tell(START, (300, 300), (0, 285), 1000)  # all around it nine of ten are won
    assert feasibility_of(hopeless, [*tells, pit], START, rates_then).alone[0].verdict == "cannot tell"


def test_of_many_missed_targets_the_farthest_off_are_looked_into():
    many = problem(tuple(Segment(str(k), k, 0, 0.6, 0.7) for k in range(9)))
    found = feasibility_of(many, [], START, tuple(rate(0.71 + 0.02 * k, 0.001) for k in range(9)))
    assert [reach.segment.name for reach in found.alone] == ["8", "7", "6", "5", "4", "3"]


def test_nothing_is_said_of_reach_where_nothing_is_missed():
    assert feasibility_of(PROBLEM, tells_of(1), START, MET) == ((), False)


@pytest.mark.parametrize(("wins", "words"), [(50, "won every one of 20,000"), (0, "won none of 20,000")])
def test_a_cohort_that_nothing_moves_is_named(wins, words):
    tells = [tell._replace(wins=(wins, tell.wins[1])) for tell in tells_of(3)]
    got = Rate(wins / 50, *wilson(80 * wins, 4000), 4000)
    text = said(candidate(MOVED, got, rate(0.75)), told=[TellRecord(SEARCH, tell) for tell in tells])
    assert f"Whatever was played, newcomers {words} attempts" in text
    assert "cannot go" not in text
    assert "cannot rise" not in text
    assert "experts won" not in text


# --- Text, JSON, page ------------------------------------------------------------------------------------------------

BEGUN = Start(
    format_version=1,
    flowdial_version="0.0",
    name="known",
    scenario="",
    scenario_digest="abc",
    format="csv",
    code={"game": "def"},
    versions={"numpy": "2"},
    study={"method": "pooled", "attempts": 100_000, "earlier": []},
)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def whole():
    """A whole study by hand."""
    told = [TellRecord(SEARCH, tell) for tell in tells_of(1)]
    stages = [StageResult(("gap_width", "speed"), MOVED, (1000, 1000), (600, 700))]
    return record(candidate(FAR, *GOOD), candidate(MOVED, rate(0.68), rate(0.8)), told=told, stages=stages)


def test_the_text_has_the_words_first_and_the_defaults_beside_the_options(whole):
    text = answer_text(answer_of(whole))
    table = text.split("\n\n")[1].splitlines()
    assert text.startswith("One of the two settings meets both targets: A.")
    assert table[0].split() == ["target", "defaults", "A", "B", "after", "turning", "gap_width,", "speed"]
    assert "A is tuned.toml; B is tuned_b.toml." in text
    assert text.endswith("Trust differences between cohorts and between runs more.")


def test_text_and_page_say_where_a_run_differs(whole):
    note = "in the study everybody had 7 attempts behind them."
    assert note not in answer_text(answer_of(whole)) + page(answer_of(whole), BEGUN)
    about = replace(problem(), practised=True)
    about.scenario.after_attempts = 7
    found = answer_of(replace(whole, problem=about))
    assert f"B is tuned_b.toml. {practice_note(about)}\n" in answer_text(found)
    assert practice_note(about) in page(found, BEGUN)
    assert practice_note(about).endswith(note)


def test_the_page_says_all_and_is_a_function_of_the_study(whole):
    found = page(answer_of(whole), BEGUN)
    assert found == page(answer_of(whole), BEGUN)
    text = " ".join(" ".join(Page(found).words).split())
    order = [
        "uncalibrated",
        "One of the two settings meets both targets",
        "Before and after",
        "The knobs",
        "What moves whom",
        "What each stage bought",
        "How the search went",
        "What it cost",
        "Where it comes from",
        "How the numbers were made",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    for words in (
        "0.500 (0.490 to 0.510)",
        "0.650 (0.640 to 0.660)",
        "tuned_b.toml",
        "70,000",
        "100,000",
        "abc",
        "It flatters",
    ):
        assert words in text
    assert "nan" not in text
    assert "give the same bytes" in text
    assert len(found) < 300_000
    timed = page(answer_of(replace(whole, limits=StudyLimits(100_000, 60.0))), BEGUN)
    assert "give the same bytes" not in timed
    assert "another one may differ" in timed


def test_the_page_tells_of_a_race_only_where_one_was_run(whole):
    assert "These race: all play" in page(answer_of(whole), BEGUN)
    text = page(answer_of(replace(whole, spent=whole.spent | {FINAL_RACE: 0})), BEGUN)
    assert "These race" not in text
    assert "none had to be chosen by a race" in text


def test_a_search_that_never_improves_has_a_sentence_and_no_chart(whole):
    assert "Best so far" in page(answer_of(whole), BEGUN)
    same = [TellRecord(SEARCH, Tell(MOVED, (100, 100), (60, 70), block)) for block in range(3)]
    text = page(answer_of(replace(whole, told=tuple(same))), BEGUN)
    assert "Best so far" not in text
    assert "the best point of the search was 0.050 off from first to last: no chart." in text


def test_the_page_of_nothing_measured_is_a_page_too():
    nothing = candidate(MOVED, NOT_MEASURED, NOT_MEASURED)
    text = page(answer_of(record(nothing, baseline=candidate(START, NOT_MEASURED, NOT_MEASURED))), BEGUN)
    assert "not measured" in text
    assert "nan" not in text.split("</style>")[1]


def test_the_command_prints_the_words_and_leaves_the_page(tmp_path, capsys):
    request = StudyRequest(8000, method="random", options=2)
    assert tune(small.scenario(), request, out=tmp_path / "study", workers=1) == 0
    text = capsys.readouterr().out
    assert re.match(r"(This|Both|One|No|It|Your) ", text)
    assert f"report  {tmp_path / 'study' / 'report.html'}" in text
    found = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "".join(Page(found).words).count(text.splitlines()[0]) == 1
    assert tune(small.scenario(), request, out=tmp_path / "again", workers=1, json=True) == 0
    assert json.loads(capsys.readouterr().out)["sentences"][0] == text.splitlines()[0]
    assert (tmp_path / "again" / "report.html").read_text(encoding="utf-8") == found


def test_nasty_names_stay_text(whole):
    segments = (SEGMENTS[0]._replace(name=NASTY), SEGMENTS[1])
    knobs = (Knob("gap_width", 80.0, 200.0, 120.0, "<b>px</b>"), *KNOBS[1:])
    about = problem(segments, knobs)
    about.scenario.title = NASTY
    study = StudyRecord(
        about, whole.baseline, whole.options, "", whole.stages, whole.told, whole.spent, whole.feasibility
    )
    found = page(answer_of(study), BEGUN)
    tags = Page(found)
    assert not {"script", "b", "img", "link", "iframe"} & set(tags.tags)
    assert " ".join(tags.words).count("alert('1')") >= 4
    assert re.search(r"https?:|@import|url\(", found) is None


def test_json_says_the_same(whole):
    found = json.loads(json.dumps(answer_json(answer_of(whole)), allow_nan=False))
    assert found["sentences"] == sentences(answer_of(whole))
    assert [one["meets_all"] for one in found["options"]] == [True, False]
    assert found["baseline"]["largest_error"] == pytest.approx(0.15)
    assert found["baseline"]["spread"] == pytest.approx(0.3)  # one is too low by 0.15, one too high
    assert found["options"][0]["segments"]["newcomers"]["verdict"] == "met"
    assert {one["knob"] for one in found["sensitivity"]} == set(PROBLEM.search_space.names)
