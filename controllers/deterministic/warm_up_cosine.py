"""Warm-up and cosine: an easy start, a straight climb to a peak, and half a wave down (or up) to the end."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, PEAK, START, WARM_UP, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import warm_up_cosine


class Options(NamedTuple):
    start: float = 0.3
    peak: float = 0.7
    end: float = 0.5
    warm_up: float = 0.1
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return warm_up_cosine(u, options.start, options.peak, options.end, options.warm_up)


CONTROLLER: Final = ControllerKind(
    name="warm_up_cosine",
    mode="deterministic",
    summary="A straight climb to a peak, then half a cosine wave to the end; ignores outcomes.",
    formula="d = start + (peak - start) u / warm_up for u < warm_up, then end + (peak - end) (1 + cos(pi v)) / 2, v = "
    "(u - warm_up) / (1 - warm_up), u = min(attempt / (length - 1), 1)",
    source="warm-up: Goyal et al. 2017; cosine annealing: Loshchilov and Hutter 2017",
    use="For an early peak that relaxes gently, as in a tutorial's final test. It ignores the player.",
    options=Options,
    option_list=(START, PEAK, END, WARM_UP, LENGTH, CLOCK),
    rule=schedule_rule(height),
)
