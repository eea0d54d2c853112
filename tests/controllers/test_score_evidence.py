"""What scores say of a player: the bins, what a controller reads in them, and that games' scores are worth it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.common.score_evidence import BINS, PENALTY, PLACES, WIDEST, Graded, evidence, graded_of
from engine.arithmetic import logit
from engine.batch import Crowd, batch_rows
from engine.contract.controller_conduct import brief_for
from engine.game import WON
from engine.parameters import straight_path
from engine.players import Distribution, distribution_table
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from games.tile_match import GAME as TILE_MATCH

pytestmark = pytest.mark.thorough

DICE = np.random.Generator(np.random.Philox(key=[61, 0]))
BINS_OF_NO_GAME = Graded(np.tile(np.linspace(0.2, 0.8, BINS - 1), 2), DICE.normal(0.0, 0.8, 4 * PLACES * BINS))
SCORES = (0.0, 0.3, 0.4, 0.6, 0.7, 0.9)  # one in each bin


def said_by(bins, won, score, d, z):
    return evidence(bins.edges, bins.numbers, won, score, d, z)


def bins_of(game, mean=0.0, sd=0.9):
    """What is learnt of a game on its straight dial."""
    traits = np.array([distribution_table({"skill": Distribution("normal", mean, sd)})])
    brief = brief_for("player")._replace(game=game, space=game.space, path=straight_path(game.space), traits=traits)
    return graded_of(brief)


def attempts_at(game, dial, skill, players):
    """Fresh attempts: won, shape (players,), score, and the logit of the chance of winning."""
    traits = distribution_table({"skill": Distribution("fixed", skill)})
    values = np.array([game.space.real([dial] * len(game.space))])
    rows = batch_rows(game, values, Crowd(traits, players), 977)[0, :, 0]
    won = rows["outcome"] == WON
    return won, rows["score"], logit(float(won.mean()))


@pytest.mark.parametrize("won", [0.0, 1.0])
def test_evidence_is_the_derivative_of_its_own_chance(won):
    for d, score, z in ((0.0, 0.0, -2.0), (0.31, 0.35, 0.0), (0.5, 0.5, 1.5), (1.0, 0.99, 0.2)):
        here = said_by(BINS_OF_NO_GAME, won, score, d, z)
        above, below = (said_by(BINS_OF_NO_GAME, won, score, d, z + h).chance for h in (1e-5, -1e-5))
        assert here.trend == pytest.approx((math.log(above) - math.log(below)) / 2e-5, abs=1e-6)
    chances = [said_by(BINS_OF_NO_GAME, won, score, 0.4, 0.7) for score in SCORES]
    assert math.fsum(one.chance for one in chances) == pytest.approx(1.0)
    assert math.fsum(one.chance * one.trend**2 for one in chances) == pytest.approx(chances[0].information)


def test_between_two_places_bins_lie_on_straight_lines():
    step = 1.0 / (PLACES - 1)

    def odds(d):
        low, high = (said_by(BINS_OF_NO_GAME, 1.0, score, d, 0.4).chance for score in (0.0, 0.9))
        return math.log(high / low)

    for place in range(PLACES - 1):
        left, middle, right = (odds((place + part) * step) for part in (0.0, 0.5, 1.0))
        assert middle == pytest.approx(0.5 * (left + right))


def test_far_from_even_nothing_more_is_said():
    beyond, edge = (said_by(BINS_OF_NO_GAME, 0.0, 0.5, 0.5, z) for z in (9.0, WIDEST))
    assert beyond == edge._replace(trend=0.0, information=0.0)


@pytest.mark.parametrize("game", [GAP_RUNNER, BOSS_DUEL, TILE_MATCH], ids=lambda game: game.name)
def test_better_scores_mean_better_players_in_wins_and_in_losses(game):
    bins = bins_of(game)
    for won, edges in zip((0.0, 1.0), bins.edges.reshape(2, BINS - 1), strict=True):
        assert (np.diff(edges) > 0.0).all()
        assert said_by(bins, won, edges[-1], 0.5, 0.0).trend > 0.1 > -0.1 > said_by(bins, won, 0.0, 0.5, 0.0).trend


@pytest.mark.parametrize("game", [GAP_RUNNER, BOSS_DUEL], ids=lambda game: game.name)
@pytest.mark.parametrize("sd", [0.0, 0.9])
def test_nowhere_on_the_dial_does_a_worse_score_mean_a_better_player(game, sd):
    """Also where few attempts are won or lost, and where all players are alike: rare must not look telling.

    Where there is next to no data, chance may turn two slopes round by half a standard deviation of what the penalty
    grants their difference.
    """
    bins = bins_of(game, sd=sd)
    slopes = bins.numbers.reshape(2, PLACES, BINS, 2)[..., 1]
    assert (slopes[:, :, -1] - slopes[:, :, 0] > -0.5 * math.sqrt(2.0 / PENALTY)).all()
    assert (slopes[:, PLACES // 2, -1] - slopes[:, PLACES // 2, 0] > 0.5).all()


@pytest.mark.parametrize(("game", "skill"), [(GAP_RUNNER, 0.3), (BOSS_DUEL, -0.3)], ids=["gap_runner", "boss_duel"])
def test_scores_of_fresh_attempts_are_likeliest_near_the_true_chance(game, skill):
    """Log-likelihood of scores, given who won, at the true z against one logit to either side: mean of differences."""
    bins = bins_of(game)
    won, scores, z = attempts_at(game, 0.5, skill, 4000)
    assert abs(z) < 1.5
    for beside in (z - 1.0, z + 1.0):
        gains = [
            math.log(said_by(bins, w, s, 0.5, z).chance / said_by(bins, w, s, 0.5, beside).chance)
            for w, s in zip(won, scores, strict=True)
        ]
        assert np.mean(gains) > 4.0 * np.std(gains) / math.sqrt(len(gains))


def test_a_game_without_a_score_says_nothing_of_wins():
    bins = bins_of(LOGISTIC)
    said = [said_by(bins, 1.0, 1.0, d, 0.3) for d in (0.1, 0.5)]
    assert [(one.trend, one.information) for one in said] == [(0.0, 0.0)] * 2
