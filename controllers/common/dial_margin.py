"""Shared parts of rules with a logistic model of the player: skill above the difficulty, and the last outcome."""

from __future__ import annotations

from typing import Final

from engine.arithmetic import logit

SUREST: Final = 0.001


def margin_for(target: float, slope: float, guess: float, lapse: float) -> float:
    """How far skill must lie above the difficulty for a target, in dial units.

    The logit of the target's share between guess and 1 - lapse, over the slope. The share is kept within 0.001 and
    0.999, so that every target has a margin.
    """
    share = (target - guess) / (1.0 - guess - lapse)
    return logit(min(max(share, SUREST), 1.0 - SUREST)) / slope


def reach_of_margins(guess: float, lapse: float) -> tuple[float, float]:
    """Lowest and highest target that has a margin: win probabilities that the model has at some difficulty."""
    room = 1.0 - guess - lapse
    return guess + SUREST * room, 1.0 - lapse - SUREST * room


def sign_of_last(last: float, target: float) -> float:
    """+1 after a win, -1 after a loss, the expected value where the last outcome is not known yet (last = -1)."""
    return 2.0 * target - 1.0 if last < 0.0 else 2.0 * last - 1.0
