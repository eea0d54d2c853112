"""What the dial does to a cohort on each numbered level: its mean win probability from floor to ceiling.

The players are imagined: drawn from the cohort's traits, in the condition in which they reach the level if
they win as often as they should. The chance is a closed form's, or that of the chance map.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import logistic
from engine.attempt import unpack_params
from engine.game import Game
from engine.kernel import compiled
from engine.parameters import along, to_real
from engine.players import PLAYER, be_born, faculties_of, felt_difficulty, skill_now
from engine.response.chance_map import MAP_REPLICA, LogitChart, chance_map, chart_logit
from engine.setup import Setup

Numbers = npt.NDArray[np.float64]

IMAGINED: Final = 200  # players of each cohort
CELLS: Final = 100  # of the dial from floor to ceiling
_NEAR: Final = 5  # cells to each side over which a slope is taken


class LevelCurves(NamedTuple):
    """Mean win probabilities of each cohort on each level."""

    places: Numbers  # of the dial, shape (CELLS + 1,)
    chances: Numbers  # never rising along the dial, shape (cohorts, levels, CELLS + 1)

    def place(self, cohort: int, level: int, target: float) -> float:
        """Where the cohort wins a level, from 1, as often as wanted; an end of the dial where it nowhere does."""
        curve = self.chances[cohort, level - 1]
        if curve[0] <= target:
            return float(self.places[0])
        for k in range(CELLS):
            if curve[k + 1] <= target:
                share = (curve[k] - target) / (curve[k] - curve[k + 1])
                return float(self.places[k] + (self.places[k + 1] - self.places[k]) * share)
        return float(self.places[CELLS])

    def slope(self, cohort: int, level: int, place: float) -> float:
        """|dp/dd| of the cohort's mean on a level, around a place."""
        step = float(self.places[1] - self.places[0])
        k = int((place - float(self.places[0])) / step + 0.5)
        low, high = max(k - _NEAR, 0), min(k + _NEAR, CELLS)
        curve = self.chances[cohort, level - 1]
        return float(curve[low] - curve[high]) / ((high - low) * step)

    def nearest(self, cohort: int, level: int, target: float) -> float:
        """The mean win probability nearest to the target that the dial reaches on a level."""
        curve = self.chances[cohort, level - 1]
        return min(max(target, float(curve[-1])), float(curve[0]))


@lru_cache(maxsize=8)
def level_curves(setup: Setup) -> LevelCurves:
    """The curves of a campaign; they take a map of each cohort, which is measured when it is new.

    Where each replica has levels of its own, they are those of fresh layouts: one map for all replicas.
    """
    places = np.array([setup.floor + (setup.ceiling - setup.floor) * k / CELLS for k in range(CELLS + 1)])
    chances = np.empty((len(setup.cohorts), setup.levels, CELLS + 1))
    players = np.zeros(IMAGINED, PLAYER)
    for cohort, traits in enumerate(setup.traits):
        if setup.game.win_probability is not None:
            kernel = compiled(closed_curve_of(setup.game))
            known: Any = Dial(setup.space.table(), np.ascontiguousarray(setup.path), np.empty(len(setup.space)))
        else:
            kernel = compiled(mapped_curve)
            levels, seed = (0, 0) if setup.own_layouts else (setup.levels, setup.brief(0).seed_of_levels)
            known = chance_map(setup.game, setup.space, setup.path, traits, levels=levels, seed=seed).chart
        tried = 0.0
        for level in range(setup.levels):
            compiled(imagine)(players, np.ascontiguousarray(traits), cohort, level + 1, int(tried))
            kernel(players, places, known, chances[cohort, level])
            tried += 1.0 / float(setup.targets[cohort, level])
    return LevelCurves(places, np.minimum.accumulate(chances, axis=2))


class Dial(NamedTuple):
    """What turns a place into params."""

    table: Any
    path: Any
    values: Any  # room for params, shape (knobs,)


def imagine(players: Any, traits: Any, cohort: int, level: int, tried: int) -> None:
    """Fill PLAYER records with players of no run, who have made so many attempts and begin a session."""
    for i in range(len(players)):
        be_born(players[i], i, cohort, traits, 0, MAP_REPLICA, level, 0.0)
        players[i]["attempts"] = tried
        players[i]["thrown"] = 0.0


def mapped_curve(players: Any, places: Any, known: LogitChart, out: Any) -> None:
    """Mean win probability of players at each place, by a chance map, into out."""
    for k in range(len(places)):
        total = 0.0
        for i in range(len(players)):
            player = players[i]
            place = felt_difficulty(player, float(places[k]))
            row = min(int(player["level"]), max(len(known.terms), 1)) - 1  # one row where layouts are fresh
            total += logistic(chart_logit(known, row, skill_now(player), place, player))
        out[k] = total / len(players)


@cache
def closed_curve_of(game: Game) -> Callable[..., None]:
    """The same by the game's closed form: the plain kernel."""
    chance, unpack, knobs = game.win_probability, unpack_params(game), len(game.space)
    if chance is None:
        raise ValueError(f"only a game with a closed form has a closed curve, {game.name} has none")

    def closed_curve(players: Any, places: Any, known: Dial, out: Any) -> None:
        for k in range(len(places)):
            total = 0.0
            for i in range(len(players)):
                place = felt_difficulty(players[i], float(places[k]))
                for j in range(knobs):
                    known.values[j] = to_real(known.table, j, along(known.path, j, place))
                total += chance(unpack(known.values), faculties_of(players[i]))
            out[k] = total / len(players)

    return closed_curve
