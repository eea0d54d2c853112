"""What the wall says of player groups against what `run` says after the same attempts, and the folder it leaves."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from engine.tally import Tally, scheme_of, tally_of
from engine.world import chunks, simulate
from sims.catalog import Catalog
from sims.runs import execution as runs
from sims.runs.tables import goal_for
from sims.runs.verification import verify
from sims.verdict.verdict import verdict
from sims.window.watching.live_verdict import FIRST, word_of
from sims.window.watching.watch_scene import FASTEST, WatchScene
from sims.window.watching.watched_run import write_watched_run
from tests.kit.small import scenario
from tests.kit.window import frames

TABLES = ("attempts.csv", "players.csv", "sessions.csv", "summary.csv")


def scene_of(controller="kalman", *, game="logistic", **choices):
    return WatchScene(scenario(game, controller, players=60, attempts=40, **choices), Catalog(), speed=FASTEST)


def judged_by_run(scene):
    """The verdict of `run` on those of its attempts that were watched."""
    setup = scene.setup
    watched = scene.world.rows()
    keys = {(int(row["replica"]), int(row["player"]), int(row["attempt"])) for row in watched}
    scheme = scheme_of(setup, scene.scenario.after_attempts)
    found = Tally.empty(scheme)
    for chunk in chunks(setup):
        played = simulate(setup, chunk)
        same = [(int(row["replica"]), int(row["player"]), int(row["attempt"])) in keys for row in played.rows]
        found = found + tally_of(played.rows[np.array(same, bool)], played.players, scheme)
    return verdict(goal_for(scene.scenario, setup), found)


@pytest.mark.parametrize(  # of each player, and shared by a group
    "controller", ["kalman", pytest.param("cma_es", marks=pytest.mark.thorough)]
)
def test_words_are_those_of_a_run_after_the_same_attempts(controller):
    scene = scene_of(controller)
    scene.play_ahead(600)
    scene.take_ahead()
    assert scene.live_verdict.verdict is not None, "before the first frame"
    for _ in range(3):
        frames(scene, 4)
        mine, theirs = scene.live_verdict.judge_now(), judged_by_run(scene)
        for row, other in zip(mine.rows, theirs.rows, strict=True):
            assert (row.attempts, row.wins, row.state) == (other.attempts, other.wins, other.state)
            assert (row.win_rate_low, row.win_rate_high) == (other.win_rate_low, other.win_rate_high)
        assert scene.live_verdict.words() == [word_of(row) for row in theirs.rows]


def test_a_word_says_no_more_than_the_state():
    row = scene_of().live_verdict.judge_now().rows[0]
    told = {
        "in band": ("on target", "on target"),
        "cannot tell": ("not sure", "not sure yet"),
        "below": ("too hard", "4 points too hard"),
        "above": ("too easy", "1 point too easy"),
        "off": ("off", "off target on some levels"),
    }
    for state, expected in told.items():
        rate = {"below": 0.66, "above": 0.704}.get(state, 0.7)
        found = dataclasses.replace(row, state=state, win_rate=rate, wanted=0.7, target_low=0.67, target_high=0.73)
        assert word_of(found) == expected


def test_after_a_switch_only_later_attempts_are_judged():
    scene = scene_of()
    scene.play_ahead(600)
    scene.take_ahead()
    frames(scene, 2)
    scene.switch(scene._kinds[0])
    assert scene.live_verdict.verdict is None
    before = scene.world.played
    frames(scene, 20)
    assert scene.world.played - before > FIRST
    scheme = scene.live_verdict._scheme
    found = scene.live_verdict.tally()
    switched = sum(decision.controller == 1 for decision in scene.world.decided.values())
    assert sum(found.total(cohort, "attempts") for cohort in range(scheme.cohorts)) == switched


@pytest.mark.parametrize("ahead", [pytest.param(0, marks=pytest.mark.thorough), 700])
def test_a_scenario_that_is_watched_to_its_end_leaves_the_tables_of_its_run(tmp_path, ahead):
    scene = scene_of()
    scene.play_ahead(ahead)
    scene.take_ahead()
    for _ in range(10_000):
        if scene.done or scene.over:
            break
        frames(scene, 1)
    assert scene.over
    assert scene.shows_verdict, "a card at the end"
    run = runs.run(scene.scenario, out=tmp_path / "run", workers=1)
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "scenario.toml").write_bytes((tmp_path / "run" / "scenario.toml").read_bytes())
    write_watched_run(folder, scene.scenario, scene.world, [], 1.0)
    for name in TABLES:
        assert (folder / name).read_bytes() == (tmp_path / "run" / name).read_bytes(), name
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["watched"] == {"whole": True, "switches": []}
    assert manifest["tallies"] == run.manifest["tallies"]
    assert scene.live_verdict.judge_now().rows == run.verdict.rows


@pytest.mark.parametrize("switch", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_what_was_watched_in_part_is_a_sound_folder(tmp_path, switch):
    scene = scene_of()
    scene.play_ahead(300)
    scene.take_ahead()
    frames(scene, 2)
    if switch:
        scene.switch(scene._kinds[0])
        frames(scene, 3)
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "scenario.toml").write_text(scene.scenario.resolved_toml(), encoding="utf-8")
    write_watched_run(folder, scene.scenario, scene.world, [{"attempts": 1, "controller": "x"}] * switch, 1.0)
    found = verify(folder, rows=None)
    assert (found.faulty, found.changed, found.notes) == (0, 0, ())
    assert found.replayed == scene.world.played
    assert (folder / "report.html").stat().st_size > 10_000
