"""flowdial calibrate as a user meets it: a file in, a folder out, a scenario whose label says what it was fitted to."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.scenario import parse
from sims.calibration.calibration import calibrate
from sims.calibration.checks.prediction_score import Score
from sims.calibration.checks.rivals import Rivals
from sims.calibration.error_gate import error_gate
from sims.calibration.level_totals import ASSUMED_SD
from sims.catalog import Catalog, load_scenario
from sims.cli.app import main
from sims.runs.execution import run
from sims.wording import UNCALIBRATED
from tests.kit.plays import Truth, planted

TRUTH = Truth(levels=8, seed=11, quit_frailty=-3.5)
P = planted(400, TRUTH, most=40)
SECRET = 7_340_000_000  # ids begin here: no output may have them


def frame():
    return pd.DataFrame(
        {
            "user": [f"u{SECRET + 7919 * player}" for player in P.player],
            "stage": P.level + 1,
            "attempt": P.order,
            "session": P.session,
            "churned": P.quit,
            "result": pd.Series(P.won).map({1: "won", 0: "lost"}),
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("calibrate")
    frame().to_csv(place / "plays.csv", index=False)
    return place


@pytest.fixture(scope="module")
def found(home):
    return calibrate(home / "plays.csv", out=home / "out", threads=2)


def test_the_answer_is_one_line_with_two_rivals(found):
    assert found.headline.startswith(
        f"8 levels, 400 players, {len(P.player):,} attempts. Win rates of players we had not"
    )
    tried = found.findings.checks.unseen_players
    assert tried is not None
    assert tried.rates == 40
    assert tried.model.error < tried.one_rate.error
    assert tried.model.log_loss < tried.trivial.log_loss < tried.one_rate.log_loss
    assert found.headline.endswith(
        f"off by {tried.model.error:.3f} on average (level means {tried.trivial.error:.3f}, one rate for all "
        f"{tried.one_rate.error:.3f}).".replace("0.", ".")
    )


def test_the_planted_players_are_found(found):
    estimates = found.to_json()["estimates"]
    planted_numbers = {
        "skill_sd": TRUTH.skill_sd, "learning": TRUTH.learning, "fatigue": TRUTH.fatigue, "quit_sd": TRUTH.quit_sd,
        "quit_frailty": TRUTH.quit_frailty, "quit_streak": TRUTH.quit_streak, "quit_won": TRUTH.quit_won,
        "correlation": TRUTH.rho,
    }  # fmt: skip
    for name, truth in planted_numbers.items():
        width = (estimates[name]["high"] - estimates[name]["low"]) / 3.92  # four standard errors, nearly symmetric
        assert abs(estimates[name]["value"] - truth) < 4.0 * width, name


def test_the_folder_has_what_it_should_and_no_id_of_a_player(found):
    assert sorted(path.name for path in found.folder.iterdir()) == ["calibration.json", "report.html", "scenario.toml"]
    for path in found.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for player in set(P.player.tolist()):
            assert str(SECRET + 7919 * player) not in text
    levels = json.loads((found.folder / "calibration.json").read_text(encoding="utf-8"))["levels"]
    assert min(level["players"] for level in levels) >= 10


def test_the_scenario_runs_and_its_verdict_says_what_it_was_fitted_to(found, home):
    scenario = load_scenario(found.scenario_file, **{"players.count": 150})
    label = scenario.calibration
    tried = found.findings.checks.unseen_players
    assert tried is not None
    assert label.calibrated
    error = f"{round(tried.model.error, 4):.3f}".removeprefix("0")
    assert label.words.startswith(f"calibrated on plays.csv: unseen players off by {error} (")
    assert label.words.endswith("), levels 1-8")
    result = run(scenario, out=home / "run", workers=1)
    assert result.verdict.sentences[-1] == f"These players are simulated and {label.words}."
    assert result.verdict.to_json()["calibrated"] is True
    assert result.manifest["calibration"] == {"state": "calibrated", "words": label.words}
    page = result.report_file.read_text(encoding="utf-8")
    assert "calibrated on plays.csv" in page
    assert UNCALIBRATED not in page


def test_the_fitted_players_win_and_quit_as_those_of_the_file(found, home):
    """Rates of 3,000 players against the file's 400, by level and over all: four standard errors of both."""
    result = run(load_scenario(found.scenario_file, **{"players.count": 3000}), out=home / "many", workers=2)
    seen = pd.DataFrame({"player": P.player, "level": P.level + 1, "won": P.won})
    for row in result.verdict.level_rows:
        own = seen[seen.level == row.level]
        error = (0.25 / len(own.player.unique()) + ((row.win_rate_high - row.win_rate_low) / 3.92) ** 2) ** 0.5
        assert abs(own.won.mean() - row.win_rate) < 4.0 * error, row.level
    quits = P.quit.sum() / 400
    assert abs(result.verdict.rows[0].quit_share - quits) < 4.0 * (quits * (1 - quits) * (1 / 400 + 1 / 3000)) ** 0.5


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"players.flow.quit_streak": 0.9}, "changed", "calibrated on plays.csv, then changed: flow"),
        ({"cohort.players.traits.learning": 1.0}, "changed", "calibrated on plays.csv, then changed: traits"),
        (
            {"controller.options.difficulty": 0.4},
            "outside",
            "calibrated on plays.csv, outside its range: difficulty 0.4, not 0.5",
        ),
        ({"seed": 7, "players.count": 50, "title": "Mine"}, "calibrated", None),
    ],
)
def test_a_change_of_what_was_fitted_is_said(found, change, state, words):
    label = load_scenario(found.scenario_file, **change).calibration
    assert label.state == state
    assert words is None or label.words == words


def test_the_label_is_part_of_the_digest(found):
    text = found.scenario_file.read_text(encoding="utf-8")
    other = text.replace('source = "plays.csv"', 'source = "other.csv"')
    catalog = Catalog()
    one, two = (parse(each.encode(), "a.toml", catalog) for each in (text, other))
    assert one.digest != two.digest
    assert one.resolved_toml() == text


def test_the_same_plays_give_the_same_bytes(found, home):
    mixed = frame().sample(frac=1.0, random_state=3)
    mixed["user"] = [f"someone-{hash_of(name)}" for name in mixed["user"]]
    folder = home / "again"
    folder.mkdir()
    mixed.to_csv(folder / "plays.csv", index=False, sep=";")
    assert (
        main(["calibrate", str(folder / "plays.csv"), "--out", str(folder / "out"), "--threads", "7", "--quiet"]) == 0
    )
    for name in ("calibration.json", "scenario.toml", "report.html"):
        assert (folder / "out" / name).read_bytes() == (found.folder / name).read_bytes(), name


def hash_of(name):
    return int(name[1:]) * 31 % 1_000_003


def test_the_command_prints_the_answer_the_columns_and_the_gate(home, capsys):
    assert main(["calibrate", str(home / "plays.csv"), "--out", str(home / "cli"), "--gate", "0.5"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("8 levels, 400 players")
    assert "columns: user is who played, stage is what was played, result is whether the attempt was won" in text
    assert "Gate: met; unseen players are off by" in text
    assert f"scenario  {home / 'cli' / 'scenario.toml'}" in text
    assert main(["calibrate", str(home / "plays.csv"), "--out", str(home / "cli")]) == 4
    assert main(["calibrate", str(home / "plays.csv"), "--columns", "level=nothing"]) == 2


def test_json_has_the_content_of_the_file(home, capsys):
    assert main(["calibrate", str(home / "plays.csv"), "--out", str(home / "json"), "--json", "--gate", "0.001"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content.pop("gate")["state"] == "missed"
    assert Path(content.pop("folder")) == home / "json"
    assert content == json.loads((home / "json" / "calibration.json").read_text(encoding="utf-8"))


def test_totals_give_difficulties_only_and_say_so(tmp_path):
    rows = frame().assign(won=P.won).groupby("stage").agg(attempts=("won", "size"), wins=("won", "sum")).reset_index()
    rows.to_csv(tmp_path / "totals.csv", index=False)
    found = calibrate(tmp_path / "totals.csv", out=tmp_path / "out")
    assert found.headline == (
        f"8 levels, {len(P.player):,} attempts. Only the difficulty of levels was fitted, since the file does not say "
        "who played."
    )
    label = found.scenario.calibration
    assert label == ("calibrated", "calibrated on totals.csv: levels 1-8, difficulties only")
    content = found.to_json()
    assert (content["players"], content["fitted"], content["estimates"]) == (None, ["difficulty"], {})
    weights = np.exp(-0.5 * np.linspace(-8, 8, 2001) ** 2)
    for level in content["levels"]:
        chances = 1.0 / (1.0 + np.exp(level["difficulty"] - ASSUMED_SD * np.linspace(-8, 8, 2001)))
        assert (weights * chances).sum() / weights.sum() == pytest.approx(level["win_rate"], abs=0.01)
        assert level["low"] < level["difficulty"] < level["high"]
    assert found.gate(0.05).exit_code == 2
    assert "Players differ" not in found.report_file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("limit", "state", "code"), [(0.03, "met", 0), (0.02, "cannot tell", 2), (0.005, "missed", 1)])
def test_the_gate_is_sure_or_says_that_it_is_not(limit, state, code):
    score = Score(0.02, 0.01, 0.03, 0.5, 0.01)
    gate = error_gate(Rivals(score, score, score, 0.01, 5, 40), limit)
    assert (gate.state, gate.exit_code) == (state, code)
    assert error_gate(None, limit).exit_code == 2


def test_a_level_that_everybody_won_and_a_file_of_one_level_have_an_answer(home, tmp_path):
    data = frame()
    won = data.assign(result=data["result"].where(data["stage"] != 3, "won"))
    won.to_csv(tmp_path / "won.csv", index=False)
    levels = calibrate(tmp_path / "won.csv", out=tmp_path / "won").to_json()["levels"]
    assert levels[2]["win_rate"] == 1.0
    assert min(level["difficulty"] for level in levels) == levels[2]["difficulty"] > -8.0
    assert levels[2]["high"] - levels[2]["low"] > 2.0 * (levels[3]["high"] - levels[3]["low"])
    data[data["stage"] == 1].to_csv(tmp_path / "one.csv", index=False)
    found = calibrate(tmp_path / "one.csv", out=tmp_path / "one")
    assert found.headline.startswith("1 level, 400 players")
    assert found.scenario.calibration.words.endswith(", one level")


def test_a_nasty_name_of_a_file_does_no_harm(tmp_path):
    path = tmp_path / f"<b>\u202e\n=1+1{'x' * 150}.csv"
    frame().to_csv(path, index=False)
    found = calibrate(path, out=tmp_path / "out")
    assert load_scenario(found.scenario_file).calibration.calibrated
    text = found.report_file.read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "\u202e" not in text


def test_standard_input_is_a_file_too(found, tmp_path, monkeypatch):
    data = frame().to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    piped = calibrate("-", out=tmp_path / "out")
    assert piped.findings.table.source == "standard input"
    assert piped.findings.estimates == found.findings.estimates
    assert piped.scenario.calibration.words.startswith("calibrated on standard input: unseen players off by")
