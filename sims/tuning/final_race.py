"""The end of every search: its finalists race, and the winners are measured on players whom nobody has met.

Rounds of successive halving choose: all that are left play one block, so that differences are sharp, the better half by
all counts of the race stays, and each round has fresh players and an equal share. What decided must not be reported:
the options that are left are then measured on blocks of their own, and printed numbers come from those alone.

A measured rate is the mean over blocks, within each of which skill is stratified; so the spread between blocks, not the
binomial distribution, says how sure it is. Intervals of all segments of all options hold at once (Sidak 1967), so that
many options are not many chances to be wrong; an option meets a target when the whole interval lies inside the band.

Successive halving: Karnin, Koren and Somekh, ICML 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, normal_quantile, t_quantile, wilson
from sims.tuning.budget import weights_of
from sims.tuning.search.counts import Ask, Counts, Segment, Tell, scales_of
from sims.tuning.search.knob_box import Point
from sims.tuning.search.scoreboard import losses_of

ENTRANTS: Final = 6  # finalists that a search may name
_RACE_SHARE: Final = 0.25  # of what is left after the search, where there is a choice to make
_BLOCK: Final = 50  # attempts in each segment of a block that measures
_LEAST_BLOCKS: Final = 8
_LEAST_ATTEMPTS: Final = 4  # in each segment of a round
_LEAST_COUNTED: Final = 2  # in each segment, without which a point has no loss
_ROUNDING: Final = 1e-9  # of an attempt: no share may lose one to the last digit of its weight
_CERTAIN: Final = 0.5  # of the tolerance: half width with which another option may be measured
_ENOUGH: Final = 0.25  # of the tolerance: half width beyond which nothing needs to be raced or measured
_CLOSE: Final = 5  # wins or losses in all below which blocks say too little, and attempts are counted


class Rate(NamedTuple):
    """A measured win rate, simultaneous 95 % with those of the other segments, and of other options where there are."""

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


class Finals:
    """The race of some finalists, by ask and tell, within a number of attempts."""

    def __init__(self, points: Sequence[Point], segments: Sequence[Segment], budget: int, options: int) -> None:
        """points: finalists, best first, one or more; options: how many to measure, at most."""
        self._segments = segments
        self._targets = np.array([segment.target for segment in segments])
        self._scales = scales_of(segments)
        self._weights = weights_of(segments)
        self._points = list(points)
        self._options = min(len(points), max(1, min(options, affordable_options(segments, budget))))
        self._rounds = math.ceil(math.log2(len(points) / self._options))
        self._race_budget = int(_RACE_SHARE * budget) if self._rounds else 0
        needed = zip(_needed(segments, _ENOUGH), self._weights, strict=True)
        self._enough = math.ceil(max(attempts / weight for attempts, weight in needed))  # a mean over segments
        self._left = budget
        self._block = 0
        self._round = 0
        self._raced = Counts()
        self._measured = False

    @property
    def points(self) -> list[Point]:
        """Those that are still in, best first."""
        return list(self._points)

    @property
    def measuring(self) -> bool:
        """Whether the race is over, and what is asked for next, or was asked for last, is to be reported."""
        return self._round == self._rounds

    def ask(self, left: int) -> Sequence[Ask]:
        """A round, then the measurement, then none. left: attempts that may be asked for."""
        left = min(left, self._left)
        if not self.measuring:
            share = min(self._race_budget // self._rounds, left)
            each = min(share // (len(self._points) * len(self._segments)), self._enough)
            if each >= _LEAST_ATTEMPTS:
                asks = [Ask(point, self._shared(each), self._block) for point in self._points]
                self._block += 1
                return self._asked(asks)
            self._points = self._points[: self._options]  # too little for a race: the search's own order decides
            self._round = self._rounds
        if self._measured:
            return []
        self._measured = True
        each = min(left // (len(self._points) * len(self._segments)), self._enough)
        size = min(_BLOCK, max(each // _LEAST_BLOCKS, 1))
        blocks = each // size
        asks = [
            Ask(point, self._shared(size), self._block + i * blocks + b)
            for i, point in enumerate(self._points)
            for b in range(blocks)
        ]
        return self._asked(asks)

    def tell(self, tells: Sequence[Tell]) -> None:
        """What came of the last ask."""
        if self.measuring:
            return
        for tell in tells:
            self._raced.add(tell)
        counts = [self._raced.of(point) for point in self._points]
        attempts, wins = (np.array(column) for column in zip(*counts, strict=True))
        order = np.argsort(losses_of(attempts, wins, self._targets, self._scales), kind="stable")
        kept = max(math.ceil(len(order) / 2), self._options)
        self._points = [self._points[i] for i in order[:kept]]
        self._round += 1

    def _shared(self, each: int) -> tuple[int, ...]:
        """Attempts of each segment, so many in the mean and not more in all; few are shared out evenly."""
        shared = tuple(int(each * weight + _ROUNDING) for weight in self._weights)
        few = each < _LEAST_ATTEMPTS or min(shared) < _LEAST_COUNTED
        return (each,) * len(self._segments) if few else shared

    def _asked(self, asks: list[Ask]) -> Sequence[Ask]:
        self._left -= sum(sum(ask.attempts) for ask in asks)
        return asks


def measured(tells: Sequence[Tell], segments: Sequence[Segment], options: int = 1) -> list[Rate]:
    """The rates of one point by the blocks that measured it, one for each segment.

    options: so many points are measured, and the intervals of all of them are to hold together.
    """
    each = CONFIDENCE ** (1.0 / (len(segments) * options))
    return [_rate([(tell.wins[k], tell.attempts[k]) for tell in tells], each) for k in range(len(segments))]


def _rate(blocks: Sequence[tuple[int, int]], confidence: float) -> Rate:
    """Mean over blocks of attempts, with Wilson's interval: near 0 and 1 a symmetric one is short on one side.

    Its attempts are as many independent ones as the spread between blocks says, with Student's t; where blocks cannot
    tell the spread, those that were made.
    """
    played = [(wins, attempts) for wins, attempts in blocks if attempts]
    won, attempts = sum(wins for wins, _ in played), sum(n for _, n in played)
    if not attempts:
        return Rate(math.nan, math.nan, math.nan, 0)
    rate = won / attempts
    if len(played) < _LEAST_BLOCKS or min(won, attempts - won) < _CLOSE:
        return Rate(rate, *wilson(won, attempts, confidence), attempts)
    spread = sum((wins - rate * n) ** 2 for wins, n in played) * len(played) / (len(played) - 1)
    t = t_quantile(len(played) - 1, confidence)
    share = t * t * spread / (rate * (1.0 - rate) * attempts**2)  # t^2 by the attempts that they are worth
    middle = (rate + share / 2.0) / (1.0 + share)
    half = math.sqrt(rate * (1.0 - rate) * share + share * share / 4.0) / (1.0 + share)
    return Rate(rate, middle - half, middle + half, attempts)


def affordable_options(segments: Sequence[Segment], budget: int) -> int:
    """Options that can each be measured to half their tolerance, by intervals that need not hold with the others'."""
    return int((1.0 - _RACE_SHARE) * budget / sum(_needed(segments, _CERTAIN)))


def _needed(segments: Sequence[Segment], share: float) -> list[float]:
    """Attempts in each segment that measure one option to half widths of so much of the tolerances."""
    z = normal_quantile(CONFIDENCE ** (1.0 / len(segments)))
    return [
        z * z * max(one.target * (1.0 - one.target), 0.05) / (share * max(one.tolerance, 1e-3)) ** 2 for one in segments
    ]
