"""A comparison of controllers in sentences: the verdict, and notes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.scenario import Scenario
from sims.arena.baselines import PLACES
from sims.arena.courses import LIMIT, STATIC, CourseScores, Entrant
from sims.arena.score import behind_best, card_of, is_alike, ratio_of
from sims.arena.score_card import ScoreLine, ratio_text, why_untold
from sims.catalog import Catalog
from sims.wording import listed

SAME: Final = "same players and same luck for all controllers"
_BELOW_LIMIT: Final = "An error below the limit is chance: there are few players."


def notes_on(scores: CourseScores, course: str, baseline: Entrant, lines: Sequence[ScoreLine]) -> list[str]:
    """Say what is unknown and why, and which baseline was used."""
    notes = []
    if (course, LIMIT) in scores.absent:
        notes.append(f"x limit is unknown: {scores.absent[course, LIMIT]}.")
    for (_, name), why in scores.absent.items():
        if name != LIMIT:
            notes.append(f"{name} is left out: {why}.")
    if baseline.controller != STATIC:
        notes.append(f"The baseline is {baseline.label}, the best of {PLACES} fixed difficulties in hindsight.")
    notes += chance_notes(lines)
    return notes + map_notes([line for line in lines if not line.cohort])


def map_notes(lines: Sequence[ScoreLine]) -> list[str]:
    """How chances were measured where they are not exact, and what is unknown. lines: of all players together."""
    off = [line.card.off for line in lines if line.card.off > 0.0]
    notes = []
    if off:
        notes.append(
            "Errors are measured by playing attempts again with fresh luck. Settled, on target, overshoot and worst "
            f"5 % rest on a map, which is {min(off):.3f} to {max(off):.3f} off (root mean square)."
        )
    reasons: dict[str, list[str]] = {}
    for line in lines:
        why = why_untold(line.card)
        if why is not None:
            reasons.setdefault(why, []).append(line.controller)
    return notes + [
        f"Settled, on target, overshoot and worst 5 % are unknown for {listed(names)}: {why}."
        for why, names in reasons.items()
    ]


def chance_notes(lines: Sequence[ScoreLine]) -> list[str]:
    """A note if an error below the limit is shown and may be chance, as its margin says too."""
    below = any(round(line.ratio.value, 2) < 1.0 and not line.ratio.high < 1.0 for line in lines)
    return [_BELOW_LIMIT] if below else []


def scope_notes(scenario: Scenario, entrants: Sequence[Entrant], catalog: Catalog) -> list[str]:
    """Which controllers play with another scope than the scenario's."""
    kinds = {entrant.controller: catalog.controller(entrant.controller) for entrant in entrants}
    return [
        f"{name} plays with scope {kind.scopes[0]}, because it does not support the scenario's scope, {scenario.scope}."
        for name, kind in kinds.items()
        if scenario.scope not in kind.scopes
    ]


def reference_notes(names: Sequence[str]) -> list[str]:
    """A note on references, which stand in the table and not in the verdict. names: of those but the baseline."""
    if not names:
        return []
    return [f"The verdict leaves out what uses knowledge that no game has: {listed(list(names))}."]


def ranked(scores: Mapping[str, Any]) -> list[str]:
    """Names of controllers with a known error, the smallest first. scores: SCORE records by name."""
    errors = {name: card_of(own).rmse.value for name, own in scores.items()}
    return sorted((name for name, error in errors.items() if not math.isnan(error)), key=lambda name: errors[name])


def verdict_on(scores: CourseScores, course: str, runners: Sequence[Entrant], baseline: Entrant) -> str:
    """Which controller has the lowest error, and how far the others are behind. Only significant differences count."""
    by_name = {entrant.label: scores.scores[course, entrant.label] for entrant in runners}
    names = ranked(by_name)
    if len(names) < 2:
        left_out = any(name != LIMIT for _, name in scores.absent)
        reason = "too many controllers are left out" if left_out else "fewer than two controllers have a known error"
        return f"No comparison is possible: {reason}."
    ratios = dict(zip(names, behind_best([by_name[name] for name in names])[1], strict=True))
    if any(math.isnan(ratio.low) for ratio in ratios.values()):
        return (
            "No comparison is possible: all players share one difficulty, so there is only one group. Set [run] "
            "replicas to a larger number."
        )
    best, *others = names
    alike = [name for name in others if is_alike(ratios[name])]
    shown = {name: f"{name} (the baseline)" if name == baseline.label else name for name in names}
    if baseline.label in (best, *alike) and not _is_beaten(by_name, names, baseline.label):
        close = [name for name in (best, *alike) if name != baseline.label]
        head = f"No controller has a significantly lower error than {baseline.label}, the baseline"
        head += f"; {_too_close(close)}" if close else ""
    elif len(alike) == 1:
        head = f"{shown[best]} and {shown[alike[0]]} have the lowest errors, too close to call"
    else:  # whether the others differ from each other is not tested
        head = f"{shown[best]} has the lowest error"
        head += f", but {_too_close([shown[name] for name in alike])}" if alike else ""
    behind = [f"{shown[name]} {ratio_text(ratios[name], ' to ')}" for name in others if name not in alike]
    if not behind:
        return f"{head} (95 % margins for all pairs together)."
    return f"{head}. Errors divided by that of {best}: {', '.join(behind)} (95 % margins for all pairs together)."


def _too_close(names: Sequence[str]) -> str:
    return f"{listed(list(names))} {'is' if len(names) == 1 else 'are'} too close to call"


def _is_beaten(scores: Mapping[str, Any], names: Sequence[str], baseline: str) -> bool:
    """Whether any controller has a significantly lower error than the baseline.

    The second best may, even if the best does not: pairing may leave less luck in its difference.
    """
    pairs = len(names) * (len(names) - 1) // 2
    return not all(is_alike(ratio_of(scores[baseline], scores[name], pairs)) for name in names if name != baseline)
