"""Practice on a numbered level: retries mean something, and another level profits only from the rest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.arithmetic import log, logistic
from engine.game import LOST, WON
from engine.players import PLAYER, Distribution, Flow, after_attempt, be_born, distribution_table, skill_now
from engine.response.chance_map import stand_in
from tests.kit.worlds import FAITHFUL, played, setup_of

SEED = 1_620
ERRORS = 4.0  # standard errors


def learner(level=1, **traits):
    """A player who learns, on a numbered level."""
    chosen = {"skill": 0.0, "learning": 0.5, "fatigue": 0.0, "quit_frailty": -40.0, "session_frailty": -40.0, **traits}
    player = np.zeros(1, PLAYER)[0]
    table = distribution_table({name: Distribution("fixed", value) for name, value in chosen.items()})
    be_born(player, 0, 0, table, SEED, 0, level, 0.85)
    return player


def play_on(player, outcome, levels=9):
    after_attempt(player, outcome, 30.0, Flow(), SEED, 0, levels, 1000, 1e9)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_practice_belongs_to_the_level_and_is_gone_on_the_next(share):
    player = learner(layout_share=share)
    for _ in range(4):
        play_on(player, LOST)
    assert int(player["tries"]) == 4
    assert skill_now(player) == pytest.approx(0.5 * log(5.0))
    play_on(player, WON)
    assert (int(player["level"]), int(player["tries"])) == (2, 0)
    assert skill_now(player) == pytest.approx(0.5 * (1.0 - share) * log(6.0))
    play_on(player, LOST)
    assert skill_now(player) == pytest.approx(0.5 * ((1.0 - share) * log(7.0) + share * log(2.0)))


def test_the_bounded_law_of_practice_is_shared_out_in_the_same_way():
    player = learner(learning=0.0, practice_gain=2.0, practice_attempts=10.0, layout_share=0.25)
    for outcome in (LOST, WON, LOST):
        play_on(player, outcome)
    whole, own = (2.0 * (1.0 - (1.0 + n / 10.0) ** -0.8) for n in (3, 1))
    assert skill_now(player) == pytest.approx(0.75 * whole + 0.25 * own)


def test_in_an_endless_stream_every_layout_is_new():
    player = learner(level=0, layout_share=1.0)
    for outcome in (LOST, LOST, WON, LOST):
        play_on(player, outcome, levels=0)
    assert (int(player["tries"]), skill_now(player)) == (0, 0.0)


def test_the_fifth_attempt_at_a_level_wins_more_than_the_first_by_what_the_trait_says():
    """Only one level counts, so nobody has practised elsewhere; the closed form gives what each attempt wins."""
    learning = 0.8
    traits = {
        **FAITHFUL,
        "skill": Distribution("fixed", 0.0),
        "learning": Distribution("fixed", learning),
        "fatigue": Distribution("fixed", 0.0),
        "lapse": Distribution("fixed", 0.0),
        "layout_share": Distribution("fixed", 1.0),
    }
    options = CONSTANT.options(difficulty=0.65)
    setup = setup_of(kind=CONSTANT, options=options, cohorts=(traits,), counts=(3000,), levels=8)
    rows = played(setup).rows
    rows = rows[np.lexsort((rows["attempt"], rows["player"]))]
    begins = np.r_[True, (np.diff(rows["player"]) != 0) | (np.diff(rows["level"]) != 0)]
    first = np.flatnonzero(begins)
    tries = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    assert rows["skill"] == pytest.approx(learning * np.log1p(tries), abs=1e-12)
    chances = np.array([chance(row) for row in rows[["params", "skill"]]])
    won = (rows["outcome"] == WON).astype(float)
    for n in (0, 4):
        missed = (won - chances)[tries == n]
        spread = np.sqrt((chances * (1.0 - chances))[tries == n].sum())
        assert abs(missed.sum()) < ERRORS * spread
    late, early = tries == 4, tries == 0
    gained = chances[late].mean() - np.mean([chance(row, 0.0) for row in rows[late][["params", "skill"]]])
    assert gained > ERRORS * math.sqrt(0.25 / late.sum())  # the trait's effect is not lost in noise
    assert early.sum() > late.sum() > 500


def chance(row, skill=None):
    """The closed form of `logistic` for a player without lapses."""
    difficulty, guess = row["params"][:2]
    at = float(row["skill"]) if skill is None else skill
    return guess + (1.0 - guess) * logistic(at - float(difficulty))


def test_a_map_of_levels_knows_players_with_some_tries():
    players = np.zeros(400, PLAYER)
    table = distribution_table({"layout_share": Distribution("fixed", 1.0)})
    for level in (0, 3):
        for i in range(len(players)):
            stand_in(players[i], table, SEED, i, level)
        assert (players["tries"] <= players["attempts"]).all()
        assert bool(players["tries"].any()) == (level > 0)
