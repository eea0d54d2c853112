"""How far a rule moves the dial for an error: what its gain options come to, measured on the rule itself.

The names of options say little: robbins_monro's first step is c / (1 + n0), gradient's schedule ends at a share of its
gain, pid adds what it sums to what it smooths, entropy's gain is in logarithms of odds, and all hold scaled gains under
a cap. So the rule is asked: one path is told an error that its twin is not, both are told outcomes on target from then
on, and the distance between them over the error is the gain. A rule whose answer is not in proportion to the error, as
a normalised step's is not, has no gain in this sense.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from engine.controller import ControllerKind, Observation, Situation
from engine.randomness import CHANCE, key_of, uniform

NUDGE: Final = 0.004  # error that is told: small enough not to meet an end of the dial
PROPORTION: Final = 0.05  # by which half the error may be answered with another gain
AFTER: Final = 60  # outcomes on target for which the answer is followed
HISTORIES: Final = 3  # tales of luck after which the last gain is measured
MOST_DRAWN: Final = 32  # outcomes of one step that are drawn, of however many


class Gains(NamedTuple):
    """Dial per unit of error; NaN where there is no such number."""

    first: float  # the answer to a first outcome
    last: float  # to an outcome after many: the smallest after any of the HISTORIES


class Probe(NamedTuple):
    """A rule and what it is told."""

    kind: ControllerKind
    options: Any
    target: float
    slope: float  # |dp/dd| of the imagined player
    weight: float  # outcomes that come together


def dial_gains(
    kind: ControllerKind, given: Mapping[str, float], *, target: float, slope: float, weight: float, attempts: int
) -> Gains | None:
    """The first and the last gain of a rule with these options; None for a controller without a gain or a plain rule.

    attempts: steps of the dial after which the last one is measured.
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
    """The state after an outcome; won: share of wins of those that came together."""
    assert probe.kind.rule is not None
    seen = Observation(_ask(probe, state, n), won, won, won, probe.target, float(n), -1.0, probe.weight)
    return probe.kind.rule.tell(probe.options, state, seen)


def _after(probe: Probe, attempts: int, history: int) -> Any:
    """The state after so many outcomes of a player who stands in the middle of the dial, and wins by their own luck."""
    assert probe.kind.rule is not None
    state = probe.kind.rule.start(probe.options, probe.target)
    for n in range(attempts):
        p = probe.target - probe.slope * (_ask(probe, state, n) - 0.5)
        together = min(max(round(probe.weight), 1), MOST_DRAWN)
        key = key_of(0, 0, CHANCE, history, n)
        state = _tell(probe, state, n, sum(uniform(key, i) < p for i in range(together)) / together)
    return state


def _gain(probe: Probe, state: Any) -> float:
    """The largest answer to an error from this state on; NaN where half the error has another gain."""
    whole, half = (_answer(probe, state, error) / error for error in (NUDGE, NUDGE / 2.0))
    return whole if abs(whole - half) <= PROPORTION * abs(whole) else math.nan


def _answer(probe: Probe, state: Any, error: float) -> float:
    """How far the dial comes to lie from its twin's, to the side on which it has room."""
    farthest = 0.0
    for sign in (1.0, -1.0):
        one, twin = _tell(probe, state, 0, probe.target + sign * error), _tell(probe, state, 0, probe.target)
        for n in range(1, AFTER):
            farthest = max(farthest, sign * (_ask(probe, one, n) - _ask(probe, twin, n)))
            one, twin = _tell(probe, one, n, probe.target), _tell(probe, twin, n, probe.target)
    return farthest
