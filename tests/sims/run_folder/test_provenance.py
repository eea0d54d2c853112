"""What a run is made with is known by digests: any part of it that reaches a row changes one."""

import dataclasses

import pytest

from engine.parameters import Knob, ParameterSpace
from sims.catalog import Catalog
from sims.run_folder.provenance import _digest_of_files, code_digests
from tests.kit.small import setup
from tests.kit.worlds import setup_of


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


def digest(text, folder):
    path = folder / "module.py"
    path.write_text(text)
    return _digest_of_files([path])


def test_comments_docstrings_and_layout_are_not_code(tmp_path):
    plain = digest('def f(x):\n    "what it does"\n    return x + 1\n', tmp_path)
    assert plain == digest('"""A module."""\n\n\n# why\ndef f(\n    x,\n):\n    return (x + 1)  # one\n', tmp_path)
    for other in ("x + 2", "x - 1", "1 + x", "x + 1.0"):
        assert plain != digest(f"def f(x):\n    return {other}\n", tmp_path)
    assert plain != digest("def g(x):\n    return x + 1\n", tmp_path)
    assert plain != digest('def f(x):\n    y = "what it does"\n    return x + 1\n', tmp_path)


def test_a_file_that_changes_places_is_known(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.py").write_text("x = 2")
    before = _digest_of_files([tmp_path / "a.py", tmp_path / "b.py"])
    (tmp_path / "a.py").write_text("x = 2")
    (tmp_path / "b.py").write_text("x = 1")
    assert before != _digest_of_files([tmp_path / "a.py", tmp_path / "b.py"])


def test_what_a_rule_prepares_is_part_of_its_digest():
    kind = Catalog().controller("kalman_bank")
    with_tables = code_digests(setup_of(kind=kind))["controller"]
    assert kind.rule is not None
    without = dataclasses.replace(kind, rule=dataclasses.replace(kind.rule, prepare=None))
    assert code_digests(setup_of(kind=without))["controller"] != with_tables
