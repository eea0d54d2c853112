"""Best static: the one difficulty that serves a whole cohort best, if it has to be one.

It minimises the mean of (p - target)^2 over the cohort's players and their attempts, as foretold for other players
drawn from the same traits. What a controller gains over it is what steering is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from controllers.casting import cast_of, closed_ground
from controllers.particles import CELLS, Numbers, chances, stand_of
from engine.controller import Brief, ControllerKind, Option, Outcome, Setting, Who

PLAYERS: Final = 512
MOMENTS: Final = 24  # attempts at which the mean is taken, at equal steps


class Options(NamedTuple):
    attempts: float = 200.0
    session: float = 50.0


class BestStatic:
    """A difficulty per cohort and target, found when it is first asked for."""

    beliefs: Sequence[str] = ()

    def __init__(self, options: Options, brief: Brief) -> None:
        ground = closed_ground(brief)
        self._options, self._floor, self._ceiling = options, brief.floor, brief.ceiling
        self._casts = [cast_of(table, ground, PLAYERS, False) for table in brief.traits]
        self._found: dict[tuple[int, float], float] = {}

    def ask(self, who: Who) -> Setting:
        key = who.cohort, who.situation.target
        if key not in self._found:
            misses = self.misses(*key)
            places = np.arange(CELLS + 1) / CELLS
            allowed = (places >= self._floor) & (places <= self._ceiling)
            best = float(places[np.argmin(np.where(allowed, misses, np.inf))]) if allowed.any() else self._floor
            self._found[key] = best
        return Setting(self._found[key])

    def misses(self, cohort: int, target: float) -> Numbers:
        """Mean of (p - target)^2 at every place of the dial, shape (CELLS + 1,).

        An outcome before counts as a win with the chance that the target gives it.
        """
        cast = self._casts[cohort]
        found = np.zeros(CELLS + 1)
        for moment in range(MOMENTS):
            attempt = float(int((moment + 0.5) / MOMENTS * self._options.attempts))
            stand = stand_of(cast, attempt, attempt % self._options.session, target)
            for cell in range(CELLS + 1):
                off = chances(cast, stand, cell / CELLS) - target
                found[cell] += float(off @ off) / len(off) / MOMENTS
        return found

    def tell(self, outcome: Outcome) -> None:
        """It is deaf."""

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


CONTROLLER: Final = ControllerKind(
    name="best_static",
    mode="reference",
    summary="The one difficulty per cohort that would have served its players best: what steering is measured against.",
    formula="d = argmin of the mean of (p(d) - target)^2 over players like these and their attempts",
    source="the best constant in hindsight, as regret is defined",
    use="To measure regret against. No game can use it: it reads the distributions that its players were drawn from.",
    options=Options,
    option_list=(
        Option("attempts", 1.0, 100000.0, "attempts of a player over which the mean is taken"),
        Option("session", 1.0, 100000.0, "attempts of a session"),
    ),
    make=BestStatic,
)
