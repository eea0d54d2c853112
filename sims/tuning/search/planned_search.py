"""A search whose points do not depend on what is told: they are played one after the other, each equally often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.knob_box import Cube, Point
from sims.tuning.search.scoreboard import Scoreboard

ATTEMPTS: Final = 100  # in each segment of a point, where the budget has so many
_BATCH: Final = 32  # points


class PlannedSearch:
    """Plays the start, where there is one, and then the points until they or the attempts end."""

    def __init__(
        self,
        cube: Cube,
        segments: Sequence[Segment],
        points: Iterator[Point],
        attempts: int,
        start: Point | None,
    ) -> None:
        """points: of the cube, snapped; attempts: in each segment of a point, 1 or more."""
        self._points = chain([start], points) if start else points
        self._attempts = (attempts,) * len(segments)
        self._board = Scoreboard(cube, segments, start)
        self._asked = 0

    def ask(self, left: int) -> list[Ask]:
        """The next points: a batch, or as many as there are attempts left for."""
        count = min(left // sum(self._attempts), _BATCH)
        found = [Ask(point, self._attempts, self._asked + i) for i, point in enumerate(islice(self._points, count))]
        self._asked += len(found)
        return found

    def tell(self, tells: Sequence[Tell]) -> None:
        """Take in what came of the last ask."""
        self._board.add(tells)

    def finalists(self, most: int) -> list[Point]:
        """The points of least loss, best first."""
        return self._board.best(most)
