"""Settings drawn at random: with few trials and several keys it covers each key better than a grid does.

Bergstra and Bengio, Journal of Machine Learning Research 13, 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from sims.sweeping.search.explorer import PlannedTrials
from sims.sweeping.space import Settings, SweepSpace
from sims.sweeping.trial_records import PlayerBlock

_REPEATS: Final = 1000  # draws in a row that were there before: then there is hardly anything new


class RandomTrials(PlannedTrials):
    """Draws different settings. seed: 0 or more."""

    def __init__(self, space: SweepSpace, block: PlayerBlock, trials: int, seed: int) -> None:
        super().__init__(drawn(space, seed), trials, block)


def drawn(space: SweepSpace, seed: int) -> Iterator[Settings]:
    """Settings at uniform places of the unit cube, each once."""
    dice = np.random.Generator(np.random.Philox(seed))
    seen: set[Settings] = set()
    repeats = 0
    while repeats < _REPEATS:
        one = space.at(dice.random(len(space.keys)).tolist())
        repeats += 1
        if one not in seen:
            seen.add(one)
            repeats = 0
            yield one
