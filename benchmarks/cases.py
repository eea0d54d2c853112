"""What is measured: settings, populations and loops, each as a function that does some work and says how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import simpy

from benchmarks import naive_boss_duel, naive_gap_runner
from controllers.adaptive.kalman import CONTROLLER as KALMAN
from controllers.adaptive.weighted_up_down import CONTROLLER as WEIGHTED_UP_DOWN
from engine.batch import Crowd, batch_rows, batch_wins
from engine.controller import Brief, ControllerKind, Option, Outcome, Rule, Scope, Setting, Who
from engine.faults import empty_box
from engine.game import WON, Game
from engine.kernel import compiled
from engine.parameters import straight_path
from engine.players import PLAYER, Distribution, Flow, distribution_table
from engine.record import row_type
from engine.rule import Layout, belief_names, bounds_of, first_state, flat, layout_of, prepare_options
from engine.session import arrive, births, frame_of, session_of
from engine.setup import Setup
from engine.world import Chunk, belief_columns, chunks, simulate
from games.boss_duel import GAME as BOSS_DUEL
from games.gap_runner import GAME as GAP_RUNNER
from games.logistic import GAME as LOGISTIC

RULES: Final = {"weighted_up_down": WEIGHTED_UP_DOWN, "kalman": KALMAN}
SEED: Final = 20260101
DIALS: Final = (0.5, 0.6, 0.7)  # places on gap_runner's straight dial where attempts are neither all won nor all lost
ATTEMPTS: Final = 200  # of each player
PER_SESSION: Final = 40
DUELS: Final = ((0.4, -1.5), (0.6, 0.0), (0.9, 1.5))  # boss_duel's dial and the skill of who plays there
OF_EACH: Final = 10  # attempts of one player at boss_duel
MOST_ERRORS: Final = 4.0  # standard errors within which two games count as the same
# A constant chance of 1 in PER_SESSION to end a session after an attempt, and nobody quits.
STEADY: Final = Flow(end_base=float(-np.log(PER_SESSION - 1.0)), end_place=0.0)
FAITHFUL: Final = {"quit_frailty": Distribution("fixed", -40.0), "session_frailty": Distribution("fixed", 0.0)}


class Options(NamedTuple):
    level: float = 0.5


class Trivial:
    """A controller in Python that does next to nothing: what is left is the price of asking it."""

    beliefs = ()

    def __init__(self, options: Options, brief: Brief) -> None:
        self._setting = Setting(options.level)

    def ask(self, who: Who) -> Setting:
        return self._setting

    def tell(self, outcome: Outcome) -> None:
        pass

    def describe(self, who: Who) -> Mapping[str, float]:
        return {}


TRIVIAL: Final = ControllerKind(
    name="trivial",
    mode="deterministic",
    summary="Always the same place on the dial, said in Python.",
    formula="d = level",
    source="-",
    use="To measure the engine, not to play.",
    options=Options,
    option_list=(Option("level", 0.0, 1.0, "difficulty"),),
    make=Trivial,
    scopes=("player", "everyone"),
)


def setup(kind: ControllerKind, players: int, *, scope: Scope = "player", attempts: int = ATTEMPTS) -> Setup:
    """Steady players of logistic who make so many attempts each, about PER_SESSION in a session."""
    return Setup(
        game=LOGISTIC,
        space=LOGISTIC.space,
        path=straight_path(LOGISTIC.space),
        floor=0.0,
        ceiling=1.0,
        kind=kind,
        options=kind.options(),
        scope=scope,
        cohorts=("everyone",),
        counts=(players,),
        traits=np.array([distribution_table(FAITHFUL)]),
        targets=np.array([[0.55]]),
        levels=0,
        flow=STEADY,
        gaps_s=(0.0,),
        window_s=86_400.0,
        delay_s=0.0,
        deploy_every_s=0.0,
        horizon_s=1e12,
        attempts_per_player=attempts,
        replicas=1,
        seed=SEED,
        digest="s0000000000000000",
    )


# --- SimPy alone -----------------------------------------------------------------------------------------------------


def raw_simpy(processes: int, events: int) -> int:
    """Processes that only wait, each for times of its own."""
    env = simpy.Environment()

    def waits(delay_s: float, times: int) -> Any:
        for _ in range(times):
            yield env.timeout(delay_s)

    for i in range(processes):
        env.process(waits(1.0 + (i * 7919 % 1009) / 1009.0, events // processes))
    env.run()
    return events // processes * processes


# --- gap_runner at fixed settings ------------------------------------------------------------------------------------


@cache
def dial_values(game: Game) -> npt.NDArray[np.float64]:
    return np.array([game.space.real([dial] * len(game.space)) for dial in DIALS])


def naive(attempts: int, seed: int) -> int:
    """The naive twin, so many attempts at each dial."""
    return sum(len(naive_gap_runner.play(naive_settings(k), attempts, seed)) for k in range(len(DIALS)))


def naive_settings(k: int) -> naive_gap_runner.Settings:
    """By name, so that a knob that was renamed is an error and not another game."""
    knobs = zip(GAP_RUNNER.space, dial_values(GAP_RUNNER)[k].tolist(), strict=True)
    return naive_gap_runner.Settings(**{knob.name: int(value) if knob.levels else value for knob, value in knobs})


def batch(game: Game, players: int, threads: int) -> int:
    """The batch kernel, one attempt of each player at each dial."""
    crowd = Crowd(distribution_table({}), players)
    batch_wins(game, dial_values(game), crowd, SEED, threads=threads)
    return players * len(DIALS)


class Agreement(NamedTuple):
    """The naive twin and the product at one setting: as often won, and as much work per attempt."""

    game: str
    dial: float
    naive: float  # win rate
    product: float
    errors: float  # difference in standard errors
    naive_ticks: float  # per attempt
    product_ticks: float
    tick_errors: float
    second_errors: float  # of the duration

    @property
    def same(self) -> bool:
        return max(abs(self.errors), abs(self.tick_errors), abs(self.second_errors)) <= MOST_ERRORS


def compared(game: Game, dial: float, naive: list[dict[str, Any]], ours: npt.NDArray[np.void]) -> Agreement:
    """Rows of the naive twin and of the batch at one setting."""
    count = 1.0 / len(naive) + 1.0 / len(ours)
    errors, means = [], []
    for theirs, mine in (
        ([row["outcome"] == "won" for row in naive], ours["outcome"] == WON),
        ([row["ticks"] for row in naive], ours["ticks"]),
        ([row["duration_s"] for row in naive], ours["duration_s"]),
    ):
        means += [float(np.mean(theirs)), float(mine.mean())]
        errors.append((means[-2] - means[-1]) / float(mine.std() * np.sqrt(count)))
    won, won_here, ticks, ticks_here, _, _ = means
    return Agreement(game.name, dial, won, won_here, errors[0], ticks, ticks_here, errors[1], errors[2])


def agreement(attempts: int, players: int = 20_000, seed: int = 7) -> list[Agreement]:
    """Both at each dial of gap_runner; every attempt is another player's, so that attempts are independent."""
    played = batch_rows(GAP_RUNNER, dial_values(GAP_RUNNER), Crowd(distribution_table({}), players), SEED)
    return [
        compared(GAP_RUNNER, dial, naive_gap_runner.play(naive_settings(k), attempts, seed), played[k].ravel())
        for k, dial in enumerate(DIALS)
    ]


# --- boss_duel at fixed settings -------------------------------------------------------------------------------------


def duel_values(dial: float) -> npt.NDArray[np.float64]:
    return np.array([BOSS_DUEL.space.real([dial] * len(BOSS_DUEL.space))])


def duel_knobs(dial: float) -> naive_boss_duel.Knobs:
    """By name, as people read them."""
    return {
        knob.name: knob.shown(float(value)) for knob, value in zip(BOSS_DUEL.space, duel_values(dial)[0], strict=True)
    }


def duellists(skill: float, players: int, attempts: int = 1) -> Crowd:
    """Players of one skill."""
    return Crowd(distribution_table({"skill": Distribution("fixed", skill)}), players, attempts)


def naive_duels(attempts: int, seed: int) -> int:
    """The naive twin of boss_duel, so many attempts at each setting."""
    return sum(len(naive_boss_duel.play(duel_knobs(dial), skill, attempts, seed)) for dial, skill in DUELS)


def duels(players: int) -> int:
    """The batch kernel on boss_duel, wins only: OF_EACH attempts of each player at each setting."""
    for dial, skill in DUELS:
        batch_wins(BOSS_DUEL, duel_values(dial), duellists(skill, players, OF_EACH), SEED)
    return len(DUELS) * players * OF_EACH


def duel_rows(players: int) -> int:
    """The same, with a row of each attempt: duration, progress, state hash."""
    for dial, skill in DUELS:
        batch_rows(BOSS_DUEL, duel_values(dial), duellists(skill, players, OF_EACH), SEED)
    return len(DUELS) * players * OF_EACH


def duel_agreement(attempts: int, players: int = 20_000, seed: int = 7) -> list[Agreement]:
    """Both at each setting of boss_duel, every attempt another player's."""
    found = []
    for dial, skill in DUELS:
        rows = naive_boss_duel.play(duel_knobs(dial), skill, attempts, seed)
        ours = batch_rows(BOSS_DUEL, duel_values(dial), duellists(skill, players), SEED)
        found.append(compared(BOSS_DUEL, dial, rows, ours.ravel()))
    return found


# --- The world on logistic -------------------------------------------------------------------------------------------


def world(of: Setup, *, one_by_one: bool = False) -> int:
    """A run as workers do it, chunk after chunk, results dropped."""
    return sum(len(simulate(of, chunk, one_by_one=one_by_one).rows) for chunk in chunks(of))


@cache
def _bare_of(game: Game, rule: Rule, options: Layout, state: Layout, beliefs: tuple[str, ...]) -> Callable[..., int]:
    session = session_of(game, rule, options, state, beliefs)

    def bare(
        players: Any, states: Any, options: Any, whole: Any, real: Any, table: Any, path: Any, targets: Any, rows: Any,
        box: Any,
    ) -> int:  # fmt: skip
        r = 0
        for i in range(len(states)):
            gone = 0
            while gone == 0:
                count, _, _, gone = session(
                    players, i, states, options, whole, real, table, path, targets, rows, r, box
                )
                r += count
        return r

    return bare


class Bare:
    """The scalar kernel alone: the same attempts with the same rule and the same rows, in one compiled loop.

    No SimPy, no order in time, one row buffer for all chunks.
    """

    def __init__(self, of: Setup) -> None:
        if of.kind.rule is None:
            raise ValueError(f"only a rule compiles, {of.kind.name} is not one")
        self._of = of
        self._chunks = chunks(of)
        rule = of.kind.rule
        options = prepare_options(rule, of.options, of.brief(self._chunks[0].replica))
        first = first_state(rule, options, float(of.targets[0, 0]), bounds_of(of.floor, of.ceiling, of.targets[0]))
        names = belief_names(rule, first)
        self._kernel = compiled(_bare_of(of.game, rule, layout_of(options), layout_of(first), names))
        self._options, self._first = flat(options), flat(first)
        self._unit_at = None if rule.unit is None else layout_of(first).place(rule.unit)
        most = max(chunk.size for chunk in self._chunks) * of.attempts_per_player
        self._rows = np.empty(most, row_type(len(of.space), len(belief_columns(of))))

    def chunk(self, chunk: Chunk) -> npt.NDArray[np.void]:
        """The rows of a chunk, in the order of player and attempt; overwritten by the next call."""
        of, frame = self._of, frame_of(self._of, chunk.replica)
        seats = np.zeros(chunk.size + 1, PLAYER)  # one for the kernel's own use
        players = seats[:-1]
        numbers = np.arange(chunk.size) + of.player_number(chunk.cohort, chunk.first)
        compiled(births)(players, numbers, np.full(chunk.size, chunk.cohort), of.traits, frame.whole, frame.real)
        wave = np.empty(chunk.first + chunk.size)
        compiled(arrive)(
            of.player_number(chunk.cohort, 0), frame.whole, frame.real, of.gaps_s[chunk.cohort], of.window_s, wave
        )
        players["clock_s"] = wave[chunk.first :]
        first = np.append(self._first, 0.5 * (of.floor + of.ceiling))  # with the difficulty before the first attempt
        states = np.tile(first, (chunk.size, 1))
        if self._unit_at is not None:
            states[:, self._unit_at] = numbers
        return self._rows[: self._kernel(seats, states, self._options, *frame, self._rows, empty_box())]

    def run(self) -> int:
        return sum(len(self.chunk(chunk)) for chunk in self._chunks)

    def same_rows(self) -> bool:
        """Whether the world gives the very same bytes."""
        return all(self.chunk(chunk).tobytes() == simulate(self._of, chunk).rows.tobytes() for chunk in self._chunks)
