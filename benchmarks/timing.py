"""Measure in turns: A B C A B C ..., so that a machine that gets slower does so for everybody."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Item(NamedTuple):
    """Something that does work and says how much of it."""

    name: str
    unit: str
    work: Callable[[], int]
    two_cores: bool = False  # then what counts is time on the wall, else processor time


class Ratio(NamedTuple):
    """A promise: one item is at least so many times another."""

    name: str
    above: str
    below: str
    floor: float
    aim: float


class Rate(NamedTuple):
    """Work per second over the turns."""

    median: float
    low: float
    high: float


Samples = dict[str, list[float]]


def measure(items: Sequence[Item], turns: int) -> Samples:
    """Work per second of every item in every turn, after one turn that does not count."""
    samples: Samples = {item.name: [] for item in items}
    for turn in range(turns + 1):
        for item in items:
            clock = time.perf_counter if item.two_cores else time.process_time
            began = clock()
            done = item.work()
            spent = max(clock() - began, 1e-9)
            if turn:
                samples[item.name].append(done / spent)
    return samples


def rate(samples: Samples, name: str) -> Rate:
    found = samples[name]
    return Rate(statistics.median(found), min(found), max(found))


def quotient(samples: Samples, ratio: Ratio) -> Rate:
    """The ratio turn by turn: what both items met in a turn falls out."""
    found = [a / b for a, b in zip(samples[ratio.above], samples[ratio.below], strict=True)]
    return Rate(statistics.median(found), min(found), max(found))


def verdict(value: float, floor: float, aim: float) -> str:
    return "BELOW THE FLOOR" if value < floor else "floor reached" if value < aim else "aim reached"
