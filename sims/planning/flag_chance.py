"""How often a comparison flags a change of the win rate, and how many players that takes.

`flowdial compare` tests a dozen metrics of the same players at once and flags what is left after correction. How often
the win rate is among them depends on what else changes, on how few players change at all, and on how unequal they are:
no formula knows that. So the clusters of a pilot are drawn again and again, as many as a run would have, and each
sample is tested as a comparison tests it (bootstrap power: Efron and Tibshirani, An Introduction to the Bootstrap,
1993, section 25.6).

The pilot's own change is not quite the effect that is asked about. Its clusters are drawn with unequal chances, so that
the win rate changes by the effect (exponential tilting: Efron, Canadian Journal of Statistics 9, 1981). Where a change
consists of rare events, that makes them rarer or more frequent; where it moves everybody, it moves everybody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.inference.difference import SpreadOfDifferences, spread_of, two_sided
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from sims.comparison.metrics import Sums

SAMPLES: Final = 3000  # of the last looks; 0.5 % of standard error at a chance of 90 %
_FIRST_SAMPLES: Final = 500
_LOOKS: Final = 12
_NEAR: Final = 0.05  # the last look is so near to its answer, as a logarithm
_FARTHEST: Final = math.log(4.0)  # from look to look
_EXACT: Final = 0.005
_SMALLEST: Final = 1e-300  # of p-values
_MOST_CLUSTERS: Final = 1500  # of a sample; for more, its statistics are scaled
_BLOCK: Final = 1_000_000  # numbers of a block of samples
_LEAST_EVEN: Final = 0.5  # of the pilot's clusters that tilted chances must be worth
_WIN_RATE: Final = 0  # its place among the metrics
_ROUNDING: Final = 1e-6

Numbers = npt.NDArray[np.float64]


class PilotGroup(NamedTuple):
    """A cohort of the pilot, before and after."""

    before: Sums  # shape (clusters, metrics, 2)
    after: Sums
    tested: npt.NDArray[np.bool_]  # of these metrics, which a comparison tests; shape (metrics,)


class FlagChance:
    """The chance that a comparison flags the win rate of each cohort, for every size."""

    def __init__(
        self,
        groups: Sequence[PilotGroup],
        effect: float,
        *,
        by_replica: bool,
        further_tests: int,
        tails: Sequence[float],
        seed: int,
    ) -> None:
        """Take what a pilot showed.

        Args:
            groups: the cohorts whose win rate changed.
            effect: the change of each of their win rates, in (0, 1).
            by_replica: whether clusters are replicas, which all cohorts have in common.
            further_tests: tests of a comparison that are not in `groups`; they flag nothing.
            tails: the scales from which it makes one more test, that of a tail of players.
            seed: of the samples.
        """
        self._groups = [_changed_by(group, effect) for group in groups]
        self._chances = [_chances(group, effect) for group in groups]
        self._by_replica, self._further, self._tails, self._seed = by_replica, further_tests, tails, seed
        self._clusters = max(len(group.before) for group in groups)

    def at(self, scale: float) -> Numbers:
        """The chance for each cohort when a run has `scale` times the clusters of the pilot, shape (cohorts,)."""
        return self._sample(scale, SAMPLES).flagged()[: len(self._groups)]

    def scale_for(self, power: float, least: float) -> Numbers:
        """How many times the clusters of the pilot give each cohort this chance, at least `least`; shape (cohorts,)."""
        return np.array([self._scale(cohort, power, least) for cohort in range(len(self._groups))])

    def _scale(self, cohort: int, power: float, least: float) -> float:
        scale, samples = max(1.0, least), _FIRST_SAMPLES
        for _ in range(_LOOKS):
            factor = self._sample(scale, samples).factor_for(cohort, power)
            scale *= factor
            if scale < least:
                return least
            if abs(math.log(factor)) < _NEAR:
                if samples == SAMPLES:
                    break
                samples = SAMPLES
        return scale

    def _sample(self, scale: float, samples: int) -> _Samples:
        """Statistics of so many samples, of so many times the clusters of the pilot."""
        played = min(scale, _MOST_CLUSTERS / self._clusters)
        counts = [max(round(played * len(group.before)), 2) for group in self._groups]
        dice = np.random.default_rng((self._seed, round(1e6 * played)))
        block = max(_BLOCK // (sum(counts) * self._groups[0].before.shape[1]), 1)
        blocks = [self._draw(dice, counts, min(block, samples - first)) for first in range(0, samples, block)]
        together = [np.any([group.tested for group in self._groups], axis=0)] if len(self._groups) > 1 else []
        tested = np.stack([*(group.tested for group in self._groups), *together])
        further = self._further + sum(scale >= tail for tail in self._tails)
        return _Samples(np.concatenate(blocks), tested, further, scale / played)

    def _draw(self, dice: np.random.Generator, counts: Sequence[int], samples: int) -> Numbers:
        """Scores of a block of samples: the cohorts, then all of them together where there are several."""
        sides: list[list[Sums]] = [[], []]
        chosen = None
        for group, chances, count in zip(self._groups, self._chances, counts, strict=True):
            if chosen is None or not self._by_replica:
                chosen = np.searchsorted(np.cumsum(chances), dice.random((samples, count)) * chances.sum())
                chosen = np.minimum(chosen, len(chances) - 1)
            for side, sums in zip(sides, (group.before, group.after), strict=True):
                side.append(np.moveaxis(sums[chosen], 2, 1))  # shape (samples, metrics, clusters, 2)
        parts = [spread_of(before, after) for before, after in zip(*sides, strict=True)]
        if len(counts) > 1:
            before, after = (
                np.sum(side, axis=0) if self._by_replica else np.concatenate(side, axis=2) for side in sides
            )
            parts.append(spread_of(before, after))
        return np.stack([_scores(part) for part in parts], axis=1)


class _Samples(NamedTuple):
    """Statistics of samples, as normal scores: their p-values are those of the t tests."""

    scores: Numbers  # shape (samples, groups, metrics)
    tested: npt.NDArray[np.bool_]  # shape (groups, metrics)
    further: int
    factor: float  # how many times the clusters of a sample a run has

    def flagged(self, factor: float = 1.0) -> Numbers:
        """Share of samples in which each group's win rate is flagged, for so many times the clusters.

        Scores grow with the square root of the clusters on average, and vary as before.
        """
        from scipy.special import ndtr

        mean = self.scores.mean(axis=0)
        scores = self.scores + mean * (math.sqrt(factor * self.factor) - 1.0)
        p_values = 2.0 * ndtr(-np.abs(scores))
        all_tests = p_values[:, self.tested]
        ordered = np.sort(all_tests, axis=1)
        limits = FALSE_DISCOVERY_RATE * np.arange(1, ordered.shape[1] + 1) / (ordered.shape[1] + self.further)
        limit = np.where(ordered <= limits, ordered, -1.0).max(axis=1)  # Benjamini and Hochberg's
        right = np.sign(scores[..., _WIN_RATE]) == np.sign(mean[:, _WIN_RATE])
        found: Numbers = (right & (p_values[..., _WIN_RATE] <= limit[:, None])).mean(axis=0)
        return found

    def factor_for(self, group: int, power: float) -> float:
        """How many times the clusters flag a group's win rate with this power, within what samples can tell."""
        low, high = -_FARTHEST, _FARTHEST
        while high - low > _EXACT:
            middle = 0.5 * (low + high)
            if self.flagged(math.exp(middle))[group] < power:
                low = middle
            else:
                high = middle
        return math.exp(0.5 * (low + high))


def _scores(spread: SpreadOfDifferences) -> Numbers:
    """Normal scores of t statistics; 0 where there is no change, or nothing is known."""
    from scipy.special import ndtri

    with np.errstate(divide="ignore", invalid="ignore"):
        t = spread.value / spread.error
    t = np.where(np.isfinite(t), t, 0.0)
    found: Numbers = -np.sign(t) * ndtri(np.maximum(two_sided(t, spread.degrees), _SMALLEST) / 2.0)
    return found


def _moves(group: PilotGroup) -> Numbers:
    """By how much each cluster moves the difference of the win rates, to first order; the sum is 0."""
    moves = np.zeros(len(group.before))
    for sums, sign in ((group.after[:, _WIN_RATE], 1.0), (group.before[:, _WIN_RATE], -1.0)):
        part, whole = sums.T
        moves += sign * (part - part.sum() / whole.sum() * whole) / whole.sum()
    return moves


def _change(group: PilotGroup, chances: Numbers) -> float:
    """The difference of the win rates when clusters are drawn with these chances."""
    before, after = (chances @ side[:, _WIN_RATE] for side in (group.before, group.after))
    return float(after[0] / after[1] - before[0] / before[1])


def _chances(group: PilotGroup, effect: float) -> Numbers:
    """Chances of clusters, shape (clusters,), that bring the change as near to the effect as is sensible."""
    moves = _moves(group)
    even = np.full(len(moves), 1.0 / len(moves))
    now, spread = _change(group, even), float(moves.std())
    wanted = math.copysign(effect, now)
    if spread == 0.0:
        return even

    def tilted(tilt: float) -> Numbers:
        found: Numbers = np.exp(np.clip(tilt * moves / spread, -50.0, 50.0))
        shares: Numbers = found / found.sum()
        return shares

    way = 1.0 if wanted > now else -1.0
    low, high = 0.0, 3.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        chances = tilted(way * middle)
        enough = way * (_change(group, chances) - wanted) >= 0.0
        if enough or 1.0 / np.square(chances).sum() < _LEAST_EVEN * len(moves):
            high = middle
        else:
            low = middle
    return tilted(way * low)


def _changed_by(group: PilotGroup, effect: float) -> PilotGroup:
    """The group whose win rate changes by the effect: what its chances leave over is spread over all clusters."""
    chances = _chances(group, effect)
    now = _change(group, chances)
    rest = math.copysign(effect, _change(group, np.full(len(chances), 1.0 / len(chances)))) - now
    if abs(rest) <= _ROUNDING * effect:
        return group
    after = group.after.copy()
    after[:, _WIN_RATE, 0] += rest * after[:, _WIN_RATE, 1]
    return group._replace(after=after)
