"""What a verdict says of players who quit for good, and of whether losing makes them quit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from engine.inference.intervals import RateInterval, rate_interval
from engine.tally import Tally
from sims.verdict.goal import Goal
from sims.verdict.numbers import quit_words
from sims.wording import share_of, share_text


def about_quitting(goal: Goal, tally: Tally) -> Iterator[str]:
    """Sentences on the share of players who quit, by group and after which outcomes; none where nobody did."""
    cohorts = range(len(goal.cohorts))
    counts = [(tally.quits(j), tally.players(j)) for j in cohorts]
    quits, whole = (sum(column) for column in zip(*counts, strict=True))
    if not quits:
        return
    words = []
    for j in cohorts:
        found = tally.quit_interval(j)
        words.append(quit_words(share_of(*counts[j]), found.low, found.high))
    if len(counts) == 1:
        yield f"{words[0]} of players quit for good."
    else:
        every = share_text(quits / whole)
        if tally.scheme.cluster == "player":  # a repeat has players in several groups, so groups are no clusters of it
            found = rate_interval(tally.quitting.sum(axis=0), "player")
            every = quit_words(quits / whole, found.low, found.high)
        most = max(cohorts, key=lambda j: share_of(*counts[j]) if counts[j][1] else -1.0)
        yield f"{every} of players quit for good, most often {goal.cohorts[most]}: {words[most]}."
    lost, won = tally.quits_after_each("lost"), tally.quits_after_each("won")
    if min(lost.clusters, won.clusters) >= 2:
        yield f"They quit after {_quit_share(lost)} of losses and after {_quit_share(won)} of wins, {_meaning(tally)}."


class _Excess(NamedTuple):
    """How much larger the share who quit after a loss is than that after a win, with the ends of its margin."""

    value: float
    low: float
    high: float


def _meaning(tally: Tally) -> str:
    """What quitting after losses and after wins means for the difficulty."""
    excess = _excess(tally)
    if excess.low > 0.0:
        return "so the easiest difficulty keeps most players here"
    if excess.high < 0.0:
        return "so winning drives players away here"
    each = ", group by group," if tally.scheme.cohorts > 1 else ""
    return f"too close to say{each} whether losing makes them quit here"


def _excess(tally: Tally) -> _Excess:
    """The mean over groups, each compared with itself.

    A group that quits early and wins often would otherwise look as if winning drove players away. The weights are those
    of Mantel and Haenszel (1959): a group with few losses or few wins tells little.
    """
    value = below = above = whole = 0.0
    for cohort in range(tally.scheme.cohorts):
        lost, won = tally.quits_of(cohort, "lost"), tally.quits_of(cohort, "won")
        if min(lost.clusters, won.clusters) < 2:
            continue
        weight = lost.attempts * won.attempts / (lost.attempts + won.attempts)
        whole += weight
        value += weight * (lost.rate - won.rate)
        # A loss and a win are of different attempts, as are those of two groups: their errors add up as squares.
        below += weight**2 * ((lost.rate - lost.low) ** 2 + (won.high - won.rate) ** 2)
        above += weight**2 * ((lost.high - lost.rate) ** 2 + (won.rate - won.low) ** 2)
    if not whole:
        return _Excess(math.nan, math.nan, math.nan)
    mean = value / whole
    return _Excess(mean, mean - math.sqrt(below) / whole, mean + math.sqrt(above) / whole)


def _quit_share(found: RateInterval) -> str:
    """A share of outcomes in per cent with its margin: 1.9 % (1.7-2.2)."""
    return f"{100.0 * found.rate:.2g} % ({100.0 * found.low:.2g}-{100.0 * found.high:.2g})"
