"""Rules at work: their numbers in and out of arrays, and the controller that a rule makes.

A rule is pure functions on named tuples; kernels and files want flat arrays of floats. The two directions are written
here once, for the session kernel, which keeps a rule's state in a row per player, and for `PerPlayer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import define_function
from engine.controller import Bounds, Brief, Observation, Outcome, Rule, Setting, Situation, Who
from engine.kernel import compiled

Numbers = npt.NDArray[np.float64]
_NO_OUTCOMES: Final = ()


class Layout(NamedTuple):
    """How a named tuple of floats and 1-D float arrays lies in a flat array."""

    kind: Callable[..., Any]  # the named tuple's type
    names: tuple[str, ...]
    widths: tuple[int, ...]  # numbers per field; 0 for a float, which takes one place

    @property
    def size(self) -> int:
        """Numbers in all."""
        return sum(max(width, 1) for width in self.widths)

    def place(self, name: str) -> int:
        """Where in the flat array a field begins."""
        return sum(max(width, 1) for width in self.widths[: self.names.index(name)])


def layout_of(value: Any) -> Layout:
    """The layout of a named tuple."""
    return Layout(type(value), value._fields, tuple(len(v) if isinstance(v, np.ndarray) else 0 for v in value))


def flat(value: Any) -> Numbers:
    """A named tuple's numbers, one after the other."""
    return np.concatenate([np.atleast_1d(np.asarray(item, dtype=np.float64)) for item in value])


@cache
def unpack_of(layout: Layout, *, shared: bool = False) -> Callable[..., Any]:
    """The plain function (numbers) -> named tuple. shared: arrays are views, for tables that are never written to."""
    items: list[str] = []
    at = 0
    for width in layout.widths:
        items.append(f"numbers[{at}:{at + width}]{'' if shared else '.copy()'}" if width else f"float(numbers[{at}])")
        at += max(width, 1)
    return define_function(
        "unpack", f"def unpack(numbers):\n    return Kind({', '.join(items)})\n", {"Kind": layout.kind}
    )


@cache
def pack_of(layout: Layout) -> Callable[..., None]:
    """The plain function (named tuple, numbers): inverse of unpack, into the array."""
    lines = ["def pack(value, numbers):"]
    at = 0
    for name, width in zip(layout.names, layout.widths, strict=True):
        lines.append(f"    numbers[{at}{f':{at + width}' if width else ''}] = value.{name}")
        at += max(width, 1)
    return define_function("pack", "\n".join([*lines, ""]), {})


@cache
def note_of(names: tuple[str, ...]) -> Callable[..., None]:
    """The plain function (state, beliefs): the believed fields of a state into an array, in order."""
    lines = ["def note(state, beliefs):", *(f"    beliefs[{j}] = state.{name}" for j, name in enumerate(names))]
    return define_function("note", "\n".join([*lines, "    return", ""]), {})


def prepare_options(rule: Rule, options: Any, brief: Brief) -> Any:
    """What the rule's functions get as options: the options themselves, or what the rule makes of them."""
    return options if rule.prepare is None else rule.prepare(options, brief)


def bounds_of(floor: float, ceiling: float, targets: Any) -> Bounds:
    """The bounds of a state. targets: wanted win rates of those who share it, of any shape."""
    return Bounds(float(floor), float(ceiling), float(np.min(targets)), float(np.max(targets)))


def shifted_bounds(bounds: Bounds, least_shift: float, most_shift: float) -> Bounds:
    """The bounds on the scale of a rule whose dial is moved by so much on different levels: never narrower."""
    floor, ceiling = bounds.floor - max(most_shift, 0.0), bounds.ceiling - min(least_shift, 0.0)
    return Bounds(floor, ceiling, bounds.least_target, bounds.most_target)


def first_state(rule: Rule, constants: Any, target: float, bounds: Bounds, unit: int = 0) -> Any:
    """A rule's state before the first attempt: within bounds, and with its unit where it draws.

    Args:
        rule: the rule.
        constants: its options, or what it was prepared with.
        target: wanted win rate of the first attempt.
        bounds: see `bounds_of`.
        unit: number of the player or cohort, 0 for everyone.
    """
    state = rule.start(constants, target)
    if rule.anti_windup is not None:
        state = rule.anti_windup(constants, state, bounds)
    return state if rule.unit is None else state._replace(**{rule.unit: float(unit)})


@cache
def learn_of(rule: Rule) -> Callable[..., Any]:
    """The plain function (constants, state, observation, bounds) -> state: what a rule makes of an outcome."""
    tell, anti_windup = rule.tell, rule.anti_windup
    if anti_windup is None:

        def learned_as_told(constants: Any, state: Any, seen: Observation, bounds: Bounds) -> Any:
            return tell(constants, state, seen)

        return learned_as_told

    def learned(constants: Any, state: Any, seen: Observation, bounds: Bounds) -> Any:
        return anti_windup(constants, tell(constants, state, seen), bounds)

    return learned


def belief_names(rule: Rule, state: Any) -> tuple[str, ...]:
    """The fields of a rule's state that become columns: all scalars but the unit where the rule does not say.

    Raises ValueError for a name that is not a scalar field.
    """
    scalars = [name for name, value in zip(state._fields, state, strict=True) if not isinstance(value, np.ndarray)]
    unknown = [name for name in (*(rule.beliefs or ()), *([rule.unit] if rule.unit else [])) if name not in scalars]
    if unknown:
        promise = "a rule's beliefs and its unit must be scalar fields of its state"
        raise ValueError(f"{promise} ({', '.join(scalars)}), got {unknown}")
    return tuple(name for name in scalars if name != rule.unit) if rule.beliefs is None else rule.beliefs


@cache
def ask_of(rule: Rule, options: Layout, state: Layout) -> Callable[..., float]:
    """The plain function (options, state, situation's fields) -> difficulty, on flat arrays."""
    ask = rule.ask
    unpack_options, unpack_state = unpack_of(options, shared=True), unpack_of(state, shared=True)

    def asked(
        options: Any, state: Any, target: float, attempt: int, level: int, place: int, last: float, session: int,
        day: int,
    ) -> float:  # fmt: skip
        situation = Situation(target, attempt, level, place, last, session, day)
        return ask(unpack_options(options), unpack_state(state), situation)

    return asked


@cache
def tell_of(rule: Rule, options: Layout, state: Layout) -> Callable[..., None]:
    """The plain function (options, state, fields of observation and bounds), on flat arrays.

    The state is brought up to date.
    """
    learn = learn_of(rule)
    unpack_options, unpack_state, pack_state = unpack_of(options, shared=True), unpack_of(state), pack_of(state)

    def told(
        options: Any, state: Any, difficulty: float, won: float, progress: float, score: float, target: float,
        place: float, last: float, weight: float, floor: float, ceiling: float, least_target: float,
        most_target: float,
    ) -> None:  # fmt: skip
        seen = Observation(difficulty, won, progress, score, target, place, last, weight)
        bounds = Bounds(floor, ceiling, least_target, most_target)
        pack_state(learn(unpack_options(options), unpack_state(state), seen, bounds), state)

    return told


class PerPlayer:
    """A controller that applies a rule to each player, or to each cohort or everyone as if they were one player.

    A shared rule learns of several outcomes at once. Outcomes that arrived since it was last asked, with one difficulty
    and one target, are one observation with their number as its weight.
    """

    def __init__(self, rule: Rule, options: Any, brief: Brief, shifts: Numbers | None = None) -> None:
        """shifts: how far the dial is moved for the rule, shape (cohorts, levels); None where it is not."""
        self._rule = rule
        self._scope = brief.scope
        constants = prepare_options(rule, options, brief)
        self._constants = constants
        sample = rule.start(constants, 0.5)
        self._layout = layout_of(sample)
        self._options = flat(constants)
        self._ask = compiled(ask_of(rule, layout_of(constants), self._layout))
        self._tell = compiled(tell_of(rule, layout_of(constants), self._layout))
        self._states: dict[int, Numbers] = {}
        self._waiting: dict[int, list[Outcome]] = {}
        self.beliefs: Sequence[str] = belief_names(rule, sample)
        self._places = tuple(self._layout.place(name) for name in self.beliefs)
        everyone = brief.scope == "everyone"
        self._bounds = [
            bounds_of(brief.floor, brief.ceiling, brief.targets if everyone else targets) for targets in brief.targets
        ]
        self._kept = list(self._bounds)  # where states stay after an outcome
        if shifts is not None:
            moved = [shifts] * len(shifts) if everyone else list(shifts)
            self._kept = [
                shifted_bounds(bounds, float(own.min()), float(own.max()))
                for bounds, own in zip(self._bounds, moved, strict=True)
            ]

    def _unit(self, who: Who) -> int:
        return who.player if self._scope == "player" else who.cohort if self._scope == "cohort" else 0

    def _numbers(self, who: Who) -> Numbers:
        unit = self._unit(who)
        state = self._states.get(unit)
        if state is None:
            bounds = self._bounds[who.cohort]
            first = first_state(self._rule, self._constants, who.situation.target, bounds, unit)
            state = self._states[unit] = flat(first)
        waiting = self._waiting.pop(unit, _NO_OUTCOMES)
        for seen in _observations(waiting):
            self._tell(self._options, state, *seen, *self._kept[who.cohort])
        return state

    def state(self, who: Who) -> Any:
        """The rule's state for this player (or cohort, or everyone)."""
        return unpack_of(self._layout)(self._numbers(who))

    def ask(self, who: Who) -> Setting:
        state = self._numbers(who)
        return Setting(self._ask(self._options, state, *who.situation))

    def tell(self, outcome: Outcome) -> None:
        if self._scope != "player":
            self._waiting.setdefault(self._unit(outcome.who), []).append(outcome)
            return
        who, setting, won, progress, score, _ = outcome
        target, place, last = who.situation.target, who.situation.place, who.situation.last
        state = self._numbers(who)
        self._tell(
            self._options, state, setting.difficulty, 1.0 if won else 0.0, progress, score, target, float(place), last,
            1.0, *self._kept[who.cohort],
        )  # fmt: skip

    def describe(self, who: Who) -> Mapping[str, float]:
        state = self._numbers(who)
        return {name: float(state[place]) for name, place in zip(self.beliefs, self._places, strict=True)}

    def memory(self) -> dict[str, Any]:
        """Everything it knows, as JSON: states and outcomes that wait, of each player, cohort or everyone."""
        waiting = {str(unit): [_listed(outcome) for outcome in found] for unit, found in self._waiting.items()}
        return {"states": {str(unit): state.tolist() for unit, state in self._states.items()}, "waiting": waiting}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take up what `memory` gave, in place of what it knows."""
        self._states = {int(unit): np.array(state, dtype=np.float64) for unit, state in memory["states"].items()}
        self._waiting = {int(unit): [_outcome(one) for one in found] for unit, found in memory["waiting"].items()}


def _listed(outcome: Outcome) -> list[Any]:
    who, setting, *rest = outcome
    return [[who.player, who.cohort, list(who.situation)], [setting.difficulty, setting.ticket], *rest]


def _outcome(listed: list[Any]) -> Outcome:
    (player, cohort, situation), (difficulty, ticket), *rest = listed
    return Outcome(Who(player, cohort, Situation(*situation)), Setting(difficulty, None, ticket), *rest)


def _observations(outcomes: Iterable[Outcome]) -> list[Observation]:
    """Outcomes in the order in which they came, those of one difficulty and target together."""
    groups: dict[tuple[float, float], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.setting.difficulty, outcome.who.situation.target), []).append(outcome)
    found = []
    for (difficulty, target), group in groups.items():
        size = float(len(group))
        known = [o.who.situation.last for o in group if o.who.situation.last >= 0.0]
        found.append(
            Observation(
                difficulty,
                sum(o.won for o in group) / size,
                sum(o.progress for o in group) / size,
                sum(o.score for o in group) / size,
                target,
                sum(o.who.situation.place for o in group) / size,
                sum(known) / len(known) if known else -1.0,
                size,
            )
        )
    return found
