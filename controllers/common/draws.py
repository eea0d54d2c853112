"""Draws: a separate address for every draw of a rule.

A rule has no seed and no player number. Its draws are addressed by the seed and replica of its preparation, and by all
outcomes so far, mixed into 32 bits. Players with the same history have the same luck, so their first draws are equal.
After n outcomes there are 2^n histories, and other players change nothing.
"""

from __future__ import annotations

import math
from typing import Final

from engine.controller import Observation

WORDS: Final = 4294967296.0  # 2^32


def history_after(history: float, seen: Observation) -> float:
    """History, a whole number below 2^32, with one more observation: a step of a linear congruential generator.

    Every number on the way is below 2^53, so that floats are exact (constants: Press et al. 1992, chapter 7.1).
    """
    mixed = history * 1664525.0 + 1013904223.0 + math.floor(seen.won * seen.weight + 0.5)
    return mixed - math.floor(mixed / WORDS) * WORDS
