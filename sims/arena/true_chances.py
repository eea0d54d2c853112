"""The true win probability behind each attempt.

A game's closed form gives it exactly. Without one, the response map of the player's cohort gives it for attempts on the
dial: the probability of a player of that skill, averaged over all other differences between the cohort's players. Off
the dial it is unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.kernel import compiled
from engine.parameters import along, to_real
from engine.players import felt_difficulty
from engine.response.response_map import Progress, ResponseMap, response_map
from engine.response.win_probability import closed_form
from engine.setup import Setup
from engine.world import Played
from sims.terminal import OnMessage, no_message

OFF_THE_DIAL: Final = "it moves knobs off the dial, where this game's win probabilities are unknown"


@dataclass(frozen=True, eq=False)
class Judge:
    """The win probabilities of one scenario. Plain data: it can be sent to another process."""

    maps: tuple[ResponseMap, ...]  # by cohort; empty if the game has a closed form

    def chances(self, setup: Setup, played: Played, rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
        """The win probability of each row, shape (rows,); NaN where unknown. rows: some of those played."""
        if not self.maps:
            return closed_form(setup.game, rows)
        places = np.empty(len(rows))
        owners = np.searchsorted(played.players["player"], rows["player"])
        compiled(locate_on_dial)(rows, played.players, owners, setup.space.table(), setup.path, places)
        chances = np.full(len(rows), math.nan)
        for cohort, known in enumerate(self.maps):
            mine = (rows["cohort"] == cohort) & ~np.isnan(places)
            chances[mine] = known.probability(rows["skill"][mine], places[mine])
        return chances


def locate_on_dial(rows: Any, players: Any, owners: Any, table: Any, path: Any, out: Any) -> None:
    """Write where the dial was in each row into out; NaN if the knobs were off the dial's path."""
    for i in range(len(rows)):
        row = rows[i]
        place = felt_difficulty(players[owners[i]], float(row["difficulty"]))
        for j in range(len(row["params"])):
            if row["params"][j] != to_real(table, j, along(path, j, place)):
                place = math.nan
                break
        out[i] = place


def judge_of(setup: Setup, *, threads: int, on_message: OnMessage = no_message) -> Judge:
    """The judge of a scenario, see `maps_of`."""
    return Judge(
        () if setup.game.win_probability is not None else maps_of(setup, threads=threads, on_message=on_message)
    )


def maps_of(setup: Setup, *, threads: int, on_message: OnMessage = no_message) -> tuple[ResponseMap, ...]:
    """The response map of each cohort. on_message: takes sentences while one is measured by playing."""

    def progress_of(cohort: str) -> Progress:
        return lambda done, skills: on_message(
            f"measuring win probabilities of {setup.game.name} for {cohort}: {done} of {skills} skills"
        )

    return tuple(
        response_map(setup.game, setup.space, setup.path, traits, threads=threads, progress=progress_of(cohort))
        for cohort, traits in zip(setup.cohorts, setup.traits, strict=True)
    )
