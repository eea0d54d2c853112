"""The baselines of a comparison of controllers: the best that is possible without adapting.

best_static cannot play some scenarios, as those of a game without a closed form. There the baseline is the best of some
fixed difficulties in hindsight, on the same players: no worse than any choice in advance.
"""

from __future__ import annotations

from typing import Final

from engine.setup import Setup
from sims.arena.courses import STATIC, CourseScores, Entrant, entrant_of, refusal, setup_with
from sims.arena.score import card_of
from sims.catalog import Catalog

_FIXED: Final = "constant"
PLACES: Final = 11  # fixed difficulties to choose from, at equal steps from floor to ceiling


def baselines_for(base: Setup, catalog: Catalog) -> list[Entrant]:
    """The candidates for the baseline of a scenario: best_static, or fixed difficulties of which the best is kept."""
    static = Entrant(STATIC)
    if refusal(base, setup_with(base, static, catalog)) is None:
        return [static]
    span = base.ceiling - base.floor
    places = [round(base.floor + span * i / (PLACES - 1), 6) for i in range(PLACES)]
    return [entrant_of(catalog.controller(_FIXED), {"difficulty": place}) for place in places]


def best_of(scores: CourseScores, course: str, baselines: list[Entrant]) -> Entrant:
    """The baseline with the smallest RMSE; the first of equals."""
    return min(baselines, key=lambda one: card_of(scores.scores[course, one.label]).rmse.value)
