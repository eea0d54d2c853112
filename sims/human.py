"""A person's sitting: what the controller decides for them, and every attempt on disk before the next begins.

A person is a cohort of one in the scenario's world, so the rows have the columns of a run: source is `human`, the
columns of skill and reaction are empty, since nobody can look inside. Time is time played: breaks are left out.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from engine import record
from engine.controller import ControllerKind, Outcome, Setting, Situation, Who
from engine.game import WON, Faculties
from engine.parameters import along, to_real
from engine.players import FINISHED, PLAYER, after_attempt
from engine.session import frame_of
from engine.setup import Setup
from engine.world import Desk, controller_of
from sims.film import NO_FACULTIES, Address, Deed, Film
from sims.human_actions import FILE, line_of
from sims.live_folder import ATTEMPTS
from sims.pool import file_fault

COHORT: Final = "human"
_NEVER: Final = -40.0  # logit of an end that does not come: a person decides about that


def setup_for(setup: Setup, kind: ControllerKind, target: float) -> Setup:
    """The setup with one more cohort, the person, whose controller hears at once."""
    name = COHORT if COHORT not in setup.cohorts else "the_person"
    targets = np.full((1, setup.targets.shape[1]), target)
    return dataclasses.replace(
        setup,
        kind=kind,
        options=setup.options if kind is setup.kind else kind.options(),
        scope="player" if "player" in kind.scopes else kind.scopes[0],
        cohorts=(*setup.cohorts, name),
        counts=(*setup.counts, 1),
        traits=np.concatenate([setup.traits, setup.traits[-1:]]),
        targets=np.concatenate([setup.targets, targets]),
        delay_s=0.0,
        deploy_every_s=0.0,
        horizon_s=float("inf"),
        attempts_per_player=2**31,
    )


class Task(NamedTuple):
    """The attempt that is to be played, or was."""

    number: int  # from 0
    setting: Setting
    clipped: int
    beliefs: tuple[float, ...]
    start_s: float
    film: Film
    who: Who


class Sitting:
    """Asks the controller, keeps the person's condition, writes rows and actions."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        """setup: as `setup_for` gives it. Raises EnvironmentFault when the disk is in the way."""
        self.setup = setup
        self._cohort = len(setup.cohorts) - 1
        self._number = setup.player_number(self._cohort, 0)
        self._frame = frame_of(setup, 0)
        self._desk = Desk(setup, controller_of(setup, 0))
        self._player: Any = np.zeros(1, PLAYER)[0]
        self._player["player"], self._player["cohort"] = self._number, self._cohort
        self._player["quit_frailty"] = self._player["session_frailty"] = _NEVER
        self._player["level"] = 1 if setup.levels else 0
        self._player["mood"], self._player["last"] = setup.flow.content, 1.0
        sheet = record.attempt_sheet(setup, self._desk.beliefs)
        words = {**sheet.words, "source": ("human",)}
        self._sheet = dataclasses.replace(sheet, words=words, constants={**sheet.constants, "source": "human"})
        self._type = record.row_type(len(setup.space), len(self._desk.beliefs))
        try:
            self._rows: BinaryIO = open(folder / ATTEMPTS, "xb")  # noqa: SIM115 - open as long as the sitting
            self._actions: BinaryIO = open(folder / FILE, "xb")  # noqa: SIM115
            _write(self._rows, record.csv_header(self._sheet.columns))
        except OSError as fault:
            raise file_fault(fault) from fault

    def close(self) -> None:
        """End the sitting. All that was finished is on disk already."""
        self._rows.close()
        self._actions.close()

    @property
    def beliefs(self) -> tuple[str, ...]:
        """Names of what the controller believes."""
        return self._desk.beliefs

    def next(self) -> Task:
        """What the controller wants to be played now."""
        player, setup = self._player, self.setup
        level, number, start_s = int(player["level"]), int(player["attempts"]), float(player["clock_s"])
        target = float(setup.targets[self._cohort, max(level - 1, 0)])
        situation = Situation(target, number, level, int(player["place"]), float(player["last"]))
        who = Who(self._number, self._cohort, situation)
        setting, clipped = self._desk.ask(who, start_s)
        units = self._desk.units
        values = np.empty(len(setup.space))
        for j in range(len(values)):
            unit = along(setup.path, j, setting.difficulty) if units[0] < 0.0 else float(units[j])
            values[j] = to_real(self._frame.table, j, unit)
        address = Address(setup.seed, 0, self._number, number, level)
        film = Film(setup.game, values, NO_FACULTIES, address)
        beliefs = self._desk.believed(who) if self._desk.beliefs else ()
        return Task(number, setting, clipped, beliefs, start_s, film, who)

    def finish(self, task: Task, deeds: list[Deed]) -> None:
        """Put a finished attempt on disk, then tell the controller. Raises EnvironmentFault when the disk is full."""
        film, player, setup = task.film, self._player, self.setup
        result = film.result()
        row = np.zeros(1, self._type)
        for name in ("cohort", "player", "session", "place", "level", "streak", "mood"):
            row[name] = player[name]
        row["attempt"], row["start_s"], row["duration_s"] = task.number, task.start_s, result.duration_s
        row["target"], row["difficulty"] = task.who.situation.target, task.setting.difficulty
        row["clipped"], row["params"], row["beliefs"] = task.clipped, film.values, task.beliefs
        for name in Faculties._fields:
            row[name] = np.nan
        for name in ("outcome", "progress", "cause", "ticks", "state_hash"):
            row[name] = getattr(result, name)
        try:
            _write(self._actions, line_of(film.address, deeds).encode())  # first: a row without them is no use
            record.write_csv(self._rows, [record.attempt_batch(self._sheet, row)])
            _write(self._rows, b"")
        except OSError as fault:
            raise file_fault(fault) from fault
        won = result.outcome == WON
        self._desk.tell(Outcome(task.who, task.setting, won, result.progress, task.start_s + result.duration_s))
        after_attempt(
            player, result.outcome, result.duration_s, setup.flow, setup.seed, 0, setup.levels, 2**31, float("inf")
        )
        if int(player["left"]) == FINISHED:
            player["level"] = 1  # a campaign that was won begins anew
        player["clock_s"] = task.start_s + result.duration_s


def _write(file: BinaryIO, data: bytes) -> None:
    """Append and make durable."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
