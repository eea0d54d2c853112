"""A setting that does nearly what another one does, and leaves more as the designer had it.

One binomial model per segment is fitted to all that was told, around the setting in question, whoever asked for it.
Then knobs are set back, or moved a little to make up for it, as long as this lowers

    mean over segments of ((win rate - target) / tolerance)^2 + weight x change,

where change is the mean over knobs of how far each is from the designer's place, as a share of its range, and 1 for
another choice. So a weight of 1 says: to change everything from end to end is as bad as to miss every target by its
tolerance. What is found is a proposal of the model's; only counts of its own say how good it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sims.tuning.search.counts import Segment, Tell
from sims.tuning.search.knob_box import Cube, Numbers, Point
from sims.tuning.search.local_model import LocalModel

USUAL_WEIGHT: Final = 1.0  # of the option that changes less, where nobody named a weight
_ROUNDS: Final = 40
_POOL: Final = 1000
_SET_BACK: Final = 0.2  # chance of a knob in each proposal
_MOVED: Final = 0.4
_STEPS: Final = (-2.5, -0.7)  # length of a move, as powers of ten


def change(cube: Cube, points: Numbers, start: Point) -> Numbers:
    """How much points change, in [0, 1], shape (n,)."""
    away = np.abs(points - np.array(start))
    for j in cube.choices:
        away[:, j] = np.where(away[:, j] > 0.0, 1.0, 0.0)
    found: Numbers = away.mean(axis=1)
    return found


def least_change(
    cube: Cube, segments: Sequence[Segment], tells: Sequence[Tell], point: Point, start: Point, weight: float, seed: int
) -> Point:
    """The best setting by the model that changes no more than `point`; `point` itself where nothing is better.

    start: the designer's; weight: above 0.
    """
    model = LocalModel(cube, tells, np.array(point))
    targets = np.array([segment.target for segment in segments])
    tolerances = np.array([max(segment.tolerance, 1e-6) for segment in segments])
    dice = np.random.Generator(np.random.Philox(key=[seed, 0x6C656173]))
    best = np.array(point)
    home = np.array(start)
    most = float(change(cube, best[np.newaxis], start)[0])
    for _ in range(_ROUNDS):
        pool = cube.snapped(_proposals(best, home, dice))
        pool[0] = best
        miss = (((model.chances(pool) - targets) / tolerances) ** 2).mean(axis=1)
        changed = change(cube, pool, start)
        best = pool[int(np.argmin(np.where(changed <= most, miss + weight * changed, np.inf)))]
    return tuple(best.tolist())


def _proposals(best: Numbers, home: Numbers, dice: np.random.Generator) -> Numbers:
    """Points of which some knobs are set back and some moved, shape (n, d)."""
    shape = (_POOL, len(best))
    turned = dice.random(shape)
    steps = 10.0 ** dice.uniform(*_STEPS, (_POOL, 1)) * dice.standard_normal(shape)
    moved = np.where(turned < _SET_BACK + _MOVED, np.abs(best + steps), best)
    return np.where(turned < _SET_BACK, home, np.minimum(moved, 2.0 - moved))  # reflected at the bounds
