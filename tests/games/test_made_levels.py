"""Levels made by hand are played as they were made, by runs, replays and knock-outs alike."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.attempt import Address, opening_of, opening_without, play_of
from engine.contract.game_rules import faculties_at
from engine.scenario import setup_of
from engine.scenario_file.level_files import level_numbers
from games import get
from games.gap_runner import obstacle
from sims import load_scenario, read_run, run, verify
from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.playback.stepper import HumanAction
from sims.window.playing.human_session import HumanSession, human_setup
from tests.engine.scenario_file.test_level_files import BOARD, BOSS, written

GAP = get("gap_runner")
THINGS = [
    {"kind": "gap", "at_m": 14.0, "width_m": 3.91},
    {"kind": "spike", "at_m": 25.25},
    {"kind": "beam", "at_m": 36.5},
    {"kind": "gap", "at_m": 47.0, "width_m": 4.2},
    {"kind": "spike", "at_m": 58.0},
]


def values_of(things, goal=70.0):
    return np.array([*GAP.space.defaults(), *level_numbers(GAP, {"obstacle": things, "goal_m": goal})])


def test_obstacles_stand_where_the_file_says():
    opened = opening_of(GAP)(values_of(THINGS), *Address(1, 0, 0, 0, 1))
    found = [obstacle(opened.params, opened.level, index) for index in range(len(THINGS))]
    assert [GAP.actions and ("gap", "spike", "beam")[one.kind] for one in found] == [thing["kind"] for thing in THINGS]
    assert [one.at for one in found] == pytest.approx([thing["at_m"] for thing in THINGS])
    assert [one.width for one in found] == pytest.approx([3.91, 2.2, 0.8, 4.2, 2.2])
    assert opened.level.goal == 70.0
    assert obstacle(opened.params, opened.level, len(THINGS)).at > 1000.0


@pytest.mark.parametrize("place", range(1, len(THINGS) + 1))
def test_a_level_without_an_obstacle_is_the_file_without_it(place):
    """The same player with the same luck ends both in the same tick."""
    rest = THINGS[: place - 1] + THINGS[place:]
    for number in range(6):
        address = Address(3, 0, 0, number, 1)
        left = opening_without(GAP)(values_of(THINGS), place, *address)
        made = opening_of(GAP)(values_of(rest), *address)
        ends = [play_of(GAP)(opened, faculties_at(-1.0)) for opened in (left, made)]
        assert ends[0].ticks == ends[1].ticks
        assert ends[0].outcome == ends[1].outcome
        assert ends[0].state.x == ends[1].state.x


CONTENT = {"gap_runner": {"obstacle": THINGS}, "boss_duel": BOSS, "tile_match": BOARD}


@pytest.mark.parametrize("game", ["gap_runner", "boss_duel", pytest.param("tile_match", marks=pytest.mark.thorough)])
def test_rows_of_a_made_level_are_played_again_from_the_folder_alone(tmp_path, game):
    path = written(tmp_path, game, **{"one.json": CONTENT[game]})
    folder = run(load_scenario(path), out=tmp_path / "out", workers=1).folder
    (tmp_path / "one.json").unlink()
    result = verify(folder)
    assert result.equal, result.sentences
    assert result.replayed == len(read_run(folder).attempts(["level"])) > 0
    assert read_run(folder).row(1).equal
    assert len(choose_row(folder, row=0).values) > len(get(game).space)


def test_another_level_beside_the_rows_is_noticed(tmp_path):
    folder = run(load_scenario(written(tmp_path, **{"one.json": CONTENT["gap_runner"]})), out=tmp_path / "out").folder
    text = (folder / "scenario.toml").read_text()
    (folder / "scenario.toml").write_text(text.replace("58.0", "58.5"))
    assert not verify(folder / "attempts.csv").equal


def test_the_knock_out_measures_a_made_level(tmp_path):
    folder = run(load_scenario(written(tmp_path, **{"one.json": CONTENT["gap_runner"]})), out=tmp_path / "out").folder
    costs = read_run(folder).knock_out()
    assert {(cost.level, cost.place) for cost in costs} <= {(1, place) for place in range(1, 6)}
    assert json.loads(json.dumps([cost.to_json(("players",)) for cost in costs]))


def test_a_person_plays_a_made_level_and_the_row_is_true(tmp_path):
    scenario = load_scenario(written(tmp_path, **{"one.json": CONTENT["gap_runner"]}))
    folder = tmp_path / "sitting"
    folder.mkdir()
    (folder / "scenario.toml").write_text(scenario.resolved_toml())
    setup = setup_of(scenario, Catalog())
    session = HumanSession(human_setup(setup, setup.kind, 0.7), folder)
    attempt = session.next()
    assert obstacle(attempt.stepper.params, attempt.stepper.level, 0).at == pytest.approx(THINGS[0]["at_m"])
    deeds = []
    while not attempt.stepper.ended:
        deeds.append(HumanAction(0))
        attempt.stepper.do(deeds[-1])
    session.finish(attempt, deeds)
    session.close()
    result = verify(folder / "attempts.csv")
    assert result.equal, result.sentences
    assert result.replayed == 1
