"""Studies that end in different ways; tests/goldens/tuning has what is said of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.inference.intervals import wilson
from sims.tuning.final_race import Rate
from sims.tuning.search.search_space import Numbers
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import StudyRecord
from tests.kit.studies import (
    FAR,
    FARTHER,
    GOOD,
    KNOBS,
    MOVED,
    NOT_MEASURED,
    SEGMENTS,
    START,
    alike,
    chance,
    counted,
    lenient,
    problem,
    rate,
    record,
    tells_of,
)

NEWCOMERS, EXPERTS = SEGMENTS
STAGES: Final = [
    StageResult(("gap_width", "speed"), MOVED, (1000, 1000), (600, 700)),
    StageResult(("lives",), FAR, (1000, 1000), (640, 745)),
]
HOPELESS: Final = problem((NEWCOMERS._replace(low=0.0, high=0.04), EXPERTS))
NARROW: Final = problem((NEWCOMERS._replace(low=0.0, high=0.01), EXPERTS))
CAPPED: Final = problem((NEWCOMERS, EXPERTS._replace(low=0.01, high=0.03)))
AGAINST: Final = problem((NEWCOMERS._replace(low=0.6, high=0.64), EXPERTS._replace(low=0.3, high=0.34)))
TOGETHER: Final = problem((NEWCOMERS._replace(low=0.6, high=0.64), EXPERTS._replace(low=0.6, high=0.64)))
LOCKED: Final = problem(CAPPED.segments, held={"speed": 4.0})


def all_meet(*points: tuple[float, ...]) -> StudyRecord:
    """Every option meets all targets, each with a smaller error than the one before."""
    options = [counted(point, rate(0.65 + 0.03 / 2**i), rate(0.75)) for i, point in enumerate(points)]
    return record(*options)


def all_knobs(count: int) -> StudyRecord:
    """The option changes each of `count` knobs."""
    about = problem(knobs=KNOBS[:count])
    return record(counted((0.9,) * count, *GOOD), baseline=counted(about.start, *GOOD), about=about)


def unmoved(wins: int) -> StudyRecord:
    """Newcomers win the same whatever is played: `wins` of 50 attempts."""
    tells = [tell._replace(wins=(wins, tell.wins[1])) for tell in tells_of(3)]
    measured = Rate(wins / 50, *wilson(80 * wins, 4000), 4000)
    return record(counted(MOVED, measured, rate(0.75)), tells=tells)


def locked() -> StudyRecord:
    """Experts miss their target, which is out of reach with the speed held."""

    def truth(points: Numbers) -> Numbers:
        return chance(np.insert(points, 1, START[1], axis=1))

    point = tuple(place for j, place in enumerate(START) if j != 1)
    tells = tells_of(7, about=LOCKED, truth=truth)
    baseline = counted(point, rate(0.5), rate(0.5))
    return record(counted(point, rate(0.65), rate(0.5)), about=LOCKED, tells=tells, baseline=baseline)


SITUATIONS: Final[dict[str, Callable[[], StudyRecord]]] = {
    "one_option": lambda: all_meet(MOVED),
    "two_options": lambda: all_meet(MOVED, FAR),
    "three_options": lambda: all_meet(MOVED, FAR, FARTHER),
    "one_of_two_meets": lambda: record(counted(MOVED, rate(0.65), rate(0.85)), counted(FAR, *GOOD)),
    "single_target": lambda: record(
        counted(MOVED, rate(0.65)), about=problem(SEGMENTS[:1]), baseline=counted(START, rate(0.5))
    ),
    "defaults_meet": lambda: record(counted(MOVED, *GOOD), baseline=counted(START, *GOOD)),
    "search_ends_at_defaults": lambda: record(
        counted(START, *GOOD), baseline=counted(START, rate(0.65, 0.06), rate(0.75, 0.06))
    ),
    "defaults_too_close_to_call": lambda: record(
        counted(MOVED, *GOOD), baseline=counted(START, rate(0.65, 0.06), rate(0.75, 0.06))
    ),
    "too_close_to_call": lambda: record(counted(MOVED, rate(0.69, 0.02, 8000), rate(0.75))),
    "at_an_edge": lambda: record(counted(MOVED, rate(0.7, 0.02), rate(0.75))),
    "band_without_width": lambda: record(
        counted(MOVED, rate(0.65)),
        about=problem((NEWCOMERS._replace(low=0.65, high=0.65),)),
        baseline=counted(START, rate(0.5)),
    ),
    "missed": lambda: record(counted(MOVED, rate(0.65), rate(0.862))),
    "no_better_than_defaults": lambda: record(counted(MOVED, rate(0.4), rate(0.95))),
    "nothing_measured": lambda: record(
        counted(MOVED, NOT_MEASURED, NOT_MEASURED), baseline=counted(START, NOT_MEASURED, NOT_MEASURED)
    ),
    "a_change_too_small_to_see": lambda: record(counted((START[0] + 0.0001, START[1] + 0.1, *START[2:]), *GOOD)),
    "both_knobs_changed": lambda: all_knobs(2),
    "all_knobs_changed": lambda: all_knobs(3),
    "a_worse_option_left_out": lambda: record(counted(FAR, rate(0.67), rate(0.74)), counted(MOVED, *GOOD)),
    "an_easier_option": lambda: record(counted(FAR, *GOOD), counted(MOVED, rate(0.69), rate(0.75))),
    "a_harder_option": lambda: record(counted(FAR, *GOOD), counted(MOVED, rate(0.61), rate(0.75))),
    "last_stage_wins": lambda: record(counted(FAR, *GOOD), stages=STAGES),
    "earlier_stage_wins": lambda: record(
        counted(MOVED, *GOOD), stages=[STAGES[0], STAGES[1]._replace(attempts=(500, 500), wins=(320, 372))]
    ),
    "no_stage_wins": lambda: record(counted(FARTHER, *GOOD), stages=STAGES),
    "stopped_early_since_met": lambda: record(counted(MOVED, *GOOD), certain="met"),
    "stopped_early_out_of_reach": lambda: record(counted(MOVED, *GOOD), certain="unreachable"),
    "effects": lambda: record(counted(START, *GOOD), tells=tells_of(1, 800, 200)),
    "effects_of_few_attempts": lambda: record(counted(START, *GOOD), tells=tells_of(1, count=8, attempts=5)),
    "always_won": lambda: unmoved(50),
    "never_won": lambda: unmoved(0),
    "out_of_reach": lambda: record(counted(START, rate(0.65), rate(0.5)), about=CAPPED, tells=tells_of(7)),
    "out_of_reach_with_a_lock": locked,
    "nearest_rate_not_known": lambda: record(
        counted(START, rate(0.3), rate(0.75)), about=NARROW, tells=tells_of(3, 60, 50, truth=lenient)
    ),
    "reach_not_known": lambda: record(
        counted(START, rate(0.3), rate(0.75)), about=HOPELESS, tells=tells_of(9, count=10, attempts=5, truth=lenient)
    ),
    "targets_conflict": lambda: record(
        counted(START, rate(0.45), rate(0.5)), about=AGAINST, tells=tells_of(8, truth=alike)
    ),
    "targets_may_conflict": lambda: record(
        counted(START, rate(0.45), rate(0.5)), about=TOGETHER, tells=tells_of(8, truth=alike)
    ),
    "single_target_within_reach": lambda: record(
        counted(START, rate(0.5)),
        about=problem(SEGMENTS[:1]),
        baseline=counted(START, rate(0.5)),
        tells=tells_of(1, about=problem(SEGMENTS[:1]), truth=lambda points: chance(points)[:, :1]),
    ),
}
