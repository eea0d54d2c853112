"""Nobody does better without sense than weak players do, in any game and at any difficulty."""

from __future__ import annotations

import math

import pytest

from engine.contract.game_floors import RANDOM, senseless_of, sensible_of
from engine.contract.game_rules import faculties_at, values_at
from engine.kernel import compiled
from sims.catalog import Catalog

CATALOG = Catalog()
GAMES = [entry.name for entry in CATALOG.games() if entry.origin == "built-in"]
WEAKEST = -0.7  # median skill of the weakest player group of the bundled scenarios: newcomers of the quickstart
ROUNDS = {"boss_duel": 2000, "gap_runner": 2000, "tile_match": 400}
ERRORS = 4.0  # standard errors
SEED = 1_610


def paced(pace):
    """Games of a pace as parameters; the one that takes the longest is left to CI."""
    names = [name for name in GAMES if CATALOG.game_with_rules(name).pace in pace]
    return [pytest.param(name, marks=pytest.mark.thorough if name == "tile_match" else ()) for name in names]


@pytest.mark.parametrize("name", paced(("turns", "real_time")))
def test_no_constant_and_no_random_action_beats_the_weakest_players(name):
    game, rounds = CATALOG.game_with_rules(name), ROUNDS[name]
    floor, player = compiled(senseless_of(game)), compiled(sensible_of(game))
    hold = 1 if game.pace == "turns" else 15
    # Of the 128 swaps of tile_match every twelfth: one cell is like another.
    actions = [RANDOM, *range(0, len(game.actions), 1 if len(game.actions) < 20 else 12)]
    for tenth in range(11):
        values = values_at(game, tenth / 10)
        theirs = player(values, faculties_at(WEAKEST), SEED, 0, 0, rounds) / rounds
        for action in actions:
            rate = floor(values, action, hold, SEED, 0, 0, rounds) / rounds
            assert rate <= theirs + ERRORS * error(rate, theirs, rounds), (tenth / 10, action, rate, theirs)


def error(a, b, rounds):
    """Standard error of a difference; a share of 0 or 1 counts as one attempt away from it."""
    a, b = (min(max(p, 1 / rounds), 1 - 1 / rounds) for p in (a, b))
    return math.sqrt((a * (1 - a) + b * (1 - b)) / rounds)


def test_one_action_for_ever_is_what_it_says():
    """In a duel nothing but attacking wins."""
    game = CATALOG.game_with_rules("boss_duel")
    floor = compiled(senseless_of(game))
    won = {name: floor(values_at(game, 0.5), action, 1, SEED, 0, 0, 400) for action, name in enumerate(game.actions)}
    assert won["wait"] == won["heal"] == won["block"] == won["dodge"] == 0
    assert won["attack"] > 0
