"""A small scenario with two player groups, for controllers to play."""

from __future__ import annotations

from engine.scenario import Scenario, parse
from sims.catalog import Catalog

SPREAD = '{ kind = "normal", mean = 0.0, sd = 1.5 }'
TEXT = """
format = 1
title = "Small"
seed = 31
[game]
name = "{game}"
[game.bounds]
{bounds}
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
after_attempts = 10
[controller]
name = "weighted_up_down"
scope = "{scope}"
options = {{ step = 0.08 }}
[players]
count = {players}
[players.arrival]
kind = "launch"
within_days = 0.0
[players.flow]
pause_log_sd = 0.0
session_attempts = 20
[[cohort]]
name = "weak"
share = 0.5
traits = {{ skill = {skill}, session_frailty = -40.0, quit_frailty = -40.0{traits} }}
[[cohort]]
name = "strong"
share = 0.5
target = {{ win_rate = 0.4 }}
traits = {{ skill = {strong}, session_frailty = -40.0, quit_frailty = -40.0 }}
[horizon]
days = 900
attempts_per_player = {attempts}
[run]
replicas = {replicas}
"""


def two_groups(
    game: str = "logistic",
    scope: str = "player",
    players: int = 12,
    attempts: int = 40,
    replicas: int = 1,
    traits: str = "",
    skill: str = SPREAD,
    strong: str = SPREAD,
    bounds: str = "",
    name: str = "small.toml",
) -> Scenario:
    """12 players on logistic, 40 attempts each, unless something else is asked for."""
    text = TEXT.format(
        game=game, scope=scope, players=players, attempts=attempts, replicas=replicas,
        traits=f", {traits}" if traits else "", skill=skill, strong=strong, bounds=bounds,
    )  # fmt: skip
    return parse(text.encode(), name, Catalog())
