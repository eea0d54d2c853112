"""Contradictory targets, recognised before anything is played.

Take two cohorts that differ only in skill and practice. More skill never wins less often (the contract of every game),
so the cohort with the lead in skill wins at least as often at any setting. It need not lead everywhere: with the
distribution functions F of the skilled cohort and G of the other one, and a chance to win that rises with skill,

    other's win rate - skilled one's = integral of (F - G) over the chance <= sup max(F - G, 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import permutations
from typing import Final

import numpy as np

from engine.players import OVERRIDES, TRAIT_NAMES, draw_trait, skill_now
from engine.scenario import setup_of
from sims.catalog import Catalog
from sims.tuning.answer.sentences import band_text
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment
from sims.tuning.search.search_space import Numbers
from sims.tuning.whole_runs import unshared_traits

_GRIDS: Final = {"skill": 250, "learning": 40}  # quantiles of the traits that may vary between players
_OTHERS: Final = (
    "practice_gain", "practice_attempts", "layout_share", "jump", "jump_attempt", "lowest_skill", "highest_skill",
)  # fmt: skip
_ALIKE: Final = ("slope", "speed", *OVERRIDES, "tilt", "thrown")  # the other traits that decide an attempt
# At the first attempt of a session, and on a level.
_FRESH: Final = {"fatigue": 0.0, "tiring": 0.0, "tilt": 0.0, "place": 0, "tries": 0, "forgotten": 0.0, "carried": 0.0}
_GAP: Final = 0.02  # least gap between two bands: games keep the order of skill but for noise
_LOST: Final = 0.005  # of a win rate: the most that a cohort with a lead in skill may lose against another one


def find_contradiction(problem: Problem) -> str:
    """A sentence about two targets that no setting can both meet, the furthest apart; empty where none are known."""
    setup = setup_of(problem.scenario, Catalog())
    tables = [unshared_traits(table) for table in setup.traits]
    cohorts = problem.scenario.cohorts

    @cache
    def skills(cohort: int) -> Numbers:
        return skills_of(tables[cohort], problem.scenario.after_attempts)

    @cache
    def as_skilled(one: int, other: int) -> bool:
        """Whether a cohort has at least the skill of another one, and is otherwise like it."""
        if not np.array_equal(_rows(tables[one], _ALIKE), _rows(tables[other], _ALIKE), equal_nan=True):
            return False
        both = skills(one), skills(other)
        return all(map(len, both)) and lead_lost(*both) <= _LOST

    for skilled, other in sorted(_pairs(problem.segments), key=lambda pair: pair[0].high - pair[1].low):
        if other.low - skilled.high <= _GAP:
            break
        if as_skilled(skilled.cohort, other.cohort):
            first, second = cohorts[skilled.cohort], cohorts[other.cohort]
            skill = "as skilled as" if as_skilled(other.cohort, skilled.cohort) else "more skilled than"
            level = f" on level {skilled.level}" if skilled.level else ""
            return (
                f"contradictory targets: {first} are {skill} {second}, so they win at least as often at any setting. "
                f"But the target{level} is {band_text(skilled)} for {first} and {band_text(other)} for {second}. Give "
                "targets that rise with skill, or use a controller, which gives each player a difficulty of their own "
                "(flowdial run)."
            )
    return ""


def skills_of(table: Numbers, attempts: int) -> Numbers:
    """A cohort's skill after `attempts` attempts, as equally likely values; empty for other kinds of practice.

    table: the cohort's traits by sims.tuning.whole_runs.unshared_traits.
    """
    rows = dict(zip(TRAIT_NAMES, table, strict=True))
    if any(rows[name][0] != 0.0 for name in _OTHERS):
        return np.empty(0)
    player = {name: draw_trait(rows[name], 0, 0) for name in _OTHERS} | _FRESH | {"attempts": attempts}
    skills, paces = (
        [draw_trait(rows[name], ((2 * i + 1) << 32) // (2 * size), 0) for i in range(size)]
        for name, size in _GRIDS.items()
    )
    return np.array([skill_now({**player, "skill": skill, "learning": pace}) for skill in skills for pace in paces])


def lead_lost(skilled: Numbers, other: Numbers) -> float:
    """How much more often a cohort may win than one with a lead in skill: sup max(F - G, 0).

    skilled, other: equally likely values of skill. It is 0 where each quantile of the skilled cohort lies above the
    other's.
    """
    places = np.concatenate([skilled, other])
    ends = (np.searchsorted(np.sort(one), places, side="right") / len(one) for one in (skilled, other))
    return max(float(np.max(next(ends) - next(ends))), 0.0)


def _pairs(segments: Sequence[Segment]) -> Iterator[tuple[Segment, Segment]]:
    """Pairs of cohorts on one level, in both orders."""
    for level in dict.fromkeys(segment.level for segment in segments):
        yield from permutations([segment for segment in segments if segment.level == level], 2)


def _rows(table: Numbers, names: tuple[str, ...]) -> Numbers:
    return table[[TRAIT_NAMES.index(name) for name in names]]
