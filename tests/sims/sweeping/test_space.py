"""What may be swept, and how that is typed."""

from __future__ import annotations

import pytest

from engine.errors import ScenarioError
from sims.catalog import load_scenario
from sims.cli.app import main
from sims.sweeping.space import SweepSpace, space_of, value_in
from sims.sweeping.space_file import over_of, read_space
from sims.sweeping.sweep import sweep
from sims.sweeping.trial_scenarios import check_space, checked_space, trial_scenario
from tests.kit import small

SCENARIO = small.scenario(controller="kalman")


def space(**over) -> SweepSpace:
    return space_of({key.replace("__", "."): text for key, text in over.items()}, SCENARIO)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:9:9", (5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0)),
        ("log:0.001:0.1:3", (0.001, 0.01, 0.1)),
        ("0.3,0.1,0.2", (0.1, 0.2, 0.3)),
        ([0.5, 0.25], (0.25, 0.5)),
    ],
)
def test_lists_and_grids_have_values_in_order(text, values):
    assert space(target__win_rate=text).keys[0].values == pytest.approx(values)


def test_a_range_has_both_ends_and_equal_lengths_are_equally_likely():
    (one,) = space(target__win_rate="0.2:0.8").keys
    assert not one.values
    assert [one.at(unit) for unit in (0.0, 0.5, 0.999999)] == pytest.approx([0.2, 0.5, 0.8], abs=1e-5)
    (log,) = space(controller__options__q="log:0.0001:0.1").keys
    assert log.at(1 / 3) == pytest.approx(0.001)


def test_a_key_of_whole_numbers_is_drawn_and_spaced_as_such():
    (one,) = space(horizon__attempts_per_player="100:104").keys
    assert [one.at(unit) for unit in (0.0, 0.3, 0.99)] == [100, 101, 104]
    assert all(isinstance(value, int) for value in one.spaced(5))
    assert space(horizon__attempts_per_player="100:104:3").keys[0].values == (100, 102, 104)


def test_words_need_no_quotes():
    (one,) = space(controller__name="kalman,elo").keys
    assert one.values == ("kalman", "elo")
    assert not one.is_number


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"seed": "1:9:3"}, "--over seed: all trials have the same luck"),
        ({"players.count": "10,20"}, "this is how much is played"),
        ({"game.name": "logistic,gap_runner"}, "this key cannot be swept"),
        ({"target.win_rate": "0.7"}, "must be low:high:steps.*two values or more, got 1"),
        ({"target.win_rate": "0.9:0.1:3"}, "the low end must be below the high end"),
        ({"target.win_rate": "0.1:0.9:1"}, "steps must be a whole number from 2"),
        ({"target.win_rate": "0.1:x"}, "'x' is no number"),
        ({"target.win_rate": "log:0:0.5"}, "a log range must begin above 0"),
        ({"target.win_rate": "0.5,0.5"}, "every value must be there once"),
        ({"horizon.attempts_per_player": "10:11:5"}, "no 5 different whole numbers"),
        ({"horizon.attempts_per_player": "10.5:11"}, "must be whole numbers"),
        ({"controller.options.nix": "1:2"}, "kalman has no option 'nix'; has guess, lapse"),
        ({"controller.name": "kalman,calman"}, "there is no controller 'calman'"),
        ({}, "a sweep needs a key to vary, got none"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_a_sentence(over, message):
    with pytest.raises(ScenarioError, match=message):
        space_of(over, SCENARIO)


def test_all_errors_are_told_at_once():
    with pytest.raises(ScenarioError) as raised:
        space_of({"seed": "1,2", "target.win_rate": "0.9:0.1"}, SCENARIO)
    assert len(raised.value.lines) == 2
    with pytest.raises(ScenarioError) as raised:
        check_space(SCENARIO, space(target__win_rate="0.5,1.5", dial__floor="0.1,3.0"))
    assert len(raised.value.lines) == 2
    assert all("--over" in line for line in raised.value.lines)
    with pytest.raises(ScenarioError) as raised:
        checked_space({"seed": "1,2", "dial.floor": "0.1,3.0", "controller.nome": "1,2"}, SCENARIO)
    assert [line.partition(": ")[0].rpartition(" ")[2] for line in raised.value.lines] == [
        "seed",
        "dial.floor",
        "controller.nome",
    ]


def test_an_option_varies_only_where_its_controller_is():
    found = space(controller__name="kalman,elo", controller__options__q="0.001,0.01", target__win_rate="0.5,0.6")
    assert found.size == 2 * 2 + 2
    grid = list(found.grid())
    assert len(grid) == found.size == len(set(grid))
    assert all(("controller.options.q" in dict(one)) == (dict(one)["controller.name"] == "kalman") for one in grid)
    assert found.size_text == "2 x 2 x 2: 6"


def test_another_controller_plays_with_its_own_defaults_and_a_swept_knob_leaves_the_dial():
    elo = trial_scenario(SCENARIO, (("controller.name", "elo"), ("controller.options.a", 0.5)))
    assert elo.controller == "elo"
    assert elo.form.controller.options["a"] == 0.5
    quick = load_scenario("quickstart")
    held = trial_scenario(quick, (("game.params.speed", 6.0),))
    assert held.form.game.params["speed"] == 6.0
    assert "speed" not in (held.form.dial.knobs or ())
    assert value_in(quick, "game.params.speed") is None
    assert value_in(held, "game.params.speed") == 6.0
    assert value_in(quick, "cohort.experts.share") == pytest.approx(0.15)


def test_settings_are_those_of_the_same_run_from_the_command_line():
    """Whatever a trial changes, it plays what --set would make of the file."""
    quick = load_scenario("quickstart")
    for key, value in (("game.params.speed", 6.0), ("target.win_rate", 0.6), ("controller.options.q", 0.1)):
        assert trial_scenario(quick, ((key, value),)).digest == load_scenario("quickstart", **{key: value}).digest


def test_a_file_says_what_is_swept(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text('[sweep]\n"target.win_rate" = "0.5:0.7:3"\ncontroller.options.q = [0.1, 0.2]\n')
    found = read_space(path)
    assert over_of(found) == {"target.win_rate": "0.5:0.7:3", "controller.options.q": [0.1, 0.2]}
    assert [one.place for one in found] == [f"{path}:2", f"{path}:3"]
    path.write_text("[swept]\n")
    with pytest.raises(ScenarioError, match=r"must hold one table \[sweep\] and nothing else, got swept"):
        read_space(path)


SWEPT = """
[sweep]
controller.name = ["kalman", "elo"]
controller.options.q = "log:0.001:0.1:3"
"""


def test_a_scenario_may_say_what_is_swept_and_plays_the_same(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    plain = SCENARIO.resolved_toml()
    path.write_text(plain + SWEPT)
    swept = load_scenario(path)
    assert over_of(swept.swept) == {"controller.name": ["kalman", "elo"], "controller.options.q": "log:0.001:0.1:3"}
    assert (swept.digest, swept.resolved_toml()) == (SCENARIO.digest, plain)
    assert main(["check", str(path)]) == 0
    done = sweep(swept, out=tmp_path / "sweep", workers=1)
    assert done.answer["keys"] == ["controller.name", "controller.options.q"]
    assert len(done.answer["trials"]) == 1 + 4


def test_all_errors_of_a_table_are_told_with_their_lines(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(SCENARIO.resolved_toml() + SWEPT + 'dial.floor = "0.1:3:2"\n[sweep.target]\nwin_rate = 0.5\n')
    before = SCENARIO.resolved_toml().count("\n")
    assert main(["check", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": must")[0] for line in sorted(lines)] == [
        f"{path}:{before + 5}: sweep.dial.floor",
        f"{path}:{before + 7}: sweep.target.win_rate",
    ]


def test_places_of_the_cube_reach_every_value():
    (one,) = space(controller__name="kalman,elo,staircase").keys
    drawn = [one.at(step / 300) for step in range(300)]
    assert {value: drawn.count(value) for value in one.values} == dict.fromkeys(one.values, 100)
    assert space(target__win_rate="0.5:0.6").keys[0].at(0.0) == 0.5
