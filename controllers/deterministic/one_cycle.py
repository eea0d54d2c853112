"""One cycle: up to a peak, back down as slowly, and a short easy finish."""

from __future__ import annotations

from typing import Final, NamedTuple

from controllers.common.schedule import CLOCK, END, LENGTH, PEAK, START, schedule_rule
from engine.controller import ControllerKind, Option
from engine.scheduling.shapes import one_cycle


class Options(NamedTuple):
    start: float = 0.3
    peak: float = 0.7
    end: float = 0.2
    rise: float = 0.45
    length: float = 200.0
    clock: float = 0.0


def height(options: Options, u: float) -> float:
    return one_cycle(u, options.start, options.peak, options.end, options.rise)


CONTROLLER: Final = ControllerKind(
    name="one_cycle",
    mode="deterministic",
    summary="One climb to a peak, one equally long descent, and a short finish at another difficulty; ignores "
    "outcomes.",
    formula="d = lines through (0, start), (rise, peak), (2 rise, start), (1, end) at u = min(attempt / (length - "
    "1), 1)",
    source="Smith 2018, A disciplined approach to neural network hyper-parameters: part 1 (1cycle policy)",
    use="For one arc of tension and release, and to play each difficulty before and after the peak. It ignores the "
    "player.",
    options=Options,
    option_list=(
        START,
        PEAK,
        END,
        Option("rise", 0.05, 0.49, "share of the length until the peak; the descent takes as long"),
        LENGTH,
        CLOCK,
    ),
    rule=schedule_rule(height),
)
