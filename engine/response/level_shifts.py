"""Where each numbered level stands for a rule: how far its dial is moved, so that the rule need not know the level.

A rule tracks players, and meets levels that differ more than players do: in layout, and where they have targets of
their own, in what is wanted. So the engine moves the dial. The shift of a level is the distance from where the rule
begins, when it hears the level's target, to where the cohort wins this level as often as that target says. So a rule
starts each level from there, and what it learns of its players holds on all levels. A rule that hears won - target
alone begins at one place for all targets; one with a model of players moves by its model, which knows no layout. The
rule asks and hears on its own scale.

Where players share a rule, enough of them meet each level that its shift is learnt from there on: stochastic
approximation with gain 1 / (slope (n + PRIOR)), the classic one with the level's own slope (Robbins and Monro 1951).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.controller import Outcome, Setting, Situation, Who
from engine.response.level_curves import level_curves
from engine.rule import PerPlayer, bounds_of, first_state, prepare_options
from engine.setup import Setup

Numbers = npt.NDArray[np.float64]

PRIOR: Final = 50.0  # attempts that the map of a level is worth
LEAST_SLOPE: Final = 0.25  # |dp/dd|: on a flatter level a step would overshoot
MOST_LEARNT: Final = 0.25  # of the dial, to each side of the shift
_MODES: Final = ("adaptive", "self_adaptive")  # a schedule is played as it is written, a reference knows the level


def shifts_levels(setup: Setup) -> bool:
    """Whether the engine moves the dial for levels: where a cohort's levels have targets of their own, for a rule."""
    own = (setup.targets != setup.targets[:, :1]).any()
    return setup.levels > 0 and bool(own) and setup.kind.rule is not None and setup.kind.mode in _MODES


@lru_cache(maxsize=8)
def level_shifts(setup: Setup) -> Numbers:
    """How far the dial is moved, shape (cohorts, levels); all 0 where `shifts_levels` is false."""
    shifts = np.zeros(setup.targets.shape)
    rule = setup.kind.rule
    if rule is None or not shifts_levels(setup):
        return shifts
    curves = level_curves(setup)
    chosen = prepare_options(rule, setup.options, setup.brief(0))
    for cohort, targets in enumerate(setup.targets.tolist()):
        bounds = bounds_of(setup.floor, setup.ceiling, setup.targets[cohort])
        state = first_state(rule, chosen, sum(targets) / len(targets), bounds)
        for level, target in enumerate(targets, 1):
            asked = float(rule.ask(chosen, state, Situation(target, 0, level, 0, 1.0)))
            shifts[cohort, level - 1] = curves.place(cohort, level, target) - asked
    return shifts


class OnLevels:
    """A rule and where the levels stand for it: it asks and hears on its own scale. Shared, it learns of each."""

    def __init__(self, rule: PerPlayer, setup: Setup) -> None:
        self._rule = rule
        self.beliefs: Sequence[str] = rule.beliefs
        self._given = level_shifts(setup)
        self._learnt = np.zeros(self._given.shape)
        self._heard = np.zeros(self._given.shape)
        curves = level_curves(setup)
        self._slopes = np.array(
            [
                [
                    max(curves.slope(cohort, level, curves.place(cohort, level, target)), LEAST_SLOPE)
                    for level, target in enumerate(targets, 1)
                ]
                for cohort, targets in enumerate(setup.targets.tolist())
            ]
        )
        self._bounds = setup.floor, setup.ceiling
        self._learns = setup.scope != "player"

    def _shift(self, who: Who) -> float:
        at = who.cohort, who.situation.level - 1
        return float(self._given[at] + self._learnt[at])

    def ask(self, who: Who) -> Setting:
        return Setting(self._rule.ask(who).difficulty + self._shift(who))

    def tell(self, outcome: Outcome) -> None:
        who, setting = outcome.who, outcome.setting
        common = setting.difficulty - self._shift(who)
        if self._learns:  # to nine digits: outcomes of one setting and level stay of one difficulty
            common = round(common, 9)
        self._rule.tell(outcome._replace(setting=setting._replace(difficulty=common)))
        if self._learns:
            self._learn(who, setting.difficulty, float(outcome.won) - who.situation.target)

    def _learn(self, who: Who, difficulty: float, missed: float) -> None:
        at = who.cohort, who.situation.level - 1
        floor, ceiling = self._bounds
        # Pressed against an end of the dial the level is out of reach: what it misses there says nothing of its shift.
        if (difficulty <= floor and missed < 0.0) or (difficulty >= ceiling and missed > 0.0):
            return
        self._heard[at] += 1.0
        moved = self._learnt[at] + missed / (self._slopes[at] * (self._heard[at] + PRIOR))
        self._learnt[at] = min(max(moved, -MOST_LEARNT), MOST_LEARNT)

    def describe(self, who: Who) -> Mapping[str, float]:
        return self._rule.describe(who)

    def memory(self) -> dict[str, Any]:
        """Everything it knows, as JSON."""
        return {"rule": self._rule.memory(), "learnt": self._learnt.tolist(), "heard": self._heard.tolist()}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take up what `memory` gave, in place of what it knows."""
        self._rule.remember(memory["rule"])
        self._learnt, self._heard = np.array(memory["learnt"]), np.array(memory["heard"])
