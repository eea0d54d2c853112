"""Controllers: ask for the next setting, tell the outcome.

A *rule* controls one player: pure functions on a named tuple of numbers, which compile into the session kernel. A
*controller* is any object with `ask`, `tell` and `describe`; `PerPlayer` makes one out of a rule. Outcomes come
back late and out of order, each with the setting it was PLAYED at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np

from engine.parameters import ParameterSpace

Mode = Literal["deterministic", "adaptive", "self_adaptive"]  # Eiben, Hinterding and Michalewicz 1999
Scope = Literal["player", "cohort", "everyone"]
SCOPES: Final = ("player", "cohort", "everyone")


class Situation(NamedTuple):
    """What a rule may know before an attempt."""

    target: float  # wanted win rate in (0, 1)
    attempt: int  # attempts of this player so far
    level: int  # level of a campaign, from 1; 0 in an endless stream
    place: int  # attempts of this player so far in this session
    last: float  # this player's previous outcome: 1 won, 0 not; 1 before the first; -1 not known yet


class Observation(NamedTuple):
    """What a rule learns of an attempt, or of several attempts at one difficulty."""

    difficulty: float  # as PLAYED, in [0, 1]
    won: float  # 0 or 1; the share won when weight > 1
    progress: float  # [0, 1]
    target: float
    place: int
    last: float  # the outcome before, as in Situation
    weight: float  # number of attempts


class Option(NamedTuple):
    """A hyperparameter of a controller; its default stands in the options tuple."""

    name: str
    low: float
    high: float
    meaning: str


@dataclass(frozen=True, eq=False)
class Rule:
    """Control of one player, as pure functions that compile.

    State fields are floats, or 1-D float arrays of fixed length. `beliefs` names the scalar fields that become
    columns and are shown; None: all of them. `ask` may return any finite number; the engine clips it to the
    scenario's floor and ceiling.
    """

    start: Callable[..., Any]  # (options, target) -> state
    ask: Callable[..., float]  # (options, state, situation) -> difficulty
    tell: Callable[..., Any]  # (options, state, observation) -> state
    beliefs: tuple[str, ...] | None = None


class Who(NamedTuple):
    """Whose attempt it is."""

    player: int
    cohort: int
    situation: Situation


class Setting(NamedTuple):
    """What a controller asks for. units = None: the dial's path at `difficulty`."""

    difficulty: float  # [0, 1]
    units: tuple[float, ...] | None = None  # one position in [0, 1] per knob of the space; held knobs are ignored
    ticket: int = -1  # comes back with the outcome


class Outcome(NamedTuple):
    """What became of a setting."""

    who: Who
    setting: Setting  # as PLAYED: clipped to floor and ceiling
    won: bool
    progress: float
    played_s: float  # simulated time of the end of the attempt


class Controller(Protocol):
    """Decides the setting of the next attempt and learns from outcomes."""

    @property
    def beliefs(self) -> Sequence[str]:
        """Names of the numbers that `describe` gives: they become columns."""

    def ask(self, who: Who) -> Setting:
        """The setting for the attempt that is about to begin."""

    def tell(self, outcome: Outcome) -> None:
        """Take an outcome into account; results come late and out of order."""

    def describe(self, who: Who) -> Mapping[str, float]:
        """Beliefs about this player, cohort or everybody; NaN where there is none yet."""


class Brief(NamedTuple):
    """What a controller is told when it is made."""

    space: ParameterSpace
    path: Any  # the dial, float64 array of shape (points, knobs)
    floor: float  # lowest and highest position in the cube that it may ask for
    ceiling: float
    targets: Any  # float64 array, shape (cohorts, levels); one level in an endless stream
    scope: Scope
    cohorts: tuple[str, ...]
    seed: int
    replica: int


@dataclass(frozen=True, eq=False)
class ControllerKind:
    """One plug-in: everything that `list`, `describe` and the engine need. `check_controller` tests the promises."""

    name: str
    mode: Mode
    summary: str  # one honest sentence
    formula: str
    source: str
    use: str  # when to use it, and when not
    options: type[Any]  # NamedTuple of floats with defaults
    option_list: tuple[Option, ...]  # one per field of options, in order
    rule: Rule | None = None
    make: Callable[[Any, Brief], Controller] | None = None  # (options, brief), where there is no rule
    scopes: tuple[Scope, ...] = ("player",)  # the first is the default
    needs: Mapping[str, str] = field(default_factory=dict)  # further limits in words, for `describe`


class PerPlayer:
    """A controller that applies a rule to each player, or to each cohort or everybody as if they were one player."""

    def __init__(self, rule: Rule, options: Any, brief: Brief) -> None:
        self._rule = rule
        self._options = options
        self._brief = brief
        self._states: dict[int, Any] = {}
        self._names = belief_names(rule, rule.start(options, 0.5))

    @property
    def beliefs(self) -> Sequence[str]:
        return self._names

    def _unit(self, who: Who) -> int:
        scope = self._brief.scope
        return who.player if scope == "player" else who.cohort if scope == "cohort" else 0

    def state(self, who: Who) -> Any:
        """The rule's state for this player (or cohort, or everybody)."""
        unit = self._unit(who)
        state = self._states.get(unit)
        if state is None:
            state = self._states[unit] = self._rule.start(self._options, who.situation.target)
        return state

    def ask(self, who: Who) -> Setting:
        return Setting(self._rule.ask(self._options, self.state(who), who.situation))

    def tell(self, outcome: Outcome) -> None:
        who, situation = outcome.who, outcome.who.situation
        seen = Observation(
            outcome.setting.difficulty,
            1.0 if outcome.won else 0.0,
            outcome.progress,
            situation.target,
            situation.place,
            situation.last,
            1.0,
        )
        self._states[self._unit(who)] = self._rule.tell(self._options, self.state(who), seen)

    def describe(self, who: Who) -> Mapping[str, float]:
        state = self.state(who)
        return {name: float(getattr(state, name)) for name in self._names}


def belief_names(rule: Rule, state: Any) -> tuple[str, ...]:
    """The fields of a rule's state that become columns. Raises ValueError for a name that is not a scalar field."""
    scalars = [name for name, value in zip(state._fields, state, strict=True) if not isinstance(value, np.ndarray)]
    unknown = [name for name in rule.beliefs or () if name not in scalars]
    if unknown:
        raise ValueError(f"a rule's beliefs must be scalar fields of its state ({', '.join(scalars)}), got {unknown}")
    return tuple(scalars) if rule.beliefs is None else rule.beliefs


def state_widths(state: Any) -> tuple[int, ...]:
    """Numbers per field of a rule's state: 1, or the length of an array."""
    return tuple(len(value) if isinstance(value, np.ndarray) else 1 for value in state)
