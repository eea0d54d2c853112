"""Every scene at five sizes of a window: no letter is too small, none is cut or covered, and none is over another."""

from __future__ import annotations

from functools import partial

import pytest

from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.window.canvas import SMALLEST_LETTERS
from sims.window.playing.demonstration import Demonstration
from sims.window.playing.play_menu import READY_S
from sims.window.recording_folder import begin_recording
from sims.window.replay import ReplayScene
from sims.window.screen import Window
from sims.window.watching.watch_scene import WatchScene
from tests.kit.letters import NotedCanvas
from tests.kit.small import scenario
from tests.kit.window import GAMES, frames, installed, paint, press, small_run, until

QUICK = ((960, 1080),)  # letters are smallest here
SIZES = ((1280, 720), (1920, 1080), (2560, 1400), (3840, 2160))

WORDY = tuple(  # boss_duel has the most words
    game
    if game == "boss_duel"
    else pytest.param(game, marks=pytest.mark.slow if game == "tile_match" else pytest.mark.thorough)
    for game in GAMES
)


@pytest.fixture(
    params=[*QUICK, *(pytest.param(size, marks=pytest.mark.thorough) for size in SIZES)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def canvas(request):
    with Window("test", hidden=True, size=request.param) as window:
        yield NotedCanvas(window.canvas.surface)


def check(canvas, scene, moment):
    canvas.faults.clear()
    paint(scene, canvas)
    assert canvas.faults == [], moment
    assert canvas.smallest >= SMALLEST_LETTERS


@pytest.mark.parametrize("game", WORDY)
def test_words_of_the_wall(canvas, game):
    scene = WatchScene(scenario(installed(game), "kalman", players=12, attempts=8), Catalog(), speed=16.0)
    scene.wait_for(game, lambda: None)
    check(canvas, scene, "preparing")
    until(scene, lambda: scene.pending is None)
    until(scene, lambda: any(viewport.ended for viewport in scene.viewports))
    check(canvas, scene, "the wall")
    for number in range(9):
        scene.large = number
        check(canvas, scene, f"large {number}")
    scene.large = None
    press(scene, "c")
    check(canvas, scene, "the menu")
    press(scene, "escape", "tab")
    frames(scene, 3)
    check(canvas, scene, "one group")
    until(scene, lambda: scene.over)
    check(canvas, scene, "no players left")


@pytest.mark.parametrize("game", WORDY)
def test_words_of_a_replay(canvas, tmp_path_factory, game):
    folder = small_run(tmp_path_factory.getbasetemp(), game)
    for words in ("first loss", "first win"):
        scene = ReplayScene(choose_row(folder, pick=words))
        for share in (0.0, 0.3, 0.6, 0.9):
            scene.go_to(share * int(scene.row.cells["ticks"]))
            check(canvas, scene, f"{words} at {share}")
        scene.finish()
        check(canvas, scene, f"the end of a {words}")
    row = scene.row._replace(cells={**scene.row.cells, "state_hash": 1})
    differs = ReplayScene(row)
    differs.finish()
    check(canvas, differs, "differs")


@pytest.mark.parametrize("game", WORDY)
def test_words_of_a_sitting(canvas, tmp_path, monkeypatch, game):
    found = scenario(installed(game), "kalman")
    scene = Demonstration(found, Catalog(), begin_recording(tmp_path / "sitting", "x", found))
    monkeypatch.setattr(scene._skill, "tell", lambda values, won: None)
    for stage in ("start", "playing", "ending", "card", "playing"):
        until(scene, partial(lambda wanted: scene.stage == wanted, stage))
        frames(scene, 5)
        check(canvas, scene, stage)
    press(scene, "escape")
    check(canvas, scene, "menu")
    press(scene, "escape")
    scene.ready_s = READY_S
    check(canvas, scene, "three, two, one")
    scene.ready_s = 0.0
    frames(scene, 200)
    press(scene, "r")
    check(canvas, scene, "again")
    scene.close()
