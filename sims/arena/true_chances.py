"""The judge of a race: tells the true chance to win behind each attempt.

A game's own closed form tells it exactly. Elsewhere the response map of the player's cohort does, for attempts on the
dial: the chance of a player of that skill, averaged over whatever else the cohort's players differ in. Off the dial it
is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.kernel import compiled
from engine.parameters import along, to_real
from engine.players import felt
from engine.response.response_map import Progress, ResponseMap, response_map
from engine.response.win_probability import closed_form
from engine.setup import Setup
from engine.world import Played

OFF_THE_DIAL: Final = "it plays off the dial, and only along the dial are the game's chances known"


@dataclass(frozen=True, eq=False)
class Judge:
    """Knows the chances of one scenario. Plain data: it can be sent to another process."""

    maps: tuple[ResponseMap, ...]  # by cohort; empty where the game has a closed form

    def chances(self, setup: Setup, played: Played, rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
        """Win probability of each row, shape (rows,); NaN where it is not known. rows: some of those played."""
        if not self.maps:
            return closed_form(setup.game, rows)
        places = np.empty(len(rows))
        owners = np.searchsorted(played.players["player"], rows["player"])
        compiled(places_of)(rows, played.players, owners, setup.space.table(), setup.path, places)
        found = np.full(len(rows), math.nan)
        for cohort, known in enumerate(self.maps):
            mine = (rows["cohort"] == cohort) & ~np.isnan(places)
            found[mine] = known.probability(rows["skill"][mine], places[mine])
        return found


def places_of(rows: Any, players: Any, owners: Any, table: Any, path: Any, out: Any) -> None:
    """Where the dial acted in each row, into out; NaN where the knobs stood anywhere else than on the dial's path."""
    for i in range(len(rows)):
        row = rows[i]
        place = felt(players[owners[i]], float(row["difficulty"]))
        for j in range(len(row["params"])):
            if row["params"][j] != to_real(table, j, along(path, j, place)):
                place = math.nan
                break
        out[i] = place


def judge_of(setup: Setup, *, threads: int, told: Callable[[str], None] = lambda sentence: None) -> Judge:
    """The judge of a scenario, see `maps_of`."""
    return Judge(() if setup.game.win_probability is not None else maps_of(setup, threads=threads, told=told))


def maps_of(
    setup: Setup, *, threads: int, told: Callable[[str], None] = lambda sentence: None
) -> tuple[ResponseMap, ...]:
    """The response map of each cohort. Those that are not cached are played: told gets sentences of how far that is."""

    def heard(cohort: str) -> Progress:
        return lambda done, skills: told(
            f"playing {setup.game.name} to know its chances for {cohort}: {done} of {skills} skills"
        )

    return tuple(
        response_map(setup.game, setup.space, setup.path, traits, threads=threads, progress=heard(cohort))
        for cohort, traits in zip(setup.cohorts, setup.traits, strict=True)
    )
