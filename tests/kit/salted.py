"""A controller with an option that changes nothing but its own luck: every difficulty is drawn anew from 0 to 1.

Whatever the salt is, the chances of winning are spread alike, and another seed draws anew.
tests/sims/sweeping/test_false_winners.py installs it.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.controller import ControllerKind, Option, Rule
from engine.randomness import CONTROLLER, key_of, uniform, words


class Options(NamedTuple):
    salt: float = 0.0


class Prepared(NamedTuple):
    key: float  # of the salt and the seed


class State(NamedTuple):
    unit: float
    attempts: float


def prepare(options, brief):
    return Prepared(float(words(key_of(brief.seed, 0, CONTROLLER, int(options.salt), 0), 0)[0] >> 12))


def start(prepared, target):
    return State(0.0, 0.0)


def ask(prepared, state, situation):
    return uniform(key_of(int(prepared.key), 0, CONTROLLER, int(state.unit), int(state.attempts)), 0)


def tell(prepared, state, seen):
    return State(state.unit, state.attempts + 1.0)


CONTROLLER_KIND = ControllerKind(
    name="salted",
    mode="adaptive",
    summary="Draws every difficulty.",
    formula="d ~ U(0, 1)",
    source="-",
    use="In a test.",
    options=Options,
    option_list=(Option("salt", 0.0, 1e6, "of its luck"),),
    rule=Rule(start, ask, tell, prepare=prepare, unit="unit"),
)
