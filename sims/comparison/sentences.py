"""A comparison in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.scenario import Scenario
from sims.comparison.cells import by_text, change_text, ends_text, players_text, value_texts
from sims.comparison.differences import EVERYBODY, Change, ComparedScenario, Differences
from sims.comparison.metrics import WIN_RATE
from sims.wording import UNCALIBRATED, listed

SAME: Final = "the same players and the same luck"
READING: Final = (
    "effect: the change in standard deviations between players; p: chance of so much from luck alone, adjusted for all "
    "comparisons (Benjamini and Hochberg)."
)
_MOST_METRICS: Final = 5  # in sentences
_MOST_COHORTS: Final = 3
_MOST_NAMED: Final = 3  # metrics of a headline that rose, and that fell
_LITTLE: Final = 1.1  # a pairing factor below is not worth a sentence of praise


def short_name(scenario: Scenario, others: Sequence[Scenario]) -> str:
    """A scenario's file, without the folder where that says enough."""
    name = Path(scenario.name).name
    return name if sum(Path(one.name).name == name for one in others) < 2 else scenario.name


def names_of(differences: Differences) -> list[str]:
    """Name all scenarios, the first one first."""
    scenarios = [differences.before, *(other.scenario for other in differences.others)]
    return [short_name(scenario, scenarios) for scenario in scenarios]


def summary(differences: Differences, other: ComparedScenario) -> list[str]:
    """Say what changed from the first scenario to another, whether players win as before, and what pairing saved."""
    own = differences.changes_of(other)
    tests = [change for change in own if change.known]
    flagged = [change for change in tests if change.flagged]
    if all(change.exact for change in tests):
        both = "every player did the same in both, attempt by attempt"
        if other.keys:
            return [f"What was changed does not act on play: {both}."]
        return [f"Nothing that is played differs: {both}."]
    if not flagged:
        sentences = [f"Nothing changed beyond noise: none of {len(tests):,} comparisons can be told from luck."]
    else:
        metrics = list(dict.fromkeys(change.metric for change in flagged))
        by_metric = {metric: [change for change in flagged if change.metric == metric] for metric in metrics}
        sentences = [_headline([_foremost(changes) for changes in by_metric.values()])]
        sentences.append(
            f"{len(flagged):,} of {len(tests):,} comparisons changed beyond noise, the largest effect first."
        )
        sentences += [_about(by_metric[metric]) for metric in metrics[:_MOST_METRICS]]
    rates = [change for change in own if change.metric is WIN_RATE]
    rate = next((change for change in rates if change.cohort == EVERYBODY), rates[0])
    if not any(change.metric is WIN_RATE for change in flagged) and not math.isnan(rate.difference.low):
        sentences.append(f"The win rate did not change beyond noise: {change_text(rate)} for {players_text(rate)}.")
    return [*sentences, *_saved(rate)]


def _foremost(changes: Sequence[Change]) -> Change:
    """Of one metric's changes that of all players, else the largest."""
    return min(changes, key=lambda change: change.cohort != EVERYBODY)


def _headline(changes: Sequence[Change]) -> str:
    """What rose and what fell, the largest effect first. changes: one of each metric."""
    parts = []
    for verb in dict.fromkeys(map(_verb, changes)):
        labels = [change.metric.label for change in changes if _verb(change) == verb]
        more = len(labels) - _MOST_NAMED
        parts.append(f"{listed(labels[:_MOST_NAMED] + ([f'{more} more'] if more > 0 else []))} {verb}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _verb(change: Change) -> str:
    return "rose" if change.difference.value > 0.0 else "fell"


def _about(changes: Sequence[Change]) -> str:
    """One metric that changed, for whom: everybody first, then the cohorts by effect."""
    first = _foremost(changes)
    others = [change for change in changes if change is not first]
    label, unit = first.metric.label, f" {first.metric.unit}" if first.metric.unit != "1" else ""
    before, after = value_texts(first)
    ends = ends_text(first)
    by = "; ".join(text for text in (by_text(first), ends) if text)
    sentence = (
        f"{label[0].upper()}{label[1:]} {_verb(first)} from {before} to {after}{unit} for {players_text(first)} ({by})"
    )
    parts = [f"{players_text(change)} {by_text(change)}" for change in others[:_MOST_COHORTS]]
    if len(others) > _MOST_COHORTS:
        parts.append(f"{len(others) - _MOST_COHORTS} more")
    return f"{sentence}; by cohort: {listed(parts)}." if parts else f"{sentence}."


def _saved(rate: Change) -> list[str]:
    factor = rate.difference.pairing_factor
    if math.isnan(factor) or math.isinf(factor):
        return []
    if factor < _LITTLE:
        return [
            "Pairing saved nothing for the win rate: from one scenario to the other the players' luck parted at once."
        ]
    return [
        f"The same players with the same luck saved about {_rounded(rate.saved):,} attempts: with different players it "
        f"would take {factor:.1f} times as many to be as sure of the win rate's change."
    ]


def _rounded(number: float) -> int:
    """To two digits."""
    size = 10 ** max(math.floor(math.log10(max(number, 1.0))) - 1, 0)
    return int(round(number / size) * size)


def caution(differences: Differences) -> list[str]:
    """How to read the numbers, where something differs."""
    if all(change.exact or not change.known for change in differences.changes):
        return [UNCALIBRATED]
    return [
        READING,
        f"Of what is flagged, {FALSE_DISCOVERY_RATE:.0%} or less is luck on average; the intervals "
        f"({differences.confidence:.2%}) are as wide as so many comparisons ask for.",
        UNCALIBRATED,
    ]
