"""How sure fitted players and levels are: each repeat of a run draws others that the plays allow as well.

A fit gives estimates and their covariance. With two or more repeats each has estimates of its own, drawn from the
normal law of that covariance, on the scales on which they were fitted. So a margin over repeats holds the error of the
calibration. Controllers know the estimates themselves, as a studio would; only the world differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.arithmetic import exp
from engine.estimates.estimate_errors import (
    CORRELATION,
    KNOB_CHANCES,
    TRAIT_CHANCES,
    TRAIT_MEANS,
    TRAIT_SPREADS,
    EstimateErrors,
)
from engine.parameters import ParameterSpace
from engine.players import FLOW_FIELDS, MIX, TRAIT_LIST, TRAIT_NAMES
from engine.randomness import ESTIMATE, key_of, standard_normal, words
from engine.setup import Setup

Numbers = npt.NDArray[np.float64]

_LARGEST_CORRELATION: Final = 0.999


def drawn_setup(setup: Setup, replica: int) -> Setup:
    """The world of one replica: the setup itself where there is one replica only, or nothing was fitted.

    Args:
        setup: with the estimates.
        replica: from 0.
    """
    errors = setup.errors
    if errors is None or not setup.draws_estimates:
        return setup
    factors = max((len(loadings) for loadings in errors.numbers.values()), default=max(errors.levels.shape[1] - 1, 0))
    key = key_of(setup.seed, replica, ESTIMATE, 0, 0)
    common = [standard_normal(words(key, k)[0]) for k in range(factors)]
    moved = {name: _sum(loadings, common) for name, loadings in errors.numbers.items()}
    return replace(
        setup,
        traits=_traits(setup.traits, moved),
        flow=setup.flow._replace(
            **{name: getattr(setup.flow, name) + move for name, move in moved.items() if name in FLOW_FIELDS}
        ),
        space=_space(setup.space, errors, moved, common, setup.seed, replica),
    )


def _sum(loadings: Sequence[float] | Numbers, common: list[float]) -> float:
    total = 0.0
    for loading, number in zip(loadings, common, strict=False):
        total += float(loading) * number
    return total


def _traits(traits: Numbers, moved: Mapping[str, float]) -> Numbers:
    """Tables of traits whose means, spreads and correlation have moved, in every cohort alike."""
    found = traits.copy()
    for table in found:
        for names, column in ((TRAIT_MEANS, 1), (TRAIT_SPREADS, 2), (TRAIT_CHANCES, 1)):
            for name, trait in names.items():
                if name not in moved:
                    continue
                row = TRAIT_NAMES.index(trait)
                bounds = TRAIT_LIST[row]
                if names is TRAIT_MEANS:
                    value = table[row, column] + moved[name]
                else:
                    value = table[row, column] * exp(moved[name])
                table[row, column] = min(max(value, bounds.low), bounds.high)
        if CORRELATION in moved and table.shape[1] > MIX:
            _correlate(table, moved[CORRELATION])
    return found


def _correlate(table: Numbers, move: float) -> None:
    """Move the correlation of the tendency to quit with skill, where quitting goes with nothing else."""
    skill, quitting = TRAIT_NAMES.index("skill"), TRAIT_NAMES.index("quit_frailty")
    others = [k for k in range(quitting) if k != skill and table[quitting, MIX + k] != 0.0]
    now = float(table[quitting, MIX + skill])
    if others or abs(now) >= 1.0:
        return
    twice = (1.0 + now) / (1.0 - now) * exp(2.0 * move)
    value = min(max((twice - 1.0) / (twice + 1.0), -_LARGEST_CORRELATION), _LARGEST_CORRELATION)
    table[quitting, MIX + skill] = value
    table[quitting, MIX + quitting] = math.sqrt(1.0 - value * value)


def _space(
    space: ParameterSpace, errors: EstimateErrors, moved: Mapping[str, float], common: list[float], seed: int,
    replica: int,
) -> ParameterSpace:  # fmt: skip
    knobs = {knob.name: knob for knob in space}

    def within(name: str, value: float) -> float:
        return min(max(value, knobs[name].low), knobs[name].high)

    held: dict[str, float | int | str] = {name: knobs[name].shown(value) for name, value in space.held.items()}
    for name, knob in KNOB_CHANCES.items():
        if name in moved and knob in space.held:
            held[knob] = within(knob, space.held[knob] * exp(moved[name]))
    levels: dict[str, list[float | int | str]] = {
        name: [knobs[name].shown(value) for value in values] for name, values in space.levels.items()
    }
    if errors.knob in space.levels:
        own = key_of(seed, replica, ESTIMATE, 0, 1)
        values = list(space.levels[errors.knob])
        for level, row in enumerate(errors.levels[: len(values)]):
            alone = float(row[-1]) * standard_normal(words(own, level)[0])
            values[level] = within(errors.knob, values[level] + _sum(row[:-1], common) + alone)
        levels[errors.knob] = list(values)
    return ParameterSpace(*space.knobs, held=held, levels=levels or None, made=space.made)
