"""Players of a real game are found again through its rules, and players of other rules are not taken for them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.batch import Crowd, batch_wins
from engine.players import Distribution, distribution_table
from sims.calibration.fit import fit, predict
from sims.calibration.game.game_map import ATTEMPTS, game_map
from sims.calibration.game.rule_check import judge_rules
from tests.kit.game_plays import TRUTH, played_plays, setup_for

FIRST_SEED = 3_000
PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
CROWD = 6_000


def values_of(found):
    """The four numbers of a fit with their intervals."""
    low, high = found.interval(0)
    ends = {"skill_mean": (found.mean_skill, -high, -low)}
    for place, name in enumerate(found.names, found.levels):
        ends[name] = (float(found.point[place]), *found.interval(place))
    return {name: ends[name] for name in TRUTH}


def population(setup, mean, sd):
    """Win rates of fresh players with this skill at five places of the dial, shape (5,)."""
    skill = Distribution("normal", mean, sd)
    values = np.array([setup.space.real([place] * len(setup.space)) for place in PLACES])
    wins = batch_wins(setup.game, values, Crowd(distribution_table({"skill": skill}), CROWD), 77)
    return wins / CROWD


def recovered(game, count, *, players, attempts, map_attempts):
    """How often each interval holds, errors, and distances of win rates at five places."""
    hits, errors, off, rules = [], [], [], []
    for k in range(count):
        setup = setup_for(game, players=players, attempts=attempts, seed=FIRST_SEED + k)
        settings, histories = played_plays(setup)
        win_map = game_map(setup.game, settings, attempts=map_attempts)
        found = fit(histories, win_map=win_map)
        values = values_of(found)
        hits.append([low <= TRUTH[name] <= high for name, (_, low, high) in values.items()])
        errors.append([value - TRUTH[name] for name, (value, _, _) in values.items()])
        fitted = population(setup, found.mean_skill, found.skill_sd)
        off.append(np.abs(fitted - population(setup, 0.4, 0.7)))
        rules.append(judge_rules(histories, predict(found, histories, win_map=win_map), found.mean_skill).fits)
    return np.mean(hits, axis=0), np.array(errors), np.array(off), float(np.mean(rules))


def test_players_of_a_closed_form_are_found():
    setup = setup_for("logistic", players=1_500, attempts=30, seed=9)
    settings, histories = played_plays(setup)
    found = fit(histories, win_map=game_map(setup.game, settings))
    for name, (value, low, high) in values_of(found).items():
        assert abs(value - TRUTH[name]) <= 4.0 * (high - low) / 3.92, name
    rho = found.names.index("atanh_rho") + found.levels
    assert abs(float(found.point[rho]) - math.atanh(-0.5)) <= 4.0 * math.sqrt(found.covariance[rho, rho])


@pytest.mark.slow
def test_intervals_of_a_hundred_populations_hold_as_the_docs_tell():
    held, errors, off, fits = recovered("gap_runner", 100, players=500, attempts=60, map_attempts=ATTEMPTS)
    assert held.min() >= 0.92, dict(zip(TRUTH, zip(held, errors.mean(axis=0), strict=True), strict=True))
    assert off.mean(axis=0).max() <= 0.015
    assert fits >= 0.98
