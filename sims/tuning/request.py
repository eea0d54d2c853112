"""What a study is asked for besides its scenario, checked before anything is played."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from engine.errors import ScenarioError
from engine.parameters import Value
from engine.scenario import Scenario
from engine.scenario_file.scenario_faults import printable, suggestion
from sims.tuning.answer.sentences import band_text
from sims.tuning.budget import least_budget
from sims.tuning.problem import Problem, problem_of
from sims.tuning.search.counts import Tell
from sims.tuning.search.methods import METHODS

LONG_BUDGET: Final = 200_000_000  # attempts of a study without a budget
LARGEST_BUDGET: Final = 5_000_000_000
MOST_OPTIONS: Final = 8


class TierPlace(NamedTuple):
    """The place of a study among those of other tiers of difficulty."""

    of: int  # tiers, whose margins hold at once
    beside: str = ""  # the tier whose setting it starts from; empty for the designer's defaults
    values: Mapping[str, Value] = {}  # that setting


@dataclass(frozen=True)
class StudyRequest:
    """What a study is asked for besides its scenario."""

    attempts: int
    seconds: float | None = None
    method: str = "pooled"
    options: int = 3
    near_default: float = 0.0
    level: int | None = None
    staged: bool = False
    locks: tuple[str, ...] = ()  # knobs that are held for this study alone
    earlier: tuple[Tell, ...] = ()  # counts of an earlier study
    tier: TierPlace | None = None  # None for a study on its own

    @classmethod
    def from_json(cls, study: Mapping[str, Any]) -> StudyRequest:
        """Inverse of `to_json`."""
        earlier = tuple(
            Tell(tuple(point), tuple(attempts), tuple(wins), block) for point, attempts, wins, block in study["earlier"]
        )
        tier = TierPlace(**study["tier"]) if "tier" in study else None
        return cls(**{**study, "locks": tuple(study["locks"]), "earlier": earlier, "tier": tier})

    def to_json(self) -> dict[str, Any]:
        """The request as values of JSON."""
        earlier = [[list(tell.point), list(tell.attempts), list(tell.wins), tell.block] for tell in self.earlier]
        content = {**asdict(self), "locks": list(self.locks), "earlier": earlier}
        del content["tier"]
        return content if self.tier is None else {**content, "tier": self.tier._asdict()}

    def problem_of(self, scenario: Scenario) -> Problem:
        """The problem of a scenario, as this request wants it. Raises ScenarioError where it cannot be tuned."""
        if self.tier is None:
            return problem_of(scenario, self.level, self.locks)
        return problem_of(scenario, self.level, self.locks, beside=self.tier.beside, values=self.tier.values)


def attempts_of(budget: int | None, seconds: float | None) -> int:
    """Most attempts of a study. Raises ScenarioError for limits that are missing or wrong."""
    if budget is None and seconds is None:
        raise ScenarioError("a study needs a limit: give a budget in attempts, such as 100000, or a time in seconds")
    if budget is not None and not 1 <= budget <= LARGEST_BUDGET:
        raise ScenarioError(f"the budget must be 1 to {LARGEST_BUDGET:,} attempts, got {budget:,}")
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0.0):
        raise ScenarioError(f"the time must be a number of seconds above 0, got {seconds}")
    return LONG_BUDGET if budget is None else budget


def check_request(request: StudyRequest) -> None:
    """Raise ScenarioError for a request that no scenario could fulfil."""
    if request.method not in METHODS:
        hint = suggestion(request.method, METHODS)
        raise ScenarioError(f"the method must be one of {', '.join(METHODS)}, got {request.method!r}{hint}")
    if not 1 <= request.options <= MOST_OPTIONS:
        raise ScenarioError(f"the number of options must be 1 to {MOST_OPTIONS}, got {request.options}")
    if not (math.isfinite(request.near_default) and request.near_default >= 0.0):
        raise ScenarioError(f"near_default must be a number of at least 0, got {request.near_default}")


def check_budget(problem: Problem, attempts: int) -> None:
    """Raise ScenarioError where the attempts could not confirm any setting, whatever its win rates are."""
    least = least_budget(problem.segments, problem.effort())
    narrowest = min(problem.segments, key=lambda segment: segment.tolerance)
    name, target = printable(problem.scenario.name), f"the target of {narrowest.name}, {band_text(narrowest)},"
    if least > LARGEST_BUDGET:
        raise ScenarioError(
            f"{name}: {target} is too narrow for {LARGEST_BUDGET:,} attempts, the most of a study; give it a larger "
            "tolerance"
        )
    if least > attempts:
        raise ScenarioError(
            f"{name}: {attempts:,} attempts are too few to confirm any setting: {target} is too narrow; give a budget "
            f"of at least {math.ceil(least):,}, better ten times as many, or a larger tolerance"
        )
