"""Times between plays: the break between two attempts of a session, and the time until the next session.

Breaks are log-normal. The next session is on the same day, around the same hour some days later, or later: a mixture of
three laws, as the synthetic players have it, in which each player has a scale of their own. Its spread is that of the
defaults, since whole days make a likelihood of it that has steps; it is integrated on a grid. Where sessions are told
apart by breaks of half an hour, no shorter time can be seen, and all three laws are cut there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.players import DAY_S, DEFAULT_TRAITS, Flow
from sims.calibration.histories import Indices, Numbers, Plays, digests_of
from sims.calibration.play_files.attempt_order import SESSION_GAP_S

LEAST_TIMES: Final = 50  # of breaks, or of returns: fewer say too little
ATTEMPT_S: Final = 30.0  # of a scenario of levels, where an attempt takes so long
_MOST_RETURNS: Final = 20_000  # that are looked at: of whole players, in an order that says nothing
_WIDTH: Final = 1.959964
_NODES: Final = np.linspace(-3.5, 3.5, 21)
_WEIGHTS: Final = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_PRIOR_SD: Final = 3.0  # of every number, around the default
_LEAST_SHARE: Final = 1e-12

Estimates = dict[str, tuple[float, float, float]]  # name -> value and the ends of its 95 % interval


@dataclass(frozen=True)
class SessionTimes:
    """What the file tells of times; without an estimate where it does not.

    Attributes:
        pauses: pause_s and pause_log_sd.
        returns: same_day_share, same_day_s, daily_share, daily_sd_s, later_s and return_log_sd.
    """

    pauses: Estimates
    returns: Estimates

    @property
    def estimates(self) -> Estimates:
        """All of them."""
        return self.pauses | self.returns


NO_TIMES: Final = SessionTimes({}, {})


def fit_session_times(plays: Plays, *, cut: bool, attempt_s: float | None) -> SessionTimes:
    """Fit the times between plays.

    Args:
        plays: with times.
        cut: whether sessions were told apart by breaks.
        attempt_s: how long an attempt takes where the file does not tell; None where that is not known either.
    """
    if plays.time is None or plays.place is None or plays.order is None:
        return NO_TIMES
    sort = np.lexsort((plays.order, plays.player))
    player, time, place = plays.player[sort], plays.time[sort], plays.place[sort]
    long = np.full(len(sort), math.nan) if plays.seconds is None else plays.seconds[sort]
    followed = player[1:] == player[:-1]
    gap = time[1:] - time[:-1]
    lasted = np.where(np.isfinite(long), long, math.nan if attempt_s is None else attempt_s)[:-1]
    within = followed & (place[1:] > 0) & np.isfinite(lasted)
    breaks = gap[within] - lasted[within]
    away = followed & (place[1:] == 0)
    returned = gap[away] - np.where(np.isfinite(lasted[away]), lasted[away], 0.0)
    pauses = _pauses(breaks[breaks > 0.0]) if (breaks > 0.0).mean() > 0.5 and len(breaks) else {}
    return SessionTimes(pauses, _returns(returned, player[:-1][away], SESSION_GAP_S if cut else 1.0))


def _pauses(breaks: Numbers) -> Estimates:
    """Median and spread of the breaks by quantiles, which a forgotten game does not move; errors by the normal law."""
    count = len(breaks)
    if count < LEAST_TIMES:
        return {}
    low, middle, high = np.log(np.quantile(breaks, (0.16, 0.5, 0.84))).tolist()
    spread = max((high - low) / 2.0, 1e-3)
    error, wide = (
        1.2533 * spread / math.sqrt(count),
        spread * math.sqrt(0.93 / count),
    )  # of a median, of these quantiles
    ends = [math.exp(middle + move * _WIDTH * error) for move in (0.0, -1.0, 1.0)]
    return {
        "pause_s": (ends[0], ends[1], ends[2]),
        "pause_log_sd": (spread, max(spread - _WIDTH * wide, 0.0), spread + _WIDTH * wide),
    }


def _returns(away_s: Numbers, player: Indices, cut_s: float) -> Estimates:
    usable = away_s > cut_s
    away_s, player = away_s[usable], player[usable]
    if len(away_s) < LEAST_TIMES:
        return {}
    away_s, owner = _some_players(away_s, player)
    if owner[-1] + 1 < LEAST_TIMES // 5:
        return {}
    from scipy.optimize import minimize

    flow = Flow()
    rest = 1.0 - flow.same_day_share - flow.daily_share
    start = np.array(
        [
            math.log(flow.same_day_s), math.log(flow.later_s), math.log(flow.return_log_sd), math.log(flow.daily_sd_s),
            math.log(flow.same_day_share / rest), math.log(flow.daily_share / rest),
        ]
    )  # fmt: skip
    starts = np.concatenate((np.flatnonzero(np.diff(owner, prepend=-1)), [len(owner)]))

    def loss(point: Numbers) -> tuple[float, Numbers]:
        value, scores = _likelihood(point, away_s, starts, cut_s)
        away = (
            point - start
        ) / _PRIOR_SD  # a weak prior, for what the file does not have, such as no return on the same day
        return -value + 0.5 * float(away @ away), -scores.sum(axis=0) + away / _PRIOR_SD

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-3.0 + s, 3.0 + s) for s in start])
    # The information by the players' scores: slopes of slopes jump where a scale rounds to another number of days.
    scores = _likelihood(found.x, away_s, starts, cut_s)[1]
    covariance = np.linalg.inv(scores.T @ scores + np.eye(len(start)) / _PRIOR_SD**2)
    return _return_estimates(found.x, np.asarray(covariance, np.float64))


def _some_players(away_s: Numbers, player: Indices) -> tuple[Numbers, Indices]:
    """The times of some players, by a digest of what they did, with numbers from 0 for the players."""
    sort = np.argsort(player, kind="stable")
    away_s, player = away_s[sort], player[sort]
    bounds = np.concatenate((np.flatnonzero(np.diff(player, prepend=player[0] - 1)), [len(player)]))
    value = digests_of(away_s.reshape(-1, 1).view(np.int64), bounds)
    order = np.argsort(value, kind="stable")
    sizes = np.diff(bounds)[order]
    used = max(int(np.searchsorted(np.cumsum(sizes), _MOST_RETURNS, side="right")), 1)
    rows = np.concatenate([np.arange(bounds[k], bounds[k + 1]) for k in order[:used]])
    return away_s[rows], np.repeat(np.arange(used), sizes[:used])


def _likelihood(point: Numbers, away_s: Numbers, starts: Indices, cut_s: float) -> tuple[float, Numbers]:
    """Log-likelihood of the returns, and the slopes of each player's part of it, shape (players, numbers)."""
    from scipy.special import ndtr

    near, far, log_sd, daily_log_sd, one, two = point.tolist()
    width, daily_sd = math.exp(log_sd), math.exp(daily_log_sd)
    odds = np.exp(np.array([one, two, 0.0]) - max(one, two, 0.0))
    share = odds / odds.sum()
    scale = DEFAULT_TRAITS["return_scale"].b * _NODES  # shape (nodes,)
    days = DAY_S * np.maximum(np.floor(np.exp(scale) + 0.5), 1.0)

    def laws(x: Numbers) -> tuple[list[Numbers], list[Numbers]]:
        """Distances from the middle of each law, shape (x, nodes), and the scale of x in it."""
        column = x.reshape(-1, 1)
        logs = np.log(column)
        return [(logs - near - scale) / width, (column - days) / daily_sd, (logs - far - scale) / width], [
            width * column, np.full_like(column, daily_sd), width * column,
        ]  # fmt: skip

    z, by = laws(away_s)
    parts = [s * np.exp(-0.5 * one_z**2) / (2.5066282746310002 * b) for s, one_z, b in zip(share, z, by, strict=True)]
    mass = np.maximum(parts[0] + parts[1] + parts[2], 1e-300)
    cut, _ = laws(np.array([cut_s]))
    seen = [s * ndtr(-one_z) for s, one_z in zip(share, cut, strict=True)]  # shape (1, nodes)
    left = np.maximum(seen[0] + seen[1] + seen[2], _LEAST_SHARE)
    edge = [s * np.exp(-0.5 * one_z**2) / 2.5066282746310002 for s, one_z in zip(share, cut, strict=True)]
    held = [part / mass for part in parts]
    rows = np.log(mass) - np.log(left)
    # Slopes of each row by each number, at each node.
    of_row = [
        (held[0] * z[0] - edge[0] / left) / width,
        (held[2] * z[2] - edge[2] / left) / width,
        held[0] * (z[0] ** 2 - 1.0) + held[2] * (z[2] ** 2 - 1.0) - (edge[0] * cut[0] + edge[2] * cut[2]) / left,
        held[1] * (z[1] ** 2 - 1.0) - edge[1] * cut[1] / left,
        held[0] - seen[0] / left,
        held[1] - seen[1] / left,
    ]
    first = starts[:-1]
    totals = np.add.reduceat(rows, first, axis=0) + np.log(_WEIGHTS)  # shape (players, nodes)
    top = totals.max(axis=1, keepdims=True)
    chance = np.exp(totals - top)
    whole = chance.sum(axis=1, keepdims=True)
    posterior = chance / whole
    scores = [np.sum(posterior * np.add.reduceat(each, first, axis=0), axis=1) for each in of_row]
    return float(np.sum(np.log(whole) + top)), np.column_stack(scores)


def _return_estimates(point: Numbers, covariance: Numbers) -> Estimates:
    found: Estimates = {}
    names = ("same_day_s", "later_s", "return_log_sd", "daily_sd_s")
    for j, name in enumerate(names):
        error = math.sqrt(covariance[j, j])
        ends = [math.exp(point[j] + move * _WIDTH * error) for move in (0.0, -1.0, 1.0)]
        found[name] = (ends[0], ends[1], ends[2])
    odds = np.exp([point[4], point[5], 0.0])
    shares = odds / odds.sum()
    for j, name in ((4, "same_day_share"), (5, "daily_share")):
        slope = np.zeros(len(point))
        slope[4:6] = -shares[j - 4] * shares[:2]
        slope[j] += shares[j - 4]
        value, error = float(shares[j - 4]), math.sqrt(float(slope @ covariance @ slope))
        found[name] = (value, max(value - _WIDTH * error, 0.0), min(value + _WIDTH * error, 1.0))
    return found
