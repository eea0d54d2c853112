"""Grid search: every combination of a few values of each knob. For one to three knobs; refused where it explodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from operator import mul
from typing import Final

import numpy as np

from engine.errors import ScenarioError
from sims.tuning.search.counts import Segment
from sims.tuning.search.knob_box import Cube, Point
from sims.tuning.search.planned_search import ATTEMPTS, PlannedSearch
from sims.tuning.search.scoreboard import playable

_LEAST: Final = 3  # values of a number: with fewer the middle or both ends stay unseen


class GridSearch(PlannedSearch):
    """A full factorial in an order drawn at random, so that a search that is cut short has been everywhere.

    A choice takes each of its options, a number so many values, evenly spaced, as the budget has attempts for (a whole
    number all of its values where they are no more). The attempts are shared out evenly.
    """

    def __init__(
        self, cube: Cube, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts that it may ask for in all; start: a point to play first.

        Raises ScenarioError where even the coarsest grid needs more attempts than there are.
        """
        cost = ATTEMPTS * len(segments)
        extra = 1 if start else 0
        affordable = max(budget // cost - extra, 0)
        sizes = _sizes(cube, _LEAST)
        if math.prod(sizes) > affordable:
            raise ScenarioError(_refusal(sizes, cost, affordable, extra))
        for values in count(_LEAST + 1):
            finer = _sizes(cube, values)
            if finer == sizes or math.prod(finer) > affordable:
                break
            sizes = finer
        attempts = budget // ((math.prod(sizes) + extra) * len(segments))
        super().__init__(cube, segments, _points(cube, sizes, seed), attempts, start)


def _sizes(cube: Cube, values: int) -> list[int]:
    """Values that each knob takes where a number takes so many."""
    return [
        levels if named else min(levels or values, values)
        for levels, named in zip(cube.levels, cube.named, strict=True)
    ]


def _points(cube: Cube, sizes: Sequence[int], seed: int) -> Iterator[Point]:
    order = np.random.Generator(np.random.Philox(seed)).permutation(math.prod(sizes))
    for place in order:
        yield playable(cube, (np.array(np.unravel_index(place, sizes)) + 0.5) / sizes)[0]


def _refusal(sizes: Sequence[int], cost: int, affordable: int, extra: int) -> str:
    settings = math.prod(sizes)
    few = sum(product <= affordable for product in accumulate(sorted(sizes, reverse=True), mul))
    way_out = (
        f"lock all but {few} knob{'s' if few > 1 else ''}"
        if few
        else f"raise the budget of the search to {(settings + extra) * cost:,} attempts"
    )
    return (
        f"a grid of {_LEAST} values a knob, and each option of a choice, needs {settings:,} settings x {cost:,} "
        f"attempts; the budget allows {affordable:,}: use --method pooled, or {way_out}"
    )
