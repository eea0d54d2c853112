"""Cosine: like the ramp, but gentle at both ends."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, START, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import cosine


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return cosine(u, options.start, options.end)


CONTROLLER: Final = ControllerKind(
    name="cosine",
    mode="deterministic",
    summary="A half cosine wave from one difficulty to another over a player's attempts; ignores outcomes.",
    formula="d = end + (start - end) (1 + cos(pi u)) / 2 with u = min(attempt / (length - 1), 1)",
    source="cosine annealing as a schedule, Loshchilov and Hutter 2017; deterministic parameter control",
    use="As a baseline with a slow start and a slow finish, where a ramp's corners would be noticed.",
    options=Options,
    option_list=(START, END, LENGTH, CLOCK),
    rule=schedule_rule(height),
)
