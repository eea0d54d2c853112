"""The differences between scenarios: what changed, for whom, by how much and how sure that is.

Each metric of each cohort is a paired difference over the same players (engine.inference.difference). All differences
are tested together, and the significant ones are flagged (engine.inference.multiple_testing). All intervals have one
confidence, 1 - flagged / tests x rate. At this confidence exactly the flagged ones exclude 0, and at most that rate of
them are wrong: Benjamini and Yekutieli, Journal of the American Statistical Association 100, 2005.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.inference.difference import Difference, paired_difference
from engine.inference.intervals import CONFIDENCE
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE, benjamini_hochberg
from engine.scenario import Scenario
from sims.comparison.changed_keys import ChangedKey, CohortPair, changed_keys, pair_cohorts
from sims.comparison.metrics import ATTEMPTS, JUDGED, WORST_RATE, Metric, Sums, worst_sums
from sims.comparison.sides import Side, SideSetups, SideSums

EVERYBODY: Final = ""  # in place of a cohort's name: the players of all cohorts that both scenarios have

_ROUNDING: Final = 1e-9  # a spread below this share of its value is a rounding error of zero


class Change(NamedTuple):
    """One metric of one cohort, or of all players, in the first scenario and in another.

    Attributes:
        number: which scenario is compared with the first: 1, 2, ...
        cohort: its name in the first scenario, or EVERYBODY.
        metric: what is compared; its unit is that of the difference.
        players: how many players are compared.
        difference: before, after, their difference and its interval.
        spread: standard deviation between players before and after, in the metric's unit; NaN where unknown.
        attempts: attempts of these players in both scenarios.
        p_adjusted: p-value adjusted for all changes of the comparison (Benjamini and Hochberg); NaN where unknown.
    """

    number: int
    cohort: str
    metric: Metric
    players: int
    difference: Difference
    spread: float
    attempts: int
    p_adjusted: float = math.nan

    @property
    def certain(self) -> bool:
        """Whether the controller set the same for every player in each scenario. Then no luck is in the change."""
        return self.metric.set_by_controller and self.spread == 0.0 and self.difference.value != 0.0

    @property
    def known(self) -> bool:
        """Whether the data are enough for any statement."""
        return self.certain or not math.isnan(self.p_adjusted)

    @property
    def flagged(self) -> bool:
        """Whether the change is statistically significant."""
        return self.certain or self.p_adjusted <= FALSE_DISCOVERY_RATE

    @property
    def exact(self) -> bool:
        """Whether every player did the same in both scenarios."""
        return self.difference.value == 0.0 and self.difference.error == 0.0

    @property
    def unclear(self) -> bool:
        """Whether something differs, but not significantly."""
        return self.known and not self.flagged and not self.exact

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
        keys: the keys that differ.
        pairs: the cohorts that both scenarios have.
        players: by cohort, how many players are in both.
        attempts: attempts before and after, by the players in both.
        failed: attempts before and after that failed in a plug-in; they do not count.
        shared: whether players who share a controller were taken as independent, because there is one replica.
    """

    number: int
    scenario: Scenario
    keys: list[ChangedKey]
    pairs: list[CohortPair]
    players: dict[str, int]
    attempts: tuple[int, int]
    failed: tuple[int, int]
    shared: bool


@dataclasses.dataclass(frozen=True)
class Differences:
    """The numbers of a comparison.

    Attributes:
        before: the first scenario.
        seed: the seed that all scenarios were played with.
        others: the scenarios that are compared with the first one.
        changes: all changes; flagged ones first, then by the size of their effect.
        confidence: of all intervals, in (0, 1).
    """

    before: Scenario
    seed: int
    others: tuple[ComparedScenario, ...]
    changes: tuple[Change, ...]
    confidence: float

    @property
    def flagged(self) -> tuple[Change, ...]:
        """The statistically significant changes, the largest effect first."""
        return tuple(change for change in self.changes if change.flagged)

    @property
    def failed(self) -> int:
        """Attempts of all scenarios that failed in a plug-in."""
        return self.others[0].failed[0] + sum(other.failed[1] for other in self.others)

    def changes_of(self, other: ComparedScenario) -> list[Change]:
        """The changes from the first scenario to this one."""
        return [change for change in self.changes if change.number == other.number]


def measure_differences(sides: Sequence[Side], results: Sequence[SideSums]) -> Differences:
    """Compare the sums of each other side with those of the first one."""
    setups = SideSetups(sides)
    groups = [group for number in range(1, len(sides)) for group in _groups(setups, sides, results, number)]

    def measure(confidence: float) -> list[Change]:
        return [change for group in groups for change in _changes(group, setups.metrics, confidence)]

    adjusted = benjamini_hochberg([change.difference.p_value for change in measure(CONFIDENCE)])
    tests, flags = int(np.isfinite(adjusted).sum()), int((adjusted <= FALSE_DISCOVERY_RATE).sum())
    confidence = 1.0 - FALSE_DISCOVERY_RATE * max(flags, 1) / max(tests, 1)
    changes = [change._replace(p_adjusted=float(p)) for change, p in zip(measure(confidence), adjusted, strict=True)]
    others = tuple(_compared_scenario(sides, results, number, groups) for number in range(1, len(sides)))
    return Differences(sides[0].scenario, sides[0].seed, others, tuple(sorted(changes, key=_rank)), confidence)


def _rank(change: Change) -> tuple[bool, float]:
    """Flagged changes first, then the largest effect; unknown ones last."""
    return not change.flagged, math.inf if math.isnan(change.effect) else -abs(change.effect)


class _Group(NamedTuple):
    """The same players on two sides, cohort by cohort; each item has shape (replicas, players, metrics, 2)."""

    number: int
    cohort: str
    before_sums: tuple[Sums, ...]
    after_sums: tuple[Sums, ...]
    shared: bool  # whether players share a controller before or after

    @property
    def replicas(self) -> int:
        return len(self.before_sums[0])

    @property
    def players(self) -> int:
        """Over all replicas."""
        return sum(math.prod(sums.shape[:2]) for sums in self.before_sums)

    @property
    def attempts(self) -> tuple[int, int]:
        """Before and after."""
        before, after = (
            sum(int(sums[:, :, ATTEMPTS, 0].sum()) for sums in side) for side in (self.before_sums, self.after_sums)
        )
        return before, after


def _groups(setups: SideSetups, sides: Sequence[Side], results: Sequence[SideSums], number: int) -> Iterator[_Group]:
    """Each cohort that two sides have, with the players that both have; then all of these cohorts together."""
    names = sides[0].scenario.cohorts
    shared = any(setups.setups[side].scope != "player" for side in (0, number))
    before_sums: list[Sums] = []
    after_sums: list[Sums] = []
    for address in (address for address in sides[number].addresses if address < len(names)):
        before, after = results[0].sums[address], results[number].sums[address]
        replicas, players = (min(before.shape[axis], after.shape[axis]) for axis in (0, 1))
        before_sums.append(before[:replicas, :players])
        after_sums.append(after[:replicas, :players])
        yield _Group(number, names[address], (before_sums[-1],), (after_sums[-1],), shared)
    if len(before_sums) > 1:
        yield _Group(number, EVERYBODY, tuple(before_sums), tuple(after_sums), shared)


def _changes(group: _Group, metrics: Sequence[Metric], confidence: float) -> Iterator[Change]:
    by_replica = group.shared and group.replicas > 1  # as engine.tally.scheme_of
    attempts = sum(group.attempts)
    for place, metric in enumerate(metrics):
        before, after = (_of_players(side, place, metric) for side in (group.before_sums, group.after_sums))
        by_player = difference = paired_difference(before, after, confidence)
        if by_replica:
            before, after = (sums.reshape(group.replicas, -1, 2).sum(axis=1) for sums in (before, after))
            difference = paired_difference(before, after, confidence)
        smallest = _ROUNDING * max(abs(by_player.before), abs(by_player.after))
        spread = by_player.unpaired_error * math.sqrt(by_player.clusters / 2.0)
        if spread <= smallest:
            spread = 0.0
            difference = _without_luck(difference, smallest) if metric.set_by_controller else difference
        yield Change(group.number, group.cohort, metric, group.players, difference, spread, attempts)


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
    sides: Sequence[Side], results: Sequence[SideSums], number: int, groups: Sequence[_Group]
) -> ComparedScenario:
    own = [group for group in groups if group.number == number and group.cohort != EVERYBODY]
    first, other = sides[0].scenario, sides[number].scenario
    pairs = pair_cohorts(first, other)
    return ComparedScenario(
        number=number,
        scenario=other,
        keys=changed_keys(first, other, pairs),
        pairs=pairs,
        players={group.cohort: group.players for group in own},
        attempts=(sum(group.attempts[0] for group in own), sum(group.attempts[1] for group in own)),
        failed=(len(results[0].faults), len(results[number].faults)),
        shared=own[0].shared and own[0].replicas == 1,
    )
