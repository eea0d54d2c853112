"""Counts of what happened, and the uncertainty of a win rate.

A `Tally` holds exact integers and nothing else, so tallies of chunks can be added in any order and any grouping with
the same result. Difficulties are summed in fixed point, in units of 2**-30 of the dial, for the same reason. An
interval is clustered. The attempts of one player are correlated (or of all players of one replica, when they share a
controller), and a controller makes the correlation *negative*. So only the spread between clusters measures the
uncertainty of the rate.

How an interval is computed stands in engine/inference/intervals.py. Its moments are sums of fourth powers, which would
not fit into 64 bits for large clusters, so they count wins and attempts in a unit that the scheme names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from engine.errors import RunFolderError
from engine.faults import BAD_PROPOSAL
from engine.further.further_counts import count_further, further_cells_of
from engine.further.further_interval import FurtherInterval, further_interval
from engine.further.further_target import FurtherTarget, read_further_target
from engine.game import FAILED, TIMED_OUT, WON
from engine.inference.intervals import (
    CONFIDENCE,
    DIAL_UNIT,
    FIRST_SUMS,
    SUMS,
    Cluster,
    Integers,
    RateInterval,
    cluster_sums,
    moment_unit,
    rate_interval,
)
from engine.players import LEAVINGS, QUIT
from engine.setup import Setup

LastOutcome = Literal["lost", "won"]
_OUTCOMES: Final[tuple[LastOutcome, ...]] = ("lost", "won")  # cells of quits_after

MOST_BINS: Final = 30
_BLOCK: Final = 8192  # rows
_FINE_BINS: Final = 6  # of the first attempts, five each: that is where a controller settles
_FINE_WIDTH: Final = 5

# What is kept of each cohort. The ends of the dial are of judged attempts; `late` is each player's last third.
# Failed attempts are counted in `failed` and nowhere else. `unjudged` players made no judged attempt.
_FIRST_TOTALS: Final = (
    "attempts",
    "wins",
    "timed_out",
    "clipped",
    "easy_end",
    "hard_end",
    "late_attempts",
    "late_dial",
)
_SECOND_TOTALS: Final = (*_FIRST_TOTALS, "failed", "bad_proposals")
TOTALS: Final = (
    *_SECOND_TOTALS,
    "warm_up_attempts",
    "warm_up_wins",
    "playing_players",  # with an attempt that did not fail
    "player_rates",  # sum over them of the share of all their attempts that they won, in DIAL_UNIT
    "unjudged_players",
    "unjudged_attempts",
    "unjudged_wins",
    "late_squares",  # squared distances of `late` difficulties from their mean on a player's level, in SWING_UNIT**2
    "late_freedom",  # how many of these distances are free: one less than attempts, for each player and level
)
_OLD_TOTALS: Final = (len(_FIRST_TOTALS), len(_SECOND_TOTALS))  # widths of files of earlier versions
NEAR_END: Final = 0.02  # of the way from floor to ceiling: nearer to one of them the difficulty is at its end
SWING_UNIT: Final = 2**8  # of the dial: the square of a sum over ten million attempts is a whole number of 64 bits


@dataclass(frozen=True)
class Scheme:
    """How a run is counted. The same for all chunks of a run, or their tallies cannot be added."""

    cohorts: int
    levels: int  # of a campaign; 0 for an endless stream
    after_attempts: int  # judged are only attempts with this number or a later one, counted from 0 for each player
    cluster: Cluster  # what is independent of each other
    floor: float  # ends of the dial that the controller may use
    ceiling: float
    attempt_edges: tuple[int, ...]  # of the bins [edge, next edge) over attempt numbers; the last takes all later ones
    day_bins: int  # of the same width, from the start of the run; the last takes all later attempts
    day_width_s: int  # whole seconds
    unit: int = 1  # of attempts in the moments of clusters, a power of two
    further: tuple[FurtherTarget, ...] = ()  # what is counted besides


def scheme_of(setup: Setup, after_attempts: int, further: Sequence[FurtherTarget] = ()) -> Scheme:
    """How to count a run: clusters are replicas when players share a controller, the levels of a replica of their own
    or its estimates, and there are two or more replicas."""
    shared = setup.replicas > 1 and setup.shares_luck
    width_s, bins = day_bins(setup.horizon_s)
    most, clusters = setup.attempts_per_player, max(setup.counts) * setup.replicas
    if shared:
        most, clusters = max(setup.counts) * most, setup.replicas
    return Scheme(
        cohorts=len(setup.cohorts),
        levels=setup.levels,
        after_attempts=after_attempts,
        cluster=("estimate" if setup.draws_estimates else "replica") if shared else "player",
        floor=setup.floor,
        ceiling=setup.ceiling,
        attempt_edges=attempt_edges(setup.attempts_per_player),
        day_bins=bins,
        day_width_s=width_s,
        unit=moment_unit(most, clusters),
        further=tuple(further),
    )


def attempt_edges(limit: int) -> tuple[int, ...]:
    """Edges of at most MOST_BINS bins over the attempt numbers 0 .. limit - 1: first five wide, later growing."""
    if limit <= _FINE_WIDTH * MOST_BINS:
        return (*range(0, limit, _FINE_WIDTH), limit)
    start, bins = _FINE_WIDTH * _FINE_BINS, MOST_BINS - _FINE_BINS
    growth = (limit / start) ** (1.0 / bins)
    edges = [*range(0, start, _FINE_WIDTH), start]
    for i in range(1, bins):
        edge = int(start * growth**i / _FINE_WIDTH + 0.5) * _FINE_WIDTH
        if edges[-1] < edge < limit:
            edges.append(edge)
    return (*edges, limit)


def day_bins(horizon_s: float) -> tuple[int, int]:
    """Width in s and number of bins over a run of horizon_s: an hour, a day or more, at most MOST_BINS of them."""
    width_s = 3600
    for factor in (3, 2, 4):  # 3, 6 and 24 hours: not 12, which would show night and day
        if math.ceil(horizon_s / width_s) > MOST_BINS:
            width_s *= factor
    while math.ceil(horizon_s / width_s) > MOST_BINS:
        width_s *= 2
    return width_s, max(1, math.ceil(horizon_s / width_s))


@dataclass(frozen=True, eq=False)
class Tally:
    """Exact counts of a run or a part of it: `a + b` is the tally of both, whatever the order.

    All arrays are int64 and additive. The last axis of `quitting` and of the first three is SUMS; `judged` has one cell
    for all attempts and then one for each level of a campaign.
    """

    scheme: Scheme
    judged: Integers  # shape (cohorts, 1 + levels, SUMS)
    by_attempt: Integers  # shape (cohorts, bins, SUMS): all attempts, by their number
    by_day: Integers  # shape (cohorts, bins, SUMS): all attempts, by simulated time of their start
    totals: Integers  # shape (cohorts, TOTALS)
    left: Integers  # players by how they ended, shape (cohorts, LEAVINGS)
    quitting: Integers  # players in place of attempts, who quit in place of wins, shape (cohorts, SUMS)
    quits_after: Integers  # losses, then wins in place of attempts, after which players quit in place of wins,
    # shape (cohorts, 2, SUMS)
    further: Integers  # of scheme.further, shape (cells, SUMS)

    @classmethod
    def empty(cls, scheme: Scheme) -> Tally:
        """The tally of nothing: adding it changes nothing."""
        return cls(scheme, **{name: np.zeros(shape, np.int64) for name, shape in _shapes(scheme).items()})

    def __add__(self, other: Tally) -> Tally:
        """Both together. Raises ValueError when they were not counted in the same way."""
        if self.scheme != other.scheme:
            raise ValueError(f"tallies must share one scheme, got {self.scheme} and {other.scheme}")
        return Tally(self.scheme, **{name: getattr(self, name) + getattr(other, name) for name in _shapes(self.scheme)})

    def total(self, cohort: int, name: str) -> int:
        """One of TOTALS for one cohort."""
        return int(self.totals[cohort, TOTALS.index(name)])

    def players(self, cohort: int) -> int:
        """Players of the cohort over all replicas, those who never played included."""
        return int(self.left[cohort].sum())

    def quits(self, cohort: int) -> int:
        """Players who quit for good."""
        return int(self.left[cohort, QUIT])

    def quit_interval(self, cohort: int) -> RateInterval:
        """Share of the players who quit for good, and its margin."""
        return rate_interval(self.quitting[cohort], self.scheme.cluster)

    def quits_after_each(self, outcome: LastOutcome) -> RateInterval:
        """Share of all losses, or of all wins, after which a player quit for good, and its margin."""
        return rate_interval(self.quits_after[:, _OUTCOMES.index(outcome)].sum(axis=0), self.scheme.cluster)

    def quits_of(self, cohort: int, outcome: LastOutcome) -> RateInterval:
        """The same of one cohort."""
        return rate_interval(self.quits_after[cohort, _OUTCOMES.index(outcome)], self.scheme.cluster)

    def further_intervals(self, confidence: float = CONFIDENCE) -> list[FurtherInterval]:
        """The value of each of scheme.further, and its margin."""
        found, place = [], 0
        for target in self.scheme.further:
            cells = self.further[place : place + target.cells]
            found.append(further_interval(target, cells, self.scheme.cluster, confidence))
            place += target.cells
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for a run's manifest. What is counted besides stands there where there is any."""
        scheme = {field.name: getattr(self.scheme, field.name) for field in fields(self.scheme)}
        scheme["attempt_edges"] = list(self.scheme.attempt_edges)
        scheme["further"] = [target._asdict() for target in self.scheme.further]
        counts = {name: getattr(self, name).tolist() for name in _shapes(self.scheme)}
        if not self.scheme.further:
            del scheme["further"], counts["further"]
        return {"scheme": scheme, **counts}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Tally:
        """Inverse of to_json. Raises RunFolderError when a part is missing or does not fit."""
        try:
            given = dict(found["scheme"])
            edges = tuple(int(edge) for edge in given.pop("attempt_edges"))
            further = tuple(read_further_target(one, int(given["cohorts"])) for one in given.pop("further", ()))
            scheme = Scheme(attempt_edges=edges, further=further, **given)
            if scheme.cluster not in get_args(Cluster):
                raise ValueError(scheme.cluster)
            nothing = [0] * len(SUMS)  # was counted by older runs
            kept = {"quitting": [nothing] * scheme.cohorts, "quits_after": [[nothing] * 2] * scheme.cohorts, **found}
            if not further:
                kept["further"] = np.zeros((0, len(SUMS)), np.int64)
            arrays = {name: np.array(kept[name], np.int64) for name in _shapes(scheme)}
            for name in _CELLS:
                arrays[name] = _with_moments(arrays[name])
        except (KeyError, TypeError, ValueError, OverflowError) as fault:
            raise RunFolderError(f"the tallies must be those that a run wrote, got {fault!r}") from None
        if arrays["totals"].ndim == 2 and arrays["totals"].shape[1] in _OLD_TOTALS:
            arrays["totals"] = np.pad(arrays["totals"], ((0, 0), (0, len(TOTALS) - arrays["totals"].shape[1])))
        for name, shape in _shapes(scheme).items():
            if arrays[name].shape != shape:
                raise RunFolderError(f"the tallies need {name} of shape {shape}, got {arrays[name].shape}")
            if not _may_be_counted(arrays[name], name in _CELLS):
                raise RunFolderError(f"the tallies must be those that a run wrote, but {name} cannot be counted so")
        return cls(scheme, **arrays)


def _with_moments(cells: Integers) -> Integers:
    """Cells with all SUMS; those of runs from before moments were kept get zeros, which say nothing."""
    if cells.ndim == 0 or cells.shape[-1] != FIRST_SUMS:
        return cells
    return np.pad(cells, [(0, 0)] * (cells.ndim - 1) + [(0, len(SUMS) - FIRST_SUMS)])


def _may_be_counted(counts: Integers, are_cells: bool) -> bool:
    """Whether counts can be those of any rows, as the formulas of intervals need. are_cells: the last axis is SUMS."""
    if (counts < 0).any():
        return False
    if not are_cells:
        return True
    _, _, attempts, wins, ww, wa, aa, dial = np.moveaxis(counts, -1, 0)[:FIRST_SUMS]
    ordered = (wins <= attempts) & (attempts <= aa) & (ww <= wa) & (wa <= aa) & (dial // DIAL_UNIT <= attempts)
    return bool(ordered.all())


_CELLS: Final = ("judged", "by_attempt", "by_day", "quitting", "quits_after", "further")  # whose last axis is SUMS


def _shapes(scheme: Scheme) -> dict[str, tuple[int, ...]]:
    cohorts, sums = scheme.cohorts, len(SUMS)
    return {
        "judged": (cohorts, 1 + scheme.levels, sums),
        "by_attempt": (cohorts, len(scheme.attempt_edges) - 1, sums),
        "by_day": (cohorts, scheme.day_bins, sums),
        "totals": (cohorts, len(TOTALS)),
        "left": (cohorts, len(LEAVINGS)),
        "quitting": (cohorts, sums),
        "quits_after": (cohorts, len(_OUTCOMES), sums),
        "further": (further_cells_of(scheme.further), sums),
    }


class _Stretches(NamedTuple):
    """Rows in a row that fall into the same cells: what all further counting works on. Arrays, one item a stretch."""

    start: Integers  # index of the first row
    player: Integers  # number of the player
    replica: Integers
    cohort: Integers
    level: Integers
    kind: Integers  # 2 * bin of the attempt's number, + 1 when judged
    day: Integers  # bin of the simulated time of the start
    attempts: Integers
    wins: Integers
    dial: Integers  # sum of difficulties in DIAL_UNIT


def tally_of(rows: npt.NDArray[np.void], players: npt.NDArray[np.void], scheme: Scheme) -> Tally:
    """Count rows (engine.record.row_type, sorted by replica, player, attempt) and players (engine.players.PLAYER).

    The rows must hold whole clusters: all attempts of each player in them, and all players of a cohort in a replica
    unless scheme.cluster is "player". Attempts that failed say nothing of a player, and are only counted.
    """
    tally = Tally.empty(scheme)
    np.add.at(tally.left, (players["cohort"], players["left"]), 1)
    _count_quits(tally.quitting, players, scheme)
    failed = rows["outcome"] == FAILED
    if failed.any():
        _add(tally.totals, "failed", rows["cohort"][failed])
        rows = rows[~failed]
    if len(rows) == 0:
        return tally
    if scheme.further:
        tally.further[:] = count_further(scheme.further, rows, players, scheme.cluster, scheme.unit)
    dial = np.empty(len(rows), np.int64)
    # In blocks that stay in the processor's cache: half the time of whole columns.
    blocks = []
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        blocks.append(_stretches(block, first, dial[first : first + _BLOCK], scheme))
        _count_exceptions(tally.totals, block, scheme)
    found = _Stretches(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))
    changes = (found.player[1:] != found.player[:-1]) | (found.replica[1:] != found.replica[:-1])
    run = np.concatenate(([0], np.cumsum(changes)))  # which player in these rows
    cluster = run if scheme.cluster == "player" else found.replica * scheme.cohorts + found.cohort
    chosen = (found.kind & 1) == 1
    judged = _Stretches(*(column[chosen] for column in found))
    judged_run = run[chosen]
    judged_cluster = judged_run if cluster is run else cluster[chosen]
    unit = scheme.unit
    _count(tally.judged[:, :1], judged, judged_run, judged_cluster, np.zeros_like(judged.level), unit)
    if scheme.levels:
        _count(tally.judged[:, 1:], judged, judged_run, judged_cluster, judged.level - 1, unit)
    _count(tally.by_attempt, found, run, cluster, found.kind >> 1, unit)
    _count(tally.by_day, found, run, cluster, found.day, unit)
    _add(tally.totals, "attempts", found.cohort, found.attempts)
    _add(tally.totals, "wins", found.cohort, found.wins)
    opens = np.concatenate(([True], changes))
    _count_players(tally.totals, found, np.flatnonzero(opens))
    _count_quits_after(tally.quits_after, found, np.flatnonzero(opens), players, scheme)
    _count_late(tally.totals, rows, found.start[opens], dial)
    return tally


@lru_cache(maxsize=4)
def _kinds(scheme: Scheme) -> npt.NDArray[np.int32]:
    """By attempt number: 2 * its bin, + 1 when judged. The last entry stands for all larger numbers."""
    numbers = np.arange(max(scheme.attempt_edges[-2], scheme.after_attempts) + 1, dtype=np.int32)
    bins = np.searchsorted(np.array(scheme.attempt_edges[1:-1], np.int32), numbers, side="right")
    return bins.astype(np.int32) * 2 + (numbers >= scheme.after_attempts)


def _stretches(rows: npt.NDArray[np.void], first: int, dial: Integers, scheme: Scheme) -> _Stretches:
    """Stretches of a block of rows, the first of which has index `first`; difficulties go to dial, shape (rows,)."""
    dial[:] = np.rint(rows["difficulty"] * float(DIAL_UNIT))
    player, replica = np.ascontiguousarray(rows["player"]), rows["replica"]
    kinds = _kinds(scheme)
    kind = kinds[np.minimum(rows["attempt"], len(kinds) - 1)]
    day = np.minimum((rows["start_s"] * (1.0 / scheme.day_width_s)).astype(np.int32), scheme.day_bins - 1)
    cell = kind * scheme.day_bins + day
    new = (player[1:] != player[:-1]) | (cell[1:] != cell[:-1])
    if replica[0] != replica[-1]:
        new |= replica[1:] != replica[:-1]
    if scheme.levels:
        level = np.ascontiguousarray(rows["level"])
        new |= level[1:] != level[:-1]
    start = np.concatenate(([0], np.flatnonzero(new) + 1))
    return _Stretches(
        start=start + first,
        player=player[start],
        replica=replica[start],
        cohort=rows["cohort"][start],
        level=rows["level"][start],
        kind=kind[start].astype(np.int64),
        day=day[start].astype(np.int64),
        attempts=np.diff(start, append=len(rows)),
        wins=np.add.reduceat(rows["outcome"] == WON, start, dtype=np.int64),
        dial=np.add.reduceat(dial, start),
    )


def _count(cells: Integers, found: _Stretches, run: Integers, cluster: Integers, cell: Integers, unit: int) -> None:
    """Add stretches to cells, shape (cohorts, cells, SUMS): sums within each cluster first, then their squares."""
    if len(cell) == 0:
        return
    cohort, place = found.cohort, cell
    key = cluster * cells.shape[1] + cell
    columns = [found.attempts, found.wins, found.dial]
    if cluster is not run:
        columns.append(_first_of_each(run * cells.shape[1] + cell))
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, cohort, place = key[order], cohort[order], place[order]
        columns = [column[order] for column in columns]
    start = np.concatenate(([0], np.flatnonzero(key[1:] != key[:-1]) + 1))
    attempts, wins, dial, *players = (np.add.reduceat(column, start) for column in columns)
    sums = cluster_sums(players[0] if players else np.ones_like(wins), wins, attempts, dial, unit)
    flat = cohort[start] * cells.shape[1] + place[start]
    for j, column in enumerate(sums):
        total = np.zeros(cells.shape[0] * cells.shape[1], np.int64)
        np.add.at(total, flat, column)  # exact, unlike bincount with weights
        cells[:, :, j] += total.reshape(cells.shape[:2])


def _count_quits(cells: Integers, players: npt.NDArray[np.void], scheme: Scheme) -> None:
    """Add players to cells, shape (cohorts, SUMS), as if each were an attempt that is won by quitting."""
    quits = (players["left"] == QUIT).astype(np.int64)
    for cohort in range(len(cells)):
        own = quits[players["cohort"] == cohort]
        if len(own) == 0:
            continue
        # A chunk holds one replica, and all its players of a cohort where these are a cluster.
        wins = own if scheme.cluster == "player" else own.sum(keepdims=True)
        made = np.ones_like(own) if scheme.cluster == "player" else np.array([len(own)])
        columns = cluster_sums(made, wins, made, np.zeros_like(made), scheme.unit)
        cells[cohort] += [column.sum() for column in columns]


def _count_quits_after(
    cells: Integers, found: _Stretches, opens: Integers, players: npt.NDArray[np.void], scheme: Scheme
) -> None:
    """Add players to cells, shape (cohorts, 2, SUMS): their losses, then their wins, and which of these was the last.

    opens: index of each player's first stretch. A player who quit did so after `last`.
    """
    attempts, won = (np.add.reduceat(column, opens) for column in (found.attempts, found.wins))
    player, replica, cohort = (column[opens] for column in (found.player, found.replica, found.cohort))
    left = players[_rows_of(player, replica, players["player"])]
    quits, last = left["left"] == QUIT, left["last"] == 1.0
    made = np.stack((attempts - won, won), axis=1)
    gone = np.stack((quits & ~last, quits & last), axis=1).astype(np.int64)
    played = (made > 0).astype(np.int64)
    if scheme.cluster != "player":  # all players of a cohort in a replica are one cluster
        _, first, cluster = np.unique(np.stack((replica, cohort)), axis=1, return_index=True, return_inverse=True)
        sums = np.zeros((3, len(first), 2), np.int64)
        for column, total in zip((made, gone, played), sums, strict=True):
            np.add.at(total, cluster.ravel(), column)
        made, gone, played = sums
        cohort = cohort[first]
    for place in range(cells.shape[1]):
        some = made[:, place] > 0
        columns = cluster_sums(
            played[some, place], gone[some, place], made[some, place], np.zeros(some.sum(), np.int64), scheme.unit
        )
        for j, column in enumerate(columns):
            np.add.at(cells[:, place, j], cohort[some], column)


def _rows_of(player: Integers, replica: Integers, numbers: Integers) -> Integers:
    """The place of each player in the table of players, in which each replica's stand together, in ascending order."""
    if replica[0] == replica[-1]:
        return np.searchsorted(numbers, player)
    copy = np.concatenate(([0], np.cumsum(numbers[1:] <= numbers[:-1])))
    here = np.concatenate(([0], np.cumsum(replica[1:] != replica[:-1])))
    stride = int(numbers.max()) + 1
    return np.searchsorted(copy * stride + numbers, here * stride + player)


def _first_of_each(key: Integers) -> Integers:
    """1 where a key stands for the first time, else 0."""
    found = np.zeros(len(key), np.int64)
    if np.all(key[1:] >= key[:-1]):
        found[0] = 1
        found[1:] = key[1:] != key[:-1]
    else:
        found[np.unique(key, return_index=True)[1]] = 1
    return found


def _add(totals: Integers, name: str, cohorts: Integers, amount: Integers | int = 1) -> None:
    np.add.at(totals[:, TOTALS.index(name)], cohorts, amount)


def _count_exceptions(totals: Integers, rows: npt.NDArray[np.void], scheme: Scheme) -> None:
    _add(totals, "timed_out", rows["cohort"][np.flatnonzero(rows["outcome"] == TIMED_OUT)])
    _add(totals, "clipped", rows["cohort"][np.flatnonzero(rows["clipped"])])
    _add(totals, "bad_proposals", rows["cohort"][np.flatnonzero(rows["fault"] == BAD_PROPOSAL)])
    # Whether clipped or not: many controllers keep to floor and ceiling by themselves, and some only come near.
    near = NEAR_END * (scheme.ceiling - scheme.floor)
    difficulty, judged = np.ascontiguousarray(rows["difficulty"]), rows["attempt"] >= scheme.after_attempts
    _add(totals, "easy_end", rows["cohort"][np.flatnonzero(judged & (difficulty <= scheme.floor + near))])
    _add(totals, "hard_end", rows["cohort"][np.flatnonzero(judged & (difficulty >= scheme.ceiling - near))])


def _count_players(totals: Integers, found: _Stretches, opens: Integers) -> None:
    """Count what only players as a whole tell. opens: index of each player's first stretch."""
    cohort, warm = found.cohort[opens], 1 - (found.kind & 1)
    columns = (found.attempts, found.wins, found.attempts * warm, found.wins * warm)
    made, won, warm_made, warm_won = (np.add.reduceat(column, opens) for column in columns)
    _add(totals, "warm_up_attempts", cohort, warm_made)
    _add(totals, "warm_up_wins", cohort, warm_won)
    _add(totals, "playing_players", cohort)
    _add(totals, "player_rates", cohort, np.rint(won / made * float(DIAL_UNIT)).astype(np.int64))
    never = made == warm_made
    _add(totals, "unjudged_players", cohort[never])
    _add(totals, "unjudged_attempts", cohort[never], made[never])
    _add(totals, "unjudged_wins", cohort[never], won[never])


def _count_late(totals: Integers, rows: npt.NDArray[np.void], first: Integers, dial: Integers) -> None:
    """Count each player's last third, rounded up. first: index of each player's first row; dial: shape (rows,)."""
    made = np.diff(first, append=len(rows))
    late = made - 2 * made // 3
    spans = np.stack((first + made - late, first + made), axis=1).ravel()
    cohort = rows["cohort"][first]
    _add(totals, "late_attempts", cohort, late)
    # reduceat sums between neighbouring indices: every other sum is a span, and the last one ends with the rows.
    _add(totals, "late_dial", cohort, np.add.reduceat(dial, spans[:-1])[::2])
    _count_swings(totals, rows, np.repeat(first + made - late, made), dial)


def _count_swings(totals: Integers, rows: npt.NDArray[np.void], begin: Integers, dial: Integers) -> None:
    """Count how far late difficulties lie from their mean, for each player and level: that is no drift from level to
    level. begin: index of the first late row of each row's player, shape (rows,)."""
    chosen = np.flatnonzero(np.arange(len(rows)) >= begin)
    begin, level = begin[chosen], rows["level"][chosen]
    place = np.rint(dial[chosen] * (SWING_UNIT / DIAL_UNIT)).astype(np.int64)
    start = np.concatenate(([0], np.flatnonzero((begin[1:] != begin[:-1]) | (level[1:] != level[:-1])) + 1))
    made = np.diff(start, append=len(chosen))
    whole, squares = np.add.reduceat(place, start), np.add.reduceat(place * place, start)
    cohort = rows["cohort"][chosen[start]]
    _add(totals, "late_squares", cohort, squares - whole * whole // made)
    _add(totals, "late_freedom", cohort, made - 1)
