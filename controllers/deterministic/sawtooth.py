"""Sawtooth with breathers: several climbs, with a pause at an easy difficulty after each but the last."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, START, schedule_rule
from engine.controller import ControllerKind, Option
from engine.scheduling.shapes import sawtooth


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    teeth: float = 5.0
    breather: float = 0.15
    rest: float = 0.2
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return sawtooth(u, options.start, options.end, options.teeth, options.breather, options.rest)


CONTROLLER: Final = ControllerKind(
    name="sawtooth",
    mode="deterministic",
    summary="Several climbs with an easy pause after each: tension and release; ignores outcomes.",
    formula="d = start + (end - start) w / (1 - breather) for w up to 1 - breather, else rest; w = frac(u (teeth - "
    "breather)), u = min(attempt / (length - 1), 1); d = end at u = 1",
    source="tension and release in game pacing; warm restarts as a schedule, Loshchilov and Hutter 2017",
    use="Where a session should have peaks and pauses. With breather = 0 it is a plain sawtooth. It ignores the "
    "player.",
    options=Options,
    option_list=(
        START,
        END,
        Option("teeth", 1.0, 1000.0, "number of climbs, a whole number"),
        Option("breather", 0.0, 0.9, "share of the pause in a climb and its pause"),
        Option("rest", 0.0, 1.0, "difficulty in the pauses"),
        LENGTH,
        CLOCK,
    ),
    rule=schedule_rule(height),
)
