"""The answer of a study: which settings there are to choose from, how good each is, what moves what, what is in the
way.

Everything follows from the counts. An option is left out when another one is worse in nothing and better in something:
what may be said of its targets, largest error, size of change, spread between segments.
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
from sims.tuning.answer.table import verdict
from sims.tuning.final_race import Rate
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment
from sims.tuning.search.least_change import change_size
from sims.tuning.study import CountedPoint, StudyRecord
from sims.tuning.study_files import LETTERS, shown_values
from sims.verdict.verdict import further_players

MET: Final = "met"
MISSED: Final = "missed"
_SAME: Final = 1e-9  # places in the search space that are the same one but for rounding


class KnobChange(NamedTuple):
    """A knob that an option changes."""

    knob: Knob
    before: Value
    after: Value


@dataclass(frozen=True)
class TunedOption:
    """One setting with what was measured of it."""

    letter: str  # "A", "B" ...; "" for the designer's defaults
    candidate: CountedPoint
    changes: tuple[KnobChange, ...]
    change_size: float  # mean over knobs, as a share of their ranges, see sims.tuning.search.least_change
    verdicts: tuple[str, ...]  # by segment: "met", "missed" or "cannot tell"
    error: float  # the largest distance of a measured rate from its target; NaN where one was not measured
    spread: float  # between segments: the largest signed distance less the smallest

    @property
    def rates(self) -> tuple[Rate, ...]:
        """By segment."""
        return self.candidate.rates

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
        """Segments of which nothing is sure."""
        return tuple(k for k, one in enumerate(self.verdicts) if one not in (MET, MISSED))

    @property
    def measured(self) -> bool:
        """Whether there is a count for every segment."""
        return all(rate.attempts for rate in self.rates)

    @property
    def players(self) -> int:
        """Players who measured it, of all segments: one attempt each."""
        return sum(rate.attempts for rate in self.rates)

    @property
    def rank(self) -> int:
        """0: meets all targets; 1: may meet them; 2: does not."""
        return 0 if self.meets_all else 2 if self.misses else 1


@dataclass(frozen=True)
class Answer:
    """What a study found."""

    record: StudyRecord  # its options are those of the answer, in this order
    baseline: TunedOption
    options: tuple[TunedOption, ...]  # one or more, best first
    dropped: int  # options that were measured, and are worse than another one in every respect
    effects: tuple[Effect, ...]  # around the first option, most influential first
    feasibility: Feasibility  # of the first option's missed targets
    constant: tuple[tuple[Segment, bool], ...]  # segments that always won (True) or never, whatever was played

    @property
    def problem(self) -> Problem:
        """What was asked."""
        return self.record.problem

    @property
    def nothing_to_change(self) -> bool:
        """Whether the designer's defaults surely meet all targets."""
        return any(one.meets_all and not one.changes for one in (self.baseline, *self.options))


def answer_of(record: StudyRecord) -> Answer:
    """The answer that follows from what a study has counted."""
    problem = record.problem
    options, dropped = _front([_option(problem, candidate) for candidate in record.options])
    tells = [entry.tell for entry in record.history]
    first = options[0]
    return Answer(
        replace(record, options=tuple(option.candidate for option in options)),
        _option(problem, record.baseline),
        tuple(replace(option, letter=LETTERS[i].upper()) for i, option in enumerate(options)),
        dropped,
        effects_of(problem, tells, first.candidate.point),
        feasibility_of(problem, tells, first.candidate.point, first.rates),
        tuple(_constant(record)),
    )


def further_attempts(rate: Rate, segment: Segment) -> int | None:
    """How many more attempts would probably decide on a target; None where no sensible number would."""
    if not rate.attempts:
        return None
    found = RateInterval(rate.rate, rate.low, rate.high, math.nan, rate.attempts, rate.attempts, "Wilson over attempts")
    return further_players(found, (segment.low, segment.high), rate.attempts)


def apart(one: Rate, other: Rate) -> bool:
    """Whether two rates, each of players of its own, differ by more than noise at 95 % or more."""
    if not (one.attempts and other.attempts):
        return False
    return abs(one.rate - other.rate) > math.hypot(one.high - one.low, other.high - other.low) / 2.0


def _option(problem: Problem, candidate: CountedPoint) -> TunedOption:
    rates = candidate.rates
    away = [rate.rate - segment.target for rate, segment in zip(rates, problem.segments, strict=True)]
    whole = all(rate.attempts for rate in rates)
    return TunedOption(
        letter="",
        candidate=candidate,
        changes=tuple(_changes(problem, candidate)),
        change_size=float(change_size(problem.search_space, np.array([candidate.point]), problem.start)[0]),
        verdicts=tuple(map(verdict, rates, problem.segments)),
        error=max(map(abs, away)) if whole else math.nan,
        spread=max(away) - min(away) if whole else math.nan,
    )


def _changes(problem: Problem, candidate: CountedPoint) -> Iterator[KnobChange]:
    before, after = (shown_values(problem, point) for point in (problem.start, candidate.point))
    for j, was, place in zip(problem.space.free, problem.start, candidate.point, strict=True):
        knob = problem.space[j]
        if abs(was - place) > _SAME:
            yield KnobChange(knob, before[knob.name], after[knob.name])


def _front(options: Sequence[TunedOption]) -> tuple[list[TunedOption], int]:
    """The options that no other one dominates, best first, and how many were left out.

    First those that meet all targets and then those that may, both as the race ranked them: what measures must not
    rank. Where nothing can be met the least error comes first.
    """
    kept = [one for one in options if not any(_dominates(other, one) for other in options)]
    kept.sort(key=lambda option: (option.rank, option.error if option.rank == 2 else 0.0))
    return kept, len(options) - len(kept)


def _dominates(one: TunedOption, other: TunedOption) -> bool:
    if not (one.measured and other.measured):
        return False
    left, right = ((o.rank, o.error, o.change_size, o.spread) for o in (one, other))
    return left != right and all(a <= b for a, b in zip(left, right, strict=True))


def _constant(record: StudyRecord) -> Iterator[tuple[Segment, bool]]:
    """Segments that won all attempts of the study, or none."""
    for k, segment in enumerate(record.problem.segments):
        attempts, wins = (sum(counts) for counts in zip(*_counts(record, k), strict=True))
        if attempts and wins in (0, attempts):
            yield segment, wins > 0


def _counts(record: StudyRecord, k: int) -> list[tuple[int, int]]:
    return [(entry.tell.attempts[k], entry.tell.wins[k]) for entry in record.history] or [(0, 0)]
