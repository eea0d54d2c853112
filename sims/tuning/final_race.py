"""The end of every search: its finalists race, and the winners are measured on fresh players.

Rounds of successive halving choose among the finalists. All that are left play one block, so that differences are
sharp; the better half by all counts of the race stays; each round has fresh players and an equal share of the attempts.
Counts that were used to choose must not be reported. So the remaining options are measured on blocks of their own, and
only those numbers are printed.

A measured win rate is the mean over blocks, and skill is stratified within each block. So its uncertainty comes from
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
from sims.tuning.budget import weights_of
from sims.tuning.search.counts import Ask, Counts, Segment, Tell, scales_of
from sims.tuning.search.scoreboard import losses_of
from sims.tuning.search.search_space import Point

ENTRANTS: Final = 6  # most finalists that a search names
_RACE_SHARE: Final = 0.25  # of what the search leaves, where there are more finalists than options
_BLOCK: Final = 50  # attempts in each segment of a block that measures
_LEAST_BLOCKS: Final = 8
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

    def __init__(self, points: Sequence[Point], segments: Sequence[Segment], budget: int, options: int) -> None:
        """points: finalists, best first, one or more; budget: attempts in all; options: most points to measure."""
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
        each = min(left // (len(self._points) * len(self._segments)), self._enough)
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


def estimate_rates(tells: Sequence[Tell], segments: Sequence[Segment], options: int = 1) -> list[Rate]:
    """The win rates of one point, one for each segment, from the blocks that measured it.

    options: number of measured points, whose intervals hold together.
    """
    each = CONFIDENCE ** (1.0 / (len(segments) * options))
    return [_rate([(tell.wins[k], tell.attempts[k]) for tell in tells], each) for k in range(len(segments))]


def _rate(blocks: Sequence[tuple[int, int]], confidence: float) -> Rate:
    """The mean over blocks with Wilson's interval, since a symmetric one is too short on one side near 0 and 1.

    blocks: wins and attempts. The interval uses as many independent attempts as the spread between blocks implies, with
    Student's t. Where the blocks are too few to estimate the spread, it uses the attempts that were made.
    """
    played = [(wins, attempts) for wins, attempts in blocks if attempts]
    won, attempts = sum(wins for wins, _ in played), sum(n for _, n in played)
    if not attempts:
        return Rate(math.nan, math.nan, math.nan, 0)
    rate = won / attempts
    if len(played) < _LEAST_BLOCKS or min(won, attempts - won) < _CLOSE:
        return Rate(rate, *wilson(won, attempts, confidence), attempts)
    spread = sum((wins - rate * n) ** 2 for wins, n in played) * len(played) / (len(played) - 1)
    t = t_half_width(len(played) - 1, confidence)
    share = t * t * spread / (rate * (1.0 - rate) * attempts**2)  # t^2 / equivalent attempts
    middle = (rate + share / 2.0) / (1.0 + share)
    half = math.sqrt(rate * (1.0 - rate) * share + share * share / 4.0) / (1.0 + share)
    return Rate(rate, middle - half, middle + half, attempts)


def affordable_options(segments: Sequence[Segment], budget: int) -> int:
    """Options that can each be measured to half their tolerance, by intervals that hold for one option alone."""
    return int((1.0 - _RACE_SHARE) * budget / sum(_needed(segments, _CERTAIN)))


def _needed(segments: Sequence[Segment], share: float) -> list[float]:
    """Attempts in each segment that measure one option with half widths of `share` times the tolerances."""
    z = normal_half_width(CONFIDENCE ** (1.0 / len(segments)))
    return [
        z * z * max(one.target * (1.0 - one.target), 0.05) / (share * max(one.tolerance, 1e-3)) ** 2 for one in segments
    ]
