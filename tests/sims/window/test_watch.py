"""What is watched is what is run: the same rows, whatever is paused, skipped, enlarged or switched off the screen."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import threading
from itertools import pairwise

import pytest

from engine.errors import EnvironmentFault, ScenarioError
from engine.scenario import parse
from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.runs import execution as runs
from sims.window.canvas import HEIGHT, Canvas
from sims.window.panels import Chart, percent
from sims.window.replay import ReplayScene
from sims.window.screen import Event, Window
from sims.window.watching import row_log
from sims.window.watching.rolling_rate import FEWEST, WINDOW, RollingRate
from sims.window.watching.row_log import RowLog
from sims.window.watching.watch import opened_scenario, watch
from sims.window.watching.watch_charts import _cards, _plots
from sims.window.watching.watch_layout import GAP, SIDE, menu_boxes, viewport_box
from sims.window.watching.watch_picture import paint_watch
from sims.window.watching.watch_scene import SPEEDS, WatchScene
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario
from tests.kit.window import frames, installed, keyed, press, rows_of, until

pytestmark = pytest.mark.thorough


def scene_of(game="gap_runner", controller="kalman", players=12, attempts=8, **choices):
    return WatchScene(scenario(installed(game), controller, players=players, attempts=attempts), Catalog(), **choices)


@pytest.mark.parametrize(
    ("game", "controller"),
    [("gap_runner", "kalman"), ("logistic", "weighted_up_down"), ("logistic", "cma_es"), ("boss_duel", "constant")],
)
def test_a_wall_that_ran_to_its_end_leaves_the_rows_of_a_run(tmp_path, game, controller):
    found = scenario(installed(game), controller, players=12, attempts=8)
    runs.run(found, out=tmp_path / "run", workers=1)
    scene = WatchScene(found, Catalog(), speed=math.inf)
    until(scene, lambda: scene.over)
    scene.world.save(tmp_path / "watched.csv")
    assert (tmp_path / "watched.csv").read_bytes() == (tmp_path / "run" / "attempts.csv").read_bytes()


def test_whatever_is_looked_at_the_rows_are_those_of_a_run(tmp_path):
    found = scenario("gap_runner", "kalman", players=30, attempts=8)
    runs.run(found, out=tmp_path / "run", workers=1)
    scene = WatchScene(found, Catalog(), speed=16.0)
    frames(scene, 200)
    press(scene, "space", "right", "right", "space", "tab", "3", "up")
    frames(scene, 100)
    press(scene, "tab", "escape", "up", "up")
    frames(scene, 20)
    scene.world.save(tmp_path / "watched.csv")
    watched, run = (keyed(rows_of(path)) for path in (tmp_path / "watched.csv", tmp_path / "run" / "attempts.csv"))
    assert 40 < len(watched) <= len(run)
    assert all(run[key] == row for key, row in watched.items())


def test_what_is_shown_ends_as_its_row_says():
    scene = scene_of(speed=8.0)
    attempt = 0
    for _ in range(1500):
        scene.advance(1 / 60)
        for viewport in scene.viewports:
            if viewport.ended and viewport.attempt is not None:
                assert viewport.attempt.stepper.outcome == viewport.attempt.outcome
                attempt += 1
    assert attempt > 50


def test_charts_count_an_attempt_once_and_only_when_it_has_ended():
    scene = scene_of(speed=8.0)
    frames(scene, 900)
    shown = sum(viewport.attempt is not None and not viewport.ended for viewport in scene.viewports)
    assert scene.rolling_rate.attempts == scene.world.played - shown
    press(scene, *["up"] * len(SPEEDS))
    until(scene, lambda: scene.over)
    assert scene.rolling_rate.attempts == scene.world.played
    assert sum(rolling_rate.attempts for rolling_rate in scene.rolling_rates[:-1]) == scene.rolling_rates[-1].attempts


def test_pause_and_single_step():
    scene = scene_of()
    frames(scene, 100)
    press(scene, "space")
    before = [viewport.stepper.tick for viewport in scene.viewports]
    frames(scene, 50)
    assert [viewport.stepper.tick for viewport in scene.viewports] == before
    press(scene, "right")
    assert [viewport.stepper.tick for viewport in scene.viewports] == [tick + 1 for tick in before]


def test_a_click_enlarges_a_place_and_a_second_one_gives_the_wall_back():
    scene = scene_of()
    box = viewport_box(4)
    click = Event("click", "left", box.x + 20, box.y + 20)
    scene.handle(click)
    assert scene.large == 4
    scene.handle(click)
    assert scene.large is None
    press(scene, "9", "escape")
    assert not scene.done
    press(scene, "escape")
    assert scene.done


@pytest.mark.parametrize("controller", ["kalman", "cma_es"])
def test_a_cohort_is_picked(controller):
    scene = scene_of(controller=controller, players=40, cohort=1, speed=math.inf)
    frames(scene, 3)
    assert {viewport.attempt.cohort for viewport in scene.viewports if viewport.attempt is not None} == {1}
    press(scene, "tab")
    assert scene.world.cohort is None
    press(scene, "tab")
    assert scene.world.cohort == 0


def test_a_switched_controller_stands_in_the_rows_and_in_the_chart(tmp_path):
    scene = scene_of(players=12, attempts=30, speed=32.0)
    frames(scene, 120)
    press(scene, "c")
    wanted = [kind.name for kind in scene.menu.kinds].index("weighted_up_down")
    press(scene, *["down"] * (wanted - scene.menu.at), *["up"] * (scene.menu.at - wanted))
    box = dict(menu_boxes(len(scene.menu.kinds), scene.menu.at))[wanted]
    scene.handle(Event("click", "left", box.x + 5, box.y + 5))
    assert scene.menu is None
    until(scene, lambda: scene.world.switched)
    assert [mark.words for mark in scene.marks] == ["weighted_up_down"]
    frames(scene, 400)
    scene.world.save(tmp_path / "rows.csv")
    rows = rows_of(tmp_path / "rows.csv")
    names = [row["controller"] for row in rows]
    assert set(names) == {"kalman", "weighted_up_down"}
    for before, after in pairwise(rows):
        if before["player"] == after["player"] and before["controller"] == "weighted_up_down":
            assert after["controller"] == "weighted_up_down"
    for row in rows:
        assert (row["belief_skill"] == "") == (row["controller"] != "kalman")
        assert (row["belief_difficulty"] == "") == (row["controller"] != "weighted_up_down")


@pytest.mark.parametrize("count", [1, 11, 12, 13, 29, 80])
def test_however_many_controllers_there_are_the_menu_stays_on_the_screen(count):
    for chosen in range(count):
        boxes = dict(menu_boxes(count, chosen))
        assert chosen in boxes
        assert all(box.y >= 0 and box.y + box.height <= HEIGHT for box in boxes.values())


def test_the_menu_is_painted_within_the_screen(monkeypatch):
    scene = scene_of()
    press(scene, "c")
    scene.menu = scene.menu._replace(kinds=scene.menu.kinds * 3)
    tops = []
    text = Canvas.text

    def noted(canvas, said, x, y, size, *more, **how):
        tops.append((y, y + size))
        return text(canvas, said, x, y, size, *more, **how)

    monkeypatch.setattr(Canvas, "text", noted)
    with Window("test", hidden=True) as window:
        for at in (0, len(scene.menu.kinds) // 2, len(scene.menu.kinds) - 1):
            scene.menu = scene.menu._replace(at=at)
            paint_watch(scene, window.canvas)
    assert min(top for top, _ in tops) >= 0
    assert max(bottom for _, bottom in tops) <= HEIGHT


def test_the_menu_offers_only_controllers_of_this_scope_and_escape_keeps_the_one_there_is():
    scene = scene_of(controller="cma_es")
    press(scene, "c")
    assert all(scene.setup.scope in kind.scopes for kind in scene.menu.kinds)
    press(scene, "down", "up", "escape")
    assert scene.menu is None
    assert not scene.world.switched
    assert not scene.done


def test_a_trend_keeps_its_memory_flat_and_its_numbers_right():
    rolling_rate = RollingRate()
    for n in range(20_000):
        rolling_rate.add(n + 1, 0, n % 9, n % 4 != 0, 0.25, 1.0)
        assert (len(rolling_rate.rates) > 0) == (n + 1 >= FEWEST)
    assert len(rolling_rate.rates) <= len(rolling_rate.dials) <= 240
    last = rolling_rate.rates[-1]
    assert last.y == pytest.approx(0.75, abs=0.01)
    assert last.low < last.y < last.high
    assert rolling_rate.dials[-1].y == 0.25
    assert rolling_rate.rates == sorted(rolling_rate.rates)


def test_a_trend_shows_the_latest_attempt_after_however_many():
    """Full speed thins the past out; what is played slowly afterwards must be seen at once."""
    rolling_rate = RollingRate()
    for n in range(100_000):
        rolling_rate.add(n + 1, 0, n % 50, True, 0.3, 1.0)
    past = rolling_rate.rates[:-1]
    for n in range(WINDOW):
        rolling_rate.add(100_001 + n, 0, n % 50, False, 0.7, 2.0)
        for dots in (rolling_rate.rates, rolling_rate.dials, rolling_rate.beliefs):
            assert dots[-1].x == 100_001 + n
    assert (rolling_rate.rates[-1].y, rolling_rate.dials[-1].y, rolling_rate.beliefs[-1].y) == (0.0, 0.7, 2.0)
    assert rolling_rate.rates[: len(past)] == past, "what lies behind stays"
    assert len(rolling_rate.dials) <= 240


def test_the_command_saves_rows_and_says_where(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    path = tmp_path / "small.toml"
    path.write_text(TEXT.format(game="gap_runner", controller="kalman", players=12, attempts=5))
    changed, _ = opened_scenario(Catalog(), str(path), [("players.count", "5")])
    assert changed.form.players.count == 5
    assert watch(str(path), frames=120, out=tmp_path / "out", speed=32.0, cohort="new") == 0
    assert f"rows    {tmp_path / 'out' / 'attempts.csv'}" in capsys.readouterr().out
    assert len(rows_of(tmp_path / "out" / "attempts.csv")) > 8
    assert watch(str(tmp_path / "out"), frames=2, record=tmp_path / "a.png") == 0, "a folder is watched again"
    assert capsys.readouterr().out == f"picture {tmp_path / 'a.png'}\n"
    with pytest.raises(ScenarioError, match="did you mean 'new'"):
        watch(str(path), cohort="neww")


# --- Rows on disk while it runs --------------------------------------------------------------------------------------


def logged(tmp_path, monkeypatch, **choices):
    """A scene whose log has no pause between two appends, and what lets all rows so far reach the disk."""
    monkeypatch.setattr(row_log, "EVERY_S", 0.0)
    scene = scene_of(**choices)
    kept = RowLog(scene.world, tmp_path / "attempts.csv")
    scene.log_rows(kept)

    def second():
        for _ in range(2):
            if kept._writing is not None:
                kept._writing.result()
            kept.keep()
        if kept._writing is not None:
            kept._writing.result()

    return scene, second


def test_a_second_later_everything_that_was_played_is_on_disk_and_can_be_seen_again(tmp_path, monkeypatch):
    path = tmp_path / "attempts.csv"
    scene, second = logged(tmp_path, monkeypatch, speed=math.inf)
    second()
    assert not path.exists(), "no file before the first row"
    for _ in range(3):
        frames(scene, 1)
        second()
        scene.world.save(tmp_path / "whole.csv")
        assert keyed(rows_of(path)) == keyed(rows_of(tmp_path / "whole.csv"))
        assert len(rows_of(path)) == scene.world.played
    assert ReplayScene(choose_row(path, pick="last attempt")).finish().equal
    assert scene.row_log.publish()
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_switch_gives_the_rows_on_disk_the_columns_of_the_new_controller(tmp_path, monkeypatch):
    path = tmp_path / "attempts.csv"
    scene, second = logged(tmp_path, monkeypatch, players=12, attempts=60, speed=math.inf)
    for name in (None, "weighted_up_down", "constant", "kalman"):
        if name is not None:
            scene.switch(Catalog().controller(name))
        frames(scene, 1)
        second()
        scene.world.save(tmp_path / "whole.csv")
        assert keyed(rows_of(path)) == keyed(rows_of(tmp_path / "whole.csv"))
    scene.row_log.publish()
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert {row["controller"] for row in rows_of(path)} == {"kalman", "weighted_up_down", "constant"}


def test_a_disk_that_refuses_is_told_in_one_sentence(tmp_path, monkeypatch):
    scene, second = logged(tmp_path, monkeypatch, speed=math.inf)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    frames(scene, 1)
    second()
    monkeypatch.setattr("os.fsync", full)
    frames(scene, 1)
    scene.row_log.keep()
    with pytest.raises(EnvironmentFault, match="No space left on device; make room"):
        until(scene, lambda: False)
    with pytest.raises(EnvironmentFault, match=r"attempts\.csv: No space left"):
        scene.row_log.publish()
    monkeypatch.undo()
    assert ReplayScene(choose_row(tmp_path / "attempts.csv")).finish().equal, "what was there before is still there"


# --- How it ends -----------------------------------------------------------------------------------------------------

ENDING = """
import os, signal, sys
import pygame
from sims.window.watching.watch_scene import WatchScene
from sims.cli.app import main

advance = WatchScene.advance
asked = []

def counted(scene, seconds):
    advance(scene, seconds)
    if scene.pending is not None:
        return
    print("played", scene.world.played, flush=True)
    if scene.world.played >= 300 and not asked:
        asked.append(1)
        {ending}

WatchScene.advance = counted
sys.exit(main(["watch", {path!r}, "--out", {out!r}, "--speed", "32"]))
"""
ENDINGS = {
    "escape": ("pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))", 0),
    "close": ("pygame.event.post(pygame.event.Event(pygame.QUIT))", 0),
    "interrupt": ("os.kill(os.getpid(), signal.SIGINT)", 130),
    "terminate": ("os.kill(os.getpid(), signal.SIGTERM)", 143),
    "kill": ("pass", -signal.SIGKILL),
}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize("ending", ENDINGS)
def test_however_it_ends_the_rows_are_saved_and_are_those_of_a_run(tmp_path, ending):
    path, out, (human_action, code) = tmp_path / "small.toml", tmp_path / "out", ENDINGS[ending]
    path.write_text(TEXT.format(game=installed("logistic"), controller="kalman", players=200, attempts=300))
    text = ENDING.format(ending=human_action, path=str(path), out=str(out))
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy"}
    with subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if ending == "kill":
            assert process.stdout is not None
            for _ in iter(process.stdout.readline, ""):
                if (out / "attempts.csv").exists():
                    process.kill()
                    break
        told, complaints = process.communicate(timeout=120)
    assert process.returncode == code, complaints
    rows = rows_of(out / "attempts.csv")
    runs.run(scenario("logistic", "kalman", players=200, attempts=300), out=tmp_path / "run", workers=1)
    run = keyed(rows_of(tmp_path / "run" / "attempts.csv"))
    watched = keyed(rows)
    assert watched
    assert all({**run[key], "scenario": ""} == {**row, "scenario": ""} for key, row in watched.items())
    if ending != "kill":
        played = [line for line in told.splitlines() if line.startswith("played")]
        assert len(rows) == int(played[-1].split()[1]), "every row, also of attempts that were still shown"
        assert f"rows    {out / 'attempts.csv'}" in told
        writing = "flowdial: all rows are saved; writing the report ...\n"
        assert complaints == writing + ("flowdial: interrupted.\n" if ending == "interrupt" else "")
        assert list(watched) == [key for key in run if key in watched], "in the order of a run"


def test_the_window_stays_awake_while_something_is_prepared():
    scene = scene_of()
    gate = threading.Event()
    scene.wait_for("a game", gate.wait)
    press(scene, "space", "space", "right", "c", "tab", "up", "5", "5")
    frames(scene, 20)
    with Window("test", hidden=True) as window:
        paint_watch(scene, window.canvas)
    assert (scene.world.played, scene.menu, scene.world.cohort, scene.speed) == (0, None, None, 2.0)
    press(scene, "escape")
    assert scene.done, "nobody waits for it"
    gate.set()
    until(scene, lambda: scene.pending is None)
    frames(scene, 1)
    assert scene.world.played > 0


def test_a_fault_of_what_is_prepared_is_a_fault_of_the_scene():
    scene = scene_of()

    def broken():
        raise EnvironmentFault("it is broken")

    scene.wait_for("a game", broken)
    with pytest.raises(EnvironmentFault, match="it is broken"):
        until(scene, lambda: False, most=10**7)


COLD = """
import sys
import pygame
from sims.window import screen
from sims.cli.app import main

flip = screen.Window.flip

def told(window):
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))
    return flip(window)

screen.Window.flip = told
sys.exit(main(["watch", {path!r}, "--out", {out!r}]))
"""


def test_escape_does_not_wait_for_a_compilation(tmp_path):
    path, out, cache = tmp_path / "small.toml", tmp_path / "out", tmp_path / "cache"
    path.write_text(TEXT.format(game=installed("gap_runner"), controller="kalman", players=12, attempts=30))
    silent = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    environment = {**os.environ, **silent, "FLOWDIAL_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", COLD.format(path=str(path), out=str(out))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(cache.glob("single*")), "the kernel of an attempt would have been kept"
    assert not out.exists(), "nothing was played, so no folder is left"


# --- What charts say -------------------------------------------------------------------------------------------------


def told_by(scene, monkeypatch):
    """The bands and words of a painted frame."""
    bands, words = [], []
    band, text = Chart.band, Canvas.text

    def noted_band(chart, low, high):
        bands.append((low, high))
        band(chart, low, high)

    def noted_text(canvas, said, *more, **how):
        words.append(said)
        return text(canvas, said, *more, **how)

    monkeypatch.setattr(Chart, "band", noted_band)
    monkeypatch.setattr(Canvas, "text", noted_text)
    with Window("test", hidden=True) as window:
        paint_watch(scene, window.canvas)
    monkeypatch.undo()
    return bands, words


def test_every_cohort_is_held_against_its_own_target(monkeypatch):
    scene = WatchScene(two_targets(), Catalog(), speed=math.inf)
    frames(scene, 3)
    bands = [scene.scenario.band(cohort) for cohort in range(2)]
    assert bands[0] != bands[1]
    assert told_by(scene, monkeypatch)[0] == bands
    for band in bands:
        press(scene, "tab")
        assert told_by(scene, monkeypatch)[0] == [band]


def two_targets():
    text = TEXT.format(game=installed("gap_runner"), controller="kalman", players=12, attempts=30)
    own = 'name = "new"\ntarget = { win_rate = 0.9 }'
    return parse(text.replace('name = "new"', own).encode(), "x", Catalog())


def test_before_the_first_attempt_ends_charts_promise_and_claim_nothing(monkeypatch):
    scene = scene_of()
    frames(scene, 2)
    words = told_by(scene, monkeypatch)[1]
    assert "starts after the first attempt" in words
    assert not [said for said in words if re.search(r"\b0 attempts", said)]
    until(scene, lambda: scene.rolling_rate.attempts > 40)
    words = told_by(scene, monkeypatch)[1]
    assert "starts after the first attempt" not in words
    low, high = scene.scenario.band(0)
    for end in (low - 0.15, high + 0.15):
        assert percent(min(max(end, 0.0), 1.0)) in words, "the axis is the band and 15 points on both sides"


def test_a_click_on_a_player_shows_their_last_loss_and_escape_gives_the_wall_back():
    scene = scene_of()
    until(scene, lambda: scene.viewports[4].last_loss is not None)
    lost = scene.viewports[4].last_loss
    box = viewport_box(4)
    scene.handle(Event("click", "left", box.x + 20, box.y + 20))
    assert scene.replay is not None
    cells = scene.replay.row.cells
    assert (cells["player"], cells["attempt"], cells["outcome"]) == (lost.player, lost.number, "lost")
    check = scene.replay.finish()
    assert check.equal, "the world's row and the replay end in the same state"
    assert scene.replay.story.why
    played = scene.world.played
    frames(scene, 30)
    with Window("test", hidden=True) as window:
        paint_watch(scene, window.canvas)
    assert scene.world.played == played, "the wall waits"
    press(scene, "escape")
    assert scene.replay is None
    assert not scene.done


def test_a_click_on_a_player_who_has_not_lost_enlarges_them():
    scene = scene_of()
    frames(scene, 2)
    box = viewport_box(2)
    scene.handle(Event("click", "left", box.x + 20, box.y + 20))
    assert (scene.large, scene.replay) == (2, None)


def test_the_mouse_reads_the_values_of_a_chart(monkeypatch):
    scene = scene_of()
    until(scene, lambda: scene.rolling_rate.attempts > 80)
    scene.live_verdict.look(80, now=True)
    silent = told_by(scene, monkeypatch)[1]
    rates, dials, beliefs = _cards(scene, SIDE, GAP)
    for plot in _plots(scene, rates, dials, beliefs):
        scene.handle(Event("move", "", plot.area.x + plot.area.width - 1, plot.area.y + plot.area.height / 2))
        words = [said for said in told_by(scene, monkeypatch)[1] if said not in silent]
        assert any(said.startswith("at ") and said.endswith(" attempts") for said in words)
        for name, dots in plot.lines:
            value = f"{100 * dots[-1].y:.0f} %" if plot.as_percent else f"{dots[-1].y:.3g}"
            assert any(said.startswith(f"{name}: {value} (") for said in words), words
