"""The methods of search by name. Only names and sentences: a method's module is loaded when it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sims.tuning.search.counts import Segment
    from sims.tuning.search.knob_box import Cube, Point
    from sims.tuning.search.protocol import Search


class Method(NamedTuple):
    """One method."""

    sentence: str
    home: str  # module:class

    def begin(
        self, cube: Cube, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> Search:
        """A fresh search.

        seed: 0 or more; budget: attempts that it may ask for in all; start: a point to play first. Raises
        ScenarioError where the method cannot do with the budget, EnvironmentFault where a package is missing.
        """
        module, _, name = self.home.partition(":")
        found: Search = getattr(import_module(module), name)(cube, segments, seed, budget, start)
        return found


METHODS: Final = {
    "pooled": Method(
        "one model of the win rates of each segment, learned from every attempt ever made; "
        "by far the fewest attempts wherever win rates change smoothly",
        "sims.tuning.search.pooled:PooledSearch",
    ),
    "cma_es": Method(
        "an evolution strategy with as many attempts a point as ranking needs; assumes little, and needs "
        "many times the attempts of pooled",
        "sims.tuning.search.cma_search:CmaSearch",
    ),
    "tpe": Method(
        "Optuna's tree-structured Parzen estimator; takes choices as they are, blind to noise (flowdial[search])",
        "sims.tuning.search.optuna_search:TpeSearch",
    ),
    "gp": Method(
        "Optuna's Gaussian process; slow beyond a few hundred points, blind to noise (flowdial[search] and torch)",
        "sims.tuning.search.optuna_search:GpSearch",
    ),
    "random": Method(
        "points drawn uniformly, the best by luck; a yardstick",
        "sims.tuning.search.random_search:RandomSearch",
    ),
    "grid": Method(
        "every combination of a few values a knob; for one to three knobs, refused where it explodes",
        "sims.tuning.search.grid_search:GridSearch",
    ),
}
