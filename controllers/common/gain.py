"""Gains: how far a rule steps, and what it counts as an error.

Many outcomes at once. When m outcomes of one difficulty arrive in one step, their mean is one error with an m-th of the
variance. Linearised around the target, with b = |dp/dd| and V = target (1 - target), a gain g leaves

    noise    RMSE_p^2 = g b V / (m (2 - g b))              (Kushner and Yin 2003, constant gain)
    lag      a first error shrinks by 1 - g b per step; a skill that wanders by q per step adds q^2 b / (2 g)

The linear scaling rule (Goyal et al. 2017) uses g m instead of g. It is as fast per outcome as m single steps, and
loses the whole advantage of the mean: the noise is that of one player. It fails where g m b is no longer well below 1:
the linearisation ends and the difficulty starts to swing, hence LARGEST_GAIN. For a drifting skill, noise plus lag is
least at g = q sqrt(m / V): the square root of m. For a constant skill, noise needs less gain. Lag needs no more than a
few units of g b t at the time t when precision starts to matter. At t = 20, m = 20, b = 2 and a first error of .3 that
is g = .04, as the constant gains here already have. Scaled up by 20, their measured error was twice as large or more.
Hence the default: no scaling.
"""

from __future__ import annotations

from typing import Final

from engine.arithmetic import exp, log
from engine.controller import Observation, Option

LARGEST_GAIN: Final = 0.25  # where win probability falls by 2 per dial, half of what would jump to the target at once
LONGEST_MEMORY: Final = 50.0  # outcomes over which the mean of progress minus win is taken

SCALING: Final = Option(
    "scaling",
    0.0,
    1.0,
    "power of the number of outcomes in a step that multiplies the gain: 0 none, 0.5 root, 1 the linear scaling rule",
)
PROGRESS: Final = Option(
    "progress", 0.0, 1.0, "weight of graded progress against the bare win: 0 the win only, 1 as much as possible"
)


def gain_for(gain: float, weight: float, scaling: float) -> float:
    """The gain for a step that rests on `weight` outcomes: gain weight^scaling, at most LARGEST_GAIN.

    A gain that is larger than that by itself stays as it is.
    """
    if scaling == 0.0 or weight <= 1.0:
        return gain
    return max(gain, min(gain * exp(scaling * log(weight)), LARGEST_GAIN))


def gap_after(gap: float, n: float, seen: Observation) -> float:
    """The running mean of progress minus win, with outcome number n (from 1) in it."""
    return gap + (seen.progress - seen.won - gap) / min(n, LONGEST_MEMORY)


def error_of(seen: Observation, progress: float, gap: float) -> float:
    """The error behind a step: (won - target) + progress ((progress seen - won) - gap).

    Graded progress replaces part of the win, less the mean of the difference: a control variate (Owen 2013, chapter 8).
    At a constant difficulty the second part averages zero, whatever progress means in a game, so the rule still
    converges to the target. While skill changes, near misses and narrow wins count at once.

    gap: gap_after this outcome.
    """
    return seen.won - seen.target + progress * (seen.progress - seen.won - gap)


def sign_after(sign: float, error: float) -> float:
    """The sign of the latest error other than zero: -1 or 1; 0 before the first."""
    return 1.0 if error > 0.0 else -1.0 if error < 0.0 else sign


def reversal(sign: float, error: float) -> float:
    """1 where this error turns the sign of the ones before it, else 0."""
    return 1.0 if sign * error < 0.0 else 0.0
