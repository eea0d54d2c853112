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
    COHORT_STRIDE,
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
    felt_difficulty,
    skill_now,
)
from engine.presence.week import ALWAYS_ALIKE, week_of

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
            Distribution("loguniform", 0.5, 8.0),
            7.5 / math.log(16.0),
            math.sqrt((64.0 - 0.25) / (2.0 * math.log(16.0)) - (7.5 / math.log(16.0)) ** 2),
        ),
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


def test_loguniform_is_uniform_in_the_logarithm():
    pace = born(distribution_table({"practice_attempts": Distribution("loguniform", 5.0, 40.0)}), CROWD)
    places = np.sort(np.log(pace["practice_attempts"] / 5.0) / math.log(8.0))
    assert (places[0] >= 0.0) & (places[-1] <= 1.0)
    # Kolmogorov and Smirnov: a distance above 2.2 / sqrt(n) has probability 1.2e-4
    assert np.abs(places - (np.arange(CROWD) + 0.5) / CROWD).max() < 2.2 / math.sqrt(CROWD)


@pytest.mark.parametrize(("kind", "middle"), [("normal", 0.5), ("lognormal", 1.0)])
def test_a_common_draw_moves_a_cohort_as_a_whole(kind, middle):
    common = 0.3
    table, alone = (distribution_table({"skill": Distribution(kind, middle, 0.4, common=sd)}) for sd in (common, 0.0))
    moves = []
    for replica in range(400):
        for cohort in (0, 1):
            first = cohort * COHORT_STRIDE
            together, apart = (born(t, 3, replica=replica, first=first)["skill"] for t in (table, alone))
            move = together - apart if kind == "normal" else np.log(together / apart)
            assert move == pytest.approx(np.full(3, move[0]), abs=1e-12)
            moves.append(move[0])
    assert abs(np.mean(moves)) < ERRORS * common / math.sqrt(len(moves))
    assert abs(np.std(moves) - common) < ERRORS * common / math.sqrt(2.0 * len(moves))
    assert abs(np.corrcoef(moves[0::2], moves[1::2])[0, 1]) < ERRORS / math.sqrt(len(moves) / 2.0)


def test_common_draws_of_two_traits_are_independent_and_no_player_s_own():
    shared = Distribution("normal", 0.0, 0.0, common=1.0)
    both = distribution_table({"skill": shared, "jump": shared})
    own = distribution_table({"skill": Distribution("normal", 0.0, 1.0), "jump": Distribution("normal", 0.0, 1.0)})
    common = np.array([[r["skill"], r["jump"]] for replica in range(1000) for r in born(both, 1, replica=replica)])
    mine = np.array([[r["skill"], r["jump"]] for replica in range(1000) for r in born(own, 1, replica=replica)])
    found = np.corrcoef(np.column_stack([common, mine]), rowvar=False) - np.eye(4)
    assert np.abs(found).max() < ERRORS / math.sqrt(1000)


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
    assert persona.foresight == plain.foresight


def test_spread_and_tail_of_a_reaction_go_with_its_mean():
    for mean in (0.0, 0.15, 0.6):
        persona = faculties_of(one(skill=1.0, speed=1.3, reaction_s=mean))
        assert persona[2:5] == pytest.approx((mean, 0.04 / 0.3 * mean, 0.1 / 0.3 * mean))


def test_practice_helps_and_a_long_session_tires():
    player = one(skill=0.5, learning=0.2, fatigue=0.1)
    assert skill_now(player) == 0.5
    player["attempts"], player["place"] = 10, 3
    assert skill_now(player) == pytest.approx(0.5 + 0.2 * math.log(11.0) - 0.1 * math.log(4.0))


def test_practice_is_forgotten_between_sessions_and_tiredness_goes_little_by_little():
    player = one(skill=0.5, learning=0.2, fatigue=0.1, forgetting=0.3, recovery_s=7200.0, session_frailty=40.0)
    before_s = 0.0
    kept, carried = 1.0, 0.0
    for attempts in range(1, 6):
        assert play_on(player, WON) == SESSION_END
        before_s = float(player["clock_s"])
        come_back(player, Flow(), ALWAYS_ALIKE, SEED, 0, 1e12)
        away_s = float(player["clock_s"]) - before_s
        kept *= math.exp(-0.3 * away_s / DAY_S)
        carried = (carried + 1.0) * 2.0 ** (-away_s / 7200.0)
        expected = 0.5 + kept * 0.2 * math.log(1.0 + attempts) - 0.1 * math.log(1.0 + carried)
        assert skill_now(player) == pytest.approx(expected)
    assert 0.0 < kept < 0.9
    calm = one(skill=0.5, learning=0.2, session_frailty=40.0)
    play_on(calm, WON)
    come_back(calm, Flow(), ALWAYS_ALIKE, SEED, 0, 1e12)
    assert (float(calm["forgotten"]), float(calm["carried"])) == (0.0, 0.0)


def changing(count):
    """Players with all that changes skill set at random, in the middle of their sessions."""
    table = distribution_table(
        {
            "slope": Distribution("lognormal", 4.0, 0.4),
            "fatigue": Distribution("uniform", 0.0, 0.2),
            "practice_gain": Distribution("uniform", 0.0, 2.0),
            "practice_attempts": Distribution("loguniform", 5.0, 40.0),
            "tiring": Distribution("uniform", 0.0, 1.0),
            "jump": Distribution("uniform", -1.0, 1.0),
            "jump_attempt": Distribution("uniform", 0.0, 150.0),
            "tilt": Distribution("uniform", -1.0, 1.0),
            "lowest_skill": Distribution("uniform", -1.5, -0.5),
            "highest_skill": Distribution("uniform", 0.5, 2.0),
            "bend_a": Distribution("lognormal", 1.0, 0.5),
            "bend_b": Distribution("lognormal", 1.0, 0.5),
            "thrown": Distribution("uniform", 0.0, 9.0),
        }
    )
    crowd = born(table, count)
    draw = np.random.Generator(np.random.Philox(SEED))
    crowd["attempts"] = draw.integers(0, 200, count)
    crowd["place"] = np.minimum(draw.integers(0, 80, count), crowd["attempts"])
    crowd["last"] = draw.integers(0, 2, count)
    return crowd


def test_skill_follows_its_formula():
    crowd = changing(3000)
    tried, place = crowd["attempts"], crowd["place"]
    skill = crowd["skill"] + crowd["learning"] * np.log1p(tried) - crowd["fatigue"] * np.log1p(place)
    skill += crowd["practice_gain"] * (1.0 - (1.0 + tried / crowd["practice_attempts"]) ** -0.8)
    skill -= crowd["tiring"] * np.minimum(place / 49.0, 1.0)
    skill += np.where(tried >= crowd["jump_attempt"], crowd["jump"], 0.0)
    held = np.clip(skill, crowd["lowest_skill"], crowd["highest_skill"])
    expected = held + crowd["tilt"] / crowd["slope"] * np.where(crowd["last"] == 1.0, 1.0, -1.0)
    assert 100 < (held != skill).sum() < 2900
    assert [skill_now(player) for player in crowd] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_jump_comes_with_its_attempt_and_stays():
    player = one(skill=0.2, jump=0.5, jump_attempt=3.5)
    found = []
    for tried in range(6):
        player["attempts"] = tried
        found.append(skill_now(player))
    assert found == pytest.approx([0.2] * 4 + [0.7] * 2)


def test_tilt_is_in_logits_and_acts_beyond_the_bounds_of_skill():
    player = one(skill=5.0, slope=4.0, tilt=0.8, highest_skill=1.0)
    for last, moved in ((1.0, 0.2), (0.0, -0.2)):
        player["last"] = last
        assert skill_now(player) == pytest.approx(1.0 + moved)


def test_the_dial_bends_as_kumaraswamy_says():
    for player, difficulty in zip(changing(500), np.linspace(0.001, 0.999, 500), strict=True):
        expected = 1.0 - (1.0 - difficulty ** player["bend_a"]) ** player["bend_b"]
        assert felt_difficulty(player, float(difficulty)) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    bent = one(bend_a=2.0, bend_b=0.5)
    along = [felt_difficulty(bent, d / 50.0) for d in range(51)]
    assert (along[0], along[-1]) == (0.0, 1.0)
    assert all(less < more for less, more in itertools.pairwise(along))
    straight = one()
    assert [felt_difficulty(straight, d / 7.0) for d in range(8)] == [d / 7.0 for d in range(8)]


@pytest.mark.parametrize("bend", [(0.01, 100.0), (100.0, 0.01), (100.0, 100.0), (0.01, 0.01)])
def test_the_most_bent_dial_stays_a_dial(bend):
    player = one(bend_a=bend[0], bend_b=bend[1])
    along = [felt_difficulty(player, d / 1000.0) for d in range(1001)]
    assert along == sorted(along)
    assert (along[0], along[-1]) == (0.0, 1.0)


def test_who_throws_attempts_misses_everything_at_the_start_of_each_session():
    player = one(skill=2.0, lapse=0.1, thrown=3)
    for place, lapse in ((0, 1.0), (2, 1.0), (3, 0.1), (0, 1.0)):
        player["attempts"] += 10
        player["place"] = place
        assert faculties_of(player).lapse == lapse


def test_compiled_faculties_equal_plain_whatever_changes_skill():
    kernel, bent = compiled(faculties_of), compiled(felt_difficulty)
    for player, difficulty in zip(changing(300), np.linspace(0.0, 1.0, 300), strict=True):
        assert [x.hex() for x in kernel(player)] == [float(x).hex() for x in faculties_of(player)]
        assert bent(player, difficulty).hex() == felt_difficulty(player, float(difficulty)).hex()


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


@pytest.mark.parametrize(("most", "played"), [(1.0, 1), (3.0, 3), (2.5, 2), (0.5, 1)])
def test_a_session_has_at_most_so_many_attempts(most, played):
    flow = Flow(session_attempts=most)
    player = one()
    for _ in range(2):
        stays = [play_on(player, LOST, flow=flow) for _ in range(played)]
        assert stays == [PLAYING] * (played - 1) + [SESSION_END]
        come_back(player, flow, ALWAYS_ALIKE, SEED, 0, 1e12)
        assert player["place"] == 0
    assert (player["session"], player["attempts"]) == (2, 2 * played)


def test_a_session_without_a_limit_goes_on():
    player = one()
    assert {play_on(player, LOST, flow=Flow(session_attempts=0.0)) for _ in range(200)} == {PLAYING}


def test_who_quits_at_the_last_attempt_of_a_session_is_gone():
    flow = Flow(session_attempts=1.0)
    assert play_on(one(quit_frailty=20.0), LOST, flow=flow) == QUIT
    assert play_on(one(), LOST, flow=flow, limit=1) == ATTEMPT_LIMIT


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
        come_back(player, flow, ALWAYS_ALIKE, SEED, 0, 1e9)
        assert (player["session"], player["place"], player["left"]) == (session + 1, 0, PLAYING)
        away.append(float(player["clock_s"]))
    for wanted, share in ((flow.same_day_s, 0.5), (DAY_S, 0.3), (flow.later_s, 0.2)):
        counted = sum(abs(time - wanted) < 1.0 for time in away) / 4000
        assert abs(counted - share) < ERRORS * math.sqrt(share * (1.0 - share) / 4000)


def test_daily_returns_are_around_the_same_hour_however_patient_the_player():
    flow = Flow(same_day_share=0.0, daily_share=1.0)
    crowd = born(distribution_table({}), 4000)
    hours = []
    for player in crowd:
        come_back(player, flow, ALWAYS_ALIKE, SEED, 0, 1e12)
        days = float(player["clock_s"]) / DAY_S
        hours.append(24.0 * abs(days - round(days)))
        assert round(days) == max(math.floor(float(player["return_scale"]) + 0.5), 1)
    expected = math.erf(3.0 / 2.0 / math.sqrt(2.0))  # within three hours, with a spread of two
    near = sum(hour <= 3.0 for hour in hours) / len(hours)
    assert abs(near - expected) < ERRORS * math.sqrt(expected * (1.0 - expected) / len(hours))


def test_a_return_after_the_horizon_does_not_happen():
    player = one()
    come_back(player, Flow(), ALWAYS_ALIKE, SEED, 0, 1.0)
    assert player["left"] == HORIZON


def test_arrivals_come_at_their_rate_and_move_nobody():
    times, fewer = np.zeros(4000), np.zeros(10)
    arrivals(4000, 0, SEED, 0, 60.0, 0.0, ALWAYS_ALIKE, times)
    arrivals(10, 0, SEED, 0, 60.0, 0.0, ALWAYS_ALIKE, fewer)
    gaps = np.diff(times, prepend=0.0)
    assert (gaps > 0.0).all()
    assert abs(gaps.mean() - 60.0) < ERRORS * 60.0 / math.sqrt(4000)
    assert (fewer == times[:10]).all()


def test_a_launch_wave_is_uniform():
    times = np.zeros(4000)
    arrivals(4000, 0, SEED, 0, 0.0, 100.0, ALWAYS_ALIKE, times)
    assert (times.min() >= 0.0) & (times.max() < 100.0)
    assert abs(times.mean() - 50.0) < ERRORS * 100.0 / math.sqrt(12.0 * 4000)


@pytest.mark.parametrize("week", [ALWAYS_ALIKE, week_of([1.0] * 12 + [3.0] * 12, [1.0] * 5 + [2.0] * 2)])
def test_compiled_condition_equals_plain(week):
    kernel, back = compiled(after_attempt), compiled(come_back)
    flow = Flow()
    fast, slow = born(distribution_table({}), 100), born(distribution_table({}), 100)
    for number, (a, b) in enumerate(zip(fast, slow, strict=True)):
        for attempt in range(8):
            arguments = (WON if (number + attempt) % 3 else LOST, 20.0 + attempt, flow, SEED, 0, 0, 1000, 1e9)
            kernel(a, *arguments)
            after_attempt(b, *arguments)
            back(a, flow, np.array(week), SEED, 0, 1e9)
            come_back(b, flow, week, SEED, 0, 1e9)
    assert fast.tobytes() == slow.tobytes()
