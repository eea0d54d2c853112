"""What the literature calls mistakes and a scenario shows without being played: warnings of `flowdial check`.

`flowdial advise` measures what these rules only suppose. They are silent where a scenario may be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.scenario import Scenario
from engine.setup import Setup
from sims.advice.gain_effect import dial_gains
from sims.advice.rules import most_gain

USUAL_SLOPE: Final = 2.0  # |dp/dd| of a median player of the arena; docs/controllers.md
_STEPS: Final = 30  # of the dial before its last gain is measured
_LEAST_JUDGED: Final = 0.1  # share of a player's attempts
_LENGTH: Final = "length"  # option of every schedule, in attempts
_SHORT: Final = 0.1  # of a player's attempts: a schedule that is over by then is hardly one


def mistakes_in(scenario: Scenario, setup: Setup) -> tuple[str, ...]:
    """Sentences; none where nothing is doubtful.

    Args:
        scenario: checked and resolved.
        setup: the same in numbers.
    """
    return (
        *_about_first_steps(scenario, setup),
        *_about_one_difficulty(setup),
        *_about_length(setup),
        *_about_share_judged(scenario, setup),
    )


def _about_first_steps(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """A gain that overshoots, in attempts that are judged."""
    if scenario.after_attempts:
        return
    gains = dial_gains(
        setup.kind,
        setup.options._asdict(),
        target=float(setup.targets[0, 0]),
        slope=USUAL_SLOPE,
        weight=1.0,
        attempts=_STEPS,
    )
    if gains is not None and gains.first * USUAL_SLOPE > most_gain(0.0) / 2.0:
        yield (
            f"The first steps of {setup.kind.name} are so large that it overshoots, and target.after_attempts = 0 "
            f"judges them. Reduce {' and '.join(setup.kind.gains)}, or set target.after_attempts."
        )


def _about_one_difficulty(setup: Setup) -> Iterator[str]:
    """Groups that differ, and one difficulty for all of them."""
    alike = all(np.array_equal(table, setup.traits[0], equal_nan=True) for table in setup.traits)
    if setup.scope == "everyone" and not alike:
        yield (
            f"All {len(setup.cohorts)} player groups share one difficulty (controller.scope), although they differ, so "
            'it suits none of them. Use scope = "cohort" or "player" where the game allows it.'
        )


def _about_length(setup: Setup) -> Iterator[str]:
    """A schedule whose clock is not that of the scenario."""
    length = setup.options._asdict().get(_LENGTH, math.nan)
    limit = setup.attempts_per_player
    if setup.kind.mode != "deterministic" or math.isnan(length):
        return
    if length > limit:
        yield (
            f"{setup.kind.name} takes {length:,.0f} attempts, but a player makes at most {limit:,}, so nobody sees its "
            "end. Set controller.options.length."
        )
    elif length < _SHORT * limit:
        yield (
            f"{setup.kind.name} is over after {length:,.0f} of up to {limit:,} attempts of a player. Set "
            "controller.options.length."
        )


def _about_share_judged(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """A warm-up that leaves hardly anything to judge."""
    limit = setup.attempts_per_player
    judged = limit - scenario.after_attempts
    if not setup.levels and 0 < judged < _LEAST_JUDGED * limit:
        yield (
            f"Only the last {judged:,} of up to {limit:,} attempts of a player are judged, less than a tenth. Lower "
            "target.after_attempts."
        )
