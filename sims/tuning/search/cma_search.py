"""CMA-ES on noisy win rates: few attempts for each point at first, more as the differences become small.

The loss of a point is the sum over segments of its squared distance from the target, relative to the tolerance, without
the part that noise adds. The attempts of each point are two halves on different blocks. Each generation is therefore
ranked twice, by players and luck that the halves do not share. The ranks of all attempts steer the search. How well the
ranks of the halves agree decides how many attempts the next generation gets, at no extra cost.

When a run settles or stagnates, another one begins: a large one of twice the population, or small ones with a narrower
start that together use no more attempts than the large ones.

Hansen, The CMA evolution strategy: a tutorial, 2016 (population, stagnation); Hansen, Benchmarking a BI-population
CMA-ES, GECCO 2009 (restarts; its small runs are narrower still, which is useless under noise).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from sims.tuning.search.cat_cma import CatCma
from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.scoreboard import Scoreboard, losses_of
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

_FIRST: Final = 25.0  # attempts in each segment of a point
_FEWEST: Final = 4.0
_MOST: Final = 20_000.0
_AGREEMENT: Final = 0.55  # rank correlation of the halves that keeps the number of attempts
_HASTE: Final = 0.35  # how fast the number of attempts follows the agreement
_SPREAD: Final = 0.25  # first standard deviation, in shares of a knob's range
_SETTLED: Final = 0.03  # width of a generation below which all its win rates are alike
_POINT: Final = 0.001  # width below which a generation is one point
_LAST: Final = 5  # generations by which a run is judged
_SURE: Final = 3.0  # standard errors
_SEEDS: Final = 2**32


def rank_correlation(first: Numbers, second: Numbers) -> float:
    """Spearman's rank correlation, ties sharing their mean rank; 0 where all values of one side are tied."""
    a, b = (rankdata(losses) - (len(losses) + 1) / 2.0 for losses in (first, second))
    size = math.sqrt(float((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0.0 else 0.0


def next_attempts(attempts: float, agreement: float) -> float:
    """Attempts for the next generation: more if the halves of this one agreed too little, fewer if too well."""
    return min(max(attempts * math.exp(_HASTE * (_AGREEMENT - agreement)), _FEWEST), _MOST)


class CmaSearch:
    """CMA-ES with self-adaptive sample size and restarts."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """Begin a search.

        seed: 0 or more; budget: not used, since each `ask` says what is left; start: the first point to play, around
        which the first run begins.
        """
        self._space, self._segments = space, segments
        self._dice = np.random.Generator(np.random.Philox(seed))
        self._board = Scoreboard(space, segments, start)
        self._first = [start] if start else []
        self._usual = 4 + math.floor(3.0 * math.log(space.size))
        self._doublings = 0
        self._spent = {"large": 0, "small": 0}
        self._ends: list[tuple[float, Point]] = []  # result of each earlier run
        self._block = 0
        self._begin("large", np.array(start or space.playable(np.full(space.size, 0.5))[0]), _SPREAD, self._usual)

    def _begin(self, regime: str, mean: Numbers, spread: float, population: int) -> None:
        self._regime = regime
        self._run = CatCma(self._space, mean, spread, population, int(self._dice.integers(_SEEDS)))
        self._attempts = _FIRST
        self._typical: list[float] = []  # median loss of each generation
        self._calm = 0  # generations since it settled away from the targets
        self._over = False

    def ask(self, left: int) -> list[Ask]:
        """A generation, two asks for each point. After the first: none with less than half the wanted attempts."""
        if self._over:
            self._restart()
        count = len(self._first) + self._run.population
        wanted = max(int(self._attempts) // 2, 2)
        half = min(wanted, left // (2 * len(self._segments) * count))
        if half < (2 if self._block == 0 else max(wanted // 2, 2)):
            return []
        points = [*self._first, *self._run.ask()]
        attempts = (half,) * len(self._segments)
        asks = [Ask(point, attempts, self._block + i) for i, point in enumerate(p for p in points for _ in range(2))]
        self._block += len(asks)
        return asks

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask."""
        self._board.add(tells)
        generation = tells[2 * len(self._first) :]
        self._first = []
        attempts, wins = (
            np.array(counts).reshape(-1, 2, len(self._segments))
            for counts in zip(*((tell.attempts, tell.wins) for tell in generation), strict=True)
        )
        self._spent[self._regime] += int(attempts.sum())
        goal = self._board.targets, self._board.scales
        losses = losses_of(attempts.sum(axis=1), wins.sum(axis=1), *goal)
        halves = [losses_of(attempts[:, i], wins[:, i], *goal) for i in (0, 1)]
        self._attempts = next_attempts(self._attempts, rank_correlation(*halves))
        self._run.tell(losses)
        self._typical.append(float(np.median(losses)))
        settled = self._settled(attempts.sum(axis=(0, 1)), wins.sum(axis=(0, 1)))
        self._calm = self._calm + 1 if settled else 0
        self._over = self._calm >= _LAST or self._stagnated()

    def finalists(self, most: int) -> list[Point]:
        """The best points, best first, and last the mean of the best run, which was never played itself."""
        best = self._board.best(most)
        if not self._typical and not self._ends:
            return best
        mean = min([*self._ends, *([self._end()] if self._typical else [])])[1]
        return best if mean in best or most == 1 else [*best[: most - 1], mean]

    def _end(self) -> tuple[float, Point]:
        """The result of the run: the typical loss of its last generations, and its mean."""
        return float(np.median(self._typical[-_LAST:])), self._run.mean

    def _settled(self, attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64]) -> bool:
        """Whether the generation is as good as one point and surely misses a target. attempts, wins: by segment."""
        if self._run.width < _POINT:
            return bool(self._run.width > 0.0)
        if self._run.width > _SETTLED or attempts.min() == 0:
            return False
        rates = wins / attempts
        doubt = _SURE * np.sqrt(rates * (1.0 - rates) / attempts)
        tolerances = np.array([segment.tolerance for segment in self._segments])
        return bool((np.abs(rates - self._board.targets) > tolerances + doubt).any())

    def _stagnated(self) -> bool:
        """Whether the typical loss no longer falls: the newest 20 generations against the first 20 of a window."""
        window = 40 + 30 * self._space.size // self._run.population
        recent = self._typical[-window:]
        return len(recent) == window and float(np.median(recent[-20:])) >= float(np.median(recent[:20]))

    def _restart(self) -> None:
        """Begin another run anywhere: a large one, or a small one while the small ones have used fewer attempts."""
        self._ends.append(self._end())
        mean = self._dice.random(self._space.size)
        if self._spent["small"] < self._spent["large"]:
            larger = 2.0**self._doublings
            population = round(self._usual * (0.5 * larger) ** (float(self._dice.random()) ** 2))
            spread = _SPREAD * 10.0 ** -float(self._dice.random())
            self._begin("small", mean, spread, max(population, self._usual))
        else:
            self._doublings += 1
            self._begin("large", mean, _SPREAD, self._usual * 2**self._doublings)
