"""The batch: many attempts at fixed settings, the same for any number of threads, on sharp common luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, ndtri

from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.batch import RESULT, Crowd, batch_rows, batch_wins, stratified_skill
from engine.game import LOST, WON
from engine.players import COHORT_STRIDE, Distribution, distribution_table
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from tests.kit.twin_digests import PERSONA
from tests.kit.worlds import played, setup_of

TRAITS = distribution_table({})
SEED = 31


def dial(game, *places):
    return np.array([game.space.real([place] * len(game.space)) for place in places])


def luck(rows):
    """Of a logistic attempt: what progress leaves of a loss. A win hides it."""
    return 1.0 - rows["progress"]


@pytest.mark.parametrize(("game", "players"), [(LOGISTIC, 500), (GAP_RUNNER, 30), (BOSS_DUEL, 100)])
def test_threads_change_no_count_and_no_bit(game, players):
    values, crowd = dial(game, 0.2, 0.5, 0.8), Crowd(TRAITS, players, attempts=3)
    rows = batch_rows(game, values, crowd, SEED)
    wins = batch_wins(game, values, crowd, SEED)
    for threads in (2, 7):
        assert batch_rows(game, values, crowd, SEED, threads=threads).tobytes() == rows.tobytes()
        assert batch_wins(game, values, crowd, SEED, threads=threads).tolist() == wins.tolist()
    assert wins.tolist() == (rows["outcome"] == WON).sum(axis=(1, 2)).tolist()


def test_rows_say_who_tried_what():
    crowd = Crowd(TRAITS, 4, attempts=3, cohort=2, first=5, first_attempt=7)
    rows = batch_rows(LOGISTIC, dial(LOGISTIC, 0.4, 0.6), crowd, SEED)
    assert rows.shape == (2, 4, 3)
    assert rows.dtype == RESULT
    assert (rows["player"] == (2 * COHORT_STRIDE + 5 + np.arange(4))[None, :, None]).all()
    assert (rows["attempt"] == (7 + np.arange(3))[None, None, :]).all()
    assert set(rows["outcome"].flat) == {WON, LOST}


def test_settings_meet_the_same_luck():
    easy, hard = batch_rows(LOGISTIC, dial(LOGISTIC, 0.4, 0.6), Crowd(TRAITS, 300), SEED)
    lost = easy["outcome"] == LOST
    assert (hard["outcome"][lost] == LOST).all()  # same players, same draw: harder is never a win instead
    np.testing.assert_array_equal(luck(easy)[lost], luck(hard)[lost])


def test_a_crowd_can_be_put_together_from_parts():
    values = dial(LOGISTIC, 0.5)
    whole = batch_rows(LOGISTIC, values, Crowd(TRAITS, 10, attempts=4), SEED)
    right = batch_rows(LOGISTIC, values, Crowd(TRAITS, 6, attempts=4, first=4), SEED)
    later = batch_rows(LOGISTIC, values, Crowd(TRAITS, 10, attempts=2, first_attempt=2), SEED)
    assert whole[:, 4:].tobytes() == right.tobytes()
    assert whole[:, :, 2:].tobytes() == later.tobytes()


@pytest.mark.parametrize(
    "other",
    [{"crowd": Crowd(TRAITS, 200, first=200)}, {"seed": SEED + 1}, {"replica": 1}],
    ids=lambda other: next(iter(other)),
)
def test_other_players_seeds_and_replicas_are_other_luck(other):
    chosen = {"crowd": Crowd(TRAITS, 200), "seed": SEED, **other}
    first = batch_rows(LOGISTIC, dial(LOGISTIC, 0.5), Crowd(TRAITS, 200), SEED)
    second = batch_rows(LOGISTIC, dial(LOGISTIC, 0.5), **chosen)
    assert not set(first["state_hash"].flat) & set(second["state_hash"].flat)


def test_practice_before_the_batch_makes_better_players():
    table = distribution_table({"learning": Distribution("fixed", 0.5)})
    values = dial(LOGISTIC, 0.5)
    fresh, practised = (batch_wins(LOGISTIC, values, Crowd(table, 2000, before=before), SEED)[0] for before in (0, 100))
    assert practised > fresh + 4.0 * np.sqrt(2000)


@pytest.mark.parametrize("game", [LOGISTIC, GAP_RUNNER])
def test_harder_places_on_the_dial_are_won_less(game):
    wins = batch_wins(game, dial(game, 0.0, 0.35, 0.65, 1.0), Crowd(TRAITS, 1000), SEED)
    assert (np.diff(wins) < 0).all()


def test_nobody_and_nothing_are_allowed():
    assert batch_wins(LOGISTIC, dial(LOGISTIC, 0.5), Crowd(TRAITS, 0), SEED).tolist() == [0]
    assert batch_wins(LOGISTIC, np.empty((0, 2)), Crowd(TRAITS, 5), SEED, threads=2).tolist() == []


# --- Levels and strata -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game", [LOGISTIC, GAP_RUNNER])
def test_the_first_level_of_a_campaign_is_the_same_in_batch_and_world(game):
    setup = setup_of(game, CONSTANT, cohorts=({}, PERSONA), counts=(0, 5), levels=3, targets=[[0.5] * 3] * 2)
    rows = played(setup).rows
    first = rows[rows["attempt"] == 0]
    values = np.array([setup.space.real([setup.options.difficulty] * len(setup.space))])
    batch = batch_rows(game, values, Crowd(setup.traits[1], 5, cohort=1, level=1), setup.seed)
    assert (first["level"] == 1).all()
    assert first["state_hash"].tolist() == batch[0, :, 0]["state_hash"].tolist()


UNIT_SKILL = distribution_table({"skill": Distribution("uniform", 0.0, 1.0)})[0]


@pytest.mark.parametrize("strata", [1, 7, 25, 1000])
def test_every_stratum_has_one_player(strata):
    skills = [stratified_skill(UNIT_SKILL, SEED, 3, 2 * COHORT_STRIDE + place, strata) for place in range(strata)]
    assert sorted(int(skill * strata) for skill in skills) == list(range(strata))


def test_a_player_alone_has_every_skill_as_often_as_without_strata():
    tried, strata = 4000, 25
    skills = np.sort([stratified_skill(UNIT_SKILL, SEED, replica, 4, strata) for replica in range(tried)])
    # Kolmogorov's statistic has a standard deviation of 0.26 / sqrt(n) around 0.87 / sqrt(n).
    assert np.abs(skills - np.arange(tried) / tried).max() < (0.87 + 4 * 0.26) / np.sqrt(tried)


def test_strata_leave_the_mean_and_take_the_noise_that_theory_says():
    groups, players, slope = 600, 25, 4.0
    table = distribution_table({"slope": Distribution("fixed", slope), "lapse": Distribution("fixed", 0.0)})
    values = LOGISTIC.space.real(LOGISTIC.space.setting([0.3, 0.0]))
    won = {
        strata: np.array([
            batch_wins(LOGISTIC, np.array([values]), Crowd(table, players, strata=strata), SEED, replica=replica)[0]
            for replica in range(groups)
        ])
        for strata in (0, players)
    }  # fmt: skip
    # The chance to win at the middles of many quantiles of skill, N(0, 0.9), and its mean in each stratum.
    skill = 0.9 * ndtri((np.arange(players * 400) + 0.5) / (players * 400))
    chance = expit(slope * (skill - 0.3)).reshape(players, -1).mean(axis=1)
    noise = {0: players * chance.mean() * (1.0 - chance.mean()), players: (chance * (1.0 - chance)).sum()}
    assert noise[players] < 0.5 * noise[0]
    for strata, counts in won.items():
        assert counts.mean() == pytest.approx(players * chance.mean(), abs=4.0 * np.sqrt(noise[strata] / groups))
        assert counts.var(ddof=1) == pytest.approx(noise[strata], rel=4.0 * np.sqrt(2.0 / (groups - 1)))


def test_a_stratified_crowd_can_be_put_together_from_parts():
    values = dial(LOGISTIC, 0.5)
    whole = batch_rows(LOGISTIC, values, Crowd(TRAITS, 10, strata=10), SEED)
    left = batch_rows(LOGISTIC, values, Crowd(TRAITS, 4, strata=10), SEED)
    right = batch_rows(LOGISTIC, values, Crowd(TRAITS, 6, first=4, strata=10), SEED)
    assert whole.tobytes() == np.concatenate([left, right], axis=1).tobytes()
    assert whole.tobytes() != batch_rows(LOGISTIC, values, Crowd(TRAITS, 10), SEED).tobytes()


def test_places_without_a_stratum_are_refused():
    with pytest.raises(ValueError, match="each place has a stratum, got 9 for places below 10"):
        batch_wins(LOGISTIC, dial(LOGISTIC, 0.5), Crowd(TRAITS, 6, first=4, strata=9), SEED)
