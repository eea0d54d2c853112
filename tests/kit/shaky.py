"""A controller that raises, hangs, kills its process and proposes NaN, each in the share of attempts that is asked for.

It also changes the directory, seeds what is everybody's and prints.

Which attempts these are follows from player and attempt alone. tests/sims/runs/test_faults.py installs it as a
stranger's.
"""

from __future__ import annotations

import math
import os
import random
import signal
import tempfile
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.controller import ControllerKind, Option, Outcome, Setting, Who
from engine.faults import BAD_PROPOSAL, KILLED, NO_FAULT, RAISED, TIMEOUT
from engine.randomness import CHANCE, key_of, uniform

_SEED = 91


class Options(NamedTuple):
    raises: float = 0.0
    hangs: float = 0.0
    kills: float = 0.0
    nans: float = 0.0


def misdeed(options: Options, player: int, attempt: int) -> int:
    """What it does in an attempt."""
    left = uniform(key_of(_SEED, 0, CHANCE, player, attempt), 0)
    for share, fault in zip(options, (RAISED, TIMEOUT, KILLED, BAD_PROPOSAL), strict=True):
        if left < share:
            return fault
        left -= share
    return NO_FAULT


class Shaky:
    """Moves by 0.02 after each outcome, so that its memory shows whom it was told of."""

    beliefs = ("difficulty",)

    def __init__(self, options: Options) -> None:
        self._options = options
        self._at: dict[int, float] = {}

    def ask(self, who: Who) -> Setting:
        if who.situation.attempt == 0:
            os.chdir(tempfile.gettempdir())
            random.seed(1)
            np.random.seed(1)  # noqa: NPY002 - nobody else's
            print("a greeting")  # noqa: T201 - into somebody's results
        match misdeed(self._options, who.player, who.situation.attempt):
            case 1:
                raise ArithmeticError(f"player {who.player} is beyond me")
            case 2:
                while True:
                    time.sleep(1.0)
            case 3:
                os.kill(os.getpid(), signal.SIGKILL)
            case 4:
                return Setting(math.nan)
        return Setting(self._at.get(who.player, 0.5))

    def tell(self, outcome: Outcome) -> None:
        step = 0.02 if outcome.won else -0.03
        self._at[outcome.who.player] = min(max(self._at.get(outcome.who.player, 0.5) + step, 0.0), 1.0)

    def describe(self, who: Who) -> Mapping[str, float]:
        return {"difficulty": self._at.get(who.player, 0.5)}


def make(options: Any, brief: Any) -> Shaky:
    return Shaky(options)


CONTROLLER = ControllerKind(
    name="shaky",
    mode="adaptive",
    summary="Does what no controller may do.",
    formula="d <- d + 0.02 after a win, d - 0.03 after a loss",
    source="-",
    use="In a test.",
    options=Options,
    option_list=tuple(Option(name, 0.0, 1.0, "share of attempts") for name in Options._fields),
    make=make,
)
