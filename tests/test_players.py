"""Synthetic players: the spread of their traits, the mapping from skill, and what an attempt does to them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from engine import players
from engine.game import LOST, TIMED_OUT, WON
from engine.kernel import compiled
from engine.players import (
    ATTEMPT_LIMIT,
    DAY_S,
    DEFAULT_TRAITS,
    FINISHED,
    HORIZON,
    PLAYER,
    PLAYING,
    QUIT,
    SESSION_END,
    TRAIT_NAMES,
    Distribution,
    Flow,
    after_attempt,
    arrivals,
    be_born,
    come_back,
    distribution_table,
    faculties_of,
    skill_now,
)

CROWD = 20_000
ERRORS = 4.0  # standard errors
SEED = 60
NEVER = -40.0  # a logit


def born(table, count, seed=SEED, replica=0, first=0):
    crowd = np.zeros(count, PLAYER)
    _fill(crowd, table, seed, replica, first)
    return crowd


def fill(crowd, table, seed, replica, first):
    for i in range(len(crowd)):
        be_born(crowd[i], first + i, 0, table, seed, replica, 0, 0.85)


_fill = compiled(fill)


def one(level=0, **traits):
    """A single player: median in everything but these traits, who neither quits nor ends a session."""
    calm = {
        "quit_frailty": NEVER,
        "session_frailty": NEVER,
        "skill": 0.0,
        "speed": 1.0,
        "learning": 0.0,
        "fatigue": 0.0,
        "return_scale": 1.0,
    }
    fixed = {name: Distribution("fixed", value) for name, value in {**calm, **traits}.items()}
    player = np.zeros(1, PLAYER)[0]
    be_born(player, 0, 0, distribution_table(fixed), SEED, 0, level, 0.85)
    return player


def play_on(player, outcome, *, flow=None, levels=0, limit=1000, horizon_s=1e9, duration_s=30.0):
    after_attempt(player, outcome, duration_s, flow or Flow(), SEED, 0, levels, limit, horizon_s)
    return int(player["left"])


# --- Traits


@pytest.mark.parametrize(
    ("distribution", "mean", "sd"),
    [
        (Distribution("normal", 0.5, 0.9), 0.5, 0.9),
        (Distribution("uniform", -1.0, 2.0), 0.5, 3.0 / math.sqrt(12.0)),
        (
            Distribution("lognormal", 2.0, 0.5),
            2.0 * math.exp(0.125),
            2.0 * math.exp(0.125) * math.sqrt(math.expm1(0.25)),
        ),
        (Distribution("fixed", 1.25), 1.25, 0.0),
    ],
    ids=lambda value: value.kind if isinstance(value, Distribution) else "",
)
def test_traits_have_the_mean_and_spread_of_their_distribution(distribution, mean, sd):
    skill = born(distribution_table({"skill": distribution}), CROWD)["skill"]
    assert abs(skill.mean() - mean) <= ERRORS * sd / math.sqrt(CROWD)
    kurtosis = ((skill - mean) ** 4).mean() / sd**4 if sd else 3.0
    assert abs(skill.var() - sd**2) <= ERRORS * sd**2 * math.sqrt((kurtosis - 1.0) / CROWD) + 1e-12


def test_draws_stay_within_bounds():
    table = distribution_table({"skill": Distribution("normal", 0.5, 0.15, 0.3, 0.6)})
    skill = born(table, 2000)["skill"]
    assert (skill.min(), skill.max()) == (0.3, 0.6)
    speed = born(distribution_table({"speed": Distribution("normal", 1.0, 50.0)}), 2000)["speed"]
    assert (speed.min(), speed.max()) == (0.1, 10.0)


def test_every_trait_has_a_default_or_is_left_to_the_mapping():
    crowd = born(distribution_table({}), 50)
    for name in TRAIT_NAMES:
        assert np.isnan(crowd[name]).all() == (name in players.OVERRIDES)
        assert (name in DEFAULT_TRAITS) != (name in players.OVERRIDES)


def test_traits_of_a_player_are_independent_of_each_other():
    crowd = born(distribution_table({}), CROWD)
    varied = [name for name in TRAIT_NAMES if name not in players.OVERRIDES and np.ptp(crowd[name]) > 0.0]
    assert len(varied) >= 5
    for i, a in enumerate(varied):
        for b in varied[:i]:
            assert abs(np.corrcoef(crowd[a], crowd[b])[0, 1]) < ERRORS / math.sqrt(CROWD)


def test_more_players_shift_nobody_and_replicas_differ():
    table = distribution_table({})
    few, many, other = born(table, 5), born(table, 50), born(table, 5, replica=1)
    assert (few["skill"] == many["skill"][:5]).all()
    assert (few["skill"] != other["skill"]).all()


def test_compiled_birth_equals_plain():
    table = distribution_table(
        {"slope": Distribution("lognormal", 8.0, 0.4), "slip": Distribution("uniform", 0.0, 0.2)}
    )
    plain = np.zeros(200, PLAYER)
    fill(plain, table, SEED, 2, 7)
    assert plain.tobytes() == born(table, 200, replica=2, first=7).tobytes()


# --- From skill to faculties


def test_more_skill_is_quicker_surer_and_sees_further():
    steps = [faculties_of(one(skill=skill)) for skill in np.linspace(-4.0, 4.0, 33)]
    for less, more in itertools.pairwise(steps):
        assert more.skill > less.skill
        assert more.reaction_s < less.reaction_s
        assert more.reaction_sd_s < less.reaction_sd_s
        assert more.reaction_tail_s < less.reaction_tail_s
        assert more.slip < less.slip
        assert more.lapse < less.lapse
        assert more.foresight > less.foresight


def test_the_median_player_has_the_documented_faculties():
    median = faculties_of(one())
    assert median[:5] == pytest.approx((0.0, 1.0, 0.3, 0.04, 0.1))
    assert (median.slip, median.lapse, median.foresight) == pytest.approx((0.0392, 0.0198, 1.0), abs=5e-4)


def test_overrides_replace_the_mapping_and_nothing_else():
    plain, persona = faculties_of(one(skill=1.0)), faculties_of(one(skill=1.0, reaction_s=0.5, slip=0.3, lapse=0.0))
    assert (persona.reaction_s, persona.slip, persona.lapse) == (0.5, 0.3, 0.0)
    assert (persona.foresight, persona.reaction_tail_s) == (plain.foresight, plain.reaction_tail_s)


def test_practice_helps_and_a_long_session_tires():
    player = one(skill=0.5, learning=0.2, fatigue=0.1)
    assert skill_now(player) == 0.5
    player["attempts"], player["place"] = 10, 3
    assert skill_now(player) == pytest.approx(0.5 + 0.2 * math.log(11.0) - 0.1 * math.log(4.0))


def test_compiled_faculties_equal_plain():
    crowd = born(distribution_table({}), 300)
    kernel = compiled(faculties_of)
    for player in crowd:
        assert [x.hex() for x in kernel(player)] == [float(x).hex() for x in faculties_of(player)]


# --- After an attempt


def test_a_win_and_a_loss_change_the_condition():
    player = one()
    assert play_on(player, LOST) == PLAYING
    assert (player["attempts"], player["place"], player["streak"], player["last"]) == (1, 1, 1, 0.0)
    assert player["mood"] == pytest.approx(0.85 * 0.5**0.2)
    assert player["clock_s"] > 30.0
    assert play_on(player, TIMED_OUT) == PLAYING
    assert player["streak"] == 2
    assert play_on(player, WON) == PLAYING
    assert (player["attempts"], player["streak"], player["last"]) == (3, 0, 1.0)


def test_the_limit_the_horizon_and_the_last_level_end_it():
    assert play_on(one(), WON, limit=1) == ATTEMPT_LIMIT
    assert play_on(one(), WON, horizon_s=20.0) == HORIZON
    assert play_on(one(), LOST, horizon_s=30.5, flow=Flow(pause_s=60.0, pause_log_sd=0.0)) == HORIZON
    assert play_on(one(level=2), WON, levels=2) == FINISHED
    assert play_on(one(level=2), LOST, levels=2) == PLAYING


def test_a_level_is_repeated_until_it_is_passed():
    player = one(level=1)
    for outcome, level in ((LOST, 1), (LOST, 1), (WON, 2), (LOST, 2), (WON, 3)):
        play_on(player, outcome, levels=5)
        assert player["level"] == level


@pytest.mark.parametrize(("trait", "left"), [("quit_frailty", QUIT), ("session_frailty", SESSION_END)])
def test_frailty_makes_players_leave(trait, left):
    assert play_on(one(**{trait: 20.0}), LOST) == left


def leavers(outcome, left, count=4000, flow=None, **traits):
    """How many of so many players leave in this way after one attempt."""
    found = 0
    fresh = one(**traits)
    for number in range(count):
        player = fresh.copy()
        player["player"] = number
        found += play_on(player, outcome, flow=flow) == left
    return found


@pytest.mark.parametrize(("trait", "left"), [("quit_frailty", QUIT), ("session_frailty", SESSION_END)])
def test_players_leave_with_the_documented_probability(trait, left):
    flow = Flow(end_base=0.0, end_place=0.0, quit_streak=0.0, quit_frustration=0.0)
    expected = 1.0 / (1.0 + math.exp(1.0))
    share = leavers(LOST, left, flow=flow, **{trait: -1.0}) / 4000
    assert abs(share - expected) < ERRORS * math.sqrt(expected * (1.0 - expected) / 4000)


def test_losing_drives_away_and_boredom_only_if_asked_for():
    sad = {"quit_frailty": -2.0}
    assert leavers(LOST, QUIT, **sad) > leavers(WON, QUIT, **sad)
    bored = Flow(quit_boredom=20.0)
    assert leavers(WON, QUIT, flow=bored, **sad) > leavers(WON, QUIT, **sad)


def test_players_come_back_after_hours_a_day_or_days():
    flow = Flow(return_log_sd=0.0, daily_sd_s=0.0, same_day_share=0.5, daily_share=0.3)
    away = []
    fresh = one()
    for session in range(4000):
        player = fresh.copy()
        player["session"], player["place"] = session, 9
        come_back(player, flow, SEED, 0, 1e9)
        assert (player["session"], player["place"], player["left"]) == (session + 1, 0, PLAYING)
        away.append(float(player["clock_s"]))
    for wanted, share in ((flow.same_day_s, 0.5), (DAY_S, 0.3), (flow.later_s, 0.2)):
        counted = sum(abs(time - wanted) < 1.0 for time in away) / 4000
        assert abs(counted - share) < ERRORS * math.sqrt(share * (1.0 - share) / 4000)


def test_a_return_after_the_horizon_does_not_happen():
    player = one()
    come_back(player, Flow(), SEED, 0, 1.0)
    assert player["left"] == HORIZON


def test_arrivals_come_at_their_rate_and_move_nobody():
    times, fewer = np.zeros(4000), np.zeros(10)
    arrivals(4000, 0, SEED, 0, 60.0, 0.0, times)
    arrivals(10, 0, SEED, 0, 60.0, 0.0, fewer)
    gaps = np.diff(times, prepend=0.0)
    assert (gaps > 0.0).all()
    assert abs(gaps.mean() - 60.0) < ERRORS * 60.0 / math.sqrt(4000)
    assert (fewer == times[:10]).all()


def test_a_launch_wave_is_uniform():
    times = np.zeros(4000)
    arrivals(4000, 0, SEED, 0, 0.0, 100.0, times)
    assert (times.min() >= 0.0) & (times.max() < 100.0)
    assert abs(times.mean() - 50.0) < ERRORS * 100.0 / math.sqrt(12.0 * 4000)


def test_compiled_condition_equals_plain():
    kernel, back = compiled(after_attempt), compiled(come_back)
    flow = Flow()
    fast, slow = born(distribution_table({}), 100), born(distribution_table({}), 100)
    for number, (a, b) in enumerate(zip(fast, slow, strict=True)):
        for attempt in range(8):
            arguments = (WON if (number + attempt) % 3 else LOST, 20.0 + attempt, flow, SEED, 0, 0, 1000, 1e9)
            kernel(a, *arguments)
            after_attempt(b, *arguments)
            back(a, flow, SEED, 0, 1e9)
            come_back(b, flow, SEED, 0, 1e9)
    assert fast.tobytes() == slow.tobytes()
