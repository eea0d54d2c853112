"""Particles: many imagined players with weights, and the best difficulty for these weights.

A particle's win probability depends on difficulty d, attempt t, place in the session and last outcome. It is the
engine's own player model on a ground, which relates skill to difficulty:

    p = bottom(d) + (top - bottom(d)) logistic(slope M(skill(t, place) +- tilt / slope, b(d))),

with skill as in engine.players.skill_now, b the dial as the player feels it, and M the ground's logits: skill less
difficulty for a closed form, the logits of the response map for any other game, and for who knows more, on top what
engine.response.chance_map adds for a level and for this player's other traits. A last outcome that is not known mixes
both possible ones. An outcome multiplies a particle's weight by the chance that the particle gave it (Bayes' rule);
the dial goes where the weighted mean of (p - target)^2 is least.

Loops over single numbers, each formula at one place: they compile in a second, since a kernel holds a copy of all that
it calls, and give the same bits in plain Python.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp, log
from engine.players import LONG_SESSION
from engine.response.chance_map import STEEPEST

Numbers = npt.NDArray[np.float64]

CELLS: Final = 200  # of the dial's tables: proposals are multiples of 1 / CELLS
KNOTS: Final = 128  # moments at which practice is tabulated, by the logarithm of 1 + attempts; straight in between
KNOTS_PER_LOG: Final = 10.0
REACH: Final = 16  # logits: nothing is surer
CURVE_STEPS: Final = 64  # of the tabulated logistic per logit: its error is below 3e-6, 3e-5 of a small chance
FORGOTTEN: Final = 1e-30  # a smaller weight is none: numbers near the smallest there are cost many times the time
NEGLIGIBLE: Final = 1e-8  # weight below which a particle has no say in where the dial goes
LEAST_CHANCE: Final = 1e-7  # no player is sure to win or to lose


class Cast(NamedTuple):
    """Imagined players on a ground. A particle is `members` voices; voice v of particle j stands at j * members + v.

    Arrays have shape (voices,) unless said otherwise; tables are flattened.
    """

    members: float  # voices per particle: 1, or the members of an imagined cohort
    weight: Numbers  # prior, shape (particles,), sum 1
    skill: Numbers
    slope: Numbers  # of the logit over M; 1 where M is a response map
    top: Numbers  # highest win probability
    idle_top: float  # the same while attempts are thrown
    thrown: Numbers
    learning: Numbers
    fatigue: Numbers
    tiring: Numbers
    jump: Numbers
    jump_attempt: Numbers
    lift: Numbers  # tilt / slope: what a win adds to skill and a loss takes
    lowest: Numbers
    highest: Numbers
    practice: Numbers  # (KNOTS, voices), or (KNOTS, 1) without practice: gain of skill by the power law
    felt: Numbers  # (CELLS + 1, voices), or (CELLS + 1, 1) without bends: where it acts, in cells
    bottom: Numbers  # (CELLS + 1,): lowest win probability
    first_skill: float  # of the ground
    skill_step: float
    ground: Numbers  # M, (skills, CELLS + 1)
    floor: float  # the fields of Bounds; of a rule that has none, the whole dial's
    ceiling: float
    least_target: float
    most_target: float
    curve: Numbers  # (2 REACH CURVE_STEPS + 1,): the logistic from -REACH to REACH
    levels: float  # rows of what a chance map adds to the ground; 0 where there is none, and the following mean nothing
    added: Numbers  # (levels, CELLS + 1): along the dial
    added_skill: Numbers  # (levels, CELLS + 1): per half a unit of skill
    added_square: Numbers  # (levels,): per square of half a unit of skill
    added_own: (
        Numbers  # (levels, 4, voices): of the player, per half a unit of skill, per d and per d^2 from the middle
    )
    span: Numbers  # (2,): skills beyond count as these


class Stand(NamedTuple):
    """Voices at one moment: what of their win probability does not depend on the dial."""

    skill: Numbers
    top: Numbers
    last: float  # 1 after a win, 0 after a loss; in between the chance or share of wins
    row: int  # of the level, from 0


def stand_of(cast: Cast, attempt: float, place: float, last: float) -> Stand:
    """Where voices stand before their attempt number `attempt`, which is number `place` of its session."""
    practised, spent = log(1.0 + attempt), log(1.0 + place)
    tired = min(place / (LONG_SESSION - 1.0), 1.0)
    knot = min(practised * KNOTS_PER_LOG, KNOTS - 1.0)
    row = min(int(knot), KNOTS - 2)
    share = knot - row
    voices = len(cast.skill)
    width = len(cast.practice) // KNOTS
    skill, top = np.empty(voices), np.empty(voices)
    for v in range(voices):
        s = cast.skill[v] + cast.learning[v] * practised - cast.fatigue[v] * spent - cast.tiring[v] * tired
        if width > 1:
            low, high = cast.practice[row * width + v], cast.practice[(row + 1) * width + v]
            s += low + (high - low) * share
        if attempt >= cast.jump_attempt[v]:
            s += cast.jump[v]
        skill[v] = min(max(s, cast.lowest[v]), cast.highest[v])
        top[v] = cast.idle_top if place < cast.thrown[v] else cast.top[v]
    return Stand(skill, top, last, 0)


def on_level(stand: Stand, level: int) -> Stand:
    """The same moment on a level of a campaign, from 1; 0 in an endless stream."""
    return Stand(stand.skill, stand.top, stand.last, max(level - 1, 0))


def added_to(cast: Cast, row: int, v: int, base: float, skill: float, cell: float) -> float:
    """What a chance map adds to the logit `base` of a voice. cell: where the dial acts, in cells."""
    s = 0.5 * min(max(skill, cast.span[0]), cast.span[1])
    d = cell / CELLS - 0.5
    left = min(int(cell), CELLS - 1)
    right = cell - left
    at = row * (CELLS + 1) + left
    found = cast.added[at] + (cast.added[at + 1] - cast.added[at]) * right
    found += s * (cast.added_skill[at] + (cast.added_skill[at + 1] - cast.added_skill[at]) * right)
    found += cast.added_square[row] * s * s
    voices = len(cast.skill)
    at = 5 * row * voices + v
    found += cast.added_own[at] + cast.added_own[at + voices] * s
    found += cast.added_own[at + 4 * voices] * min(max(base, -STEEPEST), STEEPEST)
    found += cast.added_own[at + 2 * voices] * d + cast.added_own[at + 3 * voices] * d * d
    return float(found)


def particle_chances(cast: Cast, stand: Stand, weights: Numbers, least: float, difficulty: float) -> Numbers:
    """Win probability of each particle, shape (particles,): the mean of its voices; 0 where its weight is <= least."""
    row = min(int(difficulty * CELLS), CELLS - 1)
    share = difficulty * CELLS - row
    bottom = cast.bottom[row] + (cast.bottom[row + 1] - cast.bottom[row]) * share
    width = len(cast.felt) // (CELLS + 1)
    members, rows = int(cast.members), len(cast.ground) // (CELLS + 1)
    found = np.zeros(len(weights))
    for j in range(len(weights)):
        if weights[j] <= least:
            continue
        p = 0.0
        for v in range(j * members, (j + 1) * members):
            one = v if width > 1 else 0
            early, late = cast.felt[row * width + one], cast.felt[(row + 1) * width + one]
            cell = early + (late - early) * share
            column = min(int(cell), CELLS - 1)
            right = cell - column
            for won in range(2):
                part = stand.last if won == 1 else 1.0 - stand.last
                if part == 0.0:
                    continue
                skill = stand.skill[v] + (cast.lift[v] if won == 1 else -cast.lift[v])
                height = min(max((skill - cast.first_skill) / cast.skill_step, 0.0), rows - 1.0)
                weak = min(int(height), rows - 2)
                at = weak * (CELLS + 1) + column
                low = cast.ground[at] + (cast.ground[at + 1] - cast.ground[at]) * right
                at += CELLS + 1
                high = cast.ground[at] + (cast.ground[at + 1] - cast.ground[at]) * right
                logit = cast.slope[v] * (low + (high - low) * (height - weak))
                if cast.levels > 0.0:
                    logit += added_to(cast, stand.row, v, logit, skill, cell)
                step = (min(max(logit, -REACH), REACH) + REACH) * CURVE_STEPS
                k = min(int(step), 2 * REACH * CURVE_STEPS - 1)
                rise = cast.curve[k] + (cast.curve[k + 1] - cast.curve[k]) * (step - k)
                p += part * (bottom + (stand.top[v] - bottom) * rise)
        found[j] = min(max(p / members, LEAST_CHANCE), 1.0 - LEAST_CHANCE)
    return found


def best_place(cast: Cast, weights: Numbers, stand: Stand, target: float, near: float) -> float:
    """The difficulty of the least weighted mean of (p - target)^2, a multiple of 1 / CELLS.

    The search goes downhill from `near`, in strides that double while they lead down.
    """
    missed = np.full(CELLS + 1, math.inf)
    best, least = int(near * CELLS + 0.5), math.inf
    stride, side, failed = 0, 1, 0
    while failed < 2 or stride > 1:
        if failed == 2:  # neither way: back to the smallest stride
            stride, failed = 1, 0
        cell = min(max(best + side * stride, 0), CELLS)
        if missed[cell] == math.inf:
            p = particle_chances(cast, stand, weights, NEGLIGIBLE, cell / CELLS)
            missed[cell] = 0.0
            for j in range(len(p)):
                missed[cell] += weights[j] * (p[j] - target) * (p[j] - target)
        if missed[cell] < least:
            best, least = cell, missed[cell]
            stride, failed = max(2 * stride, 1), 0
        else:
            side, failed = -side, failed + 1
    return best / CELLS


def reweight(weights: Numbers, p: Numbers, won: float, weight: float) -> Numbers:
    """Weights after `weight` attempts at chances p of which the share `won` was won, shape (particles,), sum 1.

    Of thousands of attempts at once the likelihood p^wins (1 - p)^losses is no number any more: it is taken relative to
    the largest.
    """
    found = np.zeros(len(weights))
    largest = -math.inf
    if weight != 1.0:
        for j in range(len(weights)):
            if weights[j] > 0.0:
                found[j] = weight * (won * log(p[j]) + (1.0 - won) * log(1.0 - p[j]))
                largest = max(largest, found[j])
    whole = 0.0
    for j in range(len(weights)):
        if weights[j] > 0.0:
            likelihood = won * p[j] + (1.0 - won) * (1.0 - p[j]) if weight == 1.0 else exp(found[j] - largest)
            found[j] = weights[j] * likelihood
            whole += found[j]
    for j in range(len(weights)):
        found[j] = found[j] / whole if found[j] > FORGOTTEN * whole else 0.0
    return found
