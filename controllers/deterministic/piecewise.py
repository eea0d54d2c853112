"""Piecewise: straight lines through a few knots, the curve that a designer draws by hand."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, KNOTS, LENGTH, START, schedule_rule
from engine.controller import ControllerKind
from engine.scheduling.shapes import knots_of, piecewise


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0
    at1: float = 0.25
    height1: float = 0.45
    at2: float = 0.5
    height2: float = 0.4
    at3: float = 0.75
    height3: float = 0.6
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return piecewise(u, options.start, options.end, knots_of(options))


CONTROLLER: Final = ControllerKind(
    name="piecewise",
    mode="deterministic",
    summary="Straight lines through three knots between a first and a last difficulty; ignores outcomes.",
    formula="d = the line through (0, start), (at1, height1), (at2, height2), (at3, height3), (1, end) at u = "
    "min(attempt / (length - 1), 1)",
    source="the difficulty curve drawn by hand; deterministic control of Eiben, Hinterding, Michalewicz 1999",
    use="To play a curve that was designed elsewhere, and as a baseline for it. It ignores the player.",
    options=Options,
    option_list=(START, END, LENGTH, *KNOTS, CLOCK),
    rule=schedule_rule(height),
)
