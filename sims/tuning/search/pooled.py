"""The pooled search: every attempt ever made tells of every point, through one binomial model per segment.

Points are chosen by Thompson sampling in a trust region: one draw of all coefficients from the posterior, then the
point that comes nearest to the targets by that draw. The best point by what the posterior expects joins each batch and
becomes the next centre. The region shrinks while the model believes that its best point may meet the targets, and
widens, up to the whole cube, while it does not.

Often no setting with the best point's whole numbers and choices meets the targets, though some come near them. So as
long as the model does not solve its equations there, half of each batch goes to one place elsewhere where it does,
until that place is known to be better, or to be no better. Doubt is large where little was played, and a search that
looked everywhere a little would lose it nowhere.

Once half of the attempts are made and a place is found, the rest goes to its neighbourhood, and the best point only
moves as far as it must: where many settings meet the targets, a search that could always jump to the next one would
never know any of them well.

The model is trusted only as far as it foretells. Each batch is predicted before it is learned from, and the log-loss of
that prediction is held against the least that chance allows. The more it exceeds that, the larger the share of
attempts that CMA-ES asks for instead; whoever asked, the model learns from all.

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
from sims.tuning.search.knob_box import Cube, Numbers, Point
from sims.tuning.search.nearest_points import Aim
from sims.tuning.search.pooled_model import BUMPS, Data, Fit, Terms, fit, rates_of

ATTEMPTS: Final = 25  # at each point, a mean over segments
_FLATTEST: Final = 0.05  # variance of an outcome, at the least, by which segments share them
_BATCH: Final = 10  # points
_LARGE_BATCH: Final = 40  # with more knobs than _FEW_KNOBS, where a fit takes longer
_FEW_KNOBS: Final = 8
_POOL: Final = 3000
_STARTS: Final = 3  # of Newton's method, for each draw
_WIDEST: Final = 0.6  # of the trust region
_NARROWEST: Final = 0.1
_SHRINKS: Final = 0.85
_GROWS: Final = 1.1
_MET: Final = 2.0  # posterior standard deviations within which the model believes that a target is met
_SOLVED: Final = 0.75  # and within which it does not look elsewhere
_LEAST_DOUBT: Final = 0.003  # of a win rate: no model is right to more than that
_NEAR: Final = 0.8  # how far from the centre counts still tell of it, before they are weighed by the number of knobs
_OTHER_OPTION: Final = 0.3  # weight of a point whose choice differs from the centre's
_HEAVIEST: Final = 1500  # points that the model is fitted to, at least
_WANDERING: Final = 0.3  # while the region is wider, a quarter of the points may lie anywhere
_ANYWHERE: Final = 0.25
_ELSEWHERE: Final = 0.5  # of them go to one other place
_SEARCHING: Final = 0.5  # share of the attempts after which, once settled, the search stays where it is
_NEIGHBOURHOOD: Final = 0.05  # width of what is then played
_REMEMBERED: Final = 5  # batches that say how well the model foretells
_FORETOLD: Final = 0.25  # log-loss beyond chance, per count, up to which it is trusted
_WRONG: Final = 1.5  # from which on it is not trusted at all
_LEAST_SHARE: Final = 0.1  # of attempts that the model asks for, so that it can earn trust
_SURE: Final = 4.0  # posterior standard deviations behind saying that all targets are met
_SURELY_OUT: Final = 2.0  # and at every point that is looked at behind saying that one is out of reach
_PLACES: Final = 11  # of a continuous knob, where one knob after the other is moved towards a target
_SWEEPS: Final = 2
_STEADY: Final = 3  # batches in a row that must say the same before
_APART: Final = 0.1  # in some knob, of finalists
_AS_GOOD: Final = 1.5  # times the best one's expected loss, of further finalists


class PooledSearch:
    """The method that `flowdial tune` uses where no other is named."""

    def __init__(
        self, cube: Cube, segments: Sequence[Segment], seed: int, budget: int, start: Point | None = None
    ) -> None:
        """seed: 0 or more; budget: attempts that it may ask for in all; start: a point to play first."""
        self._cube, self._segments, self._seed = cube, segments, seed
        self._targets = np.array([segment.target for segment in segments])
        self._tolerances = np.array([segment.tolerance for segment in segments])
        self._leeway: Numbers = np.round(self._tolerances - self._tolerances.min(), 9)  # of bands that are wider
        self._near = np.maximum(self._leeway, _LEAST_DOUBT)  # distances from the targets that count as none
        self._attempts = _shared(self._targets)
        self._dice = np.random.Generator(np.random.Philox(key=[seed, 0x706F6F6C]))
        self._aim = self._aim_with(self._dice)
        self._centre: Numbers = np.array(start) if start is not None else cube.snapped(np.full(cube.size, 0.5))[0]
        self._elsewhere: Numbers | None = None  # another place that may meet the targets, while the centre may not
        self._radius = _WIDEST
        self._stays = False  # where it is, since it knows a place that meets the targets
        self._batch = _BATCH if cube.size <= _FEW_KNOBS else _LARGE_BATCH
        self._told: list[Tell] = []
        self._budget, self._asked = budget, 0
        self._variances: Numbers | None = None
        self._fit: Fit | None = None
        self._block = 0
        self._excess: deque[float] = deque(maxlen=_REMEMBERED)
        self._other = CmaSearch(cube, segments, seed, budget, start)
        self._asked_by_other: list[Ask] = []  # of the last ask, with blocks of its own
        self._owed = 0.0  # attempts that CMA-ES may ask for by now
        self._other_was_told = False
        self._same = 0  # batches in a row after which the search could stop
        self._could_stop = ""

    @property
    def trust(self) -> float:
        """How far the model is trusted by how well it foretold the last batches, in [0, 1]."""
        if not self._excess:
            return 1.0
        excess = sum(self._excess) / len(self._excess)
        return min(max((_WRONG - excess) / (_WRONG - _FORETOLD), 0.0), 1.0)

    @property
    def certain(self) -> str:
        """ "met" or "unreachable" once that is sure enough to stop, else nothing."""
        return self._could_stop if self._same >= _STEADY else ""

    def ask(self, left: int) -> Sequence[Ask]:
        if self.certain:
            return []
        if self._owed > 0.0:
            asks = self._asks_of_other(left)
            if asks:
                return asks
        points = self._next() if self._told else self._first()
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
        if self._fit is not None and not self._asked_by_other:
            self._excess.append(self._surprise(self._fit, tells))
        if self._asked_by_other:
            blocks = [ask.block for ask in self._asked_by_other]
            self._other.tell([tell._replace(block=block) for tell, block in zip(tells, blocks, strict=True)])
            self._asked_by_other = []
            self._other_was_told = True
        self._told += tells
        self._fit = None

    def finalists(self, most: int) -> list[Point]:
        if not self._told:
            return [tuple(self._centre.tolist())]
        # With dice of its own: to ask for the best so far must not change what is asked for next.
        aim = self._aim_with(np.random.Generator(np.random.Philox(key=[self._seed, len(self._told)])))
        found = self._corrected(aim)[None] if self._stays else self._best(aim)
        losses = self._aim.expected_loss(self._fitted(), found)
        chosen = [tuple(found[0].tolist())]
        for point, loss in zip(found[1:], losses[1:], strict=True):
            apart = min(float(np.abs(point - np.array(other)).max()) for other in chosen)
            if apart >= _APART and loss <= _AS_GOOD * losses[0]:
                chosen.append(tuple(point.tolist()))
        if self._other_was_told and self.trust < 1.0:
            chosen = [chosen[0], *self._other.finalists(max(most // 2, 1)), *chosen[1:]]
        return list(dict.fromkeys(chosen))[:most]

    def _aim_with(self, dice: np.random.Generator) -> Aim:
        return Aim(self._cube, self._targets, dice, scales_of(self._segments), self._leeway)

    def _first(self) -> Numbers:
        """The start and points that fill the cube evenly."""
        count = max(16, 4 * self._cube.size)
        sobol = qmc.Sobol(self._cube.size, rng=np.random.default_rng(self._seed))
        points = sobol.random(1 << (count - 1).bit_length())[:count]
        return self._cube.snapped(np.vstack([self._centre, points]))

    def _next(self) -> Numbers:
        """The model's best point and points by draws from its posterior, shape (batch, d)."""
        model = self._fitted()
        self._variances = model.variances  # not in _fitted: finalists must not change what is asked for next
        if self._stays:
            best = self._corrected(self._aim)
            self._move(model, best)
            return self._aim.pool(best[None], self._batch, _NEIGHBOURHOOD, hops=False)
        found = self._best(self._aim)
        best = self._aim.likeliest(model, found)
        place = None if self._solved(model, best) else self._aim.elsewhere(model, best, self._elsewhere, _POOL)
        there = 0 if place is None else int(_ELSEWHERE * self._batch)
        pool = self._aim.pool(self._centre[None], _POOL, self._radius, self._anywhere)
        chosen = [best[None], self._drawn(model, pool, self._batch - 1 - there)]
        if place is not None:
            pool = self._aim.pool(place[None], _POOL, _NEIGHBOURHOOD, hops=False)
            chosen += [place[None], self._drawn(model, pool, there - 1)]
        self._elsewhere = place
        self._move(model, best)
        return np.concatenate(chosen)

    def _solved(self, model: Fit, best: Numbers) -> bool:
        """Whether the model believes that a point meets all targets."""
        off, doubt = self._off(model, best)
        return bool((off < np.maximum(_SOLVED * doubt, self._near)).all())

    def _off(self, model: Fit, point: Numbers) -> tuple[Numbers, Numbers]:
        """How far a point's win rates are from the targets, and the standard deviations of that; shape (segments,)."""
        rates = model.chances(point[None])[0]
        return np.abs(rates - self._targets), rates * (1.0 - rates) * model.spread(point[None])[0]

    def _drawn(self, model: Fit, pool: Numbers, count: int) -> Numbers:
        """Points by Thompson sampling, the best of a pool by each of so many draws; shape (count, d)."""
        betas = np.array([model.drawn(self._dice) for _ in range(count)])
        return np.array(
            [
                found[int(np.argmin(self._aim.loss(rates_of(model.terms.of(found), beta))))]
                for beta, found in zip(betas, self._aim.aimed(model.terms, betas, pool, _STARTS), strict=True)
            ]
        )

    def _corrected(self, aim: Aim) -> Numbers:
        return aim.corrected(self._fitted(), self._centre, _NEIGHBOURHOOD)

    def _best(self, aim: Aim) -> Numbers:
        # While the targets are believed to be met, the best is looked for where attempts were made, not wherever the
        # model promises a little more: a promise is better the less is known.
        places = [self._centre] if self._elsewhere is None else [self._centre, self._elsewhere]
        return aim.best(self._fitted(), np.array(places), self._radius, self._anywhere, _POOL)

    @property
    def _anywhere(self) -> float:
        return _ANYWHERE if self._radius > _WANDERING else 0.0

    def _move(self, model: Fit, best: Numbers) -> None:
        off, doubt = self._off(model, best)
        met = (off < np.maximum(_MET * doubt, self._near)).all()
        settled = self._radius <= _WANDERING and (self._stays or self._elsewhere is None)
        self._stays = bool(met and settled and self._asked >= _SEARCHING * self._budget)
        self._consider(model, off, doubt)
        self._radius = max(_NARROWEST, _SHRINKS * self._radius) if met else min(_WIDEST, _GROWS * self._radius)
        self._centre = best

    def _consider(self, model: Fit, off: Numbers, doubt: Numbers) -> None:
        """Whether more search could change the answer: off, doubt: of the best point, shape (segments,).

        Half a tolerance is left to the measurement. A target is out of reach when no point of a pool comes inside its
        band, each judged with its own doubt, nor what becomes of the nearest one when its knobs are moved on: extremes
        lie in corners, where no pool reaches.
        """
        found = ""
        if self.trust == 1.0:
            if (off + _SURE * doubt < self._tolerances / 2.0).all():
                found = "met"
            else:
                pool = self._aim.pool(self._centre[None], _POOL, _WIDEST, 0.5)
                short = self._short_of_band(model, pool)
                far = np.flatnonzero(short.min(axis=0) > 0.0)
                out = any(not self._moved_inside(model, pool[np.argmin(short[:, k])], int(k)) for k in far)
                found = "unreachable" if out else ""
        self._same = self._same + 1 if found == self._could_stop else int(bool(found))
        self._could_stop = found

    def _short_of_band(self, model: Fit, points: Numbers) -> Numbers:
        """How far each win rate stays outside its band at the least, above 0 where surely, shape (n, segments)."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        found: Numbers = np.abs(rates - self._targets) - _SURELY_OUT * doubt - self._tolerances
        return found

    def _moved_inside(self, model: Fit, point: Numbers, k: int) -> bool:
        """Whether a segment may come inside its band when one knob after the other goes to its best place."""
        for _ in range(_SWEEPS):
            for j, levels in enumerate(self._cube.levels):
                places = (np.arange(levels) + 0.5) / levels if levels else np.linspace(0.0, 1.0, _PLACES)
                tried = np.repeat(point[None], len(places) + 1, axis=0)
                tried[1:, j] = places
                short = self._short_of_band(model, tried)[:, k]
                point = tried[np.argmin(short)]
                if short.min() <= 0.0:
                    return True
        return False

    def _fitted(self) -> Fit:
        if self._fit is None:
            terms = Terms(self._cube, self._centre, BUMPS)
            self._fit = fit(terms, self._data(terms), self._variances)
        return self._fit

    def _data(self, terms: Terms) -> Data:
        """What was told, the nearest points of it."""
        points = np.array([tell.point for tell in self._told])
        numeric = np.array(self._cube.numeric, dtype=np.int64)
        away = ((points[:, numeric] - self._centre[numeric]) ** 2).sum(axis=1)
        weights = np.exp(-away / (2.0 * _NEAR**2 * max(1.0, len(numeric) / 4.0)))
        for j in self._cube.choices:
            weights = np.where(points[:, j] == self._centre[j], weights, _OTHER_OPTION * weights)
        most = max(3 * len(terms.first_variances()), _HEAVIEST)
        kept = np.sort(np.argsort(-weights, kind="stable")[:most])
        told = [self._told[i] for i in kept]
        attempts, wins = (np.array(counts) for counts in zip(*((t.attempts, t.wins) for t in told), strict=True))
        return Data(points[kept], attempts, wins, weights[kept])

    def _surprise(self, model: Fit, tells: Sequence[Tell]) -> float:
        """Log-loss of what the model foretold beyond the least that chance allows, in nats per count.

        Counts are taken for normal, with the variance of chance and that of the posterior: half of how far the mean
        squared standardised error exceeds 1.
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

    def _asks_of_other(self, left: int) -> list[Ask]:
        asks = self._other.ask(left)
        self._asked_by_other = list(asks)
        if asks:
            first = asks[0].block
            asks = [ask._replace(block=self._block + ask.block - first) for ask in asks]
            self._block = 1 + max(ask.block for ask in asks)
            spent = sum(sum(ask.attempts) for ask in asks)
            self._owed -= spent
            self._asked += spent
        return asks


def _shared(targets: Numbers) -> tuple[int, ...]:
    """Attempts of each segment at a point: as many as make all win rates near their targets equally sure.

    The largest error counts, and that of a mean is sqrt(p (1 - p) / n).
    """
    variances = np.maximum(targets * (1.0 - targets), _FLATTEST)
    return tuple(int(n) for n in np.rint(ATTEMPTS * len(targets) * variances / variances.sum()))
