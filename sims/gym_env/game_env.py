"""A game as an environment of Gymnasium (https://gymnasium.farama.org), for agents that learn to play it.

An attempt is an episode. The rules are those that a run compiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.attempt import Address
from engine.errors import EnvironmentFault, ScenarioError
from engine.game import LOST, OUTCOMES, TIMED_OUT, WON, Game
from engine.parameters import Value
from engine.randomness import Key
from engine.scenario_file.scenario_faults import suggestion
from sims.catalog import Catalog
from sims.playback.stepper import NO_FACULTIES, AttemptStepper, HumanAction

try:
    import gymnasium
except ModuleNotFoundError as _fault:
    raise EnvironmentFault("a game as an environment needs the package gymnasium; install flowdial[rl].") from _fault


class GameEnv(gymnasium.Env[npt.NDArray[np.float64], np.int64]):  # type: ignore[misc]
    """One game at one setting.

    An observation is a vector of float64: the game's params, then its state, then the plain numbers of its level, field
    by field; `fields` names them. It shows the rules' own state, which may be more than a person sees. An action is an
    index into `game.actions`; 0 does nothing. The reward is what the step added to the progress, plus 1 for winning.
    An episode is terminated when the rules end it, and truncated after `max_ticks`.

    Attributes:
        game: its record.
        fields: names of the numbers of an observation, shape (n,).
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own convention

    def __init__(self, game: str | Game, *, difficulty: float = 0.5, params: Mapping[str, Value] | None = None) -> None:
        """Make an environment.

        Args:
            game: its name, or its record.
            difficulty: of the straight dial, in [0, 1]: every knob at this share of its way from easy to hard.
            params: knobs that have other values, in the game's own units; choices by name.

        Raises:
            ScenarioError: there is no such game or knob, or a number is out of its range.
        """
        self.game = Catalog().game_with_rules(game, "an environment") if isinstance(game, str) else game
        self._values = _values_of(self.game, difficulty, params or {})
        self.fields = tuple(name for name, _ in _numbers(*self._begin(0)))
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (len(self.fields),), np.float64)
        self.action_space = gymnasium.spaces.Discrete(len(self.game.actions))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
        """Begin an episode; the same seed begins the same level with the same luck."""
        super().reset(seed=seed)
        self._begin(int(self.np_random.integers(2**63)))
        return self._observation(), self._info()

    def step(self, action: np.int64) -> tuple[npt.NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        """One tick or turn."""
        before = self._stepper.progress
        self._stepper.do(HumanAction(int(action)))
        outcome = self._stepper.outcome
        reward = self._stepper.progress - before + float(outcome == WON)
        return self._observation(), reward, outcome in (WON, LOST), outcome == TIMED_OUT, self._info()

    def _begin(self, seed: int) -> tuple[Any, Any, Any]:
        self._stepper = AttemptStepper(self.game, self._values, NO_FACULTIES, Address(seed, 0, 0, 0, 0))
        return self._stepper.params, self._stepper.level, self._stepper.state

    def _observation(self) -> npt.NDArray[np.float64]:
        found = _numbers(self._stepper.params, self._stepper.level, self._stepper.state)
        return np.array([number for _, number in found], np.float64)

    def _info(self) -> dict[str, Any]:
        return {"outcome": OUTCOMES[self._stepper.outcome], "progress": self._stepper.progress}


def _values_of(game: Game, difficulty: float, params: Mapping[str, Value]) -> npt.NDArray[np.float64]:
    if not 0.0 <= difficulty <= 1.0:
        raise ScenarioError(f"difficulty must be from 0 to 1, but {difficulty} came.")
    knobs = {knob.name: knob for knob in game.space}
    values = dict(zip(knobs, game.space.real([difficulty] * len(knobs)), strict=True))
    for name, given in params.items():
        if name not in knobs:
            raise ScenarioError(f"{game.name} has no knob {name}{suggestion(name, knobs)}")
        try:
            values[name] = knobs[name].real(given)
        except ValueError as fault:
            raise ScenarioError(str(fault)) from None
    return np.array(list(values.values()), np.float64)


def _numbers(params: Any, level: Any, state: Any) -> Iterator[tuple[str, float]]:
    """All numbers of an attempt with their names; a level's keys are its dice, and its arrays are in the state."""
    for what in (params, state):
        for name, value in zip(what._fields, what, strict=True):
            if np.ndim(value):
                yield from ((f"{name}_{j}", float(one)) for j, one in enumerate(np.ravel(value)))
            else:
                yield name, float(value)
    for name, value in zip(level._fields, level, strict=True):
        if not isinstance(value, Key) and not np.ndim(value):
            yield f"level_{name}", float(value)
