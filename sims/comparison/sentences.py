"""A comparison in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.scenario import Scenario
from sims.comparison.cells import by_text, margin_text, players_text, unit_of, value_texts
from sims.comparison.differences import EVERYBODY, Change, ComparedScenario, Differences
from sims.comparison.metrics import WIN_RATE
from sims.wording import UNCALIBRATED, listed

SAME: Final = "same players and same luck"
SIGNIFICANT: Final = "Significant changes, largest first"
UNCLEAR: Final = "Not significant: may be luck"
READING: Final = (
    "Size compares a change with the differences between players: small from 0.2 standard deviations, medium from 0.5, "
    "large from 0.8."
)
_MOST_METRICS: Final = 5  # in sentences
_MOST_COHORTS: Final = 3
_MOST_NAMED: Final = 3  # metrics of a headline that rose, and that fell
_LEAST_FACTOR: Final = 1.1  # a smaller pairing factor counts as no gain


def names_of(differences: Differences) -> list[str]:
    """Name all scenarios by their files, the first one first; with the folder if two files have one name."""
    scenarios = [differences.before, *(other.scenario for other in differences.others)]
    return [_short_name(scenario, scenarios) for scenario in scenarios]


def _short_name(scenario: Scenario, others: Sequence[Scenario]) -> str:
    name = Path(scenario.name).name
    return name if sum(Path(one.name).name == name for one in others) < 2 else scenario.name


def summary(differences: Differences, other: ComparedScenario) -> list[str]:
    """Say what changed from the first scenario to another, whether players win as before, and what pairing saved."""
    tests = [change for change in differences.changes_of(other) if change.known]
    flagged = [change for change in tests if change.flagged]
    if all(change.exact for change in tests):
        subject = "The change has no effect" if other.keys else "Both scenarios play the same"
        return [f"{subject}: all attempts are identical."]
    sentences = _significant(flagged, len(tests)) if flagged else [f"None of {len(tests):,} changes is significant."]
    rates = [change for change in tests if change.metric is WIN_RATE]
    rate = next((change for change in rates if change.cohort == EVERYBODY), rates[0] if rates else None)
    if rate is None:
        return sentences
    if not any(change.metric is WIN_RATE for change in flagged) and not math.isnan(rate.difference.low):
        sentences.append(f"The win rate did not change significantly for {players_text(rate)}: {_by(rate)}.")
    return [*sentences, *_saved(rate)]


def _significant(flagged: Sequence[Change], tests: int) -> list[str]:
    """The headline, how many changes are significant, and a sentence on each of the first metrics."""
    metrics = list(dict.fromkeys(change.metric for change in flagged))
    by_metric = {metric: [change for change in flagged if change.metric == metric] for metric in metrics}
    return [
        _headline([_foremost(changes) for changes in by_metric.values()]),
        f"{len(flagged):,} of {tests:,} changes are significant.",
        *(_about(by_metric[metric]) for metric in metrics[:_MOST_METRICS]),
    ]


def _foremost(changes: Sequence[Change]) -> Change:
    """The change of all players, else the largest one. changes: of one metric."""
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
    """One metric that changed: for all players first, then for player groups by size."""
    first = _foremost(changes)
    others = [change for change in changes if change is not first]
    label, unit = first.metric.label, unit_of(first)
    before, after = (f"{value} {unit}".rstrip() for value in value_texts(first))
    subject, players = f"{label[0].upper()}{label[1:]}", players_text(first)
    text = f"{subject} {_verb(first)} from {before} to {after} for {players}: {_by(first)}."
    parts = [f"{players_text(change)} {by_text(change)}" for change in others[:_MOST_COHORTS]]
    if len(others) > _MOST_COHORTS:
        parts.append(f"{len(others) - _MOST_COHORTS} more")
    return f"{text} By player group: {', '.join(parts)}." if parts else text


def _by(change: Change) -> str:
    """The change with its unit and its margin."""
    unit = unit_of(change)
    unit = " points" if unit == "%" else f" {unit}" if unit else ""
    margin = margin_text(change)
    return f"{by_text(change)}{unit}" + (f" (margin {margin})" if margin else "")


def _saved(rate: Change) -> list[str]:
    """What pairing saved for the win rate. rate: its change."""
    factor = rate.difference.pairing_factor
    if math.isnan(factor) or math.isinf(factor):
        return []
    if factor < _LEAST_FACTOR:
        return ["The random streams diverge immediately, so pairing gives no gain for the win rate."]
    return [
        f"The same players with the same luck saved about {_rounded(rate.saved):,} attempts. To be as sure about the "
        f"win rate, different players would need {factor:.1f} times as many."
    ]


def _rounded(number: float) -> int:
    """To two digits."""
    size = 10 ** max(math.floor(math.log10(max(number, 1.0))) - 1, 0)
    return int(round(number / size) * size)


def caution(differences: Differences) -> list[str]:
    """How to read the numbers, if anything differs."""
    tests = [change for change in differences.changes if change.known]
    if all(change.exact for change in tests):
        return [UNCALIBRATED]
    return [
        READING,
        f"Margins are at {100.0 * differences.confidence:.2f} %, adjusted for {len(tests):,} changes. At most "
        f"{100.0 * FALSE_DISCOVERY_RATE:.0f} % of the significant changes are expected to be luck.",
        UNCALIBRATED,
    ]
