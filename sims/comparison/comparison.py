"""What changed from one scenario to another, for whom, by how much and how sure.

Each metric of each cohort is a paired difference (engine.inference.difference) over the same players; which of them are more than
luck is decided over all of them at once (engine.inference.multiple_testing). All intervals have one confidence, 1 - flagged / tests x
rate, at which exactly the flagged ones exclude 0 and, of those, no more than that rate are wrong: Benjamini and
Yekutieli, Journal of the American Statistical Association 100, 2005.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.errors import ScenarioError
from engine.inference.difference import Difference, paired_difference
from engine.inference.intervals import CONFIDENCE
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE, benjamini_hochberg
from engine.scenario import Scenario, setup_of
from sims.arena.race import refusal
from sims.catalog import Catalog
from sims.comparison.changed_keys import Key, Pair, changed_keys, paired
from sims.comparison.metrics import ATTEMPTS, JUDGED, WORST_RATE, Metric, Sums, worst_sums
from sims.comparison.sides import Side, Stage, Table, sides_of, tables_of

EVERYBODY: Final = ""  # in the place of a cohort's name: all cohorts that both scenarios have

_ROUNDING: Final = 1e-9  # a spread this small, relative to what it is of, is a rounding error of zero


class Change(NamedTuple):
    """What became of one metric for one cohort, or for everybody."""

    after: int  # number of the scenario that is held against the first: 1, 2 ...
    cohort: str  # its name in the first scenario; EVERYBODY
    metric: Metric
    players: int  # who are compared
    difference: Difference
    spread: float  # standard deviation between players before and after, in the metric's own unit; NaN where unknown
    attempts: int  # of these players on both sides
    p_adjusted: float = math.nan  # Benjamini and Hochberg's, over all changes of the comparison

    @property
    def certain(self) -> bool:
        """Whether the controller set the same for every player on either side: then there is no luck in the change."""
        return self.metric.set_by_controller and self.spread == 0.0 and self.difference.value != 0.0

    @property
    def known(self) -> bool:
        """Whether anything can be said."""
        return self.certain or not math.isnan(self.p_adjusted)

    @property
    def flagged(self) -> bool:
        """Whether this is more than noise."""
        return self.certain or self.p_adjusted <= FALSE_DISCOVERY_RATE

    @property
    def exact(self) -> bool:
        """Whether every player did the same before and after."""
        return self.difference.value == 0.0 and self.difference.error == 0.0

    @property
    def noise(self) -> bool:
        """Whether something differs that cannot be told from luck."""
        return self.known and not self.flagged and not self.exact

    @property
    def effect(self) -> float:
        """The change in standard deviations between players; infinite where those do not differ, NaN where unknown."""
        value = self.difference.value
        if value == 0.0 or math.isnan(value):
            return value
        return value / self.spread if self.spread > 0.0 else math.copysign(math.inf, value)

    @property
    def saved(self) -> float:
        """Attempts that would have been needed on top without pairing; below 0 where pairing made it worse."""
        return self.attempts * (self.difference.pairing_factor - 1.0)


class Comparison(NamedTuple):
    """One scenario against the first."""

    after: int
    scenario: Scenario
    keys: list[Key]  # what was changed
    pairs: list[Pair]
    players: dict[str, int]  # by cohort: who are in both
    attempts: tuple[int, int]  # played before and after, by players in both
    failed: tuple[int, int]  # attempts that a plug-in spoilt, before and after, and which count nowhere
    shared: bool  # whether players who share a controller were taken as independent, for want of replicas


@dataclasses.dataclass(frozen=True)
class BeforeAfter:
    """All that came of it."""

    before: Scenario
    seed: int
    comparisons: list[Comparison]
    changes: list[Change]  # the largest effect first, what is flagged before what is not
    confidence: float  # of all intervals

    @property
    def flagged(self) -> list[Change]:
        """What is more than noise."""
        return [change for change in self.changes if change.flagged]

    def changes_of(self, comparison: Comparison) -> list[Change]:
        """Those of one scenario against the first."""
        return [change for change in self.changes if change.after == comparison.after]

    @property
    def failed(self) -> int:
        """Attempts that a plug-in spoilt."""
        before = self.comparisons[0].failed[0]
        return before + sum(comparison.failed[1] for comparison in self.comparisons)


def compare(
    first: Scenario,
    others: Sequence[Scenario],
    seed: int,
    *,
    workers: int,
    shown: Callable[[int, int], None] = lambda done, all_: None,
) -> BeforeAfter:
    """Play the scenarios and compare each of the others with the first. Raises ScenarioError, see `agree`."""
    agree(first, others)
    sides = sides_of(first, others, seed)
    return found_in(sides, tables_of(sides, workers=workers, shown=shown))


def agree(first: Scenario, others: Sequence[Scenario]) -> None:
    """Raise ScenarioError for scenarios of different games, and for one that cannot be played."""
    catalog = Catalog()
    for scenario in (first, *others):
        if scenario.form.game.name != first.form.game.name:
            raise ScenarioError(
                f"{scenario.name}: scenarios that are compared must be of one game, but {first.name} plays "
                f"{first.form.game.name} and this one {scenario.form.game.name}; compare two of the same game."
            )
        setup = setup_of(scenario, catalog)
        reason = refusal(setup, setup)
        if reason is not None:
            raise ScenarioError(f"{scenario.name}: {setup.kind.name} cannot play: {reason}")


def found_in(sides: Sequence[Side], tables: Sequence[Table]) -> BeforeAfter:
    """Compare what each of the other sides left with what the first one did."""
    stage = Stage(sides)
    metrics = stage.metrics
    groups = [group for after in range(1, len(sides)) for group in _groups(stage, sides, tables, after)]

    def measured(confidence: float) -> list[Change]:
        return [change for group in groups for change in _measured(group, metrics, confidence)]

    found = measured(CONFIDENCE)
    adjusted = benjamini_hochberg([change.difference.p_value for change in found])
    tests, flags = int(np.isfinite(adjusted).sum()), int((adjusted <= FALSE_DISCOVERY_RATE).sum())
    confidence = 1.0 - FALSE_DISCOVERY_RATE * max(flags, 1) / max(tests, 1)
    changes = [change._replace(p_adjusted=float(p)) for change, p in zip(measured(confidence), adjusted, strict=True)]
    changes.sort(key=_place)
    comparisons = [_comparison(sides, tables, after, groups) for after in range(1, len(sides))]
    return BeforeAfter(sides[0].scenario, sides[0].seed, comparisons, changes, confidence)


def _place(change: Change) -> tuple[bool, float]:
    """What is flagged first, then the largest effect; what is not known last. Equals stay in their order."""
    return not change.flagged, math.inf if math.isnan(change.effect) else -abs(change.effect)


class Group(NamedTuple):
    """The same players on two sides, cohort by cohort; each item has shape (replicas, players, metrics, 2)."""

    after: int
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
        return sum(math.prod(one.shape[:2]) for one in self.before_sums)

    @property
    def attempts(self) -> tuple[int, int]:
        """Before and after."""
        was, is_ = (
            sum(int(one[:, :, ATTEMPTS, 0].sum()) for one in side) for side in (self.before_sums, self.after_sums)
        )
        return was, is_


def _groups(stage: Stage, sides: Sequence[Side], tables: Sequence[Table], after: int) -> Iterator[Group]:
    """Each cohort that the first side and another have, with the players that both have; then all of them together."""
    names = sides[0].scenario.cohorts
    shared = any(stage.setups[side].scope != "player" for side in (0, after))
    before_sums: list[Sums] = []
    after_sums: list[Sums] = []
    for address in (address for address in sides[after].addresses if address < len(names)):
        was, is_ = tables[0].sums[address], tables[after].sums[address]
        replicas, players = (min(was.shape[axis], is_.shape[axis]) for axis in (0, 1))
        before_sums.append(was[:replicas, :players])
        after_sums.append(is_[:replicas, :players])
        yield Group(after, names[address], (before_sums[-1],), (after_sums[-1],), shared)
    if len(before_sums) > 1:
        yield Group(after, EVERYBODY, tuple(before_sums), tuple(after_sums), shared)


def _measured(group: Group, metrics: Sequence[Metric], confidence: float) -> Iterator[Change]:
    by_replica = group.shared and group.replicas > 1  # as engine.tally.scheme_of
    attempts = sum(group.attempts)
    for place, metric in enumerate(metrics):
        was, is_ = (_of_players(side, place, metric) for side in (group.before_sums, group.after_sums))
        people = found = paired_difference(was, is_, confidence)
        if by_replica:
            was, is_ = (one.reshape(group.replicas, -1, 2).sum(axis=1) for one in (was, is_))
            found = paired_difference(was, is_, confidence)
        size = _ROUNDING * max(abs(people.before), abs(people.after))
        spread = people.unpaired_error * math.sqrt(people.clusters / 2.0)
        if spread <= size:
            spread = 0.0
            found = _without_luck(found, size) if metric.set_by_controller else found
        yield Change(group.after, group.cohort, metric, group.players, found, spread, attempts)


def _without_luck(found: Difference, least: float) -> Difference:
    """What the controller set for all alike: the same, or surely something else. least: below is a rounding error."""
    if abs(found.value) <= least:
        return found._replace(value=0.0, low=0.0, high=0.0, error=0.0, p_value=1.0)
    return found._replace(low=math.nan, high=math.nan, p_value=math.nan)


def _of_players(cohorts: Sequence[Sums], place: int, metric: Metric) -> Sums:
    """One metric of all players, those of a replica together, shape (replicas x players, 2)."""
    wanted = JUDGED if metric is WORST_RATE else place
    sums = np.concatenate([one[:, :, wanted] for one in cohorts], axis=1).reshape(-1, 2)
    return worst_sums(sums) if metric is WORST_RATE else sums


def _comparison(sides: Sequence[Side], tables: Sequence[Table], after: int, groups: Sequence[Group]) -> Comparison:
    own = [group for group in groups if group.after == after and group.cohort != EVERYBODY]
    first, other = sides[0].scenario, sides[after].scenario
    pairs = paired(first, other)
    return Comparison(
        after=after,
        scenario=other,
        keys=changed_keys(first, other, pairs),
        pairs=pairs,
        players={group.cohort: group.players for group in own},
        attempts=(sum(group.attempts[0] for group in own), sum(group.attempts[1] for group in own)),
        failed=(len(tables[0].faults), len(tables[after].faults)),
        shared=own[0].shared and own[0].replicas == 1,
    )
