"""The judge: right in the mean whatever the map says, by replays on a game of which only the test knows the answer."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from controllers.adaptive.weighted_up_down import CONTROLLER as UP_DOWN
from engine.players import Distribution
from engine.response.chance_map import chance_map
from engine.response.replays import replay_wins
from sims.arena import true_chances as module
from sims.arena.score import MOST_OFF, card_of, scores_of
from sims.arena.true_chances import ERROR, MAP_ERROR, MOST_TIMES, Judge, judge_of, times_replayed
from tests.kit.laid_out import LAID_OUT, SPACE, true_chances
from tests.kit.worlds import FAITHFUL, played, setup_of

ERRORS = 4.0
SLOPES = {**FAITHFUL, "slope": Distribution("lognormal", 1.2, 0.3), "learning": Distribution("fixed", 0.0)}
PLAYERS = 40


def run(levels=6, **changes):
    return setup_of(
        LAID_OUT, UP_DOWN, cohorts=(SLOPES,), counts=(PLAYERS,), levels=levels, space=SPACE,
        **{"attempts_per_player": 40, **changes},
    )  # fmt: skip


def known(made, attempts=20_000):
    return chance_map(
        made.game, made.space, made.path, made.traits[0], levels=made.levels, seed=made.seed, attempts=attempts
    )


def blind(made):
    """A map that takes all levels for fresh layouts, and all players for mean ones."""
    found = known(made)
    return dataclasses.replace(found, chart=found.chart._replace(terms=np.empty((0, 0))))


@pytest.mark.parametrize("map_of", [known, blind])
@pytest.mark.parametrize("plays", [8.0, 400.0, 2000.0])  # for each player: a few of the rows, half of them, all
def test_sums_of_errors_are_true_whatever_the_map_says(map_of, plays):
    made = run()
    found = played(made)
    truth = true_chances(found.rows, made.seed) - 0.55
    told = Judge((map_of(made),), plays).chances(made, found, found.rows)
    error = told.chance - 0.55
    for estimate, exact in ((error, truth), (error * error - told.doubt, truth * truth)):
        off = estimate - exact
        assert abs(off.sum()) < ERRORS * math.sqrt(float((off**2).sum())) + 1e-9
    if map_of is known and plays == 2000.0:
        assert np.abs(error - truth).mean() < 0.08, "127 replays of each row"


def test_a_score_tells_the_error_of_the_map_and_what_it_cannot_tell():
    made = run()
    found = played(made)
    truth = true_chances(found.rows, made.seed)
    for map_of, known_well in ((known, True), (blind, False)):
        told = Judge((map_of(made),), 2000.0).chances(made, found, found.rows)
        scores = scores_of("player", found.rows, told.chance, 5, doubts=told.doubt, foretold=told.foretold)
        card = card_of(scores)
        judged = found.rows["attempt"] >= 5
        off = math.sqrt(float(((told.foretold - truth)[judged] ** 2).mean()))
        assert card.off == pytest.approx(off, abs=0.01)
        assert (card.off <= MOST_OFF) == known_well
        assert math.isnan(card.in_band) != known_well
        assert math.isnan(card.worst) != known_well
        exact = math.sqrt(float(((truth - 0.55)[judged] ** 2).mean()))
        assert card.rmse.value == pytest.approx(exact, rel=0.05)


def test_small_errors_are_worth_more_replays():
    far, near, none = np.full(10, 0.2), np.full(10, 0.03), np.zeros(10)
    assert times_replayed(far) == 1.0
    assert times_replayed(near) == pytest.approx(ERROR**2 / (0.03**2 + MAP_ERROR**2))
    assert times_replayed(none) == MOST_TIMES
    assert times_replayed(np.append(near, math.nan)) == times_replayed(none[:0]) == 1.0, "what the map does not know"


def test_a_small_error_is_told_truly():
    made = run()
    found = played(made)
    rows = found.rows
    truth = true_chances(rows, made.seed)
    rows["target"] = truth - np.where(np.arange(len(rows)) % 2, 0.03, -0.03)  # 0.03 off each target
    told = Judge((known(made),), 400_000 / len(found.players)).chances(made, found, rows)
    square = (told.chance - rows["target"]) ** 2 - told.doubt
    error = float(square.std()) / math.sqrt(len(rows))
    assert abs(float(square.mean()) - 0.03**2) < ERRORS * error


def test_off_the_dial_the_error_is_known_and_single_attempts_are_not():
    made = run()
    found = played(made)
    moved = found.rows.copy()
    moved["params"][:, 0] += 0.01
    told = Judge((known(made),), 2000.0).chances(made, found, moved)
    assert np.isnan(told.foretold).all()
    off = told.chance - true_chances(moved, made.seed)
    assert abs(off.sum()) < ERRORS * math.sqrt(float((off**2).sum()))


def test_players_who_share_a_dial_are_judged_by_their_mean():
    made = run(scope="cohort")
    found = played(made)
    rows = found.rows
    rows["start_s"] = rows["attempt"] * 60.0  # in step, so that a moment has many players
    rows["difficulty"] = 0.5
    truth = true_chances(rows, made.seed)
    told = Judge((known(made),), 400.0).chances(made, found, rows)
    scores = scores_of("cohort", rows, told.chance, 0, doubts=told.doubt, foretold=told.foretold)
    exact = scores_of("cohort", rows, truth, 0)
    assert scores["judged"] == exact["judged"]
    assert scores["square"][0] == pytest.approx(exact["square"][0], rel=0.25)


def test_all_controllers_are_judged_by_the_same_attempts():
    made = run()
    found = played(made)
    judge = Judge((known(made),), 8.0)
    picked = []

    def watched(game, rows, plays, seed):
        picked.append(rows[plays > 0][["player", "attempt"]].tolist())
        return replay_wins(game, rows, plays, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "replay_wins", watched)
        judge.chances(made, found, found.rows)
        judge.chances(made, found, found.rows[:-3])
    assert set(picked[0]) <= set(picked[1]) | set(found.rows[-3:][["player", "attempt"]].tolist())


def test_a_closed_form_needs_no_map():
    made = setup_of()
    judge = judge_of(made, threads=1)
    found = played(made)
    told = judge.chances(made, found, found.rows)
    assert judge.maps == ()
    assert told.foretold is told.chance
    assert not told.doubt.any()
