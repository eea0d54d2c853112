"""What controllers are measured against: the best that anybody could do, and the best that can be had without steering.

Where best_static cannot play, as in a game whose chances have no closed form, the baseline is the best of some fixed
difficulties in hindsight, on the very players of the race: no worse than what could have been known beforehand.
"""

from __future__ import annotations

from typing import Final

from engine.setup import Setup
from sims.arena.race import STATIC, Entrant, Race, entrant_of, refusal, setup_for
from sims.arena.score import card_of
from sims.catalog import Catalog

_FIXED: Final = "constant"
PLACES: Final = 11  # fixed difficulties to choose from, at equal steps from floor to ceiling


def baselines_for(base: Setup, catalog: Catalog) -> list[Entrant]:
    """Who may be the baseline of a scenario: best_static, or fixed difficulties of which the best is to be kept."""
    static = Entrant(STATIC)
    if refusal(base, setup_for(base, static, catalog)) is None:
        return [static]
    span = base.ceiling - base.floor
    places = [round(base.floor + span * i / (PLACES - 1), 6) for i in range(PLACES)]
    return [entrant_of(catalog.controller(_FIXED), {"difficulty": place}) for place in places]


def best_of(found: Race, course: str, baselines: list[Entrant]) -> Entrant:
    """The one of the baselines with the smallest RMSE; the first of equals."""
    return min(baselines, key=lambda one: card_of(found.scores[course, one.label]).rmse.value)
