"""Particles: many imagined players with weights, and where the dial belongs while they are believed.

A particle's win probability at difficulty d, attempt t, place in the session and last outcome is the engine's own
player model in closed form,

    p = bottom + (top - bottom) logistic(slope (skill(t, place) - b(d)) + tilt (2 last - 1)),

with skill as in engine.players.skill_now and b the dial as the player feels it. A last outcome that is not known mixes
both possible ones. An outcome multiplies a particle's weight by the chance that the particle gave it (Bayes' rule);
the dial goes where the weighted mean of (p - target)^2 is least.

The logistic is 1 / (1 + e^-reach e^(slope b)): the second factor is a table over the dial, so that a look at another
difficulty costs a product and a quotient per particle. Everything is arithmetic on whole arrays in a fixed order: the
same bits compiled and in plain Python, and quick in both.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import log

Numbers = npt.NDArray[np.float64]

CELLS: Final = 200  # of the dial's table: proposals are multiples of 1 / CELLS
GRID: Final = 40  # steps of the search for the best place, before the parabola
LONGEST_SESSION: Final = 49.0  # attempts after which tiring is complete, as in engine.players
FORGOTTEN: Final = 1e-30  # a smaller weight is none: numbers near the smallest there are cost many times the time
FURTHEST: Final = 300.0  # logits; nothing is surer

_LOG2_E: Final = 1.4426950408889634
_LN2: Final = 0.6931471805599453


class Cast(NamedTuple):
    """Imagined players. A particle is `members` voices; voice v of particle j stands at v * particles + j.

    Arrays have shape (voices,) unless said otherwise; tables are flattened.
    """

    members: float  # voices per particle: 1, or the members of an imagined cohort
    weight: Numbers  # prior, shape (particles,), sum 1
    skill: Numbers
    slope: Numbers
    top: Numbers  # highest win probability
    idle_top: Numbers  # the same while attempts are thrown
    thrown: Numbers
    learning: Numbers
    fatigue: Numbers
    tiring: Numbers
    jump: Numbers
    jump_attempt: Numbers
    lift: Numbers  # e^-tilt
    drop: Numbers  # e^tilt
    lowest: Numbers
    highest: Numbers
    knots: Numbers  # attempts at which `practice` is tabulated; linear in between
    practice: Numbers  # (knots, voices), or (knots, 1) where nobody practises: gain of skill by the power law
    dial: Numbers  # (CELLS + 1, voices): e^(slope b(d))
    bottom: Numbers  # (CELLS + 1,): lowest win probability


class Stand(NamedTuple):
    """Voices at one moment: what of their win probability does not depend on the dial."""

    after_win: Numbers  # e^-(slope skill + tilt)
    after_loss: Numbers
    share: float  # of the first: 1 or 0 where the last outcome is known
    top: Numbers


def total(numbers: Numbers) -> float:
    """Sum by halves: an order of its own, the same compiled and in plain Python."""
    while len(numbers) > 1:
        half = len(numbers) // 2
        folded = numbers[:half] + numbers[half : 2 * half]
        if len(numbers) > 2 * half:
            folded[0] += numbers[2 * half]
        numbers = folded
    return float(numbers[0])


def exponentials(x: Numbers) -> Numbers:
    """e^x, relative error below 1e-9; |x| is held at FURTHEST. Taylor series of degree 7 at a quarter of the rest."""
    k = np.floor(np.minimum(np.maximum(x, -FURTHEST), FURTHEST) * _LOG2_E + 0.5)
    r = (np.minimum(np.maximum(x, -FURTHEST), FURTHEST) - k * _LN2) * 0.25
    p = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))))
    powers: Numbers = np.ldexp(p * p * p * p, k.astype(np.int64))
    return powers


def between(table: Numbers, rows: int, place: float) -> Numbers:
    """A table at a place between two of its rows, counted from 0."""
    width = len(table) // rows
    row = int(place)
    share = place - row
    low = table[row * width : (row + 1) * width]
    if share == 0.0:
        return low
    high = table[(row + 1) * width : (row + 2) * width]
    mixed: Numbers = low * (1.0 - share) + high * share
    return mixed


def stand_of(cast: Cast, attempt: float, place: float, last: float) -> Stand:
    """Where voices stand before their attempt number `attempt`, which is number `place` of its session.

    last: 1 after a win, 0 after a loss; in between the chance or share of wins.
    """
    k = min(max(int(np.searchsorted(cast.knots, attempt)) - 1, 0), len(cast.knots) - 2)
    share = min((attempt - cast.knots[k]) / (cast.knots[k + 1] - cast.knots[k]), 1.0)
    grown = between(cast.practice, len(cast.knots), k + share)
    tired = min(place / LONGEST_SESSION, 1.0)
    practised, spent = log(1.0 + attempt), log(1.0 + place)
    skill = cast.skill + cast.learning * practised - cast.fatigue * spent + grown - cast.tiring * tired
    skill = np.minimum(np.maximum(skill + cast.jump * (cast.jump_attempt <= attempt), cast.lowest), cast.highest)
    top = cast.top + (cast.idle_top - cast.top) * (cast.thrown > place)
    reach = exponentials(-cast.slope * skill)
    return Stand(reach * cast.lift, reach * cast.drop, last, top)


def chances(cast: Cast, stand: Stand, difficulty: float) -> Numbers:
    """Win probability of each particle, shape (particles,): the mean of its voices."""
    dial = between(cast.dial, CELLS + 1, difficulty * CELLS)
    cell = min(int(difficulty * CELLS), CELLS - 1)
    bottom = cast.bottom[cell] + (difficulty * CELLS - cell) * (cast.bottom[cell + 1] - cast.bottom[cell])
    if stand.share == 1.0 or stand.share == 0.0:
        known = stand.after_win if stand.share == 1.0 else stand.after_loss
        p: Numbers = bottom + (stand.top - bottom) / (1.0 + known * dial)
    else:
        won, lost = stand.share, 1.0 - stand.share
        p = bottom + (stand.top - bottom) * (
            won / (1.0 + stand.after_win * dial) + lost / (1.0 + stand.after_loss * dial)
        )
    count = len(cast.weight)
    if len(p) == count:
        return p
    mean = np.zeros(count)
    for member in range(len(p) // count):
        mean = mean + p[member * count : (member + 1) * count] / cast.members
    return mean


def best_place(cast: Cast, weights: Numbers, stand: Stand, target: float, near: float) -> float:
    """The difficulty of the least weighted mean of (p - target)^2, a multiple of 1 / CELLS.

    weights: shape (particles,), sum 1. The search goes downhill from `near` over a grid of GRID steps; a parabola
    through the lowest point and its neighbours places the answer between them.
    """
    found = np.full(GRID + 1, np.inf)
    best, centre = int(near * GRID + 0.5), -1
    while best != centre:
        centre = best
        for cell in range(max(centre - 1, 0), min(centre + 1, GRID) + 1):
            if found[cell] == np.inf:
                off = chances(cast, stand, cell / GRID) - target
                found[cell] = total(weights * off * off)
            if found[cell] < found[best]:
                best = cell
    difficulty = best / GRID
    if 0 < best < GRID:
        bend = found[best - 1] - 2.0 * found[best] + found[best + 1]
        if bend > 0.0:
            difficulty += 0.5 * (found[best - 1] - found[best + 1]) / bend / GRID
    return float(np.floor(difficulty * CELLS + 0.5)) / CELLS


def reweighted(cast: Cast, weights: Numbers, stand: Stand, difficulty: float, won: float, weight: float) -> Numbers:
    """Weights after `weight` attempts at one difficulty of which the share `won` was won; sum 1.

    The likelihood p^wins (1 - p)^losses is taken relative to the particle whose p is nearest the share, so that
    thousands of attempts at once leave the best particles standing.
    """
    p = chances(cast, stand, difficulty)
    nearest = min(max(won, p.min()), p.max())
    found = weights
    for outcome in range(int(weight + 0.5)):
        # Wins come evenly among the losses, so that no product on the way runs out of range.
        is_win = int((outcome + 1) * won + 0.5) > int(outcome * won + 0.5)
        found = found * (p / nearest if is_win else (1.0 - p) / (1.0 - nearest))
    found = found * (found >= FORGOTTEN)
    return found / total(found)
