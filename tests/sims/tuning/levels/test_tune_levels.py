"""Help per level: the search against curves with a known answer, and the ladder, whose win rates are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from engine.errors import ScenarioError
from engine.scenario import parse
from engine.scenario_file.sections import Campaign
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main
from sims.tuning.levels.level_dials import LevelDials
from sims.tuning.levels.level_search import LevelSearch
from sims.tuning.levels.tune_levels import tune_levels

DIFFICULTY = (-1.5, 0.8, -0.2, 1.5)
TARGETS = (0.8, 0.7, 0.75, 0.6)
TEXT = f"""
format = 1
game = {{ name = "ladder", params = {{ guess = 0.0 }} }}
dial = {{ knobs = ["help"], floor = 0.0, ceiling = 1.0 }}
target = {{ levels = {list(TARGETS)}, tolerance = 0.05 }}
controller = {{ name = "constant", options = {{ difficulty = 0.5 }} }}
players = {{ count = 800 }}
horizon = {{ days = 300.0, attempts_per_player = 60 }}
[levels]
kind = "campaign"
count = 4
params = {{ level_difficulty = {list(DIFFICULTY)} }}
[[cohort]]
name = "players"
share = 1.0
traits = {{ skill = 0.0, slope = 1.0, learning = 0.0, fatigue = 0.0, lapse = 0.0 }}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("levels") / "ladder.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(file):
    return tune_levels(file, workers=1)


def curve(places, slope, middle):
    return 1.0 / (1.0 + np.exp(slope * (places - middle)))


def test_the_search_finds_known_places_of_steep_and_of_flat_curves():
    slope, middle = np.array([3.0, 6.0, 9.0, 4.0, 6.0]), np.array([0.2, 0.5, 0.8, 0.6, 0.4])
    targets = np.array([0.6, 0.75, 0.9, 0.4, 0.5])
    search = LevelSearch(targets, np.full(5, 0.5), 0.0, 1.0)
    attempts = np.full(5, 1_000_000)
    for _ in range(8):
        search.tell(attempts, np.round(attempts * curve(search.places, slope, middle)).astype(np.int64))
    answer = middle - np.log(targets / (1.0 - targets)) / slope
    assert search.places == pytest.approx(answer, abs=0.002)


def test_a_target_that_is_out_of_reach_ends_at_the_end_of_the_dial():
    search = LevelSearch(np.array([0.99]), np.array([0.5]), 0.1, 0.9)
    for _ in range(8):
        search.tell(np.array([10_000]), np.round(10_000 * curve(search.places, 6.0, 0.5)).astype(np.int64))
    assert search.places.tolist() == [0.1]


def test_a_level_that_nobody_reaches_stays_where_it_is():
    search = LevelSearch(np.array([0.5, 0.5]), np.array([0.5, 0.5]), 0.0, 1.0)
    search.tell(np.array([100, 0]), np.array([90, 0]))
    assert search.places[0] > 0.5 == search.places[1]


def test_the_help_of_a_ladder_is_the_one_that_its_formula_says(found):
    """Players are all alike, so the help must be logit(target) + difficulty; four standard errors of the search."""
    for level, (difficulty, target) in enumerate(zip(DIFFICULTY, TARGETS, strict=True)):
        attempts = found.before.level_rows[level].players / target
        error = 1.0 / math.sqrt(attempts * target * (1.0 - target))
        assert abs(found.values["help"][level] - math.log(target / (1.0 - target)) - difficulty) < 4.0 * error + 0.01


def test_what_is_reported_is_of_other_players_on_both_sides(found):
    assert found.before.level_rows[0].players == found.after.level_rows[0].players == 800
    for row, difficulty in zip(found.before.level_rows, DIFFICULTY, strict=True):
        rate = 1.0 / (1.0 + math.exp(difficulty))
        assert abs(row.win_rate - rate) < 4.0 * math.sqrt(rate * (1.0 - rate) / row.attempts)
    assert all(row.state != "above" for row in found.after.level_rows)
    assert found.text.splitlines()[0] == found.sentences[0]
    assert f"{found.after.level_rows[-1].players:,} reach the last level" in found.text


def test_the_scenario_stands_still_at_these_values_and_runs(found, file):
    catalog = Catalog()
    again = parse(found.scenario.resolved_toml().encode(), "tuned.toml", catalog)
    assert isinstance(again.form.levels, Campaign)
    assert again.form.levels.params is not None
    assert again.form.levels.params["help"] == found.values["help"]
    assert again.form.levels.params["level_difficulty"] == list(DIFFICULTY)
    assert again.controller == "constant"
    assert load_scenario(file).digest != again.digest


def test_an_adaptive_controller_is_replaced_and_that_is_said(file):
    scenario = load_scenario(file, **{"controller.name": "staircase", "controller.options": {}, "players.count": 60})
    dials = LevelDials(scenario)
    assert not dials.steady
    assert dials.start == 0.5
    assert dials.scenario_at([0.2, 0.4, 0.6, 0.8]).controller == "constant"
    assert list(dials.values([0.0, 0.5, 1.0])["help"]) == [3.0, 0.0, -3.0]


def test_whole_numbers_stay_whole():
    dials = LevelDials(load_scenario("campaign"))
    assert set(dials.names) <= set(dials.values([0.3] * 3))
    for values in dials.values([0.1, 0.5, 0.9]).values():
        assert len(values) == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"levels": {"kind": "endless"}, "target": {"win_rate": 0.7}}, "levels.kind must be campaign"),
        ({"dial.knobs": [], "game.params.help": 0.0}, "dial.knobs must have a knob"),
    ],
)
def test_what_has_no_levels_or_no_dial_is_refused(file, change, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        tune_levels(load_scenario(file, **change))


def test_the_command_leaves_a_folder_and_says_what_it_found(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["tune", str(file), "--levels", "--set", "players.count=60", "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content.pop("folder") == str(out)
    assert sorted(path.name for path in out.iterdir()) == ["levels.json", "report.html", "tuned.toml"]
    assert json.loads((out / "levels.json").read_text(encoding="utf-8")) == content
    assert main(["check", str(out / "tuned.toml")]) == 0
    assert main(["tune", str(file), "--levels", "--out", str(out)]) == 4
    assert main(["tune", str(file), "--levels", "--budget", "1000"]) == 2
    assert "--budget has no use" in capsys.readouterr().err
