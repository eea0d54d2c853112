"""A search by stages: the most influential knobs first, one group at a time, the others left where they are.

A fifth of the attempts goes to points all over the cube. A model fitted to them says how far each knob alone moves the
win rates, and so which knobs come first. Each stage then searches among the knobs of its group, around the best setting
of the stage before, and ends by playing its own best on fresh blocks, so that what it bought is known. When that meets
every target, the knobs that are left stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, wilson
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.knob_box import Cube, Numbers, Point
from sims.tuning.search.pooled_model import Data, Fit, Terms, fit
from sims.tuning.search.protocol import Search
from sims.tuning.search.scoreboard import playable

Begin = Callable[[Cube, Sequence[Segment], int, int, Point], Search]  # cube, segments, seed, budget, start

_SCREENING: Final = 0.2  # of all attempts
_MEASURE: Final = 0.1  # of a stage's
_MOST_MEASURED: Final = 2000  # attempts in each segment
_ATTEMPTS: Final = 25  # in each segment of a point of the screening
_BATCH: Final = 32  # points
_GROUP: Final = 3  # knobs, at most
_PLACES: Final = 200  # from which a knob alone is moved
_STEPS: Final = 9  # positions that it is moved to


class Stage(NamedTuple):
    """What one group of knobs bought."""

    knobs: tuple[str, ...]
    point: Point
    attempts: tuple[int, ...]  # by segment, on blocks that the search has not seen
    wins: tuple[int, ...]


class StagedSearch:
    """Stages of any method."""

    def __init__(
        self, cube: Cube, segments: Sequence[Segment], seed: int, budget: int, start: Point, begin: Begin,
        earlier: Sequence[Tell] = (),
    ) -> None:  # fmt: skip
        """budget: attempts that it may ask for in all; begin: a fresh search of the method, in a smaller cube; earlier:
        what an earlier study was told."""
        self._cube, self._segments, self._seed, self._begin = cube, segments, seed, begin
        self._dice = np.random.Generator(np.random.Philox(key=[seed, 0x73746167]))
        self._screened = list(earlier)
        self._screening = int(_SCREENING * budget)
        self._budget = budget
        self._spent = 0
        self._best = start
        self._groups: list[tuple[int, ...]] = []
        self._stage_ends = 0  # attempts spent by then
        self._search: Search | None = None  # of the stage that is under way
        self._measuring = False
        self._met = False
        self._first_block = self._block = 0
        self.stages: list[Stage] = []

    def ask(self, left: int) -> Sequence[Ask]:
        """The next points; none when every target is met, or all groups had their turn."""
        if not self._groups:
            asks = self._screen(min(left, self._screening - self._spent))
            if asks:
                return self._asked(asks)
            self._groups = self._grouped()
            self._next_stage()
        while self._search is not None:
            measure = self._measure_attempts()
            room = min(left, self._stage_ends - self._spent - measure * len(self._segments))
            asks = [self._whole(ask) for ask in self._search.ask(max(room, 0))]
            if asks:
                return self._asked(asks)
            self._best = self._embedded(self._search.finalists(1)[0])
            self._search = None
            measure = min(measure, left // len(self._segments))
            if measure:
                self._measuring = True
                return self._asked([Ask(self._best, (measure,) * len(self._segments), self._block)])
            self._end_stage((0,) * len(self._segments), (0,) * len(self._segments))
        return []

    def tell(self, tells: Sequence[Tell]) -> None:
        """Take in what came of the last ask."""
        if not self._groups:
            self._screened += tells
        elif self._measuring:
            self._measuring = False
            (told,) = tells
            self._end_stage(told.attempts, told.wins)
        else:
            assert self._search is not None  # it has asked
            group = self._groups[len(self.stages)]
            own = [
                tell._replace(point=tuple(tell.point[j] for j in group), block=tell.block - self._first_block)
                for tell in tells
            ]
            self._search.tell(own)

    def finalists(self, most: int) -> list[Point]:
        """What the stages ended with, the last one first; while one is under way, its best before them."""
        found = [self._embedded(self._search.finalists(1)[0])] if self._search is not None else [self._best]
        found += [stage.point for stage in reversed(self.stages)]
        return list(dict.fromkeys(found))[:most]

    def _screen(self, left: int) -> list[Ask]:
        count = min(max(left, 0) // (_ATTEMPTS * len(self._segments)), _BATCH)
        points = playable(self._cube, self._dice.random((count, self._cube.size))) if count else []
        return [Ask(point, (_ATTEMPTS,) * len(self._segments), self._block + i) for i, point in enumerate(points)]

    def _asked(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        self._spent += sum(sum(ask.attempts) for ask in asks)
        self._block = max(self._block, 1 + max(ask.block for ask in asks))
        return asks

    def _grouped(self) -> list[tuple[int, ...]]:
        """Positions of the knobs in groups of two or three, by what each does alone, most first."""
        reach = np.zeros(self._cube.size)  # as long as nothing was told
        if self._screened:
            counts = zip(*((tell.point, tell.attempts, tell.wins) for tell in self._screened), strict=True)
            points, attempts, wins = map(np.array, counts)
            terms = Terms(self._cube, np.full(self._cube.size, 0.5))
            model = fit(terms, Data(points, attempts, wins, np.ones(len(points))))
            reach = np.sqrt((reaches(model, self._cube, self._dice) ** 2).mean(axis=1))
        parts = np.array_split(np.argsort(-reach, kind="stable"), math.ceil(self._cube.size / _GROUP))
        return [tuple(part.tolist()) for part in parts]

    def _next_stage(self) -> None:
        """Begin with the next group, if there is one and it is needed."""
        place = len(self.stages)
        if self._met or place == len(self._groups):
            return
        group = self._groups[place]
        share = (self._budget - self._spent) // (len(self._groups) - place)
        self._stage_ends = self._spent + share
        self._first_block = self._block
        cube = Cube(
            tuple(self._cube.names[j] for j in group),
            tuple(self._cube.levels[j] for j in group),
            tuple(self._cube.named[j] for j in group),
        )
        start = tuple(self._best[j] for j in group)
        room = share - self._measure_attempts() * len(self._segments)
        self._search = self._begin(cube, self._segments, self._seed + place, max(room, 0), start)

    def _end_stage(self, attempts: tuple[int, ...], wins: tuple[int, ...]) -> None:
        """Write down what the stage has bought, and go on to the next."""
        names = tuple(self._cube.names[j] for j in self._groups[len(self.stages)])
        self.stages.append(Stage(names, self._best, attempts, wins))
        self._met = all(map(_meets, wins, attempts, self._segments))
        self._next_stage()

    def _measure_attempts(self) -> int:
        """Attempts in each segment that say what a stage has bought."""
        groups = len(self._groups)
        share = _MEASURE * (1.0 - _SCREENING) * self._budget / groups
        return min(int(share) // len(self._segments), _MOST_MEASURED)

    def _embedded(self, point: Point) -> Point:
        """A point of the stage's cube as one of the whole."""
        found = list(self._best)
        for j, u in zip(self._groups[len(self.stages)], point, strict=True):
            found[j] = u
        return tuple(found)

    def _whole(self, ask: Ask) -> Ask:
        return ask._replace(point=self._embedded(ask.point), block=self._first_block + ask.block)


def reaches(model: Fit, cube: Cube, dice: np.random.Generator) -> Numbers:
    """How far each knob alone moves the win rate of each segment, shape (d, segments).

    The standard deviation of the model's win rate along the knob, on average over points of the cube.
    """
    places = cube.snapped(dice.random((_PLACES, cube.size)))
    found = []
    for j, levels in enumerate(cube.levels):
        steps = levels or _STEPS
        moved = np.repeat(places, steps, axis=0)
        moved[:, j] = np.tile((np.arange(steps) + 0.5) / steps, _PLACES)
        chances = model.chances(cube.snapped(moved)).reshape(_PLACES, steps, -1)
        found.append(chances.std(axis=1).mean(axis=0))
    return np.array(found)


def _meets(wins: int, attempts: int, segment: Segment) -> bool:
    """Whether a measured win rate is surely inside its band."""
    if not attempts:
        return False
    low, high = wilson(wins, attempts, CONFIDENCE)
    return segment.low <= low and high <= segment.high
