"""Players of a scenario as the likelihood needs them, without files between."""

from __future__ import annotations

import numpy as np

from engine.game import WON
from engine.players import QUIT
from engine.scenario import parse, setup_of
from engine.world import chunks, simulate
from sims.calibration.game.play_settings import PlaySettings, settings_of
from sims.calibration.histories import Histories, Plays, histories_of
from sims.catalog import Catalog

SCENARIO = """
format = 1
seed = {seed}
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.7
tolerance = 0.05
[controller]
name = "{controller}"
[players]
count = {players}
[players.flow]
quit_streak = 0.3
quit_won = 0.2
quit_frustration = 0.0
[[cohort]]
name = "players"
share = 1.0
[cohort.traits]
skill = {{ kind = "normal", mean = 0.4, sd = 0.7 }}
learning = 0.25
fatigue = 0.1
quit_frailty = {{ kind = "normal", mean = -5.0, sd = 0.8 }}
[cohort.correlation]
skill = {{ quit_frailty = -0.5 }}
[horizon]
days = 300
attempts_per_player = {attempts}
"""
TRUTH = {"skill_mean": 0.4, "log_skill_sd": float(np.log(0.7)), "learning": 0.25, "fatigue": 0.1}


def setup_for(game: str, *, players: int, attempts: int, seed: int, controller: str = "staircase"):
    """What a world plays: players with the truth above, whose difficulty a controller moves."""
    text = SCENARIO.format(game=game, players=players, attempts=attempts, seed=seed, controller=controller)
    return setup_of(parse(text.encode(), "planted", Catalog()), Catalog())


def played_plays(setup) -> tuple[PlaySettings, Histories]:
    """The settings of what these players played, and their histories."""
    parts = [simulate(setup, chunk) for chunk in chunks(setup)]
    rows = np.concatenate([part.rows for part in parts])
    people = np.concatenate([part.players for part in parts])
    gone = people["player"][people["left"] == QUIT]
    last = np.append(rows["player"][1:] != rows["player"][:-1], True)
    names = tuple(f"param_{name}" for name in setup.game.space.names)
    settings = settings_of(setup.game, names, np.array(rows["params"]))
    places, level = settings.places()
    plays = Plays(
        places,
        rows["player"].astype(np.int64),
        level,
        (rows["outcome"] == WON).astype(np.int8),
        rows["attempt"].astype(np.int64),
        rows["place"].astype(np.int64),
        (last & np.isin(rows["player"], gone)).astype(np.int8),
        np.ones(len(rows), np.int8),
        dial=settings.dial,
    )
    return settings, histories_of(plays)
