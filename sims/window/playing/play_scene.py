"""The scene of play: one person, one game, and the controller that sets the difficulty."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.attempt import Address
from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.external.external_game import rules_of
from engine.game import WON, Faculties, Game, Shape
from engine.parameters import along, to_real
from engine.scenario import Scenario, setup_of
from engine.setup import Setup
from sims.catalog import Catalog
from sims.playback.stepper import AttemptStepper, HumanAction
from sims.window.background import BackgroundWork
from sims.window.input import CellInput, KeyInput
from sims.window.palette import blend
from sims.window.playing.human_run import write_run, write_scenario
from sims.window.playing.human_session import HumanAttempt, HumanSession, human_scenario, human_setup, is_under_way
from sims.window.playing.play_layout import START, TARGET, VIEW, choice_rows
from sims.window.playing.play_menu import CHOICES, READY_S, MenuChoice, PlayMenu
from sims.window.playing.skill_estimate import SkillEstimate
from sims.window.playing.skill_worker import SkillWorker
from sims.window.screen import Event
from sims.window.viewport import GLIDE_S, Viewport, tick_seconds

TARGETS: Final = tuple(round(0.3 + 0.05 * i, 2) for i in range(14))  # 0.30 to 0.95

_MOST_TICKS: Final = 6  # a frame; on a slow machine the game slows down and skips no picture

_BEFORE_RESULT_S: Final = 0.6  # the end of an attempt is shown before its card

_AGAIN_S: Final = 3.0

_AFTER_CARD_S: Final = 0.4  # a key press meant for the game must not close the card

DEMONSTRATOR: Final = Faculties(1.5, 1.0, 0.22, 0.03, 0.05, 0.01, 0.005, 1.6)

PlayStage = Literal["start", "opening", "playing", "ending", "card"]


class PlayScene:
    """The scene."""

    demonstrated = False  # whether a synthetic player is at the keys

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        folder: Path,
        *,
        controller: str | None = None,
        target: float | None = None,
    ) -> None:
        """controller, target: preselected on the start screen; None for those of the scenario."""
        self.setup: Setup = setup_of(scenario, catalog)
        self.game: Game = rules_of(self.setup.game, "play")
        self.kinds = tuple(catalog.controller(entry.name) for entry in catalog.controllers())
        kind = self.setup.kind if controller is None else catalog.controller(controller)
        self.kind_at = self.kinds.index(kind)
        self.target = float(np.mean(self.setup.targets[0])) if target is None else target
        self.done = False
        self.stage: PlayStage = "start"
        self.menu: PlayMenu | None = None  # open: the game stands still
        self.ready_s = 0.0  # until the game goes on after the menu
        self.refusal = ""  # why the controller cannot play the scenario
        self.current: HumanAttempt | None = None
        self.last: HumanAttempt | None = None  # the attempt whose card is shown
        self.outcomes: list[int] = []  # of attempts that the rules or the clock ended
        self.tries: list[int] = []  # of all attempts on disk, including those given up
        self.counted = False  # whether the last restarted attempt counted
        self.keys = KeyInput(self.game)
        self.cells = CellInput(self.game) if CellInput.fits(self.game) else None
        self.before: list[Shape] = []
        self.now: list[Shape] = []
        self.since_s = 0.0  # since the last tick or turn, or since the stage began
        self.again_s = 0.0  # seconds left of the note that a level was restarted
        self.demo_number = 0
        self.demo = self._demonstration()
        self._scenario, self._catalog, self._folder = scenario, catalog, folder
        self._session: HumanSession | None = None
        self._skill = SkillWorker(scenario)
        self._human_actions: list[HumanAction] = []
        self._wanted: int | None = None  # the next turn's action, in a game of turns
        self._thinking_s = 0.0
        self._owed_s = 0.0
        self._tick_s = tick_seconds(self.game)
        self._began_s = 0.0
        self._opening: BackgroundWork[None] | None = None  # begins with the first frame

    @property
    def kind(self) -> ControllerKind:
        """The chosen controller."""
        return self.kinds[self.kind_at]

    @property
    def attempts(self) -> int:
        """Number of attempts on disk."""
        return len(self.tries)

    @property
    def given_up(self) -> int:
        """Number of attempts that the person stopped."""
        return len(self.tries) - len(self.outcomes)

    @property
    def wins(self) -> int:
        return sum(outcome == WON for outcome in self.outcomes)

    @property
    def estimate(self) -> SkillEstimate | None:
        """The latest estimate of the person's skill, if any."""
        return self._skill.estimate

    @property
    def computing(self) -> bool:
        """Whether the skill is being estimated."""
        return self._skill.computing

    @property
    def no_estimate(self) -> bool:
        """Whether the estimation has failed."""
        return self._skill.failed

    def close(self) -> None:
        """End the session. The current attempt is saved as given up; all others are on disk already."""
        try:
            if self._session is not None and self.stage == "playing":
                self._give_up()
                self.stage = "card"
        finally:
            self._skill.close()
            if self._session is not None:
                self._session.close()

    def write_run(self) -> None:
        """Write the files of a run beside the rows of a closed session, if it has rows."""
        if self._session is not None and self.attempts:
            playing_s = time.monotonic() - self._began_s
            write_run(self._folder, self._scenario, self.setup, self._session.played(), playing_s)

    # --- input -------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Close the window after this frame."""
        self.done = True

    def handle(self, event: Event) -> None:
        leaves = event.kind == "press" and event.key == "escape"
        if event.kind == "close" or (leaves and self.stage in ("start", "opening")):
            self.end()
        elif self.menu is not None:
            self._answer(self.menu.handle(event))
        elif leaves or (event.kind == "hide" and self.stage == "playing"):
            self._stop()
        elif self.stage == "start":
            self._prepare(event)
        elif self.stage == "card":
            wanted = event.kind == "click" or (event.kind == "press" and event.key in ("return", "space"))
            if wanted and self.since_s >= _AFTER_CARD_S:
                self._begin()
        elif self.stage == "playing":
            self._steer(event)

    def _stop(self) -> None:
        """Open the menu; the game stands still until it is closed."""
        self.menu = PlayMenu(CHOICES if self.stage == "playing" else ("go on", "save and end"))
        self.keys.release()

    def _answer(self, choice: MenuChoice | None) -> None:
        if choice is None:
            return
        self.menu = None
        if choice == "save and end":
            self.end()
        elif choice == "restart this level":
            self._restart()
        elif self.stage == "playing" and self.game.pace == "real_time":
            self.ready_s = READY_S

    def _prepare(self, event: Event) -> None:
        if event.kind == "click" and event.key == "left":
            self._point(event.x, event.y)
        elif event.kind == "press" and event.key in ("up", "down"):
            self._choose((self.kind_at + (1 if event.key == "down" else -1)) % len(self.kinds))
        elif event.kind == "press" and event.key in ("left", "right"):
            ahead = [t for t in TARGETS if (t > self.target + 1e-9 if event.key == "right" else t < self.target - 1e-9)]
            if ahead:
                self.target = min(ahead) if event.key == "right" else max(ahead)
        elif event.kind == "press" and event.key in ("return", "space"):
            self._open_soon()

    def _point(self, x: float, y: float) -> None:
        if START.holds(x, y):
            self._open_soon()
        elif TARGET.holds(x, y):
            wanted = (x - TARGET.x) / TARGET.width
            self.target = min(TARGETS, key=lambda target: abs(target - wanted))
        for number, row in choice_rows(len(self.kinds), self.kind_at):
            if row.holds(x, y):
                self._choose(number)
                return

    def _choose(self, number: int) -> None:
        self.kind_at, self.refusal = number, ""

    def _open_soon(self) -> None:
        self.stage, self.since_s = "opening", 0.0

    def _steer(self, event: Event) -> None:
        if event.kind == "press" and event.key == "p":
            self._stop()
        elif event.kind == "press" and event.key == "r":
            self._restart()
        else:
            action = self.keys.handle(event)
            if self.cells is not None:
                action = self.cells.handle(event, self.now, VIEW)
            if action is not None and self.game.pace != "real_time":
                self._wanted = action
                self._turn()

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        self._skill.poll()
        if self.menu is not None:
            return
        if self.ready_s > 0.0:
            self.ready_s = max(self.ready_s - seconds, 0.0)
            return
        self.since_s += seconds
        self.again_s = max(self.again_s - seconds, 0.0)
        if self.stage in ("start", "opening"):
            self.demo.play(seconds)
            if self.demo.free:
                self.demo = self._demonstration()
            self._get_ready()
        elif self.stage == "playing" and self.game.pace == "real_time":
            self._run(seconds)
        elif self.stage == "playing":
            self._thinking_s += seconds
            self._turn()
        elif self.stage == "ending" and self.since_s >= _BEFORE_RESULT_S:
            self.stage, self.since_s = "card", 0.0

    def _get_ready(self) -> None:
        """Load libraries behind the start screen, then open. The first frame of `opening` is painted before that."""
        if self._opening is None:
            setup = human_setup(self.setup, self.kind, 0.5)
            self._opening = BackgroundWork(lambda: self._rehearse(setup))
        elif self.stage == "opening" and self.since_s > 0.0 and self._opening.done:
            self._open()

    @staticmethod
    def _rehearse(setup: Setup) -> None:
        """Play and discard one tick: the libraries that it loads would make the first attempt stutter."""
        with contextlib.suppress(Exception), tempfile.TemporaryDirectory() as folder:  # a fault is reported later
            session = HumanSession(setup, Path(folder))
            current = session.next()
            current.stepper.do(HumanAction(0))
            session.give_up(current, [HumanAction(0)])
            session.close()

    def _run(self, seconds: float) -> None:
        self._owed_s = min(self._owed_s + seconds, _MOST_TICKS * self._tick_s)
        # Half a millisecond of slack: at 60 frames a second each one must be one tick, not sometimes none or two.
        while self._owed_s >= self._tick_s - 0.0005 and self.stage == "playing":
            self._owed_s -= self._tick_s
            self._do(HumanAction(self.keys.action()))

    def _turn(self) -> None:
        """Do the requested action once the previous turn has been shown."""
        if self._wanted is not None and self.since_s >= min(GLIDE_S, self._tick_s):
            human_action = HumanAction(self._wanted, round(self._thinking_s, 3))
            self._wanted, self._thinking_s = None, 0.0
            self._do(human_action)

    def _do(self, human_action: HumanAction) -> None:
        assert self.current is not None  # called only during an attempt
        stepper = self.current.stepper
        stepper.do(human_action)
        self._human_actions.append(human_action)
        self.before, self.now = self.now, list(stepper.shapes())
        self.since_s = 0.0
        if stepper.ended:
            self._finish()

    def _open(self) -> None:
        try:
            chosen = human_scenario(self._scenario, self._catalog, self.kind, self.target)
            setup = human_setup(setup_of(chosen, self._catalog), self.kind, self.target)
            session = HumanSession(setup, self._folder)
        except ScenarioError as fault:
            self.stage, self.refusal = "start", str(fault)
            return
        self._scenario, self.setup, self._session = chosen, setup, session
        write_scenario(self._folder, chosen)
        self._began_s = time.monotonic()
        self.current = session.next()
        self._begin()

    def _begin(self) -> None:
        assert self.current is not None  # set when the previous attempt ended
        self.stage, self.since_s, self.ready_s = "playing", 0.0, 0.0
        self._human_actions, self._wanted = [], None
        self._thinking_s = self._owed_s = 0.0
        self.keys.release()
        if self.cells is not None:
            self.cells.release()
        self.now = list(self.current.stepper.shapes())
        self.before = self.now

    def _finish(self) -> None:
        """Save the attempt, then ask for the next one: in this order."""
        assert self.current is not None
        assert self._session is not None
        human_actions, self._human_actions = (
            self._human_actions,
            [],
        )  # never saved twice, not even after an I/O error
        self._session.finish(self.current, human_actions)
        self.last = self.current
        self.outcomes.append(self.current.stepper.outcome)
        self.tries.append(self.current.stepper.outcome)
        self._skill.tell(self.current.stepper.values, self.current.stepper.outcome == WON)
        self.current = self._session.next()
        self.stage, self.since_s, self.again_s = "ending", 0.0, 0.0

    def _give_up(self) -> bool:
        """Save the current attempt as given up, if it has any action. Returns whether it has."""
        assert self.current is not None
        assert self._session is not None
        if not self._human_actions:
            return False
        human_actions, self._human_actions = self._human_actions, []  # never saved twice
        self._session.give_up(self.current, human_actions)
        self.tries.append(self.current.stepper.outcome)
        return True

    def _restart(self) -> None:
        """Restart the level, as the next attempt."""
        if self._give_up():
            assert self.current is not None
            assert self._session is not None
            self.counted = is_under_way(self.current.stepper)
            self.current = self._session.again(self.current)
            self.again_s = _AGAIN_S
        self._begin()

    def _demonstration(self) -> Viewport:
        """A viewport of the start screen: an attempt of a skilled synthetic player."""
        self.demo_number += 1
        stepper = AttemptStepper(
            self.game, self._values(0.35), DEMONSTRATOR, Address(self.setup.seed, 0, 0, self.demo_number, 0)
        )
        viewport = Viewport(self.game)
        viewport.show(stepper)
        return viewport

    def _values(self, difficulty: float) -> npt.NDArray[np.float64]:
        table = self.setup.space.table()
        return np.array(
            [to_real(table, j, along(self.setup.path, j, difficulty)) for j in range(len(self.setup.space))]
        )

    def picture(self) -> list[Shape]:
        """The picture of the game."""
        if self.game.pace != "real_time" and self.stage in ("playing", "ending"):
            return list(blend(self.before, self.now, min(self.since_s / GLIDE_S, 1.0)))
        return self.now
