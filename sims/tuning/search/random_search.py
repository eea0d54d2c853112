"""Random search: points drawn uniformly from the cube. The yardstick of the other methods.

Bergstra and Bengio, Journal of Machine Learning Research 13, 2012: where few knobs matter it beats a grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sims.tuning.search.counts import Segment
from sims.tuning.search.knob_box import Cube, Point
from sims.tuning.search.planned_search import ATTEMPTS, PlannedSearch
from sims.tuning.search.scoreboard import playable


class RandomSearch(PlannedSearch):
    """It goes on for as long as there are attempts left."""

    def __init__(
        self, cube: Cube, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts that it may ask for in all; start: a point to play first."""
        attempts = max(min(ATTEMPTS, budget // len(segments)), 1)
        super().__init__(cube, segments, _drawn(cube, seed), attempts, start)


def _drawn(cube: Cube, seed: int) -> Iterator[Point]:
    dice = np.random.Generator(np.random.Philox(seed))
    while True:
        yield playable(cube, dice.random(cube.size))[0]
