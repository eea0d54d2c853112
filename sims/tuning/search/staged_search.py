"""A search by stages: the most influential knobs first, one group at a time, the others left where they are.

A fifth of the attempts goes to points all over the search space. A model fitted to them says how far each knob alone
moves the win rates, and so which knobs come first. Each stage then searches among the knobs of its group, around the
best setting of the stage before. It ends by playing its own best setting on fresh blocks, so that its gain is measured.
When that setting meets every target, the remaining knobs stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, wilson
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.pooled_model import PooledModel, Terms, WeightedCounts, fit_model
from sims.tuning.search.search_space import Numbers, Point, SearchSpace
from sims.tuning.search.searcher import Searcher

BeginSearch = Callable[
    [SearchSpace, Sequence[Segment], int, int, Point], Searcher
]  # space, segments, seed, budget, start

_SCREENING: Final = 0.2  # of all attempts
_MEASURE: Final = 0.1  # of a stage's attempts
_MOST_MEASURED: Final = 2000  # attempts in each segment
_ATTEMPTS: Final = 25  # in each segment of a screened point
_BATCH: Final = 32  # points
_GROUP: Final = 3  # knobs, at most
_PLACES: Final = 200  # points from which one knob alone is moved
_STEPS: Final = 9  # positions that it takes


class StageResult(NamedTuple):
    """The best setting after one group of knobs, and its counts."""

    knobs: tuple[str, ...]
    point: Point
    attempts: tuple[int, ...]  # by segment, on blocks that no search has used
    wins: tuple[int, ...]


class StagedSearch:
    """Stages, each a search by one method."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point, begin: BeginSearch,
        earlier: Sequence[Tell] = (),
    ) -> None:  # fmt: skip
        """Begin with the screening.

        budget: attempts of the whole search; begin: begins a search of the method in a smaller search space; earlier:
        the counts of an earlier study.
        """
        self._space, self._segments, self._seed, self._begin = space, segments, seed, begin
        self._dice = np.random.Generator(np.random.Philox(key=[seed, 0x73746167]))
        self._screened = list(earlier)  # counts by which knobs are ranked
        self._screening = int(_SCREENING * budget)
        self._budget = budget
        self._spent = 0
        self._best = start
        self._groups: list[tuple[int, ...]] = []
        self._stage_ends = 0  # attempts spent by then
        self._search: Searcher | None = None  # of the current stage
        self._measuring = False
        self._met = False
        self._first_block = self._block = 0
        self.stages: list[StageResult] = []

    def ask(self, left: int) -> Sequence[Ask]:
        """The next points; none once every target is met or every group has had its stage."""
        if not self._groups:
            asks = self._screen(min(left, self._screening - self._spent))
            if asks:
                return self._count(asks)
            self._groups = self._rank_groups()
            self._next_stage()
        while self._search is not None:
            measure = self._measure_attempts()
            room = min(left, self._stage_ends - self._spent - measure * len(self._segments))
            asks = [self._embed_ask(ask) for ask in self._search.ask(max(room, 0))]
            if asks:
                return self._count(asks)
            self._best = self._embed(self._search.finalists(1)[0])
            self._search = None
            measure = min(measure, left // len(self._segments))
            if measure:
                self._measuring = True
                return self._count([Ask(self._best, (measure,) * len(self._segments), self._block)])
            self._end_stage((0,) * len(self._segments), (0,) * len(self._segments))
        return []

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask."""
        if not self._groups:
            self._screened += tells
        elif self._measuring:
            self._measuring = False
            (measurement,) = tells
            self._end_stage(measurement.attempts, measurement.wins)
        else:
            assert self._search is not None  # it has asked
            group = self._groups[len(self.stages)]
            own = [
                tell._replace(point=tuple(tell.point[j] for j in group), block=tell.block - self._first_block)
                for tell in tells
            ]
            self._search.tell(own)

    def finalists(self, most: int) -> list[Point]:
        """The best settings of the stages, the last one first; during a stage, its best so far comes before them."""
        points = [self._embed(self._search.finalists(1)[0])] if self._search is not None else [self._best]
        points += [stage.point for stage in reversed(self.stages)]
        return list(dict.fromkeys(points))[:most]

    def _screen(self, left: int) -> list[Ask]:
        count = min(max(left, 0) // (_ATTEMPTS * len(self._segments)), _BATCH)
        points = self._space.playable(self._dice.random((count, self._space.size))) if count else []
        return [Ask(point, (_ATTEMPTS,) * len(self._segments), self._block + i) for i, point in enumerate(points)]

    def _count(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        self._spent += sum(sum(ask.attempts) for ask in asks)
        self._block = max(self._block, 1 + max(ask.block for ask in asks))
        return asks

    def _rank_groups(self) -> list[tuple[int, ...]]:
        """Positions of the knobs in groups of two or three, the knobs with the largest effects first."""
        effects = np.zeros(self._space.size)  # where there are no counts
        if self._screened:
            counts = zip(*((tell.point, tell.attempts, tell.wins) for tell in self._screened), strict=True)
            points, attempts, wins = map(np.array, counts)
            terms = Terms(self._space, np.full(self._space.size, 0.5))
            model = fit_model(terms, WeightedCounts(points, attempts, wins, np.ones(len(points))))
            effects = np.sqrt((effects_of_knobs(model, self._space, self._dice) ** 2).mean(axis=1))
        parts = np.array_split(np.argsort(-effects, kind="stable"), math.ceil(self._space.size / _GROUP))
        return [tuple(part.tolist()) for part in parts]

    def _next_stage(self) -> None:
        """Begin the stage of the next group, if one is left and some target is not met yet."""
        place = len(self.stages)
        if self._met or place == len(self._groups):
            return
        group = self._groups[place]
        share = (self._budget - self._spent) // (len(self._groups) - place)
        self._stage_ends = self._spent + share
        self._first_block = self._block
        space = SearchSpace(
            tuple(self._space.names[j] for j in group),
            tuple(self._space.levels[j] for j in group),
            tuple(self._space.named[j] for j in group),
        )
        start = tuple(self._best[j] for j in group)
        room = share - self._measure_attempts() * len(self._segments)
        self._search = self._begin(space, self._segments, self._seed + place, max(room, 0), start)

    def _end_stage(self, attempts: tuple[int, ...], wins: tuple[int, ...]) -> None:
        """Note the result of the stage, and begin the next one."""
        names = tuple(self._space.names[j] for j in self._groups[len(self.stages)])
        self.stages.append(StageResult(names, self._best, attempts, wins))
        self._met = all(map(_meets, wins, attempts, self._segments))
        self._next_stage()

    def _measure_attempts(self) -> int:
        """Attempts in each segment that measure the result of a stage."""
        groups = len(self._groups)
        share = _MEASURE * (1.0 - _SCREENING) * self._budget / groups
        return min(int(share) // len(self._segments), _MOST_MEASURED)

    def _embed(self, point: Point) -> Point:
        """A point of the stage's search space as one of the whole search space."""
        whole = list(self._best)
        for j, u in zip(self._groups[len(self.stages)], point, strict=True):
            whole[j] = u
        return tuple(whole)

    def _embed_ask(self, ask: Ask) -> Ask:
        return ask._replace(point=self._embed(ask.point), block=self._first_block + ask.block)


def effects_of_knobs(model: PooledModel, space: SearchSpace, dice: np.random.Generator) -> Numbers:
    """How far each knob alone moves the win rate of each segment, shape (d, segments).

    This is the standard deviation of the model's win rate along the knob, averaged over points of the search space.
    """
    places = space.snap(dice.random((_PLACES, space.size)))
    effects = []
    for j, levels in enumerate(space.levels):
        steps = levels or _STEPS
        moved = np.repeat(places, steps, axis=0)
        moved[:, j] = np.tile((np.arange(steps) + 0.5) / steps, _PLACES)
        chances = model.chances(space.snap(moved)).reshape(_PLACES, steps, -1)
        effects.append(chances.std(axis=1).mean(axis=0))
    return np.array(effects)


def _meets(wins: int, attempts: int, segment: Segment) -> bool:
    """Whether the interval of a measured win rate lies inside the band."""
    if not attempts:
        return False
    low, high = wilson(wins, attempts, CONFIDENCE)
    return segment.low <= low and high <= segment.high
