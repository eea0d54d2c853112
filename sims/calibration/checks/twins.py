"""Simulated twins of the players of a file: other people, with the numbers of a fit, who meet the same levels.

A twin begins where its player began. After a loss it retries as often as players of the file do, after a win it goes
on to the level that its player met next; in a campaign it goes on beyond that, to the last level. Whether it wins,
quits or ends a session is drawn from the fit. Draws have addresses, so the same file gives the same twins.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.arithmetic import exp, log
from engine.kernel import compiled
from engine.randomness import FLOW, TRAITS, key_of, standard_normal, unit, words
from sims.calibration.checks.behaviour_counts import MOST_ATTEMPTS, BehaviourCounts, add_player
from sims.calibration.fit import SHAPES, Fit
from sims.calibration.histories import FATIGUE, LEARNING, REASONS, Histories, Indices, Numbers
from sims.calibration.session_ends import SessionEnds

_SEED: Final = 19
_MOST: Final = 4 * MOST_ATTEMPTS  # attempts of a twin; what it does later is on no curve


@dataclass(frozen=True)
class Tours:
    """The levels that each player met, one after the other, without the retries."""

    starts: Indices  # shape (players + 1,)
    level: Indices
    retried: float  # share of losses after which the same level was tried again
    campaign: bool  # whether players go on to the last level, one after the other


def tours_of(histories: Histories, campaign: bool) -> Tours:
    """Visits of each player to levels. campaign: whether players retry until they pass."""
    h = histories
    first = np.zeros(h.rows, bool)
    first[h.starts[:-1]] = True
    followed = ~first[1:]
    same = h.level[1:] == h.level[:-1]
    lost = followed & (h.won[:-1] == 0)
    fresh = first.copy()
    fresh[1:] |= ~same | (h.won[:-1] == 1)
    owner = np.repeat(np.arange(h.players), np.diff(h.starts))
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner[fresh], minlength=h.players))))
    return Tours(starts, h.level[fresh], float(same[lost].mean()) if lost.any() else 1.0, campaign)


def count_twins(
    histories: Histories, tours: Tours, fit: Fit, ends: SessionEnds | None, point: Numbers, draw: int, looked_at: int
) -> BehaviourCounts:
    """Play one twin of each player, and count them.

    Args:
        histories: the players.
        tours: the levels that they met.
        fit: names the numbers of the point.
        ends: how sessions end; None where the file does not tell, and then they do not.
        point: the numbers, such as those of the fit or a draw around them.
        draw: number of the draw: another gives other luck.
        looked_at: first attempts of each in which rows of losses are looked for.
    """
    h, found = histories, BehaviourCounts.nothing()
    places = np.array([fit.effects.index(name) if name in fit.effects else -1 for name in (LEARNING, FATIGUE)])
    at = fit.levels + len(fit.effects) + 1
    told = dict(zip(fit.shapes, point[at:].tolist(), strict=False))
    plain = np.array([exp(told[name]) if name in told else 0.0 for name in SHAPES])
    point = np.delete(point, range(at, at + len(fit.shapes)))
    session = np.zeros(4) if ends is None else np.array([ends.base, ends.frailty_sd, ends.place, ends.won])
    compiled(play_twins)(
        h.starts, np.ascontiguousarray(h.features), places, tours.starts, tours.level, tours.retried,
        int(tours.campaign), point, plain, fit.levels, int(fit.joint), session, int(ends is not None), draw, looked_at,
        np.empty((4, _MOST), np.int64), *found.arrays,
    )  # fmt: skip
    return found


def count_sets_of_twins(
    histories: Histories, tours: Tours, fit: Fit, ends: SessionEnds | None, draws: int, looked_at: int, threads: int
) -> list[BehaviourCounts]:
    """Twins of each of many draws of the numbers from the covariance of the fit."""
    points = draw_points(fit, draws)

    def one(k: int) -> BehaviourCounts:
        return count_twins(histories, tours, fit, ends, points[k], k, looked_at)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(draws)))


def draw_points(fit: Fit, draws: int) -> Numbers:
    """Numbers that the file would not tell from those of the fit, shape (draws, numbers)."""
    free = np.flatnonzero(fit.free)
    values, vectors = np.linalg.eigh(fit.covariance[np.ix_(free, free)])
    dice = np.random.Generator(np.random.Philox(key=[_SEED, 0x7477696E]))
    points = np.tile(fit.point, (draws, 1))
    points[:, free] += (dice.standard_normal((draws, len(free))) * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return points


def play_twins(
    starts: Any, features: Any, places: Any, tour_starts: Any, tour: Any, retried: float, campaign: int, point: Any,
    plain: Any, levels: int, joint: int, session: Any, has_sessions: int, draw: int, looked_at: int, room: Any,
    could_quit: Any, did_quit: Any, tried: Any, passed: Any, longest: Any,
) -> None:  # fmt: skip
    """Play one twin of each player and add it to the counts. room: shape (4, most attempts), written over.

    plain: chances of guessing and of a lapse.
    """
    count = features.shape[1]
    at_sd = levels + count
    skill_sd = exp(point[at_sd])
    twice = exp(2.0 * point[len(point) - 1]) if joint == 1 else 1.0
    rho = (twice - 1.0) / (twice + 1.0)
    own = (1.0 - rho * rho) ** 0.5
    at_quit = at_sd + 1
    quit_sd = exp(point[at_quit + 3]) if joint == 1 else 0.0
    for i in range(len(starts) - 1):
        traits = words(key_of(_SEED, draw, TRAITS, i, 0), 0)
        z = standard_normal(traits[0])
        skill = skill_sd * z
        frailty = quit_sd * (rho * z + own * standard_normal(traits[1]))
        session_frailty = session[0] + session[1] * standard_normal(traits[2])
        met = tour_starts[i + 1] - tour_starts[i]
        last = tour[tour_starts[i + 1] - 1]
        rows = starts[i + 1] - starts[i]
        visit = losses = place = n = 0
        left = False
        while not left and n < room.shape[1]:
            level = tour[tour_starts[i] + visit] if visit < met else last + visit - met + 1
            dice = words(key_of(_SEED, draw, FLOW, i, n), 0)
            logit = skill - point[level]
            for f in range(count):
                if f == places[0]:
                    logit += point[levels + f] * log(1.0 + n)
                elif f == places[1]:
                    logit -= point[levels + f] * log(1.0 + place)
                else:
                    logit += point[levels + f] * features[starts[i] + n % rows, f]
            won = 1 if (unit(dice[0]) - plain[0]) * (1.0 + exp(-logit)) < 1.0 - plain[0] - plain[1] else 0
            losses = 0 if won == 1 else losses + 1
            if won == 1 or unit(dice[3]) >= retried:
                visit += 1
            at_end = visit >= met and (campaign == 0 or last + visit - met + 1 >= levels)
            finished = at_end and campaign == 1 and won == 1
            gone = 0
            if joint == 1 and not finished:
                pull = frailty + point[at_quit] + point[at_quit + 1] * log(1.0 + losses) + point[at_quit + 2] * won
                gone = 1 if unit(dice[1]) * (1.0 + exp(-pull)) < 1.0 else 0
            room[0, n] = level
            room[1, n] = won
            room[2, n] = 1 if joint == 1 and not finished else 0
            room[3, n] = gone
            place += 1
            if has_sessions == 1:
                pull = session_frailty + session[2] * log(1.0 + place) + session[3] * won
                if unit(dice[2]) * (1.0 + exp(-pull)) < 1.0:
                    place = 0
            n += 1
            left = gone == 1 or at_end
        add_player(0, n, room[0], room[1], room[2], room[3], looked_at, could_quit, did_quit, tried, passed, longest)


assert len(REASONS) == 3  # base, streak and win, as the twins have them
