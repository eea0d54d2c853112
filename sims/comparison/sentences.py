"""A before/after comparison as a colleague would tell it: sentences, and rows of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.scenario import Scenario
from sims.comparison.comparison import EVERYBODY, BeforeAfter, Change, Comparison
from sims.comparison.metrics import WIN_RATE
from sims.wording import UNCALIBRATED, listed

HEADINGS: Final = ("metric", "who", "before", "after", "change", "effect", "p")
SAME: Final = "the same players and the same luck"
READING: Final = (
    "effect: the change in standard deviations between players; p: chance of so much from luck alone, adjusted for all "
    "comparisons (Benjamini and Hochberg)."
)
_MOST_METRICS: Final = 5  # in sentences
_MOST_COHORTS: Final = 3
_MOST_NAMED: Final = 3  # metrics of a headline that rose, and that fell
_LITTLE: Final = 1.1  # a pairing factor below is not worth a sentence of praise
_LEAST_P: Final = 0.001
_MOST_DIGITS: Final = 6


def short_name(scenario: Scenario, others: Sequence[Scenario]) -> str:
    """A scenario's file, without the folder where that says enough."""
    name = Path(scenario.name).name
    return name if sum(Path(one.name).name == name for one in others) < 2 else scenario.name


def names_of(found: BeforeAfter) -> list[str]:
    """What the scenarios are called, the first one first."""
    all_ = [found.before, *(comparison.scenario for comparison in found.comparisons)]
    return [short_name(scenario, all_) for scenario in all_]


def who(change: Change) -> str:
    """Whose metric it is."""
    return "all players" if change.cohort == EVERYBODY else change.cohort


# --- Numbers ---------------------------------------------------------------------------------------------------------


def _digits(change: Change) -> int:
    """Decimals that the interval is worth: two digits of its half width, and more where its end would look like 0."""
    found = change.difference
    half = (found.high - found.low) / 2.0
    if not half > 0.0:
        return 3 if change.metric.kind == "share" else 1
    digits = min(max(1 - math.floor(math.log10(half)), 0), _MOST_DIGITS)
    if found.low > 0.0 or found.high < 0.0:  # what is flagged must not read as if it touched 0
        nearest = min(abs(found.low), abs(found.high))
        while digits < _MOST_DIGITS and round(nearest, digits) == 0.0:
            digits += 1
    return digits


def _number(value: float, digits: int, sign: str = "") -> str:
    if math.isnan(value):
        return "-"
    return format(round(value, digits) + 0.0, f"{sign},.{digits}f")  # no -0.000


def value_texts(change: Change) -> tuple[str, str]:
    """The metric before and after."""
    return _number(change.difference.before, _digits(change)), _number(change.difference.after, _digits(change))


def by_text(change: Change) -> str:
    """The change alone."""
    return _number(change.difference.value, _digits(change), "+")


def ends_text(change: Change) -> str:
    """Its interval; empty where there is none, or no luck in it."""
    found, digits = change.difference, _digits(change)
    if math.isnan(found.low):
        return ""
    return f"{_number(found.low, digits, '+')} to {_number(found.high, digits, '+')}"


def change_text(change: Change) -> str:
    """The change with its interval."""
    ends = ends_text(change)
    return f"{by_text(change)} ({ends})" if ends else by_text(change)


def effect_text(change: Change) -> str:
    """The effect; players who do not differ have no spread to measure it by."""
    if math.isinf(change.effect):
        return "all alike"
    return _number(change.effect, 2, "+")


def p_text(change: Change) -> str:
    """The adjusted p-value."""
    if math.isnan(change.p_adjusted):
        return "-"
    return f"<{_LEAST_P:g}" if change.p_adjusted < _LEAST_P else f"{change.p_adjusted:.3f}"


def cells(change: Change) -> tuple[str, ...]:
    """A change as text under HEADINGS."""
    unit = f", {change.metric.unit}" if change.metric.unit != "1" else ""
    return (
        f"{change.metric.label}{unit}", who(change), *value_texts(change), change_text(change), effect_text(change),
        p_text(change),
    )  # fmt: skip


# --- Sentences -------------------------------------------------------------------------------------------------------


def summary(found: BeforeAfter, comparison: Comparison) -> list[str]:
    """What came of one comparison: what changed, whether players win as before, and what pairing saved."""
    own = found.changes_of(comparison)
    tests = [change for change in own if change.known]
    flagged = [change for change in tests if change.flagged]
    if all(change.exact for change in tests):
        both = "every player did the same in both, attempt by attempt"
        if comparison.keys:
            return [f"What was changed does not act on play: {both}."]
        return [f"Nothing that is played differs: {both}."]
    if not flagged:
        said = [f"Nothing changed beyond noise: none of {len(tests):,} comparisons can be told from luck."]
    else:
        metrics = list(dict.fromkeys(change.metric for change in flagged))
        found_of = {metric: [change for change in flagged if change.metric == metric] for metric in metrics}
        said = [_headline([_foremost(changes) for changes in found_of.values()])]
        said.append(f"{len(flagged):,} of {len(tests):,} comparisons changed beyond noise, the largest effect first.")
        said += [_about(found_of[metric]) for metric in metrics[:_MOST_METRICS]]
    rates = [change for change in own if change.metric is WIN_RATE]
    rate = next((change for change in rates if change.cohort == EVERYBODY), rates[0])
    if not any(change.metric is WIN_RATE for change in flagged) and not math.isnan(rate.difference.low):
        said.append(f"The win rate did not change beyond noise: {change_text(rate)} for {who(rate)}.")
    return [*said, *_saved(rate)]


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
    said = f"{label[0].upper()}{label[1:]} {_verb(first)} from {before} to {after}{unit} for {who(first)} ({by})"
    parts = [f"{who(change)} {by_text(change)}" for change in others[:_MOST_COHORTS]]
    if len(others) > _MOST_COHORTS:
        parts.append(f"{len(others) - _MOST_COHORTS} more")
    return f"{said}; by cohort: {listed(parts)}." if parts else f"{said}."


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


def caution(found: BeforeAfter) -> list[str]:
    """How to read the numbers, where something differs."""
    if all(change.exact or not change.known for change in found.changes):
        return [UNCALIBRATED]
    return [
        READING,
        f"Of what is flagged, {FALSE_DISCOVERY_RATE:.0%} or less is luck on average; the intervals "
        f"({found.confidence:.2%}) are as wide as so many comparisons ask for.",
        UNCALIBRATED,
    ]
