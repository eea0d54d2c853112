"""The loop: players of a scenario are run, exported as telemetry, fitted, and found again."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sims.calibration.calibration import calibrate
from sims.catalog import load_scenario
from sims.cli.app import main
from sims.runs.execution import run
from sims.runs.export import export

LEVELS = [-1.5, -1.0, -0.6, -0.9, -0.2, 0.1, -0.3, 0.4]
SCENARIO = f"""
format = 1
seed = 77
[game]
name = "ladder"
params = {{ guess = 0.0 }}
[dial]
knobs = ["help"]
floor = 0.0
ceiling = 1.0
[levels]
kind = "campaign"
count = {len(LEVELS)}
params = {{ level_difficulty = {LEVELS} }}
[target]
win_rate = 0.7
tolerance = 0.1
[controller]
name = "constant"
options = {{ difficulty = 0.5 }}
[players]
count = 1500
[players.flow]
quit_streak = 0.4
quit_won = 0.2
quit_frustration = 0.0
end_base = -1.5
end_place = 0.1
end_won = 0.0
[[cohort]]
name = "players"
share = 1.0
[cohort.traits]
skill = {{ kind = "normal", mean = 0.0, sd = 1.1 }}
learning = 0.3
fatigue = 0.1
lapse = 0.0
quit_frailty = {{ kind = "normal", mean = -3.5, sd = 1.0 }}
session_frailty = {{ kind = "normal", mean = 0.0, sd = 0.7 }}
[cohort.correlation]
skill = {{ quit_frailty = -0.5 }}
[horizon]
days = 400
attempts_per_player = 60
"""
TRUTH = {
    "learning": 0.3, "fatigue": 0.1, "skill_sd": 1.1, "quit_frailty": -3.5, "quit_streak": 0.4, "quit_won": 0.2,
    "quit_sd": 1.0, "correlation": -0.5, "end_base": -1.5, "end_place": 0.1, "end_won": 0.0, "session_sd": 0.7,
    "pause_s": 6.0, "pause_log_sd": 0.5, "same_day_share": 0.5, "same_day_s": 10_800.0, "daily_share": 0.35,
    "daily_sd_s": 7_200.0, "later_s": 259_200.0, "return_log_sd": 0.8,
}  # fmt: skip


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory):
    home = tmp_path_factory.mktemp("loop")
    (home / "world.toml").write_text(SCENARIO, encoding="utf-8")
    result = run(load_scenario(home / "world.toml"), out=home / "run", workers=2)
    assert main(["export", str(result.folder), "--to", "telemetry", "--out", str(home / "telemetry.csv")]) == 0
    return home / "telemetry.csv", result


def test_telemetry_has_what_a_game_could_log_and_nothing_else(telemetry):
    path, result = telemetry
    frame = pd.read_csv(path)
    assert list(frame) == ["player", "cohort", "level", "attempt", "session", "time", "duration_s", "won", "quit"]
    assert len(frame) == len(result.attempts(["won"]))
    assert frame.won.sum() == result.attempts(["won"]).won.sum()
    assert frame.quit.sum() == (result.players(["left"])["left"].astype(str) == "quit").sum()
    assert (frame[frame.quit == 1].groupby("player").size() == 1).all()


def test_the_players_of_the_run_are_found_again(telemetry, tmp_path):
    found = calibrate(telemetry[0], out=tmp_path / "out", threads=2)
    estimates = found.findings.estimates
    assert estimates.keys() == TRUTH.keys()
    for name, (value, low, high) in estimates.items():
        assert abs(value - TRUTH[name]) <= 4.0 * (high - low) / 3.92, name
    errors = np.sqrt(np.diag(found.findings.fit.covariance)[: len(LEVELS)])
    assert np.abs((found.findings.fit.difficulty - np.array(LEVELS)) / errors).max() < 4.0
    table = found.scenario.form.levels.model_dump()["params"]["level_difficulty"]
    assert table == pytest.approx(found.findings.fit.difficulty.tolist(), abs=6e-5)


def test_the_second_run_wins_and_quits_as_the_first(telemetry, tmp_path):
    found = calibrate(telemetry[0], out=tmp_path / "out", threads=2)
    again = run(load_scenario(found.scenario_file, seed=78), out=tmp_path / "again", workers=2)
    first, second = telemetry[1].verdict, again.verdict
    for one, two in zip(first.level_rows, second.level_rows, strict=True):
        width = math.hypot(one.win_rate_high - one.win_rate_low, two.win_rate_high - two.win_rate_low) / 3.92
        assert abs(one.win_rate - two.win_rate) < 4.0 * math.sqrt(2.0) * width, one.level
    one, two = first.rows[0], second.rows[0]
    width = math.hypot(one.quit_share_high - one.quit_share_low, two.quit_share_high - two.quit_share_low) / 3.92
    assert abs(one.quit_share - two.quit_share) < 4.0 * math.sqrt(2.0) * width


def test_times_alone_tell_who_quit(telemetry, tmp_path):
    """Without the columns of attempts, sessions and quits; who finished the campaign has not quit."""
    frame = pd.read_csv(telemetry[0])[["player", "level", "won", "time"]]
    frame.to_csv(tmp_path / "times.csv", index=False)
    found = calibrate(tmp_path / "times.csv", out=tmp_path / "out", threads=2)
    for name in ("skill_sd", "quit_frailty", "quit_streak", "quit_won", "quit_sd", "correlation"):
        value, low, high = found.findings.estimates[name]
        assert abs(value - TRUTH[name]) <= 4.0 * (high - low) / 3.92, name


def test_rows_of_a_run_can_be_read_as_they_are(telemetry, tmp_path):
    """attempts.csv has no column that says who quit, so quitting keeps its default, and that is said."""
    found = calibrate(telemetry[1].rows_file, out=tmp_path / "out", threads=2)
    assert not found.findings.fit.joint
    assert "Not in the file, so assumed: who quit, so quitting is as by default." in found.sentences
    assert abs(found.findings.fit.effect("learning") - 0.3) < 0.3


def loops_held(count, home):
    """Share of so many loops in which each interval holds, and that of all levels together."""
    (home / "world.toml").write_text(SCENARIO, encoding="utf-8")
    hits, level_hits = [], []
    for k in range(count):
        world = load_scenario(home / "world.toml", **{"seed": 5_000 + k, "players.count": 1_000})
        result = run(world, out=home / f"run-{k}", workers=1)
        found = calibrate(export(result.folder, "telemetry", home / f"{k}.csv"), out=home / f"out-{k}", threads=1)
        intervals = [found.findings.estimates[name][1:] for name in TRUTH]
        hits.append([low <= true <= high for (low, high), true in zip(intervals, TRUTH.values(), strict=True)])
        ends = map(found.findings.fit.interval, range(len(LEVELS)))
        level_hits.append([low <= true <= high for (low, high), true in zip(ends, LEVELS, strict=True)])
    return np.mean(hits, axis=0), float(np.mean(level_hits))


@pytest.mark.slow
def test_intervals_of_fifty_loops_hold_as_the_docs_tell(tmp_path):
    held, of_levels = loops_held(50, tmp_path)
    assert held.min() >= 0.9, dict(zip(TRUTH, held, strict=True))
    assert of_levels >= 0.9
