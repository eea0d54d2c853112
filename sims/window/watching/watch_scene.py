"""The scene of watch: nine players, live."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.controller import ControllerKind
from engine.external.external_game import rules_of
from engine.game import LOST, WON, Game
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog
from sims.window.background import BackgroundWork
from sims.window.panels import AxisMark
from sims.window.replay import ReplayScene
from sims.window.screen import Event
from sims.window.viewport import Viewport
from sims.window.watching.live_replay import live_row
from sims.window.watching.live_verdict import LiveVerdict
from sims.window.watching.live_world import LiveAttempt, LiveWorld
from sims.window.watching.rolling_rate import FEWEST, RollingRate
from sims.window.watching.row_log import RowLog
from sims.window.watching.watch_layout import menu_boxes, viewport_box

VIEWPORTS: Final = 9

FASTEST: Final = math.inf

SPEEDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, FASTEST)

_BUDGET_S: Final = 0.004  # of a frame, for stepping; the viewports not reached come first in the next frame

_FAST_BUDGET_S: Final = 0.010

_FAST_TICKS: Final = 16  # a frame, of the few attempts shown at full speed

_FAST_ATTEMPTS: Final = 100  # a frame

_OUTCOMES: Final = 10  # latest ones, below a viewport

_AHEAD: Final = 8000  # attempts of players whom nobody sees, so that the story is there at once

_UNSEEN: Final = 300  # attempts a frame, of hidden cohorts


class PlayerViewport(Viewport):
    """A viewport of one player at a time, with their latest outcomes."""

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.attempt: LiveAttempt | None = None
        self.empty = False  # no player is left for it
        self.counted = False  # its attempt is already in the charts
        self.outcomes: deque[int] = deque(maxlen=_OUTCOMES)
        self.last_loss: LiveAttempt | None = None  # of its player

    def follow(self, attempt: LiveAttempt, *, counted: bool = False) -> None:
        """Show an attempt from its start."""
        if self.attempt is None or (self.attempt.replica, self.attempt.player) != (
            attempt.replica,
            attempt.player,
        ):
            self.outcomes.clear()
            self.last_loss = None
        self.attempt, self.counted = attempt, counted
        self.show(attempt.stepper)


class PendingWork(NamedTuple):
    """Work in a background thread that the scene waits for, and the step that follows it."""

    words: str
    work: BackgroundWork[object]
    then: Callable[[], None]


class ControllerMenu(NamedTuple):
    """The controllers to choose from, and the selected one."""

    kinds: tuple[ControllerKind, ...]
    at: int


class WatchScene:
    """The scene."""

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        *,
        cohort: int | None = None,
        speed: float = 1.0,
        ends_itself: bool = False,
        viewports: int = VIEWPORTS,
        in_turn: bool = False,
    ) -> None:
        """cohort: number of the shown cohort, None for all; ends_itself: end when no player is left.

        viewports: how many players are shown; in_turn: as of LiveWorld.
        """
        self.scenario = scenario
        self.setup = setup_of(scenario, catalog)
        self.world = LiveWorld(self.setup, viewports, cohort=cohort, in_turn=in_turn)
        self.row_log: RowLog | None = None
        self.viewports = [PlayerViewport(rules_of(self.setup.game, "a live view")) for _ in range(viewports)]
        self.rolling_rates = [RollingRate() for _ in range(len(scenario.cohorts) + 1)]  # the last one is of all players
        self.live_verdict = LiveVerdict(scenario, self.setup, self.world)
        self.pointer = (-1.0, -1.0)  # where the mouse is
        self.shows_verdict = False  # as a card over the wall
        self.marks: list[AxisMark] = []  # switches of the controller
        self.speed = speed
        self.paused = False
        self.seconds = 0.0  # that the window was open
        self.done = False
        self.large: int | None = None
        self.replay: ReplayScene | None = None  # of a loss, over the wall
        self.menu: ControllerMenu | None = None
        self.pending: PendingWork | None = None
        self._ends_itself = ends_itself
        self._first = 0  # viewport that comes first in this frame
        self._leaving = False
        self._ahead: tuple[list[RollingRate], LiveVerdict] | None = None  # played, and not shown yet
        self._playing_ahead = threading.Lock()
        kinds = [catalog.controller(entry.name) for entry in catalog.controllers()]
        self._kinds = tuple(
            kind
            for kind in kinds
            if self.setup.scope in kind.scopes and (kind.rule is not None or not self.world.apart)
        )

    @property
    def over(self) -> bool:
        """Whether no player is left."""
        return all(viewport.empty for viewport in self.viewports)

    @property
    def rolling_rate(self) -> RollingRate:
        """The data of the shown cohort, or of all players."""
        return self.rolling_rates[-1 if self.world.cohort is None else self.world.cohort]

    @property
    def kind(self) -> ControllerKind:
        """The current controller."""
        return self.world.chosen[self.world.number].kind

    def make_ready(self) -> None:
        """Compile and load everything for the first attempts and charts: it would take longer than a frame."""
        self.world.prepare()
        rolling_rate = RollingRate()
        for n in range(FEWEST):
            rolling_rate.add(n, 0, n, True, 0.0, 0.0)

    def play_ahead(self, attempts: int = _AHEAD) -> None:
        """Play players whom no viewport shows: charts and verdict then say something from the start.

        It may run in the background, so nothing that is painted changes before `take_ahead`.
        """
        with self._playing_ahead:
            if self._leaving:
                return
            rates = [RollingRate() for _ in self.rolling_rates]
            judged = LiveVerdict(self.scenario, self.setup, self.world)

            def count(row: npt.NDArray[np.void]) -> None:
                one = row[0]
                belief = float(one["beliefs"][0]) if one["beliefs"].size else math.nan
                x = rates[-1].attempts + 1
                for rate in (rates[int(one["cohort"])], rates[-1]):
                    won = int(one["outcome"]) == WON
                    rate.add(x, int(one["replica"]), int(one["player"]), won, float(one["difficulty"]), belief)
                judged.look(x)

            self.world.ahead(attempts, count)
            judged.look(rates[-1].attempts, now=self.world.played > 0)
            self._ahead = (rates, judged)

    def take_ahead(self) -> None:
        """Show what was played ahead."""
        if self._ahead is not None:
            (self.rolling_rates, self.live_verdict), self._ahead = self._ahead, None

    def leave(self) -> None:
        """Begin nothing more in the background. Waits for attempts that are just being played, never for a compiler."""
        self._leaving = True
        with self._playing_ahead:
            self.take_ahead()

    def wait_for(self, words: str, work: Callable[[], object], then: Callable[[], None] = lambda: None) -> None:
        """Run work in the background; the scene stands still but reacts. words: its name on the screen."""
        self.pending = PendingWork(words, BackgroundWork(work), then)

    # --- input -------------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        if event.kind == "close":
            self.done = True
        elif self.replay is not None:
            self.replay.handle(event)
            if self.replay.done:
                self.replay = None
        elif event.kind == "press" and self.menu is not None:
            self._choose(event.key)
        elif event.kind == "press":
            self._press(event.key)
        elif event.kind == "click":
            self._click(event.x, event.y)
        elif event.kind == "move":
            self.pointer = (event.x, event.y)

    def _press(self, key: str) -> None:
        if self.shows_verdict and key in ("escape", "v", "return"):
            self.done = self.over and key != "v"
            self.shows_verdict = False
        elif key == "v" and self.pending is None:
            self.show_verdict()
        elif key == "escape":
            self.done = self.large is None
            self.large = None
        elif key == "space":
            self.paused = not self.paused
        elif key in ("right", ".") and self.pending is None:
            self.paused = True
            for number in range(len(self.viewports)):
                self._serve(number)
                self.viewports[number].ticks(1)
                self._count_if_ended(self.viewports[number])
        elif key in ("up", "+", "="):
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), self.speed)
        elif key in ("down", "-"):
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), self.speed)
        elif key in tuple("123456789"):
            number = int(key) - 1
            self.large = None if self.large == number else number
        elif key == "c" and self.pending is None:
            self.menu = ControllerMenu(self._kinds, self._kinds.index(self.kind))
        elif key == "tab" and self.pending is None:
            now, count = self.world.cohort, len(self.scenario.cohorts)
            self.world.cohort = 0 if now is None else now + 1 if now + 1 < count else None

    def _click(self, x: float, y: float) -> None:
        if self.menu is not None:
            boxes = menu_boxes(len(self.menu.kinds), self.menu.at)
            chosen = next((number for number, box in boxes if box.holds(x, y)), None)
            if chosen is None:
                self.menu = None
            else:
                self.menu = self.menu._replace(at=chosen)
                self._choose("return")
        elif self.large is not None:
            self.large = None
        else:
            self.large = next((n for n in range(VIEWPORTS) if viewport_box(n).holds(x, y)), None)
            if self.large is not None and self.show_loss(self.large):
                self.large = None

    def show_loss(self, number: int) -> bool:
        """Show why the player of a viewport lost last. Returns whether there was a loss."""
        lost = self.viewports[number].last_loss
        if lost is not None:
            self.replay = ReplayScene(live_row(self.world, lost))
        return lost is not None

    def _choose(self, key: str) -> None:
        assert self.menu is not None  # called only while the menu is open
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            self.menu = self.menu._replace(at=(self.menu.at + step) % len(self.menu.kinds))
        elif key == "return":
            kind = self.menu.kinds[self.menu.at]
            self.menu = None
            if kind is not self.kind:
                self.wait_for(kind.name, lambda: self.world.warm(kind, kind.options()), lambda: self.switch(kind))
        elif key in ("escape", "c"):
            self.menu = None

    def show_verdict(self) -> None:
        """Judge all attempts so far and show the table."""
        self.live_verdict.look(self.rolling_rates[-1].attempts, now=True)
        self.shows_verdict = True

    def log_rows(self, log: RowLog) -> None:
        """Write each row to a log."""
        self.row_log, self.world.on_row = log, log.add

    def switch(self, kind: ControllerKind) -> None:
        """Switch the controller from the next attempt on, and mark the switch in all charts."""
        self.world.switch(kind)
        for rolling_rate in self.rolling_rates:
            rolling_rate.forget_beliefs()
        self.live_verdict.restart()
        self.marks.append(AxisMark(float(self.rolling_rates[-1].attempts), kind.name))

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        if self.row_log is not None:
            self.row_log.keep()
        if self.pending is not None and self.pending.work.done:
            pending, self.pending = self.pending, None
            pending.work.result()  # a fault in the thread is a fault here
            pending.then()
        if self.replay is not None:
            self.replay.advance(seconds)
            return
        if self.paused or self.menu is not None or self.pending is not None or self.shows_verdict:
            return
        was_over = self.over
        if self.speed == FASTEST:
            self._rush()
        else:
            self._play(seconds * self.speed)
        if self.over and not was_over:
            self.show_verdict()
        self.done = self.done or (self._ends_itself and self.over)

    def _play(self, seconds: float) -> None:
        limit = time.perf_counter() + _BUDGET_S
        for number in (*range(self._first, len(self.viewports)), *range(self._first)):
            self._serve(number)
            self.viewports[number].play(seconds)
            self._count_if_ended(self.viewports[number])
            if time.perf_counter() > limit:
                self._first = (number + 1) % len(self.viewports)
                return

    def _rush(self) -> None:
        """Count as many attempts as fit into a frame; show a few of them."""
        limit = time.perf_counter() + _FAST_BUDGET_S
        for n in range(_FAST_ATTEMPTS):
            number = (self._first + n) % len(self.viewports)
            viewport = self.viewports[number]
            self._count_if_shown(viewport)
            attempt = self.world.next(number)
            if attempt is None:
                viewport.empty = not self.world.holds(number)
                continue
            self._count(attempt)
            if (viewport.attempt is None or viewport.ended) and self.world.cohort in (
                None,
                attempt.cohort,
            ):
                viewport.follow(attempt, counted=True)
            if time.perf_counter() > limit:
                break
        self._first = (self._first + 1) % len(self.viewports)
        for viewport in self.viewports:
            viewport.ticks(_FAST_TICKS)

    def _count_if_shown(self, viewport: PlayerViewport) -> None:
        if viewport.attempt is not None and not viewport.counted:
            viewport.counted = True
            viewport.outcomes.append(viewport.attempt.outcome)
            if viewport.attempt.outcome == LOST:
                viewport.last_loss = viewport.attempt
            self._count(viewport.attempt)

    def _serve(self, number: int) -> None:
        """Give a free viewport its next attempt; attempts of hidden cohorts are only counted."""
        viewport = self.viewports[number]
        if viewport.empty or not viewport.free:
            return
        for _ in range(_UNSEEN):
            attempt = self.world.next(number)
            if attempt is None:
                viewport.empty = not self.world.holds(number)
                return
            if self.world.apart or self.world.cohort in (None, attempt.cohort):
                viewport.follow(attempt)
                return
            self._count(attempt)

    def _count_if_ended(self, viewport: PlayerViewport) -> None:
        if viewport.ended:
            self._count_if_shown(viewport)

    def _count(self, attempt: LiveAttempt) -> None:
        known = attempt.controller == self.world.number and attempt.beliefs
        belief = attempt.beliefs[0] if known else math.nan
        self._add(attempt.cohort, attempt.replica, attempt.player, attempt.won, attempt.difficulty, belief)

    def _add(self, cohort: int, replica: int, player: int, won: bool, difficulty: float, belief: float) -> None:
        x = self.rolling_rates[-1].attempts + 1
        for rolling_rate in (self.rolling_rates[cohort], self.rolling_rates[-1]):
            rolling_rate.add(x, replica, player, won, difficulty, belief)
        self.live_verdict.look(x)
