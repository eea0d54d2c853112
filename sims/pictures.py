"""The pictures of the docs: `python -m sims.pictures` plays small scenes and paints them anew into docs/pictures/.

Nothing needs a screen. The same code and libraries give the same pictures, so a changed file is a changed look.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.game import PERFECT
from engine.scenario import load
from sims import runs
from sims.catalog import Catalog
from sims.play import Play, play_scenario
from sims.play_picture import VIEW
from sims.replay import Replay
from sims.row_choice import chosen_row
from sims.screen import FRAME_S, Event, Recorder, Scene, Window
from sims.watch import Watch

FOLDER: Final = Path("docs/pictures")
_GAMES: Final = ("gap_runner", "tile_match", "boss_duel")


class _Camera:
    """Lets scenes run without a screen and keeps what they look like."""

    def __init__(self, window: Window, folder: Path) -> None:
        self._window, self._folder = window, folder

    def still(self, scene: Scene, name: str) -> None:
        """One frame as a .png."""
        self.film(scene, f"{name}.png", 1)

    def film(self, scene: Scene, name: str, frames: int) -> None:
        """So many frames, of which a .png keeps the last."""
        recorder = Recorder(self._folder / name)
        for _ in range(frames):
            scene.advance(FRAME_S)
            scene.paint(self._window.canvas)
            recorder.take(self._window.canvas.surface)
        recorder.save()


def _wait(scene: Scene, reached: Callable[[], bool], seconds: float = FRAME_S) -> None:
    while not reached():
        scene.advance(seconds)


def watched(camera: _Camera, catalog: Catalog) -> None:
    """The wall: nine sessions, one of them large, and after a switch of the controller."""
    scenario = load(catalog.scenario("quickstart"), catalog)
    scene = Watch(scenario, catalog, speed=16.0)
    _wait(scene, lambda: scene.trend.attempts >= 400)
    scene.speed = 1.0
    _wait(scene, lambda: sum(place.film is not None and not place.ended for place in scene.places) == len(scene.places))
    camera.still(scene, "watch")
    camera.film(scene, "watch.webp", 150)
    scene.speed = 16.0
    scene.switch(catalog.controller("weighted_up_down"))
    _wait(scene, lambda: scene.trend.attempts >= 640)
    scene.speed = 1.0
    scene.large = 4
    _wait(scene, lambda: not scene.places[4].ended)
    camera.still(scene, "watch_one")


def replayed(camera: _Camera, catalog: Catalog, folder: Path) -> None:
    """The closest loss of a small run, in its middle and at its end."""
    settings = {"players.count": "24", "horizon.attempts_per_player": "40"}
    scenario = load(catalog.scenario("quickstart"), catalog, settings)
    runs.run(scenario, out=folder / "run", workers=1, quiet=True, json=True)
    scene = Replay(chosen_row(folder / "run", pick="closest loss"))
    scene.go_to(0.6 * int(scene.row.cells["ticks"]))
    camera.still(scene, "replay")
    scene.finish()
    camera.still(scene, "replay_end")


def played(camera: _Camera, catalog: Catalog, game: str, folder: Path) -> None:
    """The start screen, an attempt, and what a person sees after ten attempts."""
    folder.mkdir()
    scene = Play(play_scenario(catalog, game, seed=7), catalog, folder)
    for _ in range(100):
        scene.advance(FRAME_S)
    camera.still(scene, f"play_{game}_start")
    scene.handle(Event("press", "return"))
    _wait(scene, lambda: scene.stage == "playing")
    while len(scene.outcomes) < 12:
        _act(scene)
        scene.advance(FRAME_S)
        if scene.stage == "card":
            _wait(scene, lambda: scene.since_s > 0.5)
            scene.handle(Event("press", "return"))
        if len(scene.outcomes) == 10 and scene.task is not None and scene.task.film.progress > 0.4:
            _wait_for_estimate(scene)
            camera.still(scene, f"play_{game}")
            break
    scene.close()


def _wait_for_estimate(scene: Play) -> None:
    import time

    scene.paused = True
    while scene.computing:
        time.sleep(0.05)
        scene.advance(0.0)
    scene.paused = False


def _act(scene: Play) -> None:
    """Press what a player who sees everything would press."""
    if scene.stage != "playing" or scene.task is None:
        return
    film = scene.task.film
    wanted = int(scene.game.expert(film.params, film.level, film.state, PERFECT))
    if scene.game.pace == "real_time" and wanted != film.action:
        scene.keys.release()
    if scene.game.pace != "real_time" and scene.since_s < 0.4:
        return
    key = next((key for key, action in scene.game.keys.items() if action == wanted), None)
    if key is not None and (scene.game.pace != "real_time" or wanted != film.action):
        scene.handle(Event("press", key))
    if scene.cells is not None and wanted:
        for name in scene.game.actions[wanted].split("-"):
            shape = next(shape for shape in scene.now if shape.kind == "rect" and shape.text == name)
            x = VIEW.x + (shape.x + shape.width / 2) * VIEW.width
            scene.handle(Event("click", "left", x, VIEW.y + (1.0 - shape.y - shape.height / 2) * VIEW.height))


def main() -> int:
    """Paint all pictures; the exit code."""
    catalog = Catalog()
    with tempfile.TemporaryDirectory() as scratch, Window("pictures", hidden=True) as window:
        camera = _Camera(window, FOLDER)
        watched(camera, catalog)
        replayed(camera, catalog, Path(scratch))
        for game in _GAMES:
            played(camera, catalog, game, Path(scratch) / game)
    for path in sorted(FOLDER.iterdir()):
        sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
