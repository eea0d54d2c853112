"""A tuning problem whose truth is known: players with random skill meet ten obstacles, and knobs interact.

A player of segment k has skill z ~ N(0, 0.6). Obstacle j is hit when a uniform draw is below

    logistic(h_k(x) - z),

and the attempt is won when fewer obstacles are hit than the player has lives, which is a knob. The hardness h_k is a
segment's own intercept, linear terms whose weights fall ten to one, sparse products of two knobs, a sine and a tanh
term, and, with a choice among the knobs, an offset and a slope for each option. Its win rates have a closed form: a
binomial tail, averaged over skill. Targets are the win rates at a hidden point, so no error at all can be reached.

Optional ripples are added to h_k: sines of one to two periods across the search space, in another direction for each
segment. No quadratic model can follow them.

An optional cliff is a step of h_k in two of the segments, at one value of one continuous knob.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import binom

from sims.tuning.search.counts import Ask, Segment, Tell
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

OBSTACLES: Final = 10
SKILL_SD: Final = 0.6
LIVES: Final = 6
SHAPES: Final = {3: (2, 1, 0, 3), 8: (5, 2, 1, 4), 20: (14, 5, 1, 5)}  # floats, integers, choices, segments
OPTIONS: Final = 4
CELLS: Final = 10  # of an integer knob that is not lives
TOLERANCE: Final = 0.01
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_FAR: Final = 0.2  # the centre of the search space misses a target by at least so much
_EDGES: Final = (0.3, 0.7)  # of the knob with a cliff
_RATES: Final = (0.35, 0.92)  # of the hidden point, in each segment


class TuningProblem:
    """One instance, drawn from a seed."""

    def __init__(self, size: int, seed: int, ripple: float = 0.0, cliff: float = 0.0) -> None:
        """size: number of knobs, one of SHAPES; ripple: amplitude in logits; cliff: height in logits."""
        floats, integers, choices, segments = SHAPES[size]
        self.search_space = SearchSpace(
            tuple(f"knob_{j}" for j in range(size)),
            (0,) * floats + (LIVES,) + (CELLS,) * (integers - 1) + (OPTIONS,) * choices,
            (False,) * (size - choices) + (True,) * choices,
        )
        self.seed, self._lives = seed, floats
        edge = np.random.Generator(np.random.Philox(key=[seed, 4]))  # of its own: the rest is as without a cliff
        self._cliff_at = int(edge.integers(floats)), float(edge.uniform(*_EDGES))
        self._cliff = np.zeros(segments)
        self._cliff[edge.choice(segments, size=2, replace=False)] = cliff
        dice = np.random.Generator(np.random.Philox(key=[seed, 1]))
        while True:
            self._draw(dice, segments, ripple)
            hidden = self.search_space.snap(dice.uniform(0.1, 0.9, size))
            wanted = self.rates(hidden)[0]
            centre = self.rates(self.search_space.snap(np.full(size, 0.5)))[0]
            if _RATES[0] < wanted.min() and wanted.max() < _RATES[1] and np.abs(centre - wanted).max() > _FAR:
                break
        self.hidden: Point = tuple(hidden[0].tolist())
        self.segments = tuple(
            Segment(f"segment {k}", k, 0, float(t) - TOLERANCE, float(t) + TOLERANCE) for k, t in enumerate(wanted)
        )
        self.targets: Numbers = wanted

    def _draw(self, dice: np.random.Generator, segments: int, ripple: float) -> None:
        size = self.search_space.size
        numeric = len(self.search_space.numeric)
        weights = np.geomspace(1.0, 0.1, numeric)[dice.permutation(numeric)] * dice.choice([-1.0, 1.0], numeric)
        self._linear = 1.2 * weights * (1.0 + 0.5 * dice.standard_normal((segments, numeric)))
        pairs = [(i, j) for i in range(numeric) for j in range(i + 1)]
        chosen = dice.choice(len(pairs), size=min(size, len(pairs)), replace=False)
        self._pairs = [pairs[c] for c in chosen]
        shared = 0.5 * dice.standard_normal(len(chosen))
        self._products = shared * (1.0 + 0.5 * dice.standard_normal((segments, len(chosen))))
        self._bends = 0.4 * dice.standard_normal((segments, 2))
        self._bent = dice.choice(numeric, size=2, replace=False)
        self._intercepts = -0.9 + 0.4 * dice.standard_normal(segments)
        choices = len(self.search_space.choices)
        self._offsets = 0.4 * dice.standard_normal((segments, choices, OPTIONS))
        self._slopes = 0.3 * dice.standard_normal((segments, choices, OPTIONS))
        self._sloped = dice.choice(numeric, size=choices)
        self._ripple = ripple
        directions = dice.standard_normal((segments, size))
        self._waves = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        self._waves *= 2.0 * np.pi * dice.uniform(1.0, 2.0, (segments, 1))
        self._phases = dice.uniform(0.0, 2.0 * np.pi, segments)

    def hardness(self, points: Numbers) -> Numbers:
        """h_k(x), shape (points, segments)."""
        v = 2.0 * points[:, self.search_space.numeric] - 1.0
        found: Numbers = self._intercepts + v @ self._linear.T
        for (i, j), weight in zip(self._pairs, self._products.T, strict=True):
            found = found + np.outer(v[:, i] * v[:, j], weight)
        first, second = self._bent
        found = found + np.outer(np.tanh(2.0 * v[:, first]), self._bends[:, 0])
        found = found + np.outer(np.sin(np.pi * v[:, second]), self._bends[:, 1])
        for c, j in enumerate(self.search_space.choices):
            cell = self.search_space.cells(points, j)
            found = found + self._offsets[:, c, cell].T
            found = found + v[:, self._sloped[c], None] * self._slopes[:, c, cell].T
        knob, edge = self._cliff_at
        found = found + np.outer(points[:, knob] > edge, self._cliff)
        hardness: Numbers = found + self._ripple * np.sin(points @ self._waves.T + self._phases)
        return hardness

    def rates(self, points: Numbers) -> Numbers:
        """True win rates, shape (points, segments), by Gauss-Hermite quadrature over skill."""
        hit = expit(self.hardness(points)[:, :, None] - SKILL_SD * _NODES)
        tails = binom.cdf(self.lives(points)[:, None, None] - 1, OBSTACLES, hit)
        found: Numbers = tails @ _WEIGHTS / _WEIGHTS.sum()
        return found

    def lives(self, points: Numbers) -> Numbers:
        """Hits that lose an attempt, 1 to LIVES, shape (points,)."""
        found: Numbers = (self.search_space.cells(points, self._lives) + 1).astype(np.float64)
        return found

    def error(self, point: Point) -> float:
        """The true largest distance from a target."""
        return float(np.abs(self.rates(np.array([point]))[0] - self.targets).max())

    def floor(self, attempts: int) -> tuple[float, float]:
        """Median and 95 % quantile of the largest error, if all attempts told of the optimum: the limit of a search.

        error_k ~ N(0, K p_k (1 - p_k) / attempts), attempts in all segments together. Players whose skill is
        stratified may go below.
        """
        spread = np.sqrt(len(self.targets) * self.targets * (1.0 - self.targets) / attempts)
        dice = np.random.Generator(np.random.Philox(key=[self.seed, 2]))
        errors = np.abs(dice.standard_normal((4000, len(spread))) * spread).max(axis=1)
        return float(np.median(errors)), float(np.quantile(errors, 0.95))

    def play(self, asks: Sequence[Ask]) -> list[Tell]:
        """Play asks, skill stratified within each; block and segment name the dice."""
        if not asks:
            return []
        points = np.array([ask.point for ask in asks])
        hardness, lives = self.hardness(points), self.lives(points)
        tells = []
        for i, ask in enumerate(asks):
            wins = []
            for k, n in enumerate(ask.attempts):
                dice = np.random.Generator(np.random.Philox(key=[self.seed, 3], counter=[0, 0, k, ask.block]))
                skill = SKILL_SD * ndtri((np.arange(n) + dice.random(n)) / n)
                hits = (dice.random((n, OBSTACLES)) < expit(hardness[i, k] - skill)[:, None]).sum(axis=1)
                wins.append(int((hits < lives[i]).sum()))
            tells.append(Tell(ask.point, ask.attempts, tuple(wins), ask.block))
        return tells
