"""The search methods by name. A method's module is imported only when the method is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sims.tuning.search.counts import Segment
    from sims.tuning.search.search_space import Point, SearchSpace
    from sims.tuning.search.searcher import Searcher

METHODS: Final = {  # name -> module:class; docs/tuning.md says when to use which
    "pooled": "sims.tuning.search.pooled:PooledSearch",
    "cma_es": "sims.tuning.search.cma_search:CmaSearch",
    "tpe": "sims.tuning.search.optuna_search:TpeSearch",
    "gp": "sims.tuning.search.optuna_search:GpSearch",
    "random": "sims.tuning.search.random_search:RandomSearch",
    "grid": "sims.tuning.search.grid_search:GridSearch",
}


def begin_search(
    method: str,
    space: SearchSpace,
    segments: Sequence[Segment],
    seed: int,
    budget: int,
    start: Point | None = None,
) -> Searcher:
    """Begin a search by a method of METHODS.

    seed: 0 or more; budget: attempts of the whole search; start: the first point to play. Raises ScenarioError where
    the budget is too small for the method, EnvironmentFault where a package is missing.
    """
    module, _, name = METHODS[method].partition(":")
    searcher: Searcher = getattr(import_module(module), name)(space, segments, seed, budget, start)
    return searcher
