"""Level files: their content becomes part of the scenario, no path leads out of its folder, and mistakes are told."""

from __future__ import annotations

import json
import os

import pytest

from engine.errors import ScenarioError
from engine.scenario import load, parse, setup_of
from engine.scenario_file.sections import Campaign
from sims.catalog import Catalog, load_scenario
from sims.runs.preflight import prepare_job
from sims.tuning.problem import load_free

TEXT = """
format = 1
game.name = "{game}"
dial = {{ floor = 0.0, ceiling = 1.0 }}
target.win_rate = 0.7
players.count = 10
horizon = {{ days = 1, attempts_per_player = 10 }}
controller.name = "constant"

[levels]
kind = "campaign"
files = {files}
"""
GAP = """
[[obstacle]]
kind = "gap"
at_m = 14.0
width_m = 3.9
[[obstacle]]
kind = "beam"
at_m = 26.0
"""
BOSS = {"light": 5, "heavy": 1.5, "sweep": 2, "rest": 2, "health": 110, "might": 0.9}
BOARD = {"need": 30, "rows": ["1213", "3421", "1314", "2*#1"]}


def written(folder, game="gap_runner", files=None, **contents):
    """A scenario in a folder, with level files."""
    contents = contents or {"one.toml": GAP}
    for name, content in contents.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    path = folder / "hand.toml"
    path.write_text(TEXT.format(game=game, files=json.dumps(list(contents) if files is None else files)))
    return path


def told(path):
    with pytest.raises(ScenarioError) as caught:
        load(path, Catalog())
    return " ".join(caught.value.lines)


def test_content_takes_the_place_of_names_and_counts_the_levels(tmp_path):
    scenario = load_scenario(
        written(tmp_path, **{"one.toml": GAP, "two.json": {"obstacle": [{"kind": "spike", "at_m": 15}]}})
    )
    assert scenario.levels == 2
    levels = scenario.form.levels
    assert isinstance(levels, Campaign)
    assert levels.files is None
    assert levels.made is not None
    assert levels.made[1] == {"obstacle": [{"kind": "spike", "at_m": 15}]}


def test_a_resolved_scenario_holds_the_levels_and_needs_no_file(tmp_path):
    scenario = load_scenario(written(tmp_path))
    again = parse(scenario.resolved_toml().encode(), "again.toml", Catalog())
    assert again.digest == scenario.digest
    assert setup_of(again, Catalog()).space.made == setup_of(scenario, Catalog()).space.made


def test_the_digest_follows_the_content_and_not_the_name(tmp_path):
    first = load_scenario(written(tmp_path)).digest
    assert load_scenario(written(tmp_path, **{"other.toml": GAP})).digest == first
    assert load_scenario(written(tmp_path, **{"one.toml": GAP.replace("26.0", "26.5")})).digest != first


@pytest.mark.parametrize(
    "name", ["../one.toml", "/etc/passwd", "a/../../one.toml", "..", "", "C:/one.toml", "a\\b.toml"]
)
def test_no_path_leaves_the_folder(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "one.toml").write_text(GAP)
    assert "a level file must lie in the folder of the scenario" in told(written(inner, files=[name]))


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights there")
@pytest.mark.parametrize("kind", ["link", "folder of a link", "pipe", "folder"])
def test_only_regular_files_of_the_folder_are_opened(tmp_path, kind):
    inner, outside = tmp_path / "inner", tmp_path / "outside"
    inner.mkdir()
    outside.mkdir()
    (outside / "level.toml").write_text(GAP)
    name = "level.toml"
    if kind == "link":
        (inner / name).symlink_to(outside / name)
    elif kind == "folder of a link":
        (inner / "away").symlink_to(outside)
        name = "away/level.toml"
    elif kind == "pipe":
        os.mkfifo(inner / name)
    else:
        (inner / name).mkdir()
    words = told(written(inner, files=[name], **{"one.toml": GAP}))
    assert "must be a regular file" in words or "must lie in the folder" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("obstacle = 1", "a level needs 1 to 24 obstacles"),
        ("= 1", "a level file must be TOML"),
        (GAP.replace("beam", "wall"), "obstacle 2 must be one of gap, spike, beam, got 'wall'"),
        (GAP.replace("26.0", "16.0"), "obstacle 2 must come after the one before, which ends at 17.9 m"),
        (GAP.replace("26.0", "-1"), "at_m of obstacle 2 must be a number above 0 to 320"),
        (GAP.replace("width_m = 3.9", ""), "it is not a level of gap_runner: 'width_m'"),
        (GAP + "width_m = 1", "obstacle 2 has the keys kind and at_m"),
        ("goal_m = 20\n" + GAP, "goal_m must lie past the last obstacle"),
    ],
)
def test_a_mistake_in_a_level_is_told_in_a_sentence(tmp_path, content, words):
    assert words in told(written(tmp_path, **{"one.toml": content}))


@pytest.mark.parametrize(
    ("game", "content", "words"),
    [
        ("boss_duel", BOSS | {"might": 0}, "might of a boss must be a number from 0.01 to 10, got 0"),
        ("boss_duel", BOSS | {"jump": 1}, "a boss has the keys"),
        ("boss_duel", BOSS | dict.fromkeys(("light", "heavy", "sweep", "rest"), 0), "a boss must choose a move"),
        ("tile_match", BOARD | {"need": 0}, "need must be a whole number from 1 to 999"),
        ("tile_match", BOARD | {"rows": ["111", "223", "332"]}, "a board must begin without a run of three"),
        ("tile_match", BOARD | {"rows": ["1x1", "223", "332"]}, "got 'x'; correct row '1x1'"),
        ("tile_match", BOARD | {"rows": ["123", "456", "712"]}, "a board must begin with a legal swap"),
        ("logistic", {}, "logistic has no levels made by hand"),
    ],
)
def test_a_mistake_of_other_games_is_told_too(tmp_path, game, content, words):
    assert words in told(written(tmp_path, game, **{"one.json": content}))


def test_files_and_count_must_agree_and_files_need_a_folder(tmp_path):
    path = written(tmp_path)
    path.write_text(path.read_text() + "count = 3\n")
    assert "must be the number of level files, 1, got 3" in told(path)
    with pytest.raises(ScenarioError, match="level files are read from the folder of a scenario file"):
        parse(written(tmp_path).read_bytes(), "no folder", Catalog())


def test_a_study_reads_level_files_too(tmp_path):
    path = written(tmp_path)
    assert setup_of(load_free(path), Catalog()).space.made == setup_of(load_scenario(path), Catalog()).space.made


def test_a_level_that_cannot_be_won_is_refused_before_it_is_played(tmp_path):
    narrow = GAP.replace("beam", "spike").replace("26.0", "19.0")  # who clears the gap lands on it
    with pytest.raises(ScenarioError, match="level 2 was lost in 20 tries; make it easier"):
        prepare_job(
            load_scenario(written(tmp_path, **{"one.toml": GAP, "two.toml": narrow}), **{"game.params.hearts": 1})
        )
