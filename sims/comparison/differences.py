"""The differences between scenarios: what changed, for whom, by how much and how sure that is.

Each metric of each cohort is a difference over the same players, or between two sets of players where finished runs had
different ones (engine.inference.difference). All differences are tested together, but for those that follow from what
was changed itself, and the significant ones are flagged (engine.inference.multiple_testing). All intervals have one
confidence, 1 - flagged / tests x rate. At this confidence exactly the flagged ones exclude 0, and at most that rate of
them are wrong: Benjamini and Yekutieli, Journal of the American Statistical Association 100, 2005.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.difference import Difference, of_one_more, paired_difference, unpaired_difference
from engine.inference.intervals import CONFIDENCE
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE, benjamini_hochberg
from engine.scenario import Scenario
from sims.comparison.changed_keys import ChangedKey, CohortPair, changed_code, changed_keys, pair_cohorts
from sims.comparison.further_changes import FurtherChange, further_changes
from sims.comparison.levels_left import LevelLeft, levels_left
from sims.comparison.metrics import (
    ATTEMPTS,
    JUDGED,
    LEVELS_PASSED,
    WIN_RATE,
    WORST_RATE,
    Metric,
    Sums,
    cause_places,
    worst_sums,
)
from sims.comparison.place_changes import PlaceChange, place_changes
from sims.comparison.sides import Side, SideSetups, SideSums
from sims.comparison.target_changes import TargetChange, standing_of
from sims.comparison.tautologies import SET_ALIKE, follows, removed_causes, without_causes

EVERYBODY: Final = ""  # in place of a cohort's name: the players of all cohorts that both scenarios have

LEAST: Final = 0.01  # a smaller change does not matter: one point of a share or a dial, 1 % of a time or a count

_ROUNDING: Final = 1e-9  # a spread below this share of its value is a rounding error of zero


class Change(NamedTuple):
    """One metric of one cohort, or of all players, in the first scenario and in another.

    Attributes:
        number: which scenario is compared with the first: 1, 2, ...
        cohort: its name in the first scenario, or EVERYBODY.
        metric: what is compared; its unit is that of the difference.
        players: how many players are compared; of both runs together where they are not the same.
        difference: before, after, their difference and its interval.
        spread: standard deviation between players before and after, in the metric's unit; NaN where unknown.
        attempts: attempts of these players in both scenarios.
        paired: whether these are the same players in both.
        follows: why the change follows from what was changed itself; empty where it does not.
        least: the smallest change that matters, see `size`.
        p_adjusted: p-value adjusted for all changes of the comparison (Benjamini and Hochberg); NaN where unknown.
    """

    number: int
    cohort: str
    metric: Metric
    players: int
    difference: Difference
    spread: float
    attempts: int
    paired: bool
    follows: str
    least: float
    p_adjusted: float = math.nan

    @property
    def certain(self) -> bool:
        """Whether the controller set the same for every player in each scenario. Then no luck is in the change."""
        return self.follows == SET_ALIKE

    @property
    def known(self) -> bool:
        """Whether the data are enough for any statement."""
        return bool(self.follows) or not math.isnan(self.p_adjusted)

    @property
    def flagged(self) -> bool:
        """Whether the change is statistically significant, and no matter of course."""
        return self.p_adjusted <= FALSE_DISCOVERY_RATE

    @property
    def size(self) -> float:
        """How large the change is: in points / 100 of a share or a dial, else relative to the value before."""
        value = abs(self.difference.value)
        if self.metric.kind != "number" or value == 0.0:
            return value
        return value / abs(self.difference.before) if self.difference.before else math.inf

    @property
    def matters(self) -> bool:
        """Whether the change is significant and at least as large as the smallest that matters."""
        return self.flagged and self.size >= self.least - _ROUNDING

    @property
    def exact(self) -> bool:
        """Whether every player did the same in both scenarios."""
        return self.difference.value == 0.0 and self.difference.error == 0.0

    @property
    def unclear(self) -> bool:
        """Whether something differs, but not significantly."""
        return self.known and not self.flagged and not self.exact and not self.follows

    @property
    def effect(self) -> float:
        """The change in standard deviations between players: infinite where all are alike, NaN where unknown."""
        value = self.difference.value
        if value == 0.0 or math.isnan(value):
            return value
        return value / self.spread if self.spread > 0.0 else math.copysign(math.inf, value)

    @property
    def saved(self) -> float:
        """Attempts that pairing saved; below 0 where pairing made the difference less certain."""
        return self.attempts * (self.difference.pairing_factor - 1.0)


class ComparedScenario(NamedTuple):
    """A scenario that is compared with the first one.

    Attributes:
        number: 1, 2, ... in the order given.
        scenario: the scenario.
        seed: that its players were drawn with.
        keys: the keys that differ.
        pairs: the cohorts that both scenarios have.
        standings: these cohorts against their targets, before and after.
        players: by cohort, how many players are compared before and after.
        strangers: cohorts whose players before and after are not the same; of finished runs only.
        removed: causes of loss that only one of the scenarios has, with "before" or "after".
        attempts: attempts before and after, by the players who are compared.
        failed: attempts before and after that failed in a plug-in; they do not count.
        shared: whether players who share a controller were taken as independent, because there is one replica.
        further: targets beyond the win rate that both scenarios have, before and after.
        left: who passed each level, before and after, of all players together; empty without campaigns.
        places: where attempts ended, before and after; empty where the game names no places.
        place_noun: what the game calls a place.
    """

    number: int
    scenario: Scenario
    seed: int
    keys: list[ChangedKey]
    pairs: list[CohortPair]
    standings: tuple[TargetChange, ...]
    players: dict[str, tuple[int, int]]
    strangers: tuple[str, ...]
    removed: dict[Metric, str]
    attempts: tuple[int, int]
    failed: tuple[int, int]
    shared: bool
    left: tuple[LevelLeft, ...] = ()
    places: tuple[PlaceChange, ...] = ()
    place_noun: str = "place"
    further: tuple[FurtherChange, ...] = ()


@dataclasses.dataclass(frozen=True)
class Differences:
    """The numbers of a comparison.

    Attributes:
        before: the first scenario.
        seed: the seed that the first scenario, and of scenarios that are played here every one, was played with.
        others: the scenarios that are compared with the first one.
        changes: all changes; first those that matter, then other significant ones, then the rest, last those that
            follow from what was changed. In each part rates come before times and counts, then the largest is first.
        confidence: of all intervals, in (0, 1).
        least: the smallest change that matters: a share or a part of the dial, else relative to the value before.
    """

    before: Scenario
    seed: int
    others: tuple[ComparedScenario, ...]
    changes: tuple[Change, ...]
    confidence: float
    least: float

    @property
    def flagged(self) -> tuple[Change, ...]:
        """The statistically significant changes, in the order of `changes`."""
        return tuple(change for change in self.changes if change.flagged)

    @property
    def mattering(self) -> tuple[Change, ...]:
        """The significant changes that are large enough to matter, in the order of `changes`."""
        return tuple(change for change in self.changes if change.matters)

    @property
    def failed(self) -> int:
        """Attempts of all scenarios that failed in a plug-in."""
        return self.others[0].failed[0] + sum(other.failed[1] for other in self.others)

    def changes_of(self, other: ComparedScenario) -> list[Change]:
        """The changes from the first scenario to this one."""
        return [change for change in self.changes if change.number == other.number]


def measure_differences(sides: Sequence[Side], results: Sequence[SideSums], *, least: float = LEAST) -> Differences:
    """Compare the sums of each other side with those of the first one. least: the smallest change that matters."""
    setups = SideSetups(sides)
    matches = [_match(setups, results, number) for number in range(1, len(sides))]
    groups = [group for match in matches for group in _groups(setups, results, match)]

    def measure(confidence: float) -> list[Change]:
        return [change for group in groups for change in _changes(group, setups.metrics, confidence, least)]

    p_values = [math.nan if change.follows else change.difference.p_value for change in measure(CONFIDENCE)]
    adjusted = benjamini_hochberg(p_values)
    tests, flags = int(np.isfinite(adjusted).sum()), int((adjusted <= FALSE_DISCOVERY_RATE).sum())
    confidence = 1.0 - FALSE_DISCOVERY_RATE * max(flags, 1) / max(tests, 1)
    changes = [change._replace(p_adjusted=float(p)) for change, p in zip(measure(confidence), adjusted, strict=True)]
    changes.sort(key=_rank)
    noun = setups.setups[0].game.place_noun or "place"
    others = tuple(_compared_scenario(sides, results, match, groups, changes, noun) for match in matches)
    return Differences(sides[0].scenario, sides[0].seed, others, tuple(changes), confidence, least)


def _rank(change: Change) -> tuple[bool, bool, bool, bool, float]:
    """What matters first, then what is significant; rates before times and counts; the largest first."""
    size = math.inf if math.isnan(change.size) else -change.size
    return not change.matters, not change.flagged, bool(change.follows), change.metric.kind == "number", size


class _Match(NamedTuple):
    """What two sides have in common."""

    number: int  # of the other side
    keys: list[ChangedKey]  # that differ
    pairs: list[CohortPair]
    removed: dict[int, str]  # causes that only one side has, by their places among the metrics
    metrics: tuple[Metric, ...]
    levels: int  # that all campaigns have
    shared: bool  # whether players share a controller before or after
    drawn: bool  # whether each replica draws what was fitted
    strangers: frozenset[int]  # addresses of cohorts whose players before and after are not the same


def _match(setups: SideSetups, results: Sequence[SideSums], number: int) -> _Match:
    first, other = setups.sides[0], setups.sides[number]
    pairs = pair_cohorts(first.scenario, other.scenario)
    code = changed_code(results[0].code, results[number].code)
    keys = [*changed_keys(first.scenario, other.scenario, pairs), *code]
    removed = removed_causes(keys, setups.metrics, results[0].sums.values(), results[number].sums.values())
    shared = any(setups.setups[side].shares_luck for side in (0, number))
    drawn = any(setups.setups[side].draws_estimates for side in (0, number))
    return _Match(number, keys, pairs, removed, setups.metrics, setups.levels, shared, drawn, other.strangers)


class _Group(NamedTuple):
    """The players of some cohorts on two sides, cohort by cohort; each item has shape (replicas, players, metrics, 2).

    Of cohorts with the same players before and after, replica i and player j are the same on both sides.
    """

    cohort: str
    before_sums: tuple[Sums, ...]
    after_sums: tuple[Sums, ...]
    paired: bool  # whether the players are the same before and after
    match: _Match

    @property
    def replicas(self) -> int:
        """The smaller number of both sides."""
        return min(len(self.before_sums[0]), len(self.after_sums[0]))

    @property
    def players(self) -> tuple[int, int]:
        """Before and after, over all replicas."""
        before, after = (
            sum(math.prod(sums.shape[:2]) for sums in side) for side in (self.before_sums, self.after_sums)
        )
        return before, after

    @property
    def attempts(self) -> tuple[int, int]:
        """Before and after."""
        before, after = (
            sum(int(sums[:, :, ATTEMPTS, 0].sum()) for sums in side) for side in (self.before_sums, self.after_sums)
        )
        return before, after


def _groups(setups: SideSetups, results: Sequence[SideSums], match: _Match) -> Iterator[_Group]:
    """Each cohort that two sides have, with the players who are compared; then all of these cohorts together."""
    names = setups.sides[0].scenario.cohorts
    places = cause_places(setups.metrics)
    before_sums: list[Sums] = []
    after_sums: list[Sums] = []
    for address in (address for address in setups.sides[match.number].addresses if address < len(names)):
        before, after = (
            without_causes(results[side].sums[address], places, match.removed) for side in (0, match.number)
        )
        paired = address not in match.strangers
        if paired:
            replicas, players = (min(before.shape[axis], after.shape[axis]) for axis in (0, 1))
            before, after = before[:replicas, :players], after[:replicas, :players]
        before_sums.append(before)
        after_sums.append(after)
        yield _Group(names[address], (before,), (after,), paired, match)
    if len(before_sums) > 1:
        yield _Group(EVERYBODY, tuple(before_sums), tuple(after_sums), not match.strangers, match)


def _changes(group: _Group, metrics: Sequence[Metric], confidence: float, least: float) -> Iterator[Change]:
    by_replica = group.match.shared and group.replicas > 1  # as engine.tally.scheme_of
    difference_of = paired_difference if group.paired else unpaired_difference
    attempts, number = sum(group.attempts), group.match.number
    players = group.players[0] if group.paired else sum(group.players)
    for place, metric in enumerate(metrics):
        before, after = (_of_players(side, place, metric) for side in (group.before_sums, group.after_sums))
        spread = _spread(before, after)
        if by_replica:
            before, after = (
                sums.reshape(len(side[0]), -1, 2).sum(axis=1)
                for sums, side in ((before, group.before_sums), (after, group.after_sums))
            )
        difference = difference_of(before, after, confidence)
        if by_replica and group.match.drawn:
            difference = of_one_more(difference, confidence)
        smallest = _ROUNDING * max(abs(difference.before), abs(difference.after))
        why = follows(metric, place, group.match.keys, group.match.removed)
        if spread <= smallest:
            spread = 0.0
            if metric.set_by_controller:
                difference = _without_luck(difference, smallest)
                why = SET_ALIKE
        if math.isnan(difference.value) or difference.value == 0.0:
            why = ""
        yield Change(number, group.cohort, metric, players, difference, spread, attempts, group.paired, why, least)


def _spread(before: Sums, after: Sums) -> float:
    """Standard deviation between players, the root of the mean of both variances; NaN with fewer than two players.

    That of the ratio estimator's influences: of a mean over players it is the ordinary standard deviation.
    """
    variances = []
    for sums in (before, after):
        seen = sums[sums[:, 1] > 0.0]
        if len(seen) < 2:
            return math.nan
        rate = seen[:, 0].sum() / seen[:, 1].sum()
        influence = (seen[:, 0] - rate * seen[:, 1]) / seen[:, 1].mean()
        variances.append(float(np.square(influence).sum()) / (len(seen) - 1))
    return math.sqrt(sum(variances) / 2.0)


def _without_luck(difference: Difference, smallest: float) -> Difference:
    """A value that the controller set for all players: equal, or certainly different. Below smallest: rounding."""
    if abs(difference.value) <= smallest:
        return difference._replace(value=0.0, low=0.0, high=0.0, error=0.0, p_value=1.0)
    return difference._replace(low=math.nan, high=math.nan, p_value=math.nan)


def _of_players(cohorts: Sequence[Sums], place: int, metric: Metric) -> Sums:
    """One metric of all players, those of a replica together, shape (replicas x players, 2)."""
    column = JUDGED if metric is WORST_RATE else place
    sums = np.concatenate([cohort[:, :, column] for cohort in cohorts], axis=1).reshape(-1, 2)
    return worst_sums(sums) if metric is WORST_RATE else sums


def _compared_scenario(
    sides: Sequence[Side],
    results: Sequence[SideSums],
    match: _Match,
    groups: Sequence[_Group],
    changes: Sequence[Change],
    place_noun: str,
) -> ComparedScenario:
    number, least = match.number, changes[0].least
    own = [group for group in groups if group.match is match and group.cohort != EVERYBODY]
    first, other = sides[0].scenario, sides[number].scenario
    rates = {change.cohort: change for change in changes if change.number == number and change.metric is WIN_RATE}
    names = first.cohorts
    return ComparedScenario(
        number=number,
        scenario=other,
        seed=sides[number].seed,
        keys=match.keys,
        pairs=match.pairs,
        standings=tuple(
            standing_of(
                (results[0].verdict, names[pair.before]),
                (results[number].verdict, other.cohorts[pair.after]),
                rates[names[pair.before]].difference,
                least,
            )
            for pair in match.pairs
        ),
        players={group.cohort: group.players for group in own},
        strangers=tuple(group.cohort for group in own if not group.paired),
        removed={match.metrics[place]: where for place, where in match.removed.items()},
        attempts=(sum(group.attempts[0] for group in own), sum(group.attempts[1] for group in own)),
        failed=(results[0].failed, results[number].failed),
        shared=match.shared and own[0].replicas == 1,
        left=_left(match, own),
        places=place_changes(
            results[0].endings,
            results[number].endings,
            [(names[pair.before], pair.before, pair.after) for pair in match.pairs],
        ),
        place_noun=place_noun,
        further=further_changes(
            results[0].verdict.further,
            results[number].verdict.further,
            {names[pair.before]: other.cohorts[pair.after] for pair in match.pairs},
        ),
    )


def _left(match: _Match, groups: Sequence[_Group]) -> tuple[LevelLeft, ...]:
    """Who passed each level that all campaigns have."""
    if LEVELS_PASSED not in match.metrics:
        return ()
    place = match.metrics.index(LEVELS_PASSED)
    before, after = (
        [cohort[:, :, place, 0] for sums in side for cohort in sums]
        for side in ([group.before_sums for group in groups], [group.after_sums for group in groups])
    )
    by_replica = match.shared and all(group.replicas > 1 for group in groups)
    drawn = by_replica and match.drawn
    return levels_left(before, after, match.levels, paired=not match.strangers, by_replica=by_replica, drawn=drawn)
