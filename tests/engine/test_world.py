"""The world: who plays when, what ends a session and a run, and what a player's rows say of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.arithmetic import logistic
from engine.game import WON
from engine.players import ATTEMPT_LIMIT, FINISHED, HORIZON, PLAYER, QUIT, SESSION_END, Distribution, Flow
from engine.world import Chunk, chunks, simulate
from games.gap_runner import GAME as GAP_RUNNER
from tests.kit.worlds import DAY_S, FAITHFUL, STEADY, everybody, of_player, played, setup_of

ERRORS = 4.0  # standard errors
FOR_EVER = 1e12
SKILFUL = {**FAITHFUL, "skill": Distribution("fixed", 6.0)}


def fixed(**traits):
    return {name: Distribution("fixed", value) for name, value in traits.items()}


# --- Arrivals


def test_a_launch_wave_is_spread_over_its_window():
    setup = setup_of(counts=(4000,), attempts_per_player=1, window_s=DAY_S)
    found = played(setup)
    share = found.arrivals / DAY_S
    assert 0.0 <= share.min() < 0.01 < 0.99 < share.max() < 1.0
    assert abs(share.mean() - 0.5) <= ERRORS / math.sqrt(12 * 4000)
    np.testing.assert_array_equal(found.rows["start_s"], found.arrivals)


def test_arrivals_at_a_rate_have_its_mean_gap():
    setup = setup_of(counts=(4000,), attempts_per_player=1, gaps_s=(600.0,), horizon_s=FOR_EVER)
    gaps = np.diff(played(setup).arrivals, prepend=0.0)
    assert gaps.min() >= 0.0
    assert abs(gaps.mean() - 600.0) <= ERRORS * 600.0 / math.sqrt(4000)


def test_each_cohort_arrives_at_a_rate_of_its_own():
    setup = setup_of(cohorts=({}, {}), counts=(500, 500), attempts_per_player=1, gaps_s=(60.0, 600.0))
    first, second = np.split(played(setup).arrivals, 2)
    assert 5.0 < second[-1] / first[-1] < 20.0


@pytest.mark.parametrize("gap_s", [0.0, 900.0])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_more_players_and_more_cohorts_move_nobody(gap_s, one_by_one):
    few = played(setup_of(counts=(5,), gaps_s=(gap_s,)), one_by_one=one_by_one)
    more = setup_of(cohorts=({}, SKILFUL), counts=(9, 4), gaps_s=(gap_s, gap_s))
    many = played(more, one_by_one=one_by_one)
    assert many.rows[many.rows["player"] < 5].tobytes() == few.rows.tobytes()
    assert len(set(many.rows["player"])) == 13


def test_who_comes_after_the_horizon_never_plays():
    setup = setup_of(counts=(50,), gaps_s=(DAY_S,), horizon_s=20.0 * DAY_S)
    found = played(setup)
    late = found.arrivals >= setup.horizon_s
    assert 0 < late.sum() < 50
    assert set(found.rows["player"]) == set(found.players["player"][~late])
    assert set(found.players["left"][late]) == {HORIZON}
    assert set(found.players["attempts"][late]) == {0}


# --- Sessions


def test_places_count_a_session_through_and_sessions_count_up():
    found = played(setup_of(counts=(40,)))
    for player in found.players["player"]:
        rows = of_player(found.rows, player)
        assert rows["attempt"].tolist() == list(range(len(rows)))
        opens = rows["place"] == 0
        assert rows["session"].tolist() == (np.cumsum(opens) - 1).tolist()
        assert (np.diff(rows["place"])[~opens[1:]] == 1).all()
        assert (rows["start_s"][1:] >= (rows["start_s"] + rows["duration_s"])[:-1]).all()


def test_the_table_of_sessions_is_what_the_rows_say():
    found = played(setup_of(counts=(40,)))
    ended_by = set()
    for session in found.sessions:
        rows = of_player(found.rows, session["player"])
        mine = rows[rows["session"] == session["session"]]
        assert session["attempts"] == len(mine)
        assert session["wins"] == (mine["outcome"] == WON).sum()
        assert session["start_s"] == mine["start_s"][0]
        assert session["end_s"] == mine["start_s"][-1] + mine["duration_s"][-1]
        if session["session"] < rows["session"].max():
            assert session["ended_by"] == SESSION_END
        ended_by.add(int(session["ended_by"]))
    assert found.sessions["attempts"].sum() == len(found.rows)
    assert {SESSION_END, QUIT} <= ended_by


def test_sessions_have_the_length_of_their_chance_to_end():
    chance = 0.1
    setup = setup_of(
        cohorts=(FAITHFUL,), counts=(200,), flow=Flow(end_base=math.log(chance / (1 - chance)), end_place=0.0),
        attempts_per_player=100, horizon_s=FOR_EVER,
    )  # fmt: skip
    found = played(setup)
    ended = found.sessions[found.sessions["ended_by"] == SESSION_END]
    error = math.sqrt(chance * (1 - chance) / len(found.rows))
    assert len(found.rows) == 20_000
    assert abs(len(ended) / len(found.rows) - chance) <= ERRORS * error


def test_everybody_goes_at_the_limit_of_attempts():
    found = played(setup_of(cohorts=(FAITHFUL,), counts=(10,), attempts_per_player=17, horizon_s=FOR_EVER))
    assert set(found.players["attempts"]) == {17}
    assert set(found.players["left"]) == {ATTEMPT_LIMIT}
    assert set(found.sessions["ended_by"]) <= {SESSION_END, ATTEMPT_LIMIT}


def test_nobody_starts_an_attempt_after_the_horizon():
    setup = setup_of(cohorts=(FAITHFUL,), counts=(30,), horizon_s=2.0 * DAY_S, attempts_per_player=10_000)
    found = played(setup)
    assert (found.rows["start_s"] < setup.horizon_s).all()
    assert set(found.players["left"]) == {HORIZON}
    assert (found.players["clock_s"] >= setup.horizon_s).all()


@pytest.mark.parametrize(("frailty", "left", "attempts"), [(40.0, QUIT, {1}), (-40.0, ATTEMPT_LIMIT, {30})])
def test_frailty_decides_whether_players_stay(frailty, left, attempts):
    traits = fixed(quit_frailty=frailty, session_frailty=0.0)
    found = played(setup_of(cohorts=(traits,), counts=(10,), horizon_s=FOR_EVER))
    assert set(found.players["left"]) == {left}
    assert set(found.players["attempts"]) == attempts


def test_players_quit_with_the_chance_of_their_frailty():
    traits = fixed(quit_frailty=-3.0, session_frailty=0.0)
    flow = Flow(quit_streak=0.0, quit_frustration=0.0, quit_won=0.0)
    found = played(setup_of(cohorts=(traits,), counts=(3000,), flow=flow, attempts_per_player=20, horizon_s=FOR_EVER))
    expected = logistic(-3.0)
    error = math.sqrt(expected * (1.0 - expected) / len(found.rows))
    share = (found.players["left"] == QUIT).sum() / len(found.rows)
    assert abs(share - expected) <= ERRORS * error


def test_a_patient_player_returns_earlier_with_a_smaller_return_scale():
    ends = Flow(end_base=40.0)  # every attempt is a session
    starts = [
        played(setup_of(cohorts=({**FAITHFUL, **fixed(return_scale=scale)},), counts=(20,), flow=ends)).rows["start_s"]
        for scale in (0.1, 1.0)
    ]
    assert np.median(starts[0]) < np.median(starts[1])


# --- Campaigns


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_campaign_repeats_a_level_until_it_is_passed(one_by_one):
    found = played(setup_of(cohorts=(FAITHFUL,), counts=(20,), levels=17, horizon_s=FOR_EVER), one_by_one=one_by_one)
    assert set(found.players["left"]) == {FINISHED, ATTEMPT_LIMIT}
    for player in found.players:
        rows = of_player(found.rows, player["player"])
        assert rows["level"][0] == 1
        assert np.diff(rows["level"]).tolist() == (rows["outcome"] == WON)[:-1].astype(int).tolist()
        assert player["level"] == rows["level"][-1] + (rows["outcome"][-1] == WON)
        assert (player["left"] == FINISHED) == (player["level"] == 18)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_each_cohort_and_level_has_its_target(one_by_one):
    targets = [[0.9, 0.8, 0.7], [0.6, 0.5, 0.4]]
    found = played(setup_of(cohorts=({}, {}), counts=(9, 9), levels=3, targets=targets), one_by_one=one_by_one)
    wanted = np.array(targets)[found.rows["cohort"], found.rows["level"] - 1]
    assert set(wanted) == {0.9, 0.8, 0.7, 0.6, 0.5, 0.4}
    np.testing.assert_array_equal(found.rows["target"], wanted)


def test_an_endless_stream_has_no_levels():
    found = played(setup_of())
    assert set(found.rows["level"]) == {0} == set(found.players["level"])


# --- Rows


def test_a_row_holds_the_condition_before_its_attempt():
    traits = {**FAITHFUL, **fixed(skill=0.5, learning=0.2, fatigue=0.1)}
    rows = played(setup_of(cohorts=(traits,), counts=(20,))).rows
    expected = 0.5 + 0.2 * np.log1p(rows["attempt"]) - 0.1 * np.log1p(rows["place"])
    np.testing.assert_allclose(rows["skill"], expected, rtol=1e-12)
    for player in set(rows["player"]):
        mine = of_player(rows, player)
        lost_before = 0
        for row in mine:
            assert row["streak"] == lost_before
            lost_before = 0 if row["outcome"] == WON else lost_before + 1


def test_a_dial_moves_all_knobs_and_held_ones_stay():
    space = type(GAP_RUNNER.space)(*GAP_RUNNER.space, held={"hearts": 3, "hazards": "gaps"})
    found = played(setup_of(GAP_RUNNER, counts=(4,), space=space, attempts_per_player=5))
    for row in found.rows:
        np.testing.assert_array_equal(row["params"], space.real([row["difficulty"]] * 7))
        assert tuple(row["params"][5:]) == (3.0, 0.0)


def test_replicas_are_other_worlds_and_do_not_disturb_each_other():
    one, two = played(setup_of()), played(setup_of(replicas=2))
    first, second = two.rows[two.rows["replica"] == 0], two.rows[two.rows["replica"] == 1]
    assert first.tobytes() == one.rows.tobytes()
    assert set(first["player"]) == set(second["player"])
    assert not set(first["state_hash"]) & set(second["state_hash"])


def test_another_seed_is_another_world():
    one, other = played(setup_of()), played(setup_of(seed=2))
    assert not set(one.rows["state_hash"]) & set(other.rows["state_hash"])
    assert not set(one.arrivals) & set(other.arrivals)


def test_the_names_of_cohorts_change_no_row():
    setup = setup_of(cohorts=({}, SKILFUL), counts=(4, 4))
    assert played(replace(setup, cohorts=("zebras", "ants"))).rows.tobytes() == played(setup).rows.tobytes()


# --- Chunks


def test_chunks_cover_every_player_once_in_order():
    setup = setup_of(cohorts=({}, {}, {}), counts=(1000, 0, 77), replicas=2, attempts_per_player=1000)
    plan = chunks(setup)
    assert [chunk.number for chunk in plan] == list(range(len(plan)))
    covered = [
        (chunk.replica, chunk.cohort, place) for chunk in plan for place in range(chunk.first, chunk.first + chunk.size)
    ]
    assert covered == [(r, c, n) for r in range(2) for c in range(3) for n in range(setup.counts[c])]


@pytest.mark.parametrize(("scope", "expected"), [("cohort", 2), ("everyone", 1)])
def test_what_shares_a_controller_is_one_chunk(scope, expected):
    setup = setup_of(kind=CONSTANT, cohorts=({}, {}), counts=(900, 900), scope=scope, attempts_per_player=1000)
    assert len(chunks(setup)) == expected


def test_a_chunk_without_players_leaves_nothing():
    found = simulate(setup_of(), Chunk(0, 0, 0, 0, 0))
    assert [len(table) for table in found.tables] == [0, 0, 0, 0]
    assert found.players.dtype == PLAYER


def test_rows_are_sorted_by_player_and_attempt():
    setup = setup_of(counts=(60,))
    rows = simulate(setup, everybody(setup)).rows
    order = np.lexsort((rows["attempt"], rows["player"]))
    assert order.tolist() == list(range(len(rows)))
    assert not (np.diff(rows["start_s"]) >= 0).all()  # they were not played in this order


def test_a_condition_that_never_changes_leaves_skill_alone():
    rows = played(setup_of(cohorts=({**STEADY, **fixed(skill=0.25)},), counts=(5,))).rows
    assert set(rows["skill"]) == {0.25}
