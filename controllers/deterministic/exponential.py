"""Exponential: a quick change at first that slows down towards its end."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, START, schedule_rule
from engine.controller import ControllerKind, Option
from engine.scheduling.shapes import exponential


class Options(NamedTuple):
    start: float = 0.3
    end: float = 0.7
    length: float = 200.0
    rate: float = 3.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return exponential(u, options.start, options.end, options.rate)


CONTROLLER: Final = ControllerKind(
    name="exponential",
    mode="deterministic",
    summary="A curve that is steep in the first attempts and then flattens, like practice; ignores outcomes.",
    formula="d = start + (end - start) (1 - exp(-rate u)) / (1 - exp(-rate)) with u = min(attempt / (length - 1), 1)",
    source="exponential learning curves, Heathcote, Brown and Mewhort 2000; exponential decay of a learning rate",
    use="Where players learn fast at first and one curve must serve all. It ignores the player.",
    options=Options,
    option_list=(
        START,
        END,
        LENGTH,
        Option("rate", 0.0, 20.0, "e-folds from start to end; 0 is a straight line"),
        CLOCK,
    ),
    rule=schedule_rule(height),
)
