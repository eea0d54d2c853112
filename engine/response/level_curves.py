"""What the dial does to a cohort on each numbered level: its mean win probability from floor to ceiling.

The players are imagined: drawn from the cohort's traits, in the condition in which they reach the level if they win as
often as they should. The chance is a closed form's mean over them. Where there is none each plays one attempt, at
places that are spread evenly over the dial. A logistic regression on the place then gives the curve: a cubic, with a
step at each jump of a knob that has few values. These attempts are addressed by a replica that no run has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.arithmetic import logistic
from engine.attempt import Address, opening_of, play_of, unpack_params
from engine.external.external_game import ExternalGame, Meeting, played_elsewhere
from engine.game import WON, Faculties, Game
from engine.kernel import compiled, kernel_digest
from engine.parameters import put_made, value_at
from engine.players import PLAYER, be_born, faculties_of, felt_difficulty
from engine.response.chance_map import MAP_REPLICA, LevelProgress, dial_jumps, strangers
from engine.response.kept_tables import keep_tables, read_tables
from engine.response.logistic_fit import climb, fit_logistic
from engine.response.response_map import dial_places
from engine.setup import Setup

Numbers = npt.NDArray[np.float64]

IMAGINED: Final = 200  # players of each cohort, for a closed form
MOST_ATTEMPTS: Final = 8_192  # behind each level, in games without a closed form ...
LEAST_ATTEMPTS: Final = 2_048  # ... and in long campaigns, where all levels share
ALL_ATTEMPTS: Final = 131_072  # these
CELLS: Final = 100  # of the dial from floor to ceiling
_NEAR: Final = 5  # cells to each side over which a slope is taken
_FREE: Final = 0.1  # inverse prior variance of a coefficient: a step of three logits is no surprise
_ADDRESS: Final = 2**20  # above every number of a level: attempts of chance maps stand below it
_FORMAT: Final = 1  # of the files


class LevelCurves(NamedTuple):
    """Mean win probabilities of each cohort on each level."""

    places: Numbers  # of the dial, shape (CELLS + 1,)
    chances: Numbers  # never rising along the dial, shape (cohorts, levels, CELLS + 1)

    def place(self, cohort: int, level: int, target: float) -> float:
        """Where the cohort wins a level, from 1, as often as wanted; an end of the dial where it nowhere does."""
        curve = self.chances[cohort, level - 1]
        if curve[0] <= target:
            return float(self.places[0])
        for k in range(CELLS):
            if curve[k + 1] <= target:
                share = (curve[k] - target) / (curve[k] - curve[k + 1])
                return float(self.places[k] + (self.places[k + 1] - self.places[k]) * share)
        return float(self.places[CELLS])

    def slope(self, cohort: int, level: int, place: float) -> float:
        """|dp/dd| of the cohort's mean on a level, around a place."""
        step = float(self.places[1] - self.places[0])
        k = int((place - float(self.places[0])) / step + 0.5)
        low, high = max(k - _NEAR, 0), min(k + _NEAR, CELLS)
        curve = self.chances[cohort, level - 1]
        return float(curve[low] - curve[high]) / ((high - low) * step)

    def nearest(self, cohort: int, level: int, target: float) -> float:
        """The mean win probability nearest to the target that the dial reaches on a level."""
        curve = self.chances[cohort, level - 1]
        return min(max(target, float(curve[-1])), float(curve[0]))


@lru_cache(maxsize=8)
def level_curves(setup: Setup) -> LevelCurves:
    """The curves of a campaign; without a closed form they are measured, and kept for other processes.

    Where each replica has levels of its own, they are those of fresh layouts: the same for all replicas.
    """
    return measure_levels(setup)


def measure_levels(setup: Setup, *, threads: int = 1, progress: LevelProgress | None = None) -> LevelCurves:
    """What `level_curves` gives. threads: of the measuring; they change no number. progress: takes levels done."""
    places = np.array([setup.floor + (setup.ceiling - setup.floor) * k / CELLS for k in range(CELLS + 1)])
    chances = np.empty((len(setup.cohorts), setup.levels, CELLS + 1))
    for cohort in range(len(setup.cohorts)):
        known = setup.game.win_probability is not None
        chances[cohort] = (
            _closed(setup, cohort, places) if known else _measured(setup, cohort, places, threads, progress)
        )
    return LevelCurves(places, np.minimum.accumulate(chances, axis=2))


def attempts_behind(setup: Setup) -> int:
    """How many attempts all curves of a campaign take; 0 with a closed form."""
    if setup.game.win_probability is not None:
        return 0
    return len(setup.cohorts) * setup.levels * _count(setup)


def _count(setup: Setup) -> int:
    """Attempts behind one level."""
    return min(MOST_ATTEMPTS, max(LEAST_ATTEMPTS, ALL_ATTEMPTS // setup.levels))


def _tried(setup: Setup, cohort: int) -> list[int]:
    """How many attempts a player has made who reaches each level, if all are won as often as they should be."""
    before = np.cumsum(1.0 / setup.targets[cohort])
    return [0, *before[:-1].astype(np.int64).tolist()]


def _closed(setup: Setup, cohort: int, places: Numbers) -> Numbers:
    """Of one cohort by the closed form, shape (levels, CELLS + 1)."""
    curves = np.empty((setup.levels, len(places)))
    players = np.zeros(IMAGINED, PLAYER)
    known = Dial(setup.space.table(), np.ascontiguousarray(setup.path), np.empty(len(setup.space)))
    traits = np.ascontiguousarray(setup.traits[cohort])
    for level, tried in enumerate(_tried(setup, cohort)):
        compiled(imagine)(players, traits, cohort, level + 1, tried)
        compiled(closed_curve_of(setup.game))(players, places, known, curves[level])
    return curves


def _measured(setup: Setup, cohort: int, places: Numbers, threads: int, progress: LevelProgress | None) -> Numbers:
    """Of one cohort by attempts, shape (levels, CELLS + 1); from the cache where they are known."""
    count, tried = _count(setup), _tried(setup, cohort)
    key = _key(setup, cohort, tried, count)
    shape = setup.levels, len(places)
    tables = read_tables(key, ("curves",), shape)
    if tables is None:
        jumps = [at for at in dial_jumps(dial_places(setup.space, setup.path)) if setup.floor < at <= setup.ceiling]
        curves, done = np.empty(shape), cohort * setup.levels
        if progress:
            progress(done, len(setup.cohorts) * setup.levels)
        with ThreadPoolExecutor(threads) as pool:
            fitted = pool.map(partial(_curve, setup, cohort, places, jumps, count), range(setup.levels), tried)
            for level, curve in enumerate(fitted):
                curves[level] = curve
                if progress:
                    progress(done + level + 1, len(setup.cohorts) * setup.levels)
        tables = {"curves": curves}
        keep_tables(key, tables)
    return tables["curves"]


def _curve(
    setup: Setup, cohort: int, places: Numbers, jumps: Iterable[float], count: int, level: int, tried: int
) -> Numbers:
    """Of one level, from 0: attempts are played, and a curve is fitted to them."""
    at, won = np.empty(count), np.empty(count)
    drawn, seed = (0, 0) if setup.own_layouts else (level + 1, setup.brief(0).seed_of_levels)
    given = (
        np.ascontiguousarray(strangers(setup.traits[cohort])), setup.space.table(), np.ascontiguousarray(setup.path),
        np.array([setup.floor, setup.ceiling]),
    )  # fmt: skip
    if isinstance(setup.game, ExternalGame):
        values, able = np.empty((count, len(setup.space))), np.empty((count, len(Faculties._fields)))
        compiled(set_level_trials)(*given, cohort, level + 1, tried, np.zeros(1, PLAYER), at, values, able)
        attempt = _ADDRESS * (cohort + 1) + drawn
        meetings = (
            Meeting(values[i], Faculties(*row), Address(seed, MAP_REPLICA, i, attempt, drawn))
            for i, row in enumerate(able.tolist())
        )
        won[:] = [reply.outcome == WON for _, reply in played_elsewhere(setup.game, meetings)]
    else:
        kernel = compiled(level_trials_of(setup.game))
        kernel(*given, seed, cohort, level + 1, drawn, tried, np.zeros(1, PLAYER), at, won)
    design = _terms(at, setup, jumps)
    found = fit_logistic(design, np.zeros(count), won, np.full(design.shape[1], _FREE))
    return np.array([logistic(float(x)) for x in _terms(places, setup, jumps) @ found])


def _terms(places: Numbers, setup: Setup, jumps: Iterable[float]) -> Numbers:
    """What the logit is linear in, shape (places, 4 + jumps)."""
    x = 2.0 * (places - setup.floor) / (setup.ceiling - setup.floor) - 1.0
    return np.stack(
        [np.ones_like(x), x, x * x, x * x * x, *((places >= at).astype(np.float64) for at in jumps)], axis=1
    )


def _key(setup: Setup, cohort: int, tried: list[int], count: int) -> str:
    """32 hex digits that change with anything that could change the curves of a cohort."""
    game = setup.game
    digest = repr(game.facts) if isinstance(game, ExternalGame) else kernel_digest(level_trials_of(game), climb)
    own = setup.own_layouts, 0 if setup.own_layouts else setup.brief(0).seed_of_levels
    state = hashlib.sha256(f"levels {_FORMAT} {digest} {own} {cohort} {tried} {count} ".encode())
    state.update(f"{setup.floor!r} {setup.ceiling!r}".encode())
    for array in (setup.space.table(), setup.path, setup.traits[cohort]):
        state.update(f" {array.shape} ".encode() + np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return state.hexdigest()[:32]


@cache
def level_trials_of(game: Game) -> Callable[..., None]:
    """The plain kernel: one attempt of each of so many players on a level, at places spread evenly over the dial.

    number: of the level, from 1; drawn: the same, or 0 where its layouts are fresh.
    """
    opening, play = opening_of(game), play_of(game)

    def level_trials(
        traits: Any, table: Any, path: Any, ends: Any, seed: int, cohort: int, number: int, drawn: int, tried: int,
        players: Any, places: Any, won: Any,
    ) -> None:  # fmt: skip
        values = np.empty(len(table))
        for i in range(len(won)):
            places[i] = set_level_trial(traits, table, path, ends, cohort, number, tried, i, players[0], values)
            address = _ADDRESS * (cohort + 1) + drawn
            ended = play(opening(values, seed, MAP_REPLICA, i, address, drawn), faculties_of(players[0]))
            won[i] = 1.0 if ended.outcome == WON else 0.0

    return level_trials


def set_level_trial(
    traits: Any, table: Any, path: Any, ends: Any, cohort: int, number: int, tried: int, i: int, player: Any,
    values: Any,
) -> float:  # fmt: skip
    """Prepare an attempt: its player and its params are filled in; its place on the dial. It compiles."""
    newcomer(player, i, traits, cohort, number, tried)
    # Strides of the golden section: the first places of a sequence are spread as evenly as all of them.
    share = (i + 0.5) * 0.6180339887498949
    share -= np.floor(share)
    place = float(ends[0] + (ends[1] - ends[0]) * share)
    felt = felt_difficulty(player, place)
    knobs = path.shape[1]
    for j in range(knobs):
        values[j] = value_at(table, path, j, felt, number)
    put_made(table, knobs, number, values)
    return place


def set_level_trials(
    traits: Any, table: Any, path: Any, ends: Any, cohort: int, number: int, tried: int, players: Any, places: Any,
    values: Any, able: Any,
) -> None:  # fmt: skip
    """Prepare many attempts for a game that plays elsewhere: params, shape (attempts, knobs), and faculties."""
    for i in range(len(places)):
        places[i] = set_level_trial(traits, table, path, ends, cohort, number, tried, i, players[0], values[i])
        faculties = faculties_of(players[0])
        for j in range(len(faculties)):
            able[i, j] = faculties[j]


class Dial(NamedTuple):
    """What turns a place into params."""

    table: Any
    path: Any
    values: Any  # room for params, shape (knobs,)


def newcomer(player: Any, number: int, traits: Any, cohort: int, level: int, tried: int) -> None:
    """Fill a PLAYER record with a player of no run, who has made so many attempts and begins a session."""
    be_born(player, number, cohort, traits, 0, MAP_REPLICA, level, 0.0)
    player["attempts"] = tried
    player["thrown"] = 0.0


def imagine(players: Any, traits: Any, cohort: int, level: int, tried: int) -> None:
    """Fill PLAYER records with such players."""
    for i in range(len(players)):
        newcomer(players[i], i, traits, cohort, level, tried)


@cache
def closed_curve_of(game: Game) -> Callable[..., None]:
    """The same by the game's closed form: the plain kernel."""
    chance, unpack, knobs = game.win_probability, unpack_params(game), len(game.space)
    if chance is None:
        raise ValueError(f"only a game with a closed form has a closed curve, {game.name} has none")

    def closed_curve(players: Any, places: Any, known: Dial, out: Any) -> None:
        for k in range(len(places)):
            total = 0.0
            for i in range(len(players)):
                place = felt_difficulty(players[i], float(places[k]))
                for j in range(knobs):
                    known.values[j] = value_at(known.table, known.path, j, place, int(players[i]["level"]))
                total += chance(unpack(known.values), faculties_of(players[i]))
            out[k] = total / len(players)

    return closed_curve
