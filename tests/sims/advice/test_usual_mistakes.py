"""What check warns of without playing, and that it is silent where nothing is wrong."""

from __future__ import annotations

import pytest

from engine.errors import ScenarioError
from engine.scenario import parse, setup_of
from sims.advice.usual_mistakes import mistakes_in
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main

BUNDLED = [entry.name for entry in Catalog().scenarios()]


def mistakes(name: str, **overrides) -> tuple[str, ...]:
    scenario = load_scenario(name, **{key.replace("__", "."): value for key, value in overrides.items()})
    return mistakes_in(scenario, setup_of(scenario, Catalog()))


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_scenarios_make_no_usual_mistake(name):
    assert mistakes(name) == ()


def test_a_gain_that_overshoots_is_a_mistake_only_where_its_steps_are_judged():
    large = {"controller.name": "weighted_up_down", "controller.options": {"step": 0.6}}
    (said,) = mistakes("arena/stationary", **large, target__after_attempts=0)
    assert said.startswith("The first steps of weighted_up_down are so large that it overshoots")
    assert "Reduce step, or set target.after_attempts" in said
    assert mistakes("arena/stationary", **large) == ()
    small = {"controller.name": "weighted_up_down", "controller.options": {"step": 0.03}}
    assert mistakes("arena/stationary", **small, target__after_attempts=0) == ()


def test_one_difficulty_for_groups_that_differ():
    (said,) = mistakes("quickstart", controller__scope="everyone", run__replicas=8)
    assert said.startswith("All 3 player groups share one difficulty")
    assert mistakes("arena/stationary", controller__scope="everyone", run__replicas=8) == ()


@pytest.mark.parametrize(
    ("length", "words"), [(5000.0, "so nobody sees its end"), (5.0, "is over after 5 of up to 200"), (200.0, "")]
)
def test_a_schedule_must_have_the_clock_of_the_scenario(length, words):
    found = mistakes("arena/stationary", **{"controller.name": "ramp", "controller.options": {"length": length}})
    assert [words in said for said in found] == [True] * bool(words)


def test_a_clock_must_be_one_that_moves():
    ramp = {"controller.name": "ramp"}
    (said,) = mistakes("arena/stationary", **ramp, **{"controller.options": {"clock": 1}})
    assert said.startswith("ramp follows levels (controller.options.clock = 1), and an endless stream has none")
    (said,) = mistakes("arena/stationary", **ramp, **{"controller.options": {"clock": 3, "length": 9000}})
    assert "takes 9,000 days, but the run has" in said
    assert mistakes("arena/stationary", **ramp, **{"controller.options": {"clock": 2, "length": 9000}}) == ()
    assert mistakes("campaign", **ramp, **{"controller.options": {"clock": 1, "length": 20}}) == ()


def test_a_gain_that_changes_must_do_so_while_players_play():
    rule = {"controller.name": "weighted_up_down"}
    (said,) = mistakes("arena/stationary", **rule, **{"controller.gain": {"shape": "cosine", "length": 900}})
    assert said.startswith("The gain's cosine takes 900 outcomes, but a player makes at most 200 attempts")
    (said,) = mistakes("arena/stationary", **rule, **{"controller.gain": {"shape": "plateau", "patience": 50}})
    assert said.startswith("The plateau looks at the gain every 50 outcomes")
    assert mistakes("arena/stationary", **rule, **{"controller.gain": {"shape": "one_cycle"}}) == ()


def test_a_grid_over_many_keys(tmp_path):
    path = tmp_path / "mine.toml"
    keys = ("q", "sd0", "slope", "reopen")
    for steps, warned in ((3, True), (2, False)):
        swept = "".join(f'controller.options.{key} = "0.1:0.2:{steps}"\n' for key in keys)
        plain = load_scenario("arena/stationary", **{"controller.name": "kalman"}).resolved_toml()
        path.write_text(f"{plain}\n[sweep]\n{swept}")
        scenario = load_scenario(path)
        found = mistakes_in(scenario, setup_of(scenario, Catalog()))
        assert [said.startswith("[sweep] is a grid over 4 keys with 81 settings") for said in found] == [True] * warned


def test_a_controller_that_adapts_itself_without_a_target_is_refused():
    text = load_scenario("arena/stationary", **{"controller.name": "cma_es"}).resolved_toml()
    start = text.index("[target]")
    without = text[:start] + text[text.index("\n[", start) + 1 :]
    with pytest.raises(ScenarioError, match="a controller needs a target: give"):
        parse(without.encode(), "mine.toml", Catalog())


def test_a_warm_up_that_leaves_less_than_a_tenth():
    (said,) = mistakes("arena/stationary", target__after_attempts=190)
    assert said.startswith("Only the last 10 of up to 200 attempts")
    assert mistakes("arena/stationary", target__after_attempts=180) == ()


def test_check_prints_them_and_still_succeeds(capsys):
    words = ["check", "arena/stationary", "--set", "target.after_attempts=190"]
    assert main(words) == 0
    assert "note: Only the last 10 of up to 200 attempts" in capsys.readouterr().out
