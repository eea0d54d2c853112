"""Which knobs change which win rates, from the counts of the whole study.

Around one setting each knob alone makes a step. A number changes by a tenth of its range, half of it below the setting
and half above. A whole number changes from its value by as much, but at least by one. A choice changes to each of its
other values. The pooled model gives the effect on each segment's win rate, and draws from its posterior give the
interval: 95 % for each effect, not corrected for their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE
from engine.parameters import Knob, Value
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Tell
from sims.tuning.search.local_model import LocalModel
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

STEP: Final = 0.1  # of a knob's range
SMALL: Final = 0.05  # change of a win rate below which an effect is called small
_DRAWS: Final = 500
_NEAR: Final = 0.15  # width of the weights around the setting, as a share of each knob's range: a step is local


class Shift(NamedTuple):
    """The effect of a step on the win rate of one segment."""

    value: float
    low: float
    high: float

    @property
    def visible(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def most(self) -> float:
        """The largest change within the interval, either way."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Effect:
    """The effect of a step of one knob, all others unchanged."""

    knob: Knob
    before: Value
    after: Value  # of a number larger than before; a whole number or a choice begins at the setting's own
    shifts: tuple[Shift, ...]  # by segment

    @property
    def visible(self) -> bool:
        """Whether the effect on some segment is visible."""
        return any(shift.visible for shift in self.shifts)

    @property
    def small(self) -> bool:
        """Whether the effects on all segments are small."""
        return all(shift.most < SMALL for shift in self.shifts)

    @property
    def strongest(self) -> int:
        """The segment with the largest visible effect, or with the largest effect where none is visible."""
        return max(range(len(self.shifts)), key=lambda k: (self.shifts[k].visible, abs(self.shifts[k].value)))


class _Step(NamedTuple):
    knob: int  # position in the search space
    before: Point
    after: Point


def effects_of(problem: Problem, tells: Sequence[Tell], point: Point) -> tuple[Effect, ...]:
    """The effects of all knobs around a point, the most influential first and visible ones before others.

    tells: all counts of the study; without any there are no effects.
    """
    if not tells:
        return ()
    dice = np.random.Generator(np.random.Philox(key=[problem.scenario.seed, 0x73656E73]))
    model = LocalModel(problem.search_space, tells, np.array(point), _NEAR)
    steps = list(_steps(problem.search_space, point))
    befores, afters = (np.array([step[i] for step in steps]) for i in (1, 2))
    betas = model.draw(_DRAWS, dice)
    draw = model.chances_by(betas, afters) - model.chances_by(betas, befores)
    values = model.chances(afters) - model.chances(befores)
    tail = (1.0 - CONFIDENCE) / 2.0
    lows, highs = np.quantile(draw, (tail, 1.0 - tail), axis=0)
    effects = [_effect(problem, step, *ends) for step, *ends in zip(steps, values, lows, highs, strict=True)]
    return tuple(sorted(effects, key=lambda effect: (not effect.visible, -abs(effect.shifts[effect.strongest].value))))


def _steps(space: SearchSpace, point: Point) -> Iterator[_Step]:
    """The steps of each knob."""
    for j, levels in enumerate(space.levels):
        if space.named[j]:
            here = int(point[j] * levels)
            for cell in range(levels):
                if cell != here:
                    yield _Step(j, point, _with(point, j, (cell + 0.5) / levels))
            continue
        if levels:
            here, cells = int(point[j] * levels), max(round(STEP * levels), 1)
            there = here + cells if here + cells < levels else here - cells
            yield _Step(j, point, _with(point, j, (there + 0.5) / levels))
            continue
        low = min(max(point[j] - STEP / 2.0, 0.0), 1.0 - STEP)
        yield _Step(j, _with(point, j, low), _with(point, j, low + STEP))


def _with(point: Point, j: int, place: float) -> Point:
    return (*point[:j], place, *point[j + 1 :])


def _effect(problem: Problem, step: _Step, value: Numbers, low: Numbers, high: Numbers) -> Effect:
    place = problem.space.free[step.knob]
    knob: Knob = problem.space[place]
    before, after = (problem.values(point)[place] for point in (step.before, step.after))
    ends = list(zip(value.tolist(), low.tolist(), high.tolist(), strict=True))
    if knob.scale in ("linear", "log") and before > after:  # the hard end of the knob is its low end
        before, after = after, before
        ends = [(-middle, -upper, -lower) for middle, lower, upper in ends]
    return Effect(knob, knob.shown(before), knob.shown(after), tuple(Shift(*end) for end in ends))
