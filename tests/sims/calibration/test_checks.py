"""How good a fit is: levels and times it has not seen, how long players stay, and twins of the players."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sims.calibration.checks import curves
from sims.calibration.checks.behaviour_counts import add_all, count_behaviour
from sims.calibration.checks.curves import behaviour_of
from sims.calibration.checks.fit_checks import Checks, check_fit
from sims.calibration.checks.last_fifth import try_last_fifth
from sims.calibration.checks.twins import count_twins, draw_points, tours_of
from sims.calibration.checks.unseen_levels import ridge
from sims.calibration.fit import Fit, fit, predict
from sims.calibration.histories import Histories, Plays, histories_of
from sims.calibration.likelihood.predictions import NOT_SEEN
from sims.calibration.play_files.attempt_order import late_of
from tests.kit.plays import Planted, Truth, planted

TRUTH = Truth(levels=12, seed=41, rho=-0.3)
P = planted(600, TRUTH, most=50)


def plays_of(p: Planted, levels: int) -> Plays:
    keep = np.ones(len(p.player), bool)
    return Plays(
        tuple(str(i) for i in range(levels)), p.player, p.level, p.won.astype(np.int8), p.order, p.place,
        p.quit.astype(np.int8), np.ones(len(p.player), np.int8), late=late_of(p.player, p.order, None, keep),
        campaign=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def histories() -> Histories:
    return histories_of(plays_of(P, TRUTH.levels))


@pytest.fixture(scope="module")
def found(histories) -> Fit:
    return fit(histories, threads=2)


@pytest.fixture(scope="module")
def checks(histories, found) -> Checks:
    features = (P.difficulty - P.difficulty.mean())[:, None] / P.difficulty.std()
    return check_fit(found, histories, None, features, campaign=True, threads=2)


def test_features_that_say_how_hard_levels_are_predict_new_levels(checks):
    tried = checks.unseen_levels
    assert tried.folds == 5
    assert tried.model.error < tried.trivial.error
    assert tried.model.log_loss < tried.one_rate.log_loss


def test_without_features_nothing_is_said_of_new_levels(found, histories):
    assert check_fit(found, histories, None, np.empty((TRUTH.levels, 0)), campaign=True).unseen_levels is None


def test_a_ridge_finds_a_line_and_its_error():
    dice = np.random.default_rng(4)
    features = dice.standard_normal((400, 3))
    values = 2.0 + features @ [1.0, -0.5, 0.0] + 0.3 * dice.standard_normal(400)
    predicted, error = ridge(features[:300], values[:300], features[300:])
    left = predicted - values[300:]
    assert abs(error - 0.3) < 4.0 * 0.3 / (2 * 300) ** 0.5
    assert np.sqrt(np.mean(left**2)) < 0.3 * (1.0 + 4.0 / (2 * 100) ** 0.5)


def test_a_row_that_is_not_seen_is_predicted_and_tells_nothing(found, histories):
    hidden = np.arange(histories.rows) % 3 == 0
    blind = replace(histories, won=np.where(hidden, NOT_SEEN, histories.won).astype(np.int8))
    one = predict(found, blind)
    flipped = replace(histories, won=np.where(hidden, 1 - histories.won, histories.won).astype(np.int8))
    first = histories.starts[:-1]
    assert one[first].tolist() == predict(found, flipped)[first].tolist()  # before anything was seen
    nothing = replace(histories, won=np.full(histories.rows, NOT_SEEN, np.int8))
    alone = predict(found, nothing)
    assert np.abs(alone - one).max() > 0.01  # the rows that are seen do tell
    assert alone[first].tolist() == one[first].tolist()


def test_the_last_fifth_is_parted_by_time_and_not_by_when_a_player_leaves():
    player = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    rank = np.array([0, 1, 2, 3, 0, 1, 0, 1, 2, 3])
    keep = np.ones(10, bool)
    by_rank = late_of(player, rank, None, keep)
    assert by_rank is not None
    assert by_rank.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    time = np.array([5.0, 6, 7, 8, 1, 2, 1, 2, 3, 4])
    by_time = late_of(player, rank, time, keep)
    assert by_time is not None
    assert by_time.tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert late_of(player, None, time, keep) is None


def test_the_last_fifth_is_predicted_from_what_came_before(found, histories, checks):
    tried = checks.last_fifth
    assert tried.model.error < tried.trivial.error < tried.one_rate.error  # levels are reached late by the strong
    changed = replace(histories, late=1 - histories.late)
    other = try_last_fifth(found, changed)
    assert other is None or other.model != tried.model


def test_how_long_unseen_players_stay_is_predicted_better_than_by_one_rate(checks):
    assert checks.survival.model < checks.survival.one_rate


def test_players_are_counted_as_they_should_be():
    starts = np.array([0, 4, 6])
    level = np.array([0, 0, 0, 1, 0, 1])
    won = np.array([0, 0, 1, 0, 0, 1], np.int8)
    risk = np.array([1, 1, 1, 1, 1, 0], np.int8)
    quits = np.array([0, 0, 0, 1, 0, 0], np.int8)
    nothing = np.zeros((6, 0))
    h = Histories(("0", "1"), starts, level, won, (), nothing, risk, quits, np.zeros((6, 3)), np.zeros(2, np.int64))
    found = count_behaviour(h, 3)
    assert found.could_quit[:5].tolist() == [2, 1, 1, 1, 0]
    assert found.did_quit[:5].tolist() == [0, 0, 0, 1, 0]
    assert found.tried[:4].tolist() == [4, 1, 1, 0]  # visits: 0 in three tries, 1 lost, 0 lost, 1 won at once
    assert found.passed[:4].tolist() == [1, 0, 1, 0]
    assert found.longest[:4].tolist() == [0, 0, 1, 0]  # the second player made two attempts only
    assert found.stay()[3] == 0.0
    slow = type(found).nothing()
    add_all(starts, level, won, risk, quits, 3, *slow.arrays)
    assert all(np.array_equal(one, two) for one, two in zip(slow.arrays, found.arrays, strict=True))


def test_tours_have_no_retries_and_know_how_often_players_do(histories):
    tours = tours_of(histories, campaign=True)
    assert tours.retried == 1.0  # planted players always do
    for i in range(20):
        own = tours.level[tours.starts[i] : tours.starts[i + 1]]
        assert own.tolist() == list(range(len(own)))


def test_the_twins_of_planted_players_do_what_these_do(checks):
    """At every point of the three curves the file is within four standard deviations of sets of twins."""
    assert [curve.name for curve in checks.behaviour.curves] == ["stay", "pass_by", "lose_in_a_row"]
    for curve in checks.behaviour.curves:
        inside = (curve.low > 0.0) & (curve.high < 1.0)
        sd = (curve.high - curve.low)[inside] / (2 * 1.96)
        assert (np.abs(curve.seen - curve.twins)[inside] < 4.0 * sd + 1e-9).all(), curve.name


def test_players_who_lose_in_rows_for_another_reason_are_not_like_their_twins():
    """After a loss the next attempt is worse by 2.5 logits, which the fit knows nothing of."""
    dice = np.random.default_rng(8)
    players, attempts, levels = 300, 40, 6
    difficulty = np.linspace(-1.0, 1.0, levels)
    level = dice.integers(0, levels, (players, attempts))
    won = np.zeros((players, attempts), np.int8)
    for k in range(attempts):
        sulk = 0.0 if k == 0 else -2.5 * (won[:, k - 1] == 0)
        chance = 1.0 / (1.0 + np.exp(difficulty[level[:, k]] - 1.0 - sulk))
        won[:, k] = dice.random(players) < chance
    number = np.tile(np.arange(attempts), players)
    player = np.repeat(np.arange(players), attempts)
    late = late_of(player, number, None, np.ones(len(player), bool))
    names = tuple(str(i) for i in range(levels))
    plays = Plays(names, player, level.ravel(), won.ravel(), number, None, None, None, late=late)
    histories = histories_of(plays)
    behaviour = check_fit(fit(histories), histories, None, np.empty((levels, 0)), campaign=False).behaviour
    assert behaviour is not None
    assert behaviour.lose_in_a_row is not None
    assert behaviour.stay is None  # nobody is known to have quit
    assert behaviour.lose_in_a_row.differs


def test_twins_are_the_same_for_the_same_draw_and_others_for_another(histories, found):
    tours = tours_of(histories, campaign=True)
    one, again, other = (count_twins(histories, tours, found, None, found.point, draw, 10) for draw in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, again.arrays, strict=True))
    assert not np.array_equal(one.passed, other.passed)


def test_draws_of_the_numbers_have_the_covariance_of_the_fit(found):
    points = draw_points(found, 4_000)
    sd = np.sqrt(np.diag(found.covariance))
    free = sd > 0.0
    assert (np.abs(points.mean(axis=0) - found.point)[free] < 4.5 * sd[free] / 4_000**0.5).all()
    assert (np.abs(points.std(axis=0)[free] / sd[free] - 1.0) < 4.5 / (2 * 4_000) ** 0.5).all()


def test_of_many_players_some_of_all_kinds_have_twins(histories, found, monkeypatch):
    """Players who did the same stand together, so that the first of them would be no fair part."""
    whole = behaviour_of(histories, found, None, campaign=True)
    monkeypatch.setattr(curves, "_MOST_ROWS", histories.rows // 2)
    part = behaviour_of(histories, found, None, campaign=True)
    assert part is not None
    assert part.stay is not None
    assert whole is not None
    assert whole.stay is not None
    assert part.players == 300
    error = (0.25 / 300) ** 0.5
    assert np.abs(part.stay.seen[:5] - whole.stay.seen[:5]).max() < 4.0 * error
