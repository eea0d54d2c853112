"""Points whose win rates, by a model, come nearest to the targets.

A random pool finds the right values of whole numbers and choices; from the best point of each combination Newton's
method then moves the continuous knobs, by the least step that the model needs, until the targets are met or cannot be.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sims.tuning.search.knob_box import Cube, Numbers
from sims.tuning.search.pooled_model import Fit, Terms, chance, rates_of

_FINEST: Final = -1.5  # least length of a pool's steps, as a power of ten of the widest
_OTHER_CELL: Final = 0.1  # chance that a whole number goes to the next value, however short the steps are
_OTHER_OPTION: Final = 0.2  # and that a choice is drawn anew
_NEAREST: Final = 500  # of a pool, among which starting points are looked for
_STARTS: Final = 30
_STEPS: Final = 6
_LONGEST: Final = 0.3
_DAMPING: Final = 1e-4
_PLACES: Final = 30  # with other whole numbers or choices, that are looked at where the targets cannot be met here
_FAR: Final = 0.25  # in some knob: elsewhere, even with the same whole numbers and choices
_LIKELY: Final = 0.5  # posterior standard deviations within which a target may well be met
_POSSIBLE: Final = 1.5  # and within which it may be met at all
_KNOWN: Final = 0.03**2  # variance of a win rate, a mean over segments, below which a point is known well enough
_TINY: Final = 1e-4  # step of a numerical derivative


class Aim:
    """Looks for points in a cube."""

    def __init__(
        self,
        cube: Cube,
        targets: Numbers,
        dice: np.random.Generator,
        scales: Numbers | float = 1.0,
        leeway: Numbers | float = 0.0,
    ) -> None:
        """targets: shape (segments,); scales: how much a distance from each counts, see sims.tuning.search.counts; leeway: how
        far from each a win rate may be and count as there."""
        self._cube, self._targets, self._dice = cube, targets, dice
        self._scales = np.broadcast_to(scales, targets.shape)
        self._leeway = leeway
        self._floats = [j for j, levels in enumerate(cube.levels) if not levels]
        self._discrete = [j for j, levels in enumerate(cube.levels) if levels]

    def loss(self, rates: Numbers) -> Numbers:
        """Sum over segments of the squared, scaled distance from the target, shape (n,); rates: (n, segments)."""
        found: Numbers = (((rates - self._targets) * self._scales) ** 2).sum(axis=1)
        return found

    def expected_loss(self, model: Fit, points: Numbers) -> Numbers:
        """The loss that the posterior expects, shape (n,): what is not known counts too."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        found: Numbers = self.loss(rates) + ((doubt * self._scales) ** 2).sum(axis=1)
        return found

    def pool(self, centres: Numbers, count: int, widest: float, anywhere: float = 0.0, *, hops: bool = True) -> Numbers:
        """Points around centres, shape (count, d), and the centres' last one.

        widest: standard deviation of the longest steps; anywhere: share of points that may lie all over the cube; hops:
        whether whole numbers and choices may change however short the steps are.
        """
        dice, size = self._dice, self._cube.size
        origin = centres[dice.integers(len(centres), size=count)]
        scale = widest * 10.0 ** dice.uniform(_FINEST, 0.0, (count, 1))
        moved = dice.random((count, size)) < dice.uniform(0.15, 1.0, (count, 1))
        points = origin + scale * dice.standard_normal((count, size)) * moved
        points = 1.0 - np.abs(1.0 - np.abs(points) % 2.0)  # reflected at the bounds
        for j in self._cube.numeric:
            if hops and self._cube.levels[j]:
                step = dice.choice([-1.0, 1.0], count) / self._cube.levels[j]
                hopping = dice.random(count) < _OTHER_CELL
                points[:, j] = np.where(hopping, np.clip(origin[:, j] + step, 0.0, 1.0), points[:, j])
        for j in self._cube.choices if hops else ():
            points[:, j] = np.where(dice.random(count) < _OTHER_OPTION, dice.random(count), origin[:, j])
        far = int(anywhere * count)
        points[:far] = dice.random((far, size))
        points[-1] = centres[-1]
        return self._cube.snapped(points)

    def aimed(self, terms: Terms, betas: Numbers, pool: Numbers, starts: int) -> Numbers:
        """The best points of a pool by some coefficients, and what Newton's method makes of them.

        betas: draws of all coefficients, shape (draws, segments, terms). Shape (draws, 2 starts, d): for each draw at
        most so many starts, the last one again and again where there are fewer, each of another combination of whole
        numbers and choices, and then their solutions.
        """
        values = terms.of(pool)
        chosen = np.array([self._starts(pool, self.loss(rates_of(values, beta)), starts) for beta in betas])
        flat = chosen.reshape(-1, self._cube.size)
        solved = self._solved(terms, np.repeat(betas, starts, axis=0), flat)
        return np.concatenate([chosen, solved.reshape(chosen.shape)], axis=1)

    def best(self, model: Fit, centres: Numbers, widest: float, anywhere: float, count: int) -> Numbers:
        """Points by what the posterior expects of them, best first, shape (n, d).

        centres: shape (n, d); a pool of `count` points lies around the first of them.
        """
        pool = self.pool(centres[:1], count, widest, anywhere)
        solved = self._solved(model.terms, np.repeat(model.beta[None], len(centres), axis=0), centres)
        found = np.vstack([self.aimed(model.terms, model.beta[None], pool, _STARTS)[0], centres, solved])
        leaders = found[np.argsort(self.expected_loss(model, found), kind="stable")[:5]]
        found = np.vstack([found, self.pool(leaders, 300, 0.05)])
        return found[np.argsort(self.expected_loss(model, found), kind="stable")]

    def likeliest(self, model: Fit, points: Numbers) -> Numbers:
        """The first of some points that may well meet the targets and is known, else the first; shape (d,)."""
        short, unknown = self._short(model, points, _LIKELY)
        found: Numbers = points[int(np.argmax((short == 0.0) & (unknown < _KNOWN * len(self._targets))))]
        return found

    def elsewhere(self, model: Fit, best: Numbers, before: Numbers | None, count: int) -> Numbers | None:
        """Where else the targets may be met, shape (d,), or None.

        Elsewhere: with other whole numbers or choices than the best point, or far away in some knob. That is `before`,
        moved on as the model now has it, until it is the best itself or the posterior no longer thinks it possible;
        then the place, of those that may well meet the targets, that is known best; none where the best point itself
        may meet them and no other. count: points of the pool that it is looked for in, all over the cube.
        """
        if before is not None:
            found = self._elsewhere(
                np.vstack([before, self._solved(model.terms, model.beta[None], before[None])]), best
            )
            if len(found) and self._short(model, found, _POSSIBLE)[0].min() == 0.0:
                kept: Numbers = found[int(np.argmin(self.loss(model.chances(found))))]
                return kept
        pool = self._elsewhere(self.pool(best[None], count, 0.5, 0.5), best)
        if not len(pool):
            return None
        losses = self.loss(model.chances(pool))
        nearest = pool[np.argsort(losses, kind="stable")[:_PLACES]]
        starts = np.vstack([self._starts(pool, losses, _PLACES), nearest])
        found = np.vstack([starts, self._solved(model.terms, np.repeat(model.beta[None], len(starts), axis=0), starts)])
        found = self._elsewhere(found, best)
        short, unknown = self._short(model, found, _LIKELY)
        chosen: Numbers = found[np.lexsort((unknown, short))[0]]
        here, there = self._short(model, np.array([best, chosen]), _POSSIBLE)[0]
        return None if here == 0.0 < there else chosen

    def _elsewhere(self, points: Numbers, best: Numbers) -> Numbers:
        other = (points[:, self._discrete] != best[self._discrete]).any(axis=1)
        found: Numbers = points[other | (np.abs(points - best).max(axis=1) > _FAR)]
        return found

    def _short(self, model: Fit, points: Numbers, doubts: float) -> tuple[Numbers, Numbers]:
        """How far the win rates stay from the targets though all doubt is granted so often, and that doubt, squared."""
        rates = model.chances(points)
        doubt = rates * (1.0 - rates) * model.spread(points)
        off = np.maximum(np.abs(rates - self._targets) - self._leeway, 0.0)
        short = (np.maximum(off - doubts * doubt, 0.0) ** 2).sum(axis=1)
        return short, (doubt**2).sum(axis=1)

    def corrected(self, model: Fit, centre: Numbers, widest: float) -> Numbers:
        """The best point near a centre, whose whole numbers and choices stay, by what the posterior expects; (d,)."""
        pool = self.pool(centre[None], _NEAREST, widest, hops=False)
        found = np.vstack([pool, self._solved(model.terms, model.beta[None], centre[None])])
        for j, levels in enumerate(self._cube.levels):
            reach = 0.0 if levels else 2.0 * widest
            found[:, j] = np.clip(found[:, j], centre[j] - reach, centre[j] + reach)
        found = self._cube.snapped(found)
        best: Numbers = found[int(np.argmin(self.expected_loss(model, found)))]
        return best

    def _starts(self, pool: Numbers, losses: Numbers, count: int) -> Numbers:
        nearest = pool[np.argsort(losses, kind="stable")[:_NEAREST]]
        if self._discrete:
            _, first = np.unique(nearest[:, self._discrete], axis=0, return_index=True)
            nearest = nearest[np.sort(first)]
        return nearest[np.minimum(np.arange(count), len(nearest) - 1)]

    def _solved(self, terms: Terms, betas: Numbers, starts: Numbers) -> Numbers:
        """Newton's method for as many equations as targets, the shortest step of all that solve them.

        betas: shape (n, segments, terms), the coefficients by which each start, shape (n, d), is moved.
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
