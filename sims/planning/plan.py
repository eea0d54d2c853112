"""How many players it takes to notice a change, before they are played: `flowdial plan`.

A pilot with other players (sims.planning.pilot) measures how much players differ. With two scenarios it plays both with
the same players and the same luck (sims.comparison). It then measures how much their difference varies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import ScenarioError
from engine.inference.intervals import CONFIDENCE
from engine.inference.power import cluster_variance, clusters_for_effect, clusters_for_half_width, power_of
from engine.inference.sequential import LEAST, LEAST_REPLICAS, PILOT_REPLICAS
from engine.scenario import Scenario
from sims.catalog import scenario_of
from sims.comparison.comparison import compare
from sims.comparison.metrics import WIN_RATE
from sims.html.notebook import notebook_table
from sims.planning.pilot import elsewhere, first_size, growing, interval_of, people, resized, sums_for
from sims.runs.preflight import prepare_job
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.verdict.numbers import rounded_up
from sims.wording import listed, share_text
from sims.workers.cores import cores

_PILOT: Final = 200  # players of each cohort: their spread is then known to 10 %


class PilotSpread(NamedTuple):
    """What a pilot showed of one cohort."""

    cohort: str
    players: int  # in the pilot, over all replicas
    clusters: int  # of them: players or replicas with a judged attempt
    rate: float
    variance: float  # of one cluster's win rate
    paired: float | None = None  # of one cluster's difference; None with one scenario
    change: float | None = None  # of the win rate, in the pilot

    @property
    def unchanged(self) -> bool:
        """Whether no player won more or less often after the change."""
        return self.change == 0.0 and self.paired == 0.0


class Need(NamedTuple):
    """How many players of a cohort it takes, over all replicas of one run.

    No number is below `least`, the players that an interval takes to be trusted (engine.inference.sequential.LEAST).
    """

    cohort: str
    rate: float  # in the pilot
    spread: float  # standard deviation of a player's (or replica's) win rate
    change: float | None
    unpaired: int  # to notice the effect between two runs of different players
    paired: int | None  # between two runs of the same players
    flagged: int | None  # the same, when it is the only change among all that `flowdial compare` tests
    half_width: int  # for a margin of the win rate as wide as the effect
    now: int  # players that the scenario has
    power_now: float  # probability that these notice the effect, paired where that is known; NaN where there is none
    least: int = 0

    @property
    def is_least(self) -> bool:
        """Whether fewer players would notice the effect, and only the trust in intervals asks for so many."""
        return (self.paired or self.unpaired) == self.least


@dataclass(frozen=True, repr=False)
class Plan:
    """How many players it takes to notice a change of the win rate.

    Attributes:
        effect: the change, a difference of win rates in (0, 1).
        power: probability of noticing it, in (0.5, 1).
        needs: for each cohort.
        unchanged: cohorts in which no player of the pilot won more or less often after the change.
        skipped: cohorts with too few judged players in the pilot.
        noun: what the scenario needs more of: players or replicas.
        size: how many of them in each run; for paired runs where the change is known.
        size_now: how many the scenario has.
        tests: number of tests that a comparison makes; None without a second scenario.
        pilot_size, pilot_seed: of the pilot, in `noun`.
    """

    effect: float
    power: float
    needs: tuple[Need, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[str, ...]
    noun: str
    size: int
    size_now: int
    tests: int | None
    pilot_size: int
    pilot_seed: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """The plan in words."""
        return tuple(_sentences(self))

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Headings, then one line for each cohort."""
        return _table(self)

    def to_json(self) -> dict[str, Any]:
        """Numbers and sentences as values of JSON."""
        return {**_json_of(self), "said": list(self.sentences)}

    def __repr__(self) -> str:
        return f"Plan({self.size:,} {self.noun} to notice {self.effect:g} with power {self.power:g})"

    def _repr_html_(self) -> str:
        headings, *rows = self.table
        return notebook_table(headings, rows, self.sentences)


def plan(
    scenario: Scenario | str | Path,
    after: Scenario | str | Path | None = None,
    *,
    effect: float,
    power: float = 0.9,
    workers: int | None = None,
    on_progress: OnProgress = no_progress,
    on_message: OnMessage = no_message,
) -> Plan:
    """Estimate how many players it takes to notice a change of the win rate, from a small pilot.

    Args:
        scenario: a scenario, the path of its TOML file, or the name of a bundled one.
        after: the changed scenario; the pilot then plays both with the same players and the same luck.
        effect: smallest change to detect, a difference of win rates in (0, 1), e.g. 0.02 for two percentage points.
        power: probability of detecting it, in (0.5, 1).
        workers: number of processes, from 1; None for one per core.
        on_progress: takes attempts done and attempts in all.
        on_message: takes sentences about the pilot.

    Raises:
        ScenarioError: a scenario is wrong, the two cannot be compared, or no player was judged in the pilot.

    Example:
        >>> from sims import load_scenario, plan
        >>> small = {"players.count": 40, "horizon.attempts_per_player": 40}
        >>> estimate = plan(load_scenario("arena/stationary", **small), effect=0.05, workers=1)
        >>> estimate.noun, estimate.size > 50
        ('players', True)
    """
    before = scenario_of(scenario)
    changed = None if after is None else scenario_of(after)
    return _plan(before, changed, effect, power, workers or cores(), on_progress, on_message)


def _plan(
    scenario: Scenario,
    after: Scenario | None,
    effect: float,
    power: float,
    workers: int,
    on_progress: OnProgress,
    on_message: OnMessage,
) -> Plan:
    for one in (scenario, after):
        if one is not None:
            prepare_job(one)
    noun, size = growing(scenario), first_size(scenario, _PILOT, PILOT_REPLICAS)
    if after is not None and (growing(after), after.scope == "player") != (noun, scenario.scope == "player"):
        raise ScenarioError(
            f"{after.name}: the two scenarios of a plan must agree in controller.scope and in the kind of "
            f"players.arrival, but only {scenario.name} needs more {people(noun)}; plan each of them alone."
        )
    pilot = elsewhere(resized(scenario, size))
    on_message(f"pilot with {size:,} other {people(noun)} (seed {pilot.seed}) ...")
    spreads = _spreads(pilot, workers, on_progress)
    tests = None
    if after is not None:
        spreads, tests = _paired(spreads, pilot, elsewhere(resized(after, size)), workers)
    counts = {
        name: count * scenario.form.run.replicas for name, count in zip(scenario.cohorts, scenario.counts, strict=True)
    }
    least = LEAST_REPLICAS if scenario.shares_luck else LEAST
    needs = tuple(_need(one, counts[one.cohort], effect, power, tests, least) for one in spreads)
    if not needs:
        raise ScenarioError(
            f"{scenario.name}: no player was judged in a pilot with {size} {people(noun)}, so there is no plan; lower "
            "target.after_attempts"
        )
    now = scenario.form.players.count if noun == "players" else scenario.form.run.replicas
    most = max((need.paired or need.unpaired) / counts[need.cohort] for need in needs)
    return Plan(
        effect,
        power,
        needs,
        tuple(one.cohort for one in spreads if one.unchanged),
        tuple(name for name in scenario.cohorts if name not in {need.cohort for need in needs}),
        noun,
        rounded_up(math.ceil(now * most)),
        now,
        tests,
        size,
        pilot.seed,
    )


def _spreads(pilot: Scenario, workers: int, on_progress: OnProgress) -> list[PilotSpread]:
    """What the pilot shows of each cohort with two clusters or more."""
    spreads = []
    sums = sums_for(pilot, workers=workers, on_progress=on_progress)
    for (name, own), count in zip(sums.items(), pilot.counts, strict=True):
        one = interval_of(own)
        if one.clusters > 1:
            spreads.append(
                PilotSpread(name, count * pilot.form.run.replicas, one.clusters, one.rate, cluster_variance(one))
            )
    return spreads


def _paired(
    spreads: Sequence[PilotSpread], pilot: Scenario, after: Scenario, workers: int
) -> tuple[list[PilotSpread], int]:
    """The same with the variance of the difference, and how many tests a comparison makes."""
    compared = compare(pilot, after, workers=workers)
    changes = {change.cohort: change for change in compared.changes if change.metric == WIN_RATE}
    paired = []
    for one in spreads:
        if one.cohort in changes:
            change = changes[one.cohort].difference
            if not math.isnan(change.error):
                paired.append(one._replace(paired=change.clusters * change.error**2, change=change.value))
    return paired, sum(not math.isnan(change.p_adjusted) for change in compared.changes)


def _need(one: PilotSpread, now: int, effect: float, power: float, tests: int | None, least: int) -> Need:
    each = one.players / one.clusters  # players that a cluster costs

    def players(clusters: int) -> int:
        return math.ceil(each * max(clusters, least))

    apart = 2.0 * one.variance
    variance = apart if one.paired is None else one.paired
    paired = flagged = None
    if one.paired is not None and tests is not None:
        paired = players(clusters_for_effect(variance, effect, power))
        strict = 1.0 - (1.0 - CONFIDENCE) / max(tests, 1)
        flagged = players(clusters_for_effect(variance, effect, power, strict))
    clusters = int(now / each)
    power_now = 1.0 if variance == 0.0 else power_of(max(clusters, 2), variance, effect)
    if clusters < 2 or one.unchanged:
        power_now = math.nan
    return Need(
        cohort=one.cohort,
        rate=one.rate,
        spread=math.sqrt(one.variance),
        change=one.change,
        unpaired=players(clusters_for_effect(apart, effect, power)),
        paired=paired,
        flagged=flagged,
        half_width=players(clusters_for_half_width(one.variance, effect)),
        now=now,
        power_now=power_now,
        least=players(least),
    )


def _table(plan: Plan) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            "group", "win rate", "spread", "different players", "same players", f"margin +-{_points(plan.effect)}",
            "now", "chance to notice",
        )
    ]  # fmt: skip
    for need in plan.needs:
        rows.append(
            (
                need.cohort,
                f"{100 * need.rate:.1f} %",
                f"{100 * need.spread:.0f} points",
                f"{need.unpaired:,}",
                "-" if need.paired is None else f"{need.paired:,}",
                f"{need.half_width:,}",
                f"{need.now:,}",
                share_text(need.power_now),
            )
        )
    return rows


def _points(share: float) -> str:
    """A difference of win rates in percentage points."""
    return f"{100 * share:.3g} {'point' if share == 0.01 else 'points'}"


def _sentences(plan: Plan) -> Iterator[str]:
    """The plan in words."""
    if len(plan.unchanged) == len(plan.needs):
        yield (
            "The change does not affect the win rate: in the pilot no player won more or less often, so no number of "
            "players would show it."
        )
    else:
        yield from _about_size(plan)
        if plan.needs[0].paired is not None:
            yield from _about_pairing(plan)
        else:
            yield "Runs with the same players need fewer. Name the changed scenario too, and the plan says how many."
        yield (
            f"For a margin of +-{_points(plan.effect)}, the numbers in that column are enough on average; flowdial run "
            f"--precision {plan.effect:g} guarantees it."
        )
        if plan.unchanged:
            yield (
                f"In the pilot no player of {listed(plan.unchanged)} won more or less often after the change, so no "
                "number of players would show one there."
            )
    for name in plan.skipped:
        yield f"The plan leaves out {name}: too few of its players were judged in the pilot."
    yield (
        f"The pilot had {plan.pilot_size:,} other {people(plan.noun)} (seed {plan.pilot_seed}). Like all rates of "
        "synthetic players, its numbers are not fitted to your game yet (uncalibrated)."
    )


def _about_size(plan: Plan) -> Iterator[str]:
    """How large the runs must be, and what decides that."""
    key = "players.count" if plan.noun == "players" else "run.replicas"
    same = plan.needs[0].paired is not None
    groups = "every player group" if len(plan.needs) > 1 else plan.needs[0].cohort
    yield (
        f"A change of {_points(plan.effect)} in the win rate of {groups} needs two runs with {plan.size:,} "
        f"{people(plan.noun)} each (--set {key}={plan.size}). The scenario has {plan.size_now:,}."
    )
    how = "the same players before and after, as flowdial compare plays them" if same else "different players"
    yield f"With {how}, such a change is then noticed in {100 * plan.power:g} % of comparisons (statistical power)."
    hardest = max(plan.needs, key=lambda need: (need.paired or need.unpaired) / need.now)
    if len(plan.needs) > 1:
        yield f"The group {hardest.cohort} decides that number."
    enough = min(need.power_now for need in plan.needs)
    why = "The number is larger because a margin is not trusted below a least number of judged players per group."
    if plan.size > plan.size_now and enough >= plan.power:  # not so for NaN
        yield f"The players of the scenario notice such a change in {share_text(enough)} of comparisons already. {why}"
    elif hardest.is_least:
        yield f"Fewer players would notice such a change. {why}"


def _about_pairing(plan: Plan) -> Iterator[str]:
    needs = [need for need in plan.needs if need.paired is not None and need.flagged is not None]
    unpaired = sum(need.unpaired for need in needs)
    paired = sum(need.paired or 0 for need in needs)
    flagged = max((need.flagged or 0) / (need.paired or 1) for need in needs)
    least = all(need.is_least for need in needs)  # then equal numbers say nothing of what pairing or a test costs
    if round(unpaired / paired, 1) > 1.0 or not least:
        yield f"With different players it would take {unpaired / paired:.1f} times as many."
    if round(flagged, 1) > 1.0 or not least:
        yield (
            f"flowdial compare tests {plan.tests} differences at once. To be significant among them, a change of the "
            f"win rate alone needs up to {flagged:.1f} times as many players."
        )


def _json_of(plan: Plan) -> dict[str, Any]:
    needs = [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in need._asdict().items()
        }
        for need in plan.needs
    ]
    return {**asdict(plan), "needs": needs, "unchanged": list(plan.unchanged), "skipped": list(plan.skipped)}
