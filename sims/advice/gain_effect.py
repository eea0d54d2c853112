"""The gain of a rule: how far it moves the dial for an error, measured on the rule itself.

Names and values of options say little. The first step of robbins_monro is c / (1 + n0), the schedule of gradient ends
at a share of its gain, and the gain of entropy is in log odds. So the rule itself is asked. One copy gets an outcome
with an error that its twin does not get, and from then on both get outcomes on target. The distance between the two,
divided by the error, is the gain. A rule whose answer is not in proportion to the error has no gain in this sense.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from engine.controller import ControllerKind, Observation, Situation
from engine.randomness import CHANCE, key_of, uniform

NUDGE: Final = 0.004  # the error, so small that no end of the dial is reached
PROPORTION: Final = 0.05  # relative difference that the gain for half the error may have
AFTER: Final = 60  # outcomes on target after the error
HISTORIES: Final = 3  # random histories after which the last gain is measured
MOST_DRAWN: Final = 32  # outcomes of one step that are drawn, at most


class Gains(NamedTuple):
    """Dial per unit of error; NaN where the answer is not in proportion."""

    first: float  # for the first outcome
    last: float  # for an outcome after many others: the smallest after any of the HISTORIES


class Probe(NamedTuple):
    """A rule and the outcomes that it gets."""

    kind: ControllerKind
    options: Any
    target: float
    slope: float  # |dp/dd| of a simulated player
    weight: float  # outcomes that arrive together


def dial_gains(
    kind: ControllerKind, given: Mapping[str, float], *, target: float, slope: float, weight: float, attempts: int
) -> Gains | None:
    """Measure the first and the last gain of a rule; None for a controller without a gain or without a plain rule.

    Args:
        kind: the controller.
        given: its options that differ from the defaults.
        target: wanted win rate, in (0, 1).
        slope: |dp/dd| of a simulated player.
        weight: outcomes that arrive together.
        attempts: steps of the dial before the last gain is measured.
    """
    if not kind.gains or kind.rule is None or kind.rule.prepare is not None:
        return None
    probe = Probe(kind, kind.options(**given), target, slope, weight)
    lasts = [_gain(probe, _after(probe, attempts, history)) for history in range(HISTORIES)]
    last = math.nan if any(map(math.isnan, lasts)) else min(lasts)
    return Gains(_gain(probe, kind.rule.start(probe.options, target)), last)


def _ask(probe: Probe, state: Any, n: int) -> float:
    assert probe.kind.rule is not None
    return float(probe.kind.rule.ask(probe.options, state, Situation(probe.target, n, n, 0, -1.0)))


def _tell(probe: Probe, state: Any, n: int, won: float) -> Any:
    """The state after an outcome. won: share of wins among the outcomes that arrive together."""
    assert probe.kind.rule is not None
    seen = Observation(_ask(probe, state, n), won, won, won, probe.target, float(n), -1.0, probe.weight)
    return probe.kind.rule.tell(probe.options, state, seen)


def _after(probe: Probe, attempts: int, history: int) -> Any:
    """The state after random outcomes of a player that the middle of the dial suits."""
    assert probe.kind.rule is not None
    state = probe.kind.rule.start(probe.options, probe.target)
    for n in range(attempts):
        p = probe.target - probe.slope * (_ask(probe, state, n) - 0.5)
        together = min(max(round(probe.weight), 1), MOST_DRAWN)
        key = key_of(0, 0, CHANCE, history, n)
        state = _tell(probe, state, n, sum(uniform(key, i) < p for i in range(together)) / together)
    return state


def _gain(probe: Probe, state: Any) -> float:
    """The largest answer to an error from this state on; NaN if half the error has another gain."""
    whole, half = (_answer(probe, state, error) / error for error in (NUDGE, NUDGE / 2.0))
    return whole if abs(whole - half) <= PROPORTION * abs(whole) else math.nan


def _answer(probe: Probe, state: Any, error: float) -> float:
    """How far the dial moves away from its twin's, to the side on which it has room."""
    farthest = 0.0
    for sign in (1.0, -1.0):
        one, twin = _tell(probe, state, 0, probe.target + sign * error), _tell(probe, state, 0, probe.target)
        for n in range(1, AFTER):
            farthest = max(farthest, sign * (_ask(probe, one, n) - _ask(probe, twin, n)))
            one, twin = _tell(probe, one, n, probe.target), _tell(probe, twin, n, probe.target)
    return farthest
