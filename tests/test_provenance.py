"""What a run is made with is known by digests: any part of it that reaches a row changes one."""

import dataclasses

import pytest

from engine.parameters import Knob, ParameterSpace
from sims.provenance import code_digests
from tests.small import setup


def turned(space):
    first = space.knobs[0]
    other = dataclasses.replace(first, harder="low" if first.harder == "high" else "high")
    return ParameterSpace(other, *space.knobs[1:])


@pytest.mark.parametrize(
    "change",
    [
        lambda game: {"version": game.version + 1},
        lambda game: {"causes": ("slipped",)},
        lambda game: {"space": turned(game.space)},
        lambda game: {"space": ParameterSpace(Knob("difficulty", -5.0, 4.0, 0.0), game.space.knobs[1])},
        lambda game: {"tick_seconds": 31.0},
        lambda game: {"status": lambda params, level, state: state.result + 0},
    ],
)
def test_a_change_of_the_game_is_known(change):
    before = setup()
    after = dataclasses.replace(before, game=dataclasses.replace(before.game, **change(before.game)))
    assert code_digests(after)["game"] != code_digests(before)["game"]
    assert code_digests(after)["controller"] == code_digests(before)["controller"]


def test_a_change_of_the_columns_of_a_controller_is_known():
    before = setup(controller="kalman")
    assert before.kind.rule is not None
    rule = dataclasses.replace(before.kind.rule, beliefs=("skill",))
    after = dataclasses.replace(before, kind=dataclasses.replace(before.kind, rule=rule))
    assert code_digests(after)["controller"] != code_digests(before)["controller"]
    assert code_digests(after)["game"] == code_digests(before)["game"]
