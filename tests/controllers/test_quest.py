"""The grid posterior of quest against the questplus package, trial by trial, and against plain numpy."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from controllers.adaptive import quest
from controllers.common.skill_grid import POINTS, SKILLS, skills
from engine.arithmetic import logistic
from engine.contract.controller_conduct import brief_for
from engine.controller import Observation, Situation
from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, uniform

BRIEF = brief_for("player")
SLOPES = np.array([4.0, 6.0, 8.0, 11.0, 16.0])
DIAL = np.arange(POINTS) / (POINTS - 1)
TRIALS = 60
TARGET = 0.55


def plan_of(**options):
    return quest.prepare(quest.Options(**options), BRIEF)


def asked(plan, state, target=TARGET):
    return compiled(quest.ask)(plan, state, Situation(target, 0, 0, 0, 1.0))


def told(plan, state, difficulty, won, weight=1.0):
    return compiled(quest.tell)(plan, state, Observation(difficulty, won, won, won, TARGET, 0.0, 1.0, weight))


def by_the_note(difficulty):
    """Win probability of every cell at one difficulty or more, shape (5, SKILLS) or (5, SKILLS, n)."""
    d = np.asarray(difficulty)
    a, s = SLOPES.reshape(-1, 1, *(1,) * d.ndim), skills().reshape(1, -1, *(1,) * d.ndim)
    return 0.02 + 0.96 / (1.0 + np.exp(-a * (s - d)))


def prior_by_the_note():
    of_skill = np.exp(-0.5 * ((skills() - 0.5) / 0.15) ** 2)
    of_slope = np.exp(-0.5 * (np.log(SLOPES / 8.0) / 0.4) ** 2)
    return of_skill / of_skill.sum(), of_slope / of_slope.sum()


def luck(trial, seed=31):
    return uniform(key_of(seed, 0, CHANCE, 0, trial), 0)


def wins(trial, difficulty, skill=0.62, slope=9.0):
    return 1.0 if luck(trial) < 0.02 + 0.96 * logistic(slope * (skill - difficulty)) else 0.0


@pytest.fixture
def package(monkeypatch):
    """questplus with our function in the place of its normal one, and our prior; all that follows is its own."""
    import xarray  # here: with questplus it takes seconds, and only this file needs them
    from questplus import QuestPlus, psychometric_function

    def logistic_function(*, intensity, mean, sd, lapse_rate, lower_asymptote, scale):
        axes = {"intensity": intensity, "mean": mean, "sd": sd}
        x, skill, slope = (xarray.DataArray(v, dims=[name], coords={name: v}) for name, v in axes.items())
        return 0.02 + 0.96 / (1.0 + np.exp(-slope * (skill - x)))

    simple = functools.partial(logistic_function, lapse_rate=0.02, lower_asymptote=0.02)
    monkeypatch.setattr(psychometric_function, "norm_cdf", simple)
    of_skill, of_slope = prior_by_the_note()
    return QuestPlus(
        stim_domain={"intensity": DIAL},
        param_domain={"mean": skills(), "sd": SLOPES},
        outcome_domain={"response": ["won", "lost"]},
        prior={"mean": of_skill, "sd": of_slope},
        func="norm_cdf",
        stim_scale="linear",
    )


@pytest.mark.thorough
@pytest.mark.parametrize("placement", [0.0, 1.0], ids=["target", "entropy"])
def test_the_posterior_is_that_of_questplus_trial_by_trial(package, placement):
    plan = plan_of(placement=placement)
    state = quest.start(plan, TARGET)
    outcomes = set()
    for trial in range(TRIALS):
        theirs = package.posterior.transpose("sd", "mean").to_numpy()
        np.testing.assert_allclose(state.weight.reshape(5, SKILLS), theirs, rtol=1e-9, atol=1e-30)
        assert state.skill == pytest.approx(package.param_estimate["mean"], rel=1e-9)
        place = float(DIAL[round(asked(plan, state) * (POINTS - 1))])
        if placement == 1.0:  # ours goes on between the points, theirs is the best point
            assert abs(asked(plan, state) - package.next_stim["intensity"]) <= 0.5 / (POINTS - 1) + 1e-9
            place = package.next_stim["intensity"]
        won = wins(trial, place)
        outcomes.add((place, won))
        state = told(plan, state, place, won)
        package.update(stim={"intensity": place}, outcome={"response": "won" if won else "lost"})
    assert len(outcomes) > 10


def test_late_and_shared_outcomes_count_at_the_difficulty_that_was_played():
    plan = plan_of()
    state = quest.start(plan, TARGET)
    of_skill, of_slope = prior_by_the_note()
    logs = np.log(np.outer(of_slope, of_skill))
    for difficulty, won, weight in ((0.3137, 1.0, 1.0), (0.9, 0.25, 20.0), (0.512, 0.0, 1.0), (0.05, 0.9, 10.0)):
        state = told(plan, state, difficulty, won, weight)
        p = by_the_note(difficulty)
        logs += weight * (won * np.log(p) + (1.0 - won) * np.log(1.0 - p))
    expected = np.exp(logs - logs.max())
    np.testing.assert_allclose(state.weight.reshape(5, SKILLS), expected / expected.sum(), rtol=1e-9, atol=1e-30)
    mean = (expected.sum(axis=0) * skills()).sum() / expected.sum()
    variance = (expected.sum(axis=0) * (skills() - mean) ** 2).sum() / expected.sum()
    assert (state.skill, state.sd) == pytest.approx((mean, np.sqrt(variance)))


def test_evidence_without_end_leaves_a_posterior():
    for options in ({}, {"guess": 0.0, "lapse": 0.0, "slope": 50.0}):
        plan = plan_of(**options)
        state = told(plan, quest.start(plan, TARGET), 0.5, 0.6, 1e6)
        state = told(plan, told(plan, state, 0.0, 0.0), 1.0, 1.0)
        assert state.weight.sum() == pytest.approx(1.0)
        assert 0.0 <= asked(plan, state) <= 1.0


def least(bad):
    """The first least point of a curve over the dial, moved by the parabola through its neighbours, and rounded."""
    i = int(np.argmin(bad))
    d = DIAL[i]
    if 0 < i < POINTS - 1:
        curve = np.polynomial.Polynomial.fit(DIAL[i - 1 : i + 2], bad[i - 1 : i + 2], 2)
        d = curve.deriv().roots()[0]
    return np.floor(d * 200.0 + 0.5) / 200.0


def entropy(p):
    return -p * np.log(p) - (1.0 - p) * np.log(1.0 - p)


@pytest.mark.parametrize("placement", [0.0, 1.0], ids=["target", "entropy"])
def test_the_dial_is_where_a_search_over_all_points_puts_it(placement):
    plan = plan_of(placement=placement)
    p = by_the_note(DIAL)
    places = set()
    for player in range(4):
        state = quest.start(plan, TARGET)
        for trial in range(40):
            target = (0.3, 0.55, 0.8)[trial % 3]
            weights = state.weight.reshape(5, SKILLS, 1)
            error = (weights * (p - target) ** 2).sum(axis=(0, 1))
            information = entropy((weights * p).sum(axis=(0, 1))) - (weights * entropy(p)).sum(axis=(0, 1))
            expected = least(-information if placement == 1.0 else error)
            place = asked(plan, state, target)
            assert place == pytest.approx(expected, abs=0.005 + 1e-9)  # a half can be rounded either way
            places.add(place)
            state = told(plan, state, place, wins(100 * player + trial, place, skill=0.2 + 0.2 * player))
    assert len(places) > 20


def test_targets_beyond_reach_ask_for_the_ends():
    plan = plan_of()
    state = quest.start(plan, TARGET)
    assert (asked(plan, state, 0.999), asked(plan, state, 0.001)) == (0.0, 1.0)


def test_information_lies_away_from_the_target():
    """What the docstring says: placement by entropy examines the player, placement by error serves them."""
    errors = []
    for placement in (0.0, 1.0):
        plan = plan_of(placement=placement)
        total = 0.0
        for player in range(20):
            skill = 0.35 + 0.015 * player
            state = quest.start(plan, TARGET)
            for trial in range(60):
                place = asked(plan, state)
                total += (0.02 + 0.96 * logistic(8.0 * (skill - place)) - TARGET) ** 2
                state = told(plan, state, place, wins(100 * player + trial, place, skill, 8.0))
        errors.append(total)
    assert errors[1] > 1.5 * errors[0]
