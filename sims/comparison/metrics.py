"""The metrics of a comparison: about a dozen, each a ratio of two sums over players.

Each player leaves a numerator and a denominator for each metric, and no row is kept. The win rate of the worst players
is the mean of a tail, which is no such ratio. `worst_sums` writes it as one, by the form of the tail mean of
Rockafellar and Uryasev (Journal of Risk 2, 2000, theorem 1): q - E[max(q - x, 0)] / share, with q the quantile.
Estimating q adds no error of first order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.game import FAILED, TIMED_OUT, WON
from engine.players import COHORT_STRIDE, QUIT
from engine.world import Played

FIRST: Final = 5  # attempts of a player that count as the first impression
WORST: Final = 0.05  # share of the players: those with the lowest win rates
OWN_RATE: Final = 20  # judged attempts that a player's own win rate needs
LEAST_WORST: Final = 10  # players in the tail; with fewer the metric is unknown

Sums = npt.NDArray[np.float64]


class Metric(NamedTuple):
    """One metric."""

    name: str  # in files
    label: str  # for people
    unit: str
    meaning: str
    kind: Literal["share", "dial", "number"] = "number"  # people read a share in percent; a dial is in [0, 1]
    set_by_controller: bool = False  # rather than an outcome


WIN_RATE: Final = Metric("win_rate", "win rate", "1", "share of judged attempts that were won", "share")
WORST_RATE: Final = Metric(
    "worst_win_rate",
    "win rate of the weakest 5 % of players",
    "1",
    f"mean win rate of the {WORST:.0%} of players who win least, among those with at least {OWN_RATE} judged attempts",
    "share",
)
_COMMON: Final = (
    WIN_RATE,
    Metric(
        "first_win_rate",
        "win rate in first attempts",
        "1",
        f"share of each player's first {FIRST} attempts won",
        "share",
    ),
    Metric("attempts", "attempts per player", "1", "attempts that a player makes"),
    Metric("quit_share", "players who quit", "1", "share of players who quit for good", "share"),
    Metric("sessions", "sessions per player", "1", "sessions that a player plays"),
    Metric("play_time_s", "time played per player", "s", "time that a player spends in attempts"),
    Metric("duration_s", "length of an attempt", "s", "mean length of an attempt"),
    Metric("longest_losses", "longest losing streak", "1", "most losses in a row of a player, mean over players"),
    Metric("difficulty", "difficulty", "1", "mean difficulty over judged attempts", "dial", True),
    Metric("progress_at_loss", "progress when losing", "1", "mean progress in attempts that were not won", "share"),
    Metric("timed_out", "attempts that timed out", "1", "share of attempts that the time limit stopped", "share"),
)
JUDGED: Final = 0  # place of judged wins and judged attempts
ATTEMPTS: Final = [metric.name for metric in _COMMON].index("attempts")
LEVELS_PASSED: Final = Metric(
    "levels_passed", "levels passed per player", "1", "levels that a player passes, of those that all campaigns have"
)
_CAUSE: Final = "lost_"


def _lost(cause: str) -> Metric:
    word = re.sub(r"\W+", "_", cause.lower()).strip("_")
    meaning = f'share of attempts not won that ended with "{cause}"'
    return Metric(f"{_CAUSE}{word}", f'losses "{cause}"', "1", meaning, "share")


def cause_places(metrics: Sequence[Metric]) -> list[int]:
    """Places of the shares of causes among the metrics."""
    return [place for place, metric in enumerate(metrics) if metric.name.startswith(_CAUSE)]


def metrics_for(causes: Sequence[str], levels: int) -> tuple[Metric, ...]:
    """The metrics of a game with these causes of loss, in the order of `metric_sums`, the tail last."""
    lost = tuple(_lost(cause) for cause in causes)
    return (*_COMMON, *((LEVELS_PASSED,) if levels else ()), *lost, WORST_RATE)


def metric_sums(played: Played, after: int, causes: int, levels: int) -> Sums:
    """Sum up numerators and denominators by player. Attempts that failed do not count.

    Args:
        played: some players and their rows.
        after: first attempt that is judged.
        causes: how many causes of loss the game has.
        levels: how many levels all campaigns have that are compared; 0 where one is without.

    Returns:
        An array of shape (players, metrics without the tail, 2).
    """
    rows, players = played.rows, played.players
    rows = rows[rows["outcome"] != FAILED]
    count = len(players)
    of = np.searchsorted(players["player"], rows["player"])

    def total(column: npt.NDArray[np.bool_ | np.float64]) -> npt.NDArray[np.float64]:
        return np.bincount(of, column.astype(np.float64), count).astype(np.float64, copy=False)

    won, lost = rows["outcome"] == WON, rows["outcome"] != WON
    judged, early = rows["attempt"] >= after, rows["attempt"] < FIRST
    attempts, losses, ones = total(np.ones(len(rows))), total(lost), np.ones(count)
    seconds = total(rows["duration_s"])
    run = np.zeros(count)
    np.maximum.at(run, of, np.where(lost, rows["streak"] + 1.0, 0.0))
    sessions = np.searchsorted(players["player"], played.sessions["player"])
    pairs = [
        (total(won & judged), total(judged)),
        (total(won & early), total(early)),
        (attempts, ones),
        (players["left"] == QUIT, ones),
        (np.bincount(sessions, minlength=count), ones),
        (seconds, ones),
        (seconds, attempts),
        (run, ones),
        (total(np.where(judged, rows["difficulty"], 0.0)), total(judged)),
        (total(np.where(lost, rows["progress"], 0.0)), losses),
        (total(rows["outcome"] == TIMED_OUT), attempts),
        *([(np.minimum(players["level"] - 1, levels), ones)] if levels else []),
        *((total(rows["cause"] == cause), losses) for cause in range(causes)),
    ]
    return np.stack([np.stack(pair, axis=1).astype(np.float64) for pair in pairs], axis=1)


def cohort_places(played: Played) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the address of each player's cohort, and the player's place in it."""
    numbers = played.players["player"]
    return numbers // COHORT_STRIDE, numbers % COHORT_STRIDE


def worst_sums(judged: Sums) -> Sums:
    """Write the win rate of the worst players as a ratio of sums, shape (players, 2).

    All sums are 0 where too few players played long enough. judged: wins and judged attempts, shape (players, 2).
    """
    chosen = judged[:, 1] >= OWN_RATE
    sums = np.zeros_like(judged)
    if WORST * chosen.sum() < LEAST_WORST:
        return sums
    own = judged[chosen, 0] / judged[chosen, 1]
    place = math.ceil(WORST * len(own)) - 1
    edge = np.partition(own, place)[place]
    sums[chosen, 0] = edge - np.maximum(edge - own, 0.0) / WORST
    sums[chosen, 1] = 1.0
    return sums
