"""The true chance of winning: its closed form against the formula, and against what was won."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.adaptive.kalman import CONTROLLER as KALMAN
from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.contract.ladder import LADDER
from engine.game import WON
from engine.parameters import to_real
from engine.players import Distribution, Flow
from engine.response.win_probability import closed_form
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from tests.engine.test_oracle import UNIT, true_p
from tests.kit.worlds import FAITHFUL, played, setup_of

ERRORS = 4.0  # standard errors
# Everything that changes skill, at once.
RESTLESS = {
    **FAITHFUL,
    "skill": Distribution("normal", 0.5, 0.15),
    "slope": Distribution("lognormal", 8.0, 0.4),
    "lapse": Distribution("uniform", 0.02, 0.2),
    "fatigue": Distribution("fixed", 0.0),
    "learning": Distribution("fixed", 0.0),
    "practice_gain": Distribution("uniform", 0.05, 0.2),
    "practice_attempts": Distribution("loguniform", 5.0, 40.0),
    "tiring": Distribution("uniform", 0.1, 0.3),
    "jump": Distribution("fixed", 0.2),
    "jump_attempt": Distribution("uniform", 10.0, 40.0),
    "tilt": Distribution("uniform", 0.2, 0.8),
    "lowest_skill": Distribution("fixed", 0.08),
    "highest_skill": Distribution("fixed", 0.95),
    "bend_a": Distribution("lognormal", 1.0, 0.5),
    "bend_b": Distribution("lognormal", 1.0, 0.5),
}


def restless(kind=KALMAN, **changes):
    return setup_of(
        LOGISTIC, kind, space=UNIT, **{"cohorts": (RESTLESS,), "counts": (800,), "attempts_per_player": 50, **changes}
    )


def within_errors(won, p):
    """Whether wins, overall and by tenths of chance, are as many as they should be."""
    for low in (-1.0, *np.arange(0.0, 1.0, 0.1)):
        mine = np.full(len(p), True) if low < 0.0 else (p >= low) & (p < low + 0.1)
        if mine.sum() > 100:
            error = math.sqrt((p * (1.0 - p))[mine].sum())
            assert abs((won - p)[mine].sum()) <= ERRORS * error


@pytest.mark.parametrize("kind", [CONSTANT, KALMAN], ids=lambda kind: kind.name)
def test_attempts_are_won_as_often_as_the_truth_says(kind):
    rows = played(restless(kind)).rows
    p = closed_form(LOGISTIC, rows)
    assert p.shape == rows.shape
    assert p == pytest.approx(true_p(rows), rel=1e-12)
    within_errors(rows["outcome"] == WON, p)


def test_tilt_shows_in_the_truth_and_in_what_is_won():
    rows = played(restless(CONSTANT)).rows
    p, won = closed_form(LOGISTIC, rows), rows["outcome"] == WON
    after = np.flatnonzero(rows["attempt"] > 0)
    for last in (True, False):
        mine = after[won[after - 1] == last]
        error = math.sqrt((p * (1.0 - p))[mine].sum())
        assert abs((won - p)[mine].sum()) <= ERRORS * error
    assert p[after[won[after - 1]]].mean() > p[after[~won[after - 1]]].mean() + 0.05


@pytest.mark.thorough
def test_the_truth_of_a_game_with_knobs_of_every_kind():
    traits = {**FAITHFUL, "skill": Distribution("normal", 0.5, 0.2), "slope": Distribution("fixed", 8.0)}
    rows = played(setup_of(LADDER, KALMAN, cohorts=(traits,), counts=(400,), attempts_per_player=50)).rows
    within_errors(rows["outcome"] == WON, closed_form(LADDER, rows))


def test_attempts_thrown_are_won_by_guessing_only():
    fixed = {"skill": 1.0, "slope": 8.0, "quit_frailty": -40.0, "session_frailty": -40.0, "thrown": 5.0}
    persona = {name: Distribution("fixed", value) for name, value in fixed.items()}
    rows = played(
        restless(CONSTANT, cohorts=(persona,), counts=(200,), attempts_per_player=40, flow=Flow(session_attempts=20.0))
    ).rows
    p = closed_form(LOGISTIC, rows)
    thrown = rows["place"] < 5
    assert thrown.mean() == 0.25
    assert p[thrown].max() <= 0.02
    assert p[~thrown].min() > 0.5
    within_errors(rows["outcome"] == WON, p)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_rows_tell_the_dial_and_the_params_where_it_acted(one_by_one):
    setup = restless(counts=(40,))
    found = played(setup, one_by_one=one_by_one)
    rows, players = found.rows, {int(player["player"]): player for player in found.players}
    table = setup.space.table()
    bends = np.array([[players[int(number)][name] for name in ("bend_a", "bend_b")] for number in rows["player"]])
    acts_at = 1.0 - (1.0 - rows["difficulty"] ** bends[:, 0]) ** bends[:, 1]
    assert np.abs(acts_at - rows["difficulty"]).max() > 0.05
    assert rows["params"][:, 0] == pytest.approx([to_real(table, 0, float(u)) for u in acts_at], rel=1e-9)


def test_both_paths_through_the_engine_give_the_same_rows_whatever_changes_skill():
    setup = restless(counts=(40,), flow=Flow(session_attempts=7.0))
    assert played(setup).rows.tobytes() == played(setup, one_by_one=True).rows.tobytes()


def test_a_game_without_a_closed_form_is_refused():
    rows = played(setup_of(GAP_RUNNER, CONSTANT, counts=(1,), attempts_per_player=2)).rows
    with pytest.raises(ValueError, match="only a game with a closed form has a known win probability, but gap_ru"):
        closed_form(GAP_RUNNER, rows)
