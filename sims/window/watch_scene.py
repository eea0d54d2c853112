"""The scene of watch: a wall of players, live."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from engine.controller import ControllerKind
from engine.game import Game
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog
from sims.window.background import Warming
from sims.window.live_world import Seen, Wall
from sims.window.panels import Mark
from sims.window.rolling_rate import FEWEST, Trend
from sims.window.row_log import RowLog
from sims.window.screen import Event
from sims.window.viewport import Place
from sims.window.watch_layout import menu_boxes, place_box

PLACES: Final = 9

FASTEST: Final = math.inf

SPEEDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, FASTEST)

_BUDGET_S: Final = 0.004  # of a frame, for stepping; whoever had no turn is first in the next frame

_FAST_BUDGET_S: Final = 0.010

_FAST_TICKS: Final = 16  # a frame, of the few attempts that are shown at full speed

_FAST_ATTEMPTS: Final = 100  # a frame

_OUTCOMES: Final = 10  # latest ones under a place

_UNSEEN: Final = 300  # attempts a frame, of cohorts that are not shown


class Session(Place):
    """A place of the wall: whose attempt it shows, and how their latest ones ended."""

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.seen: Seen | None = None
        self.empty = False  # nobody is left for it
        self.counted = False  # its attempt is already in the charts
        self.outcomes: deque[int] = deque(maxlen=_OUTCOMES)

    def follow(self, seen: Seen, *, counted: bool = False) -> None:
        """Begin an attempt."""
        if self.seen is None or (self.seen.replica, self.seen.player) != (seen.replica, seen.player):
            self.outcomes.clear()
        self.seen, self.counted = seen, counted
        self.show(seen.film)


class Task(NamedTuple):
    """What everybody waits for, in a thread beside the window, and what follows when it is done."""

    words: str
    warming: Warming[object]
    then: Callable[[], None]


class Menu(NamedTuple):
    """The controllers to choose from, and the one that the eye is on."""

    kinds: tuple[ControllerKind, ...]
    at: int


class Watch:
    """The scene."""

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        *,
        cohort: int | None = None,
        speed: float = 1.0,
        ends_itself: bool = False,
    ) -> None:
        """cohort: whose players are shown, by number, None for all; ends_itself: when everybody is gone."""
        self.scenario = scenario
        self.setup = setup_of(scenario, catalog)
        self.wall = Wall(self.setup, PLACES, cohort=cohort)
        self.row_log: RowLog | None = None
        self.places = [Session(self.setup.game) for _ in range(PLACES)]
        self.trends = [Trend() for _ in range(len(scenario.cohorts) + 1)]  # the last one is of everybody
        self.marks: list[Mark] = []  # where the controller was switched
        self.speed = speed
        self.paused = False
        self.done = False
        self.large: int | None = None
        self.menu: Menu | None = None
        self.task: Task | None = None
        self._ends_itself = ends_itself
        self._first = 0  # place that has its turn first in this frame
        kinds = [catalog.controller(entry.name) for entry in catalog.controllers()]
        self._kinds = tuple(
            kind for kind in kinds if self.setup.scope in kind.scopes and (kind.rule is not None or not self.wall.apart)
        )

    @property
    def over(self) -> bool:
        """Whether everybody is gone."""
        return all(place.empty for place in self.places)

    @property
    def trend(self) -> Trend:
        """Of the cohort that is shown, or of everybody."""
        return self.trends[-1 if self.wall.cohort is None else self.wall.cohort]

    @property
    def kind(self) -> ControllerKind:
        """The controller of the moment."""
        return self.wall.chosen[self.wall.number].kind

    def make_ready(self) -> None:
        """Compile and load what the first attempts and their charts need: it would take longer than a frame."""
        self.wall.prepare()
        trend = Trend()
        for n in range(FEWEST):
            trend.add(n, 0, n, True, 0.0, 0.0)

    def wait_for(self, words: str, work: Callable[[], object], then: Callable[[], None] = lambda: None) -> None:
        """Stand still, but stay awake, while something is made ready. words: what, for people."""
        self.task = Task(words, Warming(work), then)

    # --- what people do ----------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        if event.kind == "close":
            self.done = True
        elif event.kind == "press" and self.menu is not None:
            self._choose(event.key)
        elif event.kind == "press":
            self._press(event.key)
        elif event.kind == "click":
            self._click(event.x, event.y)

    def _press(self, key: str) -> None:
        if key == "escape":
            self.done = self.large is None
            self.large = None
        elif key == "space":
            self.paused = not self.paused
        elif key in ("right", ".") and self.task is None:
            self.paused = True
            for number in range(PLACES):
                self._serve(number)
                self.places[number].ticks(1)
                self._count_if_ended(self.places[number])
        elif key in ("up", "+", "="):
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), self.speed)
        elif key in ("down", "-"):
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), self.speed)
        elif key in tuple("123456789"):
            place = int(key) - 1
            self.large = None if self.large == place else place
        elif key == "c" and self.task is None:
            self.menu = Menu(self._kinds, self._kinds.index(self.kind))
        elif key == "tab" and self.task is None:
            now, count = self.wall.cohort, len(self.scenario.cohorts)
            self.wall.cohort = 0 if now is None else now + 1 if now + 1 < count else None

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
            self.large = next((place for place in range(PLACES) if place_box(place).holds(x, y)), None)

    def _choose(self, key: str) -> None:
        assert self.menu is not None  # only then keys come here
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            self.menu = self.menu._replace(at=(self.menu.at + step) % len(self.menu.kinds))
        elif key == "return":
            kind = self.menu.kinds[self.menu.at]
            self.menu = None
            if kind is not self.kind:
                self.wait_for(kind.name, lambda: self.wall.warm(kind, kind.options()), lambda: self.switch(kind))
        elif key in ("escape", "c"):
            self.menu = None

    def log_rows(self, log: RowLog) -> None:
        """Write each row to a log while it is watched."""
        self.row_log, self.wall.on_row = log, log.add

    def switch(self, kind: ControllerKind) -> None:
        """Let another controller decide from the next attempt on, and mark it in all charts."""
        self.wall.switch(kind)
        for trend in self.trends:
            trend.forget_beliefs()
        self.marks.append(Mark(float(self.trends[-1].attempts), kind.name))

    # --- what happens ------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        if self.row_log is not None:
            self.row_log.keep()
        if self.task is not None and self.task.warming.done:
            task, self.task = self.task, None
            task.warming.result()  # a fault in the thread is a fault here
            task.then()
        if self.paused or self.menu is not None or self.task is not None:
            return
        if self.speed == FASTEST:
            self._rush()
        else:
            self._play(seconds * self.speed)
        self.done = self.done or (self._ends_itself and self.over)

    def _play(self, seconds: float) -> None:
        limit = time.perf_counter() + _BUDGET_S
        for number in (*range(self._first, PLACES), *range(self._first)):
            self._serve(number)
            self.places[number].play(seconds)
            self._count_if_ended(self.places[number])
            if time.perf_counter() > limit:
                self._first = (number + 1) % PLACES
                return

    def _rush(self) -> None:
        """Count as many attempts as a frame has time for; show a few of them."""
        limit = time.perf_counter() + _FAST_BUDGET_S
        for n in range(_FAST_ATTEMPTS):
            number = (self._first + n) % PLACES
            place = self.places[number]
            self._count_if_shown(place)
            seen = self.wall.next(number)
            if seen is None:
                place.empty = True
                continue
            self._count(seen)
            if (place.seen is None or place.ended) and self.wall.cohort in (None, seen.cohort):
                place.follow(seen, counted=True)
            if time.perf_counter() > limit:
                break
        self._first = (self._first + 1) % PLACES
        for place in self.places:
            place.ticks(_FAST_TICKS)

    def _count_if_shown(self, place: Session) -> None:
        if place.seen is not None and not place.counted:
            place.counted = True
            place.outcomes.append(place.seen.outcome)
            self._count(place.seen)

    def _serve(self, number: int) -> None:
        """Give a free place its next attempt; those of a cohort that is not shown are only counted."""
        place = self.places[number]
        if place.empty or not place.free:
            return
        for _ in range(_UNSEEN):
            seen = self.wall.next(number)
            if seen is None:
                place.empty = True
                return
            if self.wall.apart or self.wall.cohort in (None, seen.cohort):
                place.follow(seen)
                return
            self._count(seen)

    def _count_if_ended(self, place: Session) -> None:
        if place.ended:
            self._count_if_shown(place)

    def _count(self, seen: Seen) -> None:
        known = seen.controller == self.wall.number and seen.beliefs
        belief = seen.beliefs[0] if known else math.nan
        x = self.trends[-1].attempts + 1
        for trend in (self.trends[seen.cohort], self.trends[-1]):
            trend.add(x, seen.replica, seen.player, seen.won, seen.difficulty, belief)
