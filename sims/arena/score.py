"""The score of a controller: how near it kept players to their target, by the true win probability of each attempt.

Wins are no good measure. A rule that adds up its errors brings the realised win rate to the target whatever the win
probabilities were (the sum telescopes), so the win rate comes last.

A *track* is what one dial does to the players that use it: to one player, or to the players of a cohort in one replica
that share a dial. Players who met one difficulty at one moment count as their mean. One moment is the same time, or,
where settings are deployed on a timetable, the same attempt number between two deployments. All other attempts count
separately: a dial that swings is wrong at both ends, even if its mean is right. A *unit* is independent of the others:
a track, or all tracks of a replica where all players share one dial.

RMSE is the root of the mean of (p - target)^2 over all judged attempts of all tracks. Its interval, and that of a ratio
of two, come from the spread over units (linearised ratio estimator, Cochran 1977, sections 6.3 and 6.7). Where p is
estimated, the square of the estimate less its variance stands for the square of p.

What needs the p of a single attempt, as the share in band, is told by what was foretold. It is unknown where that is
further off than half the band (root mean square).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.controller import Scope
from engine.game import WON
from engine.inference.intervals import t_half_width
from engine.kernel import compiled
from engine.players import LARGEST_COHORT

IN_BAND: Final = 0.05  # largest distance from the target, in win probability
MOST_OFF: Final = 0.5 * IN_BAND  # root mean square error of what is foretold, above which no single attempt is told
RUN_IN_BAND: Final = 10  # attempts in band in a row, after which a track has settled
LOSSES: Final = 3  # in a row
CONFIDENCE: Final = 0.95
WORTH: Final = 1.01  # a smaller ratio does not matter, even if it is certain
NEVER: Final = -1
_PLAYERS: Final = 2**32  # more than the number of any player

SCORE: Final = np.dtype(
    [
        ("track", np.int64),  # a number of its own: replica and player, or replica and cohort
        ("unit", np.int64),  # the same, or the replica where all players share a dial
        ("cohort", np.int64),
        ("attempts", np.int64),  # of a player, or moments of a shared dial
        ("judged", np.int64),  # attempts from the scenario's after_attempts on
        ("square", np.float64),  # sum of (p - target)^2 over judged attempts
        ("early_square", np.float64),  # the same over those before
        ("chance", np.float64),  # sum of p over all attempts
        ("foretold_square", np.float64),  # as `square`, by what was foretold; so are in_band, settled and overshoot
        ("off_square", np.float64),  # sum of (foretold - p)^2 over judged attempts
        ("in_band", np.float64),  # judged attempts with |p - target| < IN_BAND
        ("moved", np.float64),  # sum of |change of difficulty| of each dial from one attempt on it to the next
        ("moves", np.int64),  # how many such changes
        ("settled", np.int64),  # attempt at which the first run in band begins; NEVER
        ("overshoot", np.float64),  # largest |p - target| beyond the target after it was first crossed
        ("surplus", np.float64),  # wins less wanted wins, over judged attempts
        ("streaks", np.float64),  # attempts that complete LOSSES or more losses in a row
    ]
)


def scores_of(
    scope: Scope,
    rows: npt.NDArray[np.void],
    chances: npt.NDArray[np.float64],
    after: int,
    *,
    doubts: npt.NDArray[np.float64] | None = None,
    foretold: npt.NDArray[np.float64] | None = None,
    dial: Scope | None = None,
    deploy_every_s: float = 0.0,
) -> Any:
    """Score rows.

    Args:
        scope: which players count together.
        rows: of one replica or more, sorted by player and attempt, without attempts that players throw on purpose.
        chances: the win probability of each row; NaN where unknown, which makes all that depends on it NaN.
        after: first attempt that is judged.
        doubts: variance of each chance where it is estimated without bias; None where all are exact.
        foretold: what single chances are told by; NaN where unknown. None for the chances themselves.
        dial: which players share a dial with this controller, if that is not the scope.
        deploy_every_s: seconds between two deployments; 0 if the dial may move at any time.

    Returns:
        One SCORE record for each track, in order.
    """
    won = (rows["outcome"] == WON).astype(np.float64)
    streaks = ((rows["streak"] >= LOSSES - 1) & (won == 0.0)).astype(np.float64)
    columns = [chances, chances if foretold is None else foretold, rows["target"], won, streaks]
    spare = np.zeros(len(rows)) if doubts is None else doubts
    attempts, cohorts = rows["attempt"], rows["cohort"]
    players = rows["replica"] * _PLAYERS + rows["player"]
    groups = rows["replica"] * LARGEST_COHORT + cohorts
    moved, moves = _moves(players if "player" in (scope, dial) else groups, rows)
    if scope == "player":
        tracks = players
    else:
        group, begun = _moments(groups, rows, after, deploy_every_s)
        size = np.bincount(group)
        columns = [np.bincount(group, weights=column) / size for column in columns]
        spare = np.bincount(group, weights=spare) / size**2
        moved, moves = (np.bincount(group, column).astype(np.float64) for column in (moved, moves))
        tracks, attempts, cohorts = groups[begun], attempts[begun], cohorts[begun]
    starts = np.flatnonzero(np.concatenate(([True], np.diff(tracks) != 0))[: len(tracks)])
    scores = np.zeros(len(starts), SCORE)
    scores["track"] = tracks[starts]
    scores["unit"] = tracks[starts] // LARGEST_COHORT if scope == "everyone" else tracks[starts]
    scores["cohort"] = cohorts[starts]
    if len(starts):
        scores["moved"] = np.add.reduceat(moved, starts)
        scores["moves"] = np.add.reduceat(moves, starts)
    edges = np.append(starts, len(tracks))
    arrays = map(np.ascontiguousarray, (attempts, *columns, spare))
    compiled(_add_up)(edges, *arrays, after, scores)
    return scores


def _moments(
    groups: npt.NDArray[np.int64], rows: npt.NDArray[np.void], after: int, deploy_every_s: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The moment of each row, and one row of each moment, in the order of groups and time.

    A moment has the rows of one group with one difficulty and one target; judged attempts and earlier ones apart.
    """
    timed = deploy_every_s > 0.0
    when = np.floor(rows["start_s"] / deploy_every_s) if timed else rows["start_s"]
    which = rows["attempt"] if timed else np.zeros(len(rows), np.int64)
    keys = (rows["difficulty"], rows["target"], rows["attempt"] >= after, which, when, groups)
    order = np.lexsort(keys)
    new = np.zeros(len(rows), bool)
    new[:1] = True
    for key in keys:
        new[1:] |= np.diff(key[order].astype(np.float64)) != 0.0
    group = np.empty(len(rows), np.int64)
    group[order] = np.cumsum(new) - 1
    return group, order[new]


def _moves(
    dials: npt.NDArray[np.int64], rows: npt.NDArray[np.void]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """|Change of difficulty| of each row's dial since the previous moment on that dial, and whether there was one.

    Of rows that begin together on one dial only the first counts.
    """
    order = np.lexsort((rows["attempt"], rows["start_s"], dials))
    same = np.diff(dials[order]) == 0
    later = same & ((np.diff(rows["start_s"][order]) > 0.0) | (np.diff(rows["difficulty"][order]) != 0.0))
    moved, moves = np.zeros(len(rows)), np.zeros(len(rows))
    moved[order[1:]] = np.where(later, np.abs(np.diff(rows["difficulty"][order])), 0.0)
    moves[order[1:]] = later
    return moved, moves


def _add_up(
    edges: Any, attempts: Any, chances: Any, foretold: Any, targets: Any, won: Any, streaks: Any, spare: Any,
    after: int, scores: Any,
) -> None:  # fmt: skip
    """Fill the scores of all tracks; rows edges[i] to edges[i + 1] belong to track i."""
    for i in range(len(scores)):
        score = scores[i]
        judged = 0
        square = early = chance = in_band = overshoot = surplus = in_a_row = known_square = off_square = 0.0
        streak = 0
        settled = NEVER
        first = 0.0
        for r in range(edges[i], edges[i + 1]):
            missed = (chances[r] - targets[r]) * (chances[r] - targets[r]) - spare[r]
            error = foretold[r] - targets[r]
            size = abs(error)
            chance += chances[r]
            near = size < IN_BAND
            if attempts[r] >= after:
                judged += 1
                square += missed
                known_square += error * error
                off_square += (foretold[r] - chances[r]) * (foretold[r] - chances[r]) - spare[r]
                in_band += 1.0 if near else 0.0
                surplus += won[r] - targets[r]
            else:
                early += missed
                known_square += 0.0 * error  # NaN where it is unknown
            streak = streak + 1 if near else 0
            if streak == RUN_IN_BAND and settled == NEVER:
                settled = int(attempts[r - RUN_IN_BAND + 1])
            if r == edges[i]:
                first = error
            elif error * first <= 0.0:
                overshoot = max(overshoot, size)
            in_a_row += streaks[r]
        score["attempts"] = edges[i + 1] - edges[i]
        score["judged"] = judged
        score["square"] = square
        score["early_square"] = early
        score["chance"] = chance
        score["foretold_square"] = known_square
        score["off_square"] = off_square
        score["in_band"] = in_band
        score["settled"] = settled
        score["overshoot"] = overshoot
        score["surplus"] = surplus
        score["streaks"] = in_a_row


class Interval(NamedTuple):
    """A number and its interval; NaN where unknown."""

    value: float
    low: float
    high: float


UNKNOWN: Final = Interval(math.nan, math.nan, math.nan)


class Card(NamedTuple):
    """The score card of a controller. Shares are in [0, 1]; NaN where unknown."""

    units: int
    rmse: Interval  # of p over judged attempts
    rmse_early: float  # over the attempts before
    rmse_all: float
    settled: float  # median attempt at which a track settles, over the tracks that do
    never: float  # share of tracks that never settle
    in_band: float  # share of judged attempts
    jitter: float  # mean |change of difficulty| of a dial from one attempt on it to the next
    overshoot: float  # mean over tracks
    worst: float  # 95th percentile over tracks of a track's own RMSE
    streaks: float  # share of attempts that complete three losses in a row
    win_error: float  # mean over tracks of |win rate - wanted win rate|
    off: float = 0.0  # root mean square error of what single attempts are told by; NaN where they are not foretold


def card_of(scores: Any) -> Card:
    """The score card of a controller on one scenario. scores: one or more SCORE records."""
    attempts, judged = float(scores["attempts"].sum()), float(scores["judged"].sum())
    seen = scores[scores["judged"] > 0]
    own = np.sqrt(seen["foretold_square"] / seen["judged"])
    settled = scores["settled"][scores["settled"] != NEVER]
    foretold = not math.isnan(float(scores["foretold_square"].sum()))
    off = _error(scores["off_square"].sum(), judged) if foretold else math.nan
    known = foretold and not off > MOST_OFF
    return Card(
        units=len(np.unique(scores["unit"])),
        rmse=_root(scores),
        rmse_early=_error(scores["early_square"].sum(), attempts - judged),
        rmse_all=_error(scores["square"].sum() + scores["early_square"].sum(), attempts),
        settled=float(np.median(settled)) if known and len(settled) else math.nan,
        never=1.0 - len(settled) / len(scores) if known else math.nan,
        in_band=_share(scores["in_band"].sum(), judged) if known else math.nan,
        jitter=_share(scores["moved"].sum(), scores["moves"].sum()),
        overshoot=float(scores["overshoot"].mean()) if known else math.nan,
        worst=float(np.percentile(own, 95)) if len(own) and known else math.nan,
        streaks=_share(scores["streaks"].sum(), attempts),
        win_error=float(np.abs(seen["surplus"] / seen["judged"]).mean()) if len(seen) else math.nan,
        off=off,
    )


def ratio_of(scores: Any, others: Any, comparisons: int = 1) -> Interval:
    """RMSE of one controller divided by that of another on the same players, with its interval.

    NaN if one of them is unknown or has no error at all. comparisons: how many intervals hold together (Bonferroni), as
    they must when the best controller was chosen by the same data.
    """
    residuals = []
    means = []
    units = _units(scores, others)
    for one in (scores, others):
        mean = _share(one["square"].sum(), one["judged"].sum())
        if not mean > 0.0:
            return UNKNOWN
        means.append(mean)
        residuals.append(_residuals(one, "square", "judged", units) / mean)
    ratio = math.sqrt(means[0] / means[1])
    half = _half(residuals[0] - residuals[1], comparisons) / 2.0  # of the logarithm, and of a root
    return Interval(ratio, ratio * math.exp(-half), ratio * math.exp(half))


def behind_best(all_scores: Sequence[Any]) -> tuple[int, list[Interval]]:
    """Find the smallest RMSE, and divide each RMSE by it. At least one RMSE must be known.

    All intervals hold together, over all pairs, because the best one was chosen by the same data. See `is_alike`.
    """
    roots = [card_of(scores).rmse.value for scores in all_scores]
    known = [i for i, root in enumerate(roots) if not math.isnan(root)]
    best = min(known, key=lambda i: roots[i])
    pairs = max(len(known) * (len(known) - 1) // 2, 1)
    return best, [ratio_of(scores, all_scores[best], pairs) for scores in all_scores]


def is_alike(behind: Interval) -> bool:
    """Whether a ratio to the best is not significant, or too small to matter."""
    return behind.low <= WORTH


def regret_of(scores: Any, static: Any) -> Interval:
    """RMSE over all attempts minus that of the baseline; below 0 is better.

    This is the loss by which `best_static` is chosen. Paired; the interval is linearised (delta method).
    """
    units = _units(scores, static)
    value, residuals = 0.0, np.zeros(len(units))
    for sign, one in ((1.0, scores), (-1.0, static)):
        whole = one.copy()
        whole["square"] += one["early_square"]
        root = _error(whole["square"].sum(), whole["attempts"].sum())
        value += sign * root
        if root > 0.0:  # without an error there is no residual either
            residuals += sign * _residuals(whole, "square", "attempts", units) / (2.0 * root)
    half = _half(residuals) if not math.isnan(value) else math.nan
    return Interval(value, value - half, value + half)


def advantage_of(scores: Any, others: Any) -> Interval:
    """Mean win probability over all attempts, minus that of others on the same players; paired."""
    units = _units(scores, others)
    value = _share(scores["chance"].sum(), scores["attempts"].sum()) - _share(
        others["chance"].sum(), others["attempts"].sum()
    )
    half = _half(_residuals(scores, "chance", "attempts", units) - _residuals(others, "chance", "attempts", units))
    return Interval(value, value - half, value + half)


def _root(scores: Any) -> Interval:
    mean = _share(scores["square"].sum(), scores["judged"].sum())
    if math.isnan(mean):
        return UNKNOWN
    half = _half(_residuals(scores, "square", "judged", _units(scores)))
    root, low, high = (math.sqrt(max(square, 0.0)) for square in (mean, mean - half, mean + half))
    return Interval(root, low, high)


def _units(*all_scores: Any) -> npt.NDArray[np.int64]:
    """The numbers of all units, ascending.

    A unit without a counted attempt under one controller may have some under another. Its sums are then 0 for the
    first one, as the ratio estimator requires.
    """
    return np.unique(np.concatenate([scores["unit"] for scores in all_scores]))


def _residuals(scores: Any, column: str, base: str, units: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """What each unit adds to the error of the ratio sum(column) / sum(base), shape (units,)."""
    of = np.searchsorted(units, scores["unit"])
    sums = np.bincount(of, weights=scores[column], minlength=len(units))
    bases = np.bincount(of, weights=scores[base], minlength=len(units))
    residuals: npt.NDArray[np.float64] = (sums - _share(sums.sum(), bases.sum()) * bases) / max(bases.mean(), 1e-300)
    return residuals


def _half(residuals: npt.NDArray[np.float64], comparisons: int = 1) -> float:
    """Half the width of the interval of a mean, from each unit's residual."""
    m = len(residuals)
    if m < 2:
        return math.nan
    quantile = t_half_width(m - 1, 1.0 - (1.0 - CONFIDENCE) / comparisons)
    return quantile * float(np.sqrt((residuals**2).sum() / (m - 1) / m))


def _error(squares: float, count: float) -> float:
    """The root of a mean square. Estimated squares may add up to less than 0 where there is hardly an error: then 0."""
    mean = _share(squares, count)
    return mean if math.isnan(mean) else math.sqrt(max(mean, 0.0))


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan
