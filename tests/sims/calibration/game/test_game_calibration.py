"""`flowdial calibrate --game`: from plays with settings to a scenario of that game, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import ScenarioError
from sims.calibration.calibration import calibrate
from sims.calibration.game.play_settings import MOST_SETTINGS, settings_of
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main
from sims.runs.execution import run
from sims.runs.export import export
from tests.kit.game_plays import SCENARIO

GAME = Catalog().game_with_rules("gap_runner")
NAMES = tuple(f"param_{name}" for name in GAME.space.names)


def settings_at(places):
    """What the straight dial gives at these places, shape (places, knobs)."""
    return np.array([GAME.space.real([place] * len(GAME.space)) for place in places])


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    home = tmp_path_factory.mktemp("game")
    (home / "world.toml").write_text(
        SCENARIO.format(game="logistic", controller="weighted_up_down", players=300, attempts=24, seed=4),
        encoding="utf-8",
    )
    result = run(load_scenario(home / "world.toml"), out=home / "run", workers=1)
    return export(result.folder, "telemetry", home / "plays.csv")


@pytest.fixture(scope="module")
def found(plays, tmp_path_factory):
    return calibrate(plays, game="logistic", out=tmp_path_factory.mktemp("game_out") / "out", threads=1)


def test_the_answer_names_the_game_and_its_rules_fit(found):
    assert "of the dial of logistic, 300 players" in found.headline
    assert found.findings.rules.fits
    assert any(sentence.startswith("The rules of logistic leave") for sentence in found.sentences)
    json = found.to_json()
    assert json["game"] == "logistic"
    assert json["rules"]["fits"]
    assert "difficulty" not in json["levels"][0]


def test_players_are_found_on_the_scale_of_the_game(found):
    truth = {"skill_mean": 0.4, "skill_sd": 0.7, "learning": 0.25, "fatigue": 0.1, "correlation": -0.5}
    for name, true in truth.items():
        value, low, high = found.findings.estimates[name]
        assert abs(value - true) <= 4.0 * (high - low) / 3.92, name


def test_the_scenario_plays_the_game_and_is_labelled(found, tmp_path):
    scenario = load_scenario(found.scenario_file, **{"players.count": 40, "run.replicas": 3})
    result = run(scenario, out=tmp_path / "run", workers=1)
    assert scenario.form.game.name == "logistic"
    assert "difficulty " in scenario.calibration.words
    assert result.verdict.rows[0].interval == "by estimate"
    low, high = scenario.form.dial.floor, scenario.form.dial.ceiling
    assert low < result.attempts(["difficulty"])["difficulty"].mean() < high


def test_rules_of_another_game_are_said_not_to_be_yours(plays, tmp_path, capsys):
    """Wins that go against the dial: no player of these rules does so."""
    frame = pd.read_csv(plays)
    frame = frame[frame["player"].isin(frame["player"].unique()[:60])]
    knob = next(name for name in map(str, frame) if name.startswith("param_"))
    frame["won"] = (np.random.default_rng(2).random(len(frame)) < frame[knob].rank(pct=True)).astype(int)
    frame.drop(columns="quit").to_csv(tmp_path / "other.csv", index=False)
    assert main(["calibrate", str(tmp_path / "other.csv"), "--game", "logistic", "--out", str(tmp_path / "out")]) == 0
    assert "These rules are not your game" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.drop(columns=[c for c in f if c.startswith("param_")]), "needs the settings of each attempt"),
        (lambda f: f.assign(param_sped=1.0), "must be a knob of logistic"),
        (lambda f: f.assign(**{next(c for c in f if c.startswith("param_")): 1e9}), "rows cannot be read"),
    ],
)
def test_settings_that_the_game_does_not_know_are_refused(plays, tmp_path, change, says):
    change(pd.read_csv(plays)).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(ScenarioError, match=says):
        calibrate(tmp_path / "bad.csv", game="logistic", out=tmp_path / "out", threads=1)


def test_an_unknown_game_is_refused(plays, tmp_path, capsys):
    assert main(["calibrate", str(plays), "--game", "gap_runer", "--out", str(tmp_path / "out")]) == 2
    assert "gap_runner" in capsys.readouterr().err


def test_settings_on_the_dial_are_found_there():
    places = np.random.default_rng(1).random(300)
    found = settings_of(GAME, NAMES, settings_at(places))
    assert not found.listed
    assert found.moving == GAME.space.names
    assert np.abs(found.dial - places).max() < 1e-6


def test_knobs_that_rise_in_another_way_have_a_dial_of_their_own():
    places = np.linspace(0.0, 1.0, 200)
    values = settings_at(np.zeros(200))
    for name, bend in (("speed", 1.0), ("sight_m", 2.0)):
        j = GAME.space.names.index(name)
        values[:, j] = [GAME.space.real([p**bend] * len(GAME.space))[j] for p in places]
    found = settings_of(GAME, NAMES, values)
    assert not found.listed
    assert set(found.moving) == {"speed", "sight_m"}
    assert len(found.path) > 2
    assert (np.diff(found.dial) > 0.0).all()


def test_settings_on_no_dial_are_a_list_or_too_many():
    draw = np.random.default_rng(3)
    mixed = np.array([GAME.space.real(draw.random(len(GAME.space)).tolist()) for _ in range(MOST_SETTINGS + 1)])
    few = settings_of(GAME, NAMES, mixed[[0, 1, 2, 1, 0]])
    assert few.listed
    assert len(few.path) == 3
    assert few.dial[0] == few.dial[4]
    with pytest.raises(ScenarioError, match="must lie on one dial"):
        settings_of(GAME, NAMES, mixed)
