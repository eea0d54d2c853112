"""One text of the rules, many ways to run it: all give the same bits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.batch import Crowd, batch_rows
from engine.world import simulate
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from tests.kit.places import ROOT
from tests.kit.twin_digests import BATCHES, PERSONA, WORLDS, digests
from tests.kit.worlds import FAITHFUL, STEADY, everybody, played, setup_of

NAMES = (*WORLDS, *BATCHES)


def digests_elsewhere(names, **environment):
    """What another process finds, with other variables of the environment."""
    command = [sys.executable, "-W", "error", "-m", "tests.kit.twin_digests", *names]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", WORLDS)
def test_one_event_per_session_and_one_per_attempt_give_the_same_rows(name):
    by_session, by_attempt = played(WORLDS[name]), played(WORLDS[name], one_by_one=True)
    for field in by_session.rows.dtype.names or ():
        np.testing.assert_array_equal(by_session.rows[field], by_attempt.rows[field], err_msg=field)
    for table, other in zip(by_session.tables, by_attempt.tables, strict=True):
        assert table.tobytes() == other.tobytes()


def test_the_twins_meet_wins_losses_and_every_way_to_go():
    rows = np.concatenate([played(setup).rows[["outcome", "clipped", "session"]] for setup in WORLDS.values()])
    assert set(rows["outcome"]) == {1, 2}
    assert rows["session"].max() > 2
    assert {left for setup in WORLDS.values() for left in played(setup).players["left"]} >= {2, 3, 5}


def test_compiled_and_plain_python_give_the_same_bits():
    assert digests_elsewhere(NAMES, NUMBA_DISABLE_JIT="1") == digests(NAMES)


def test_another_hash_seed_time_zone_and_locale_give_the_same_bits():
    found = digests_elsewhere(NAMES, PYTHONHASHSEED="4711", TZ="Asia/Kathmandu", LC_ALL="tr_TR.UTF-8")
    assert found == digests(NAMES)


@pytest.mark.slow
def test_kernels_that_check_their_bounds_give_the_same_bits(tmp_path):
    found = digests_elsewhere(NAMES, NUMBA_BOUNDSCHECK="1", FLOWDIAL_CACHE_DIR=str(tmp_path))
    assert found == digests(NAMES)


@pytest.mark.slow
def test_kernels_for_any_processor_give_the_same_bits(tmp_path):
    found = digests_elsewhere(NAMES, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", FLOWDIAL_CACHE_DIR=str(tmp_path))
    assert found == digests(NAMES)


@pytest.mark.parametrize(("game", "players", "attempts"), [(LOGISTIC, 20, 30), (GAP_RUNNER, 6, 5)])
def test_a_batch_and_a_world_give_the_same_attempts(game, players, attempts):
    traits = {**PERSONA, **STEADY}  # a condition that stays as it is
    setup = setup_of(game, CONSTANT, cohorts=(traits,), counts=(players,), attempts_per_player=attempts, window_s=0.0)
    rows = played(setup).rows
    values = np.array([setup.space.real([setup.options.difficulty] * len(setup.space))])
    batch = batch_rows(game, values, Crowd(setup.traits[0], players, attempts), setup.seed)[0]
    assert len(rows) > players
    for row in rows:
        twin = batch[row["player"], row["attempt"]]
        assert tuple(row["params"]) == tuple(values[0])
        for field in ("player", "attempt", "outcome", "progress", "cause", "ticks", "duration_s", "state_hash"):
            assert row[field] == twin[field], field


@pytest.mark.parametrize("game", [LOGISTIC, GAP_RUNNER])
def test_a_first_attempt_is_the_same_in_batch_and_world_whatever_a_player_learns(game):
    setup = setup_of(game, CONSTANT, cohorts=({}, PERSONA), counts=(0, 5), attempts_per_player=1)
    rows = played(setup).rows
    values = np.array([setup.space.real([0.5] * len(setup.space))])
    batch = batch_rows(game, values, Crowd(setup.traits[1], 5, cohort=1), setup.seed)
    assert (rows["state_hash"] == batch[0, :, 0]["state_hash"]).all()


def test_how_a_run_is_cut_changes_no_row():
    # As one chunk it has more rows than room is made for at first.
    setup = setup_of(cohorts=(FAITHFUL,), counts=(700,), attempts_per_player=200, horizon_s=1e9)
    edges = (0, 1, 650, 700)
    cuts = [everybody(setup)._replace(first=first, size=end - first) for first, end in pairwise(edges)]
    in_chunks, in_one = played(setup), simulate(setup, everybody(setup))
    in_three = zip(*(simulate(setup, cut).tables for cut in cuts), strict=True)
    assert len(in_one.rows) == 140_000
    for table, other, parts in zip(in_chunks.tables, in_one.tables, in_three, strict=True):
        assert table.tobytes() == other.tobytes() == np.concatenate(parts).tobytes()
