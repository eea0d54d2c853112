"""Warm-up and decay: a straight climb to a peak and a straight way down (or up) from there."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, PEAK, START, WARM_UP, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import warm_up_decay


class Options(NamedTuple):
    start: float = 0.3
    peak: float = 0.7
    end: float = 0.5
    warm_up: float = 0.1
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return warm_up_decay(u, options.start, options.peak, options.end, options.warm_up)


CONTROLLER: Final = ControllerKind(
    name="warm_up_decay",
    mode="deterministic",
    summary="A straight climb to a peak, then a straight line to the end; ignores outcomes.",
    formula="d = start + (peak - start) u / warm_up for u < warm_up, then peak + (end - peak) (u - warm_up) / "
    "(1 - warm_up), u = min(attempt / (length - 1), 1)",
    source="linear warm-up and linear decay of a learning rate: Goyal et al. 2017, Devlin et al. 2019",
    use="For a short easy start before the main part: put peak and end close together. It ignores the player.",
    options=Options,
    option_list=(START, PEAK, END, WARM_UP, LENGTH, CLOCK),
    rule=schedule_rule(height),
)
