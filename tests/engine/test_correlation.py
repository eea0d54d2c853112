"""[cohort.correlation]: traits that are drawn together; none keeps every byte."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.kernel import compiled
from engine.players import (
    PLAYER,
    TRAIT_NAMES,
    Distribution,
    be_born,
    correlation_factor,
    distribution_table,
)
from engine.scenario import parse
from sims.catalog import Catalog

CATALOG = Catalog()
SKILL = {"skill": Distribution("normal", 0.0, 1.0), "quit_frailty": Distribution("normal", -3.0, 1.0)}
SEED = 424242
COUNT = 4_000
TEXT = """
format = 1
[game]
name = "logistic"
[dial]
floor = 0
ceiling = 1
[target]
win_rate = 0.55
[players]
count = 10
[horizon]
days = 1
attempts_per_player = 20
[[cohort]]
name = "a"
share = 1.0
"""


def born(table, count=COUNT):
    players = np.zeros(count, PLAYER)
    birth = compiled(be_born)
    for i in range(count):
        birth(players[i], i, 0, table, SEED, 0, 0, 0.85)
    return players


def test_traits_are_correlated_as_asked_and_spread_as_before():
    players = born(distribution_table(SKILL, {"skill": {"quit_frailty": -0.4}}))
    found = np.corrcoef(players["skill"], players["quit_frailty"])[0, 1]
    assert abs(np.arctanh(found) - np.arctanh(-0.4)) < 4.0 / np.sqrt(COUNT - 3)
    assert abs(players["quit_frailty"].mean() + 3.0) < 4.0 / np.sqrt(COUNT)
    assert abs(players["quit_frailty"].std() - 1.0) < 4.0 / np.sqrt(2 * COUNT)


def test_other_traits_and_a_table_without_correlation_keep_their_bytes():
    plain = born(distribution_table(SKILL), 200)
    mixed = born(distribution_table(SKILL, {"skill": {"quit_frailty": -0.4}}), 200)
    identity = born(distribution_table(SKILL, {"skill": {}}), 200)
    assert plain.tobytes() == identity.tobytes()
    changed = {name for name in PLAYER.names or () if (plain[name] != mixed[name])[~np.isnan(plain[name])].any()}
    assert changed == {"quit_frailty"}


def test_a_correlation_of_zero_is_none():
    without, zero = (
        parse((TEXT + more).encode(), "test.toml", CATALOG)
        for more in ("", "correlation = { skill = { quit_frailty = 0.0 } }\n")
    )
    assert without.digest == zero.digest
    assert without.form == zero.form


def test_the_factor_gives_the_correlations_back():
    wanted = {"skill": {"quit_frailty": -0.4, "speed": 0.3}, "speed": {"quit_frailty": 0.2}}
    factor = correlation_factor(wanted)
    assert factor is not None
    product = factor @ factor.T
    at = TRAIT_NAMES.index
    assert product[at("skill"), at("quit_frailty")] == pytest.approx(-0.4)
    assert product[at("skill"), at("speed")] == pytest.approx(0.3)
    assert product[at("speed"), at("quit_frailty")] == pytest.approx(0.2)
    assert np.diag(product) == pytest.approx(np.ones(len(TRAIT_NAMES)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("correlation = { skill = { slope = 0.5 } }", "needs normal or log-normal traits, but slope is neither"),
        ("correlation = { skill = { skil = 0.5 } }", "is unknown: the traits are"),
        ("correlation = { skill = { skill = 0.5 } }", "must be of two traits, each pair once"),
        ("correlation = { skill = { quit_frailty = 1.5 } }", "must be a number from -1 to 1"),
        (
            "correlation = { skill = { quit_frailty = 0.9, speed = 0.9 }, speed = { quit_frailty = -0.9 } }",
            "must be possible together",
        ),
    ],
)
def test_what_cannot_be_is_named(line, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        parse((TEXT + line).encode(), "test.toml", CATALOG)
