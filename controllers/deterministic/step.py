"""Step: difficulty stays the same for a while, then jumps: chapters, worlds, belts."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, KNOTS, LENGTH, START, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import knots_of, stairs


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0
    at1: float = 0.25
    height1: float = 0.4
    at2: float = 0.5
    height2: float = 0.5
    at3: float = 0.75
    height3: float = 0.6
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return stairs(u, options.start, options.end, knots_of(options))


CONTROLLER: Final = ControllerKind(
    name="step",
    mode="deterministic",
    summary="Stairs: one difficulty for a while, then the next, at fixed attempts; ignores outcomes.",
    formula="d = start for u < at1, height1 for u < at2, height2 for u < at3, height3 for u < 1, then end, with u = "
    "min(attempt / (length - 1), 1)",
    source="step decay of a learning rate; deterministic control of Eiben, Hinterding, Michalewicz 1999",
    use="For chapters that differ in difficulty, and to measure win rates at a few difficulties in one run.",
    options=Options,
    option_list=(START, END, LENGTH, *KNOTS, CLOCK),
    rule=schedule_rule(height),
)
