"""The scene of watch with a rival: two walls with the same players and the same luck, and the difference between them.

A player stands at the same place on both sides. Whoever has come to their end waits there for their twin, and then both
places go on to the next player.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final

from engine.scenario import Scenario
from sims.catalog import Catalog
from sims.window.background import BackgroundWork
from sims.window.screen import Event
from sims.window.watching.paired_worlds import PairedWorlds
from sims.window.watching.versus_layout import PLACES, place_box
from sims.window.watching.watch_scene import SPEEDS, PendingWork, WatchScene

_AHEAD: Final = 90  # players of each side whom nobody sees, so that the difference is there at once
_STEP: Final = 6  # of them, from one look at the difference to the next


class VersusScene:
    """The scene."""

    def __init__(
        self, before: Scenario, after: Scenario, catalog: Catalog, *, speed: float = 1.0, ends_itself: bool = False
    ) -> None:
        """before, after: of `paired_worlds.rival_of`. ends_itself: end when no player is left on either side."""
        self.done = False
        self.paused = False
        self.speed = speed
        self.scenes = tuple(
            WatchScene(scenario, catalog, speed=speed, viewports=PLACES, in_turn=True) for scenario in (before, after)
        )
        self.paired = PairedWorlds(self.scenes)
        self.pending: PendingWork | None = None
        self._ends_itself = ends_itself
        self._leaving = False
        self._playing_ahead = threading.Lock()

    @property
    def over(self) -> bool:
        """Whether no player is left on either side."""
        return all(scene.over for scene in self.scenes)

    @property
    def replaying(self) -> WatchScene | None:
        """The side that shows a loss, if one does."""
        return next((scene for scene in self.scenes if scene.replay is not None), None)

    def make_ready(self) -> None:
        """Compile, then play players whom nobody sees, the same ones on both sides."""
        for scene in self.scenes:
            scene.world.prepare()
        self.play_ahead()

    def play_ahead(self, players: int = _AHEAD) -> None:
        """Play so many players, at most a third of all, and measure from time to time."""
        most = min(players, *(sum(scene.setup.counts) * scene.setup.replicas // 3 for scene in self.scenes))
        with self._playing_ahead:
            for _ in range(0, most, _STEP):
                if self._leaving:
                    return
                for scene in self.scenes:
                    scene.world.ahead(math.inf, lambda row: None, players=_STEP)
                self.paired.look()

    def leave(self) -> None:
        """Begin nothing more in the background. Waits for attempts that are just being played, never for a compiler."""
        self._leaving = True
        with self._playing_ahead:
            self.paired.look(now=True)

    def wait_for(self, words: str, work: Callable[[], object]) -> None:
        """Run work in the background; the scene stands still but reacts. words: its name on the screen."""
        self.pending = PendingWork(words, BackgroundWork(work), lambda: None)

    def handle(self, event: Event) -> None:
        replaying = self.replaying
        if event.kind == "close":
            self.done = True
        elif replaying is not None:
            replaying.handle(event)
        elif event.kind == "press":
            self._press(event.key)
        elif event.kind == "click" and self.pending is None:
            for side, scene in enumerate(self.scenes):
                for number in range(PLACES):
                    if place_box(side, number).holds(event.x, event.y):
                        scene.show_loss(number)

    def _press(self, key: str) -> None:
        if key == "escape":
            self.done = True
        elif key == "space":
            self.paused = not self.paused
        elif key in ("up", "+", "="):
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), self.speed)
        elif key in ("down", "-"):
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), self.speed)

    def advance(self, seconds: float) -> None:
        if self.pending is not None:
            if not self.pending.work.done:
                return
            pending, self.pending = self.pending, None
            pending.work.result()  # a fault in the thread is a fault here
        replaying = self.replaying
        for scene in self.scenes if replaying is None else (replaying,):
            scene.speed, scene.paused, scene.shows_verdict = self.speed, self.paused, False
            scene.advance(seconds)
        if replaying is not None or self.paused:
            return
        self._go_on()
        self.paired.look()
        self.done = self.done or (self._ends_itself and self.over)

    def _go_on(self) -> None:
        """Let places whose players have ended on both sides begin the next one."""
        for number in range(PLACES):
            waiting = [scene.world.holds(number) for scene in self.scenes]
            # Players who share a controller have no places of their own: nobody waits for them.
            free = [scene.viewports[number].empty or not scene.world.apart for scene in self.scenes]
            if any(waiting) and all(one or other for one, other in zip(waiting, free, strict=True)):
                for scene in self.scenes:
                    if scene.world.apart:
                        scene.world.allow(number)
