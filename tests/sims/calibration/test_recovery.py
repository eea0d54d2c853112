"""Planted players are found again, with intervals that hold; fits that leave something out are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from sims.calibration.fit import fit
from sims.calibration.histories import histories_of
from tests.kit.plays import Truth, planted
from tests.sims.calibration.test_likelihood import plays_of

FIRST_SEED = 1_000
LEVEL_COVERAGE = 0.95


def truth_of(truth):
    """What was planted, in the order and units of a fit."""
    return {
        "learning": truth.learning,
        "fatigue": truth.fatigue,
        "log_skill_sd": math.log(truth.skill_sd),
        "quit_frailty": truth.quit_frailty,
        "quit_streak": truth.quit_streak,
        "quit_won": truth.quit_won,
        "log_quit_sd": math.log(truth.quit_sd),
        "atanh_rho": math.atanh(truth.rho),
    }


def recovered(replicates, players):
    """How often each interval holds, that of all levels together, and estimates less truth, shape (replicates, 8)."""
    hits, level_hits, errors = [], [], []
    for k in range(replicates):
        truth = Truth(seed=FIRST_SEED + k)
        found = fit(histories_of(plays_of(p := planted(players, truth))))
        wanted = truth_of(truth)
        assert found.names == tuple(wanted)
        ends = [found.interval(found.levels + j) for j in range(len(wanted))]
        hits.append([low <= true <= high for (low, high), true in zip(ends, wanted.values(), strict=True)])
        level_hits.append([low <= d <= high for d, (low, high) in zip(p.difficulty, map(found.interval, range(20)))])
        errors.append(found.point[found.levels :] - list(wanted.values()))
    return np.mean(hits, axis=0), float(np.mean(level_hits)), np.array(errors)


def check_fit(coverage, replicates):
    """95 % within four standard errors of so many replicates."""
    least = 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / replicates)
    assert coverage.min() >= least, dict(zip(truth_of(Truth()), coverage, strict=True))


@pytest.mark.thorough
def test_intervals_hold_and_estimates_are_not_off_on_average():
    coverage, _, errors = recovered(40, 1_000)
    check_fit(coverage, 40)
    bias = errors.mean(axis=0) / (errors.std(axis=0, ddof=1) / math.sqrt(len(errors)))
    assert np.abs(bias).max() < 4.0


@pytest.mark.slow
def test_the_figures_of_the_docs():
    """200 populations of 2,000 players, as docs/calibration.md tells."""
    coverage, of_levels, _ = recovered(200, 2_000)
    assert coverage.min() >= 0.92
    assert of_levels >= 0.92


def test_a_fit_of_quits_alone_gets_the_streak_wrong():
    """Who is weak loses in rows and, where traits are correlated, quits: a fit without the correlation mixes it up."""
    truth = Truth(seed=5, rho=-0.8, quit_streak=0.25)
    histories = histories_of(plays_of(planted(6_000, truth)))
    joint, apart = fit(histories), fit(histories, held=["atanh_rho"])
    place = joint.levels + joint.names.index("quit_streak")
    low, high = joint.interval(place)
    assert low <= truth.quit_streak <= high
    error = math.sqrt(float(apart.covariance[place, place]))
    assert (apart.point[place] - truth.quit_streak) / error > 2.5


def test_without_differences_between_players_a_streak_seems_to_hold_them():
    """Only persistent players survive long streaks: one rate for all finds the wrong sign."""
    truth = Truth(seed=6, quit_frailty=-2.0, quit_sd=1.5, quit_streak=0.25, quit_won=0.0, rho=0.0, learning=0.0)
    histories = histories_of(plays_of(planted(8_000, truth)))
    risk = histories.risk == 1
    reasons, quits = histories.reasons[risk][:, :2], histories.quits[risk]

    def loss(point):
        pull = reasons @ point
        return float(np.logaddexp(0.0, pull).sum() - pull[quits == 1].sum())

    plain = minimize(loss, [-2.0, 0.0], method="BFGS")
    assert plain.x[1] < 0.0
    found = fit(histories)
    low, high = found.interval(found.levels + found.names.index("quit_streak"))
    assert low <= truth.quit_streak <= high
