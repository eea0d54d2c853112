"""What is recorded of a comparison of scenarios, and of one of controllers."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

from engine.scenario import Scenario
from sims.arena.race import Race
from sims.comparison.comparison import Comparison
from sims.comparison.sentences import names_of, summary
from sims.tracking.tracked_result import TrackedResult, TrackedSetting, flat_settings


def comparison_result(comparison: Comparison, folder: Path | None, seconds: float | None) -> TrackedResult:
    """What is recorded of a comparison: every metric before and after, and its change."""
    names = names_of(comparison)
    settings = _settings(comparison.before, "before.")
    for other in comparison.others:
        settings |= _settings(other.scenario, f"after_{other.number}.")
    scores = {"flagged": float(len(comparison.flagged))}
    for change in comparison.changes:
        name = f"after_{change.number}/{change.metric.name}/{change.cohort or 'all_players'}"
        one = change.difference
        numbers = {"before": one.before, "after": one.after, "change": one.value, "low": one.low, "high": one.high}
        scores |= {f"{name}/{what}": float(value) for what, value in numbers.items() if math.isfinite(value)}
    notes = [sentence for other in comparison.others for sentence in summary(comparison, other)]
    return TrackedResult(
        "comparison", " -> ".join(names), settings, comparison.seed, scores, {}, seconds, tuple(notes), folder
    )


def race_result(race: Race, folder: Path | None, seconds: float | None) -> TrackedResult:
    """What is recorded of controllers that were compared: every number of their score cards."""
    scores: dict[str, float] = {}
    for line in race.to_json()["scores"]:
        name = "/".join(filter(None, (line["controller"], line.get("cohort"))))
        scores |= {
            f"{name}/{what}": float(value)
            for what, value in flat_settings(line).items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
    notes = (race.verdict, *race.notes)
    scenario = race.scenario
    return TrackedResult("race", race.title, _settings(scenario), scenario.seed, scores, {}, seconds, notes, folder)


def _settings(scenario: Scenario, prefix: str = "") -> dict[str, TrackedSetting]:
    return flat_settings(tomllib.loads(scenario.resolved_toml()), prefix)
