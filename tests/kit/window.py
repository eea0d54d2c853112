"""What tests of the window share: small runs of real games, scenes without a screen, keys."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ScenarioError
from sims.catalog import Catalog
from sims.runs import execution as runs
from sims.window.canvas import Canvas
from sims.window.playing.play_picture import paint_play
from sims.window.playing.play_scene import PlayScene
from sims.window.replay import ReplayScene
from sims.window.screen import FRAME_S, Event, Scene, Window
from sims.window.watching.watch_picture import paint_watch
from sims.window.watching.watch_scene import WatchScene
from tests.kit.small import scenario

GAMES = ("gap_runner", "tile_match", "boss_duel")


def installed(game: str) -> str:
    """The game's name; the test is skipped where it is not in the catalog."""
    try:
        Catalog().game(game)
    except ScenarioError as fault:
        pytest.skip(str(fault))
    return game


def small_run(folder: Path, game: str, *, format: Any = "csv", **choices: Any) -> Path:  # noqa: A002
    """A run folder of a small scenario."""
    path = folder / f"run-{game}-{format}"
    if not path.exists():
        found = scenario(installed(game), **{"controller": "kalman", "players": 6, "attempts": 25, **choices})
        assert runs.run(found, out=path, workers=1, format=format).faults == {}
    return path


def press(scene: Scene, *keys: str) -> None:
    for key in keys:
        scene.handle(Event("press", key))
        scene.handle(Event("release", key))


def frames(scene: Scene, count: int, *, seconds: float = FRAME_S) -> None:
    for _ in range(count):
        scene.advance(seconds)


def until(scene: Scene, reached: Callable[[], bool], *, most: int = 100_000) -> None:
    """Let frames pass until something is true."""
    for _ in range(most):
        if reached():
            return
        scene.advance(FRAME_S)
    raise AssertionError("it never happened")


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:  # a title may have a comma
        return list(csv.DictReader(file))


def keyed(rows: Iterable[dict[str, str]]) -> dict[tuple[str, str, str], dict[str, str]]:
    return {(row["replica"], row["player"], row["attempt"]): row for row in rows}


def paint(scene: Scene, canvas: Canvas) -> None:
    """Paint any scene of the product."""
    match scene:
        case PlayScene():
            paint_play(scene, canvas)
        case WatchScene():
            paint_watch(scene, canvas)
        case ReplayScene():
            scene.paint(canvas)
        case _:
            raise TypeError(f"no painter is known for {type(scene).__name__}")


@dataclasses.dataclass
class Screen:
    """A window of the dummy driver, and its pixels."""

    window: Window

    @property
    def canvas(self) -> Canvas:
        return self.window.canvas

    def paint(self, scene: Scene) -> Any:
        """The picture of a scene as an array, shape (720, 1280, 3)."""
        import numpy as np
        import pygame

        paint(scene, self.canvas)
        pixels = pygame.surfarray.array3d(self.canvas.surface)
        return np.ascontiguousarray(pixels.transpose(1, 0, 2))
