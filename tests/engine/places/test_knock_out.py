"""The cost of a place: what it is measured by, and that a run on levels without the place agrees."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.attempt import opening_without
from engine.game import WON
from engine.places.knock_out import place_cost, won_without
from engine.players import Distribution, distribution_table
from engine.randomness import key_of
from engine.world import chunks, simulate
from games import get
from games.gap_runner import NONE, obstacle, without
from tests.kit import small

GAP = get("gap_runner")
PLACES = (1, 4, 9)


def setup_of_equal_numbers(seed, game=GAP, players=200):
    """A constant game in which every player makes 30 attempts, whatever comes of them."""
    setup = small.setup(game="gap_runner", controller="constant", players=players, attempts=30)
    stays = {"quit_frailty": Distribution("fixed", -40.0)}
    traits = np.array([distribution_table(stays) for _ in setup.cohorts])
    return dataclasses.replace(setup, seed=seed, game=game, traits=traits, horizon_s=1e9)


def rows_of(setup):
    return np.concatenate([simulate(setup, chunk).rows for chunk in chunks(setup)])


@pytest.fixture(scope="module")
def rows():
    return rows_of(setup_of_equal_numbers(11, players=60))


def test_the_obstacles_that_are_left_are_those_of_the_level():
    params = GAP.params(*(int(v) if k.levels else float(v) for v, k in zip(GAP.space.defaults(), GAP.space.knobs)))
    level = GAP.build(params, key_of(1, 2, 3, 4, 5))
    whole = [obstacle(params, level, index) for index in range(params.obstacles)]
    for place in (1, 7, params.obstacles):
        left = without(level, place)
        rest = [obstacle(params, left, index) for index in range(params.obstacles - 1)]
        assert rest == whole[: place - 1] + whole[place:]
        assert obstacle(params, left, params.obstacles - 1).at > level.goal
    assert level.skipped == NONE


def test_nothing_before_a_place_changes_and_something_after_it(rows):
    won = (rows["outcome"] == WON).astype(int)
    for place in PLACES:
        found = won_without(GAP, rows, place, 11)
        before = rows["end_place"] < place
        assert (found[before] == won[before]).all()
        assert (found[~before] != won[~before]).any()
    assert won_without(GAP, rows, 1000, 11).tolist() == won.tolist()


def test_a_game_that_cannot_leave_out_a_place_is_refused():
    with pytest.raises(ValueError, match="only a game that says what a level is without a place"):
        opening_without(get("boss_duel"))


@pytest.mark.thorough
@pytest.mark.parametrize("place", PLACES)
def test_the_cost_agrees_with_a_run_without_the_obstacle(place):
    """Other players with other luck, on levels that never had it: within 4 standard errors of both together."""
    setup = setup_of_equal_numbers(21)
    rows = rows_of(setup)
    cost = place_cost(GAP, rows, place, 21, rows["player"])

    whole = GAP.build

    def build(params, key):
        return without(whole(params, key), place)

    bare = dataclasses.replace(GAP, build=build)
    other = rows_of(setup_of_equal_numbers(22, bare))
    rates = [other["outcome"][other["player"] == player] == WON for player in np.unique(other["player"])]
    shares = np.array([own.mean() for own in rates])
    error = math.hypot(shares.std(ddof=1) / math.sqrt(len(shares)), _error_of(cost, rows))
    assert abs(shares.mean() - cost.after) < 4.0 * error
    assert cost.value > 0.0
    assert cost.error < 0.5 * error  # pairing


def _error_of(cost, rows):
    """Standard error of the win rate without the place, over players."""
    shares = [(rows["outcome"][rows["player"] == player] == WON).mean() for player in np.unique(rows["player"])]
    return float(np.std(shares, ddof=1) / math.sqrt(len(shares)))
