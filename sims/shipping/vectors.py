"""Vectors: sequences of observations, and the exact numbers that a rule answers them with.

Outcomes come in time, late and out of order, or many at once. They are drawn by address, so that the same scenario
gives the same vectors. The numbers are those of the compiled rule, which simulations run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from engine.arithmetic import logistic
from engine.controller import Rule
from engine.kernel import compiled
from engine.randomness import CHANCE, key_of, uniforms
from engine.rule import Numbers, ask_of, flat, layout_of, prepare_options, tell_of
from engine.session import clamp
from engine.setup import Setup
from sims.shipping.shipped_rule import ShippedRule, shipped_rule

SEED: Final = 2_021_122
PLAIN, LATE, SHARED = "in time", "late and out of order", "many at once"
KINDS: Final = (PLAIN, LATE, SHARED)
STEEPNESS: Final = 8.0  # logits of a win per dial, of the players that are played
LATEST: Final = 5  # attempts by which an outcome may be late
MOST_SHARED: Final = 40  # outcomes at once
MOST_CONSTANTS: Final = 4_000  # of a rule whose options at both ends are written down, too
_SEQUENCES: Final = 9
_ATTEMPTS: Final = 40
_ATTEMPTS_AT_ENDS: Final = 12

VectorStep = dict[str, Any]


class ReferenceRule:
    """The compiled rule on flat arrays, with the bounds of its scenario."""

    def __init__(self, rule: Rule, constants: Any, shipped: ShippedRule) -> None:
        state = rule.start(constants, shipped.groups[0].targets[0])
        self._constants = flat(constants)
        self._ask = compiled(ask_of(rule, layout_of(constants), layout_of(state)))
        self._tell = compiled(tell_of(rule, layout_of(constants), layout_of(state)))
        self._shipped = shipped

    def first(self, group: int, unit: int) -> Numbers:
        """A fresh state."""
        numbers = self._shipped.first_states[self._shipped.groups[group].first].copy()
        if self._shipped.unit >= 0:
            numbers[self._shipped.unit] = unit
        return numbers

    def ask(self, group: int, numbers: Numbers, situation: dict[str, Any]) -> tuple[float, float, float]:
        """Difficulty, target and shift of an attempt."""
        own = self._shipped.groups[group]
        column = max(situation["level"] - 1, 0)
        target, shift = own.targets[column], own.shifts[column]
        fields = ("attempt", "level", "place", "last", "session", "day")
        asked = float(self._ask(self._constants, numbers, target, *(situation[name] for name in fields))) + shift
        return clamp(asked, self._shipped.floor, self._shipped.ceiling), target, shift

    def tell(self, group: int, numbers: Numbers, seen: tuple[float, ...]) -> None:
        """Bring a state up to date. seen: the fields of an Observation."""
        self._tell(self._constants, numbers, *seen, *self._shipped.groups[group].bounds)


class _Played(NamedTuple):
    ask: int
    arrives: int  # attempt after which the outcome is known
    level: int
    place: int
    last: float
    outcome: dict[str, float]
    difficulty: float
    target: float
    shift: float


def sequence(reference: ReferenceRule, shipped: ShippedRule, number: int, attempts: int, kind: str) -> dict[str, Any]:
    """One player's attempts, and what the rule answers.

    Args:
        reference: the rule.
        shipped: what it was made of.
        number: of the sequence: another one has other luck.
        attempts: how many.
        kind: one of KINDS.
    """
    group, unit = number % len(shipped.groups), number + 1
    numbers = reference.first(group, unit)
    steps: list[VectorStep] = []
    waiting: list[_Played] = []
    level, place, session, last, skill = min(shipped.levels, 1), 0, 0, 1.0, 0.2 + 0.6 * _luck(number, -1)[0]
    for attempt in range(attempts):
        luck = _luck(number, attempt)
        unknown = any(one.ask == attempt - 1 for one in waiting)
        situation = {
            "attempt": attempt,
            "level": level,
            "place": place,
            "last": -1.0 if unknown else last,
            "session": session,
            "day": session // 2,
        }
        difficulty, target, shift = reference.ask(group, numbers, situation)
        steps.append({"ask": situation, "difficulty": difficulty})
        skill = min(max(skill + 0.04 * (luck[0] - 0.45), -0.2), 1.2)
        outcome = _outcome(kind, logistic(STEEPNESS * (skill - difficulty)), luck, _luck(number, attempt, 1))
        late = int(luck[3] * (LATEST + 1)) if kind == LATE else 0
        waiting.append(_Played(attempt, attempt + late, level, place, last, outcome, difficulty, target, shift))
        for played in [one for one in waiting if one.arrives <= attempt]:
            waiting.remove(played)
            steps.append({"tell": played.ask, "last": played.last, **played.outcome})
            seen = (
                played.difficulty - played.shift, *(played.outcome[name] for name in ("won", "progress", "score")),
                played.target, float(played.place), played.last, played.outcome["weight"],
            )  # fmt: skip
            reference.tell(group, numbers, seen)
        last = 1.0 if outcome["won"] >= 0.5 else 0.0
        if level and last == 1.0:
            level = min(level + 1, shipped.levels)
        place += 1
        if _luck(number, attempt, 1)[2] < 0.1:
            place, session = 0, session + 1
    return {
        "about": f"outcomes come {kind}",
        "group": shipped.groups[group].name,
        "unit": unit,
        "steps": steps,
        "numbers": numbers.tolist(),
    }


def _luck(number: int, attempt: int, block: int = 0) -> tuple[float, float, float, float]:
    return uniforms(key_of(SEED, 0, CHANCE, number, attempt + 1), block)


def _outcome(kind: str, chance: float, luck: tuple[float, ...], more: tuple[float, ...]) -> dict[str, float]:
    if kind == SHARED:
        weight = 1 + int(more[3] * MOST_SHARED)
        won = round(chance * weight + (luck[1] - 0.5)) / weight
        won = min(max(won, 0.0), 1.0)
        return {"won": won, "progress": 0.5 * won + 0.5 * luck[2], "score": more[0], "weight": float(weight)}
    won = 1.0 if luck[1] < chance else 0.0
    return {"won": won, "progress": 1.0 if won else luck[2], "score": more[0], "weight": 1.0}


class OptionEnd(NamedTuple):
    """A rule with one option at an end of its range."""

    option: str
    value: float
    setup: Setup


def option_ends(setup: Setup) -> Iterator[OptionEnd]:
    """The setup with each option of its controller at both ends, one after the other."""
    import dataclasses

    for option in setup.kind.option_list:
        for value in (option.low, option.high):
            options = setup.options._replace(**{option.name: value})
            yield OptionEnd(option.name, value, dataclasses.replace(setup, options=options))


def vectors_of(setup: Setup, shipped: ShippedRule) -> dict[str, Any]:
    """What vectors.json holds."""
    rule = setup.kind.rule
    assert rule is not None
    constants = prepare_options(rule, setup.options, setup.brief(0))
    reference = ReferenceRule(rule, constants, shipped)
    found = [
        sequence(reference, shipped, number, _ATTEMPTS, KINDS[number % len(KINDS)]) for number in range(_SEQUENCES)
    ]
    if len(shipped.constants) <= MOST_CONSTANTS and not setup.schedule:
        found += list(_at_ends(setup, shipped))
    return {
        "format": 1,
        "controller": shipped.controller,
        "scenario": shipped.scenario,
        "fingerprint": shipped.digest,
        "sequences": found,
    }


def _at_ends(setup: Setup, shipped: ShippedRule) -> Iterator[dict[str, Any]]:
    rule = setup.kind.rule
    assert rule is not None
    for number, end in enumerate(option_ends(setup)):
        other = shipped_rule(end.setup, shipped.scenario, shipped.version)
        if other.rule.state_layout.widths != shipped.rule.state_layout.widths:
            continue  # a state of another size is another file
        constants = prepare_options(rule, end.setup.options, end.setup.brief(0))
        found = sequence(
            ReferenceRule(rule, constants, other), other, number, _ATTEMPTS_AT_ENDS, KINDS[number % len(KINDS)]
        )
        group = other.groups[number % len(other.groups)]
        yield {
            **found,
            "about": f"{end.option} = {end.value:g}; {found['about']}",
            "constants": other.constants.tolist(),
            "first": other.first_states[group.first].tolist(),
        }
