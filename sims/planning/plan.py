"""How many players it takes to notice a change, before they are played: `flowdial plan`.

A pilot with other players (sims.planning.pilot) shows how much players differ. With two scenarios it plays both with
the same players and the same luck (sims.comparison), and shows how often a comparison of so many flags the change
(sims.planning.flag_chance). To notice a change is to flag it: it is significant among all that a comparison tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from engine.errors import ScenarioError
from engine.inference.intervals import CONFIDENCE
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.inference.power import cluster_variance, clusters_for_effect, clusters_for_half_width, evenness, power_of
from engine.inference.sequential import LEAST, LEAST_REPLICAS, PILOT_REPLICAS
from engine.scenario import Scenario, setup_of
from engine.scenario_file.calibration_label import UNFITTED
from sims.catalog import Catalog, scenario_of
from sims.comparison.comparison import refuse_unlike
from sims.comparison.differences import EVERYBODY, measure_differences
from sims.comparison.metrics import LEAST_WORST, OWN_RATE, WIN_RATE, WORST, WORST_RATE, Sums, metrics_for
from sims.comparison.sides import SideSetups, play_sides, sides_of
from sims.html.notebook import notebook_table
from sims.planning.flag_chance import FlagChance, PilotGroup
from sims.planning.pilot import elsewhere, first_size, growing, interval_of, people, resized, sums_for
from sims.runs.preflight import prepare_job
from sims.terminal import OnMessage, OnProgress, no_message, no_progress
from sims.wording import listed, share_text
from sims.workers.execution_place import executor_of
from sims.workers.executor import Executor

_PILOT: Final = 200  # players of each cohort: their spread is then known to 10 %
# The same of two scenarios. One player in 300 may quit in one of them only. Few such players decide how often a change
# is noticed, so it takes many to know how many there are. No more attempts than these, but 200 players at least.
_PAIRED_PILOT: Final = 20_000
_PAIRED_WORK: Final = 2_000_000


class PilotSpread(NamedTuple):
    """What a pilot showed of one cohort."""

    cohort: str
    players: int  # in the pilot, over all replicas
    clusters: int  # of them: players or replicas with a judged attempt
    even: float  # effective clusters over clusters
    rate: float
    variance: float  # of one cluster's win rate


class Pair(NamedTuple):
    """What a pilot of two scenarios showed."""

    changes: dict[str, float]  # of the win rate, by cohort
    unchanged: frozenset[str]  # cohorts in which no player won more or less often
    needed: dict[str, float]  # for the other cohorts, how many times the players of the pilot
    now: dict[str, float]  # the chance to notice with the players that the scenario has
    tests: int


class Need(NamedTuple):
    """How many players of a cohort it takes, over all replicas of one run.

    No number is below `least`, the players that an interval takes to be trusted (engine.inference.sequential.LEAST).
    """

    cohort: str
    rate: float  # in the pilot
    spread: float  # standard deviation of a player's (or replica's) win rate
    change: float | None  # of the win rate, in the pilot; None with one scenario
    unpaired: int  # to notice the effect between two runs of different players
    flagged: int | None  # between two runs of the same players; None with one scenario
    half_width: int  # for a margin of the win rate as wide as the effect
    now: int  # players that the scenario has
    power_now: float  # probability that these notice the effect, paired where that is known; NaN where there is none
    least: int = 0

    @property
    def needed(self) -> int:
        """To notice the effect, with the same players where that is known."""
        return self.unpaired if self.flagged is None else self.flagged

    @property
    def is_least(self) -> bool:
        """Whether fewer players would notice the effect, and only the trust in intervals asks for so many."""
        return self.needed == self.least


@dataclass(frozen=True, repr=False)
class Plan:
    """How many players it takes to notice a change of the win rate.

    Attributes:
        effect: the change, a difference of win rates in (0, 1).
        power: probability that a comparison flags it, in (0.5, 1).
        needs: for each cohort.
        unchanged: cohorts in which no player of the pilot won more or less often after the change.
        skipped: cohorts with too few judged players in the pilot.
        noun: what the scenario needs more of: players or replicas.
        size: how many of them in each run; for paired runs where the change is known.
        size_now: how many the scenario has.
        tests: number of tests that a comparison makes.
        pilot_size, pilot_seed: of the pilot, in `noun`.
        calibration: whether the players were fitted to real plays, in words.
    """

    effect: float
    power: float
    needs: tuple[Need, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[str, ...]
    noun: str
    size: int
    size_now: int
    tests: int
    pilot_size: int
    pilot_seed: int
    calibration: str = UNFITTED

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
    on: str | None = None,
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
        on: None for processes of this machine, or "ray" or "ray://HOST:PORT" for a Ray cluster, see docs/scaling.md.
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
    with executor_of(workers, on) as executor:
        return _plan(before, changed, effect, power, executor, on_progress, on_message)


def _plan(
    scenario: Scenario,
    after: Scenario | None,
    effect: float,
    power: float,
    executor: Executor,
    on_progress: OnProgress,
    on_message: OnMessage,
) -> Plan:
    for one in (scenario, after):
        if one is not None:
            prepare_job(one)
    if after is not None:
        refuse_unlike(scenario, [after])
    noun, size = growing(scenario), first_size(scenario, _pilot_players(scenario, after), PILOT_REPLICAS)
    if after is not None and (growing(after), after.scope == "player") != (noun, scenario.scope == "player"):
        raise ScenarioError(
            f"{after.name}: the two scenarios of a plan must agree in controller.scope and in the kind of "
            f"players.arrival, but only {scenario.name} needs more {people(noun)}; plan each of them alone."
        )
    pilot = elsewhere(resized(scenario, size))
    on_message(f"pilot with {size:,} other {people(noun)} (seed {pilot.seed}) ...")
    spreads = _spreads(pilot, executor, on_progress, on_message)
    counts = {
        name: count * scenario.form.run.replicas for name, count in zip(scenario.cohorts, scenario.counts, strict=True)
    }
    pair = None
    if after is not None:
        now = scenario.form.players.count if noun == "players" else scenario.form.run.replicas
        least_share = min(first_size(scenario, LEAST, LEAST_REPLICAS), size) / size
        pair = _pair(
            pilot, elsewhere(resized(after, size)), effect, power, now / size, least_share, executor, on_message
        )
        spreads = [one for one in spreads if one.cohort in pair.changes]
    tests = _tests(scenario) if pair is None else pair.tests
    least = LEAST if not scenario.shares_luck else LEAST_REPLICAS
    needs = tuple(_need(one, counts[one.cohort], effect, power, pair, tests, least) for one in spreads)
    if not needs:
        raise ScenarioError(
            f"{scenario.name}: no player was judged in a pilot with {size} {people(noun)}, so there is no plan; lower "
            "target.after_attempts"
        )
    now = scenario.form.players.count if noun == "players" else scenario.form.run.replicas
    most = max(need.needed / counts[need.cohort] for need in needs)
    return Plan(
        effect,
        power,
        needs,
        () if pair is None else tuple(need.cohort for need in needs if need.cohort in pair.unchanged),
        tuple(name for name in scenario.cohorts if name not in {need.cohort for need in needs}),
        noun,
        _to_three_digits(now * most),
        now,
        tests,
        size,
        pilot.seed,
        scenario.calibration.words,
    )


def _pilot_players(scenario: Scenario, after: Scenario | None) -> int:
    """Players of each cohort in the pilot."""
    if after is None:
        return _PILOT
    work = len(scenario.cohorts) * scenario.form.horizon.attempts_per_player * scenario.form.run.replicas
    return max(min(_PAIRED_PILOT, _PAIRED_WORK // work), _PILOT)


def _to_three_digits(number: float) -> int:
    """A number of players, rounded up: the chance to notice is then at most half a point larger."""
    digits = int(10 ** max(0, math.floor(math.log10(max(number, 1.0))) - 2))
    return math.ceil(number / digits - 1e-9) * digits


def _tests(scenario: Scenario) -> int:
    """How many tests a comparison makes: of all metrics, for every cohort and for all players together."""
    setup = setup_of(scenario, Catalog())
    groups = len(scenario.cohorts) + (len(scenario.cohorts) > 1)
    return groups * len(metrics_for(setup.game.causes, setup.levels))


def _spreads(pilot: Scenario, executor: Executor, on_progress: OnProgress, on_message: OnMessage) -> list[PilotSpread]:
    """What the pilot shows of each cohort with two clusters or more."""
    spreads = []
    sums = sums_for(pilot, workers=executor, on_progress=on_progress, on_message=on_message)
    for (name, own), count in zip(sums.items(), pilot.counts, strict=True):
        one = interval_of(own)
        if one.clusters > 1:
            players = count * pilot.form.run.replicas
            spreads.append(PilotSpread(name, players, one.clusters, evenness(one), one.rate, cluster_variance(one)))
    return spreads


def _pair(
    pilot: Scenario,
    after: Scenario,
    effect: float,
    power: float,
    now: float,
    least: float,
    executor: Executor,
    on_message: OnMessage,
) -> Pair:
    """Play both with the same players, and see what a comparison notices.

    now, least: the scenario's size, and the smallest that is trusted, over the pilot's.
    """
    sides = sides_of(pilot, [after], pilot.seed)
    results = play_sides(sides, workers=executor, on_message=on_message)
    found = measure_differences(sides, results)
    metrics = [metric for metric in SideSetups(sides).metrics if metric != WORST_RATE]
    tested = {
        (change.cohort, change.metric.name) for change in found.changes if not math.isnan(change.difference.p_value)
    }
    wins = {
        change.cohort: change.difference
        for change in found.changes
        if change.metric == WIN_RATE and change.cohort != EVERYBODY and not math.isnan(change.difference.error)
    }
    unchanged = frozenset(name for name, one in wins.items() if one.value == 0.0 and one.error == 0.0)
    changed = [name for name in wins if name not in unchanged]
    by_replica = pilot.shares_luck and pilot.form.run.replicas > 1
    needed: dict[str, float] = {}
    chance_now = dict.fromkeys(unchanged, math.nan)
    if changed:
        sums = {name: [result.sums[pilot.cohorts.index(name)] for result in results] for name in changed}
        groups = [
            PilotGroup(
                _of_clusters(sums[name][0], by_replica),
                _of_clusters(sums[name][1], by_replica),
                np.array([(name, metric.name) in tested for metric in metrics]),
            )
            for name in changed
        ]
        sampled = {*changed, EVERYBODY} if len(changed) > 1 else set(changed)
        tails = [_tail_from(sides_sums[0]) for sides_sums in sums.values()]
        further = sum(name not in sampled and metric != WORST_RATE.name for name, metric in tested)
        chance = FlagChance(groups, effect, by_replica=by_replica, further_tests=further, tails=tails, seed=pilot.seed)
        needed = dict(zip(changed, chance.scale_for(power, least).tolist(), strict=True))
        chance_now |= dict(zip(changed, chance.at(now).tolist(), strict=True))
    return Pair({name: one.value for name, one in wins.items()}, unchanged, needed, chance_now, len(tested))


def _of_clusters(sums: Sums, by_replica: bool) -> Sums:
    """Sums of all players of a cohort, or of its replicas, shape (clusters, metrics, 2)."""
    return sums.sum(axis=1) if by_replica else sums.reshape(-1, *sums.shape[2:])


def _tail_from(sums: Sums) -> float:
    """How many times these players it takes for a comparison to test the tail of those who win least."""
    long = int((sums[:, :, 0, 1] >= OWN_RATE).sum())
    return LEAST_WORST / (WORST * long) if long else math.inf


def _need(one: PilotSpread, now: int, effect: float, power: float, pair: Pair | None, tests: int, least: int) -> Need:
    each = one.players / one.clusters  # players that a cluster costs
    fewest = math.ceil(each * least)
    strict = 1.0 - FALSE_DISCOVERY_RATE / max(tests, 1)  # as if nothing else were flagged

    def players(clusters: int) -> int:
        return max(math.ceil(each * clusters), fewest)

    flagged = None
    clusters, apart = int(now / each), 2.0 * one.variance
    if pair is not None:
        flagged = max(math.ceil(pair.needed.get(one.cohort, 0.0) * one.players), fewest)
        power_now = pair.now[one.cohort] if clusters > 1 else math.nan
    else:
        power_now = power_of(clusters, apart, effect, strict, one.even) if clusters > 1 else math.nan
    return Need(
        cohort=one.cohort,
        rate=one.rate,
        spread=math.sqrt(one.variance),
        change=None if pair is None else pair.changes[one.cohort],
        unpaired=players(clusters_for_effect(apart, effect, power, strict, one.even)),
        flagged=flagged,
        half_width=players(clusters_for_half_width(one.variance, effect, CONFIDENCE, one.even)),
        now=now,
        power_now=power_now,
        least=fewest,
    )


def _table(plan: Plan) -> list[tuple[str, ...]]:
    same = plan.needs[0].flagged is not None
    headings = ("group", "win rate", "players now", "chance to notice", "players needed")
    rows = [(*headings, *(("if they differ",) if same else ()), f"for +-{_points(plan.effect)}")]
    for need in plan.needs:
        rows.append(
            (
                need.cohort,
                f"{100 * need.rate:.1f} %",
                f"{need.now:,}",
                share_text(need.power_now),
                f"{need.needed:,}",
                *((f"{need.unpaired:,}",) if same else ()),
                f"{need.half_width:,}",
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
        if plan.needs[0].flagged is not None:
            yield from _about_pairing(plan)
        else:
            yield "Runs with the same players need fewer. Name the changed scenario too, and the plan says how many."
        yield (
            f"The last column is enough for a margin of +-{_points(plan.effect)} on average; flowdial run "
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
        f"The pilot had {plan.pilot_size:,} other {people(plan.noun)} (seed {plan.pilot_seed}). "
        + (
            "Like all rates of synthetic players, its numbers are not fitted to your game yet (uncalibrated)."
            if plan.calibration == UNFITTED
            else f"Its players are {plan.calibration}."
        )
    )


def _about_size(plan: Plan) -> Iterator[str]:
    """How large the runs must be, and what decides that."""
    key = "players.count" if plan.noun == "players" else "run.replicas"
    same = plan.needs[0].flagged is not None
    groups = "every player group" if len(plan.needs) > 1 else plan.needs[0].cohort
    yield (
        f"A change of {_points(plan.effect)} in the win rate of {groups} needs two runs with {plan.size:,} "
        f"{people(plan.noun)} each (--set {key}={plan.size}). The scenario has {plan.size_now:,}."
    )
    how = "the same players before and after" if same else "different players"
    only = "" if same else ", even if nothing else changes"
    yield (
        f"With {how}, {100 * plan.power:g} % of comparisons then show it as significant among the {plan.tests} changes "
        f"that flowdial compare tests at once{only}."
    )
    hardest = max(plan.needs, key=lambda need: need.needed / need.now)
    if len(plan.needs) > 1:
        yield f"The group {hardest.cohort} decides that number."
    enough = min(need.power_now for need in plan.needs)
    why = "The number is larger because a margin is not trusted below a least number of judged players per group."
    if plan.size > plan.size_now and enough >= plan.power:  # not so for NaN
        yield f"The players of the scenario notice such a change in {share_text(enough)} of comparisons already. {why}"
    elif hardest.is_least:
        yield f"Fewer players would notice such a change. {why}"


def _about_pairing(plan: Plan) -> Iterator[str]:
    """What the same players save, and how far the pilot's change is from the effect."""
    unpaired = sum(need.unpaired for need in plan.needs)
    same = sum(need.needed for need in plan.needs)
    if round(unpaired / same, 1) > 1.0 or not all(need.is_least for need in plan.needs):
        yield f"With different players it would take {unpaired / same:.1f} times as many."
    far = [need for need in plan.needs if need.change and not 0.5 <= abs(need.change) / plan.effect <= 2.0]
    if far:
        seen = listed([f"{100 * (need.change or 0.0):+.2g} points for {need.cohort}" for need in far])
        yield (
            f"The two scenarios differ by another amount in the pilot: {seen}. The plan is surest for --effect near "
            "that."
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
