"""What came of a study, as a table for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from engine.parameters import Knob, Value
from sims.terminal import aligned
from sims.tuning.final_race import Rate, estimate_rates
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import CountedPoint, StudyRecord
from sims.tuning.study_files import LETTERS, shown_values

_ROUNDED: Final = 0.002  # of a knob's range: the last digit that is shown counts no more


def outcome_table(record: StudyRecord) -> str:
    """Knobs and win rates of the defaults, of each option, and of the end of each stage."""
    columns = {"defaults": record.baseline}
    columns |= {LETTERS[option].upper(): candidate for option, candidate in enumerate(record.options)}
    for stage in record.stages:
        columns[f"after turning {', '.join(stage.knobs)}"] = end_of(stage, record.problem)
    return table(record.problem, columns)


def outcome_json(record: StudyRecord) -> dict[str, Any]:
    """The same for programs."""
    problem = record.problem
    return {
        "attempts": record.spent,
        "targets": {segment.name: [segment.low, segment.high] for segment in problem.segments},
        "baseline": candidate_json(problem, record.baseline),
        "options": [candidate_json(problem, candidate) for candidate in record.options],
        "stages": [
            {"knobs": stage.knobs, **candidate_json(problem, end_of(stage, problem))} for stage in record.stages
        ],
    }


def candidate_json(problem: Problem, candidate: CountedPoint) -> dict[str, Any]:
    """One setting with its win rates; null where nothing was played."""
    rates = zip(problem.segments, candidate.rates, candidate.wins, strict=True)
    return {
        "params": shown_values(problem, candidate.point),
        "segments": {
            segment.name: {
                "attempts": rate.attempts,
                "wins": wins,
                "rate": rate.rate if rate.attempts else None,
                "interval": [rate.low, rate.high] if rate.attempts else None,
                "verdict": verdict(rate, segment),
            }
            for segment, rate, wins in rates
        },
    }


def verdict(rate: Rate, segment: Segment) -> str:
    """What may be said of a target: met only when the whole interval lies inside the band."""
    if rate.met(segment):
        return "met"
    return "missed" if rate.missed(segment) else "cannot tell"


def end_of(stage: StageResult, problem: Problem) -> CountedPoint:
    """What a stage ended with and how it was measured then."""
    tell = Tell(stage.point, stage.attempts, stage.wins, 0)
    return CountedPoint(stage.point, stage.attempts, stage.wins, tuple(estimate_rates([tell], problem.segments)))


def table(problem: Problem, candidates: Mapping[str, CountedPoint]) -> str:
    """Knobs and win rates, a column for each candidate; the intervals of all options hold at once."""
    rows: list[list[str]] = [["", "target", *candidates]]
    values = [shown_values(problem, candidate.point) for candidate in candidates.values()]
    for name in problem.search_space.names:
        knob = problem.space[problem.space.names.index(name)]
        rows.append([name, "", *(value_text(knob, found[name]) for found in values)])
    for k, segment in enumerate(problem.segments):
        rates = [_rate(candidate.rates[k], segment) for candidate in candidates.values()]
        rows.append([segment.name, f"{segment.low:.3g} to {segment.high:.3g}", *rates])
    return aligned(rows, indent="")


def _rate(rate: Rate, segment: Segment) -> str:
    if not rate.attempts:
        return "-"
    return f"{rate.rate:.3f} ({rate.low:.3f} to {rate.high:.3f}) {verdict(rate, segment)}"


def value_text(knob: Knob, value: Value) -> str:
    """A knob's value as people read it: what rounding takes away is a thousandth of the knob's range at most.

    On a log scale steps grow with the value, and the range counts as value x log(high / low).
    """
    if not isinstance(value, float):
        return str(value)
    span = value * math.log(knob.high / knob.low) if knob.scale == "log" else knob.high - knob.low
    digits = max(math.ceil(-math.log10(_ROUNDED * span)), 0)
    text = f"{round(value, digits) + 0.0:.{digits}f}"  # no -0.00
    return text.rstrip("0").rstrip(".") if digits else text
