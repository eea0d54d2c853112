"""What each tool says of a game or a scenario, as sentences, without those that only describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.flaws.planted_controllers import CONTROLLERS
from benchmarks.flaws.planted_games import IN_SCENARIOS
from engine.contract.checks import check_game
from engine.controller import ControllerKind
from engine.errors import ScenarioError
from engine.external.external_game import AnyGame
from engine.scenario import Scenario, parse, setup_of
from engine.setup import Setup
from engine.tally import Tally, scheme_of, tally_of
from engine.world import chunks, simulate
from sims.advice.advice import advise
from sims.advice.usual_mistakes import mistakes_in
from sims.catalog import Catalog
from sims.comparison.comparison import compare
from sims.runs.scenario_notes import notes_of
from sims.runs.self_test import self_test
from sims.runs.tables import goal_for
from sims.verdict.self_test_record import WARNING
from sims.verdict.verdict import verdict

BASE: Final = Path(__file__).with_name("base.toml")
Keys = Mapping[str, str]  # dotted key -> value as TOML text

# Sentences of a verdict that describe, whatever a scenario is worth.
_DESCRIPTIONS: Final = (
    r"^(The player group \w+ is|Both player groups are|All \w+ player groups are|All \w+ levels are) on target\.$",
    r"of players quit for good",
    r"^They quit after",
    r"\(uncalibrated\)",
    r"^Margins hold the luck of players",
)


class PlantedCatalog(Catalog):
    """The catalog, and in it the games and controllers that have flaws."""

    def game(self, name: str) -> AnyGame:
        return IN_SCENARIOS[name] if name in IN_SCENARIOS else super().game(name)

    def controller(self, name: str) -> ControllerKind:
        return CONTROLLERS[name] if name in CONTROLLERS else super().controller(name)


def scenario_with(keys: Keys) -> Scenario:
    """The sound scenario with other values. Raises ScenarioError where they are refused."""
    return parse(BASE.read_bytes(), "planted.toml", PlantedCatalog(), keys)


def _played(keys: Keys) -> tuple[Scenario, Setup, Tally]:
    scenario = scenario_with(keys)
    setup = setup_of(scenario, PlantedCatalog())
    scheme = scheme_of(setup, scenario.after_attempts)
    tally = Tally.empty(scheme)
    for chunk in chunks(setup):
        part = simulate(setup, chunk)
        tally += tally_of(part.rows, part.players, scheme)
    return scenario, setup, tally


def said_by_check(keys: Keys) -> list[str]:
    """Errors, or the notes on a scenario that is accepted."""
    try:
        scenario = scenario_with(keys)
    except ScenarioError as refused:
        return str(refused).splitlines()
    setup = setup_of(scenario, PlantedCatalog())
    return [*notes_of(scenario, setup), *mistakes_in(scenario, setup)]


def said_by_self_test(keys: Keys) -> list[str]:
    """Sanity checks that failed."""
    _, setup, tally = _played(keys)
    return [check.sentence for check in self_test(setup, tally) if check.state == WARNING]


def said_by_advise(keys: Keys) -> list[str]:
    """Warnings. That another controller is recommended is no claim that something is wrong."""
    return [warning.text for warning in advise(scenario_with(keys), workers=1).warnings]


def said_by_verdict(keys: Keys) -> list[str]:
    """Sentences but those that only describe."""
    scenario, setup, tally = _played(keys)
    sentences = verdict(goal_for(scenario, setup), tally).sentences
    return [one for one in sentences if not any(re.search(pattern, one) for pattern in _DESCRIPTIONS)]


def said_by_compare(pair: tuple[Keys, Keys]) -> list[str]:
    """Whom the second scenario serves worse, and what is significant and matters; or that nothing changed."""
    before, after = (scenario_with(keys) for keys in pair)
    found = compare(before, after, workers=1)
    (other,) = found.others
    said = [f"{standing.cohort}: {standing.answer}" for standing in other.standings if standing.answer == "worse"]
    if all(change.exact for change in found.changes if change.known):
        said += ["The change has no effect"] if other.keys else []
    return [
        *said,
        *(f"{change.cohort}: {change.metric.name} {change.difference.value:+.3f}" for change in found.mattering),
    ]


SAID_BY: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "check_game": check_game,
    "check": said_by_check,
    "self-test": said_by_self_test,
    "advise": said_by_advise,
    "verdict": said_by_verdict,
    "compare": said_by_compare,
}
