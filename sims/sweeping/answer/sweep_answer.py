"""What a sweep found: every trial, the winner beside the baseline on fresh players, and what the search promised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np

from engine.scenario import Scenario
from sims.comparison.metrics import WIN_RATE, Metric
from sims.sweeping.exploration import BASELINE_TRIAL, SweepOutcome
from sims.sweeping.objective import Objective
from sims.sweeping.space import Settings, SweepSpace, SweptValue, value_in
from sims.sweeping.sweep_plan import SweepPlan
from sims.sweeping.sweep_request import SweepRequest
from sims.sweeping.trial_losses import Gain, pooled
from sims.sweeping.trial_records import Measure, TrialRecord, of_whole_lives
from sims.sweeping.trial_scenarios import trial_scenario

Claim = Literal["better", "worse", "same", "cannot tell"]

_BINS: Final = 4  # of a range, for the influence of a key


@dataclass(frozen=True)
class MeasuredTrial:
    """A trial with all that was measured of it.

    Attributes:
        number: 0 is the baseline.
        settings: what it changes.
        players: that it played with in all, over its blocks.
        attempts: that these made.
        failed: of these attempts, by a fault of a plug-in.
        failure: why it does not count; empty where it does.
        loss: of the objective.
        gain: the loss less the baseline's on the same players.
        states: by cohort, whether it is on target.
        measures: by cohort and for all players last, then by metric; those of its largest block.
        others: loss and gain in each further objective.
    """

    number: int
    settings: Settings
    players: int
    attempts: int
    failed: int
    failure: str
    loss: Gain
    gain: Gain
    states: tuple[str, ...]
    measures: tuple[tuple[Measure, ...], ...]
    others: tuple[tuple[Gain, Gain], ...] = ()

    @property
    def results(self) -> tuple[tuple[Gain, Gain], ...]:
        """Loss and gain in each objective."""
        return ((self.loss, self.gain), *self.others)

    def value(self, key: str) -> SweptValue | None:
        """What it sets a key to; None where it leaves it."""
        return dict(self.settings).get(key)


@dataclass(frozen=True)
class SweepAnswer:
    """The numbers of a finished sweep."""

    scenario: Scenario
    space: SweepSpace
    request: SweepRequest
    plan: SweepPlan
    objectives: tuple[Objective, ...]
    metrics: tuple[Metric, ...]
    outcome: SweepOutcome

    @property
    def objective(self) -> Objective:
        """The one by which the search went."""
        return self.objectives[0]

    @cached_property
    def trials(self) -> tuple[MeasuredTrial, ...]:
        """All trials of the search, the baseline first."""
        return tuple(_merged(self.outcome.search))

    @property
    def baseline(self) -> MeasuredTrial:
        """The scenario as it is, in the search."""
        return self.trials[0]

    @cached_property
    def played(self) -> tuple[MeasuredTrial, ...]:
        """Trials besides the baseline that count."""
        return tuple(trial for trial in self.trials[1:] if not trial.failure)

    @cached_property
    def failures(self) -> tuple[MeasuredTrial, ...]:
        """Trials that do not count."""
        return tuple(trial for trial in self.trials if trial.failure)

    @cached_property
    def winner(self) -> MeasuredTrial:
        """The best trial, in the search."""
        return next(trial for trial in self.trials if trial.number == self.outcome.winner)

    @cached_property
    def fresh_baseline(self) -> MeasuredTrial:
        """The baseline on fresh players."""
        return next(one for one in self._fresh if one.number == BASELINE_TRIAL)

    @cached_property
    def fresh_winner(self) -> MeasuredTrial:
        """The winner on fresh players: only these numbers are reported of it."""
        return next(one for one in self._fresh if one.number == self.outcome.winner)

    @cached_property
    def front(self) -> tuple[MeasuredTrial, ...]:
        """All trials that were measured on fresh players, the winner first; several only of several objectives."""
        return (self.fresh_winner, *(one for one in self._fresh if one.number in self.outcome.front[1:]))

    @cached_property
    def _fresh(self) -> tuple[MeasuredTrial, ...]:
        settings = {trial.number: trial.settings for trial in self.trials}
        numbers = {record.ask.trial for record in self.outcome.fresh}
        return tuple(
            _merged(self.outcome.fresh, {one: trial_scenario(self.scenario, settings[one]) for one in numbers})
        )

    @cached_property
    def best(self) -> Scenario:
        """The scenario with the settings of the winner."""
        return trial_scenario(self.scenario, self.winner.settings)

    @property
    def sweeps_targets(self) -> bool:
        """Whether trials may have targets of their own."""
        return any("target" in name.split(".") for name in self.space.names)

    @cached_property
    def claim(self) -> Claim:
        """What the fresh players say of the winner beside the baseline, at 95 % confidence."""
        gain = self.fresh_winner.gain
        if gain.value == 0.0 and gain.error == 0.0:
            return "same"
        if gain.high < 0.0:
            return "better"
        return "worse" if gain.low > 0.0 else "cannot tell"

    def shown(self, loss: Gain, objective: int = 0) -> Measure:
        """A loss as people read it: the root of a mean square. objective: place of it."""
        ends = (loss.value, loss.low, loss.high)
        return Measure(*map(_root, ends)) if self.objectives[objective].squared else Measure(*ends)

    def shown_gain(self, trial: MeasuredTrial, baseline: MeasuredTrial, objective: int = 0) -> Measure:
        """By how much a trial's shown loss differs from the baseline's; below 0 is better. objective: place of it."""
        gain = trial.results[objective][1]
        ends = (gain.value, gain.low, gain.high)
        if not self.objectives[objective].squared:
            return Measure(*ends)
        usual = max(baseline.results[objective][0].value, 0.0)
        return Measure(*(_root(usual + end) - math.sqrt(usual) for end in ends))

    @cached_property
    def optimism(self) -> float:
        """How much better the winner looked in the search than on fresh players; below 0 where it looked worse."""
        promised = self.shown_gain(self.winner, self.baseline).value
        return self.shown_gain(self.fresh_winner, self.fresh_baseline).value - promised

    @cached_property
    def curve_key(self) -> str | None:
        """The only key, where its values are numbers; None elsewhere."""
        (first, *others) = self.space.keys
        return first.key if not others and first.is_number and self.plan.lives is None else None

    @cached_property
    def curve(self) -> tuple[tuple[float, MeasuredTrial], ...]:
        """Values of the only key with what was measured there, rising."""
        if self.curve_key is None:
            return ()
        found = [(trial.value(self.curve_key), trial) for trial in self.played]
        return tuple(
            sorted(((float(value), trial) for value, trial in found if isinstance(value, int | float)), key=_first)
        )

    @cached_property
    def own_values(self) -> dict[str, SweptValue | None]:
        """What the scenario has at each key; None for a knob that its dial moves."""
        return {one.key: value_in(self.scenario, one.key) for one in self.space.keys}

    @cached_property
    def influence(self) -> dict[str, float]:
        """Share of the differences between trials that each key explains alone; empty with one key."""
        if len(self.space.keys) < 2 or self.plan.lives is not None:
            return {}
        return {one.key: _explained(*self._by_key(one.key)) for one in self.space.keys}

    def _by_key(self, key: str) -> tuple[list[SweptValue], list[float]]:
        rows = [(trial.value(key), trial.gain.value) for trial in self.played]
        known = [(value, gain) for value, gain in rows if value is not None]
        return [value for value, _ in known], [gain for _, gain in known]

    def rates(self, trial: MeasuredTrial, metric: str = WIN_RATE.name) -> tuple[Measure, ...]:
        """A metric of a trial, by cohort and for all players last."""
        place = [one.name for one in self.metrics].index(metric)
        return tuple(group[place] for group in trial.measures)


def _merged(records: Sequence[TrialRecord], scenarios: Mapping[int, Scenario] | None = None) -> Iterator[MeasuredTrial]:
    """Trials in the order of their numbers. scenarios: by trial, to join equal blocks; None for the largest block."""
    by_trial: dict[int, list[TrialRecord]] = {}
    for record in records:
        by_trial.setdefault(record.ask.trial, []).append(record)
    for number, own in sorted(by_trial.items()):
        judged = of_whole_lives(own)
        weights = [float(record.ask.block.players) for record in judged]
        failure = next((record.failure for record in own if record.failure), "")
        largest = max(reversed(judged), key=lambda record: record.ask.block.players)
        measures = largest.measures
        states = largest.states
        if scenarios is not None:
            measures = _joined([record.measures for record in own])
            states = _joined_states(scenarios[number], measures, [record.states for record in own])
        parts = list(zip(judged, weights, strict=True))
        yield MeasuredTrial(
            number,
            own[0].ask.settings,
            sum(record.ask.block.players for record in own),
            sum(record.attempts for record in own),
            sum(record.failed for record in own),
            failure,
            pooled([(record.loss, weight) for record, weight in parts]),
            pooled([(record.gain, weight) for record, weight in parts]),
            states,
            measures,
            _pooled_others(parts),
        )


def _pooled_others(parts: Sequence[tuple[TrialRecord, float]]) -> tuple[tuple[Gain, Gain], ...]:
    """Loss and gain in each further objective, over all blocks. parts: each with its weight."""
    kept = [(record.others, weight) for record, weight in parts if not record.failure]
    found = []
    for place in range(len(kept[0][0]) if kept else 0):
        loss, gain = (pooled([(others[place][side], weight) for others, weight in kept]) for side in (0, 1))
        found.append((loss, gain))
    return tuple(found)


def _joined(blocks: Sequence[tuple[tuple[Measure, ...], ...]]) -> tuple[tuple[Measure, ...], ...]:
    """The means of blocks of equal size, with their margins."""
    if len(blocks) == 1:
        return blocks[0]
    table = np.array(blocks)  # shape (blocks, groups, metrics, 3)
    value = table[..., 0].mean(axis=0)
    low, high = (
        value + sign * np.sqrt(np.square(table[..., place] - table[..., 0]).sum(axis=0)) / len(blocks)
        for place, sign in ((1, -1.0), (2, 1.0))
    )
    return tuple(
        tuple(Measure(*map(float, three)) for three in zip(*rows, strict=True))
        for rows in zip(value, low, high, strict=True)
    )


def _joined_states(
    scenario: Scenario, measures: Sequence[tuple[Measure, ...]], blocks: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """The state of each cohort in all blocks together. A campaign is judged by levels, so its blocks must agree."""
    if len(blocks) == 1:
        return blocks[0]
    if scenario.levels:
        found = [set(states) for states in zip(*blocks, strict=True)]
        return tuple(states.pop() if len(states) == 1 else "cannot tell" for states in found)
    return tuple(_state(measures[cohort][0], scenario.band(cohort)) for cohort in range(len(blocks[0])))


def _state(rate: Measure, band: tuple[float, float]) -> str:
    if rate.low >= band[0] and rate.high <= band[1]:
        return "in band"
    if rate.low > band[1]:
        return "above"
    return "below" if rate.high < band[0] else "cannot tell"


def _explained(values: Sequence[SweptValue], gains: Sequence[float]) -> float:
    """Share of the variance between groups of like values, without what luck explains (Hays' omega squared)."""
    kinds = sorted(set(values), key=lambda value: (str(type(value)), value))
    if len(kinds) > _BINS and all(isinstance(value, int | float) for value in kinds):
        numbers = np.array(values, np.float64)
        labels = np.searchsorted(np.quantile(numbers, np.arange(1, _BINS) / _BINS), numbers)
    else:
        labels = np.array([kinds.index(value) for value in values])
    y = np.array(gains)
    groups = [y[labels == label] for label in np.unique(labels)]
    if len(groups) < 2 or len(y) <= len(groups):
        return math.nan
    whole = float(np.square(y - y.mean()).sum())
    within = sum(float(np.square(group - group.mean()).sum()) for group in groups) / (len(y) - len(groups))
    between = whole - within * (len(y) - len(groups))
    return max((between - (len(groups) - 1) * within) / (whole + within), 0.0) if whole > 0.0 else 0.0


def _first(point: tuple[float, MeasuredTrial]) -> float:
    return point[0]


def _root(value: float) -> float:
    return value if math.isnan(value) else math.sqrt(max(value, 0.0))
