"""Targets that run against skill, found before anything is played.

Where two cohorts differ in nothing but skill and practice, and more skill never wins less (the contract of every game),
the one that is ahead in skill wins at least as often at any setting. It need not be ahead everywhere: with the
distribution functions F of the skilled cohort and G of the other one, and a chance to win that rises with skill,

    other's win rate - skilled one's = integral of (F - G) over the chance <= sup max(F - G, 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations
from typing import Final

import numpy as np

from engine.players import OVERRIDES, TRAIT_NAMES, drawn, skill_now
from engine.scenario import setup_of
from sims.catalog import Catalog
from sims.tuning.answer.phrases import band_text
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment
from sims.tuning.search.search_space import Numbers
from sims.tuning.simulator import unshared_traits

_GRIDS: Final = {"skill": 250, "learning": 40}  # quantiles of the traits that may differ between players
_OTHERS: Final = ("practice_gain", "practice_attempts", "jump", "jump_attempt", "lowest_skill", "highest_skill")
_ALIKE: Final = ("slope", "speed", *OVERRIDES, "tilt", "thrown")  # what else decides an attempt of such a player
_FRESH: Final = {"fatigue": 0.0, "tiring": 0.0, "tilt": 0.0, "place": 0}  # at the first attempt of a session
_GAP: Final = 0.02  # between two bands, at least: games keep the order of skill but for noise
_LOST: Final = 0.005  # of a win rate: a lead in skill may be lost by no more, or nobody is called more skilled


def find_contradiction(problem: Problem) -> str:
    """Say which two targets no setting can meet both, the farthest apart; empty where that is not sure of any two."""
    setup = setup_of(problem.scenario, Catalog())
    tables = [unshared_traits(table) for table in setup.traits]
    cohorts = problem.scenario.cohorts

    @cache
    def skills(cohort: int) -> Numbers:
        return skills_of(tables[cohort], problem.scenario.after_attempts)

    @cache
    def as_skilled(one: int, other: int) -> bool:
        """Whether a cohort is as skilled as another one, or more, and else like it."""
        if not np.array_equal(_rows(tables[one], _ALIKE), _rows(tables[other], _ALIKE), equal_nan=True):
            return False
        both = skills(one), skills(other)
        return all(map(len, both)) and lead_lost(*both) <= _LOST

    for skilled, other in sorted(_pairs(problem.segments), key=lambda pair: pair[0].high - pair[1].low):
        if other.low - skilled.high <= _GAP:
            break
        if as_skilled(skilled.cohort, other.cohort):
            they, these = cohorts[skilled.cohort], cohorts[other.cohort]
            skill = "as skilled as" if as_skilled(other.cohort, skilled.cohort) else "more skilled than"
            return (
                f"no setting can meet all targets: {they} are {skill} {these} and win at least as often at any "
                f"setting, but are to win {band_text(skilled)}{f' on level {skilled.level}' * bool(skilled.level)} "
                f"where {these} are to win {band_text(other)}; give targets that rise with skill, or let a controller "
                "give each player a setting of their own (flowdial run)"
            )
    return ""


def skills_of(table: Numbers, attempts: int) -> Numbers:
    """A cohort's skill after so many attempts, as equally likely values; none where practice is drawn in other ways.

    table: the cohort's traits, of strangers, see sims.tuning.simulator.
    """
    rows = dict(zip(TRAIT_NAMES, table, strict=True))
    if any(rows[name][0] != 0.0 for name in _OTHERS):
        return np.empty(0)
    player = {name: drawn(rows[name], 0, 0) for name in _OTHERS} | _FRESH | {"attempts": attempts}
    skills, paces = (
        [drawn(rows[name], ((2 * i + 1) << 32) // (2 * size), 0) for i in range(size)] for name, size in _GRIDS.items()
    )
    return np.array([skill_now({**player, "skill": skill, "learning": pace}) for skill in skills for pace in paces])


def lead_lost(skilled: Numbers, other: Numbers) -> float:
    """By how much a cohort may win more often than one that is ahead in skill: sup max(F - G, 0). Both equally likely.

    It is 0 where each quantile of the skilled cohort lies above the other's.
    """
    places = np.concatenate([skilled, other])
    ends = (np.searchsorted(np.sort(one), places, side="right") / len(one) for one in (skilled, other))
    return max(float(np.max(next(ends) - next(ends))), 0.0)


def _pairs(segments: Sequence[Segment]) -> Iterator[tuple[Segment, Segment]]:
    """Two cohorts on one level, both ways round."""
    for level in dict.fromkeys(segment.level for segment in segments):
        yield from permutations([segment for segment in segments if segment.level == level], 2)


def _rows(table: Numbers, names: tuple[str, ...]) -> Numbers:
    return table[[TRAIT_NAMES.index(name) for name in names]]
