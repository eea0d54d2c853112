"""A search whose points are planned in advance: it plays one after the other, each equally often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.scoreboard import Scoreboard
from sims.tuning.search.search_space import Point, SearchSpace

ATTEMPTS: Final = 100  # in each segment of a point, at most
_BATCH: Final = 32  # points


class PlannedSearch:
    """Plays the start, if there is one, and then the points until they or the attempts run out."""

    def __init__(
        self,
        space: SearchSpace,
        segments: Sequence[Segment],
        points: Iterator[Point],
        attempts: int,
        start: Point | None,
    ) -> None:
        """points: snapped points of the search space; attempts: in each segment of a point, 1 or more."""
        self._points = chain([start], points) if start else points
        self._attempts = (attempts,) * len(segments)
        self._board = Scoreboard(space, segments, start)
        self._asked = 0

    def ask(self, left: int) -> list[Ask]:
        """The next points: one batch, or as many as the attempts allow."""
        count = min(left // sum(self._attempts), _BATCH)
        asks = [Ask(point, self._attempts, self._asked + i) for i, point in enumerate(islice(self._points, count))]
        self._asked += len(asks)
        return asks

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask."""
        self._board.add(tells)

    def finalists(self, most: int) -> list[Point]:
        """The points of least loss, best first."""
        return self._board.best(most)
