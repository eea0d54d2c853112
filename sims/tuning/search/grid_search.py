"""Grid search: every combination of a few values of each knob. For one to three knobs; refused for more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from operator import mul
from typing import Final

import numpy as np

from engine.errors import ScenarioError
from sims.tuning.search.counts import Segment
from sims.tuning.search.planned_search import ATTEMPTS, PlannedSearch
from sims.tuning.search.search_space import Point, SearchSpace

_LEAST: Final = 3  # values of a number: with fewer, the middle or both ends are never played


class GridSearch(PlannedSearch):
    """A full factorial in random order, so that a search that ends early has played everywhere.

    A choice takes each of its values. A number takes evenly spaced values, as many as the budget allows; a whole number
    takes at most all of its values. Each point gets the same attempts.
    """

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts of the whole search; start: the first point to play.

        Raises ScenarioError where even the coarsest grid needs more attempts than the budget.
        """
        cost = ATTEMPTS * len(segments)
        extra = 1 if start else 0
        affordable = max(budget // cost - extra, 0)
        sizes = _sizes(space, _LEAST)
        if math.prod(sizes) > affordable:
            raise ScenarioError(_refusal(sizes, cost, affordable, extra))
        for values in count(_LEAST + 1):
            finer = _sizes(space, values)
            if finer == sizes or math.prod(finer) > affordable:
                break
            sizes = finer
        attempts = budget // ((math.prod(sizes) + extra) * len(segments))
        super().__init__(space, segments, _points(space, sizes, seed), attempts, start)


def _sizes(space: SearchSpace, values: int) -> list[int]:
    """Number of values of each knob, where a number has `values` of them."""
    return [
        levels if named else min(levels or values, values)
        for levels, named in zip(space.levels, space.named, strict=True)
    ]


def _points(space: SearchSpace, sizes: Sequence[int], seed: int) -> Iterator[Point]:
    order = np.random.Generator(np.random.Philox(seed)).permutation(math.prod(sizes))
    for place in order:
        yield space.playable((np.array(np.unravel_index(place, sizes)) + 0.5) / sizes)[0]


def _refusal(sizes: Sequence[int], cost: int, affordable: int, extra: int) -> str:
    settings = math.prod(sizes)
    few = sum(product <= affordable for product in accumulate(sorted(sizes, reverse=True), mul))
    way_out = (
        f"lock all but {few} knob{'s' if few > 1 else ''}"
        if few
        else f"raise the budget of the search to {(settings + extra) * cost:,} attempts"
    )
    return (
        f"the smallest grid, {_LEAST} values of each number and every value of a choice, needs {settings:,} settings x "
        f"{cost:,} attempts, but the budget allows {affordable:,} settings: use method pooled, or {way_out}"
    )
