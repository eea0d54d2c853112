"""Oracle: plays at the difficulty whose true win probability is the target, because it knows the player.

It rebuilds each player by address, as the world does, follows their condition, and makes the same draws. So it knows
the last outcome even where outcomes arrive late. A target beyond the ends of the dial it misses as little as possible.
In a game without a closed form the response map of the player's cohort gives the win probability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.arithmetic import logistic
from engine.attempt import attempt_of, unpack_params
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who
from engine.game import WON, Game
from engine.kernel import compiled
from engine.parameters import along, to_real
from engine.players import PLAYER, be_born, faculties_of, felt_difficulty, skill_now
from engine.response.response_map import logit_at, response_map


class Options(NamedTuple):
    halvings: float = 40.0


@cache
def closed_chance_of(game: Game) -> Callable[..., float]:
    """(player record, place of the dial, table, path, values) -> win probability by the closed form."""
    chance, unpack, knobs = game.win_probability, unpack_params(game), len(game.space)
    assert chance is not None

    def closed_chance(player: Any, acts_at: float, table: Any, path: Any, values: Any) -> float:
        for j in range(knobs):
            values[j] = to_real(table, j, along(path, j, acts_at))
        return float(chance(unpack(values), faculties_of(player)))

    return closed_chance


def mapped_chance(player: Any, acts_at: float, logits: Any, skills: Any, dial: Any) -> float:
    """Win probability by a response map; a thrown attempt is lost."""
    if int(player["place"]) < float(player["thrown"]):
        return 0.0
    return logistic(logit_at(logits, skills, dial, skill_now(player), acts_at))


@cache
def search_of(chance_at: Callable[..., float]) -> Callable[..., float]:
    """(player record, target, floor, ceiling, halvings, three arrays of chance_at) -> difficulty, by bisection."""

    def search(
        player: Any, target: float, floor: float, ceiling: float, halvings: int, one: Any, two: Any, three: Any
    ) -> float:
        easy, hard = floor, ceiling
        for step in range(halvings + 2):
            # Both ends first: where one of them is already on the wrong side, it is the answer.
            difficulty = floor if step == 0 else ceiling if step == 1 else 0.5 * (easy + hard)
            chance = chance_at(player, felt_difficulty(player, difficulty), one, two, three)
            if (step == 0 and chance <= target) or (step == 1 and chance >= target):
                return difficulty
            if chance > target:
                easy = difficulty
            else:
                hard = difficulty
        return easy

    return search


class Oracle:
    """A record per player, as the world keeps one."""

    beliefs: Sequence[str] = ()

    def __init__(self, options: Options, brief: Brief) -> None:
        self._brief = brief
        self._halvings = int(options.halvings)
        self._values = np.empty(len(brief.space))
        self._table = brief.space.table()
        if brief.game.win_probability is not None:
            self._search = compiled(search_of(closed_chance_of(brief.game)))
            self._known = [(self._table, brief.path, self._values)] * len(brief.traits)
        else:
            self._search = compiled(search_of(mapped_chance))
            maps = [response_map(brief.game, brief.space, brief.path, traits) for traits in brief.traits]
            self._known = [(known.logits.ravel(), known.skills, known.dial) for known in maps]
        self._attempt = compiled(attempt_of(brief.game))
        self._birth = compiled(be_born)
        self._players: dict[int, Any] = {}

    def _player(self, who: Who) -> Any:
        player = self._players.get(who.player)
        if player is None:
            brief = self._brief
            player = self._players[who.player] = np.zeros(1, PLAYER)
            traits = brief.traits[who.cohort]
            self._birth(player[0], who.player, who.cohort, traits, brief.seed, brief.replica, 0, 0.0)
        return player[0]

    def ask(self, who: Who) -> Setting:
        brief, situation = self._brief, who.situation
        player = self._player(who)
        player["attempts"], player["place"], player["level"] = situation.attempt, situation.place, situation.level
        difficulty = self._search(
            player, situation.target, brief.floor, brief.ceiling, self._halvings, *self._known[who.cohort]
        )
        acts_at = felt_difficulty(player, difficulty)
        for j in range(len(self._values)):
            self._values[j] = to_real(self._table, j, along(brief.path, j, acts_at))
        result = self._attempt(
            self._values, faculties_of(player), brief.seed, brief.replica, who.player, situation.attempt,
            situation.level, brief.layout_seed,
        )  # fmt: skip
        player["last"] = 1.0 if result.outcome == WON else 0.0
        return Setting(difficulty)

    def tell(self, outcome: Outcome) -> None:
        """It knows the outcome already."""

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


CONTROLLER: Final = ControllerKind(
    name="oracle",
    mode="reference",
    summary="Plays at the target's true difficulty because it knows the player, which no controller can.",
    formula="d with p(d | the player's true traits and condition) = target, by bisection",
    source="the definition of the goal",
    use="To check the measurement: its error must be 0 except at the ends of the range. No game can use it.",
    options=Options,
    option_list=(Option("halvings", 10.0, 60.0, "steps of the bisection"),),
    make=Oracle,
)
