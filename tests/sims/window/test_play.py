"""A person at the keys: their attempts are rows, on disk at once, and replay; their skill is estimated."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from engine.attempt import attempt_of
from engine.errors import EnvironmentFault, RunFolderError, ScenarioError
from engine.game import LOST, PERFECT, WON, Faculties
from engine.kernel import compiled
from engine.scenario import parse, setup_of
from sims.catalog import Catalog
from sims.cli.app import main
from sims.playback.human_actions import HUMAN_ACTIONS
from sims.playback.row_choice import choose_row
from sims.reports.report import write_report
from sims.run_folder.folder import read_manifest
from sims.runs.verification import verify
from sims.window.canvas import HEIGHT, Canvas
from sims.window.playing import play as play_module
from sims.window.playing.demonstration import Demonstration, demonstrate
from sims.window.playing.human_session import COHORT, PERSON, human_scenario
from sims.window.playing.play import play, play_scenario
from sims.window.playing.play_layout import START, TARGET, VIEW, choice_rows
from sims.window.playing.play_picture import paint_play
from sims.window.playing.play_scene import PlayScene
from sims.window.playing.skill_estimate import GRID, estimate_skill, population_skills, win_curve
from sims.window.playing.skill_worker import SkillWorker
from sims.window.recording_folder import begin_recording, discard
from sims.window.replay import ReplayScene
from sims.window.screen import FRAME_S, Event, Window
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario
from tests.kit.window import GAMES, frames, installed, press, rows_of, until

pytestmark = pytest.mark.thorough

ALL_FILES = {
    "attempts.csv",
    "datapackage.json",
    "human_actions.jsonl",
    "manifest.json",
    "players.csv",
    "report.html",
    "scenario.toml",
    "sessions.csv",
    "summary.csv",
}


def scene_of(tmp_path, game="gap_runner", controller="kalman", **choices):
    found = scenario(installed(game), controller)
    return PlayScene(found, Catalog(), begin_recording(tmp_path / "sitting", "sitting", found), **choices)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch, request):
    """Only tests of the estimate start its process, which takes seconds."""
    if "worker" not in request.fixturenames:
        monkeypatch.setattr(SkillWorker, "tell", lambda worker, values, won: None)


@pytest.fixture
def worker():
    """For tests that need the process."""


@pytest.fixture
def scene(tmp_path):
    scene = scene_of(tmp_path)
    yield scene
    scene.close()


def start(scene):
    press(scene, "return")
    begin(scene)


def begin(scene):
    """Wait for the thread that loads libraries, then for the first attempt."""
    scene.advance(FRAME_S)
    scene._opening.result()
    until(scene, lambda: scene.stage == "playing", most=10)


def finish(scene):
    """Let an attempt end by itself, and go on."""
    done = len(scene.outcomes)
    until(scene, lambda: len(scene.outcomes) > done)
    until(scene, lambda: scene.stage == "card")


def test_controller_and_target_are_chosen_on_the_start_screen(scene):
    first = scene.kind.name
    press(scene, "down")
    assert scene.kind.name != first
    press(scene, "up", "left", "left", "right")
    assert scene.kind.name == first
    assert scene.target == pytest.approx(0.55)
    start(scene)
    assert scene.current.who.situation.target == pytest.approx(0.55)


def test_each_attempt_is_on_disk_before_the_next_begins(scene, tmp_path):
    start(scene)
    path = tmp_path / "sitting" / "attempts.csv"
    for done in (1, 2):
        finish(scene)
        rows = rows_of(path)
        assert len(rows) == done
        assert len((tmp_path / "sitting" / HUMAN_ACTIONS).read_text().splitlines()) == done
        assert rows[-1]["source"] == "human"
        assert rows[-1]["cohort"] == COHORT
        assert rows[-1]["skill"] == ""
        assert rows[-1]["outcome"] == "lost"
        assert rows[-1]["cause"] in scene.game.causes
        assert rows[-1]["streak"] == str(done - 1)
        frames(scene, 30)
        press(scene, "space")
        assert scene.stage == "playing"
    assert rows[1]["start_s"] == rows[0]["duration_s"]
    assert float(rows[1]["difficulty"]) < float(rows[0]["difficulty"]), "the controller answers a loss"


def test_a_persons_attempts_replay_to_their_hash(scene, tmp_path):
    start(scene)
    keys = [("down", 20), ("space", 1), ("up", 12), ("down", 2)]
    for n in range(3):
        while scene.stage == "playing":
            key, held = keys[(scene.current.stepper.tick // 40 + n) % 4]
            scene.handle(Event("press", key))
            frames(scene, held)
            scene.handle(Event("release", key))
            frames(scene, 9)
        until(scene, lambda: scene.stage == "card")
        frames(scene, 30)
        press(scene, "return")
    used = set()
    for number in range(3):
        row = choose_row(tmp_path / "sitting", row=number)
        for speed in (1.0, 5.0, 32.0):
            replayed = ReplayScene(row, speed=speed)
            while not replayed.at_end:
                replayed.advance(FRAME_S)
            assert replayed.check is not None
            assert replayed.check.equal
        assert row.human_actions is not None
        used |= {human_action.action for human_action in row.human_actions}
    assert used == {0, 1, 2}


def test_a_tap_between_two_ticks_is_not_lost(scene):
    start(scene)
    scene.handle(Event("press", "space"))
    scene.handle(Event("release", "space"))
    frames(scene, 2)
    assert [human_action.action for human_action in scene._human_actions] == [1, 0]


def test_pause_stops_the_game_and_nothing_is_pressed_after_it(scene):
    start(scene)
    scene.handle(Event("press", "down"))
    frames(scene, 5)
    press(scene, "p")
    frames(scene, 100)
    assert scene.current.stepper.tick == 5
    press(scene, "p")
    frames(scene, 100)
    assert scene.current.stepper.tick == 5, "three, two, one"
    frames(scene, 10)
    assert scene.current.stepper.tick > 5
    assert scene._human_actions[-1].action == 0


def test_a_window_that_nobody_looks_at_waits(scene):
    start(scene)
    frames(scene, 5)
    scene.handle(Event("hide"))
    frames(scene, 400)
    assert scene.current.stepper.tick == 5, "no heart is lost"
    press(scene, "return")
    frames(scene, 120)
    assert scene.current.stepper.tick > 5


def test_one_escape_loses_nothing_and_the_menu_leads_out(scene, tmp_path):
    start(scene)
    frames(scene, 5)
    press(scene, "escape")
    assert not scene.done
    press(scene, "escape")
    frames(scene, 120)
    assert scene.current.stepper.tick > 5, "the second Escape goes on"
    press(scene, "escape", "down", "return")
    assert scene.current.number == 1, "restarted"
    press(scene, "escape")
    assert scene.menu is not None
    choice, box = scene.menu.rows()[-1]
    assert choice == "save and end"
    scene.handle(Event("move", "", box.x + 5, box.y + 5))
    assert scene.menu.at == 2
    assert not scene.done
    scene.handle(Event("click", "left", box.x + 5, box.y + 5))
    assert scene.done


def test_the_card_has_a_menu_without_the_level_that_is_over(scene):
    start(scene)
    finish(scene)
    press(scene, "escape")
    assert [choice for choice, _ in scene.menu.rows()] == ["go on", "save and end"]
    press(scene, "r", "return")
    assert scene.stage == "card"
    press(scene, "escape", "up", "return")
    assert scene.done


def test_restart_begins_the_same_level_again_as_another_attempt(scene, tmp_path):
    start(scene)
    finish(scene)
    frames(scene, 30)
    press(scene, "return")
    first = scene.current.stepper
    frames(scene, 40)
    believed = scene._session._desk.believed(scene.current.who)
    press(scene, "r")
    assert scene._session._desk.believed(scene.current.who) == believed, "the controller learnt nothing"
    assert scene.stage == "playing", "no card in between"
    again = scene.current.stepper
    assert again.tick == 0
    assert again.address == first.address._replace(attempt=2)
    assert tuple(again.values) == tuple(first.values)
    assert again.level == first.level
    finish(scene)
    rows = rows_of(tmp_path / "sitting" / "attempts.csv")
    assert [row["attempt"] for row in rows] == ["0", "1", "2"], "no address is used twice"
    assert [row["outcome"] for row in rows] == ["lost", "timed_out", "lost"]
    assert [row["level"] for row in rows] == ["1", "2", "2"]
    assert rows[1]["ticks"] == "40"
    assert rows[1]["difficulty"] == rows[2]["difficulty"]
    assert float(rows[2]["start_s"]) == float(rows[1]["start_s"]) + float(rows[1]["duration_s"])
    assert [rows[2][name] for name in ("streak", "mood")] == [rows[1][name] for name in ("streak", "mood")]
    assert scene.current.stepper.address.level == 3, "then comes another level"
    assert scene.last.beliefs == believed != scene.current.beliefs
    assert (scene.outcomes, scene.given_up) == ([LOST, LOST], 1)
    for number in range(3):
        assert ReplayScene(choose_row(tmp_path / "sitting", row=number)).finish().equal


def test_giving_up_cannot_hide_a_loss(tmp_path):
    """A try that was really under way counts as not won, for the tables, the screen and the controller."""
    scene = scene_of(tmp_path)
    start(scene)
    difficulties = [scene.current.setting.difficulty]
    for _ in range(4):
        level = scene.current.stepper.address.level
        until(scene, lambda: scene.current.stepper.tick >= 180)
        press(scene, "r")
        assert scene.counted
        assert scene.current.stepper.address.level == level, "the level begins anew"
        difficulties.append(scene.current.setting.difficulty)
    assert difficulties == sorted(difficulties, reverse=True)
    assert difficulties[-1] < difficulties[0], "the controller answers"
    asked = [scene.current.who.situation.attempt, scene.current.number]
    assert asked == [4, 4], "each attempt was asked for"
    frames(scene, 170)
    press(scene, "r")
    assert not scene.counted, "a try of a moment teaches nobody"
    assert scene.current.setting.difficulty == difficulties[-1]
    assert (scene.wins, scene.attempts, scene.given_up) == (0, 5, 5)
    scene.close()
    scene.write_run()
    (summary,) = rows_of(tmp_path / "sitting" / "summary.csv")
    assert (summary["wins"], summary["attempts"]) == ("0", "5"), "the same numbers as on the screen"
    rows = rows_of(tmp_path / "sitting" / "attempts.csv")
    assert [row["streak"] for row in rows] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(("turns", "counts"), [(2, False), (3, True)])
def test_in_a_game_of_turns_a_try_counts_from_its_third_turn(tmp_path, turns, counts):
    scene = scene_of(tmp_path, "boss_duel")
    start(scene)
    for _ in range(turns):
        scene._do(first_deed(scene))
    believed = scene._session._desk.believed(scene.current.who)
    press(scene, "r")
    assert scene.counted == counts
    assert (scene._session._desk.believed(scene.current.who) != believed) == counts
    scene.close()


@pytest.mark.parametrize("game", GAMES)
def test_everything_that_a_person_must_know_stands_below_the_game(tmp_path, monkeypatch, game):
    scene = scene_of(tmp_path, game)
    start(scene)
    said = []
    text = Canvas.text

    def noted(canvas, words, x, y, size, *more, **how):
        said.append((y, y + size, words))
        return text(canvas, words, x, y, size, *more, **how)

    monkeypatch.setattr(Canvas, "text", noted)
    with Window("test", hidden=True) as window:
        paint_play(scene, window.canvas)
    told = " ".join(words for _, _, words in said)
    assert " ".join(scene.game.how_to) in told
    below = [(top, bottom) for top, bottom, words in said if len(words) > 20 and words in " ".join(scene.game.how_to)]
    assert max(bottom for _, bottom in below) <= HEIGHT - 40, "above the keys"
    scene.close()


@pytest.mark.parametrize("game", ["tile_match", "boss_duel"])
def test_a_level_of_turns_begins_again_as_it_was_built(tmp_path, game):
    scene = scene_of(tmp_path, game)
    start(scene)
    first = scene.current.stepper
    scene._do(first_deed(scene))
    press(scene, "r")
    again = scene.current.stepper
    for was, is_ in zip(first.level, again.level, strict=True):
        assert np.array_equal(was, is_)
    scene.close()


def first_deed(scene):
    from sims.playback.stepper import HumanAction

    stepper = scene.current.stepper
    return HumanAction(int(scene.game.expert(stepper.params, stepper.level, stepper.state, PERFECT)), 1.0)


def test_restart_before_anything_was_done_makes_no_row(scene, tmp_path):
    start(scene)
    press(scene, "r", "r")
    assert rows_of(tmp_path / "sitting" / "attempts.csv") == []
    frames(scene, 5)
    press(scene, "p", "r")
    assert scene.menu is None
    assert scene.current.number == 1


def test_what_was_under_way_when_the_window_closed_is_saved_once(scene, tmp_path, capsys):
    start(scene)
    finish(scene)
    frames(scene, 30)
    press(scene, "return")
    frames(scene, 25)
    scene.handle(Event("close"))
    assert scene.done
    scene.close()
    scene.close()
    rows = rows_of(tmp_path / "sitting" / "attempts.csv")
    assert [(row["outcome"], row["ticks"]) for row in rows] == [("lost", rows[0]["ticks"]), ("timed_out", "25")]
    result = verify(tmp_path / "sitting")
    assert result.equal, "without a manifest, as after a crash"
    assert "2 of 2 replayed rows are equal" in result.sentences[-1]


def test_a_sitting_that_ended_is_a_run_folder(scene, tmp_path, capsys):
    folder = tmp_path / "sitting"
    press(scene, "down", "up", "left")
    start(scene)
    finish(scene)
    frames(scene, 30)
    press(scene, "return")
    frames(scene, 25)
    scene.close()
    before = (folder / "attempts.csv").read_bytes()
    scene.write_run()
    assert {path.name for path in folder.iterdir()} == ALL_FILES
    assert (folder / "attempts.csv").read_bytes() == before
    manifest = read_manifest(folder)
    assert manifest["source"] == "human"
    assert (manifest["rows"], manifest["cohorts"]) == (2, ["human"])
    assert manifest["targets"] == {"human": [0.5, 0.6]}
    assert HUMAN_ACTIONS in manifest["files"]
    (player,) = rows_of(folder / "players.csv")
    assert (player["player"], player["attempts"], player["wins"]) == (str(PERSON), "2", "0")
    assert player["trait_skill"] == "", "nobody knows"
    (session,) = rows_of(folder / "sessions.csv")
    assert (session["attempts"], session["ended_by"], session["end_s"]) == ("2", "session_end", player["end_s"])
    (summary,) = rows_of(folder / "summary.csv")
    assert (summary["attempts"], summary["wins"], summary["state"]) == ("2", "0", "cannot tell")
    page = (folder / "report.html").read_bytes()
    assert b"a person at the window" in page
    for claim in (b"players are synthetic", b"those of synthetic players", b"give the same rows"):
        assert claim not in page, "a person cannot be simulated"
    write_report(folder)
    assert (folder / "report.html").read_bytes() == page
    assert verify(folder).equal
    assert ReplayScene(choose_row(folder, row=1)).finish().equal
    found = parse((folder / "scenario.toml").read_bytes(), "scenario.toml", Catalog())
    assert (found.win_rates(0), found.form.controller.name) == ([0.55], "kalman")
    assert rows_of(folder / "attempts.csv")[0]["scenario"] == f"s{found.digest[:16]}"
    capsys.readouterr()
    (folder / HUMAN_ACTIONS).write_text("")
    assert f"{HUMAN_ACTIONS} has changed since the run" in verify(folder).sentences


def test_a_changed_table_of_a_sitting_is_told_without_simulating_anybody(scene, tmp_path, capsys):
    folder = tmp_path / "sitting"
    start(scene)
    finish(scene)
    scene.close()
    scene.write_run()
    text = (folder / "players.csv").read_text()
    (folder / "players.csv").write_text(text.replace(",horizon", ",quit"))
    sentences = verify(folder).sentences
    assert sentences[0] == "players.csv has changed since the run"
    assert "1 of 1 replayed rows are equal, and " in sentences[-1]


def test_a_sitting_in_which_nothing_was_done_leaves_nothing(tmp_path):
    scene = scene_of(tmp_path)
    start(scene)
    assert (tmp_path / "sitting" / "attempts.csv").exists()
    scene.close()
    scene.write_run()
    discard(tmp_path / "sitting")
    assert not (tmp_path / "sitting").exists()


def test_a_full_disk_ends_the_sitting_with_its_name(scene, tmp_path, monkeypatch):
    start(scene)
    frames(scene, 9)

    def full(file, data):
        raise OSError(28, "No space left on device", "attempts.csv")

    monkeypatch.setattr("sims.window.playing.human_session.append", full)
    with pytest.raises(EnvironmentFault, match="No space left on device; make room"):
        press(scene, "r")
    monkeypatch.undo()
    scene.close()
    discard(tmp_path / "sitting")
    assert not (tmp_path / "sitting").exists(), "what could not be written is not written a second time"


FULL = """
import resource, sys
from pathlib import Path
from sims.catalog import Catalog
from sims.playback.human_actions import HUMAN_ACTIONS
from sims.window.recording_folder import begin_recording
from sims.window.playing.play import PlayScene, play_scenario
from sims.window.screen import FRAME_S, Event
from sims.window.playing.skill_worker import SkillWorker
SkillWorker.tell = lambda worker, values, won: None
folder, name, room = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
found = play_scenario(Catalog(), "gap_runner", seed=3)
scene = PlayScene(found, Catalog(), begin_recording(folder, "x", found))
try:
    while True:
        if scene.stage in ("start", "card"):
            scene.handle(Event("press", "return"))
        scene.advance(FRAME_S)
        if len(scene.outcomes) == 1 and scene.stage == "playing" and scene.current.stepper.tick == 5:
            size = (folder / name).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, resource.RLIM_INFINITY))
except Exception as fault:
    print(type(fault).__name__, str(fault).endswith("make room and try again."))
scene.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such limit")
@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_disk_that_fills_up_tears_nothing_and_writes_nothing_twice(tmp_path, monkeypatch, capsys, room):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # whatever measures that process has files, too
    folder = tmp_path / "sitting"
    words = [sys.executable, "-c", FULL, str(folder), "attempts.csv", str(room)]
    done = subprocess.run(words, cwd=ROOT, check=False, timeout=120, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "EnvironmentFault True\n", "")
    assert [row["attempt"] for row in rows_of(folder / "attempts.csv")] == ["0"], "whole lines only"
    assert len((folder / HUMAN_ACTIONS).read_text().splitlines()) == 1, "no actions without their row"
    assert "1 of 1 replayed rows are equal" in verify(folder).sentences[-1]


def test_every_controller_can_be_played_against(tmp_path):
    catalog = Catalog()
    found = play_scenario(catalog, "gap_runner")
    for entry in catalog.controllers():
        kind = catalog.controller(entry.name)
        chosen = human_scenario(found, catalog, kind, 0.65)
        assert chosen.form.controller.name == entry.name
        assert chosen.win_rates(0) == [0.65]
        again = parse(chosen.resolved_toml().encode(), "scenario.toml", catalog, allow_long=True)
        assert again.digest == chosen.digest


def test_the_start_screen_takes_clicks(scene):
    wanted = next(number for number, kind in enumerate(scene.kinds) if kind.name == "weighted_up_down")
    scene.kind_at = wanted + 1
    row = dict(choice_rows(len(scene.kinds), scene.kind_at))[wanted]
    scene.handle(Event("click", "left", row.x + 9, row.y + 9))
    assert scene.kind.name == "weighted_up_down"
    scene.handle(Event("click", "left", TARGET.x + 0.42 * TARGET.width, TARGET.y + 9))
    assert scene.target == pytest.approx(0.4)
    scene.handle(Event("click", "left", 5, 5))
    assert scene.stage == "start", "a click beside everything starts nothing"
    scene.handle(Event("click", "left", START.x + 9, START.y + 9))
    begin(scene)
    assert scene.setup.kind.name == "weighted_up_down"


def test_however_many_controllers_there_are_the_chosen_one_is_in_sight():
    for kinds in range(1, 14):
        for chosen in range(kinds):
            assert chosen in dict(choice_rows(kinds, chosen))


def test_the_window_stays_awake_while_it_gets_ready(tmp_path, monkeypatch):
    ready = threading.Event()
    monkeypatch.setattr(PlayScene, "_rehearse", staticmethod(lambda setup: ready.wait(60)))
    scene = scene_of(tmp_path)
    press(scene, "return")
    shown = scene.demo.version
    frames(scene, 30)
    assert scene.stage == "opening"
    assert scene.demo.version > shown, "the picture moves on"
    press(scene, "escape")
    assert scene.done
    scene.close()
    discard(tmp_path / "sitting")
    assert not (tmp_path / "sitting").exists()
    assert not ready.is_set(), "nobody waited for it"
    ready.set()
    scene._opening.result()


def test_a_turn_that_is_wanted_too_early_is_done_when_it_can_be_seen(tmp_path):
    scene = scene_of(tmp_path, "boss_duel")
    start(scene)
    frames(scene, 60)
    press(scene, "s", "a")
    assert [human_action.action for human_action in scene._human_actions] == [2]
    frames(scene, 30)
    assert [human_action.action for human_action in scene._human_actions] == [2, 1]
    scene.close()


def test_the_same_seed_gives_the_person_the_same_levels(tmp_path):
    levels = []
    for name in ("a", "b"):
        scene = scene_of(tmp_path / name)
        start(scene)
        levels.append((scene.current.stepper.level, tuple(scene.current.stepper.values)))
        scene.close()
    assert levels[0] == levels[1]


def test_turns_wait_for_the_person(tmp_path):
    scene = scene_of(tmp_path, "boss_duel")
    start(scene)
    frames(scene, 300)
    assert scene.current.stepper.tick == 0
    press(scene, "s")
    assert scene.current.stepper.tick == 1
    assert scene._human_actions[0].thinking_s == pytest.approx(300 * FRAME_S, abs=0.02)
    while scene.stage == "playing":
        frames(scene, 25)
        press(scene, "a")
    row = choose_row(tmp_path / "sitting", row=0)
    assert ReplayScene(row).finish().equal
    scene.close()


def middle_of(scene, name):
    shape = next(shape for shape in scene.now if shape.kind == "rect" and shape.text == name)
    x = VIEW.x + (shape.x + shape.width / 2) * VIEW.width
    return x, VIEW.y + (1 - shape.y - shape.height / 2) * VIEW.height


def test_two_clicks_swap_two_tiles(tmp_path):
    scene = scene_of(tmp_path, "tile_match")
    start(scene)
    while scene.stage == "playing":
        frames(scene, 30)
        stepper = scene.current.stepper
        wanted = scene.game.expert(stepper.params, stepper.level, stepper.state, PERFECT)
        for name in scene.game.actions[wanted].split("-"):
            scene.handle(Event("click", "left", *middle_of(scene, name)))
        assert stepper.action == wanted
    assert scene.outcomes[0] in (WON, LOST)
    assert ReplayScene(choose_row(tmp_path / "sitting", row=0)).finish().equal
    scene.close()


def test_the_cursor_takes_a_tile_and_swaps_it_with_its_neighbour(tmp_path):
    game = Catalog().game_with_rules(installed("tile_match"))
    scene = scene_of(tmp_path, "tile_match")
    start(scene)
    frames(scene, 30)
    press(scene, "right")
    first = scene.cells.cursor
    press(scene, "return", "up")
    assert len(scene._human_actions) == 1
    assert game.actions[scene._human_actions[0].action] == f"{first}-{first[0]}{int(first[1]) + 1}"
    scene.close()


def test_the_estimate_finds_the_skill_of_a_synthetic_player():
    game = Catalog().game_with_rules("logistic")
    setup = setup_of(scenario("logistic"), Catalog())
    skills = population_skills(setup)
    kernel = compiled(attempt_of(game))
    faculties = Faculties(0.8, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    values = [np.array([difficulty, 0.02]) for difficulty in np.linspace(-1, 2, 60)]
    won = [kernel(v, faculties, 4, 0, 1, n, 0).outcome == WON for n, v in enumerate(values)]
    found = estimate_skill([win_curve(game, v, 4) for v in values], won, skills)
    assert found.low < 0.8 < found.high
    assert found.high - found.low < 2.5
    assert found.percentile == pytest.approx(float(np.mean(skills < found.skill)), abs=0.06)
    ends = [float(np.mean(skills < edge)) for edge in (found.low, found.high)]
    assert [found.percentile_low, found.percentile_high] == pytest.approx(ends, abs=0.01)
    assert found.twin == pytest.approx(np.mean(won), abs=0.1)


def test_more_skill_never_has_a_smaller_chance():
    game = Catalog().game_with_rules("gap_runner")
    chances = win_curve(game, np.array(game.space.defaults()), 1)
    assert chances.shape == GRID.shape
    assert np.all(np.diff(chances) >= 0)


def test_the_estimate_comes_after_ten_attempts(tmp_path, worker):
    scene = scene_of(tmp_path, "gap_runner")
    start(scene)
    for number in range(10):
        if number == 4:
            frames(scene, 9)
            press(scene, "r")
        finish(scene)
        frames(scene, 30)
        press(scene, "return")
        if number == 8:
            answered(scene)
            assert scene.estimate is None
    answered(scene)
    assert scene.estimate.attempts == 10, "without the one that was given up"
    assert scene.estimate.skill < 0, "nobody pressed a key"
    assert 0 <= scene.estimate.percentile < 0.5
    curves = [win_curve(scene.game, values_of(row, scene.game), scene.setup.seed) for row in judged(tmp_path)]
    skills = population_skills(setup_of(scenario("gap_runner", "kalman"), Catalog()))
    assert scene.estimate == estimate_skill(curves, [False] * 10, skills), "the process tells what would be told here"
    scene.close()


def answered(scene):
    while scene.computing:
        scene.advance(0.0)
        time.sleep(0.01)
    assert not scene.no_estimate


def judged(tmp_path):
    return [row for row in rows_of(tmp_path / "sitting" / "attempts.csv") if row["outcome"] != "timed_out"]


def values_of(row, game):
    texts = [row[f"param_{knob.name}"] for knob in game.space]
    return np.array(
        [
            knob.real(text if knob.scale == "choice" else int(text) if knob.levels else float(text))
            for knob, text in zip(game.space, texts, strict=True)
        ]
    )


def test_without_its_process_there_is_no_estimate_and_the_game_goes_on(scene, worker):
    start(scene)
    finish(scene)
    assert scene.computing
    scene._skill._process.kill()
    scene._skill._process.join()
    frames(scene, 30)
    assert scene.no_estimate
    assert not scene.computing
    press(scene, "return")
    finish(scene)


def test_a_sitting_that_ends_on_the_start_screen_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert play("gap_runner", out=tmp_path / "out", frames=3, seed=5) == 0
    assert "played  0 attempts" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(RunFolderError, match="already exists"):
        play("gap_runner", out=tmp_path / "out")
    with pytest.raises(ScenarioError, match="cannot play logistic: it is only a formula; use flowdial watch instead"):
        play("logistic", out=tmp_path / "other")
    with pytest.raises(ScenarioError, match="must be one of boss_duel, got quickstart of gap_runner"):
        play("boss_duel", out=tmp_path / "other", scenario="quickstart")
    with pytest.raises(ScenarioError, match="did you mean 'kalman'"):
        play("gap_runner", out=tmp_path / "other", controller="kalmann")
    assert not (tmp_path / "other").exists()


def test_ctrl_c_saves_what_is_under_way_and_is_raised(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(play_module, "PlayScene", interrupted_after(60))
    with pytest.raises(KeyboardInterrupt):
        play("gap_runner", out=tmp_path / "out", seed=5)
    assert "played  1 attempt, won 0, 1 given up" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALL_FILES
    assert verify(tmp_path / "out").equal


def interrupted_after(ticks):
    """A scene that begins by itself and is interrupted while a person plays."""

    class Interrupted(PlayScene):
        def advance(self, seconds):
            super().advance(seconds)
            if self.stage == "start":
                self.handle(Event("press", "return"))
            elif self.stage == "playing" and self.current is not None and self.current.stepper.tick == ticks:
                os.kill(os.getpid(), signal.SIGINT)

    return Interrupted


SECOND = """
import os, signal, sys
from sims.window.playing import human_run
from sims.window.playing.play_scene import PlayScene
from sims.cli.app import main
from sims.window.playing.skill_worker import SkillWorker
SkillWorker.tell = lambda worker, values, won: None
advance, written = PlayScene.advance, human_run.write_results

def begun(scene, seconds):
    advance(scene, seconds)
    if scene.stage == "start":
        scene._open_soon()
    if scene.stage == "playing" and scene.current.stepper.tick == 40:
        os.kill(os.getpid(), signal.SIGINT)

def again(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    return written(*arguments)

PlayScene.advance, human_run.write_results = begun, again
sys.exit(main(["play", "gap_runner", "--seed", "5", "--out", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
def test_a_second_ctrl_c_does_not_tear_the_folder(tmp_path):
    words = [sys.executable, "-c", SECOND, str(tmp_path / "out")]
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy"}
    done = subprocess.run(words, cwd=ROOT, env=environment, check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALL_FILES
    assert verify(tmp_path / "out").equal


def test_a_run_that_cannot_be_written_leaves_no_parts(scene, tmp_path, monkeypatch):
    start(scene)
    finish(scene)
    scene.close()

    def full(*arguments):
        raise OSError(28, "No space left on device", "players.csv")

    monkeypatch.setattr("sims.window.playing.human_run.write_results", full)
    with pytest.raises(EnvironmentFault, match=r"players\.csv: No space left"):
        scene.write_run()
    assert {path.name for path in (tmp_path / "sitting").iterdir()} == {"attempts.csv", HUMAN_ACTIONS, "scenario.toml"}


GROUP = """
import signal, sys, time
import numpy as np
from sims.catalog import Catalog
from sims.window.playing.play import play_scenario
from sims.window.playing.skill_worker import SkillWorker

def main():
    signal.signal(signal.SIGINT, lambda number, frame: None)
    worker = SkillWorker(play_scenario(Catalog(), "gap_runner", seed=1))
    worker.tell(np.array(Catalog().game_with_rules("gap_runner").space.defaults()), True)
    print("started", flush=True)
    sys.stdin.readline()
    worker.poll()
    print("failed", worker.failed, "alive", worker._process.is_alive(), flush=True)
    worker.close()

if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no process groups of this kind")
@pytest.mark.parametrize("pause_s", [0.0, 0.02, 0.2, 1.0])
def test_ctrl_c_to_everybody_does_not_reach_the_process_of_the_estimate(tmp_path, pause_s):
    program = tmp_path / "group.py"
    program.write_text(GROUP)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(program)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(pause_s)
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1.0)
        told, complaints = process.communicate("\n", timeout=60)
    assert (told, complaints) == ("failed False alive True\n", "")


@pytest.mark.parametrize("game", GAMES)
def test_a_recording_shows_an_attempt_of_a_synthetic_player_and_ends(tmp_path, monkeypatch, capsys, game):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    scenes: list[Demonstration] = []
    monkeypatch.setattr("sims.window.playing.demonstration.Demonstration", noting(scenes))
    assert main(["play", installed(game), "--record", "a.png", "--seed", "5"]) == 0
    assert capsys.readouterr().out == "picture a.png\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"], "nobody played, so no rows are kept"
    (scene,) = scenes
    assert scene.attempts == 1
    assert scene._double is not None
    assert scene.last is not None
    assert scene._double.result().outcome == scene.outcomes[0]
    assert scene._double.result().progress == scene.last.stepper.result().progress
    assert main(["play", game, "--record", "b.png", "--out", "rows"]) == 2
    assert "--out keeps a person's rows, but --record shows a synthetic player" in capsys.readouterr().err


def noting(scenes):
    class Noted(Demonstration):
        def __init__(self, *arguments, **choices):
            super().__init__(*arguments, **choices)
            scenes.append(self)

    return Noted


def test_a_recording_of_so_many_frames_goes_on_with_the_next_attempt(tmp_path, monkeypatch):
    scenes: list[Demonstration] = []
    monkeypatch.setattr("sims.window.playing.demonstration.Demonstration", noting(scenes))
    assert demonstrate("boss_duel", tmp_path / "a.webp", seed=5, frames=3600) == 0
    assert scenes[0].attempts >= 2
    assert not scenes[0].done


KILLED = """
import os, signal, sys
from pathlib import Path
from sims.window.playing.play import PlayScene, play_scenario
from sims.catalog import Catalog
from sims.window.recording_folder import begin_recording
from sims.window.screen import FRAME_S, Event
from sims.window.playing.skill_worker import SkillWorker
SkillWorker.tell = lambda worker, values, won: None
found = play_scenario(Catalog(), "gap_runner", seed=3)
scene = PlayScene(found, Catalog(), begin_recording(Path(sys.argv[1]), "x", found))
while len(scene.outcomes) < 2 or scene.stage != "playing" or scene.current.stepper.tick < 30:
    if scene.stage in ("start", "card"):
        scene.handle(Event("press", "return"))
    scene.advance(FRAME_S)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_played_survives_a_kill(tmp_path, capsys):
    folder = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert {path.name for path in folder.iterdir()} == {"attempts.csv", HUMAN_ACTIONS, "scenario.toml"}
    assert "2 of 2 replayed rows are equal" in verify(folder).sentences[-1]
    assert ReplayScene(choose_row(folder, row=1)).finish().equal


@pytest.mark.parametrize("ending", ["escape", "interrupt"])
def test_real_keys_play_in_a_real_window(tmp_path, ending):
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        environment = {**os.environ, "DISPLAY": f":{server.stdout.readline().strip()}", "SDL_VIDEODRIVER": "x11"}
        try:
            played_with_real_keys(environment, tmp_path / "out", ending)
        finally:
            server.terminate()
    rows = rows_of(tmp_path / "out" / "attempts.csv")
    assert [row["outcome"] for row in rows] == ["timed_out", "timed_out"]
    assert [row["level"] for row in rows] == ["1", "1"]
    used = {
        human_action.action
        for number in (0, 1)
        for human_action in choose_row(tmp_path / "out", row=number).human_actions or ()
    }
    assert used == {0, 2}, "ducked with a real key"
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALL_FILES


PLAYED = """
import sys
from sims.cli.app import main
from sims.window.playing.play_scene import PlayScene
begin = PlayScene._begin
def told(scene):
    begin(scene)
    print("level", flush=True)
PlayScene._begin = told
sys.exit(main(["play", "gap_runner", "--seed", "5", "--out", sys.argv[1]]))
"""


def played_with_real_keys(environment, out, ending):
    def key(name):
        subprocess.run(["xdotool", *name], env=environment, check=True, capture_output=True)

    with subprocess.Popen(
        [sys.executable, "-c", PLAYED, str(out)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        until_line(process, "level", lambda: key(["key", "Return"]))
        key(["keydown", "Down"])
        time.sleep(0.4)
        key(["keyup", "Down"])
        key(["key", "r"])
        assert process.stdout.readline() == "level\n"
        time.sleep(0.4)
        if ending == "escape":
            key(["key", "Escape", "Up", "Return"])  # save and end
        else:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == (0 if ending == "escape" else 130)


def until_line(process, line, nudge):
    """Press until the window is there and has heard it."""
    import select

    for _ in range(240):
        nudge()
        if select.select([process.stdout], [], [], 0.5)[0]:
            assert process.stdout.readline() == f"{line}\n"
            return
    raise AssertionError("the game never began")


def test_a_human_row_without_its_actions_is_told(scene, tmp_path):
    start(scene)
    finish(scene)
    path = tmp_path / "sitting" / HUMAN_ACTIONS
    line = json.loads(path.read_text())
    path.write_text("{broken\n" + json.dumps({**line, "attempt": 9}) + "\n")
    with pytest.raises(RunFolderError, match="does not hold what they did"):
        choose_row(tmp_path / "sitting", row=0)


def test_a_campaign_goes_up_with_wins(tmp_path):
    text = TEXT.format(game="gap_runner", controller="kalman", players=4, attempts=9).replace(
        "[target]", '[levels]\nkind = "campaign"\ncount = 2\n\n[target]'
    )
    found = parse(text.encode(), "campaign.toml", Catalog())
    scene = PlayScene(found, Catalog(), begin_recording(tmp_path / "sitting", "sitting", found))
    start(scene)
    assert scene.current is not None
    assert scene.current.stepper.address.level == scene.current.who.situation.level == 1
    press(scene, "p", "p")
    frames(scene, 2)
    scene.current.stepper._status = WON
    scene._finish()
    assert scene.current.stepper.address.level == 2, "a win leads to the next level"
    scene.close()
