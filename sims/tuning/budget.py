"""How the attempts of a study are divided: the designer's defaults, the search, the final race and its measurement.

The search gets between three fifths and four fifths of what the defaults leave. Within these limits it gets the share
with which a study most likely ends with every interval inside its band. A longer search comes nearer to the targets,
but leaves fewer attempts to the measurement and so makes its intervals wider. Where no share makes success likely, the
search gets its least share if every interval could then fit at all, and otherwise its largest share.

A measurement plays whole runs of players (sims.tuning.whole_runs). Attempts of one player tell less than as many of
players of their own, and the warm-up tells nothing. `Effort` says how much less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.intervals import CONFIDENCE, normal_half_width
from sims.tuning.search.counts import Segment

MOST_SEARCH: Final = 0.8  # share of what the defaults leave
LEAST_SEARCH: Final = 0.6
LEAST_WHOLE: Final = 0.4  # the same where the measurement plays whole runs, which tell less
_SHARES: Final = 21  # that are tried
_WASTE: Final = 3.0  # variance of a search's result / least variance that its attempts allow: most were made elsewhere
_FLATTEST: Final = 0.05  # least variance of an outcome, where a target is close to 0 or 1
_UNLIKE: Final = 2.0  # most that a segment needs, and least, as a multiple and a fraction of the mean
_BASELINE_SHARE: Final = 0.03
_MOST_BASELINE: Final = 10_000  # attempts in each segment
_MOST_BASELINE_SHARE: Final = 0.1  # of all attempts


_LEAST_PLAYERS: Final = 8  # of each cohort, where players play as in a run


class Effort(NamedTuple):
    """What a measurement costs, by segment; empty where each attempt is by a player of their own."""

    costs: tuple[float, ...] = ()  # attempts that one more player adds; levels share those of their cohort
    wastes: tuple[float, ...] = ()  # attempts that tell as much as one of a player of their own

    @property
    def whole(self) -> bool:
        """Whether players play as in a run."""
        return bool(self.costs)

    def waste(self, k: int) -> float:
        """Of segment k."""
        return self.wastes[k] if self.wastes else 1.0

    def least(self, k: int) -> float:
        """Least attempts in segment k, of which a spread between players can be estimated."""
        return _LEAST_PLAYERS * self.costs[k] if self.costs else 1.0


ALONE: Final = Effort()


def baseline_attempts(attempts: int, segments: Sequence[Segment], effort: Effort = ALONE) -> int:
    """Attempts in each segment for the designer's defaults, of `attempts` in all; at least one, if there are any.

    Where players play as in a run, there are enough of them to tell of others, as long as that is a tenth of all.
    """
    usual = min(int(_BASELINE_SHARE * attempts) // len(segments), _MOST_BASELINE)
    few = max(effort.least(k) for k in range(len(segments)))
    most = int(_MOST_BASELINE_SHARE * attempts) // len(segments)
    return min(max(usual, min(math.ceil(few), most), 1), attempts // len(segments))


def search_budget(attempts: int, segments: Sequence[Segment], spent: int = 0, effort: Effort = ALONE) -> int:
    """Attempts for the search, of `attempts` in all.

    spent: what the designer's defaults have had, which may be more than their share where time is short.
    """
    left = max(attempts - max(len(segments) * baseline_attempts(attempts, segments, effort), spent), 0)
    return int(search_share(left, segments, effort) * left)


def weights_of(segments: Sequence[Segment], effort: Effort = ALONE) -> tuple[float, ...]:
    """Relative attempts of the segments, mean 1, with which all intervals fit into their bands equally well.

    They are proportional to p (1 - p) / tolerance^2 and to what attempts waste, but no segment gets more than four
    times what another one gets, since every rate is reported.
    """
    wanted = np.array(
        [
            effort.waste(k) * max(s.target * (1.0 - s.target), _FLATTEST) / max(s.tolerance, 1e-3) ** 2
            for k, s in enumerate(segments)
        ]
    )
    clipped = np.clip(wanted / wanted.mean(), 1.0 / _UNLIKE, _UNLIKE)
    return tuple((clipped / clipped.mean()).tolist())


def search_share(attempts: int, segments: Sequence[Segment], effort: Effort = ALONE) -> float:
    """The search's share of the attempts that it and the measurement of one option have together.

    Take a segment with outcome variance v = p (1 - p), n attempts in the search and m in the measurement. The search is
    off by sqrt(3 v / n), the measurement by sqrt(v / m), and the half width of its interval is z sqrt(v / m). The share
    maximises (tolerance - half width), in standard deviations of both errors together, in the worst segment. Close to 0
    and 1 the variance is taken too large: there an interval may fit although no share makes that positive.
    """
    if not attempts:
        return MOST_SEARCH
    fewest = least_share(effort)
    shares = np.linspace(MOST_SEARCH, fewest, _SHARES)
    z = normal_half_width(CONFIDENCE ** (1.0 / len(segments)))
    each = attempts / len(segments)
    margins = []
    weights = weights_of(segments, effort)
    for k, (one, weight) in enumerate(zip(segments, weights, strict=True)):
        variance = max(one.target * (1.0 - one.target), _FLATTEST)
        noise = effort.waste(k) * variance / (each * weight * (1.0 - shares))
        off = _WASTE * variance / (each * shares)
        margins.append((one.tolerance - z * np.sqrt(noise)) / np.sqrt(off + noise))
    least = np.min(margins, axis=0)
    best = int(np.argmax(least))
    if least[best] > 0.0:
        return float(shares[best])
    return fewest if (1.0 - fewest) * each >= _least_measured(segments, weights, effort) else MOST_SEARCH


def least_share(effort: Effort) -> float:
    """The search's least share."""
    return LEAST_WHOLE if effort.whole else LEAST_SEARCH


def least_budget(segments: Sequence[Segment], effort: Effort = ALONE) -> float:
    """Least attempts of a study that could confirm that any setting meets all bands; infinite for a band of width 0.

    It supposes that the search has its least share and the measurement all the rest.
    """
    each = _least_measured(segments, weights_of(segments, effort), effort)
    if each == math.inf:
        return each
    left = len(segments) * each / (1.0 - least_share(effort))
    usual = min(left / (1.0 - _BASELINE_SHARE), left + len(segments) * _MOST_BASELINE)
    few = left + len(segments) * max(effort.least(k) for k in range(len(segments)))
    return math.ceil(max(usual, min(few, left / (1.0 - _MOST_BASELINE_SHARE))) if effort.whole else usual)


def least_measurement(segments: Sequence[Segment], effort: Effort) -> int:
    """Least attempts, in all segments, that could confirm that one option meets all bands."""
    return math.ceil(len(segments) * _least_measured(segments, weights_of(segments, effort), effort))


def _least_measured(segments: Sequence[Segment], weights: Sequence[float], effort: Effort) -> float:
    """Attempts, mean over segments, that could confirm that one option meets all bands; infinite for a width of 0.

    A segment needs enough for an interval inside its band around a win rate in the middle, by the normal distribution,
    while all intervals hold at once. Where the band ends at 0 or 1, a win rate of 0 or 1 with Wilson's interval may
    need fewer. weights: how attempts are shared, see weights_of.
    """
    z = normal_half_width(CONFIDENCE ** (1.0 / len(segments)))
    most = 0.0
    for k, (one, weight) in enumerate(zip(segments, weights, strict=True)):
        if one.tolerance <= 0.0:
            return math.inf
        ways = [one.target * (1.0 - one.target) / one.tolerance**2]
        if one.low <= 0.0:
            ways.append((1.0 - one.high) / one.high)
        if one.high >= 1.0:
            ways.append(one.low / (1.0 - one.low))
        most = max(most, max(effort.waste(k) * z * z * min(ways), effort.least(k)) / weight)
    return most
