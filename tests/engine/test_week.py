"""Hours and weekdays: arrivals and returns follow their weights, and without any every byte stays."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.players import Distribution, Flow
from engine.presence.week import ALWAYS_ALIKE, DAYS, HOUR_S, HOURS, WEEK_S, later, second_clock, wall_clock, week_of
from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from tests.kit.worlds import FAITHFUL, played
from tests.kit.worlds import setup_of as world

EVENINGS = [1.0] * 7 + [2.0] * 10 + [8.0] * 5 + [1.0, 0.0]  # nobody plays from eleven to midnight
WEEKENDS = [1.0] * 5 + [2.0] * 2
WEEK = week_of(EVENINGS, WEEKENDS)
ERRORS = 4.0  # standard errors


def test_a_week_is_a_week_long_and_its_pace_is_the_weight():
    assert len(WEEK) == DAYS * HOURS + 1
    assert WEEK[0] == 0.0
    assert WEEK[-1] == pytest.approx(WEEK_S)
    paces = np.diff(WEEK).reshape(DAYS, HOURS)
    assert paces[0] / paces[0, 0] == pytest.approx(EVENINGS)
    assert paces[:, 0] / paces[0, 0] == pytest.approx(WEEKENDS)
    assert week_of([], []) is ALWAYS_ALIKE


def test_the_clocks_are_inverse_and_never_run_back():
    times = np.linspace(0.0, 3.0 * WEEK_S, 4001)
    shown = np.array([second_clock(time, WEEK) for time in times])
    assert (np.diff(shown) >= 0.0).all()
    back = np.array([wall_clock(one, WEEK) for one in shown])
    still = np.floor(times / HOUR_S).astype(int) % HOURS == HOURS - 1
    assert back[~still] == pytest.approx(times[~still], abs=1e-4)
    assert all((one // HOUR_S) % HOURS == 0 for one in back[still] + 1e-4)  # after hours in which nobody plays


def test_where_all_hours_are_alike_the_sum_is_the_same_to_the_last_bit():
    assert later(0.1, 0.2, ALWAYS_ALIKE) == 0.1 + 0.2
    equal = week_of([3.0] * HOURS, [])
    assert later(1234.5, 98_765.4, equal) == pytest.approx(1234.5 + 98_765.4)


def shares(times):
    """Share of times in each hour of the day, and on each day of the week."""
    hours = np.bincount((times / HOUR_S).astype(int) % HOURS, minlength=HOURS) / len(times)
    days = np.bincount((times / (24 * HOUR_S)).astype(int) % DAYS, minlength=DAYS) / len(times)
    return hours, days


@pytest.mark.parametrize(
    ("gaps_s", "window_s"), [((4.0 * WEEK_S / 6000.0,), 1.0), ((0.0,), 4.0 * WEEK_S)], ids=["stream", "launch"]
)
def test_arrivals_follow_the_weights(gaps_s, window_s):
    setup = world(
        counts=(6000,), gaps_s=gaps_s, window_s=window_s, week=WEEK, attempts_per_player=1, horizon_s=20.0 * WEEK_S
    )
    times = played(setup).arrivals
    hours, days = shares(times[times < 4.0 * WEEK_S])
    for found, weights in ((hours, EVENINGS), (days, WEEKENDS)):
        wanted = np.array(weights) / sum(weights)
        errors = np.sqrt(wanted * (1.0 - wanted) / len(times))
        assert (np.abs(found - wanted) <= ERRORS * errors + 1e-12).all()


RETURNS = Flow(end_base=40.0, end_place=0.0, daily_share=0.0, same_day_share=0.5, later_s=172_800.0)


def test_sessions_follow_the_weights_once_players_have_spread():
    """One attempt a session; what counts is from the third week on. Players are the clusters."""
    setup = world(
        cohorts=(FAITHFUL,), counts=(400,), flow=RETURNS, week=WEEK, attempts_per_player=60, horizon_s=12.0 * WEEK_S,
        window_s=WEEK_S,
    )  # fmt: skip
    sessions = played(setup).sessions
    sessions = sessions[sessions["start_s"] > 2.0 * WEEK_S]
    evening = ((sessions["start_s"] / HOUR_S).astype(int) % HOURS >= 17) & (
        (sessions["start_s"] / HOUR_S).astype(int) % HOURS < 22
    )
    weekend = (sessions["start_s"] / (24 * HOUR_S)).astype(int) % DAYS >= 5
    for inside, wanted in ((evening, 40.0 / sum(EVENINGS)), (weekend, 4.0 / 9.0)):
        _, of = np.unique(sessions["player"], return_inverse=True)
        count, hits = np.bincount(of), np.bincount(of, weights=inside)
        error = math.sqrt(float(((hits - wanted * count) ** 2).sum())) / len(sessions)
        assert abs(inside.mean() - wanted) <= ERRORS * error
    assert not ((sessions["start_s"] / HOUR_S).astype(int) % HOURS == 23).any()


def test_daily_players_keep_their_hour():
    flow = Flow(end_base=40.0, end_place=0.0, daily_share=1.0, same_day_share=0.0, daily_sd_s=0.0)
    traits = {**FAITHFUL, "return_scale": Distribution("fixed", 1.0)}
    setup = world(cohorts=(traits,), counts=(50,), flow=flow, week=WEEK, attempts_per_player=10)
    sessions = played(setup).sessions
    for player in np.unique(sessions["player"]):
        starts = sessions["start_s"][sessions["player"] == player]
        assert np.diff(starts) == pytest.approx(24 * HOUR_S + 30.0, abs=1.0)  # an attempt takes 30 s


def test_players_and_their_luck_are_the_same_at_other_hours():
    plain = world(counts=(40,), attempts_per_player=5)
    one, two = (played(replace(plain, week=week)).rows for week in (ALWAYS_ALIKE, WEEK))
    both = min(len(one), len(two))
    assert both
    for name in ("outcome", "skill"):
        first = {(row["player"], row["attempt"]): row[name] for row in one}
        assert all(first.get((row["player"], row["attempt"]), row[name]) == row[name] for row in two)


TEXT = """
format = 1
[game]
name = "logistic"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.7
[players]
count = 20
{calendar}
[horizon]
days = 7
attempts_per_player = 10
"""


def read(calendar):
    return parse(TEXT.format(calendar=calendar).encode(), "test.toml", Catalog())


def test_a_scenario_gives_hours_and_weekdays():
    scenario = read(f"[players.calendar]\nhours = {EVENINGS}\nweekdays = {WEEKENDS}")
    assert setup_of(scenario, Catalog()).week == pytest.approx(WEEK)
    again = parse(scenario.resolved_toml().encode(), "again.toml", Catalog())
    assert again.digest == scenario.digest != read("").digest
    assert len(setup_of(read(""), Catalog()).week) == 0
    assert "calendar" not in read("").resolved_toml()


@pytest.mark.parametrize(
    ("calendar", "sentence"),
    [
        ("hours = [1, 2]", "players.calendar.hours"),
        (f"hours = {[0] * HOURS}", "players.calendar.hours: must have a weight above 0"),
        (f"weekdays = {[-1] * DAYS}", "players.calendar.weekdays"),
    ],
)
def test_wrong_calendars_are_refused(calendar, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        read(f"[players.calendar]\n{calendar}")
