"""An attempt, tick by tick, by the same plain functions that a run compiles.

`AttemptStepper` plays one attempt forward, for a synthetic player or by the actions of a person. `Recording` keeps the
states of an attempt, so that people can go back. Both end on the hash that the kernels give, and tests compare them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import (
    AT_REST,
    SURPRISE,
    Address,
    Ending,
    Motor,
    Result,
    act,
    choose,
    foreseen_of,
    luck_of,
    opening_of,
    result_of,
)
from engine.game import RUNNING, TIMED_OUT, Faculties, Game, Shape
from engine.randomness import Key, words

NO_FACULTIES: Final = Faculties(*[float("nan")] * len(Faculties._fields))  # of a person: nobody can look inside


class HumanAction(NamedTuple):
    """What a person did in one tick or turn."""

    action: int
    thinking_s: float = 0.0  # before a turn


class AttemptStepper:
    """One attempt under way."""

    def __init__(self, game: Game, values: npt.NDArray[np.float64], faculties: Faculties, address: Address) -> None:
        """values: params as rules see them, shape (knobs,)."""
        self.game, self.values, self.faculties, self.address = game, values, faculties, address
        self._opened = opening_of(game)(values, *address)
        self.params, self.level, self.state = self._opened.params, self._opened.level, self._opened.state
        self.action = 0
        self.tick = 0
        self._motor = AT_REST
        self._thinking_s = 0.0  # of a person; a synthetic player's is known when all turns are
        self._status = game.status(self.params, self.level, self.state)
        self._stopped = False
        self._result: Result | None = None  # made once: it may draw, and whoever paints asks for it in each frame

    @property
    def ended(self) -> bool:
        """Whether the rules, the clock or somebody ended it."""
        return self._stopped or self._status != RUNNING or self.tick >= self.game.max_ticks

    @property
    def outcome(self) -> int:
        """RUNNING, or how it ended."""
        if not self.ended:
            return RUNNING
        return TIMED_OUT if self._status == RUNNING else int(self._status)

    @property
    def progress(self) -> float:
        """How near to winning, in [0, 1]."""
        return float(self.game.progress(self.params, self.level, self.state))

    @property
    def motor(self) -> Motor:
        """The hands of a synthetic player in a real-time game."""
        return self._motor

    @property
    def motor_key(self) -> Key:
        """Where the draws of the hands come from."""
        return self._opened.motor

    def stop(self) -> None:
        """End it from outside: an attempt that the rules did not end counts as timed out."""
        self._stopped = True

    def step(self) -> None:
        """One tick of a synthetic player, exactly as `engine.attempt` plays it."""
        game, actions = self.game, len(self.game.actions)
        wanted = game.expert(self.params, self.level, self.state, self.faculties)
        if game.pace == "abstract":
            action = wanted
        elif game.pace == "turns":
            action = choose(wanted, actions, self.faculties, words(self._opened.motor, self.tick))
        else:
            due_s = SURPRISE
            if wanted != self._motor.wanted:
                due_s = foreseen_of(game)(self.params, self.level, self.state, self.faculties, wanted)
            self._motor = act(
                self._motor, wanted, due_s, actions, self.faculties, self._opened.motor, self.tick, game.tick_seconds
            )
            action = self._motor.action
        self.do(HumanAction(action))

    def do(self, human_action: HumanAction) -> None:
        """One tick of a person."""
        self.action = human_action.action
        self._thinking_s += human_action.thinking_s
        luck = luck_of(self.game, self._opened.chance, self.tick)
        self.state = self.game.step(self.params, self.level, self.state, human_action.action, luck, self.tick)
        self.tick += 1
        self._status = self.game.status(self.params, self.level, self.state)

    def shapes(self) -> Sequence[Shape]:
        """The picture of this moment."""
        return self.game.draw(self.params, self.level, self.state)

    def result(self) -> Result:
        """How it ended, with the hash over inputs, final state and outcome; defined once it has ended."""
        if self._result is None:
            ended = Ending(self.state, self.tick, self.outcome)
            found = result_of(self.game)(self.values, self.faculties, *self.address, self._opened, ended)
            self._result = found._replace(duration_s=found.duration_s + self._thinking_s)
        return self._result


class Recording:
    """The states of an attempt, made as they are asked for and kept."""

    def __init__(self, stepper: AttemptStepper, human_actions: Sequence[HumanAction] | None = None) -> None:
        """human_actions: all that a person did; None for a synthetic player."""
        self.stepper = stepper
        self._human_actions = human_actions
        self.states = [stepper.state]
        self.actions = [0]

    @property
    def whole(self) -> bool:
        """Whether the end is reached."""
        return self.stepper.ended

    def reach(self, tick: int) -> None:
        """Play on until there is a state for this tick, or the attempt ends. A person's ends with their last action."""
        stepper = self.stepper
        while len(self.states) <= tick and not stepper.ended:
            if self._human_actions is None:
                stepper.step()
            elif stepper.tick < len(self._human_actions):
                stepper.do(self._human_actions[stepper.tick])
            else:
                stepper.stop()
                return
            self.states.append(stepper.state)
            self.actions.append(stepper.action)

    def shapes(self, tick: int) -> Sequence[Shape]:
        """The picture at a tick that was reached."""
        stepper = self.stepper
        return stepper.game.draw(stepper.params, stepper.level, self.states[tick])
