"""Estimates a person's skill in a separate process.

Compiling and playing thousands of synthetic attempts would make a game stutter, and a compilation cannot be stopped.
A process can: closing the window ends it at once. It starts after the first attempt and runs at a lower priority than
the game.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.external.external_game import rules_of
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog
from sims.window.playing.skill_estimate import FEWEST, SkillEstimate, estimate_skill, population_skills, win_curve
from sims.workers.scriptless_process import ScriptlessProcess
from sims.workers.worker import undisturbed
from sims.workers.worker_process import die_with

_GENTLE: Final = 5  # steps of niceness, where the system has them


class SkillWorker:
    """The side of the window. No call blocks."""

    def __init__(self, scenario: Scenario) -> None:
        """scenario: its players are those that the person is compared with."""
        self.estimate: SkillEstimate | None = None  # the latest one
        self.failed = False  # the process has ended: there will be no further estimate
        self._scenario = scenario
        self._asked = self._answered = 0
        self._pipe: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    @property
    def computing(self) -> bool:
        """Whether an answer is pending."""
        return not self.failed and self._answered < self._asked

    def tell(self, values: npt.NDArray[np.float64], won: bool) -> None:
        """Report an attempt that has ended. values: its params as rules see them, shape (knobs,)."""
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        self._asked += 1
        try:
            self._pipe.send((values, won))
        except OSError:
            self.failed = True

    def poll(self) -> None:
        """Read the answers so far."""
        try:
            while self._pipe is not None and not self.failed and self._pipe.poll():
                self.estimate = self._pipe.recv()
                self._answered += 1
        except (EOFError, OSError):
            self.failed = True

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._pipe = self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = ScriptlessProcess(target=_serve, args=(theirs, os.getpid(), self._scenario), daemon=True)
        with undisturbed():
            self._process.start()
        theirs.close()  # so that the pipe ends with the process


# --- In the process --------------------------------------------------------------------------------------------------


def _serve(pipe: Connection, parent: int, scenario: Scenario) -> None:
    """Answer each attempt with the estimate from all attempts so far; None while they are too few."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    die_with(parent)
    sys.stdout = sys.stderr  # plug-ins print to stderr
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_GENTLE)
    setup = setup_of(scenario, Catalog())
    skills = population_skills(setup)
    curves: list[npt.NDArray[np.float64]] = []
    results: list[bool] = []
    with contextlib.suppress(EOFError, OSError):  # the window was closed
        while True:
            values, won = pipe.recv()
            curves.append(win_curve(rules_of(setup.game, "play"), values, setup.seed))
            results.append(won)
            pipe.send(estimate_skill(curves, results, skills) if len(curves) >= FEWEST else None)
