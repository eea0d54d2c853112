"""Draws: an address of its own for each number that a rule draws.

A rule has no seed. What it draws is addressed by the seed and the replica that it was prepared with, by its unit
(engine.controller.Rule) and by a count of its own: outcomes or generations so far. Two players under one rule therefore
have nothing in common but the rule, and whoever else plays changes nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.controller import Brief
from engine.randomness import CONTROLLER, WORD, Key, key_of


class Stream(NamedTuple):
    """What the draws of one run and replica have in common, as floats that a rule can be prepared with."""

    seed_low: float
    seed_high: float
    stream: float


def stream_of(brief: Brief) -> Stream:
    """The stream of a brief's seed and replica."""
    key = key_of(brief.seed, brief.replica, CONTROLLER, 0, 0)
    return Stream(float(key.seed_low), float(key.seed_high), float(key.stream))


def draw_key(plan: Any, unit: float, count: float) -> Key:
    """The address of a unit's draws at a count.

    Args:
        plan: a named tuple with the fields of Stream.
        unit: number of the player or cohort; 0 for everyone.
        count: whole number that the rule raises before it draws again.
    """
    return Key(int(plan.seed_low), int(plan.seed_high), int(count) & WORD, int(unit) & WORD, int(plan.stream))
