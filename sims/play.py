"""Play: a person plays, a controller adapts, and every attempt becomes a row like those of synthetic players.

The person's own skill is estimated beside them, from the tenth attempt on, together with a synthetic twin of that
skill. That work runs in a thread, so that no frame waits for it.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.game import WON, Faculties, Game, Shape
from engine.parameters import along, to_real
from engine.scenario import Scenario, load, parse, setup_of
from engine.setup import Setup
from sims.catalog import Catalog
from sims.film import Address, Deed, Film
from sims.human import Sitting, Task, setup_for
from sims.live_folder import ATTEMPTS, discard, new_folder
from sims.palette import between
from sims.place import GLIDE_S, Place, tick_seconds
from sims.play_picture import VIEW, paint_play
from sims.screen import Canvas, Event, show
from sims.skill_estimate import FEWEST, SkillEstimate, curve, estimate, population
from sims.steering import Cells, Keys

TARGETS: Final = tuple(round(0.3 + 0.05 * i, 2) for i in range(14))  # 0.30 to 0.95
_MOST_TICKS: Final = 6  # a frame; a slow machine slows the game down instead of playing blind
_BEFORE_RESULT_S: Final = 0.6  # the end of an attempt stays in sight before its card comes
_AFTER_CARD_S: Final = 0.4  # a key that was meant for the game must not close the card
_DEMONSTRATOR: Final = Faculties(1.5, 1.0, 0.22, 0.03, 0.05, 0.01, 0.005, 1.6)
_CONTROLLER: Final = "kalman"
_TEXT: Final = """
format = 1
title = "{game}, played by a person"
seed = 20260
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.75
[controller]
name = "{controller}"
[players]
count = 1000
[[cohort]]
name = "players"
share = 1.0
[horizon]
days = 14
attempts_per_player = 400
"""

Stage = Literal["start", "warming", "playing", "ending", "card"]


class Play:
    """The scene."""

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        folder: Path,
        *,
        controller: str | None = None,
        target: float | None = None,
    ) -> None:
        """controller and target are chosen beforehand on the start screen; None for those of the scenario."""
        self.setup: Setup = setup_of(scenario, catalog)
        self.game: Game = self.setup.game
        self.kinds = tuple(catalog.controller(entry.name) for entry in catalog.controllers())
        kind = self.setup.kind if controller is None else catalog.controller(controller)
        self.kind_at = self.kinds.index(kind)
        self.target = float(np.mean(self.setup.targets[0])) if target is None else target
        self.done = False
        self.stage: Stage = "start"
        self.paused = False
        self.task: Task | None = None
        self.last: Task | None = None  # the attempt whose card is shown
        self.outcomes: list[int] = []
        self.difficulties: list[float] = []
        self.estimate: SkillEstimate | None = None
        self.keys = Keys(self.game)
        self.cells = Cells(self.game) if Cells.fits(self.game) else None
        self.before: list[Shape] = []
        self.now: list[Shape] = []
        self.since_s = 0.0  # since the last tick or turn, or since the stage began
        self._shown = 0
        self.demo = self._demonstration()
        self._folder = folder
        self._sitting: Sitting | None = None
        self._deeds: list[Deed] = []
        self._thinking_s = 0.0
        self._owed_s = 0.0
        self._tick_s = tick_seconds(self.game)
        self._pool = ThreadPoolExecutor(1)
        self._curves: list[Future[Any]] = []
        self._skills: Future[Any] | None = None
        self._warm: Future[None] | None = None  # begins with the first frame

    @property
    def kind(self) -> ControllerKind:
        """The controller that adapts, or will."""
        return self.kinds[self.kind_at]

    @property
    def wins(self) -> int:
        return sum(outcome == WON for outcome in self.outcomes)

    @property
    def beliefs(self) -> list[tuple[str, float]]:
        """What the controller believes before the attempt of the moment."""
        if self._sitting is None or self.task is None:
            return []
        return list(zip(self._sitting.beliefs, self.task.beliefs, strict=True))

    @property
    def computing(self) -> bool:
        """Whether the skill is being estimated."""
        return any(not future.done() for future in self._curves)

    def close(self) -> None:
        """End the sitting; all finished attempts are on disk."""
        if self._warm is not None and not self._warm.done():
            sys.stderr.write("flowdial: one moment, a compilation is under way; it is kept for the next time.\n")
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._sitting is not None:
            self._sitting.close()

    # --- what people do ----------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        if event.kind == "close" or (event.kind == "press" and event.key == "escape"):
            self.done = True
        elif self.stage == "start":
            self._prepare(event)
        elif self.stage == "card":
            wanted = event.kind == "click" or (event.kind == "press" and event.key in ("return", "space"))
            if wanted and self.since_s >= _AFTER_CARD_S:
                self._begin()
        elif self.stage == "playing":
            self._steer(event)

    def _prepare(self, event: Event) -> None:
        if event.kind == "click":
            self.stage = "warming"
        elif event.kind == "press" and event.key in ("up", "down"):
            self.kind_at = (self.kind_at + (1 if event.key == "down" else -1)) % len(self.kinds)
        elif event.kind == "press" and event.key in ("left", "right"):
            ahead = [t for t in TARGETS if (t > self.target + 1e-9 if event.key == "right" else t < self.target - 1e-9)]
            if ahead:
                self.target = min(ahead) if event.key == "right" else max(ahead)
        elif event.kind == "press" and event.key in ("return", "space"):
            self.stage = "warming"

    def _steer(self, event: Event) -> None:
        if event.kind == "press" and event.key == "p":
            self.paused = not self.paused
            self.keys.release()
        elif event.kind == "press" and event.key == "r" and self.task is not None and self._deeds:
            self.task.film.stop()
            self._finish()
        elif not self.paused:
            action = self.keys.handle(event)
            if self.cells is not None:
                action = self.cells.handle(event, self.now, VIEW)
            if action is not None and self.game.pace != "real_time" and self.since_s >= min(GLIDE_S, self._tick_s):
                self._do(Deed(action, round(self._thinking_s, 3)))
                self._thinking_s = 0.0

    # --- what happens ------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        if self.paused:
            return
        self.since_s += seconds
        if self._warm is None:
            self._warm = self._pool.submit(self._warm_up)
        if self.stage in ("start", "warming"):
            self.demo.play(seconds)
            if self.demo.free:
                self.demo = self._demonstration()
        if self.stage == "warming" and self._warm.done():
            self._warm.result()  # a fault in the thread is a fault here
            self._open()
            self._begin()
        elif self.stage == "playing" and self.game.pace == "real_time":
            self._run(seconds)
        elif self.stage == "playing":
            self._thinking_s += seconds
        elif self.stage == "ending" and self.since_s >= _BEFORE_RESULT_S:
            self.stage, self.since_s = "card", 0.0
        self._estimate()

    def _run(self, seconds: float) -> None:
        self._owed_s = min(self._owed_s + seconds, _MOST_TICKS * self._tick_s)
        # Half a millisecond of slack: at 60 frames a second each one must be one tick, not sometimes none or two.
        while self._owed_s >= self._tick_s - 0.0005 and self.stage == "playing":
            self._owed_s -= self._tick_s
            self._do(Deed(self.keys.action()))

    def _do(self, deed: Deed) -> None:
        assert self.task is not None  # only while an attempt is played
        film = self.task.film
        film.do(deed)
        self._deeds.append(deed)
        self.before, self.now = self.now, list(film.shapes())
        self.since_s = 0.0
        if film.ended:
            self._finish()

    def _open(self) -> None:
        self.setup = setup_for(self.setup, self.kind, self.target)
        self._sitting = Sitting(self.setup, self._folder)
        self._skills = self._pool.submit(population, self.setup)
        self.task = self._sitting.next()

    def _begin(self) -> None:
        assert self.task is not None  # chosen when the attempt before ended
        self.stage, self.since_s = "playing", 0.0
        self._deeds, self._thinking_s, self._owed_s = [], 0.0, 0.0
        self.keys.release()
        if self.cells is not None:
            self.cells.release()
        self.now = list(self.task.film.shapes())
        self.before = self.now

    def _finish(self) -> None:
        """Save the attempt, then ask for the next one: in this order."""
        assert self.task is not None
        assert self._sitting is not None
        self._sitting.finish(self.task, self._deeds)
        self.last = self.task
        self.outcomes.append(self.task.film.outcome)
        self.difficulties.append(self.task.setting.difficulty)
        self._curves.append(self._pool.submit(curve, self.game, self.task.film.values, self.setup.seed))
        self.task = self._sitting.next()
        self.stage, self.since_s, self.paused = "ending", 0.0, False

    def _estimate(self) -> None:
        ready = len(self._curves)
        known = 0 if self.estimate is None else self.estimate.attempts
        if ready < FEWEST or ready == known or self.computing or self._skills is None or not self._skills.done():
            return
        curves = [future.result() for future in self._curves]
        self.estimate = estimate(curves, [outcome == WON for outcome in self.outcomes], self._skills.result())

    def _demonstration(self) -> Place:
        """A synthetic player who is good at it, on the start screen."""
        self._shown += 1
        film = Film(self.game, self._values(0.35), _DEMONSTRATOR, Address(self.setup.seed, 0, 0, self._shown, 0))
        place = Place(self.game)
        place.show(film)
        return place

    def _values(self, difficulty: float) -> npt.NDArray[np.float64]:
        table = self.setup.space.table()
        return np.array([to_real(table, j, along(self.setup.path, j, difficulty)) for j in range(len(table))])

    def _warm_up(self) -> None:
        """Compile what the estimate needs, before anybody plays."""
        curve(self.game, self._values(0.5), self.setup.seed)

    def picture(self) -> list[Shape]:
        """What is to be painted of the game."""
        if self.game.pace != "real_time" and self.stage in ("playing", "ending"):
            return list(between(self.before, self.now, min(self.since_s / GLIDE_S, 1.0)))
        return self.now

    def paint(self, canvas: Canvas) -> None:
        paint_play(self, canvas)


def play_scenario(catalog: Catalog, game: str, *, controller: str | None = None, seed: int | None = None) -> Scenario:
    """The world in which a person plays when no scenario is named: a thousand average players."""
    kind = catalog.controller(controller or _CONTROLLER)
    usual = kind.name if "player" in kind.scopes else _CONTROLLER
    settings = [] if seed is None else [("seed", str(seed))]
    return parse(_TEXT.format(game=game, controller=usual).encode(), f"play {game}", catalog, settings)


def check_wishes(game: Game, catalog: Catalog, controller: str | None, target: float | None) -> None:
    """Raise ScenarioError when a person cannot play the game, or not like this."""
    if game.pace == "abstract" or (not game.keys and not Cells.fits(game)):
        raise ScenarioError(f"{game.name} has nothing that a person could do in it; watch it instead.")
    if controller is not None:
        catalog.controller(controller)
    if target is not None and not 0.0 < target < 1.0:
        raise ScenarioError(f"--target must be a win rate between 0 and 1, got {target:g}")


def play(
    game: str,
    *,
    controller: str | None = None,
    target: float | None = None,
    scenario: str | None = None,
    seed: int | None = None,
    record: Path | None = None,
    frames: int | None = None,
    out: Path | None = None,
) -> int:
    """Let a person play a game, in the world of a scenario if one is named; rows are saved attempt by attempt.

    scenario: a path or a bundled one, of this game; None for a thousand average players. seed: None for another one in
    each sitting. out: folder of the rows, None for runs/play-<game>-001, -002 ... whichever is free.
    """
    catalog = Catalog()
    check_wishes(catalog.game(game), catalog, controller, target)
    settings = [] if seed is None else [("seed", str(seed))]
    if scenario is None:
        found = play_scenario(catalog, game, controller=controller, seed=seed)
    else:
        found = load(catalog.scenario(scenario), catalog, settings, allow_long=True)
        if found.form.game.name != game:
            raise ScenarioError(f"{scenario} is a scenario of {found.form.game.name}, not of {game}")
    folder = new_folder(out, f"play-{game}", found)
    if seed is None and out is None:  # every sitting has levels of its own, and the folder's number tells which
        number = int(folder.name.rpartition("-")[2])
        path = str(folder / "scenario.toml")
        found = parse(found.resolved_toml().encode(), path, catalog, [("seed", str(found.seed + number))])
    scene = Play(found, catalog, folder, controller=controller, target=target)
    try:
        show(scene, f"Flowdial play: {game}", record=record, frames=frames)
    finally:
        scene.close()
        discard(folder)  # nothing was played
    sys.stdout.write(f"played  {len(scene.outcomes)} attempts, won {scene.wins}\n")
    if folder.exists():
        sys.stdout.write(f"rows    {folder / ATTEMPTS}\n")
    return 0
