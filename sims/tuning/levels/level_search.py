"""The place of the dial on each level that brings its win rate to its target: a secant search on all levels at once.

Who reaches a level depends on the levels before it, so all are moved together and measured again. The same players with
the same luck play every round. A level's own slope is held near that of all levels, since few players may reach it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

FIRST_STEP: Final = 0.05  # of the dial
_LARGEST_STEP: Final = 0.3
_LEAST_MOVE: Final = 0.01  # of the dial, between two rounds, for a slope to be measured
_LEAST_ATTEMPTS: Final = 50  # of a level, for its slope to count among those of all
_USUAL_SLOPE: Final = -4.0  # logits per dial, where no level tells
_APART: Final = 3.0  # how many times a level's slope may be that of all, or a part of it


class LevelSearch:
    """Places of the dial, moved round by round. Higher places are harder."""

    def __init__(self, targets: Numbers, start: Numbers, floor: float, ceiling: float) -> None:
        """targets: win rates, shape (levels,); start: places, shape (levels,)."""
        self._targets = _logit(np.clip(targets, 0.001, 0.999))
        self._floor, self._ceiling = floor, ceiling
        self.places = start.copy()
        self._before: tuple[Numbers, Numbers] | None = None  # places and logits of the round before
        self._slopes = np.full(len(start), _USUAL_SLOPE)

    def tell(self, attempts: npt.NDArray[np.int64], wins: npt.NDArray[np.int64]) -> None:
        """Take what was measured at `places`, and move them. Shapes (levels,); a level that nobody reached stays."""
        logits = _logit((wins + 0.5) / (attempts + 1.0))
        if self._before is None:
            step = np.sign(logits - self._targets) * FIRST_STEP
        else:
            self._learn(logits, attempts)
            step = np.clip((self._targets - logits) / self._slopes, -_LARGEST_STEP, _LARGEST_STEP)
        self._before = self.places.copy(), logits
        moved = np.clip(self.places + step, self._floor, self._ceiling)
        self.places = np.where(attempts > 0, moved, self.places)

    def _learn(self, logits: Numbers, attempts: npt.NDArray[np.int64]) -> None:
        assert self._before is not None
        moved = self.places - self._before[0]
        known = np.abs(moved) >= _LEAST_MOVE
        slopes = np.where(known, (logits - self._before[1]) / np.where(known, moved, 1.0), self._slopes)
        sure = known & (attempts >= _LEAST_ATTEMPTS) & (slopes < 0.0)
        usual = float(np.median(slopes[sure])) if sure.any() else float(np.median(self._slopes))
        self._slopes = np.where(known, np.clip(slopes, usual * _APART, usual / _APART), self._slopes)


def _logit(rate: Numbers) -> Numbers:
    return np.log(rate / (1.0 - rate))
