"""A rule as a program: its functions ask, tell and anti_windup, and how options and state lie in flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.controller import Bounds, Observation, Rule, Situation
from engine.rule import Layout, layout_of
from engine.translation.sources import Untranslatable
from engine.translation.syntax import ARRAY, FLOAT, INT, Program, RecordType, ValueType
from engine.translation.translate import Translator

SITUATION: Final[tuple[ValueType, ...]] = (FLOAT, INT, INT, INT, FLOAT, INT, INT)


@dataclass(frozen=True)
class TranslatedRule:
    """A program, the names of its three functions, and the records that they take."""

    program: Program
    ask: str
    tell: str
    anti_windup: str | None
    options: RecordType
    state: RecordType
    situation: RecordType
    observation: RecordType
    bounds: RecordType
    options_layout: Layout
    state_layout: Layout


def translate_rule(rule: Rule, constants: Any, state: Any) -> TranslatedRule:
    """A rule as a program.

    Args:
        rule: the rule.
        constants: its options, or what it was prepared with.
        state: a state of it.

    Raises:
        Untranslatable: a sentence, for what no other language can say.
    """
    translator = Translator()
    options = translator.settle(type(constants), _types(constants))
    own = translator.settle(type(state), _types(state))
    situation = translator.settle(Situation, SITUATION)
    observation = translator.settle(Observation, [FLOAT] * len(Observation._fields))
    bounds = translator.settle(Bounds, [FLOAT] * len(Bounds._fields))
    ask, difficulty = translator.function(rule.ask, [options, own, situation])
    if difficulty not in (FLOAT, INT):
        raise Untranslatable("ask returns no number")
    tell, told = translator.function(rule.tell, [options, own, observation])
    anti_windup = None
    if rule.anti_windup is not None:
        anti_windup, moved = translator.function(rule.anti_windup, [options, own, bounds])
        if moved != own:
            raise Untranslatable("anti_windup returns something else than a state")
    if told != own:
        raise Untranslatable("tell returns something else than a state")
    return TranslatedRule(
        translator.program, ask, tell, anti_windup, options, own, situation, observation, bounds,
        layout_of(constants), layout_of(state),
    )  # fmt: skip


def _types(value: Any) -> list[ValueType]:
    return [ARRAY if isinstance(item, np.ndarray) else FLOAT for item in value]
