"""How the attempts of a study are divided: the designer's defaults, the search, the race and its measurement.

The search has at most four fifths of what the defaults leave and at least three fifths. In between, the share is the
one with which a study is likeliest to end with every interval inside its band: what a search finds is off by what
chance leaves it, and the interval of the measurement must fit into what that leaves of the band. A longer search makes
the first smaller and the second wider. Where no share makes that likely, the search has as little as it may if every
interval could then fit at all, and otherwise as much as it may.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.inference.intervals import CONFIDENCE, normal_quantile
from sims.tuning.search.counts import Segment

MOST_SEARCH: Final = 0.8  # of what the defaults leave
LEAST_SEARCH: Final = 0.6
_SHARES: Final = 21  # that are looked at
_WASTE: Final = 3.0  # times the least variance that attempts allow, of what a search finds: most were made elsewhere
_FLATTEST: Final = 0.05  # variance of an outcome at the least, where a target is close to 0 or 1
_UNLIKE: Final = 2.0  # times the mean, or one part in so many of it: what a segment is taken to need
_BASELINE_SHARE: Final = 0.03
_MOST_BASELINE: Final = 10_000  # attempts in each segment


def baseline_attempts(attempts: int, segments: int) -> int:
    """Attempts in each segment that go to the designer's defaults, of so many in all: one at least, if there are."""
    return min(max(min(int(_BASELINE_SHARE * attempts) // segments, _MOST_BASELINE), 1), attempts // segments)


def search_budget(attempts: int, segments: Sequence[Segment], spent: int = 0) -> int:
    """Attempts that a search may ask for, of so many in all.

    spent: those that the designer's defaults have had, which may be more than their share where time is short.
    """
    left = max(attempts - max(len(segments) * baseline_attempts(attempts, len(segments)), spent), 0)
    return int(search_share(left, segments) * left)


def weights_of(segments: Sequence[Segment]) -> tuple[float, ...]:
    """How many attempts each segment needs to have an interval that fits into its band as well as others' do; mean 1.

    In proportion to p (1 - p) / tolerance^2, but none has more than four times what another has: each rate is reported.
    """
    wanted = np.array([max(s.target * (1.0 - s.target), _FLATTEST) / max(s.tolerance, 1e-3) ** 2 for s in segments])
    held = np.clip(wanted / wanted.mean(), 1.0 / _UNLIKE, _UNLIKE)
    return tuple((held / held.mean()).tolist())


def search_share(attempts: int, segments: Sequence[Segment]) -> float:
    """The search's share of the attempts that it and the measurement of one option have together.

    For a segment with variance v = p (1 - p) of an outcome and n attempts in the search, m in the measurement, the
    search is off by sqrt(3 v / n), the measurement by sqrt(v / m), and the half width of its interval is z sqrt(v / m).
    The share is the one that makes (tolerance - half width) largest, in standard deviations of both errors together, in
    the segment where that is least. Close to 0 and 1, where v is taken for more than it is, an interval may fit though
    no share makes that larger than 0.
    """
    if not attempts:
        return MOST_SEARCH
    shares = np.linspace(MOST_SEARCH, LEAST_SEARCH, _SHARES)
    z = normal_quantile(CONFIDENCE ** (1.0 / len(segments)))
    each = attempts / len(segments)
    margins = []
    weights = weights_of(segments)
    for one, weight in zip(segments, weights, strict=True):
        variance = max(one.target * (1.0 - one.target), _FLATTEST)
        noise = variance / (each * weight * (1.0 - shares))
        off = _WASTE * variance / (each * shares)
        margins.append((one.tolerance - z * np.sqrt(noise)) / np.sqrt(off + noise))
    least = np.min(margins, axis=0)
    best = int(np.argmax(least))
    if least[best] > 0.0:
        return float(shares[best])
    return LEAST_SEARCH if (1.0 - LEAST_SEARCH) * each >= _least_measured(segments, weights) else MOST_SEARCH


def least_budget(segments: Sequence[Segment]) -> float:
    """Attempts without which no setting can be said to meet all bands, whatever it is; infinite for a band of width 0.

    What the measurement needs is left by a search that has its least share.
    """
    each = _least_measured(segments, weights_of(segments))
    if each == math.inf:
        return each
    left = len(segments) * each / (1.0 - LEAST_SEARCH)
    return math.ceil(min(left / (1.0 - _BASELINE_SHARE), left + len(segments) * _MOST_BASELINE))


def _least_measured(segments: Sequence[Segment], weights: Sequence[float]) -> float:
    """Attempts, a mean over segments, with which one option could be said to meet all bands; infinite for no width.

    Each segment needs so many that a win rate in the middle of its band has an interval inside it, by the normal
    distribution, while all intervals hold at once; where the band goes to 0 or 1, so many that nobody, or everybody,
    who wins has a Wilson interval inside it, if those are fewer. weights: how they are shared, see weights_of.
    """
    z = normal_quantile(CONFIDENCE ** (1.0 / len(segments)))
    most = 0.0
    for one, weight in zip(segments, weights, strict=True):
        if one.tolerance <= 0.0:
            return math.inf
        ways = [one.target * (1.0 - one.target) / one.tolerance**2]
        if one.low <= 0.0:
            ways.append((1.0 - one.high) / one.high)
        if one.high >= 1.0:
            ways.append(one.low / (1.0 - one.low))
        most = max(most, max(z * z * min(ways), 1.0) / weight)
    return most
