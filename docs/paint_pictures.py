"""The pictures of the docs: `python -m docs.paint_pictures` plays small scenes and paints docs/pictures again.

Nothing needs a screen. The same code and libraries give the same pictures, so a changed file is a changed look.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from engine.game import LOST, WON, Faculties
from engine.scenario import load
from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.runs import execution as runs
from sims.window.canvas import Canvas
from sims.window.playing.demonstration import Demonstration
from sims.window.playing.play import play_scenario
from sims.window.playing.play_menu import PlayMenu
from sims.window.playing.play_picture import paint_play
from sims.window.playing.play_scene import PlayScene
from sims.window.recorder import Recorder, size_of
from sims.window.replay import ReplayScene
from sims.window.screen import FRAME_S, Event, Scene, Window
from sims.window.watching.paired_worlds import rival_of
from sims.window.watching.versus_picture import paint_versus
from sims.window.watching.versus_scene import VersusScene
from sims.window.watching.watch_picture import paint_watch
from sims.window.watching.watch_scene import WatchScene

FOLDER: Final = Path("docs/pictures")
_PLAYER: Final = Faculties(0.0, 1.0, 0.3, 0.05, 0.12, 0.06, 0.04, 0.8)  # a player who loses now and then
_GAMES: Final = ("gap_runner", "tile_match", "boss_duel")


_PAINTERS: Final[dict[type, Callable[[Any, Canvas], None]]] = {
    PlayScene: paint_play,
    Demonstration: paint_play,
    WatchScene: paint_watch,
    VersusScene: paint_versus,
    ReplayScene: ReplayScene.paint,
}


class _Camera:
    """Lets scenes run without a screen and keeps what they look like."""

    def __init__(self, window: Window, folder: Path) -> None:
        self._window, self._folder = window, folder

    def still(self, scene: Scene, name: str) -> None:
        """One frame as a .png."""
        self.record(scene, f"{name}.png", 1)

    def record(self, scene: Scene, name: str, frames: int) -> None:
        """So many frames, of which a .png keeps the last."""
        path = self._folder / name
        self._window.resize(size_of(path, None))
        recorder = Recorder(path)
        for _ in range(frames):
            scene.advance(FRAME_S)
            _PAINTERS[type(scene)](scene, self._window.canvas)
            recorder.take(self._window.canvas.surface)
        recorder.save()


def _wait(scene: Scene, reached: Callable[[], bool], seconds: float = FRAME_S) -> None:
    while not reached():
        scene.advance(seconds)


def watched(camera: _Camera, catalog: Catalog) -> None:
    """The wall: nine sessions, the verdict, the menu of controllers, and one session large after a switch."""
    scenario = load(catalog.scenario("quickstart"), catalog)
    scene = WatchScene(scenario, catalog, speed=16.0)
    scene.make_ready()
    scene.play_ahead()
    scene.take_ahead()
    _wait(scene, lambda: min(len(viewport.outcomes) for viewport in scene.viewports) >= 3)
    scene.speed = 1.0
    _wait(
        scene,
        lambda: (
            sum(viewport.stepper is not None and not viewport.ended for viewport in scene.viewports)
            == len(scene.viewports)
        ),
    )
    camera.still(scene, "watch")
    camera.record(scene, "watch.webp", 100)
    scene.handle(Event("press", "v"))
    camera.still(scene, "watch_verdict")
    scene.handle(Event("press", "v"))
    scene.handle(Event("press", "c"))
    camera.still(scene, "watch_menu")
    scene.handle(Event("press", "escape"))
    scene.speed = 16.0
    scene.switch(catalog.controller("weighted_up_down"))
    switched = scene.rolling_rate.attempts
    _wait(scene, lambda: scene.rolling_rate.attempts >= switched + 240)
    scene.speed = 1.0
    scene.large = 4
    _wait(scene, lambda: not scene.viewports[4].ended)
    camera.still(scene, "watch_one")


def side_by_side(camera: _Camera, catalog: Catalog) -> None:
    """Two walls: the quickstart against a difficulty that never changes."""
    scenario = load(catalog.scenario("quickstart"), catalog)
    scene = VersusScene(scenario, rival_of(scenario, "constant", catalog), catalog, speed=8.0)
    scene.make_ready()
    for _ in range(400):
        scene.advance(FRAME_S)
    camera.still(scene, "watch_against")


def replayed(camera: _Camera, catalog: Catalog, folder: Path) -> None:
    """The closest loss of a small run, in its middle and at its end."""
    settings = {"players.count": "24", "horizon.attempts_per_player": "40"}
    scenario = load(catalog.scenario("quickstart"), catalog, settings)
    runs.run(scenario, out=folder / "run", workers=1)
    scene = ReplayScene(choose_row(folder / "run", pick="closest loss"))
    scene.go_to(0.6 * int(scene.row.cells["ticks"]))
    camera.still(scene, "replay")
    scene.finish()
    camera.still(scene, "replay_end")


def played(camera: _Camera, catalog: Catalog, game: str, folder: Path) -> None:
    """The start screen, an attempt, and what a person sees after ten attempts."""
    scene = _begun(catalog, game, folder)
    for _ in range(100):
        scene.advance(FRAME_S)
    camera.still(scene, f"play_{game}_start")
    _wait(scene, lambda: len(scene.outcomes) == 10 and scene.stage == "playing")
    _wait(scene, lambda: scene.current is not None and scene.current.stepper.progress > 0.4)
    _wait_for_estimate(scene)
    camera.still(scene, f"play_{game}")
    scene.close()


def stages(camera: _Camera, catalog: Catalog, folder: Path) -> None:
    """What stands over a game: a pause, a level that begins again, and the cards of a loss and of a win."""
    scene = _begun(catalog, "gap_runner", folder)
    _wait(scene, lambda: scene.current is not None and scene.current.stepper.tick == 260)
    scene.handle(Event("press", "p"))
    camera.still(scene, "play_pause")
    scene.handle(Event("press", "p"))
    scene.handle(Event("press", "r"))
    _wait(scene, lambda: scene.current is not None and scene.current.stepper.tick == 90)
    camera.still(scene, "play_again")
    for outcome, name in ((LOST, "play_lost"), (WON, "play_won")):
        _wait(scene, lambda wanted=outcome: scene.stage == "card" and scene.outcomes[-1] == wanted)  # type: ignore[misc]
        camera.still(scene, name)
        _wait(scene, lambda: scene.stage == "playing")
    scene.close()


def _begun(catalog: Catalog, game: str, folder: Path) -> Demonstration:
    folder.mkdir()
    return Demonstration(play_scenario(catalog, game, seed=7), catalog, folder, faculties=_PLAYER)


def _wait_for_estimate(scene: PlayScene) -> None:
    scene.menu = PlayMenu()
    while scene.computing:
        time.sleep(0.05)
        scene.advance(0.0)
    scene.menu = None


def main() -> int:
    """Paint all pictures; the exit code."""
    catalog = Catalog()
    with tempfile.TemporaryDirectory() as scratch, Window("pictures", hidden=True) as window:
        camera = _Camera(window, FOLDER)
        watched(camera, catalog)
        side_by_side(camera, catalog)
        replayed(camera, catalog, Path(scratch))
        for game in _GAMES:
            played(camera, catalog, game, Path(scratch) / game)
        stages(camera, catalog, Path(scratch) / "stages")
    for path in sorted(FOLDER.iterdir()):
        sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
