"""The answer of a study: the options, how good each is, what each knob does, and what the targets cannot have.

Everything follows from the counts. An option is left out when another one is at least as good in everything and better
in something: in what can be said of its targets, its largest error, the size of its change, and the gap between
segments. A further option that is far from its targets is left out, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import RateInterval
from engine.parameters import Knob, Value
from sims.tuning.answer.feasibility import Feasibility, feasibility_of
from sims.tuning.answer.sensitivity import Effect, effects_of
from sims.tuning.final_race import Rate
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment
from sims.tuning.search.least_change import change_size
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import CountedPoint, StudyRecord
from sims.tuning.study_files import LETTERS, shown_values
from sims.verdict.verdict import further_players

MET: Final = "met"
MISSED: Final = "missed"
CANNOT_TELL: Final = "cannot tell"
_FAR: Final = 2.0  # tolerances by which a further option may miss the middle of a target ...
_FARTHER: Final = 1.25  # ... or so many times as much as the first option does
_SAME: Final = 1e-9  # distance of equal positions of a knob, from rounding


class KnobChange(NamedTuple):
    """A knob that a setting changes."""

    knob: Knob
    before: Value
    after: Value


@dataclass(frozen=True)
class MeasuredSetting:
    """One setting and its measured win rates: an option, or the designer's defaults."""

    letter: str  # "A", "B" ...; "" for the designer's defaults
    point: CountedPoint
    changes: tuple[KnobChange, ...]
    change_size: float  # mean over knobs, as a share of their ranges, see sims.tuning.search.least_change
    verdicts: tuple[str, ...]  # by segment: MET, MISSED or CANNOT_TELL
    error: float  # largest distance of a measured rate from its target; NaN where a segment was not measured
    spread: float  # between segments: largest signed distance less the smallest

    @property
    def rates(self) -> tuple[Rate, ...]:
        """By segment."""
        return self.point.rates

    @property
    def meets_all(self) -> bool:
        """Whether every interval lies inside its band."""
        return all(one == MET for one in self.verdicts)

    @property
    def misses(self) -> tuple[int, ...]:
        """Segments whose interval lies outside the band."""
        return tuple(k for k, one in enumerate(self.verdicts) if one == MISSED)

    @property
    def undecided(self) -> tuple[int, ...]:
        """Segments whose interval holds an edge of the band, or that were not measured."""
        return tuple(k for k, one in enumerate(self.verdicts) if one == CANNOT_TELL)

    @property
    def measured(self) -> bool:
        """Whether every segment has counts."""
        return all(rate.attempts for rate in self.rates)

    @property
    def judged(self) -> int:
        """Attempts that measured it, of all segments."""
        return sum(rate.attempts for rate in self.rates)

    @property
    def rank(self) -> int:
        """0: meets all targets; 1: may meet them; 2: does not."""
        return 0 if self.meets_all else 2 if self.misses else 1


@dataclass(frozen=True)
class Answer:
    """What a study says."""

    record: StudyRecord  # its options are those of the answer, in this order
    baseline: MeasuredSetting
    options: tuple[MeasuredSetting, ...]  # one or more, best first
    dropped: int  # options that were measured and left out, since another one is as good in everything
    far: int  # and those that are far from their targets
    effects: tuple[Effect, ...]  # around the first option, most influential first
    feasibility: Feasibility  # of the first option's missed targets
    constant: tuple[tuple[Segment, bool], ...]  # segments that always won (True) or never, at every setting

    @property
    def problem(self) -> Problem:
        """What was asked."""
        return self.record.problem

    @property
    def nothing_to_change(self) -> bool:
        """Whether the designer's defaults meet all targets."""
        return any(one.meets_all and not one.changes for one in (self.baseline, *self.options))


def answer_of(record: StudyRecord) -> Answer:
    """The answer that follows from the counts of a study."""
    problem = record.problem
    options, dropped = _front([_setting(problem, point) for point in record.options])
    front = len(options)
    options = [one for i, one in enumerate(options) if not i or not _far(problem, one, options[0])]
    tells = [entry.tell for entry in record.history]
    first = options[0].point
    return Answer(
        replace(record, options=tuple(option.point for option in options)),
        _setting(problem, record.baseline),
        tuple(replace(option, letter=LETTERS[i].upper()) for i, option in enumerate(options)),
        dropped,
        front - len(options),
        effects_of(problem, tells, first.point),
        feasibility_of(problem, tells, first.point, first.rates),
        tuple(_constant_segments(record)),
    )


def target_verdict(rate: Rate, segment: Segment) -> str:
    """Whether a target is met: only when the whole interval lies inside the band."""
    if rate.met(segment):
        return MET
    return MISSED if rate.missed(segment) else CANNOT_TELL


def further_attempts(rate: Rate, segment: Segment) -> int | None:
    """How many more attempts would probably decide on a target; None where no sensible number would."""
    if not rate.attempts:
        return None
    margin = RateInterval(
        rate.rate, rate.low, rate.high, math.nan, rate.attempts, rate.attempts, "Wilson over attempts"
    )
    return further_players(margin, (segment.low, segment.high), rate.attempts, at_any_price=True)


def differ(one: Rate, other: Rate) -> bool:
    """Whether two rates, each of players of its own, differ by more than noise at 95 % or more."""
    if not (one.attempts and other.attempts):
        return False
    return abs(one.rate - other.rate) > math.hypot(one.high - one.low, other.high - other.low) / 2.0


def stage_error(stage: StageResult, segments: Sequence[Segment]) -> float:
    """The largest distance of a stage's measured rates from their targets; NaN where a segment was not measured."""
    if not all(stage.attempts):
        return math.nan
    rates = (wins / attempts for wins, attempts in zip(stage.wins, stage.attempts, strict=True))
    return max(abs(rate - segment.target) for rate, segment in zip(rates, segments, strict=True))


def _setting(problem: Problem, point: CountedPoint) -> MeasuredSetting:
    distances = [rate.rate - segment.target for rate, segment in zip(point.rates, problem.segments, strict=True)]
    measured = all(rate.attempts for rate in point.rates)
    return MeasuredSetting(
        letter="",
        point=point,
        changes=tuple(_changes(problem, point)),
        change_size=float(change_size(problem.search_space, np.array([point.point]), problem.start)[0]),
        verdicts=tuple(map(target_verdict, point.rates, problem.segments)),
        error=max(map(abs, distances)) if measured else math.nan,
        spread=max(distances) - min(distances) if measured else math.nan,
    )


def _changes(problem: Problem, point: CountedPoint) -> Iterator[KnobChange]:
    before, after = (shown_values(problem, one) for one in (problem.start, point.point))
    for j, was, place in zip(problem.space.free, problem.start, point.point, strict=True):
        knob = problem.space[j]
        if abs(was - place) > _SAME:
            yield KnobChange(knob, before[knob.name], after[knob.name])


def _front(options: Sequence[MeasuredSetting]) -> tuple[list[MeasuredSetting], int]:
    """The options that no other one dominates, best first, and how many were left out.

    Those that meet all targets come first, then those that may, both in the order of the final race: the measurement
    that is reported must not rank them. Where no target can be met, the least error comes first.
    """
    front = [one for one in options if not any(_dominates(other, one) for other in options)]
    front.sort(key=lambda option: (option.rank, option.error if option.rank == 2 else 0.0))
    return front, len(options) - len(front)


def _far(problem: Problem, option: MeasuredSetting, first: MeasuredSetting) -> bool:
    """Whether a further option misses a target by too much to be offered."""

    def miss(one: MeasuredSetting) -> float:
        return max(
            abs(rate.rate - segment.target) / max(segment.tolerance, 1e-6)
            for rate, segment in zip(one.rates, problem.segments, strict=True)
            if rate.attempts
        )

    return option.measured and miss(option) > max(_FAR, _FARTHER * miss(first))


def _dominates(one: MeasuredSetting, other: MeasuredSetting) -> bool:
    if not (one.measured and other.measured):
        return False
    left, right = ((o.rank, o.error, o.change_size, o.spread) for o in (one, other))
    return left != right and all(a <= b for a, b in zip(left, right, strict=True))


def _constant_segments(record: StudyRecord) -> Iterator[tuple[Segment, bool]]:
    """Segments that won all attempts of the study, or none."""
    for k, segment in enumerate(record.problem.segments):
        attempts = sum(entry.tell.attempts[k] for entry in record.history)
        wins = sum(entry.tell.wins[k] for entry in record.history)
        if attempts and wins in (0, attempts):
            yield segment, wins > 0
