"""Dial bounds: what floor and ceiling are to the state of a rule.

A state that runs on while the dial stands at a bound needs as long to come back: it winds up (Åström and Hägglund 1995,
section 3.5). What is done against it depends on what the state is.

* A place on the dial stays between floor and ceiling (`inside`), as an integrator is clamped.
* A skill that is estimated by steps stays where the dial can answer it (`skill_inside`): a margin above floor or
  ceiling, for some target that is wanted.
* A posterior takes no outcome that only says once more what the dial cannot answer (`pushes_out`): conditional
  integration. A win at the ceiling, where more wins than the target are expected already, is one.

The whole dial, from 0 to 1, is no bound of a scenario. There each rule keeps the margins that it was published with.
"""

from __future__ import annotations

from typing import Any, Final

from controllers.common.dial_margin import margin_for
from engine.controller import Bounds, Brief, Observation
from engine.rule import bounds_of

ROUNDING: Final = 1e-9  # by which a skill may lie beyond, so that the dial reaches its bound exactly


def bounds_for(brief: Brief) -> Bounds:
    """The bounds of all states of a run: of a rule that is prepared."""
    return bounds_of(brief.floor, brief.ceiling, brief.targets)


def inside(place: float, bounds: Bounds) -> float:
    """The place, moved between floor and ceiling."""
    return min(max(place, bounds.floor), bounds.ceiling)


def skill_inside(
    skill: float, slope: float, guess: float, lapse: float, above: float, below: float, bounds: Bounds
) -> float:
    """The skill, moved to where the dial can answer it.

    Args:
        skill: estimate, on the dial.
        slope: assumed steepness of win probability, logits per dial.
        guess: assumed chance of winning without any skill.
        lapse: assumed chance of losing whatever the skill.
        above: dial units by which the player may stand lower than the estimate at times, by mood or fatigue.
        below: the same for standing higher.
        bounds: of the dial.
    """
    if bounds.floor > 0.0:
        skill = max(skill, bounds.floor + margin_for(bounds.least_target, slope, guess, lapse) - below - ROUNDING)
    if bounds.ceiling < 1.0:
        skill = min(skill, bounds.ceiling + margin_for(bounds.most_target, slope, guess, lapse) + above + ROUNDING)
    return skill


def at_ceiling(seen: Observation, bounds: Any) -> bool:
    """Whether an outcome was played at a ceiling below 1. bounds: as in `pushes_out`.

    At the ceiling and not beyond it: where levels move the dial, a rule's own scale goes further.
    """
    return bool(bounds.ceiling < 1.0 and abs(seen.difficulty - bounds.ceiling) <= ROUNDING)


def at_floor(seen: Observation, bounds: Any) -> bool:
    """Whether an outcome was played at a floor above 0; otherwise as `at_ceiling`."""
    return bool(bounds.floor > 0.0 and abs(seen.difficulty - bounds.floor) <= ROUNDING)


def at_bound(seen: Observation, bounds: Any) -> bool:
    """Whether an outcome was played at either."""
    return at_ceiling(seen, bounds) or at_floor(seen, bounds)


def pushes_out(expected: float, seen: Observation, bounds: Any) -> bool:
    """Whether an outcome asks for a difficulty beyond the bound at which it was played, and the belief does so already.

    Args:
        expected: win probability at the difficulty that was played, as believed before the outcome.
        seen: the outcome.
        bounds: a named tuple with the fields of Bounds.
    """
    if at_ceiling(seen, bounds):
        return bool(seen.won > seen.target and expected > bounds.most_target)
    return bool(at_floor(seen, bounds) and seen.won < seen.target and expected < bounds.least_target)
