"""The world: SimPy decides when, the kernels decide what.

One SimPy process per player: arrival, sessions, returns, until they quit or the horizon comes. Where nothing can
intervene inside a session, a whole session is one kernel call and one event; otherwise each attempt is one event.
Times in rows are the player's own clock, which the kernels advance; SimPy's clock only orders the calls. Both paths
give the same rows, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from heapq import heappop, heappush
from numbers import Real
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import simpy

from engine.controller import Controller, Outcome, Setting, Situation, Who
from engine.errors import EnvironmentFault, PluginFault
from engine.estimates.drawn_setup import drawn_setup
from engine.external.courier import Courier
from engine.external.external_game import AttemptUnplayed, Dice, ExternalGame, Reply, question_of, rules_of
from engine.external.external_turn import posing_of, settling
from engine.faults import (
    ATTEMPT_AT,
    BAD_PROPOSAL,
    KIND_AT,
    NO_FAULT,
    NOBODY,
    PLAYER_AT,
    ROWS_AT,
    STOP_AT,
    BlackBox,
    Fault,
    by_player,
    empty_box,
    failed,
    raised_by,
)
from engine.game import FAILED, WON, Faculties
from engine.kernel import bound, compiled
from engine.players import HORIZON, PLAYER, PLAYING, SESSION_END
from engine.record import SESSION, row_type
from engine.response.level_shifts import OnLevels, level_shifts, shifts_levels
from engine.rule import PerPlayer, belief_names, bounds_of, first_state, flat, layout_of, prepare_options
from engine.session import UNKNOWN, arrive, births, clamp, day_of, frame_of, put_in_order, session_of, single_of
from engine.setup import Setup

_MOST_ROWS: Final = 131_072  # a chunk's rows at most, where players can be divided
LEAST_ROWS: Final = 32_768  # below, the files of a chunk cost more than its rows
_CHUNKS: Final = 256  # what a large run is cut into


# (player's seat, difficulty, clipped, fault, row) -> the fields of a Turn, once the game has played
_Elsewhere = Callable[
    [int, float, int, int, int], Generator[simpy.Event, Any, tuple[int, int, float, float, float, float, int]]
]


class Chunk(NamedTuple):
    """A keyed, idempotent piece of a run: its result is a function of (setup, chunk) alone."""

    number: int
    replica: int
    cohort: int  # -1: all cohorts
    first: int  # place of its first player in the cohort
    size: int  # players
    faults: tuple[Fault, ...] = ()  # attempts that ended earlier tries of it, which are not played again


class Played(NamedTuple):
    """What a chunk left behind, sorted by player and attempt."""

    rows: npt.NDArray[np.void]  # engine.record.row_type
    players: npt.NDArray[np.void]  # engine.players.PLAYER
    arrivals: npt.NDArray[np.float64]  # s, per player
    sessions: npt.NDArray[np.void]  # engine.record.SESSION
    faults: tuple[Fault, ...] = ()  # one for each failed attempt

    @property
    def tables(self) -> tuple[npt.NDArray[Any], ...]:
        """The four arrays."""
        return self[:4]


def chunks(setup: Setup, least_rows: int = LEAST_ROWS) -> list[Chunk]:
    """Cut a run into pieces: some players of a cohort, or what shares a controller; the workers have no say.

    least_rows: of a piece, as far as there are so many.
    """
    most = setup.attempts_per_player
    rows = setup.players * setup.replicas * most
    size = max(min(max(rows // _CHUNKS, least_rows), _MOST_ROWS) // most, 1)
    found: list[Chunk] = []
    for replica in range(setup.replicas):
        if setup.scope == "everyone":
            found.append(Chunk(len(found), replica, -1, 0, setup.players))
            continue
        for cohort, count in enumerate(setup.counts):
            # What a tally counts as one.
            whole = setup.scope == "cohort" or (setup.own_layouts and setup.replicas > 1) or setup.draws_estimates
            step = count if whole else size
            for first in range(0, count, step):
                found.append(Chunk(len(found), replica, cohort, first, min(step, count - first)))
    return found


def belief_columns(setup: Setup) -> tuple[str, ...]:
    """Names of the controller's beliefs, in the order of a row's numbers."""
    rule = setup.kind.rule
    if rule is not None:
        return belief_names(rule, rule.start(prepare_options(rule, setup.options, setup.brief(0)), 0.5))
    return tuple(controller_of(setup, 0).beliefs)


def in_one_call(setup: Setup) -> bool:
    """Whether a session is played in one call: the rules of the game are here, each player has a compiled rule, and
    outcomes arrive at once."""
    here = not isinstance(setup.game, ExternalGame)
    return here and setup.kind.rule is not None and setup.scope == "player" and setup.delay_s == 0.0


def simulate(setup: Setup, chunk: Chunk, *, box: BlackBox | None = None, one_by_one: bool = False) -> Played:
    """Play a chunk to its end; an attempt in which a plug-in raises an exception becomes a failed row.

    box: the black box to write into, None for one of this call's own; one_by_one: one event per attempt even where a
    session could be one call.
    """
    if in_one_call(setup) and not one_by_one:
        world = World(setup, chunk, len(belief_columns(setup)), box)
        world.start_sessions()
    else:
        controller = controller_of(setup, chunk.replica)
        world = World(setup, chunk, len(controller.beliefs), box)
        world.start_attempts(controller)
    world.run()
    return world.finish()


def controller_of(setup: Setup, replica: int) -> Controller:
    """The controller of one replica, with its own memory: a rule for each player, or what the plug-in makes."""
    brief = setup.brief(replica)
    if setup.kind.rule is not None:
        if shifts_levels(setup):
            return OnLevels(PerPlayer(setup.kind.rule, setup.options, brief, level_shifts(setup)), setup)
        return PerPlayer(setup.kind.rule, setup.options, brief)
    if setup.kind.make is None:
        raise ValueError(f"a controller kind needs a rule or a maker, but {setup.kind.name} has neither")
    return setup.kind.make(setup.options, brief)


class World:
    """One chunk's players, rows and SimPy environment."""

    def __init__(self, setup: Setup, chunk: Chunk, beliefs: int, box: BlackBox | None = None) -> None:
        """beliefs: how many numbers the controller's beliefs are; box: see `simulate`."""
        self.env = simpy.Environment()
        self.setup = setup
        self.replica = chunk.replica
        drawn = drawn_setup(setup, chunk.replica)
        self.frame = frame_of(setup, chunk.replica, drawn)
        # The last seat belongs to no player: kernels save a player's record there before the call.
        self._seats, self.arrivals = _people(drawn, chunk, self.frame.whole, self.frame.real)
        self.players = self._seats[:-1]
        self.faults = list(chunk.faults)
        self._stops = by_player(chunk.faults)
        self._box = empty_box() if box is None else box
        self._box[PLAYER_AT] = self._box[STOP_AT] = NOBODY
        self._type = row_type(len(setup.space), beliefs)
        # Room for all where that is not much: memory that is never touched costs nothing.
        self.rows = np.empty(min(len(self.players) * setup.attempts_per_player, _MOST_ROWS), self._type)
        self.beliefs = self.rows["beliefs"]
        self.used = 0
        self._courier: Courier | None = None

    def run(self) -> None:
        """Let everything happen that was started."""
        if self._courier is None:
            self.env.run()
        else:
            self._courier.run()

    def start_sessions(self) -> None:
        """One process per player, one event per session."""
        setup, rule = self.setup, self.setup.kind.rule
        if rule is None:
            raise ValueError(f"only a rule plays whole sessions, but {setup.kind.name} is none")
        chosen = prepare_options(rule, setup.options, setup.brief(self.replica))
        sample = rule.start(chosen, 0.5)
        layouts = layout_of(chosen), layout_of(sample)
        game = rules_of(setup.game, "a session in one call")
        kernel = compiled(session_of(game, rule, *layouts, belief_names(rule, sample)))
        options = flat(chosen)
        first = [
            flat(first_state(rule, chosen, targets[0], bounds_of(setup.floor, setup.ceiling, targets)))
            for targets in self.frame.targets[: len(setup.targets)]
        ]
        middle = np.full((len(self.players), 1), middle_of(setup))
        states = np.hstack((np.array(first)[self.players["cohort"]], middle))
        if rule.unit is not None:
            states[:, layouts[1].place(rule.unit)] = self.players["player"]
        kernel = bound(kernel, self._seats, 0, states, options, *self.frame, self.rows, 0, self._box)
        for i, arrival_s in enumerate(self.arrivals):
            if arrival_s < setup.horizon_s:
                self.env.process(self._sessions(i, float(arrival_s), kernel, states, options))

    def _sessions(
        self, i: int, arrival_s: float, kernel: Any, states: Any, options: Any
    ) -> Generator[simpy.Event, None, None]:
        env, players, frame, box, stops = self.env, self._seats, self.frame, self._box, self._stops
        number = int(players[i]["player"])
        yield env.timeout(arrival_s)
        while True:
            if number in stops:
                self._announce(i, stops[number])
            try:
                count, left, clock_s, gone = kernel(players, i, states, options, *frame, self.rows, self.used, box)
            except (MemoryError, EnvironmentFault, PluginFault):  # not one attempt's: the caller knows what to do
                raise
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - a plug-in may raise anything
                players[i] = players[-1]
                self._blame(raised, number, int(box[ATTEMPT_AT]))
                continue
            self.used += count
            if left == PLAYING:  # the buffer is full, or an attempt failed; the session goes on
                if self.used == len(self.rows):
                    self._grow()
                continue
            if gone:
                return
            yield env.timeout(max(clock_s - env.now, 0.0))

    def _announce(self, i: int, stops: dict[int, int]) -> None:
        """Tell the session kernel which attempt of this player is the next that must not be played."""
        tried = int(self.players[i]["attempts"])
        stop = min((attempt for attempt in stops if attempt >= tried), default=NOBODY)
        self._box[STOP_AT], self._box[KIND_AT] = stop, stops.get(stop, NO_FAULT)

    def _blame(self, raised: BaseException, player: int, attempt: int) -> None:
        """Remember the attempt in which a plug-in raised an exception; what is not a plug-in's is raised again."""
        cause = raised.__cause__
        if isinstance(raised, SystemError) and cause is not None and not isinstance(cause, Exception):
            raise cause  # a signal that came while a kernel ran: Python wraps what its handler raised
        stops = self._stops.setdefault(player, {})
        if attempt in stops:
            raise raised
        fault = raised_by(raised, self.replica, player, attempt)
        if isinstance(raised, AttemptUnplayed):
            fault = fault._replace(kind=raised.why.kind, type=raised.why.type)
        stops[attempt] = fault.kind
        self.faults.append(fault)

    def start_attempts(self, controller: Controller) -> None:
        """One process per player, one event per attempt."""
        setup, game = self.setup, self.setup.game
        desk = Desk(setup, controller, self._box)
        elsewhere = None
        if isinstance(game, ExternalGame):
            # A controller that is no rule may let players share what it learns, whatever its scope.
            together = setup.scope == "player" and setup.kind.rule is not None
            self._courier = Courier(self.env, game, self._box, together=together)
            elsewhere = self._elsewhere(game, self._courier, desk)
            kernel = None
        else:
            kernel = compiled(single_of(game))
            kernel = bound(kernel, self._seats, 0, desk.units, 0.0, 0, 0, *self.frame, self.rows, 0)
        for i, arrival_s in enumerate(self.arrivals):
            if arrival_s < setup.horizon_s:
                self.env.process(self._attempts(i, float(arrival_s), kernel, elsewhere, desk))

    def _elsewhere(self, game: ExternalGame, courier: Courier, desk: Desk) -> _Elsewhere:
        """What plays an attempt of an external game, as the single kernel plays one of ours."""
        frame, players, units = self.frame, self._seats, desk.units
        nothing = Reply(FAILED, 0.0, 0.0, -1, 0, 0.0)
        pose = compiled(posing_of(len(self.setup.space)))
        pose = bound(pose, players, 0, units, 0.0, 0, 0, *frame, self.rows, 0)
        settle = bound(compiled(settling), players, 0, nothing, 0, frame.whole, frame.real, self.rows, 0)
        able = [self.rows.dtype.names.index(name) for name in Faculties._fields]  # type: ignore[union-attr]

        def attempt(
            i: int, difficulty: float, clipped: int, fault: int, r: int
        ) -> Generator[simpy.Event, Any, tuple[int, int, float, float, float, float, int]]:
            level, *dice = pose(players, i, units, difficulty, clipped, fault, *frame, self.rows, r)
            reply = nothing
            if not failed(fault):
                row = self.rows[r]
                faculties = Faculties(*(float(row[place]) for place in able))
                values = row["params"].tolist()
                reply = yield from courier.fetch(question_of(game, values, faculties, Dice(*dice), level))
            ended: tuple[int, int, float, float, float, float, int] = settle(
                players, i, reply, fault if failed(fault) else NO_FAULT, frame.whole, frame.real, self.rows, r
            )
            return ended

        return attempt

    def _attempts(
        self, i: int, arrival_s: float, kernel: Any, elsewhere: _Elsewhere | None, desk: Desk
    ) -> Generator[simpy.Event, Any, None]:
        env, frame, players, units, box = self.env, self.frame, self._seats, desk.units, self._box.data
        new = tuple.__new__  # a named tuple at half the price of its own constructor, three times per attempt
        number, cohort, level = (int(players[i][name]) for name in ("player", "cohort", "level"))
        targets = frame.targets[cohort].tolist()
        target = targets[0]
        tried, place, last, known_s, start_s = 0, 0, 1.0, 0.0, arrival_s
        stops, setting = self._stops.setdefault(number, {}), Setting(middle_of(self.setup))
        yield env.timeout(arrival_s)
        while True:
            if self.used == len(self.rows):
                self._grow()
            r = self.used
            self.used = r + 1
            when = int(players[i]["session"]), day_of(start_s)
            who = played = new(Who, (number, cohort, new(Situation, (target, tried, level, place, last, *when))))
            if start_s < known_s:
                who = Who(number, cohort, Situation(target, tried, level, place, UNKNOWN, *when))
            box[PLAYER_AT], box[ATTEMPT_AT], box[ROWS_AT] = number, tried, r
            if tried not in stops:
                try:
                    asked, clipped, fault = desk.ask(who, start_s, setting)
                    if desk.beliefs:
                        self.beliefs[r] = desk.believed(who)
                    if elsewhere is None:
                        left, won, progress, score, duration_s, clock_s, gone = kernel(
                            players, i, units, asked.difficulty, clipped, fault, *frame, self.rows, r
                        )
                    else:
                        ended = yield from elsewhere(i, asked.difficulty, clipped, fault, r)
                        left, won, progress, score, duration_s, clock_s, gone = ended
                        box[PLAYER_AT], box[ATTEMPT_AT], box[ROWS_AT] = number, tried, r
                    told = new(Outcome, (played, asked, won == 1, progress, score, start_s + duration_s))
                    known_s = desk.tell(told)
                    setting, last = asked, float(won)
                except (MemoryError, EnvironmentFault, PluginFault):  # see _sessions
                    raise
                except (Exception, SystemExit) as raised:  # noqa: BLE001 - the same
                    if players[i]["attempts"] > tried:  # it was played, but telling the controller failed
                        players[i] = players[-1]
                    self._blame(raised, number, tried)
            if tried in stops:
                desk.expose(setting)
                self.beliefs[r] = np.nan
                if elsewhere is None:
                    left, won, _, _, _, clock_s, gone = kernel(
                        players, i, units, setting.difficulty, 0, stops[tried], *frame, self.rows, r
                    )
                else:
                    ended = yield from elsewhere(i, setting.difficulty, 0, stops[tried], r)
                    left, won, _, _, _, clock_s, gone = ended
            if gone:
                return
            tried, start_s = tried + 1, clock_s
            place = place + 1 if left == PLAYING else 0
            if level and won:
                level += 1
                target = targets[level - 1]
            wait_s = clock_s - env.now
            yield env.timeout(wait_s if wait_s > 0.0 else 0.0)

    def _grow(self) -> None:
        self._box[PLAYER_AT] = NOBODY  # what happens here is no plug-in's doing
        grown = np.empty(2 * len(self.rows), self._type)
        grown[: self.used] = self.rows[: self.used]
        self.rows, self.beliefs = grown, grown["beliefs"]

    def finish(self) -> Played:
        """Rows in the order of player and attempt, and the sessions they make up."""
        self._box[PLAYER_AT] = NOBODY
        rows = self.rows[: self.used]
        order = np.argsort(rows["player"] * 2**32 + rows["attempt"], kind="stable")
        compiled(put_in_order)(rows.view(np.int64).reshape(len(rows), rows.itemsize // 8), order)
        return Played(rows, self.players, self.arrivals, _sessions_in(rows, self.players), tuple(sorted(self.faults)))


def played_of(
    rows: npt.NDArray[np.void],
    players: npt.NDArray[np.void],
    arrivals: npt.NDArray[np.float64],
    faults: Sequence[Fault] = (),
) -> Played:
    """What some players of one replica have left behind so far; rows and players come in any order."""
    by_number = np.argsort(players["player"])
    players, arrivals = players[by_number], arrivals[by_number]
    rows = rows[np.lexsort((rows["attempt"], rows["player"]))]
    return Played(rows, players, arrivals, _sessions_in(rows, players), tuple(sorted(faults)))


class Desk:
    """Between players and a controller: bounds, late results, and settings that are deployed on a timetable."""

    def __init__(self, setup: Setup, controller: Controller, box: BlackBox | None = None) -> None:
        """box: a black box; it receives the address of an outcome that a controller gets late."""
        self._controller = controller
        self._box = (empty_box() if box is None else box).data
        self._floor, self._ceiling = setup.floor, setup.ceiling
        self._delay_s, self._every_s = setup.delay_s, setup.deploy_every_s
        # A player's own controller gets outcomes at once: no other player asks it in between.
        self._direct = setup.scope == "player" and setup.delay_s == 0.0
        self._post: list[tuple[float, int, Outcome]] = []
        self._posted = 0
        self._deployed: dict[tuple[int, int], tuple[float, Setting, int, int]] = {}
        self._by_cohort = setup.scope != "everyone" or len({tuple(row) for row in setup.targets}) > 1
        self.beliefs = tuple(controller.beliefs)
        self.units = np.full(len(setup.space), -1.0)  # of the setting last asked for, as the kernel takes them

    def ask(self, who: Who, now_s: float, before: Setting) -> tuple[Setting, int, int]:
        """The setting to be played now, within the bounds, whether it had to be clipped, and BAD_PROPOSAL or NO_FAULT.

        before: what is played when the controller proposes no setting.
        """
        if self._every_s > 0.0:
            return self._on_timetable(who, now_s, before)
        if not self._direct:
            self._deliver(now_s, who)
        asked = self._controller.ask(who)
        if (
            asked.__class__ is Setting
            and asked.units is None
            and asked.difficulty.__class__ is float
            and self._floor <= asked.difficulty <= self._ceiling
        ):
            self.units[0] = -1.0
            return asked, 0, NO_FAULT
        return self._bounded(asked, before)

    def _on_timetable(self, who: Who, now_s: float, before: Setting) -> tuple[Setting, int, int]:
        since_s = np.floor(now_s / self._every_s) * self._every_s
        audience = (who.cohort if self._by_cohort else -1, who.situation.level)
        deployed = self._deployed.get(audience)
        if deployed is None or deployed[0] < since_s:
            # A release knows what was known when it was made, whichever player asks first: it counts releases.
            self._deliver(since_s, who)
            number, day = int(since_s / self._every_s), day_of(since_s)
            release = Situation(who.situation.target, number, who.situation.level, 0, UNKNOWN, 0, day)
            who = who._replace(situation=release)
            before = before if deployed is None else deployed[1]
            deployed = self._deployed[audience] = (since_s, *self._bounded(self._controller.ask(who), before))
        _, setting, clipped, fault = deployed
        self.expose(setting)
        return setting, clipped, fault

    def _bounded(self, proposed: object, before: Setting) -> tuple[Setting, int, int]:
        asked = _setting_in(proposed, len(self.units))
        if asked is None:
            self.expose(before)
            return before, 0, BAD_PROPOSAL
        difficulty = clamp(asked.difficulty, self._floor, self._ceiling)
        units = asked.units
        if units is not None:
            units = tuple(clamp(u, self._floor, self._ceiling) for u in units)
        clipped = int(difficulty != asked.difficulty or units != asked.units)
        setting = Setting(difficulty, units, asked.ticket)
        self.expose(setting)
        return setting, clipped, NO_FAULT

    def expose(self, setting: Setting) -> None:
        """Put a setting where the kernel reads it."""
        if setting.units is None:
            self.units[0] = -1.0
        else:
            self.units[:] = setting.units

    def tell(self, outcome: Outcome) -> float:
        """Pass an outcome on when its time has come; the time at which the controller knows it."""
        if self._direct:
            self._controller.tell(outcome)
            return outcome.played_s
        known_s = outcome.played_s + self._delay_s
        heappush(self._post, (known_s, self._posted, outcome))
        self._posted += 1
        return known_s

    def _deliver(self, now_s: float, asking: Who) -> None:
        post, box = self._post, self._box
        while post and post[0][0] <= now_s:
            outcome = heappop(post)[2]
            # What ends the process here would do so again for any player: the attempt behind it is to blame.
            box[PLAYER_AT], box[ATTEMPT_AT] = outcome.who.player, outcome.who.situation.attempt
            self._controller.tell(outcome)
            box[PLAYER_AT], box[ATTEMPT_AT] = asking.player, asking.situation.attempt

    def believed(self, who: Who) -> tuple[float, ...]:
        """The controller's beliefs before the attempt, in the order of the columns."""
        said = self._controller.describe(who)
        return tuple(said[name] for name in self.beliefs)


def middle_of(setup: Setup) -> float:
    """What is played where a controller has not yet proposed a setting."""
    return 0.5 * (setup.floor + setup.ceiling)


def _setting_in(proposed: object, knobs: int) -> Setting | None:
    """A controller's proposal as plain numbers; None when it is no setting: other types, other shapes, NaN."""
    if not isinstance(proposed, Setting):
        return None
    units: Any = proposed.units  # whatever a plug-in has put there
    if units is not None and not (isinstance(units, Sequence | np.ndarray) and len(units) == knobs):
        return None
    numbers: tuple[Any, ...] = (proposed.difficulty, *(() if units is None else units))
    if any(not isinstance(number, Real) or number != number for number in numbers):
        return None
    difficulty, *places = map(float, numbers)
    return Setting(difficulty, None if units is None else tuple(places), proposed.ticket)


def _people(
    setup: Setup, chunk: Chunk, whole: npt.NDArray[np.int64], real: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float64]]:
    """The chunk's players, born and waiting, with an empty seat after the last; and when each arrives."""
    cohorts = range(len(setup.cohorts)) if chunk.cohort < 0 else (chunk.cohort,)
    sizes = [setup.counts[c] if chunk.cohort < 0 else chunk.size for c in cohorts]
    first = [0 if chunk.cohort < 0 else chunk.first for _ in cohorts]
    seats = np.zeros(sum(sizes) + 1, PLAYER)
    players = seats[:-1]
    numbers = [setup.player_number(c, f + n) for c, f, size in zip(cohorts, first, sizes) for n in range(size)]
    of = np.repeat(np.array(cohorts), sizes)
    compiled(births)(players, np.array(numbers, dtype=np.int64), of, setup.traits, whole, real)
    times = []
    for c, f, size in zip(cohorts, first, sizes):
        wave = np.empty(f + size)  # gaps before the chunk count too
        compiled(arrive)(setup.player_number(c, 0), whole, real, setup.gaps_s[c], setup.window_s, wave)
        times.append(wave[f:])
    arrivals = np.concatenate(times)
    players["clock_s"] = arrivals
    players["left"][arrivals >= setup.horizon_s] = HORIZON
    return seats, arrivals


def _sessions_in(rows: npt.NDArray[np.void], players: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The sessions that sorted rows make up. How a player's last one ended stands in the player's record."""
    opens = np.flatnonzero(
        np.concatenate(([True], (np.diff(rows["player"]) != 0) | (np.diff(rows["session"]) != 0)))[: len(rows)]
    )
    sessions = np.zeros(len(opens), SESSION)
    if not len(opens):
        return sessions
    closes = np.append(opens[1:], len(rows)) - 1
    for name in ("player", "cohort", "session", "start_s"):
        sessions[name] = rows[name][opens]
    sessions["end_s"] = rows["start_s"][closes] + rows["duration_s"][closes]
    sessions["attempts"] = closes - opens + 1
    sessions["wins"] = np.add.reduceat((rows["outcome"] == WON).astype(np.int64), opens)
    sessions["ended_by"] = SESSION_END
    of = np.searchsorted(players["player"], sessions["player"])
    last = np.append(np.diff(sessions["player"]) != 0, True) & (players["place"][of] > 0)
    sessions["ended_by"][last] = players["left"][of][last]
    return sessions
