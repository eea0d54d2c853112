"""The worlds that twins play, and digests of what they left behind. As a program: digests of this very process.

`python -m tests.kit.twin_digests NAME ...` prints JSON, so that a process with another way to run the kernels can be
asked.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from controllers.adaptive.kalman import CONTROLLER as KALMAN
from controllers.deterministic.constant import CONTROLLER as CONSTANT
from engine.batch import Crowd, batch_rows
from engine.players import Distribution, Flow, distribution_table
from engine.setup import Setup
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC
from tests.kit.worlds import played, setup_of

# Overrides of the motor, tilt and boredom: every branch of a player.
PERSONA = {
    "skill": Distribution("uniform", -1.0, 1.0),
    "learning": Distribution("lognormal", 0.3, 0.5),
    "fatigue": Distribution("fixed", 0.1),
    "reaction_s": Distribution("normal", 0.35, 0.05, 0.2, 0.6),
    "slip": Distribution("fixed", 0.05),
    "lapse": Distribution("uniform", 0.0, 0.1),
    "foresight": Distribution("fixed", 0.9),
}
MOODY = Flow(end_won=-0.3, quit_won=-0.5, quit_boredom=1.0)

WORLDS: dict[str, Setup] = {
    "logistic endless": setup_of(counts=(8,)),
    "logistic campaign": setup_of(
        LOGISTIC, KALMAN, cohorts=({}, PERSONA), counts=(3, 3), levels=4, targets=[[0.7, 0.6, 0.5, 0.4]] * 2, flow=MOODY
    ),
    "gap_runner endless": setup_of(
        GAP_RUNNER, KALMAN, cohorts=({}, PERSONA), counts=(3, 2), targets=[[0.7], [0.5]], attempts_per_player=12
    ),
    "gap_runner campaign": setup_of(
        GAP_RUNNER, CONSTANT, cohorts=(PERSONA,), counts=(4,), levels=3, attempts_per_player=10, flow=MOODY
    ),
}
BATCHES = {"logistic batch": (LOGISTIC, 20), "gap_runner batch": (GAP_RUNNER, 3)}


def world_digest(setup: Setup, *, one_by_one: bool = False) -> str:
    """Of every bit of rows, players and sessions."""
    return _digest(table.tobytes() for table in played(setup, one_by_one=one_by_one).tables)


def batch_digest(name: str, threads: int = 1) -> str:
    game, players = BATCHES[name]
    crowd = Crowd(distribution_table(PERSONA), players, attempts=2, cohort=1, before=3)
    values = np.array([game.space.defaults(), game.space.real([0.4] * len(game.space))])
    return _digest([batch_rows(game, values, crowd, seed=5, threads=threads).tobytes()])


def digests(names: Iterable[str]) -> dict[str, Any]:
    """By name: of a batch, or of a world with one event per session and with one event per attempt."""
    return {
        name: batch_digest(name)
        if name in BATCHES
        else [world_digest(WORLDS[name]), world_digest(WORLDS[name], one_by_one=True)]
        for name in names
    }


def _digest(parts: Iterable[bytes]) -> str:
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(digests(sys.argv[1:])))
