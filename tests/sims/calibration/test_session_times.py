"""Times between plays: slopes are those of the likelihood, and planted returns and breaks are found again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.kernel import compiled
from engine.players import PLAYER, Flow, come_back
from engine.presence.week import ALWAYS_ALIKE
from sims.calibration.histories import Plays
from sims.calibration.session_times import LEAST_TIMES, _likelihood, fit_session_times

FLOW = Flow(
    same_day_share=0.4, same_day_s=9_000.0, daily_share=0.3, daily_sd_s=6_000.0, later_s=300_000.0, return_log_sd=0.7,
    pause_s=9.0, pause_log_sd=0.4,
)  # fmt: skip
SCALE_SD = 1.0  # as by default


def planted_times(players, sessions, seed):
    """Players of sessions with two attempts of ten seconds each, who come back as synthetic players do."""
    draw = np.random.default_rng(seed)
    people = np.zeros(players, PLAYER)
    people["player"] = np.arange(players)
    people["return_scale"] = np.exp(SCALE_SD * draw.standard_normal(players))
    back = compiled(come_back)
    times = np.empty((players, sessions, 2))
    for i in range(players):
        for k in range(sessions):
            pause = FLOW.pause_s * math.exp(FLOW.pause_log_sd * draw.standard_normal())
            begin = float(people[i]["clock_s"])
            times[i, k] = begin, begin + 10.0 + pause
            people[i]["clock_s"] = begin + 20.0 + pause
            back(people[i], FLOW, ALWAYS_ALIKE, seed, 0, 1e12)
    shape = times.size
    return Plays(
        ("1",), np.repeat(np.arange(players), 2 * sessions), np.zeros(shape, np.int64), np.ones(shape, np.int8),
        np.tile(np.arange(2 * sessions), players), np.tile([0, 1], players * sessions), None, None,
        time=times.ravel(), seconds=np.full(shape, 10.0),
    )  # fmt: skip


def test_planted_times_are_found_again():
    found = fit_session_times(planted_times(400, 12, 3), cut=False, attempt_s=None).estimates
    truth = {name: getattr(FLOW, name) for name in found}
    assert len(truth) == 8
    for name, (value, low, high) in found.items():
        error = (high - low) / 3.92
        assert abs(value - truth[name]) < 4.0 * error, name


def test_slopes_are_those_of_the_value():
    draw = np.random.default_rng(5)
    away = np.exp(draw.normal(10.0, 1.5, 60)) + 1_800.0
    starts = np.array([0, 5, 20, 21, 60])
    point = np.array([9.1, 12.5, -0.3, 8.8, 0.2, -0.1])
    slope = _likelihood(point, away, starts, 1_800.0)[1].sum(axis=0)
    for j in range(len(point)):
        step = np.zeros(len(point))
        step[j] = 1e-5
        up, down = (_likelihood(point + move * step, away, starts, 1_800.0)[0] for move in (1.0, -1.0))
        assert (up - down) / 2e-5 == pytest.approx(slope[j], abs=1e-3)


def test_few_times_say_nothing():
    few = planted_times(LEAST_TIMES // 10, 4, 1)
    assert fit_session_times(few, cut=False, attempt_s=None).estimates == {}
