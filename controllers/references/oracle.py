"""Oracle: plays at the difficulty whose true win probability is the target, because it knows the player.

It rebuilds each player by address, as the world does, follows their condition, and throws the same dice, so that it
knows the last outcome even where results come late. What it cannot reach, because the dial ends before, it misses as
little as possible; where a coarse knob makes the chance jump over the target, it takes either side by luck, as often as
meets the target. In a game without a closed form the chance map of the cohort tells the chance: on this level, of a
player with these traits. How far the map is off is all that it misses by, so a judge must not judge it by that map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from engine.arithmetic import logistic
from engine.attempt import attempt_of, unpack_params
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who
from engine.external.external_game import rules_of
from engine.game import WON, Game
from engine.kernel import compiled
from engine.parameters import value_at
from engine.players import PLAYER, be_born, faculties_of, felt_difficulty, skill_now
from engine.randomness import CONTROLLER as RULES_LUCK
from engine.randomness import key_of, unit, words
from engine.response.chance_map import LogitChart, chance_map, chart_logit

_EVEN: Final = 1e-6  # by less the chance does not jump


class Options(NamedTuple):
    halvings: float = 40.0


class Closed(NamedTuple):
    """What a closed form is asked with."""

    table: Any  # the space of knobs
    path: Any  # the dial
    values: Any  # room for params, shape (knobs,)


@cache
def closed_chance_of(game: Game) -> Callable[..., float]:
    """(player record, place of the dial, known) -> win probability by the closed form."""
    chance, unpack, knobs = game.win_probability, unpack_params(game), len(game.space)
    assert chance is not None

    def closed_chance(player: Any, acts_at: float, known: Closed) -> float:
        for j in range(knobs):
            known.values[j] = value_at(known.table, known.path, j, acts_at, int(player["level"]))
        return float(chance(unpack(known.values), faculties_of(player)))

    return closed_chance


def mapped_chance(player: Any, acts_at: float, known: LogitChart) -> float:
    """Win probability by a chance map. Who throws an attempt loses it."""
    if int(player["place"]) < float(player["thrown"]):
        return 0.0
    return logistic(chart_logit(known, max(int(player["level"]) - 1, 0), skill_now(player), acts_at, player))


@cache
def search_of(chance_at: Callable[..., float]) -> Callable[..., float]:
    """(player record, target, floor, ceiling, halvings, known of chance_at, luck) -> difficulty, by bisection."""

    def search(
        player: Any, target: float, floor: float, ceiling: float, halvings: int, known: Any, luck: float
    ) -> float:
        easy, hard = floor, ceiling
        for step in range(halvings + 2):
            # Both ends first: where one of them is already on the wrong side, it is the answer.
            difficulty = floor if step == 0 else ceiling if step == 1 else 0.5 * (easy + hard)
            chance = chance_at(player, felt_difficulty(player, difficulty), known)
            if (step == 0 and chance <= target) or (step == 1 and chance >= target):
                return difficulty
            if chance > target:
                easy = difficulty
            else:
                hard = difficulty
        # A coarse knob makes the chance jump over the target. Both sides in turn, by luck, hit it in the mean.
        over = chance_at(player, felt_difficulty(player, easy), known) - target
        under = target - chance_at(player, felt_difficulty(player, hard), known)
        return hard if over + under > _EVEN and luck * (over + under) < over else easy

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
            self._known: list[Any] = [Closed(self._table, brief.path, self._values)] * len(brief.traits)
        else:
            self._search = compiled(search_of(mapped_chance))
            self._known = [
                chance_map(
                    brief.game, brief.space, brief.path, traits, levels=brief.levels, seed=brief.seed_of_levels
                ).chart
                for traits in brief.traits
            ]
        self._attempt = compiled(attempt_of(rules_of(brief.game, "the oracle")))
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
        key = key_of(brief.seed, brief.replica, RULES_LUCK, who.player, situation.attempt)
        difficulty = self._search(
            player, situation.target, brief.floor, brief.ceiling, self._halvings, self._known[who.cohort],
            unit(words(key, 0)[0]),
        )  # fmt: skip
        acts_at = felt_difficulty(player, difficulty)
        for j in range(len(self._values)):
            self._values[j] = value_at(self._table, brief.path, j, acts_at, situation.level)
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
