"""Parameters that were found, in a game's own formats: each file is read back and holds the numbers of the rows."""

from __future__ import annotations

import configparser
import csv
import json
import re
from io import StringIO
from types import SimpleNamespace

import pytest

from engine.errors import RunFolderError, ScenarioError
from engine.parameters import value_at
from engine.scenario import setup_of
from sims.catalog import Catalog, load_scenario
from sims.runs.execution import run
from sims.runs.run import read_run
from sims.shipping import shipped_knobs as knobs_module
from sims.shipping.knob_files import KNOB_FORMS, export_knobs, knob_text
from sims.shipping.shipped_knobs import shipped_knobs
from sims.tuning.study_files import ANSWER
from sims.tuning.tune import tune
from tests.kit.small import scenario

SMALL = {"players.count": 30, "horizon.attempts_per_player": 12, "target.after_attempts": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("run") / "quick"
    run(load_scenario("quickstart", **SMALL), workers=1, out=place)
    return place


@pytest.fixture(scope="module")
def found(folder):
    return shipped_knobs(folder)


def test_each_group_has_the_parameters_of_a_row_of_its_own(folder, found):
    rows = read_run(folder).attempts()
    assert [one.group for one in found.groups] == ["newcomers", "regulars", "experts"]
    for one in found.groups:
        judged = rows[(rows["cohort"].astype(str) == one.group) & (rows["attempt"] >= 4)]
        assert one.attempts == len(judged)
        assert sum(judged["difficulty"] <= one.difficulty) >= len(judged) / 2
        same = judged
        for name, value in one.values.items():
            same = same[same[f"param_{name}"] == value]
        assert len(same) >= 1, "the exact values that the rules saw"
        assert one.lowest["speed"] == judged["param_speed"].min()
        assert one.highest["speed"] == judged["param_speed"].max()


def test_the_dial_is_that_of_the_rules(found):
    setup = setup_of(load_scenario("quickstart", **SMALL), Catalog())
    table = setup.space.table()
    for j, one in enumerate(found.dial):
        assert len(one.values) == 21
        for i, value in enumerate(one.values):
            assert one.knob.real(value) == value_at(table, setup.path, j, i / 20, 0)


def test_what_changed_is_told_against_the_authors_defaults(found):
    speeds = {one.group: (one.before, one.after) for one in found.changed if one.knob == "speed"}
    assert speeds == {one.group: (7.0, one.values["speed"]) for one in found.groups}


def test_json_and_csv_hold_all_digits(found):
    tree = json.loads(knob_text(found, "knobs.json"))
    assert [one["values"] for one in tree["groups"]] == [dict(one.values) for one in found.groups]
    assert tree["dial"][20]["values"] == {one.knob.name: one.values[20] for one in found.dial}
    rows = list(csv.DictReader(StringIO(knob_text(found, "knobs.csv"))))
    assert len(rows) == (len(found.groups) + 21) * len(found.knobs)
    for one in found.groups:
        own = {row["knob"]: row["value"] for row in rows if row["group"] == one.group}
        assert own == {name: str(value) for name, value in one.values.items()}
        assert float(own["speed"]) == one.values["speed"]


def test_unity_reads_lists_of_one_type_only(found):
    tree = json.loads(knob_text(found, "unity"))

    def check(value):
        assert not isinstance(value, bool | type(None))
        if isinstance(value, list):
            assert len({tuple(sorted(one)) for one in value}) == 1, "objects with the same fields"
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(one)

    check(tree)
    assert tree["groups"][0]["values"][0]["number"] == found.groups[0].values["speed"]


def test_godot_reads_sections_of_names_and_values(found):
    parser = configparser.ConfigParser(delimiters=("=",))  # it makes names lower case: those of this game are
    parser.read_string(knob_text(found, "godot"))
    for one in found.groups:
        section = parser[f"group/{one.group}"]
        assert {name: json.loads(section[name]) for name in one.values} == dict(one.values)
    assert json.loads(parser["dial/1.0"]["speed"]) == found.dial[0].values[20]


def test_remote_config_keeps_the_rules_of_its_keys(found):
    groups = tuple(one._replace(group="new players, 1") for one in found.groups[:1])
    tree = json.loads(knob_text(found._replace(groups=groups), "remote-config"))
    assert tree["entries"].keys() == tree["types"].keys()
    for key, kind in tree["types"].items():
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,254}", key)
        wanted = {"FLOAT": float, "INT": int, "STRING": str, "JSON": dict}[kind]
        assert type(tree["entries"][key]) is wanted
    assert tree["entries"]["difficulty.new_players__1.speed"] == found.groups[0].values["speed"]


def test_remote_config_refuses_two_groups_with_one_key_and_endless_names(found):
    alike = tuple(one._replace(group=name) for one, name in zip(found.groups, ("a b", "a_b"), strict=False))
    with pytest.raises(ScenarioError, match=r"two player groups have the key difficulty\.a_b\.speed"):
        knob_text(found._replace(groups=alike), "remote-config")
    long = (found.groups[0]._replace(group="g" * 300),)
    with pytest.raises(ScenarioError, match="at most 255 letters"):
        knob_text(found._replace(groups=long), "remote-config")


def test_a_file_lies_beside_the_run_and_is_never_written_over(folder):
    for form in KNOB_FORMS:
        made = export_knobs(folder, form)
        assert made.parent == folder.parent
        with pytest.raises(RunFolderError, match="already exists"):
            export_knobs(folder, form)
    with pytest.raises(ScenarioError, match="must lie outside of the run"):
        export_knobs(folder, "unity", folder / "knobs.json")


def test_a_campaign_has_parameters_for_each_level(tmp_path):
    run(
        load_scenario("campaign", **{"players.count": 40, "horizon.attempts_per_player": 12}),
        workers=1,
        out=tmp_path / "c",
    )
    found = shipped_knobs(tmp_path / "c")
    assert [one.level for one in found.groups][:2] == [1, 2]
    text = knob_text(found, "remote-config")
    assert ".level_1." in text


def test_a_study_has_the_parameters_of_its_best_option(folder, found, monkeypatch, tmp_path):
    """The study is made by hand: its best option holds two parameters, and its defaults are those of the game."""
    best = load_scenario("quickstart", **{"game.params.speed": 6.123456789012345, "game.params.hearts": 2})
    option = SimpleNamespace(scenario=best)
    before = {**found.groups[0].values} | {"speed": 7.0, "hearts": 3}
    study = SimpleNamespace(options=(option,), baseline=SimpleNamespace(params=before))
    monkeypatch.setattr(knobs_module, "read_study", lambda _: study)
    (tmp_path / ANSWER).write_text("{}")
    (tmp_path / "scenario.toml").write_bytes((folder / "scenario.toml").read_bytes())
    told = shipped_knobs(tmp_path)
    assert told.source == "study"
    assert {one.values["speed"] for one in told.groups} == {6.123456789012345}
    assert {(one.before, one.after) for one in told.changed if one.knob == "hearts"} == {(3, 2)}


@pytest.mark.thorough
def test_a_study_that_was_tuned_is_exported_with_the_numbers_of_its_best_scenario(tmp_path):
    """The game has a parameter that is called difficulty, as the place on the dial is."""
    study = tune(
        scenario("logistic", "constant", players=200, attempts=30), budget=60_000, out=tmp_path / "study", workers=1
    )
    found = shipped_knobs(tmp_path / "study")
    best = study.options[0].scenario.form.game.params
    for one in found.groups:
        assert {name: one.values[name] for name in best} == dict(best)
    assert {one.before for one in found.changed if one.knob == "difficulty"} == {study.baseline.params["difficulty"]}
    for form in KNOB_FORMS:
        assert knob_text(found, form)
    points = json.loads(knob_text(found, "remote-config"))["entries"]["difficulty_dial"]["points"]
    assert points[0] == {"difficulty": 0.0, "values": {"difficulty": -4.0, "guess": 0.5}}
