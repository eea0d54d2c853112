"""Whether levels that were made by hand can be won: a perfect player tries each at the easiest setting."""

from __future__ import annotations

import numpy as np

from engine.attempt import Address, Result, attempt_of
from engine.game import PERFECT, WON
from engine.kernel import compiled
from engine.parameters import put_made, value_at
from engine.setup import Setup

TRIES = 20  # of the luck in the steps; one win is enough


def impassable_levels(setup: Setup) -> list[int]:
    """Numbers of the levels made by hand, from 1, that a perfect player does not win where the dial is easiest.

    A game without luck is tried as often as one with it: a perfect player's hands are always the same.
    """
    if not setup.space.made:
        return []
    kernel = compiled(attempt_of(setup.game))
    table, path = setup.space.table(), np.ascontiguousarray(setup.path)
    values = np.empty(len(table))
    found = []
    for level in range(1, len(setup.space.made) + 1):
        for j in range(len(setup.space)):
            values[j] = value_at(table, path, j, setup.floor, level)
        put_made(table, len(setup.space), level, values)
        addresses = (Address(setup.seed, 0, 0, number, level, setup.layout_seed(0)) for number in range(TRIES))
        if not any(Result(*kernel(values, PERFECT, *address)).outcome == WON for address in addresses):
            found.append(level)
    return found
