"""Small scenarios for tests of runs."""

from __future__ import annotations

from engine.scenario import Scenario, parse, setup_of
from engine.setup import Setup
from sims.catalog import Catalog

TEXT = """
format = 1
title = "Small"
seed = 11

[game]
name = "{game}"

[dial]
floor = 0.0
ceiling = 1.0

[target]
win_rate = 0.6

[controller]
name = "{controller}"

[players]
count = {players}

[[cohort]]
name = "new"
share = 0.5

[[cohort]]
name = "old"
share = 0.5
[cohort.traits]
skill = {{ kind = "normal", mean = 1.0, sd = 0.5 }}

[horizon]
days = 20
attempts_per_player = {attempts}
"""


def scenario(
    game: str = "logistic",
    controller: str = "weighted_up_down",
    players: int = 40,
    attempts: int = 2000,
    name: str = "small.toml",
) -> Scenario:
    """A scenario of two cohorts; with these numbers it has four chunks."""
    text = TEXT.format(game=game, controller=controller, players=players, attempts=attempts)
    return parse(text.encode(), name, Catalog())


def setup(**choices) -> Setup:
    """The same, as the world plays it."""
    return setup_of(scenario(**choices), Catalog())
