"""A comparison in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.inference.intervals import CONFIDENCE
from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.scenario import Scenario
from engine.scenario_file.calibration_label import CalibrationLabel
from sims.comparison.cells import by_text, margin_text, players_text, says_nothing, unit_of, value_texts
from sims.comparison.differences import EVERYBODY, Change, ComparedScenario, Differences
from sims.comparison.metrics import WIN_RATE
from sims.comparison.target_changes import Direction, TargetChange
from sims.wording import caution_of, listed, weakest

SAME: Final = "same players and same luck"
TARGETS: Final = "Each player group against its target"
MATTERING: Final = "Changes that matter, largest first: rates, then times and counts"
UNCLEAR: Final = "Not significant: may be luck"
FOLLOWING: Final = "Follow from what was changed itself"
READING: Final = (
    "Size compares a change with how much players differ from each other: small from a fifth of that spread, medium "
    "from a half, large from four fifths."
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


def players_line(differences: Differences, other: ComparedScenario) -> str:
    """Which players are compared: the same ones, or different ones."""
    before, after = (sum(pair[side] for pair in other.players.values()) for side in (0, 1))
    if not other.strangers:
        return f"{before:,} players, seed {differences.seed}, {SAME}"
    some = "" if len(other.strangers) == len(other.players) else "partly "
    return f"{before:,} players and {after:,} {some}different ones, seeds {differences.seed} and {other.seed}"


def small_heading(least: float) -> str:
    """The heading of significant changes that are too small to matter."""
    return f"Significant, but smaller than {_least_words(least)}"


def _least_words(least: float) -> str:
    points = f"{100 * least:g}"
    return f"{points} {'point' if points == '1' else 'points'} (times and counts: {points} %)"


def summary(differences: Differences, other: ComparedScenario) -> list[str]:
    """Say whether it got better or worse, then what changed by how much, and last what pairing saved."""
    tests = [change for change in differences.changes_of(other) if change.known]
    tested = [change for change in tests if not change.follows]
    flagged = [change for change in tested if change.flagged]
    verdict = _against_targets(other.standings)
    if all(change.exact for change in tests):
        subject = "The change has no effect" if other.keys else "Both scenarios play the same"
        moved = any(standing.answer not in ("as before", "unclear") for standing in other.standings)
        return [*([verdict] if moved else []), f"{subject}: all attempts are identical."]
    sentences = [verdict]
    if flagged:
        sentences += _significant(flagged, len(tested), differences.least)
    else:
        sentences.append(f"None of {len(tested):,} changes is significant.")
    rates = [change for change in tests if change.metric is WIN_RATE]
    rate = next((change for change in rates if change.cohort == EVERYBODY), rates[0] if rates else None)
    if rate is None:
        return sentences
    if says_nothing(rate):
        return [*sentences, f"Too few players to say whether the win rate changed for {players_text(rate)}."]
    if not any(change.metric is WIN_RATE for change in flagged) and not math.isnan(rate.difference.low):
        sentences.append(f"The win rate did not change significantly for {players_text(rate)}: {_by(rate)}.")
    return [*sentences, *(_saved(rate) if rate.paired else [])]


_ANSWERS: Final[dict[Direction, str]] = {
    "better": "better for",
    "worse": "worse for",
    "mixed": "better on some levels and worse on others for",
    "as before": "as before for",
    "unclear": "no clear change for",
}


def _against_targets(standings: Sequence[TargetChange]) -> str:
    """Whether the player groups are nearer to their targets."""
    parts = []
    for answer, words in _ANSWERS.items():
        names = [standing.cohort for standing in standings if standing.answer == answer]
        if names:
            parts.append(f"{words} {listed(names)}")
    return f"Against the target{'' if len(standings) == 1 else 's'}: {'; '.join(parts)}."


def _significant(flagged: Sequence[Change], tests: int, least: float) -> list[str]:
    """What rose and fell, how many changes are significant and matter, and a sentence on each of the first metrics."""
    mattering = [change for change in flagged if change.matters]
    if not mattering:
        return [
            f"{len(flagged):,} of {tests:,} changes are significant, but none is as large as {_least_words(least)}."
        ]
    metrics = list(dict.fromkeys(change.metric for change in mattering))
    by_metric = {metric: [change for change in mattering if change.metric == metric] for metric in metrics}
    count = f"{len(flagged):,} of {tests:,} changes are significant"
    if len(mattering) < len(flagged):
        count += f"; {len(mattering):,} are as large as {_least_words(least)}"
    return [
        _headline([_foremost(changes) for changes in by_metric.values()]),
        f"{count}.",
        *(_about(by_metric[metric]) for metric in metrics[:_MOST_METRICS]),
    ]


def _foremost(changes: Sequence[Change]) -> Change:
    """The change of all players, else the largest one. changes: of one metric."""
    return min(changes, key=lambda change: change.cohort != EVERYBODY)


def _headline(changes: Sequence[Change]) -> str:
    """What rose and what fell, the largest first. changes: one of each metric."""
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
        return ["The two runs soon play different levels, so using the same players saves nothing here."]
    return [
        f"The same players with the same luck saved about {_rounded(rate.saved):,} attempts. With different players "
        f"before and after, you would need {factor:.1f} times as many attempts to be as sure."
    ]


def _rounded(number: float) -> int:
    """To two digits."""
    size = 10 ** max(math.floor(math.log10(max(number, 1.0))) - 1, 0)
    return int(round(number / size) * size)


def label_of_all(differences: Differences) -> CalibrationLabel:
    """What can be said of the players of all scenarios together."""
    return weakest([differences.before.calibration, *(other.scenario.calibration for other in differences.others)])


def caution(differences: Differences) -> list[str]:
    """How to read the numbers, if anything differs."""
    if all(change.exact for change in differences.changes if change.known):
        return [caution_of(label_of_all(differences))]
    tests = [change for change in differences.changes if change.known and not change.follows]
    wider = f"Margins are wider than usual, because {len(tests):,} changes are looked at together. "
    return [
        READING,
        f"{wider if differences.confidence > CONFIDENCE else ''}At most {100.0 * FALSE_DISCOVERY_RATE:.0f} % of the "
        "significant changes are expected to be luck.",
        caution_of(label_of_all(differences)),
    ]
