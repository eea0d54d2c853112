"""Chance maps: of a level's own layout and of a player's own traits, against a truth that only the test knows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from controllers.adaptive.weighted_up_down import CONTROLLER as UP_DOWN
from engine.players import PLAYER, TRAIT_NAMES, Distribution, distribution_table
from engine.response import chance_map as module
from engine.response import kept_tables
from engine.response.chance_map import acting_trait, chance_map
from engine.response.logistic_fit import fit_logistic
from engine.response.replays import MOST_PLAYS, replay_wins
from engine.response.response_map import ACTING
from tests.kit.laid_out import LAID_OUT, SPACE, true_chances
from tests.kit.worlds import FAITHFUL, played, setup_of

ERRORS = 4.0
SLOPES = {**FAITHFUL, "slope": Distribution("lognormal", 1.2, 0.3), "learning": Distribution("fixed", 0.0)}


@pytest.fixture(autouse=True)
def own_maps(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_tables, "cache_folder", lambda: tmp_path)
    return tmp_path


def run(levels=6, traits=SLOPES, **changes):
    return setup_of(
        LAID_OUT, UP_DOWN, cohorts=(traits,), counts=(30,), levels=levels, space=SPACE,
        **{"attempts_per_player": 40, **changes},
    )  # fmt: skip


def mapped(setup, **changes):
    return chance_map(
        setup.game, setup.space, setup.path, setup.traits[0], levels=setup.levels, seed=setup.seed, **changes
    )


def foretold(setup, known, rows, players):
    owners = players[np.searchsorted(players["player"], rows["player"])]
    return known.chances(owners, rows["level"], rows["skill"], rows["difficulty"])


@pytest.mark.parametrize("levels", [0, 6])
def test_a_map_knows_the_layout_of_a_level_and_the_traits_of_a_player(levels):
    made = run(levels)
    found = played(made)
    truth = true_chances(found.rows, made.seed)
    known = mapped(made)
    off = foretold(made, known, found.rows, found.players) - truth
    assert math.sqrt(float((off**2).mean())) < 0.02
    base = known.known.probability(found.rows["skill"], found.rows["difficulty"]) - truth
    assert float((off**2).mean()) < 0.25 * float((base**2).mean()), "the response map knows neither"


def test_nothing_is_added_where_only_skill_varies():
    made = run(0, FAITHFUL)
    known = mapped(made)
    assert len(known.chart.terms) == 0
    found = played(made)
    expected = known.known.probability(found.rows["skill"], found.rows["difficulty"])
    assert foretold(made, known, found.rows, found.players).tobytes() == expected.tobytes()


def test_a_trait_that_varies_and_does_not_act_is_left_out():
    """Reactions change nothing in a game without time."""
    made = run(0, {**FAITHFUL, "speed": Distribution("lognormal", 1.0, 0.5)})
    assert len(mapped(made).chart.which) == 0
    sighted = {"lapse": Distribution("uniform", 0.0, 0.4), "foresight": Distribution("uniform", 1.0, 2.0)}
    made = run(0, {**SLOPES, **sighted})
    assert [ACTING[place] for place in mapped(made).chart.which] == ["slope", "lapse"]


def test_every_acting_trait_is_read_from_the_player():
    player = np.zeros(1, PLAYER)
    for place, name in enumerate(ACTING):
        player[name] = place + 0.5
    assert [acting_trait(player[0], place) for place in range(len(ACTING))] == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_a_map_is_measured_once_and_depends_on_the_seed_of_the_layouts(monkeypatch):
    made = run(2)
    first = mapped(made, attempts=500)
    assert mapped(made, attempts=500, threads=3).chart.terms.tobytes() == first.chart.terms.tobytes()
    other = mapped(run(2, seed=77), attempts=500)
    assert not np.array_equal(other.chart.terms, first.chart.terms)
    monkeypatch.setattr(module, "fit_logistic", None)
    assert mapped(made, attempts=500).chart.terms.tobytes() == first.chart.terms.tobytes()


def test_a_map_without_a_cache_has_the_same_bits(monkeypatch):
    made = run(2)
    kept = mapped(made, attempts=500)
    monkeypatch.setattr(module, "read_tables", lambda *given: None)
    assert mapped(made, attempts=500, threads=2).chart.terms.tobytes() == kept.chart.terms.tobytes()


def test_what_a_cohort_shares_is_one_of_many():
    traits = distribution_table({"slope": Distribution("lognormal", 1.0, 0.3, common=0.4)})
    slope = TRAIT_NAMES.index("slope")
    assert module.strangers(traits)[slope].tolist()[2::3] == [pytest.approx(0.5), 0.0]


# --- The regression behind it


def test_a_fit_finds_the_coefficients_and_stands_where_nothing_pulls():
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 2))])
    offsets, truth = rng.normal(size=20_000), np.array([0.4, -1.0, 0.7])
    chances = 1.0 / (1.0 + np.exp(-(offsets + design @ truth)))
    won = (rng.random(20_000) < chances).astype(float)
    penalty = np.array([0.01, 1.0, 1.0])
    found = fit_logistic(design, offsets, won, penalty)
    fitted = 1.0 / (1.0 + np.exp(-(offsets + design @ found)))
    assert np.abs(design.T @ (won - fitted) - penalty * found).max() < 1e-9 * len(won)
    weight = fitted * (1.0 - fitted)
    errors = np.sqrt(np.diag(np.linalg.inv((design * weight[:, None]).T @ design)))
    assert (np.abs(found - truth) < ERRORS * errors).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_fit_ends_where_all_are_won_or_lost(share):
    found = fit_logistic(np.ones((50, 1)), np.zeros(50), np.full(50, share), np.array([0.5]))
    assert math.isfinite(found[0])
    assert abs(found[0]) > 2.0


# --- Attempts played again


@pytest.mark.parametrize("levels", [0, 6])
def test_a_row_played_again_is_won_as_often_as_its_true_chance_says(levels):
    made = run(levels)
    rows = played(made).rows[::7]
    truth = true_chances(rows, made.seed)
    wins = replay_wins(made.game, rows, np.full(len(rows), 100), made.seed)
    assert abs((wins - 100 * truth).sum()) < ERRORS * math.sqrt((100 * truth * (1.0 - truth)).sum())
    own = (wins - 100 * truth) / np.sqrt(100 * truth * (1.0 - truth))
    assert abs((own**2).mean() - 1.0) < ERRORS * math.sqrt(2.0 / len(rows)) + 0.1, "each row, not only all together"


def test_the_luck_of_replays_is_that_of_no_attempt():
    made = run(6)
    rows = played(made).rows
    once = replay_wins(made.game, rows, np.ones(len(rows), np.int64), made.seed)
    agree = (once == 1) == (rows["outcome"] == 1)
    assert 0.3 < agree.mean() < 0.8
    assert replay_wins(made.game, rows[:0], np.zeros(0, np.int64), made.seed).tolist() == []
    with pytest.raises(ValueError, match=f"0 to {MOST_PLAYS} times, got 128"):
        replay_wins(made.game, rows[:1], np.array([128]), made.seed)
