"""The three win curves: slopes and bends are those of the value, and each is the formula that it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sims.calibration.fit import fit, predict
from sims.calibration.histories import Plays, histories_of
from sims.calibration.likelihood.likelihood_sums import LikelihoodSums, predict_wins
from sims.calibration.likelihood.win_curves import PlainCurve
from sims.calibration.likelihood.win_map import win_map_of
from tests.sims.calibration.test_likelihood import SMALL, point_of

PLACES, SKILLS = np.array([0.0, 0.4, 1.0]), np.arange(-6.0, 6.5, 0.5)
MAP = win_map_of(
    PLACES,
    SKILLS,
    [1.2 * SKILLS[:, None] - 3.0 * PLACES + 0.3 * kind * np.sin(SKILLS)[:, None] for kind in (-1, 0, 1)],
    np.array([1.0, 4.0, 1.0]) / 6.0,
)
SET = replace(SMALL, dial=np.random.default_rng(3).random(SMALL.rows))


def check_slopes(sums, point):
    found = sums.evaluate(point)
    for j in range(len(point)):
        step = np.zeros(len(point))
        step[j] = 1e-5
        up, down = sums.evaluate(point + step), sums.evaluate(point - step)
        assert (up.value - down.value) / 2e-5 == pytest.approx(found.gradient[j], abs=3e-5)
        assert (up.gradient - down.gradient) / 2e-5 == pytest.approx(found.curvature[j], abs=2e-2)


@pytest.mark.parametrize("joint", [False, True])
def test_slopes_and_bends_of_the_map(joint):
    point = point_of(SMALL, joint)[len(SMALL.levels) - 1 :]  # one difficulty
    check_slopes(LikelihoodSums(SET, joint=joint, sd=1.0, win_map=MAP), point)


def test_slopes_and_bends_of_guessing():
    point = np.insert(point_of(SMALL, False), len(SMALL.levels) + 3, [-2.5, -3.0])
    check_slopes(LikelihoodSums(SMALL, joint=False, sd=1.0, shapes=("log_guess", "log_lapse")), point)


def test_no_guessing_is_the_logistic_curve():
    point = point_of(SMALL, True)
    plain = LikelihoodSums(SMALL, joint=True, sd=1.0)
    guessing = plain.at(point, PlainCurve(0.0, 1e-300))
    assert guessing.value == pytest.approx(plain.at(point, PlainCurve(0.0, 0.0)).value, rel=1e-12)


def test_a_first_attempt_is_predicted_by_the_mean_over_players():
    point = np.array([0.3, 0.0, 0.0, np.log(0.8)])
    first = SET.starts[:-1]
    chances = predict_wins(SET, point, PlainCurve(0.0, 0.0), MAP)
    nodes = np.linspace(-6.0, 6.0, 2_001)
    weights = np.exp(-0.5 * nodes * nodes)
    assert SET.dial is not None
    for row in first[:10]:
        mean = np.average(MAP.chances(0.8 * nodes - 0.3, SET.dial[row]), weights=weights)
        assert chances[row] == pytest.approx(mean, abs=2e-3)  # nodes of the fit end at 4.2 standard deviations


def guessed(guess, lapse, players=900, tries=24, seed=21):
    """Plays of levels from easy to hard, in which some attempts are decided without any skill."""
    draw = np.random.default_rng(seed)
    player = np.repeat(np.arange(players), tries)
    level = draw.integers(0, 10, len(player))
    logit = 1.5 * draw.standard_normal(players)[player] - np.linspace(-4.0, 4.0, 10)[level]
    chance = guess + (1.0 - guess - lapse) / (1.0 + np.exp(-logit))
    won = (draw.random(len(player)) < chance).astype(np.int8)
    names = tuple(str(one) for one in range(10))
    return histories_of(Plays(names, player, level, won, None, None, None, None))


def test_guessing_and_lapses_are_fitted_where_the_file_tells():
    histories = guessed(0.2, 0.1)
    found = fit(histories)
    assert found.shapes == ("log_guess", "log_lapse")
    for name, true, value in zip(found.shapes, (0.2, 0.1), found.plain_curve, strict=True):
        place = found.levels + found.names.index(name)
        low, high = np.exp(found.interval(place, 4.0))
        assert low <= true <= high
        assert low < value < high
    chance = predict(found, histories)
    assert abs(float(np.mean(chance - histories.won))) < 4.0 * np.sqrt(np.mean(chance * (1 - chance)) / len(chance))


def test_nothing_is_guessed_where_the_file_does_not_tell():
    assert fit(guessed(0.0, 0.0)).shapes == ()
