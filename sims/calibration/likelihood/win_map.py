"""Win probability of a game by skill, as splines: one for each place of its dial and each kind of player."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WinMap:
    """What the likelihood needs of a game.

    Attributes:
        places: of the dial, ascending, shape (places,).
        splines: coefficients from the cube down, shape (kinds, places, pieces, 4).
        lowest: skill at which the first piece begins.
        step: length of a piece, in skill units.
        shares: of the kinds of player, shape (kinds,); they sum to 1.
    """

    places: Numbers
    splines: Numbers
    lowest: float
    step: float
    shares: Numbers

    def between(self, dial: Numbers) -> tuple[npt.NDArray[np.int64], Numbers]:
        """The place below each attempt, and how far the attempt is from it to the next, both of shape (attempts,)."""
        below = np.clip(np.searchsorted(self.places, dial, side="right") - 1, 0, len(self.places) - 2)
        share = (dial - self.places[below]) / (self.places[below + 1] - self.places[below])
        return below.astype(np.int64), np.clip(share, 0.0, 1.0)

    def chances(self, skill: npt.ArrayLike, dial: npt.ArrayLike) -> Numbers:
        """Mean win probability over the kinds, of the shape that skill and dial have together."""
        who, where = np.broadcast_arrays(np.asarray(skill, float), np.asarray(dial, float))
        below, share = self.between(where.ravel())
        along = np.clip((who.ravel() - self.lowest) / self.step, 0.0, self.splines.shape[2])
        piece = np.minimum(along.astype(np.int64), self.splines.shape[2] - 1)
        x = (along - piece) * self.step
        total = np.zeros(who.size)
        for kind, part in enumerate(self.shares):
            terms = (1.0 - share)[:, None] * self.splines[kind, below, piece]
            terms = terms + share[:, None] * self.splines[kind, below + 1, piece]
            logit = ((terms[:, 0] * x + terms[:, 1]) * x + terms[:, 2]) * x + terms[:, 3]
            total += part / (1.0 + np.exp(-logit))
        return total.reshape(who.shape)


def win_map_of(places: Numbers, skills: Numbers, logits: Sequence[Numbers], shares: Numbers) -> WinMap:
    """Splines through tables of logits.

    Args:
        places: of the dial, ascending.
        skills: of the tables, at equal steps.
        logits: one table for each kind of player, shape (skills, places).
        shares: of the kinds.
    """
    from scipy.interpolate import CubicSpline

    tables = []
    for table in logits:
        spline = CubicSpline(skills, table, axis=0)
        tables.append(np.transpose(spline.c, (2, 1, 0)))  # scipy: (4, pieces, places)
    step = float(skills[1] - skills[0])
    return WinMap(places, np.ascontiguousarray(np.array(tables)), float(skills[0]), step, shares)
