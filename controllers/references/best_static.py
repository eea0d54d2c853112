"""Best static: the best fixed difficulty for a whole cohort.

It minimises the mean of (p - target)^2 over the cohort's players and their attempts, as foretold for other players
drawn from the same traits; in a campaign over all levels with that target. What a controller gains over it is what
steering is worth. In a race the attempts and the sessions are the scenario's, where they are left at their defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from controllers.common.imagined_players import true_cast_of
from controllers.common.particles import CELLS, Cast, Numbers, on_level, particle_chances, stand_of
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who
from engine.kernel import compiled

PLAYERS: Final = 512
MOMENTS: Final = 24  # attempts at which the mean is taken, at equal steps


class Options(NamedTuple):
    attempts: float = 200.0
    session: float = 50.0


class BestStatic:
    """A difficulty per cohort and target, computed when it is first asked for."""

    beliefs: Sequence[str] = ()

    def __init__(self, options: Options, brief: Brief) -> None:
        self._options, self._floor, self._ceiling = options, brief.floor, brief.ceiling
        self._casts = [true_cast_of(brief, cohort, PLAYERS, False) for cohort in range(len(brief.traits))]
        self._targets = brief.targets
        self._numbered = brief.levels > 0
        self._found: dict[tuple[int, float], float] = {}

    def ask(self, who: Who) -> Setting:
        key = who.cohort, who.situation.target
        if key not in self._found:
            places = np.linspace(self._floor, self._ceiling, CELLS + 1)
            self._found[key] = float(places[np.argmin(self.misses(*key, places))])
        return Setting(self._found[key])

    def misses(self, cohort: int, target: float, places: Numbers) -> Numbers:
        """Mean of (p - target)^2 at places of the dial, of their shape."""
        cast, found = self._casts[cohort], np.zeros(len(places))
        levels = [0]
        if self._numbered and cast.levels > 0.0:
            levels = (np.flatnonzero(self._targets[cohort] == target) + 1).tolist()
        for level in levels:
            missed = np.zeros(len(places))
            compiled(squared_errors)(cast, self._options.attempts, self._options.session, level, target, places, missed)
            found += missed
        return found / len(levels)

    def tell(self, outcome: Outcome) -> None:
        """It ignores outcomes."""

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


def squared_errors(
    cast: Cast, attempts: float, session: float, level: int, target: float, places: Numbers, out: Numbers
) -> None:
    """Mean of (p - target)^2 over particles and MOMENTS attempts, at each place, into out.

    An outcome before counts as a win with the chance that the target gives it.
    """
    for moment in range(MOMENTS):
        attempt = math.floor((moment + 0.5) / MOMENTS * attempts)
        stand = on_level(stand_of(cast, attempt, attempt % session, target), level)
        for i in range(len(places)):
            p = particle_chances(cast, stand, cast.weight, 0.0, places[i])
            for j in range(len(p)):
                out[i] += cast.weight[j] * (p[j] - target) * (p[j] - target) / MOMENTS


CONTROLLER: Final = ControllerKind(
    name="best_static",
    mode="reference",
    summary="The best fixed difficulty for each player group: the baseline that shows what adapting gains.",
    formula="d = argmin of the mean of (p(d) - target)^2 over players like these and their attempts",
    source="the best constant in hindsight, as regret is defined",
    use="To measure regret. No game can use it: it reads the distributions of its players.",
    options=Options,
    option_list=(
        Option("attempts", 1.0, 100000.0, "attempts of a player in the mean; in a comparison the scenario's"),
        Option(
            "session",
            1.0,
            100000.0,
            "attempts of a session; in a comparison the scenario's limit, or all attempts without one",
        ),
    ),
    make=BestStatic,
    scopes=("player", "cohort"),
)
