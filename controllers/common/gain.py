"""Gains: how far a rule steps, and what it takes for an error.

Many outcomes at once. When m outcomes of one difficulty arrive in one step, their mean is one error with an m-th of the
variance. Linearised around the target, with b = |dp/dd| and V = target (1 - target), a gain g leaves

    noise    RMSE_p^2 = g b V / (m (2 - g b))              (Kushner and Yin 2003, constant gain)
    lag      a first error shrinks by 1 - g b per step; a skill that wanders by q per step adds q^2 b / (2 g)

The linear scaling rule (Goyal et al. 2017), g m in place of g, answers as fast per outcome as m single steps would, and
gives up the whole advantage of the mean: the noise is that of one player. It stops where g m b is no longer well below
1: the linearisation ends and the dial starts to swing, hence LARGEST_GAIN. For a skill that wanders, noise plus lag is
least at g = q sqrt(m / V): the square root of m. For a skill that stands still, noise only asks for less gain, and lag
for no more than makes g b t a few units at the time t when precision starts to matter. At t = 20, m = 20, b = 2 and a
first error of .3 that is g = .04: what the constant gains here are already. Scaled up by 20 they measured twice the
error and more. Hence the default: no scaling.
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
    """What a step answers to: (won - target) + progress ((progress seen - won) - gap).

    Part of the win is replaced by what graded progress says, less the mean of the difference: a control variate (Owen
    2013, chapter 8). Where the dial stands still the second part averages zero whatever progress means in a game, so
    the rule still converges to the target; while skill moves, near misses and narrow escapes speak at once.

    gap: gap_after this outcome.
    """
    return seen.won - seen.target + progress * (seen.progress - seen.won - gap)


def sign_after(sign: float, error: float) -> float:
    """The sign of the latest error that was not zero: -1 or 1; 0 before there was one."""
    return 1.0 if error > 0.0 else -1.0 if error < 0.0 else sign


def reversal(sign: float, error: float) -> float:
    """1 where this error turns the sign of the ones before it, else 0."""
    return 1.0 if sign * error < 0.0 else 0.0
