"""What of a rule has a translation, what has none, and the sentence that says so."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from controllers.adaptive import weighted_up_down
from engine.contract.checks import check_controller
from engine.contract.controller_export import has_a_translation
from engine.controller import Rule
from engine.translation.sources import Untranslatable
from engine.translation.translated_rule import translate_rule

CLASSIC = weighted_up_down.CONTROLLER
RULE: Rule = CLASSIC.rule or pytest.fail("it is a rule")
NAMES = ["easy", "hard"]


class Options(NamedTuple):
    step: float = 0.05


class State(NamedTuple):
    difficulty: float
    recent: np.ndarray


def start(options, target):
    return State(0.5, np.zeros(3))


def ask(options, state, situation):
    return state.difficulty


def tell(options, state, seen):
    return state


def translated(**functions):
    rule = Rule(**{"start": start, "ask": ask, "tell": tell, **functions})
    return translate_rule(rule, Options(), start(Options(), 0.5))


def test_a_rule_becomes_three_functions_and_what_they_call():
    found = translate_rule(RULE, CLASSIC.options(), RULE.start(CLASSIC.options(), 0.6))
    names = [one.name for one in found.program.functions]
    assert (found.ask, found.tell, found.anti_windup) == ("ask", "tell", "anti_windup")
    assert names.index("log") < names.index("gain_for") < names.index("tell"), "none calls a later one"


def recursive(options, state, situation):
    return recursive(options, state, situation)


def listing(options, state, situation):
    total = 0.0
    for one in NAMES:
        total += len(one)
    return total


def power(options, state, situation):
    return state.difficulty**options.step


def library(options, state, situation):
    return math.sin(state.difficulty)


def text(options, state, situation):
    return state.difficulty if NAMES[0] == "easy" else 0.0


def outside(options, state, situation):
    return state.recent[options.step < 1.5 :].sum()


def truth(options, state, situation):
    return 1.0 if state.difficulty else 0.0


def unassigned(options, state, situation):
    later = later + 1.0  # type: ignore[has-type]  # noqa: F821 - that is the fault
    return later


def mixed(options, state, situation):
    found = state.difficulty
    found = state.recent
    return found[0]


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (recursive, "recursive calls itself"),
        (listing, "listing loops over 'NAMES'; only range(...) has a translation"),
        (power, "power raises to a power other than 2: 'state.difficulty ** options.step'; use engine.arithmetic"),
        (library, "library calls 'math.sin', which has no translation"),
        (text, "text uses NAMES, a list; only numbers travel outside of options and state"),
        (outside, "outside calls 'state.recent[options.step < 1.5:].sum', which has no translation"),
        (truth, "truth takes 'state.difficulty' for true or false; say what it is compared with"),
        (unassigned, "unassigned may use later before it is assigned"),
        (mixed, "mixed mixes a number and an array"),
        (lambda options, state, situation: 0.5, "<lambda> is no plain function with a name"),
    ],
)
def test_what_has_no_translation_is_said_in_a_sentence(function, sentence):
    with pytest.raises(Untranslatable) as refusal:
        translated(ask=function)
    assert str(refusal.value) == sentence


def test_the_contract_says_it_last():
    def careful(options, state, situation):
        return min(max(state.difficulty, 0.0), math.cosh(0.0))

    kind = replace(CLASSIC, rule=replace(RULE, ask=careful))
    assert list(has_a_translation(kind)) == [
        "a rule must have a translation for export-controller, but careful calls 'math.cosh', which has no translation"
    ]
    assert list(has_a_translation(replace(CLASSIC, rule=None))) == []


@pytest.mark.thorough
def test_a_rule_that_keeps_all_else_gets_this_one_sentence():
    def careful(options, state, situation):
        return min(max(state.difficulty, 0.0), math.cosh(0.0))

    (found,) = check_controller(replace(CLASSIC, rule=replace(RULE, ask=careful)))
    assert "math.cosh" in found


def arrays(options, state, seen):
    recent = np.concatenate((state.recent[1:], np.full(1, seen.won)))
    recent[0:2] = np.maximum(recent[0:2] - 0.25, 0.0)
    first, *_ = (0.0,)
    return State(recent.max() - first, recent)


def test_a_star_in_an_assignment_is_refused_in_a_sentence():
    with pytest.raises(Untranslatable, match="arrays"):
        translated(tell=arrays)
