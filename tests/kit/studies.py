"""Studies made by hand, of a game whose win rates are known, for tests of what a study says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from engine.parameters import Knob, ParameterSpace
from engine.scenario_file.calibration_label import NOT_FITTED
from sims.tuning.final_race import Rate
from sims.tuning.journal import TellRecord
from sims.tuning.problem import Problem
from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.search_space import Numbers, Point, point_of, search_space_of
from sims.tuning.search.staged_search import StageResult
from sims.tuning.study import BASELINE, FINAL_RACE, MEASUREMENT, SEARCH, CountedPoint, StudyLimits, StudyRecord

KNOBS: Final = (
    Knob("gap_width", 80.0, 200.0, 120.0, "px"),
    Knob("speed", 1.0, 16.0, 4.0, "m/s", scale="log"),
    Knob("warning", 0.2, 1.2, 0.7, "s", harder="low"),
    Knob("lives", 1, 6, 3, harder="low", scale="integer"),
    Knob("tint", scale="choice", choices=("red", "green", "blue"), default="red"),
)
SEGMENTS: Final = (Segment("newcomers", 0, 0, 0.60, 0.70), Segment("experts", 1, 0, 0.70, 0.80))
WEIGHTS: Final = np.array([[1.2, 0.8, 0.6, 0.0, 0.0], [0.6, 1.2, 0.3, 0.0, 0.0]])  # lives and tint do nothing
INTERCEPTS: Final = np.array([1.2, 2.0])

Truth = Callable[[npt.NDArray[np.float64]], Numbers]  # points (n, d) -> win rates (n, segments)


def problem(
    segments: Sequence[Segment] = SEGMENTS,
    knobs: Sequence[Knob] = KNOBS,
    held: dict[str, Any] | None = None,
    title: str = "Known",
    after_attempts: int = 0,
) -> Problem:
    """The problem of the known game."""
    space = ParameterSpace(*knobs, held=held)
    scenario: Any = SimpleNamespace(
        seed=5,
        name="known.toml",
        title=title,
        after_attempts=after_attempts,
        cohorts=tuple(segment.name for segment in segments),
        form=SimpleNamespace(game=SimpleNamespace(name="known")),
        calibration=NOT_FITTED,
    )
    return Problem(scenario, space, search_space_of(space), tuple(segments), point_of(space, space.defaults()))


PROBLEM: Final = problem()
START: Final = PROBLEM.start
MOVED: Final = (START[0] + 0.05, *START[1:])
FAR: Final = (START[0] + 0.2, START[1] + 0.1, *START[2:])
FARTHER: Final = (0.9, 0.9, *START[2:])


def rate(value: float, half: float = 0.01, attempts: int = 4000) -> Rate:
    """A measured win rate; half: half width of its interval."""
    return Rate(value, value - half, value + half, attempts)


NOT_MEASURED: Final = Rate(math.nan, math.nan, math.nan, 0)
GOOD: Final = (rate(0.65), rate(0.75))


def counted(point: Point, *rates: Rate) -> CountedPoint:
    """A setting with its measured win rates."""
    attempts = tuple(one.attempts for one in rates)
    wins = tuple(round(one.rate * one.attempts) if one.attempts else 0 for one in rates)
    return CountedPoint(point, attempts, wins, tuple(rates))


BAD: Final = counted(START, rate(0.5), rate(0.9))


def record(
    *options: CountedPoint,
    baseline: CountedPoint = BAD,
    about: Problem = PROBLEM,
    tells: Sequence[Tell] = (),
    certain: str = "",
    stages: Sequence[StageResult] = (),
    went_on: bool = False,
) -> StudyRecord:
    """A finished study with these options. tells: the counts of its search."""
    spent = {BASELINE: 8000, SEARCH: 70_000, FINAL_RACE: 5000, MEASUREMENT: 17_000}
    history = tuple(TellRecord(SEARCH, tell) for tell in tells)
    limits = StudyLimits(100_000)
    return StudyRecord(about, baseline, options, certain, tuple(stages), history, spent, limits, went_on=went_on)


def chance(points: npt.ArrayLike, intercepts: npt.NDArray[np.float64] = INTERCEPTS) -> Numbers:
    """True win rates of the known game, shape (n, 2)."""
    rates: Numbers = expit(intercepts - 2.0 * np.atleast_2d(np.asarray(points)) @ WEIGHTS.T)
    return rates


def lenient(points: npt.ArrayLike) -> Numbers:
    """The same of a game that is won more often: at least 0.119 and 0.450."""
    return chance(points, INTERCEPTS + 2.0)


def alike(points: npt.ArrayLike) -> Numbers:
    """The same where both segments always win equally often."""
    return np.repeat(chance(points)[:, :1], 2, axis=1)


def tells_of(
    seed: int, count: int = 400, attempts: int = 50, about: Problem = PROBLEM, truth: Truth = chance
) -> list[Tell]:
    """Counts at random points."""
    dice = np.random.Generator(np.random.Philox(seed))
    points = about.search_space.snap(dice.random((count, about.search_space.size)))
    wins = dice.binomial(attempts, truth(points))
    return [
        Tell(tuple(point), (attempts,) * wins.shape[1], tuple(won), block)
        for block, (point, won) in enumerate(zip(points.tolist(), wins.tolist(), strict=True))
    ]
