"""Ramp: difficulty rises (or falls) in a straight line over a player's first attempts, whatever happens."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, START, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import linear


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return linear(u, options.start, options.end)


CONTROLLER: Final = ControllerKind(
    name="ramp",
    mode="deterministic",
    summary="A straight line from one difficulty to another over a player's attempts; ignores outcomes.",
    formula="d = start + (end - start) min(attempt / (length - 1), 1)",
    source="the difficulty curve drawn by hand; deterministic control of Eiben, Hinterding, Michalewicz 1999",
    use="As a baseline, and to sweep all difficulties once to see where players stand. It ignores the player.",
    options=Options,
    option_list=(START, END, LENGTH, CLOCK),
    rule=schedule_rule(height),
)
