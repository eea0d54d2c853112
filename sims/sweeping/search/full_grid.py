"""All combinations of values. A range has evenly spaced ones. It draws the whole curve, and costs most."""

from __future__ import annotations

from sims.sweeping.search.explorer import PlannedTrials
from sims.sweeping.space import SweepSpace
from sims.sweeping.trial_records import PlayerBlock


class FullGrid(PlannedTrials):
    """Every setting once. steps: values of a range."""

    def __init__(self, space: SweepSpace, block: PlayerBlock, trials: int, steps: int) -> None:
        super().__init__(space.grid(steps), trials, block)
