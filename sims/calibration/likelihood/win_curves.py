"""How the chance of winning follows from skill: three curves, each with its slope and its bend.

`s` is skill now less the difficulty of the level, at a node of what players differ in.

    logistic   P = 1 / (1 + exp(-s))
    guessing   P = guess + (1 - guess - lapse) / (1 + exp(-s))
    mapped     logit P = a cubic spline over s, one for each place of a game's dial and each kind of player
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp
from sims.calibration.likelihood.grids import TERMS, bring_to_size

Numbers = npt.NDArray[np.float64]

MOST_LOGIT: Final = 35.0  # of the part that nodes share; beyond it a chance is 0 or 1


class PlainCurve(NamedTuple):
    """What the logistic and the guessing curve are drawn from."""

    guess: float
    lapse: float


class MapCurve(NamedTuple):
    """A game's response map as splines: what the mapped curve is drawn from."""

    place: npt.NDArray[np.int64]  # index of the place of the dial below each attempt, shape (rows,)
    share: Numbers  # how far the attempt is from it to the next place, in [0, 1], shape (rows,)
    kind: npt.NDArray[np.int64]  # which kind of player each node has, shape (nodes,)
    splines: Numbers  # coefficients from the cube down, shape (kinds, places, pieces, 4)
    lowest: float  # skill at which the first piece begins
    step: float  # length of a piece


def common_logit(row: int, level: Any, features: Any, point: Any, levels: int) -> float:
    """What all nodes share: the effects less the difficulty."""
    common = -point[level[row]]
    for f in range(features.shape[1]):
        common += features[row, f] * point[levels + f]
    return float(common)


def logistic_rows(
    begin: int, rows: int, level: Any, won: Any, features: Any, point: Any, levels: int, steps: Any, decay: Any,
    curve: Any, slope: Any, bend: Any, out: Any,
) -> float:  # fmt: skip
    """A player's wins at every node: the product of their chances into out, shape (nodes,).

    Slopes and bends of the logarithm of each chance, by s, go to slope and bend, shape (rows, nodes). Returns the
    logarithm that was taken out of the product. steps: sd z; decay: exp(-steps).
    """
    scale = 0.0
    for q in range(len(out)):
        out[q] = 1.0
    for r in range(rows):
        common = common_logit(begin + r, level, features, point, levels)
        odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
        if won[begin + r] == 1:
            for q in range(len(out)):
                p = 1.0 / (1.0 + odds * decay[q])
                slope[r, q] = 1.0 - p
                bend[r, q] = -p * (1.0 - p)
                out[q] *= p
        else:
            for q in range(len(out)):
                against = odds * decay[q]
                p = 1.0 / (1.0 + against)
                slope[r, q] = -p
                bend[r, q] = -p * (1.0 - p)
                out[q] *= against * p
        if r % TERMS == TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)


def guessing_rows(
    begin: int, rows: int, level: Any, won: Any, features: Any, point: Any, levels: int, steps: Any, decay: Any,
    curve: Any, slope: Any, bend: Any, out: Any,
) -> float:  # fmt: skip
    """The same where nobody wins less often than by guessing, or more often than lapses allow."""
    scale = 0.0
    reach = 1.0 - curve.guess - curve.lapse
    for q in range(len(out)):
        out[q] = 1.0
    for r in range(rows):
        common = common_logit(begin + r, level, features, point, levels)
        odds = exp(-min(max(common, -MOST_LOGIT), MOST_LOGIT))
        for q in range(len(out)):
            inner = 1.0 / (1.0 + odds * decay[q])
            p = curve.guess + reach * inner
            up = reach * inner * (1.0 - inner)
            if won[begin + r] == 1:
                slope[r, q] = up / p
                bend[r, q] = up * (1.0 - 2.0 * inner) / p - (up / p) * (up / p)
                out[q] *= p
            else:
                lost = curve.lapse + reach * (odds * decay[q] * inner)
                slope[r, q] = -up / lost
                bend[r, q] = -up * (1.0 - 2.0 * inner) / lost - (up / lost) * (up / lost)
                out[q] *= lost
        if r % TERMS == TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)


def mapped_rows(
    begin: int, rows: int, level: Any, won: Any, features: Any, point: Any, levels: int, steps: Any, decay: Any,
    curve: Any, slope: Any, bend: Any, out: Any,
) -> float:  # fmt: skip
    """The same by a game's response map; beyond its ends the logit stays as it is there."""
    scale = 0.0
    splines = curve.splines
    pieces = splines.shape[2]
    for q in range(len(out)):
        out[q] = 1.0
    for r in range(rows):
        common = common_logit(begin + r, level, features, point, levels)
        place = curve.place[begin + r]
        right = curve.share[begin + r]
        for q in range(len(out)):
            along = (common + steps[q] - curve.lowest) / curve.step
            held = min(max(along, 0.0), pieces + 0.0)
            piece = min(int(held), pieces - 1)
            x = (held - piece) * curve.step
            one = splines[curve.kind[q], place, piece]
            two = splines[curve.kind[q], place + 1, piece]
            a = one[0] + right * (two[0] - one[0])
            b = one[1] + right * (two[1] - one[1])
            c = one[2] + right * (two[2] - one[2])
            d = one[3] + right * (two[3] - one[3])
            height = ((a * x + b) * x + c) * x + d
            rise = (3.0 * a * x + 2.0 * b) * x + c
            turn = 6.0 * a * x + 2.0 * b
            if along < 0.0 or along > pieces:
                rise = 0.0
                turn = 0.0
            against = exp(-min(max(height, -MOST_LOGIT), MOST_LOGIT))
            p = 1.0 / (1.0 + against)
            over = 1.0 - p if won[begin + r] == 1 else -p
            slope[r, q] = over * rise
            bend[r, q] = over * turn - p * (1.0 - p) * rise * rise
            out[q] *= p if won[begin + r] == 1 else against * p
        if r % TERMS == TERMS - 1:
            scale += bring_to_size(out)
    return scale + bring_to_size(out)
