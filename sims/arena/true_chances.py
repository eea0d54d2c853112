"""The true win probability behind each attempt: what a controller is judged by.

A game's closed form gives it exactly. Without one, attempts are played again: a sample of the rows, each with the same
player in the same condition, at the same setting, on the same level, with fresh luck. The chance map of the cohort
foretells every row, and the replays correct the sum of what it foretells (difference estimator: Cochran 1977, section
7.3). So no error of the map, and nothing that a controller knows of it, is in a mean over rows; a better map only
leaves less luck in it. Off the dial there is no map, and the replays alone tell.

What needs the chance of a single row, as "within 0.05 of the target", is told by the map. How far the map is off on the
rows that were played is measured by the replays, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.kernel import compiled
from engine.parameters import value_at
from engine.players import felt_difficulty
from engine.randomness import CONTROLLER, LARGEST_REPLICA, key_of, unit, words
from engine.response.chance_map import LEVEL_ATTEMPTS, TRAIT_ATTEMPTS, ChanceMap, LevelProgress, chance_map
from engine.response.replays import MOST_PLAYS, replay_wins
from engine.response.response_map import ATTEMPTS, POINTS, SKILLS, Progress, ResponseMap, response_map
from engine.response.win_probability import closed_form
from engine.setup import Setup
from engine.world import Played
from sims.terminal import Forecast, OnMessage, Reminder, announce, duration, no_message

Numbers = npt.NDArray[np.float64]
_MAP_ATTEMPTS: Final = len(SKILLS) * POINTS * ATTEMPTS  # of a response map

PLAYS: Final = 400_000  # replays of all rows of one controller on one scenario, about
LEAST_PLAYS: Final = 32  # of a row of the sample
# Luck adds the same to every squared error, so a small error needs more replays to be told within some percent of
# itself. From ERROR down their number grows with the inverse square of the error that the map foretells.
ERROR: Final = 0.08
MAP_ERROR: Final = 0.015  # about; nothing is foretold more exactly
MOST_TIMES: Final = 16.0


class Chances(NamedTuple):
    """What is known of the chances behind rows; all of shape (rows,).

    Where attempts are played again, `chance` is right in the mean only, and may lie outside [0, 1] for a single row.
    Its own variance makes its square too large in the mean by `doubt`.
    """

    chance: Numbers
    doubt: Numbers  # 0 where the chance is exact
    foretold: Numbers  # by the map, or exactly; NaN off the dial of a game without a closed form


@dataclass(frozen=True, eq=False)
class Judge:
    """The win probabilities of one scenario. Plain data: it can be sent to another process.

    maps: by cohort; empty if the game has a closed form. plays: replays for each player of the scenario.
    """

    maps: tuple[ChanceMap, ...]
    plays: float = math.inf

    def chances(self, setup: Setup, played: Played, rows: npt.NDArray[np.void]) -> Chances:
        """The chances behind rows. rows: some of those played."""
        if not self.maps:
            exact = closed_form(setup.game, rows)
            return Chances(exact, np.zeros(len(rows)), exact)
        owners = np.searchsorted(played.players["player"], rows["player"])
        foretold = self._foretold(setup, played, rows, owners)
        most = self.plays * len(played.players) * times_replayed(foretold - rows["target"])
        each = int(min(max(most // max(len(rows), 1), LEAST_PLAYS), MOST_PLAYS))
        share = min(most / max(len(rows) * each, 1), 1.0)
        plays = np.zeros(len(rows), np.int64)
        compiled(draw_sample)(rows, setup.seed, share, each, plays)
        wins = replay_wins(setup.game, rows, plays, setup.seed)
        # Off the dial the target stands in for what the map would foretell: any number would do.
        guess = np.where(np.isnan(foretold), rows["target"], foretold)
        won = wins / each
        off = np.where(plays > 0, won - guess, 0.0)
        # E[off^2] is the square of the map's error and the variance of the share won; off / share estimates the error.
        square = np.where(plays > 0, off * off - won * (1.0 - won) / (each - 1), 0.0)
        return Chances(guess + off / share, (off / share) ** 2 - square / share, foretold)

    def _foretold(
        self, setup: Setup, played: Played, rows: npt.NDArray[np.void], owners: npt.NDArray[np.int64]
    ) -> Numbers:
        places = np.empty(len(rows))
        compiled(locate_on_dial)(rows, played.players, owners, setup.space.table(), setup.path, places)
        foretold = np.full(len(rows), math.nan)
        for cohort, known in enumerate(self.maps):
            mine = (rows["cohort"] == cohort) & ~np.isnan(places)
            own = rows[mine]
            foretold[mine] = known.chances(played.players[owners[mine]], own["level"], own["skill"], places[mine])
        return foretold


def times_replayed(errors: Numbers) -> float:
    """How many times PLAYS a controller is worth, by the errors that the map foretells, shape (rows,); NaN: unknown.

    The map knows nothing of the replays' luck, so this choice does not bend what they tell.
    """
    known = errors[~np.isnan(errors)]
    if len(known) < len(errors) or not len(known):
        return 1.0
    square = float((known * known).mean()) + MAP_ERROR**2
    return min(max(ERROR**2 / square, 1.0), MOST_TIMES)


def locate_on_dial(rows: Any, players: Any, owners: Any, table: Any, path: Any, out: Any) -> None:
    """Write where the dial was in each row into out; NaN if the knobs were off the dial's path."""
    for i in range(len(rows)):
        row = rows[i]
        place = felt_difficulty(players[owners[i]], float(row["difficulty"]))
        for j in range(len(row["params"])):
            if row["params"][j] != value_at(table, path, j, place, int(row["level"])):
                place = math.nan
                break
        out[i] = place


def draw_sample(rows: Any, seed: int, share: float, each: int, plays: Any) -> None:
    """Which rows are played again, into plays: `each` times or not at all.

    By address, so that all controllers are judged by the same attempts of the same players.
    """
    for i in range(len(rows)):
        row = rows[i]
        key = key_of(seed, LARGEST_REPLICA, CONTROLLER, int(row["player"]), int(row["attempt"]))
        plays[i] = each if unit(words(key, 1 + int(row["replica"]))[0]) < share else 0


def judge_of(setup: Setup, *, threads: int, on_message: OnMessage = no_message) -> Judge:
    """The judge of a scenario, see `maps_of`."""
    if setup.game.win_probability is not None:
        return Judge(())
    maps = chance_maps_of(setup, threads=threads, on_message=on_message)
    return Judge(maps, PLAYS / (setup.players * setup.replicas))


def map_attempts(setup: Setup) -> int:
    """Attempts that `chance_maps_of` plays where nothing is kept of earlier ones; 0 for a game with a closed form."""
    if setup.game.win_probability is not None:
        return 0
    each = LEVEL_ATTEMPTS * setup.levels or TRAIT_ATTEMPTS
    return len(setup.cohorts) * (_MAP_ATTEMPTS + each)


def chance_maps_of(setup: Setup, *, threads: int, on_message: OnMessage = no_message) -> tuple[ChanceMap, ...]:
    """The chance map of each cohort, in a game without a closed form. on_message: takes sentences meanwhile."""
    attempts = LEVEL_ATTEMPTS * setup.levels or TRAIT_ATTEMPTS
    seed = setup.brief(0).seed_of_levels  # where each replica has its own levels: those of the first

    def progress_of(cohort: str) -> LevelProgress:
        what = f"{setup.levels} levels" if setup.levels else "players who differ"
        words = f"measuring win probabilities of {setup.game.name} for {cohort} on {what}"
        return _told(on_message, words, attempts, threads)

    return tuple(
        chance_map(
            setup.game, setup.space, setup.path, traits, levels=setup.levels, seed=seed, threads=threads, known=known,
            progress=progress_of(cohort),
        )
        for cohort, traits, known in zip(
            setup.cohorts, setup.traits, maps_of(setup, threads=threads, on_message=on_message), strict=True
        )
    )  # fmt: skip


def maps_of(setup: Setup, *, threads: int, on_message: OnMessage = no_message) -> tuple[ResponseMap, ...]:
    """The response map of each cohort. on_message: takes sentences while one is measured by playing."""

    def progress_of(cohort: str) -> Progress:
        words = f"measuring win probabilities of {setup.game.name} for {cohort}"
        return _told(on_message, words, _MAP_ATTEMPTS, threads)

    return tuple(
        response_map(setup.game, setup.space, setup.path, traits, threads=threads, progress=progress_of(cohort))
        for cohort, traits in zip(setup.cohorts, setup.traits, strict=True)
    )


def _told(on_message: OnMessage, what: str, attempts: int, threads: int) -> Progress:
    """Progress as sentences: what is done before it begins, then now and then how long it will take."""
    forecast, reminder = Forecast(), Reminder()

    def progress(done: int, parts: int) -> None:
        if done == 0:
            announce(attempts, threads, lambda sentence: on_message(f"{what}: {sentence}"))
        left = forecast.left_s(done, parts)
        if left is not None and done < parts and reminder.is_due():
            on_message(f"{what}: {done} of {parts} parts are done, {duration(left)} left.")

    return progress
