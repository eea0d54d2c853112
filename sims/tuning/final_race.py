"""The end of every search: its finalists race, and the winners are measured on fresh players.

Rounds of successive halving choose among the finalists. All that are left play one block, so that differences are
sharp; the better half by all counts of the race stays; each round has fresh players and an equal share of the attempts.
Counts that were used to choose must not be reported. So the remaining options are measured on blocks of their own, and
only those numbers are printed.

The race plays as the search does. The measurement plays whole runs (sims.tuning.whole_runs), since that is what a run
of the setting will be judged by.

A measured win rate is the mean over blocks, and players are stratified within each block. So its uncertainty comes from
the spread between blocks, not from the binomial distribution. The intervals of all segments of all options hold at once
(Sidak 1967): many options do not mean many chances to be wrong. An option meets a target when the whole interval lies
inside the band.

Successive halving: Karnin, Koren and Somekh, ICML 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, normal_half_width, t_half_width, wilson
from sims.tuning.budget import ALONE, Effort, weights_of
from sims.tuning.conditions import Control
from sims.tuning.search.counts import Ask, Counts, Segment, Tell, scales_of
from sims.tuning.search.scoreboard import losses_of
from sims.tuning.search.search_space import Point

ENTRANTS: Final = 6  # most finalists that a search names
_RACE_SHARE: Final = 0.25  # of what the search leaves, where there are more finalists than options
_BLOCK: Final = 50  # attempts in each segment of a block that measures
_LEAST_BLOCKS: Final = 8
_MOST_BLOCKS: Final = 40  # of whole runs
_EVEN: Final = 16  # players of a block from which on they are evenly spread over their cohort
_LEAST_ATTEMPTS: Final = 4  # in each segment of a round
_LEAST_COUNTED: Final = 2  # attempts in each segment that a loss needs
_ROUNDING: Final = 1e-9  # of an attempt, so that no share loses one to rounding
_CERTAIN: Final = 0.5  # half width / tolerance that each measured option should have at least
_ENOUGH: Final = 0.25  # half width / tolerance that needs no more attempts
_CLOSE: Final = 5  # fewest wins or losses in all for which the spread between blocks is used


class Rate(NamedTuple):
    """A measured win rate. Its interval holds at 95 % together with those of all segments of all options."""

    rate: float  # NaN where nothing was played
    low: float
    high: float
    attempts: int

    def met(self, segment: Segment) -> bool:
        """Whether the whole interval lies inside the band."""
        return segment.low <= self.low and self.high <= segment.high

    def missed(self, segment: Segment) -> bool:
        """Whether the whole interval lies outside the band."""
        return self.high < segment.low or self.low > segment.high


class FinalRace:
    """The race of some finalists and the measurement of the winners, by ask and tell."""

    def __init__(
        self,
        points: Sequence[Point],
        segments: Sequence[Segment],
        budget: int,
        options: int,
        effort: Effort = ALONE,
        sought: Sequence[Segment] = (),
    ) -> None:
        """Begin the race.

        points: finalists, best first, one or more; budget: attempts in all; options: most points to measure; effort:
        of the measurement; sought: the segments with the targets that the search looks for, where they differ.
        """
        self._segments, self._effort = segments, effort
        self._targets = np.array([segment.target for segment in sought or segments])
        self._scales = scales_of(segments)
        self._weights = weights_of(segments)  # of the race
        self._points = list(points)
        self._options = min(len(points), max(1, min(options, affordable_options(segments, budget, effort))))
        self._rounds = math.ceil(math.log2(len(points) / self._options))
        self._race_budget = int(_RACE_SHARE * budget) if self._rounds else 0
        self._enough = enough_attempts(segments, ALONE)  # a mean over segments
        self._left = budget
        self._block = 0
        self._round = 0
        self._raced = Counts()
        self._measured = False

    @property
    def points(self) -> list[Point]:
        """The points that are still in the race, best first."""
        return list(self._points)

    @property
    def measuring(self) -> bool:
        """Whether the race is over: the next ask, or the last one, is the measurement that is reported."""
        return self._round == self._rounds

    def ask(self, left: int) -> Sequence[Ask]:
        """A round, later the measurement, then nothing. left: most attempts to ask for."""
        left = min(left, self._left)
        if not self.measuring:
            share = min(self._race_budget // self._rounds, left)
            each = min(share // (len(self._points) * len(self._segments)), self._enough)
            if each >= _LEAST_ATTEMPTS:
                asks = [Ask(point, self._attempts_of(each), self._block) for point in self._points]
                self._block += 1
                return self._count(asks)
            self._points = self._points[: self._options]  # too few attempts for a race: keep the search's order
            self._round = self._rounds
        if self._measured:
            return []
        self._measured = True
        each = left // (len(self._points) * len(self._segments))
        if self._effort.whole:
            whole = whole_blocks(min(each, enough_attempts(self._segments, self._effort)), self._segments, self._effort)
            return self._count(
                [
                    Ask(point, whole.attempts, self._block + i * whole.blocks + b, whole.players)
                    for i, point in enumerate(self._points)
                    for b in range(whole.blocks)
                ]
            )
        each = min(each, self._enough)
        size = min(_BLOCK, max(each // _LEAST_BLOCKS, 1))
        blocks = each // size
        asks = [
            Ask(point, self._attempts_of(size), self._block + i * blocks + b)
            for i, point in enumerate(self._points)
            for b in range(blocks)
        ]
        return self._count(asks)

    def tell(self, tells: Sequence[Tell]) -> None:
        """Learn the counts of the last ask."""
        if self.measuring:
            return
        for tell in tells:
            self._raced.add(tell)
        counts = [self._raced.of(point) for point in self._points]
        attempts, wins = (np.array(column) for column in zip(*counts, strict=True))
        order = np.argsort(losses_of(attempts, wins, self._targets, self._scales), kind="stable")
        remaining = max(math.ceil(len(order) / 2), self._options)
        self._points = [self._points[i] for i in order[:remaining]]
        self._round += 1

    def _attempts_of(self, mean: int) -> tuple[int, ...]:
        """Attempts of each segment by its weight, at most `mean` on average; few attempts are shared evenly."""
        weighted = tuple(int(mean * weight + _ROUNDING) for weight in self._weights)
        few = mean < _LEAST_ATTEMPTS or min(weighted) < _LEAST_COUNTED
        return (mean,) * len(self._segments) if few else weighted

    def _count(self, asks: list[Ask]) -> Sequence[Ask]:
        self._left -= sum(sum(ask.attempts) for ask in asks)
        return asks


class WholeBlocks(NamedTuple):
    """How a measurement by whole runs is divided."""

    blocks: int
    players: tuple[int, ...]  # of each block, by segment: those of its cohort
    attempts: tuple[int, ...]  # of each block by plan, by segment


def whole_blocks(each: int, segments: Sequence[Segment], effort: Effort) -> WholeBlocks:
    """Blocks for `each` attempts, mean over segments; none where that is not enough for two blocks.

    More blocks tell more exactly how uncertain the mean is; fewer leave fewer players over, and these are spread more
    evenly over their cohort.
    """
    weights = weights_of(segments, effort)
    cohorts = [one.cohort for one in segments]
    players = []
    for cohort in cohorts:
        own = [k for k, other in enumerate(cohorts) if other == cohort]
        players.append(int(sum(each * weights[k] / effort.costs[k] for k in own) / len(own) + _ROUNDING))
    few = min(players)
    counts = range(min(_LEAST_BLOCKS, few), min(max(few // _EVEN, _LEAST_BLOCKS), _MOST_BLOCKS, few) + 1)

    def worth(count: int) -> float:
        used = min(n // count * count / n for n in players)
        return used / t_half_width(count - 1, CONFIDENCE) ** 2

    count = max((count for count in counts if count > 1), key=worth, default=0)
    if not count:
        return WholeBlocks(0, (0,) * len(segments), (0,) * len(segments))
    chosen = tuple(n // count for n in players)
    attempts = tuple(int(n * cost) for n, cost in zip(chosen, effort.costs, strict=True))
    return WholeBlocks(count, chosen, attempts)


def estimate_rates(
    tells: Sequence[Tell],
    segments: Sequence[Segment],
    options: int = 1,
    *,
    confidence: float = CONFIDENCE,
    players: Sequence[int] = (),
    controls: Sequence[Control] = (),
) -> list[Rate]:
    """The win rates of one point, one for each segment, from the blocks that measured it.

    options: number of measured points, whose intervals hold together with `confidence`; players: who made the attempts
    of whole runs, by segment, empty where each attempt is by a player of their own; controls: of the same blocks, by
    segment, where there are any.
    """
    each = confidence ** (1.0 / (len(segments) * options))
    rates = []
    for k in range(len(segments)):
        blocks = [(tell.wins[k], tell.attempts[k]) for tell in tells]
        plain = _rate(blocks, each, players[k] if players else None)
        rates.append(_controlled(plain, blocks, controls[k], each) if controls else plain)
    return rates


def _rate(blocks: Sequence[tuple[int, int]], confidence: float, players: int | None) -> Rate:
    """The mean over blocks with Wilson's interval, since a symmetric one is too short on one side near 0 and 1.

    blocks: wins and attempts. The interval uses as many independent attempts as the spread between blocks implies, with
    Student's t. Where the blocks are too few to estimate the spread, or nearly all attempts end alike, it uses the
    attempts that were made; of whole runs, each player then counts as one attempt.
    """
    played = [(wins, attempts) for wins, attempts in blocks if attempts]
    won, attempts = sum(wins for wins, _ in played), sum(n for _, n in played)
    if not attempts:
        return Rate(math.nan, math.nan, math.nan, 0)
    rate = won / attempts
    if len(played) < (_LEAST_BLOCKS if players is None else 2) or min(won, attempts - won) < _CLOSE:
        independent = attempts if players is None else min(players, attempts)
        return Rate(rate, *wilson(rate * independent, independent, confidence), attempts)
    spread = sum((wins - rate * n) ** 2 for wins, n in played) * len(played) / (len(played) - 1)
    t = t_half_width(len(played) - 1, confidence)
    return Rate(rate, *_wilson_like(rate, t * t * spread / attempts**2), attempts)


def _wilson_like(rate: float, squared: float) -> tuple[float, float]:
    """Wilson's interval for as many independent attempts as a symmetric one of this squared half width implies."""
    share = squared / (rate * (1.0 - rate))  # t^2 / equivalent attempts
    middle = (rate + share / 2.0) / (1.0 + share)
    half = math.sqrt(rate * (1.0 - rate) * share + share * share / 4.0) / (1.0 + share)
    return middle - half, middle + half


def _controlled(plain: Rate, blocks: Sequence[tuple[int, int]], control: Control, confidence: float) -> Rate:
    """A rate that is corrected by how the same players differ from all players in a stand-in whose rate is known.

    Both rates are ratios, so each block adds wins - rate x attempts to their errors. The correction is the
    least-squares line through these, and the uncertainty that of what it leaves, with one degree of freedom less. The
    plain rate stays where there are few blocks, where nearly all attempts end alike, and where the correction would not
    help.
    """
    count = len(blocks)
    if count < _LEAST_BLOCKS or math.isnan(control.rate):
        return plain
    wins, attempts = (np.array(column, dtype=np.float64) for column in zip(*blocks, strict=True))
    if min(wins.sum(), attempts.sum() - wins.sum()) < _CLOSE:
        return plain
    game = (wins - plain.rate * attempts) / attempts.sum()
    other = np.array(control.wins, dtype=np.float64), np.array(control.attempts, dtype=np.float64)
    if not other[1].sum():
        return plain
    away = (other[0] - control.rate * other[1]) / other[1].sum()
    centred = away - away.mean()
    if not (centred @ centred) > 0.0:
        return plain
    slope = float(centred @ game / (centred @ centred))
    rate = plain.rate - slope * float(away.sum())
    left = game - slope * centred
    # The line is fitted to the same blocks: its own error grows with how far their players are from all players.
    distance = 1.0 + float(away.sum()) ** 2 / (count * float(centred @ centred))
    spread = float(left @ left) * count / (count - 2) * distance + (slope * control.error) ** 2
    t = t_half_width(count - 2, confidence)
    if not 0.0 < rate < 1.0 or spread >= float(game @ game) * count / (count - 1):
        return plain
    return Rate(rate, *_wilson_like(rate, t * t * spread), plain.attempts)


def affordable_options(segments: Sequence[Segment], budget: int, effort: Effort = ALONE) -> int:
    """Options that can each be measured to half their tolerance, by intervals that hold for one option alone."""
    return int((1.0 - _RACE_SHARE) * budget / sum(_needed(segments, _CERTAIN, effort)))


def enough_attempts(segments: Sequence[Segment], effort: Effort) -> int:
    """Attempts, mean over segments, after which no more are needed."""
    needed = zip(_needed(segments, _ENOUGH, effort), weights_of(segments, effort), strict=True)
    return math.ceil(max(attempts / weight for attempts, weight in needed))


def _needed(segments: Sequence[Segment], share: float, effort: Effort) -> list[float]:
    """Attempts in each segment that measure one option with half widths of `share` times the tolerances."""
    z = normal_half_width(CONFIDENCE ** (1.0 / len(segments)))
    return [
        max(
            effort.waste(k)
            * z
            * z
            * max(one.target * (1.0 - one.target), 0.05)
            / (share * max(one.tolerance, 1e-3)) ** 2,
            effort.least(k),
        )
        for k, one in enumerate(segments)
    ]
