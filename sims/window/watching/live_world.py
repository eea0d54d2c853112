"""Live sessions: a scenario's world, advanced one attempt at a time, whose controller can be switched.

If each player has their own controller, every viewport follows one player, and all of them start at once. Otherwise the
world's clock decides which player is next. Either way the kernels of a run play each attempt. So its row is the same,
bit for bit, until the controller is switched.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine import record
from engine.attempt import Address
from engine.controller import Controller, ControllerKind, Outcome, Setting, Situation, Who
from engine.external.external_game import rules_of
from engine.faults import Fault
from engine.game import WON, Faculties
from engine.response.win_probability import recorded_chances
from engine.setup import Setup
from engine.world import Chunk, World, belief_columns, chunks, controller_of
from sims.playback.stepper import AttemptStepper
from sims.run_folder.files import Content, new_file

_NO_BELIEF: Final = math.nan
_MOST_AHEAD: Final = 8000  # attempts


class ChosenController(NamedTuple):
    """A controller that was chosen in the window, or the scenario's own."""

    kind: ControllerKind
    options: Any
    beliefs: tuple[str, ...]


class Decision(NamedTuple):
    """The controller that set an attempt's difficulty, and its beliefs."""

    controller: int  # index in LiveWorld.chosen
    beliefs: tuple[float, ...]


Decisions = dict[tuple[int, int, int], Decision]  # by replica, player and attempt


class ControllerSwitch:
    """A controller that passes every call on to the current one.

    The world's belief columns stay those of the first controller; beliefs of later ones are stored in `decided`. An
    outcome goes to the controller that set the attempt's difficulty, unless it has been replaced.
    """

    def __init__(
        self, setup: Setup, replica: int, first: Controller, decided: dict[tuple[int, int, int], Decision]
    ) -> None:
        self.beliefs = tuple(first.beliefs)
        self._setup, self._replica, self._now = setup, replica, first
        self._number = 0
        self._decided = decided

    def switch(self, number: int, chosen: ChosenController) -> None:
        """Replace the controller from now on; the new one starts without knowledge."""
        self._number = number
        self._now = controller_of(
            dataclasses.replace(self._setup, kind=chosen.kind, options=chosen.options), self._replica
        )

    def ask(self, who: Who) -> Setting:
        if self._number:
            values = self._now.describe(who)
            beliefs = tuple(values[name] for name in self._now.beliefs)
            self._decided[self._replica, who.player, who.situation.attempt] = Decision(self._number, beliefs)
        return self._now.ask(who)

    def tell(self, outcome: Outcome) -> None:
        key = (self._replica, outcome.who.player, outcome.who.situation.attempt)
        asked = self._decided.get(key)
        if (asked.controller if asked else 0) == self._number:
            self._now.tell(outcome)

    def describe(self, who: Who) -> Mapping[str, float]:
        return dict.fromkeys(self.beliefs, _NO_BELIEF) if self._number else self._now.describe(who)


class LiveAttempt(NamedTuple):
    """An attempt that the world has played."""

    replica: int
    cohort: int
    player: int
    number: int  # of the attempt, from 0
    session: int
    difficulty: float
    target: float
    outcome: int
    duration_s: float
    controller: int  # index in LiveWorld.chosen
    beliefs: tuple[float, ...]  # of that controller
    stepper: AttemptStepper  # at its start
    row: Any  # its row, as engine.record.row_type

    @property
    def won(self) -> bool:
        return self.outcome == WON


class WatchedPiece(NamedTuple):
    """What one world has played so far."""

    replica: int
    rows: npt.NDArray[np.void]  # in the order of play
    players: npt.NDArray[np.void]  # engine.players.PLAYER
    arrivals: npt.NDArray[np.float64]  # s, per player
    judged_from: int  # index of the first row since the controller was switched
    faults: tuple[Fault, ...]  # one for each failed attempt


class _Source:
    """A world and its controller switch; gives its attempts in the order of their starts."""

    def __init__(self, live_world: LiveWorld, chunk: Chunk) -> None:
        setup = live_world.setup
        self.cohort = chunk.cohort  # -1: all cohorts
        self.judged_from = 0  # index of the first row since the controller was switched
        self.world = World(setup, chunk, len(belief_columns(setup)))
        first = controller_of(setup, chunk.replica)
        self.controller = ControllerSwitch(setup, chunk.replica, first, live_world.decided)
        if live_world.number:
            self.controller.switch(live_world.number, live_world.chosen[live_world.number])
        self.world.start_attempts(self.controller)

    def next(self) -> npt.NDArray[np.void] | None:
        """The row of the next attempt; None when there are no more."""
        world = self.world
        before = world.used
        while world.used == before:
            if world.env.peek() == math.inf:
                return None
            world.env.step()
        row: npt.NDArray[np.void] = world.rows[before : before + 1]
        return row

    def piece(self) -> WatchedPiece:
        """All that was played so far. The world may go on."""
        world = self.world
        rows = world.rows[: world.used].copy()
        return WatchedPiece(
            world.replica, rows, world.players.copy(), world.arrivals, self.judged_from, tuple(world.faults)
        )


class LiveWorld:
    """A scenario under watch: gives attempts to viewports, switches controllers, keeps all rows."""

    def __init__(self, setup: Setup, viewports: int, *, cohort: int | None = None, in_turn: bool = False) -> None:
        """cohort: its players come first, where players can be played separately; None for all. It may be changed.

        in_turn: each viewport has its own players, and begins the next one only when `allow` lets it.
        """
        self.setup = setup
        self.chosen = [ChosenController(setup.kind, setup.options, belief_columns(setup))]
        self.number = 0  # index of the current controller
        self.decided: Decisions = {}
        self.cohort = cohort
        self.apart = setup.scope == "player" and setup.kind.rule is not None
        self.played = 0
        self.on_row: Callable[[npt.NDArray[np.void]], None] = lambda row: None  # called with each new row
        self.finished: list[WatchedPiece] = []  # of worlds that have come to their end
        self._waiting: list[Chunk | _Source] = list(_pieces(setup)) if self.apart else list(chunks(setup))
        self._sources: list[_Source | None] = [None] * min(viewports, len(self._waiting))
        self._in_turn = in_turn and self.apart
        self._allowed = [1 if self._in_turn else math.inf for _ in self._sources]  # players of each viewport
        self._started = [0 for _ in self._sources]

    def next(self, viewport: int) -> LiveAttempt | None:
        """The next attempt for a viewport; None when no player is left for it."""
        slot = self._slot(viewport)
        while True:
            if self.holds(viewport):
                return None
            source = self._sources[slot] = self._wanted(self._sources[slot], slot)
            if source is None:
                return None
            row = source.next()
            if row is None:
                self.finished.append(source.piece())
                self._sources[slot] = None
                continue
            self.played += 1
            self.on_row(row)
            return self._live_attempt(row[0], source)

    def holds(self, viewport: int) -> bool:
        """Whether a viewport's player has come to their end, and the next one may not begin yet."""
        slot = self._slot(viewport)
        return self._sources[slot] is None and self._started[slot] >= self._allowed[slot]

    def allow(self, viewport: int) -> None:
        """Let a viewport begin one more player."""
        self._allowed[self._slot(viewport)] += 1

    @property
    def _asked_for(self) -> int | None:
        """The cohort whose worlds come first; None if worlds contain all cohorts, or all are shown."""
        return None if self.setup.scope == "everyone" else self.cohort

    def _slot(self, viewport: int) -> int:
        """The index of the world that serves a viewport. Viewports of players who share a world share it too."""
        slot = viewport % len(self._sources)
        if self.apart or self._asked_for is None:
            return slot
        cohorts = [None if source is None else source.cohort for source in self._sources]
        return cohorts.index(self.cohort) if self.cohort in cohorts else slot

    def _wanted(self, source: _Source | None, slot: int) -> _Source | None:
        """This source if its cohort is shown, otherwise another while this one waits. None when no player is left."""
        waiting, wanted = self._waiting, self._asked_for
        if source is not None and wanted in (None, source.cohort):
            return source
        if self._in_turn:
            if source is not None:
                return source
            own = (
                i for i, one in enumerate(waiting) if isinstance(one, Chunk) and one.number % len(self._sources) == slot
            )
            at = next(own, None)
            if at is None:
                return None
            self._started[slot] += 1
            taken = waiting.pop(at)
            assert isinstance(taken, Chunk)  # in turn, no source is put back
            return _Source(self, taken)
        at = next((i for i, one in enumerate(waiting) if wanted in (None, one.cohort)), None)
        if at is None:
            if source is not None or not waiting:
                return source
            at = 0
        taken = waiting.pop(at)
        if source is not None:
            waiting.insert(0, source)
        return _Source(self, taken) if isinstance(taken, Chunk) else taken

    def _live_attempt(self, row: Any, source: _Source) -> LiveAttempt:
        replica, player, attempt = int(row["replica"]), int(row["player"]), int(row["attempt"])
        decision = self.decided.get((replica, player, attempt))
        if decision is None:
            decision = Decision(0, tuple(float(value) for value in row["beliefs"]))
        address = Address(self.setup.seed, replica, player, attempt, int(row["level"]), self.setup.layout_seed(replica))
        faculties = Faculties(*(float(row[name]) for name in Faculties._fields))
        return LiveAttempt(
            replica,
            int(row["cohort"]),
            player,
            attempt,
            int(row["session"]),
            float(row["difficulty"]),
            float(row["target"]),
            int(row["outcome"]),
            float(row["duration_s"]),
            decision.controller,
            decision.beliefs,
            AttemptStepper(
                rules_of(self.setup.game, "a live view"),
                np.array([*row["params"], *self.setup.space.numbers_on(int(row["level"]))]),
                faculties,
                address,
            ),
            row.copy(),
        )

    def ahead(
        self, attempts: float, on_attempt: Callable[[npt.NDArray[np.void]], None], *, players: int | None = None
    ) -> None:
        """Play whole players whom no viewport shows, until about so many attempts are played.

        on_attempt: gets each row, shape (1,). Where players share a world, each world goes on in its own order. At
        least two of three players are left for the viewports, or all but so many `players`.
        """
        sources = self._sources
        for slot in range(len(sources)):
            sources[slot] = self._wanted(sources[slot], slot)
        if not self.apart:
            shared = [source for source in dict.fromkeys(sources) if source is not None]
            for source in shared:
                for _ in range(int(min(attempts, _MOST_AHEAD)) // (3 * len(shared))):
                    if (row := source.next()) is None:
                        break
                    self._tell(row, on_attempt)
            return
        for _ in range(len(self._waiting) // 3 if players is None else min(players, len(self._waiting))):
            taken = self._waiting.pop(0)
            source = _Source(self, taken) if isinstance(taken, Chunk) else taken
            while (row := source.next()) is not None:
                self._tell(row, on_attempt)
            self.finished.append(source.piece())
            if self.played >= attempts:
                return

    def _tell(self, row: npt.NDArray[np.void], on_attempt: Callable[[npt.NDArray[np.void]], None]) -> None:
        self.played += 1
        self.on_row(row)
        on_attempt(row)

    def prepare(self) -> None:
        """Compile for the first attempt; this takes seconds when the game is not in the cache."""
        first = self.chosen[0]
        self.warm(first.kind, first.options)
        self._sources[0] = self._wanted(None, 0)

    def warm(self, kind: ControllerKind, options: Any) -> None:
        """Use a controller once and discard it, so that it is compiled before it is needed."""
        controller = controller_of(dataclasses.replace(self.setup, kind=kind, options=options), 0)
        if kind.rule is not None:
            target = float(self.setup.targets[0, 0])
            who = Who(self.setup.player_number(0, 0), 0, Situation(target, 0, min(self.setup.levels, 1), 0, 1.0))
            controller.tell(Outcome(who, controller.ask(who), True, 1.0, 1.0, 0.0))
            controller.ask(who)  # a shared rule processes outcomes at the next call

    def switch(self, kind: ControllerKind) -> None:
        """Switch the controller from the next attempt on. It has its default options and no knowledge yet."""
        options = kind.options()
        beliefs = belief_columns(dataclasses.replace(self.setup, kind=kind, options=options))
        self.chosen.append(ChosenController(kind, options, beliefs))
        self.number = len(self.chosen) - 1
        for source in self._begun():
            source.controller.switch(self.number, self.chosen[-1])
            source.judged_from = source.world.used
        self.finished = [piece._replace(judged_from=len(piece.rows)) for piece in self.finished]

    def _begun(self) -> list[_Source]:
        return [source for source in (*self._sources, *self._waiting) if isinstance(source, _Source)]

    def pieces(self, first: int = 0) -> list[WatchedPiece]:
        """What all worlds have played so far. first: leave out so many of the finished ones."""
        return [*self.finished[first:], *(source.piece() for source in self._begun())]

    @property
    def whole(self) -> bool:
        """Whether all players have come to their end."""
        return not self._waiting and not any(self._sources)

    @property
    def switched(self) -> bool:
        """Whether the controller was switched."""
        return len(self.chosen) > 1

    def rows(self) -> npt.NDArray[np.void]:
        """All rows so far, sorted by replica, player and attempt, as a run writes them."""
        kept = [piece.rows for piece in self.pieces()]
        kind = record.row_type(len(self.setup.space), len(self.chosen[0].beliefs))
        rows = np.concatenate(kept) if kept else np.empty(0, kind)
        order = np.lexsort((rows["attempt"], rows["player"], rows["replica"]))
        return rows[order]

    @property
    def beliefs(self) -> tuple[str, ...]:
        """Names of the beliefs of all controllers so far: columns of the rows."""
        return tuple(dict.fromkeys(name for chosen in self.chosen for name in chosen.beliefs))

    def save(self, path: Path) -> Content:
        """Write all rows so far as CSV with a run's columns; after a switch, with the beliefs of all controllers."""
        return self.write(path, self.rows(), self.beliefs)

    def write(self, path: Path, rows: npt.NDArray[np.void], beliefs: Sequence[str]) -> Content:
        """Write a complete file of these rows. beliefs: their columns."""
        sheet = record.attempt_sheet(self.setup, beliefs)
        with new_file(path) as sink:
            sink.write(record.csv_header(sheet.columns))
            self.write_lines(sink, rows, beliefs)
        return sink.content

    def write_lines(self, sink: Any, rows: npt.NDArray[np.void], beliefs: Sequence[str]) -> None:
        """Write these rows as lines of CSV. sink: a binary file open for writing."""
        for number, part in self._parts(rows):
            chosen = self.chosen[number]
            setup = dataclasses.replace(self.setup, kind=chosen.kind, options=chosen.options)
            sheet = record.attempt_sheet(setup, beliefs)
            chances = recorded_chances(setup, part)
            record.write_csv(sink, [record.attempt_batch(sheet, self._widened(part, number, beliefs), chances)])

    def _parts(self, rows: npt.NDArray[np.void]) -> Iterator[tuple[int, npt.NDArray[np.void]]]:
        """Rows in order, split where the controller changes."""
        if not self.switched:
            yield 0, rows
            return
        numbers = np.array([self._decision(row).controller for row in rows], np.int64)
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1), len(rows)]
        for first, end in pairwise(edges):
            if end > first:
                yield int(numbers[first]), rows[first:end]

    def _decision(self, row: Any) -> Decision:
        key = (int(row["replica"]), int(row["player"]), int(row["attempt"]))
        return self.decided.get(key) or Decision(0, ())

    def _widened(self, rows: npt.NDArray[np.void], number: int, names: Sequence[str]) -> npt.NDArray[np.void]:
        """The rows with a field for every belief, empty if their controller does not have it."""
        if not self.switched:
            return rows
        wide = np.empty(len(rows), record.row_type(len(self.setup.space), len(names)))
        for name in rows.dtype.names or ():
            if name != "beliefs":
                wide[name] = rows[name]
        wide["beliefs"] = _NO_BELIEF
        for j, name in enumerate(self.chosen[number].beliefs):
            values = [self._decision(row).beliefs[j] for row in rows] if number else rows["beliefs"][:, j]
            wide["beliefs"][:, names.index(name)] = values
        return wide


def _pieces(setup: Setup) -> Iterator[Chunk]:
    """Every player as a separate chunk, the cohorts in turn, so that the viewports show all of them."""
    number = 0
    for replica in range(setup.replicas):
        for place in range(max(setup.counts)):
            for cohort, count in enumerate(setup.counts):
                if place < count:
                    yield Chunk(number, replica, cohort, place, 1)
                    number += 1
