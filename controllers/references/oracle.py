"""Oracle: plays at the difficulty whose true win probability is the target, because it knows the player.

It rebuilds each player by address, as the world does, follows their condition, and throws the same dice, so that it
knows the last outcome even where results come late. What it cannot reach, because the dial ends before, it misses as
little as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.attempt import attempt_of, unpack_params
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who
from engine.game import WON, Game
from engine.kernel import compiled
from engine.parameters import along, to_real
from engine.players import PLAYER, be_born, faculties_of, felt


class Options(NamedTuple):
    halvings: float = 40.0


@cache
def search_of(game: Game) -> Callable[..., float]:
    """(player record, target, floor, ceiling, halvings, table, path, values) -> difficulty, by bisection."""
    chance_of = game.win_probability
    if chance_of is None:
        raise ValueError(f"the oracle needs a game with a closed form, and {game.name} has none")
    unpack, knobs = unpack_params(game), len(game.space)

    def search(
        player: Any, target: float, floor: float, ceiling: float, halvings: int, table: Any, path: Any, values: Any
    ) -> float:
        faculties = faculties_of(player)
        easy, hard = floor, ceiling
        for step in range(halvings + 2):
            # Both ends first: where one of them is already on the wrong side, it is the answer.
            difficulty = floor if step == 0 else ceiling if step == 1 else 0.5 * (easy + hard)
            acts_at = felt(player, difficulty)
            for j in range(knobs):
                values[j] = to_real(table, j, along(path, j, acts_at))
            chance = chance_of(unpack(values), faculties)
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
        self._search = compiled(search_of(brief.game))
        self._attempt = compiled(attempt_of(brief.game))
        self._birth = compiled(be_born)
        self._table = brief.space.table()
        self._values = np.empty(len(brief.space))
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
            player, situation.target, brief.floor, brief.ceiling, self._halvings, self._table, brief.path, self._values
        )
        acts_at = felt(player, difficulty)
        for j in range(len(self._values)):
            self._values[j] = to_real(self._table, j, along(brief.path, j, acts_at))
        result = self._attempt(
            self._values, faculties_of(player), brief.seed, brief.replica, who.player, situation.attempt,
            situation.level,
        )  # fmt: skip
        player["last"] = 1.0 if result.outcome == WON else 0.0
        return Setting(difficulty)

    def tell(self, outcome: Outcome) -> None:
        """It knew."""

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


CONTROLLER: Final = ControllerKind(
    name="oracle",
    mode="reference",
    summary="Plays at the target's true difficulty because it knows the player: what no controller can be.",
    formula="d with p(d | the player's true traits and condition) = target, by bisection",
    source="the definition of the goal",
    use="To check an instrument: its error must be 0 but where the dial ends. No game can use it.",
    options=Options,
    option_list=(Option("halvings", 10.0, 60.0, "steps of the bisection"),),
    make=Oracle,
)
