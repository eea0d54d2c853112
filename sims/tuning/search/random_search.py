"""Random search: points drawn uniformly from the search space. The baseline of the other methods.

Bergstra and Bengio, Journal of Machine Learning Research 13, 2012: where few knobs matter it beats a grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sims.tuning.search.counts import Segment
from sims.tuning.search.planned_search import ATTEMPTS, PlannedSearch
from sims.tuning.search.search_space import Point, SearchSpace


class RandomSearch(PlannedSearch):
    """Draws points until the attempts run out."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts of the whole search; start: the first point to play."""
        attempts = max(min(ATTEMPTS, budget // len(segments)), 1)
        super().__init__(space, segments, _draw(space, seed), attempts, start)


def _draw(space: SearchSpace, seed: int) -> Iterator[Point]:
    dice = np.random.Generator(np.random.Philox(seed))
    while True:
        yield space.playable(dice.random(space.size))[0]
