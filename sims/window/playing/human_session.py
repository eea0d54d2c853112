"""A person's session: settings from the controller, and every attempt on disk before the next begins.

A person is the only player of a world of their own, so the rows have the columns of a run. Source is `human`. The
columns of skill and reaction are empty, since they cannot be measured. Time is time played, without breaks.

Levels are numbered, from 1 where the scenario has an endless stream of them. The number determines the layout of a
level (see `engine.attempt.layout_key`). So the same level can be restarted as another attempt with its own row and
address.

An attempt that a person gives up is a row too: `timed_out`, which counts as not won in every table. If it lasted long
enough (`is_under_way`), the controller gets it as not won, and streak and mood change. Otherwise giving up would hide
losses and overstate skill. A shorter attempt changes nothing.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine import record
from engine.attempt import Address
from engine.controller import ControllerKind, Outcome, Setting, Situation, Who
from engine.external.external_game import rules_of
from engine.game import WON, Faculties
from engine.parameters import along, level_value, put_made, to_real
from engine.players import (
    COHORT_STRIDE,
    FINISHED,
    HORIZON,
    LARGEST_COHORT,
    PLAYER,
    SESSION_END,
    TRAIT_LIST,
    after_attempt,
)
from engine.record import Sheet
from engine.scenario import Scenario, parse
from engine.scenario_file.resolution import text_of
from engine.scenario_file.sections import DEFAULT_TOLERANCE, ControllerSection, TargetSection, TelemetrySection
from engine.session import day_of, frame_of
from engine.setup import Setup
from engine.world import Desk, Played, controller_of, middle_of
from sims.catalog import Catalog
from sims.playback.human_actions import HUMAN_ACTIONS, format_line
from sims.playback.stepper import NO_FACULTIES, AttemptStepper, HumanAction
from sims.run_folder.files import file_fault
from sims.run_folder.names import ATTEMPTS
from sims.window.recording_folder import append, cut

COHORT: Final = "human"
PERSON: Final = LARGEST_COHORT * COHORT_STRIDE  # number of the player: beyond those of any scenario
COUNTS_S: Final = 3.0  # of play; giving up later counts as not won
COUNTS_TURNS: Final = 3
_NEVER: Final = -40.0  # logit of a simulated end: the person decides when to stop
_TITLE: Final = 120  # letters


def human_scenario(scenario: Scenario, catalog: Catalog, kind: ControllerKind, target: float) -> Scenario:
    """The scenario of a session: the players of `scenario`, with the chosen controller and target.

    The options are the scenario's if its own controller was chosen, otherwise the controller's defaults.
    Raises ScenarioError when the controller cannot play the scenario.
    """
    form = scenario.form
    words = f"{form.title or scenario.name}, played by a person"
    changes: dict[str, Any] = {
        "title": words if len(words) <= _TITLE else form.title,
        "target": TargetSection(
            win_rate=target,
            tolerance=form.target.tolerance or DEFAULT_TOLERANCE,
            after_attempts=form.target.after_attempts,
        ),
        "cohort": [cohort.model_copy(update={"target": None}) for cohort in form.cohort],
        "telemetry": TelemetrySection(),  # the person's controller gets outcomes at once
    }
    if kind.name != form.controller.name:
        changes["controller"] = ControllerSection(name=kind.name)
    text = text_of(form.model_copy(update=changes), scenario.changed)
    return parse(text.encode(), scenario.name, catalog, allow_long=True)


def human_setup(setup: Setup, kind: ControllerKind, target: float) -> Setup:
    """The person's own world: one cohort of one player, without delays and without an end.

    A controller that simulates players uses those of the largest cohort.
    """
    largest = int(np.argmax(setup.counts))
    own = kind.name == setup.kind.name  # with the options and the schedule of the scenario
    return dataclasses.replace(
        setup,
        kind=setup.kind if own else kind,
        options=setup.options if own else kind.options(),
        scope="player" if "player" in kind.scopes else kind.scopes[0],
        cohorts=(COHORT,),
        counts=(1,),
        traits=setup.traits[largest : largest + 1],
        targets=np.full((1, setup.targets.shape[1]), target),
        gaps_s=(0.0,),
        delay_s=0.0,
        deploy_every_s=0.0,
        horizon_s=float("inf"),
        attempts_per_player=2**31,
        replicas=1,
    )


def human_sheet(sheet: Sheet) -> Sheet:
    """A table of a run for a person: the source is `human`, and traits are empty."""
    known = {f"trait_{trait.name}" for trait in TRAIT_LIST}
    columns = tuple(
        dataclasses.replace(column, optional=True, meaning=f"{column.meaning}; empty for a person")
        if column.name in known
        else column
        for column in sheet.columns
    )
    if "source" not in sheet.constants:
        return dataclasses.replace(sheet, columns=columns)
    words = {**sheet.words, "source": (COHORT,)}
    return dataclasses.replace(sheet, columns=columns, words=words, constants={**sheet.constants, "source": COHORT})


def is_under_way(stepper: AttemptStepper) -> bool:
    """Whether an attempt has lasted long enough to count when it is given up: three seconds, or three turns."""
    if stepper.game.pace == "real_time":
        return stepper.tick * stepper.game.tick_seconds >= COUNTS_S
    return stepper.tick >= COUNTS_TURNS


class HumanAttempt(NamedTuple):
    """An attempt before, during or after play."""

    number: int  # from 0
    setting: Setting
    clipped: int
    fault: int  # BAD_PROPOSAL or NO_FAULT
    beliefs: tuple[float, ...]
    start_s: float
    stepper: AttemptStepper
    who: Who  # as passed to the controller


class HumanSession:
    """Asks the controller, updates the person's condition, writes rows and actions."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        """setup: of `human_setup`. Raises EnvironmentFault on I/O errors."""
        self.setup = setup
        self._frame = frame_of(setup, 0)
        self._desk = Desk(setup, controller_of(setup, 0))
        self._before = Setting(middle_of(setup))  # played when the controller proposes no setting
        self._levels = 0  # started so far, in an endless stream
        self._player: Any = np.zeros(1, PLAYER)[0]
        self._player["player"] = PERSON
        self._player["quit_frailty"] = self._player["session_frailty"] = _NEVER
        self._player["level"] = 1 if setup.levels else 0
        self._player["mood"], self._player["last"] = setup.flow.content, 1.0
        self._sheet = human_sheet(record.attempt_sheet(setup, self._desk.beliefs))
        self._type = record.row_type(len(setup.space), len(self._desk.beliefs))
        self._rows: list[npt.NDArray[np.void]] = []
        self._folder = folder
        try:
            self._table: FileIO = open(folder / ATTEMPTS, "xb", buffering=0)  # noqa: SIM115 - open till the end
            self._actions: FileIO = open(folder / HUMAN_ACTIONS, "xb", buffering=0)  # noqa: SIM115
            append(self._table, record.csv_header(self._sheet.columns))
        except OSError as fault:
            raise file_fault(fault) from fault

    def close(self) -> None:
        """End the session. All attempts are on disk already; a session without attempts removes its files.

        Raises EnvironmentFault on I/O errors.
        """
        if self._table.closed:
            return
        try:
            self._table.close()
            self._actions.close()
            if not self._rows:
                (self._folder / ATTEMPTS).unlink(missing_ok=True)
                (self._folder / HUMAN_ACTIONS).unlink(missing_ok=True)
        except OSError as fault:
            raise file_fault(fault) from fault

    @property
    def beliefs(self) -> tuple[str, ...]:
        """Names of the controller's beliefs."""
        return self._desk.beliefs

    def next(self, place: int | None = None) -> HumanAttempt:
        """The attempt that the controller proposes. place: number of a level in an endless stream, None for new."""
        player, setup = self._player, self.setup
        level, number, start_s = int(player["level"]), int(player["attempts"]), float(player["clock_s"])
        target = float(setup.targets[0, max(level - 1, 0)])
        place_in_session, session = int(player["place"]), int(player["session"])
        situation = Situation(target, number, level, place_in_session, float(player["last"]), session, day_of(start_s))
        who = Who(PERSON, 0, situation)
        setting, clipped, fault = self._desk.ask(who, start_s, self._before)
        self._before = setting
        units = self._desk.units
        values = np.empty(len(self._frame.table))
        put_made(self._frame.table, len(setup.space), level, values)
        for j in range(len(setup.space)):
            unit = along(setup.path, j, setting.difficulty) if units[0] < 0.0 else float(units[j])
            values[j] = level_value(self._frame.table, j, level, to_real(self._frame.table, j, unit))
        beliefs = self._desk.believed(who) if self._desk.beliefs else ()
        if not setup.levels and place is None:
            self._levels += 1
        stepper = self._film(values, number, level or place or self._levels)
        return HumanAttempt(number, setting, clipped, fault, beliefs, start_s, stepper, who)

    def again(self, attempt: HumanAttempt) -> HumanAttempt:
        """Restart the level of an attempt that was given up, as the next attempt.

        The setting stays the same, unless the attempt counted; then the controller chooses a new setting.
        """
        if is_under_way(attempt.stepper):
            return self.next(attempt.stepper.address.level)
        number, start_s = int(self._player["attempts"]), float(self._player["clock_s"])
        stepper = self._film(attempt.stepper.values, number, attempt.stepper.address.level)
        return attempt._replace(number=number, start_s=start_s, stepper=stepper)

    def _film(self, values: npt.NDArray[np.float64], number: int, level: int) -> AttemptStepper:
        address = Address(self.setup.seed, 0, PERSON, number, level, self.setup.layout_seed(0))
        return AttemptStepper(rules_of(self.setup.game, "play"), values, NO_FACULTIES, address)

    def finish(self, attempt: HumanAttempt, human_actions: Sequence[HumanAction]) -> None:
        """Save an attempt that has ended, then report it to the controller.

        Raises EnvironmentFault on I/O errors.
        """
        player, setup = self._player, self.setup
        row = self._save(attempt, human_actions)
        outcome, duration_s = int(row["outcome"]), float(row["duration_s"])
        progress, score = float(row["progress"]), float(row["score"])
        end_s = attempt.start_s + duration_s
        self._desk.tell(Outcome(attempt.who, attempt.setting, outcome == WON, progress, score, end_s))
        after_attempt(player, outcome, duration_s, setup.flow, setup.seed, 0, setup.levels, 2**31, float("inf"))
        if int(player["left"]) == FINISHED:
            player["level"] = 1  # a completed campaign starts again
        player["clock_s"] = end_s

    def give_up(self, attempt: HumanAttempt, human_actions: Sequence[HumanAction]) -> None:
        """Stop an attempt and save it as timed out. The controller gets it only if it was under way."""
        attempt.stepper.stop()
        if is_under_way(attempt.stepper):
            self.finish(attempt, human_actions)
            return
        row = self._save(attempt, human_actions)
        self._player["attempts"] += 1
        self._player["place"] += 1
        self._player["clock_s"] = attempt.start_s + float(row["duration_s"])

    def _save(self, attempt: HumanAttempt, human_actions: Sequence[HumanAction]) -> Any:
        """Save an attempt. Returns its row once it is on disk."""
        stepper, player = attempt.stepper, self._player
        result = stepper.result()
        rows = np.zeros(1, self._type)
        row = rows[0]
        for name in ("cohort", "player", "session", "place", "streak", "mood"):
            row[name] = player[name]
        row["attempt"], row["level"] = attempt.number, stepper.address.level
        row["layout_seed"] = stepper.address.layout_seed
        row["start_s"], row["duration_s"] = attempt.start_s, result.duration_s
        row["target"], row["difficulty"] = attempt.who.situation.target, attempt.setting.difficulty
        row["clipped"], row["beliefs"] = attempt.clipped, attempt.beliefs
        row["params"] = stepper.values[: len(self.setup.space)]
        row["fault"] = attempt.fault
        for name in Faculties._fields:
            row[name] = np.nan
        for name in ("outcome", "progress", "score", "cause", "ticks", "state_hash"):
            row[name] = getattr(result, name)
        row["end_place"] = result.place
        line = io.BytesIO()
        record.write_csv(line, [record.attempt_batch(self._sheet, rows)])
        before = self._actions.tell()
        try:
            append(
                self._actions, format_line(stepper.address, human_actions).encode()
            )  # first: a row without its actions is useless
            append(self._table, line.getvalue())
        except OSError as fault:
            cut(self._actions, before)
            raise file_fault(fault) from fault
        self._rows.append(rows)
        return row

    def played(self) -> Played:
        """All attempts so far: one player, whose traits are unknown, and one session."""
        rows = np.concatenate([np.empty(0, self._type), *self._rows])
        players = np.zeros(1, PLAYER)
        players[0] = self._player
        for trait in TRAIT_LIST:
            players[trait.name] = np.nan
        players["left"] = HORIZON  # the person may play again, in another session
        session = np.zeros(1, record.SESSION)
        session["player"], session["ended_by"] = PERSON, SESSION_END
        session["end_s"] = self._player["clock_s"]
        session["attempts"], session["wins"] = len(rows), np.sum(rows["outcome"] == WON)
        return Played(rows, players, np.zeros(1), session)
