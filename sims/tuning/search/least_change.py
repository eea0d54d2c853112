"""A setting that does nearly the same as another one, with more knobs at the designer's defaults.

One binomial model for each segment is fitted around the setting in question, to all counts of the study. Then knobs are
set back, or moved a little to make up for it, as long as this lowers

    mean over segments of ((win rate - target) / tolerance)^2 + weight x change,

where change is the mean over knobs of the distance from the designer's default, as a share of the knob's range, and 1
for another choice. With a weight of 1, changing everything from end to end is as bad as missing every target by its
tolerance. The result is a proposal of the model; only its own counts show how good it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.local_model import NEAR, LocalModel
from sims.tuning.search.search_space import Numbers, Point, SearchSpace

USUAL_WEIGHT: Final = 1.0  # where the user gave none
_ROUNDS: Final = 40
_POOL: Final = 1000
_SET_BACK: Final = 0.2  # chance of each knob in a proposal
_MOVED: Final = 0.4
_STEPS: Final = (-2.5, -0.7)  # length of a move, as powers of ten


def change_size(space: SearchSpace, points: Numbers, start: Point) -> Numbers:
    """How far points are from the start, in [0, 1], shape (n,): the mean over knobs, 1 for another choice."""
    away = np.abs(points - np.array(start))
    for j in space.choices:
        away[:, j] = np.where(away[:, j] > 0.0, 1.0, 0.0)
    sizes: Numbers = away.mean(axis=1)
    return sizes


def least_change(
    space: SearchSpace,
    segments: Sequence[Segment],
    tells: Sequence[Tell],
    point: Point,
    start: Point,
    weight: float,
    seed: int,
    *,
    most: float | None = None,
    near: float = NEAR,
) -> Point:
    """The best setting by the model that changes no more than `point` does; `point` itself where none is better.

    tells: all counts of the study; start: the designer's defaults; weight: above 0; most: the largest change, None for
    that of `point`; near: see sims.tuning.search.local_model.
    """
    model = LocalModel(space, tells, np.array(point), near)
    targets = np.array([segment.target for segment in segments])
    tolerances = np.array([max(segment.tolerance, 1e-6) for segment in segments])
    dice = np.random.Generator(np.random.Philox(key=[seed, 0x6C656173]))
    best = np.array(point)
    home = np.array(start)
    most = float(change_size(space, best[np.newaxis], start)[0]) if most is None else most
    for _ in range(_ROUNDS):
        pool = space.snap(_proposals(best, home, dice))
        pool[0] = best
        miss = (((model.chances(pool) - targets) / tolerances) ** 2).mean(axis=1)
        changed = change_size(space, pool, start)
        best = pool[int(np.argmin(np.where(changed <= most, miss + weight * changed, np.inf)))]
    return tuple(best.tolist())


def _proposals(best: Numbers, home: Numbers, dice: np.random.Generator) -> Numbers:
    """Points with some knobs set back and some moved, shape (n, d)."""
    shape = (_POOL, len(best))
    turned = dice.random(shape)
    steps = 10.0 ** dice.uniform(*_STEPS, (_POOL, 1)) * dice.standard_normal(shape)
    moved = np.where(turned < _SET_BACK + _MOVED, np.abs(best + steps), best)
    return np.where(turned < _SET_BACK, home, np.minimum(moved, 2.0 - moved))  # reflected at the bounds
