"""Points whose win rates, by a model, come nearest to the targets.

A random pool finds the right values of whole numbers and choices. From the best point of each combination, Newton's
method moves the continuous knobs by the least step that the model needs, until the targets are met or cannot be.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sims.tuning.search.pooled_model import PooledModel, Terms, chance, rates_of
from sims.tuning.search.search_space import Numbers, SearchSpace

_FINEST: Final = -1.5  # shortest steps of a pool / longest ones, as a power of ten
_OTHER_CELL: Final = 0.1  # chance that a whole number goes to a neighbouring value
_OTHER_OPTION: Final = 0.2  # chance that a choice gets a random value
_NEAREST: Final = 500  # points of a pool among which starting points are chosen
_STARTS: Final = 30
_STEPS: Final = 6
_LONGEST: Final = 0.3
_DAMPING: Final = 1e-4
_PLACES: Final = 30  # with other whole numbers or choices, tried where the targets cannot be met here
_FAR: Final = 0.25  # distance in some knob that makes another place, even with the same whole numbers and choices
_LIKELY: Final = 0.5  # posterior standard deviations within which a target is likely met
_POSSIBLE: Final = 1.5  # and within which it is possibly met
_KNOWN: Final = 0.03**2  # mean variance of the win rates below which a point is known well enough
_TINY: Final = 1e-4  # step of a numerical derivative


class PointFinder:
    """Finds points in a search space."""

    def __init__(
        self,
        space: SearchSpace,
        targets: Numbers,
        dice: np.random.Generator,
        scales: Numbers | float = 1.0,
        leeway: Numbers | float = 0.0,
    ) -> None:
        """Remember the goal.

        targets: shape (segments,); scales: weight of the distance from each target, see sims.tuning.search.counts;
        leeway: distance from each target that still counts as none.
        """
        self._space, self._targets, self._dice = space, targets, dice
        self._scales = np.broadcast_to(scales, targets.shape)
        self._leeway = leeway
        self._floats = [j for j, levels in enumerate(space.levels) if not levels]
        self._discrete = [j for j, levels in enumerate(space.levels) if levels]

    def loss(self, rates: Numbers) -> Numbers:
        """Sum over segments of the squared, scaled distance from the target, shape (n,); rates: (n, segments)."""
        losses: Numbers = (((rates - self._targets) * self._scales) ** 2).sum(axis=1)
        return losses

    def expected_loss(self, model: PooledModel, points: Numbers) -> Numbers:
        """The loss that the posterior expects, shape (n,): uncertainty adds to it."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        losses: Numbers = self.loss(rates) + ((doubt * self._scales) ** 2).sum(axis=1)
        return losses

    def pool(self, centres: Numbers, count: int, widest: float, anywhere: float = 0.0, *, hops: bool = True) -> Numbers:
        """Random points around centres, shape (count, d); the last one is the last centre.

        widest: standard deviation of the longest steps; anywhere: share of points drawn from the whole search space;
        hops: whether whole numbers and choices may also change by chance.
        """
        dice, size = self._dice, self._space.size
        origin = centres[dice.integers(len(centres), size=count)]
        scale = widest * 10.0 ** dice.uniform(_FINEST, 0.0, (count, 1))
        moved = dice.random((count, size)) < dice.uniform(0.15, 1.0, (count, 1))
        points = origin + scale * dice.standard_normal((count, size)) * moved
        points = 1.0 - np.abs(1.0 - np.abs(points) % 2.0)  # reflected at the bounds
        for j in self._space.numeric:
            if hops and self._space.levels[j]:
                step = dice.choice([-1.0, 1.0], count) / self._space.levels[j]
                hopping = dice.random(count) < _OTHER_CELL
                points[:, j] = np.where(hopping, np.clip(origin[:, j] + step, 0.0, 1.0), points[:, j])
        for j in self._space.choices if hops else ():
            points[:, j] = np.where(dice.random(count) < _OTHER_OPTION, dice.random(count), origin[:, j])
        far = int(anywhere * count)
        points[:far] = dice.random((far, size))
        points[-1] = centres[-1]
        return self._space.snap(points)

    def solve(self, terms: Terms, betas: Numbers, pool: Numbers, starts: int) -> Numbers:
        """The best points of a pool for each draw of coefficients, and their solutions by Newton's method.

        betas: shape (draws, segments, terms). Returns shape (draws, 2 starts, d): for each draw first `starts` points,
        each of another combination of whole numbers and choices, then their solutions. Where there are fewer
        combinations, the last point is repeated.
        """
        values = terms.of(pool)
        chosen = np.array([self._starts(pool, self.loss(rates_of(values, beta)), starts) for beta in betas])
        flat = chosen.reshape(-1, self._space.size)
        solved = self._newton(terms, np.repeat(betas, starts, axis=0), flat)
        return np.concatenate([chosen, solved.reshape(chosen.shape)], axis=1)

    def best(self, model: PooledModel, centres: Numbers, widest: float, anywhere: float, count: int) -> Numbers:
        """Points by their expected loss, best first, shape (n, d).

        centres: shape (n, d); a pool of `count` points lies around the first of them.
        """
        pool = self.pool(centres[:1], count, widest, anywhere)
        solved = self._newton(model.terms, np.repeat(model.beta[None], len(centres), axis=0), centres)
        points = np.vstack([self.solve(model.terms, model.beta[None], pool, _STARTS)[0], centres, solved])
        leaders = points[np.argsort(self.expected_loss(model, points), kind="stable")[:5]]
        points = np.vstack([points, self.pool(leaders, 300, 0.05)])
        return points[np.argsort(self.expected_loss(model, points), kind="stable")]

    def likeliest(self, model: PooledModel, points: Numbers) -> Numbers:
        """The first of some points that is known well and likely meets the targets, else the first; shape (d,)."""
        short, unknown = self._short(model, points, _LIKELY)
        chosen: Numbers = points[int(np.argmax((short == 0.0) & (unknown < _KNOWN * len(self._targets))))]
        return chosen

    def other_place(self, model: PooledModel, best: Numbers, before: Numbers | None, count: int) -> Numbers | None:
        """Another place that may meet the targets, shape (d,), or None.

        Another place has other whole numbers or choices than the best point, or is far away in some knob. The last one,
        `before`, is kept as long as it is another place and possible, moved to where the model now solves the targets.
        Otherwise it is the place that is known best among those that likely meet the targets. It is None where only
        the best point possibly meets them. count: points of the pool to choose from, all over the search space.
        """
        if before is not None:
            moved = self._newton(model.terms, model.beta[None], before[None])
            places = self._others(np.vstack([before, moved]), best)
            if len(places) and self._short(model, places, _POSSIBLE)[0].min() == 0.0:
                kept: Numbers = places[int(np.argmin(self.loss(model.chances(places))))]
                return kept
        pool = self._others(self.pool(best[None], count, 0.5, 0.5), best)
        if not len(pool):
            return None
        losses = self.loss(model.chances(pool))
        nearest = pool[np.argsort(losses, kind="stable")[:_PLACES]]
        starts = np.vstack([self._starts(pool, losses, _PLACES), nearest])
        solved = self._newton(model.terms, np.repeat(model.beta[None], len(starts), axis=0), starts)
        places = self._others(np.vstack([starts, solved]), best)
        short, unknown = self._short(model, places, _LIKELY)
        chosen: Numbers = places[np.lexsort((unknown, short))[0]]
        here, there = self._short(model, np.array([best, chosen]), _POSSIBLE)[0]
        return None if here == 0.0 < there else chosen

    def _others(self, points: Numbers, best: Numbers) -> Numbers:
        """Those points that are another place than the best one."""
        other = (points[:, self._discrete] != best[self._discrete]).any(axis=1)
        others: Numbers = points[other | (np.abs(points - best).max(axis=1) > _FAR)]
        return others

    def _short(self, model: PooledModel, points: Numbers, doubts: float) -> tuple[Numbers, Numbers]:
        """Squared distances that `doubts` standard deviations do not cover, and the squared doubt; (n,) each."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        off = np.maximum(np.abs(rates - self._targets) - self._leeway, 0.0)
        short = (np.maximum(off - doubts * doubt, 0.0) ** 2).sum(axis=1)
        return short, (doubt**2).sum(axis=1)

    def best_nearby(self, model: PooledModel, centre: Numbers, widest: float) -> Numbers:
        """The point of least expected loss near a centre, with its whole numbers and choices; shape (d,)."""
        pool = self.pool(centre[None], _NEAREST, widest, hops=False)
        points = np.vstack([pool, self._newton(model.terms, model.beta[None], centre[None])])
        for j, levels in enumerate(self._space.levels):
            reach = 0.0 if levels else 2.0 * widest
            points[:, j] = np.clip(points[:, j], centre[j] - reach, centre[j] + reach)
        points = self._space.snap(points)
        best: Numbers = points[int(np.argmin(self.expected_loss(model, points)))]
        return best

    def _starts(self, pool: Numbers, losses: Numbers, count: int) -> Numbers:
        """The nearest points of a pool, one for each combination of whole numbers and choices, shape (count, d)."""
        nearest = pool[np.argsort(losses, kind="stable")[:_NEAREST]]
        if self._discrete:
            _, first = np.unique(nearest[:, self._discrete], axis=0, return_index=True)
            nearest = nearest[np.sort(first)]
        return nearest[np.minimum(np.arange(count), len(nearest) - 1)]

    def _newton(self, terms: Terms, betas: Numbers, starts: Numbers) -> Numbers:
        """Move starts by Newton's method, one equation for each target, by the shortest step that solves them all.

        betas: coefficients for each start, shape (n, segments, terms); starts: shape (n, d).
        """
        points = starts.copy()
        n, floats = len(points), self._floats
        for _ in range(_STEPS if floats else 0):
            moved = np.tile(points, (1 + len(floats), 1))
            for place, j in enumerate(floats, 1):
                moved[place * n : (place + 1) * n, j] += _TINY
            values = terms.of(moved).reshape(1 + len(floats), n, -1)
            rates = chance(np.einsum("jnt,nkt->jnk", values, betas, optimize=True))
            slopes = ((rates[1:] - rates[0]) / _TINY).transpose(1, 2, 0) * self._scales[:, None]
            across = slopes.transpose(0, 2, 1)
            damped = slopes @ across + _DAMPING * np.eye(len(self._targets))
            step = (across @ np.linalg.solve(damped, ((self._targets - rates[0]) * self._scales)[:, :, None]))[:, :, 0]
            step *= np.minimum(1.0, _LONGEST / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9))
            points[:, floats] = np.clip(points[:, floats] + step, 0.0, 1.0)
        return points
