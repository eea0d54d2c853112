"""Many attempts at fixed settings: for tuning, response maps and calibration.

No player learns or leaves: every attempt of a player is made in the same condition, after `before` attempts of practice
and fresh for the session. Settings meet the same players and the same luck (common random numbers), so differences
between settings are sharp; take other players for an independent level.

Skill may be stratified. Then the players of a crowd are spread more evenly than by chance over the quantiles of their
cohort's skill. The share of wins has the same mean and less noise (stratified sampling; McKay, Beckman and Conover
1979, "A comparison of three methods").
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.attempt import RUNS_OWN, Address, opening_of, play_of, result_of
from engine.external.external_game import AnyGame, ExternalGame, Meeting, played_elsewhere, seal_of_reply
from engine.game import WON, Faculties, Game
from engine.kernel import compiled
from engine.players import COHORT_STRIDE, PLAYER, be_born, draw_trait, faculties_of
from engine.randomness import TRAITS, key_of, words

RESULT = np.dtype(
    [
        ("player", np.int64),
        ("attempt", np.int64),
        ("outcome", np.int64),
        ("progress", np.float64),
        ("score", np.float64),
        ("cause", np.int64),
        ("ticks", np.int64),
        ("duration_s", np.float64),
        ("state_hash", np.int64),
    ]
)
_TURN: Final = 2  # attempt number of the draw that turns the strata; be_born has 0 and 1


class Crowd(NamedTuple):
    """The players of a batch."""

    traits: npt.NDArray[np.float64]  # one cohort's table, engine.players.distribution_table
    players: int
    attempts: int = 1  # of each player at each setting
    cohort: int = 0
    first: int = 0  # place of the first player in the cohort: other places are other players
    first_attempt: int = 0  # other attempts are other luck
    before: int = 0  # attempts of practice behind each player
    level: int = 0  # of a campaign, from 1; 0 in an endless stream
    layout_seed: int = RUNS_OWN  # from which the numbered levels are drawn
    strata: int = 0  # skill is stratified over so many first places of the cohort, of which the crowd is a part; 0: not


@cache
def batch_of(game: Game) -> Callable[..., None]:
    """The plain kernel: players begin to end of a crowd, each at every setting; adds to wins or fills results."""
    opening, play, result = opening_of(game), play_of(game), result_of(game)

    def batch(
        values: Any, traits: Any, numbers: Any, begin: int, end: int, player: Any, wins: Any, results: Any
    ) -> None:
        # numbers: seed, replica, first player number, players, attempts, first attempt, practice, level, strata,
        # seed of the numbered levels
        seed = int(numbers[0])
        replica = int(numbers[1])
        players = int(numbers[3])
        attempts = int(numbers[4])
        level = int(numbers[7])
        layout_seed = int(numbers[9])
        for i in range(begin, end):
            number = int(numbers[2]) + i
            faculties = practised_faculties(player[0], number, traits, numbers)
            for k in range(len(values)):
                won = 0
                for a in range(attempts):
                    tried = int(numbers[5]) + a
                    opened = opening(values[k], seed, replica, number, tried, level, layout_seed)
                    ended = play(opened, faculties)
                    won += 1 if ended.outcome == WON else 0
                    if len(results) > 0:  # a caller that only counts wins need not pay for hash and duration
                        done = result(
                            values[k], faculties, seed, replica, number, tried, level, layout_seed, opened, ended
                        )
                        row = results[(k * players + i) * attempts + a]
                        row["player"] = number
                        row["attempt"] = tried
                        row["outcome"] = done.outcome
                        row["progress"] = done.progress
                        row["score"] = done.score
                        row["cause"] = done.cause
                        row["ticks"] = done.ticks
                        row["duration_s"] = done.duration_s
                        row["state_hash"] = done.state_hash
                wins[k] += won

    return batch


def practised_faculties(player: Any, number: int, traits: Any, numbers: Any) -> Faculties:
    """What a player of a crowd can do, after their practice. player: a record to be filled; numbers: of the kernel."""
    seed, replica, strata = int(numbers[0]), int(numbers[1]), int(numbers[8])
    be_born(player, number, 0, traits, seed, replica, int(numbers[7]), 0.0)
    if strata > 0:
        player["skill"] = stratified_skill(traits[0], seed, replica, number, strata)
    player["attempts"] = int(numbers[6])
    return faculties_of(player)


class Places(NamedTuple):
    """Where attempts by given faculties get their random numbers from."""

    seed: int
    replica: int
    first: int  # player number of the first attempt; each attempt is by the next one
    level: int = 0  # of a campaign, from 1; 0 in an endless stream
    layout_seed: int = RUNS_OWN


@cache
def tries_of(game: Game) -> Callable[..., int]:
    """The plain kernel: one attempt for each row of faculties, all at one setting; returns the wins."""
    opening, play = opening_of(game), play_of(game)

    def tries(values: Any, able: Any, numbers: Any) -> int:
        # numbers: seed, replica, first player number, level, seed of the numbered levels
        wins = 0
        for i in range(len(able)):
            opened = opening(
                values,
                int(numbers[0]),
                int(numbers[1]),
                int(numbers[2]) + i,
                0,
                int(numbers[3]),
                int(numbers[4]),
            )
            faculties = Faculties(
                able[i, 0], able[i, 1], able[i, 2], able[i, 3], able[i, 4], able[i, 5], able[i, 6], able[i, 7]
            )
            wins += 1 if play(opened, faculties).outcome == WON else 0
        return wins

    return tries


def wins_of_able(game: AnyGame, values: npt.NDArray[np.float64], able: npt.NDArray[np.float64], places: Places) -> int:
    """Attempts won at one setting by players of given faculties, one attempt each.

    values: shape (knobs,), params as rules see them; able: shape (attempts, faculties), in the order of `Faculties`.
    """
    if isinstance(game, ExternalGame):
        meetings = (
            Meeting(values, Faculties(*row), Address(places.seed, places.replica, places.first + i, 0, *places[3:]))
            for i, row in enumerate(able.tolist())
        )
        return sum(reply.outcome == WON for _, reply in played_elsewhere(game, meetings))
    numbers = np.array([places.seed, places.replica, places.first, places.level, places.layout_seed], dtype=np.int64)
    values, able = (np.ascontiguousarray(part, dtype=np.float64) for part in (values, able))
    return int(compiled(tries_of(game))(values, able, numbers))


def stratified_skill(row: Any, seed: int, replica: int, number: int, strata: int) -> float:
    """Skill of the player of that number, whose place in the cohort has its own stratum among so many.

    The player's word is squeezed into the stratum. Strata follow the places, turned by an addressed number: no other
    draw of a player depends on the place, so a turn is as good as any order. With it, each player alone has every skill
    as often as without strata. row: of skill in the table of traits.
    """
    place = number % COHORT_STRIDE
    cohort = number - place
    turn = (words(key_of(seed, replica, TRAITS, cohort, _TURN), 0)[0] * strata) >> 32
    word = words(key_of(seed, replica, TRAITS, number, 0), 0)[0]
    stratum = (place + turn) % strata
    return draw_trait(row, ((stratum << 32) + word) // strata, words(key_of(seed, replica, TRAITS, cohort, 1), 0)[0])


def batch_wins(
    game: AnyGame, values: npt.NDArray[np.float64], crowd: Crowd, seed: int, *, replica: int = 0, threads: int = 1
) -> npt.NDArray[np.int64]:
    """Attempts won at each setting, shape (settings,), out of crowd.players x crowd.attempts.

    values: shape (settings, knobs), params as rules see them. The counts do not depend on threads.
    """
    parts = _in_threads(game, values, crowd, seed, replica, threads, np.empty(0, RESULT))
    wins: npt.NDArray[np.int64] = np.sum(parts, axis=0)
    return wins


def batch_rows(
    game: AnyGame, values: npt.NDArray[np.float64], crowd: Crowd, seed: int, *, replica: int = 0, threads: int = 1
) -> npt.NDArray[np.void]:
    """Every attempt as a RESULT record, shape (settings, players, attempts)."""
    results = np.zeros(len(values) * crowd.players * crowd.attempts, RESULT)
    _in_threads(game, values, crowd, seed, replica, threads, results)
    return results.reshape(len(values), crowd.players, crowd.attempts)


def _in_threads(
    game: AnyGame, values: npt.NDArray[np.float64], crowd: Crowd, seed: int, replica: int, threads: int, results: Any
) -> npt.NDArray[np.int64]:
    """Wins per part and setting. The kernel holds no interpreter lock, so threads are as good as a parallel loop."""
    if crowd.strata and crowd.first + crowd.players > crowd.strata:
        raise ValueError(f"each place has a stratum, got {crowd.strata} for places below {crowd.first + crowd.players}")
    values = np.ascontiguousarray(values, dtype=np.float64)
    first = crowd.cohort * COHORT_STRIDE + crowd.first
    numbers = np.array(
        [
            seed, replica, first, crowd.players, crowd.attempts, crowd.first_attempt, crowd.before, crowd.level,
            crowd.strata, crowd.layout_seed,
        ],
        dtype=np.int64,
    )  # fmt: skip
    if isinstance(game, ExternalGame):
        return _by_replies(game, values, crowd.traits, numbers, results)
    kernel = compiled(batch_of(game))
    # More parts than threads: players differ in how long they play, and a core should not wait for the other.
    edges = np.linspace(0, crowd.players, 2 if threads == 1 else 8 * threads + 1).astype(np.int64)
    wins = np.zeros((len(edges) - 1, len(values)), dtype=np.int64)

    def part(n: int) -> None:
        kernel(values, crowd.traits, numbers, int(edges[n]), int(edges[n + 1]), np.zeros(1, PLAYER), wins[n], results)

    if threads == 1:
        part(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(len(wins))))
    return wins


def _by_replies(
    game: ExternalGame, values: Any, traits: Any, numbers: npt.NDArray[np.int64], results: Any
) -> npt.NDArray[np.int64]:
    """What the kernel of a batch does, with a game that plays elsewhere. Raises AttemptUnplayed."""
    seed, replica, first, players, attempts, first_attempt, _, level, _, layout_seed = numbers.tolist()
    player = np.zeros(1, PLAYER)
    able = np.empty((players, len(Faculties._fields)))
    compiled(crowd_faculties)(traits, numbers, player, able)
    everybody = [Faculties(*row) for row in able.tolist()]
    meetings = (
        Meeting(values[k], everybody[i], Address(seed, replica, first + i, first_attempt + a, level, layout_seed))
        for k in range(len(values))
        for i in range(players)
        for a in range(attempts)
    )
    wins = np.zeros((1, len(values)), dtype=np.int64)
    for place, (meeting, reply) in enumerate(played_elsewhere(game, meetings)):
        wins[0, place // (players * attempts)] += reply.outcome == WON
        if len(results):
            hashed = seal_of_reply(meeting, reply)
            results[place] = (meeting.address.player, meeting.address.attempt, *reply[:6], hashed)
    return wins


def crowd_faculties(traits: Any, numbers: Any, player: Any, able: Any) -> None:
    """What each player of a crowd can do, into able, shape (players, faculties). It compiles."""
    for i in range(len(able)):
        faculties = practised_faculties(player[0], int(numbers[2]) + i, traits, numbers)
        for j in range(len(faculties)):
            able[i, j] = faculties[j]
