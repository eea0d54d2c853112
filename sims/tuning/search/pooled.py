"""The pooled search: one binomial model for each segment learns from all attempts at all points.

Points are chosen by Thompson sampling in a trust region: one draw of all coefficients from the posterior, then the
point that comes nearest to the targets by that draw. The point with the least expected loss joins each batch and
becomes the next centre. The region shrinks while the model meets the targets there, within its doubt; otherwise it
widens, up to the whole search space.

Often no setting with the best point's whole numbers and choices meets the targets, though some come near. So while the
model does not solve the targets at the best point, half of each batch goes to one other place where it does. The search
keeps that place until it turns out better or no better. It must be one place: doubt is large where little was played,
and a search that looked everywhere a little would lose it nowhere.

Once half of the attempts are made and a place is known, the rest goes to its neighbourhood, and the best point moves
only as far as it must. Where many settings meet the targets, a search that could always jump to the next one would
never know any of them well.

Where win rates jump at some value of a knob, the smooth terms of the model cannot follow. Such a cut is found by its
score and becomes a term of its own.

Where attempts are few, fewer are made at each point, and the model learns from them more often.

The model is trusted only as far as it predicts well. Each batch is predicted before the model learns from it, and the
log-loss of that prediction is compared with the least that chance allows. The larger the excess, the larger the share
of attempts that CMA-ES asks for instead. The model learns from all attempts, whichever of the two asked for them.

Thompson sampling: Thompson, Biometrika 25, 1933; trust regions for it: Eriksson et al., NeurIPS 2019.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.stats import qmc

from sims.tuning.search.cma_search import CmaSearch
from sims.tuning.search.counts import Ask, Segment, Tell, scales_of
from sims.tuning.search.nearest_points import PointFinder
from sims.tuning.search.pooled_model import (
    BUMPS,
    Cut,
    PooledModel,
    Terms,
    WeightedCounts,
    find_cut,
    fit_model,
    rates_of,
)
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

ATTEMPTS: Final = 25  # at each point, mean over segments
_FEW_ATTEMPTS: Final = 10  # the same where there are few for each term of the model
_FLATTEST: Final = 0.05  # least variance of an outcome, by which segments share the attempts
_BATCH: Final = 10  # points
_LARGE_BATCH: Final = 40  # with more than _FEW_KNOBS knobs, since fits take longer
_FEW_KNOBS: Final = 8
_SMALL_BATCH: Final = 20  # with more than _FEW_KNOBS knobs and few attempts
_SCARCE: Final = 80.0  # attempts in a segment for each term: fewer are few
_SCARCE_LARGE: Final = 20.0  # the same with more than _FEW_KNOBS knobs
_MOST_CUTS: Final = 6
_POOL: Final = 3000
_STARTS: Final = 3  # of Newton's method, for each draw
_WIDEST: Final = 0.6  # of the trust region
_NARROWEST: Final = 0.1
_SHRINKS: Final = 0.85  # factor of the trust region's width
_GROWS: Final = 1.1
_MET: Final = 2.0  # posterior standard deviations within which a target counts as met
_SOLVED: Final = 0.75  # and within which no other place is tried
_LEAST_DOUBT: Final = 0.003  # of a win rate: no model is more exact
_NEAR: Final = 0.8  # width of the weights around the centre, with up to four numeric knobs
_OTHER_OPTION: Final = 0.3  # weight of a point whose choice differs from the centre's
_HEAVIEST: Final = 1500  # points that the model is fitted to, where it has few terms
_WANDERING: Final = 0.3  # width of the region above which some points are drawn anywhere
_ANYWHERE: Final = 0.25  # their share
_ELSEWHERE: Final = 0.5  # share of a batch that goes to another place
_SEARCHING: Final = 0.5  # share of the attempts after which a settled search stays where it is
_NEIGHBOURHOOD: Final = 0.05  # width of the region that it then plays
_REMEMBERED: Final = 5  # batches by which the model's predictions are judged
_PREDICTED: Final = 0.25  # log-loss beyond chance, per count, up to which the model is trusted fully
_WRONG: Final = 1.5  # and from which on it is not trusted at all
_LEAST_SHARE: Final = 0.1  # of the attempts that the model always has, so that it can earn trust
_SURE: Final = 4.0  # posterior standard deviations for claiming that all targets are met
_SURELY_OUT: Final = 2.0  # and, at every point tried, for claiming that a target is out of reach
_PLACES: Final = 11  # values of a continuous knob that are tried on the way to a target
_SWEEPS: Final = 2  # over all knobs
_STEADY: Final = 3  # batches in a row that must agree before the search stops
_APART: Final = 0.1  # least distance of finalists in some knob
_AS_GOOD: Final = 1.5  # most expected loss of further finalists, in that of the best one


class PooledSearch:
    """The default method of `flowdial tune`."""

    def __init__(
        self, space: SearchSpace, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts of the whole search; start: the first point to play."""
        self._space, self._seed = space, seed
        self._dice = np.random.Generator(np.random.Philox(key=[seed, 0x706F6F6C]))
        self._same = 0  # batches in a row that agreed that the search could stop
        self._could_stop = ""
        self.aim_at(segments)
        few_knobs = space.size <= _FEW_KNOBS
        terms = len(Terms(space, np.full(space.size, 0.5), BUMPS).first_variances())
        scarce = budget / (len(segments) * terms) < (_SCARCE if few_knobs else _SCARCE_LARGE)
        self._attempts = _attempts_of(self._targets, _FEW_ATTEMPTS if scarce else ATTEMPTS)
        self._centre: Numbers = np.array(start) if start is not None else space.snap(np.full(space.size, 0.5))[0]
        self._other_place: Numbers | None = None  # one that may meet the targets while the centre does not
        self._radius = _WIDEST
        self._stays = False  # whether it plays only the neighbourhood of a place that meets the targets
        self._batch = _BATCH if few_knobs else _SMALL_BATCH if scarce else _LARGE_BATCH
        self._cuts: tuple[Cut, ...] = ()  # where win rates jump
        self._tells: list[Tell] = []
        self._budget, self._asked = budget, 0
        self._variances: Numbers | None = None
        self._fit: PooledModel | None = None
        self._block = 0
        self._excess: deque[float] = deque(maxlen=_REMEMBERED)  # log-loss beyond chance of the last batches
        self._cma = CmaSearch(space, segments, seed, budget, start)
        self._asked_by_cma: list[Ask] = []  # the last ask, with blocks of its own
        self._owed = 0.0  # attempts that CMA-ES may ask for by now
        self._cma_has_counts = False

    def aim_at(self, segments: Sequence[Segment]) -> None:
        """Look for other targets from now on. Counts and model stay: targets enter only where a point is chosen."""
        self._segments = segments
        self._targets = np.array([segment.target for segment in segments])
        self._tolerances = np.array([segment.tolerance for segment in segments])
        self._leeway: Numbers = np.round(self._tolerances - self._tolerances.min(), 9)  # of wider bands
        self._near = np.maximum(self._leeway, _LEAST_DOUBT)  # distances from the targets that count as 0
        self._finder = self._finder_with(self._dice)
        self._same = 0

    @property
    def trust(self) -> float:
        """How far the model is trusted, in [0, 1], by its predictions of the last batches."""
        if not self._excess:
            return 1.0
        excess = sum(self._excess) / len(self._excess)
        return min(max((_WRONG - excess) / (_WRONG - _PREDICTED), 0.0), 1.0)

    @property
    def certain(self) -> str:
        """Why the search stops early: "met" or "unreachable"; empty while it goes on."""
        return self._could_stop if self._same >= _STEADY else ""

    def ask(self, left: int) -> Sequence[Ask]:
        if self.certain:
            return []
        if self._owed > 0.0:
            asks = self._asks_of_cma(left)
            if asks:
                return asks
        points = self._next() if self._tells else self._first()
        cost = sum(self._attempts)
        asks = [
            Ask(tuple(point.tolist()), self._attempts, self._block + i)
            for i, point in enumerate(points[: left // cost])
        ]
        self._block += len(asks)
        self._asked += len(asks) * cost
        share = max(self.trust, _LEAST_SHARE)
        self._owed += len(asks) * cost * (1.0 - share) / share
        return asks

    def tell(self, tells: Sequence[Tell]) -> None:
        if self._fit is not None and not self._asked_by_cma:
            self._excess.append(self._surprise(self._fit, tells))
        if self._asked_by_cma:
            blocks = [ask.block for ask in self._asked_by_cma]
            self._cma.tell([tell._replace(block=block) for tell, block in zip(tells, blocks, strict=True)])
            self._asked_by_cma = []
            self._cma_has_counts = True
        self._tells += tells
        self._fit = None

    def finalists(self, most: int) -> list[Point]:
        if not self._tells:
            return [tuple(self._centre.tolist())]
        # With dice of its own: finalists must not change the next ask.
        finder = self._finder_with(np.random.Generator(np.random.Philox(key=[self._seed, len(self._tells)])))
        points = self._best_nearby(finder)[None] if self._stays else self._best(finder)
        losses = self._finder.expected_loss(self._model(), points)
        chosen = [tuple(points[0].tolist())]
        for point, loss in zip(points[1:], losses[1:], strict=True):
            apart = min(float(np.abs(point - np.array(other)).max()) for other in chosen)
            if apart >= _APART and loss <= _AS_GOOD * losses[0]:
                chosen.append(tuple(point.tolist()))
        if self._cma_has_counts and self.trust < 1.0:
            chosen = [chosen[0], *self._cma.finalists(max(most // 2, 1)), *chosen[1:]]
        return list(dict.fromkeys(chosen))[:most]

    def _finder_with(self, dice: np.random.Generator) -> PointFinder:
        return PointFinder(self._space, self._targets, dice, scales_of(self._segments), self._leeway)

    def _first(self) -> Numbers:
        """The start and points that fill the search space evenly."""
        count = max(16, 4 * self._space.size)
        sobol = qmc.Sobol(self._space.size, rng=np.random.default_rng(self._seed))
        points = sobol.random(1 << (count - 1).bit_length())[:count]
        return self._space.snap(np.vstack([self._centre, points]))

    def _next(self) -> Numbers:
        """The model's best point and points by draws from its posterior, shape (batch, d)."""
        model = self._model()
        if len(self._cuts) < _MOST_CUTS:
            cut = find_cut(model, self._data(model.terms))
            if cut is not None and cut not in self._cuts:
                self._cuts, self._fit = (*self._cuts, cut), None
                self._variances, model = model.variances, self._model()
        self._variances = model.variances  # not in _model: finalists must not change the next ask
        if self._stays:
            best = self._best_nearby(self._finder)
            self._move(model, best)
            return self._finder.pool(best[None], self._batch, _NEIGHBOURHOOD, hops=False)
        best = self._finder.likeliest(model, self._best(self._finder))
        place = None if self._solves(model, best) else self._finder.other_place(model, best, self._other_place, _POOL)
        there = 0 if place is None else int(_ELSEWHERE * self._batch)
        pool = self._finder.pool(self._centre[None], _POOL, self._radius, self._anywhere)
        chosen = [best[None], self._draw(model, pool, self._batch - 1 - there)]
        if place is not None:
            pool = self._finder.pool(place[None], _POOL, _NEIGHBOURHOOD, hops=False)
            chosen += [place[None], self._draw(model, pool, there - 1)]
        self._other_place = place
        self._move(model, best)
        return np.concatenate(chosen)

    def _solves(self, model: PooledModel, best: Numbers) -> bool:
        """Whether a point meets all targets, by the model."""
        off, doubt = self._off(model, best)
        return bool((off < np.maximum(_SOLVED * doubt, self._near)).all())

    def _off(self, model: PooledModel, point: Numbers) -> tuple[Numbers, Numbers]:
        """Distances of a point's win rates from the targets and their standard deviations, shape (segments,) each."""
        rates = model.chances(point[None])[0]
        return np.abs(rates - self._targets), rates * (1.0 - rates) * model.spread(point[None])[0]

    def _draw(self, model: PooledModel, pool: Numbers, count: int) -> Numbers:
        """Points by Thompson sampling: the best of a pool for each of `count` draws, shape (count, d)."""
        betas = np.array([model.draw(self._dice) for _ in range(count)])
        return np.array(
            [
                points[int(np.argmin(self._finder.loss(rates_of(model.terms.of(points), beta))))]
                for beta, points in zip(betas, self._finder.solve(model.terms, betas, pool, _STARTS), strict=True)
            ]
        )

    def _best_nearby(self, finder: PointFinder) -> Numbers:
        return finder.best_nearby(self._model(), self._centre, _NEIGHBOURHOOD)

    def _best(self, finder: PointFinder) -> Numbers:
        # Once the model meets the targets, the search looks where attempts were made, not wherever the model promises
        # a little more: the less is known of a place, the more the model promises.
        places = [self._centre] if self._other_place is None else [self._centre, self._other_place]
        return finder.best(self._model(), np.array(places), self._radius, self._anywhere, _POOL)

    @property
    def _anywhere(self) -> float:
        return _ANYWHERE if self._radius > _WANDERING else 0.0

    def _move(self, model: PooledModel, best: Numbers) -> None:
        """Make the best point the next centre, and adapt the trust region."""
        off, doubt = self._off(model, best)
        met = (off < np.maximum(_MET * doubt, self._near)).all()
        settled = self._radius <= _WANDERING and (self._stays or self._other_place is None)
        self._stays = bool(met and settled and self._asked >= _SEARCHING * self._budget)
        self._consider(model, off, doubt)
        self._radius = max(_NARROWEST, _SHRINKS * self._radius) if met else min(_WIDEST, _GROWS * self._radius)
        self._centre = best

    def _consider(self, model: PooledModel, off: Numbers, doubt: Numbers) -> None:
        """Decide whether the search could stop. off, doubt: of the best point, shape (segments,).

        Half a tolerance is left for the measurement. A target is out of reach when no point of a pool comes inside its
        band, each judged with its own doubt, and the nearest one does not either when its knobs are moved on: extremes
        lie in corners, where no pool reaches.
        """
        verdict = ""
        if self.trust == 1.0:
            if (off + _SURE * doubt < self._tolerances / 2.0).all():
                verdict = "met"
            else:
                pool = self._finder.pool(self._centre[None], _POOL, _WIDEST, 0.5)
                short = self._short_of_band(model, pool)
                far = np.flatnonzero(short.min(axis=0) > 0.0)
                out = any(not self._comes_inside(model, pool[np.argmin(short[:, k])], int(k)) for k in far)
                verdict = "unreachable" if out else ""
        self._same = self._same + 1 if verdict == self._could_stop else int(bool(verdict))
        self._could_stop = verdict

    def _short_of_band(self, model: PooledModel, points: Numbers) -> Numbers:
        """Least distance of each win rate from its band after doubt, above 0 outside, shape (n, segments)."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        short: Numbers = np.abs(rates - self._targets) - _SURELY_OUT * doubt - self._tolerances
        return short

    def _comes_inside(self, model: PooledModel, point: Numbers, k: int) -> bool:
        """Whether segment k may come inside its band when one knob after the other goes to its best value."""
        for _ in range(_SWEEPS):
            for j, levels in enumerate(self._space.levels):
                places = (np.arange(levels) + 0.5) / levels if levels else np.linspace(0.0, 1.0, _PLACES)
                tried = np.repeat(point[None], len(places) + 1, axis=0)
                tried[1:, j] = places
                short = self._short_of_band(model, tried)[:, k]
                point = tried[np.argmin(short)]
                if short.min() <= 0.0:
                    return True
        return False

    def _model(self) -> PooledModel:
        if self._fit is None:
            terms = Terms(self._space, self._centre, BUMPS, self._cuts)
            self._fit = fit_model(terms, self._data(terms), self._variances)
        return self._fit

    def _data(self, terms: Terms) -> WeightedCounts:
        """The counts of the nearest points."""
        points = np.array([tell.point for tell in self._tells])
        numeric = np.array(self._space.numeric, dtype=np.int64)
        away = ((points[:, numeric] - self._centre[numeric]) ** 2).sum(axis=1)
        weights = np.exp(-away / (2.0 * _NEAR**2 * max(1.0, len(numeric) / 4.0)))
        for j in self._space.choices:
            weights = np.where(points[:, j] == self._centre[j], weights, _OTHER_OPTION * weights)
        most = max(3 * len(terms.first_variances()), _HEAVIEST)
        kept = np.sort(np.argsort(-weights, kind="stable")[:most])
        tells = [self._tells[i] for i in kept]
        attempts, wins = (np.array(counts) for counts in zip(*((t.attempts, t.wins) for t in tells), strict=True))
        return WeightedCounts(points[kept], attempts, wins, weights[kept])

    def _surprise(self, model: PooledModel, tells: Sequence[Tell]) -> float:
        """Log-loss of the model's prediction beyond the least that chance allows, in nats per count.

        Counts are taken for normal, with the variance of chance and that of the posterior. Then it is half of what the
        mean squared standardised error exceeds 1 by.
        """
        points = np.array([tell.point for tell in tells])
        attempts, wins = (np.array(counts) for counts in zip(*((t.attempts, t.wins) for t in tells), strict=True))
        rates = model.chances(points)
        chance = rates * (1.0 - rates)
        variance = chance / np.maximum(attempts, 1) + (chance * model.spread(points)) ** 2
        played = attempts > 0
        if not played.any():
            return 0.0
        squares = (wins / np.maximum(attempts, 1) - rates) ** 2 / variance
        return float((squares[played].mean() - 1.0) / 2.0)

    def _asks_of_cma(self, left: int) -> list[Ask]:
        asks = self._cma.ask(left)
        self._asked_by_cma = list(asks)
        if asks:
            first = asks[0].block
            asks = [ask._replace(block=self._block + ask.block - first) for ask in asks]
            self._block = 1 + max(ask.block for ask in asks)
            spent = sum(sum(ask.attempts) for ask in asks)
            self._owed -= spent
            self._asked += spent
        return asks


def _attempts_of(targets: Numbers, mean: int) -> tuple[int, ...]:
    """Attempts of each segment at a point, `mean` on average, so that all win rates near their targets
    have the same standard error, sqrt(p (1 - p) / n).
    """
    variances = np.maximum(targets * (1.0 - targets), _FLATTEST)
    return tuple(int(n) for n in np.rint(mean * len(targets) * variances / variances.sum()))
