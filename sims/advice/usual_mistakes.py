"""What the literature calls mistakes and a scenario shows without being played: warnings of `flowdial check`.

`flowdial advise` measures what these rules only suppose. They are silent where a scenario may be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.players import DAY_S
from engine.scenario import Scenario
from engine.setup import Setup
from sims.advice.gain_effect import dial_gains
from sims.advice.rules import most_gain

USUAL_SLOPE: Final = 2.0  # |dp/dd| of a median player of the arena; docs/controllers.md
_STEPS: Final = 30  # of the dial before its last gain is measured
_LEAST_JUDGED: Final = 0.1  # share of a player's attempts
_LENGTH: Final = "length"  # option of every schedule, in attempts
_CLOCK: Final = "clock"  # what it is measured in, see controllers.common.schedule
_OF_LEVELS: Final = 1.0
_OF_DAYS: Final = 3.0
_GRID_KEYS: Final = 4
_GRID_VALUES: Final = 3
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
        *_about_gain_schedule(scenario, setup),
        *_about_share_judged(scenario, setup),
        *_about_grid(scenario),
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
    options = setup.options._asdict()
    length, clock = options.get(_LENGTH, math.nan), options.get(_CLOCK, 0.0)
    if setup.kind.mode != "deterministic" or math.isnan(length):
        return
    if clock == _OF_LEVELS and not setup.levels:
        yield (
            f"{setup.kind.name} follows levels (controller.options.clock = 1), and an endless stream has none, so its "
            "difficulty never changes. Choose another clock."
        )
        return
    limits = {
        0.0: (float(setup.attempts_per_player), "attempts", "a player makes at most"),
        _OF_LEVELS: (float(setup.levels), "levels", "the campaign has"),
        _OF_DAYS: (setup.horizon_s / DAY_S, "days", "the run has"),
    }
    if clock not in limits:
        return  # nobody knows before how many sessions there will be
    limit, unit, whose = limits[clock]
    if length > limit:
        yield (
            f"{setup.kind.name} takes {length:,.0f} {unit}, but {whose} {limit:,.0f}, so nobody sees its end. Set "
            "controller.options.length."
        )
    elif length < _SHORT * limit:
        yield (
            f"{setup.kind.name} is over after {length:,.0f} of up to {limit:,.0f} {unit}. Set "
            "controller.options.length."
        )


def _about_gain_schedule(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """A gain whose shape does not end, or that does not come back where players may change late."""
    gain = scenario.form.controller.gain
    if gain is None:
        return
    limit = setup.attempts_per_player
    if gain.shape != "plateau" and gain.length is not None and gain.length > limit and setup.scope == "player":
        yield (
            f"The gain's {gain.shape} takes {gain.length:,} outcomes, but a player makes at most {limit:,} attempts. "
            "Set controller.gain.length."
        )
    if gain.shape == "plateau" and gain.patience > _SHORT * limit:
        yield (
            f"The plateau looks at the gain every {gain.patience:g} outcomes, and a player makes at most {limit:,} "
            "attempts, so it can cut only a few times. Set controller.gain.patience."
        )


def _about_grid(scenario: Scenario) -> Iterator[str]:
    """A table [sweep] whose grid spends its trials on keys that hardly matter."""
    sizes = [size for one in scenario.swept if (size := _grid_values(one.values)) >= _GRID_VALUES]
    if len(sizes) >= _GRID_KEYS:
        yield (
            f"[sweep] is a grid over {len(sizes)} keys with {math.prod(sizes):,} settings, most of which differ in "
            "keys that hardly matter. Use --method random, ranges without steps, or --method staged."
        )


def _grid_values(values: object) -> int:
    """How many values a key of [sweep] has, as far as it has a number of them; 0 for a range."""
    if isinstance(values, list):
        return len(values)
    parts = str(values).split(":")
    if len(parts) == 1:
        return len(str(values).split(","))
    steps = parts[3:] if parts[0] == "log" else parts[2:]
    return int(steps[0]) if steps and steps[0].strip().isdigit() else 0


def _about_share_judged(scenario: Scenario, setup: Setup) -> Iterator[str]:
    """A warm-up that leaves hardly anything to judge."""
    limit = setup.attempts_per_player
    judged = limit - scenario.after_attempts
    if not setup.levels and 0 < judged < _LEAST_JUDGED * limit:
        yield (
            f"Only the last {judged:,} of up to {limit:,} attempts of a player are judged, less than a tenth. Lower "
            "target.after_attempts."
        )
