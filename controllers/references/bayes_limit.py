"""Bayes limit: the best possible play with known distributions of players, but without knowing which player this is.

A particle posterior over the scenario's own trait distributions, and the dial where the expected squared distance of
the win probability from the target is least; in a game without a closed form the chance map of each cohort stands in
its place, so it knows what every level and every trait does. No controller knows those distributions, so this is no
controller for a game: it is the measure that others are told as a ratio of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from controllers.common.imagined_players import true_cast_of
from controllers.common.particles import Cast, Numbers, best_place, on_level, particle_chances, reweight, stand_of
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Situation, Who
from engine.kernel import compiled
from engine.players import TRAIT_NAMES

STRONG: Final = ("jump_attempt", "bend_a", "bend_b")  # traits that take twice the particles where they vary
NOBODY: Final = np.zeros(0)


class Options(NamedTuple):
    particles: float = 2048.0


class BayesLimit:
    """One set of weights per player, or per cohort that shares a dial."""

    beliefs: Sequence[str] = ("particles",)

    def __init__(self, options: Options, brief: Brief) -> None:
        self._by_player = brief.scope == "player"
        self._casts = [
            true_cast_of(brief, cohort, _count(options, table), not self._by_player)
            for cohort, table in enumerate(brief.traits)
        ]
        self._weights: dict[int, Numbers] = {}
        self._places: dict[int, float] = {}
        self._placed = compiled(propose)
        self._heard = compiled(reweight_after)

    def _unit(self, who: Who) -> int:
        return who.player if self._by_player else who.cohort

    def _known(self, who: Who) -> Numbers:
        unit = self._unit(who)
        weights = self._weights.get(unit)
        return self._casts[who.cohort].weight if weights is None else weights

    def ask(self, who: Who) -> Setting:
        situation = who.situation
        cast = self._casts[who.cohort]
        unit = self._unit(who)
        near = self._places.get(unit, 0.5)
        place = self._placed(cast, self._known(who), *_moment(situation), situation.target, near)
        self._places[unit] = place
        return Setting(place)

    def tell(self, outcome: Outcome) -> None:
        who, setting, won, *_ = outcome
        situation = who.situation
        self._weights[self._unit(who)] = self._heard(
            self._casts[who.cohort], self._known(who), *_moment(situation), setting.difficulty, 1.0 if won else 0.0
        )

    def describe(self, who: Who) -> Mapping[str, float]:
        return {"particles": float(np.count_nonzero(self._known(who)))}

    def memory(self) -> dict[str, Any]:
        """Everything it has learnt, as JSON: place of the dial and weights of each player or cohort, by number."""
        return {str(unit): [place, self._weights.get(unit, NOBODY).tolist()] for unit, place in self._places.items()}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take up what `memory` gave, in place of what it knows."""
        self._places = {int(unit): place for unit, (place, _) in memory.items()}
        self._weights = {int(unit): np.array(weights) for unit, (_, weights) in memory.items() if weights}


def propose(
    cast: Cast, weights: Numbers, attempt: float, place: float, last: float, level: int, target: float, near: float
) -> float:
    """Where the dial belongs for this attempt."""
    return best_place(cast, weights, on_level(stand_of(cast, attempt, place, last), level), target, near)


def reweight_after(
    cast: Cast, weights: Numbers, attempt: float, place: float, last: float, level: int, difficulty: float, won: float
) -> Numbers:
    """Weights after one outcome."""
    p = particle_chances(cast, on_level(stand_of(cast, attempt, place, last), level), weights, 0.0, difficulty)
    return reweight(weights, p, won, 1.0)


def _moment(situation: Situation) -> tuple[float, float, float, int]:
    """Attempt, place, last outcome and level; the target stands for an outcome that is not known."""
    last = situation.target if situation.last < 0.0 else situation.last
    return float(situation.attempt), float(situation.place), last, situation.level


def _count(options: Options, table: Any) -> int:
    count = 1 << (int(options.particles).bit_length() - 1)
    varies = any(table[TRAIT_NAMES.index(name), 0] != 0.0 for name in STRONG)
    return 2 * count if varies else count


CONTROLLER: Final = ControllerKind(
    name="bayes_limit",
    mode="reference",
    summary="The best possible play when only the distribution of players is known: the limit for all controllers.",
    formula="W_j <- W_j p_j(d)^won (1 - p_j(d))^(1 - won); d = argmin of sum_j W_j (p_j(d) - target)^2",
    source="Bayes' rule on Sobol particles of the scenario's own trait distributions",
    use="To measure other controllers. No game can use it: it reads the distributions of its players.",
    options=Options,
    option_list=(
        Option(
            "particles",
            64.0,
            65536.0,
            "imagined players per cohort, rounded down to a power of two; twice as many for jumps and bends",
        ),
    ),
    make=BayesLimit,
    scopes=("player", "cohort"),
    belief_units={"particles": "1"},
)
