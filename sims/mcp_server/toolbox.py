"""What an assistant may ask of Flowdial: each tool takes and gives values of JSON, and stays in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError, ScenarioError
from engine.scenario import Scenario, setup_of
from sims.catalog import Catalog, load_scenario
from sims.describing.descriptions import description, listing
from sims.run_folder.folder import PARTIAL, REPORT
from sims.run_folder.names import plain_name
from sims.run_folder.new_folder import free_path, numbered_folder
from sims.runs.run import Run, read_run

GivenSettings = Mapping[str, Any] | None
_KINDS: Final = ("scenarios", "games", "controllers", "personas")
MOST_ATTEMPTS: Final = 20_000_000  # of one call: minutes, not hours


class ToolAnswer(NamedTuple):
    """What a tool gives.

    Attributes:
        content: values of JSON.
        pages: report.html of each result, for a link.
    """

    content: dict[str, Any]
    pages: tuple[Path, ...] = ()


class Toolbox:
    """The tools, in a folder from which scenarios are read and into which results are written."""

    def __init__(self, folder: Path, *, workers: int | None = None, most_attempts: int = MOST_ATTEMPTS) -> None:
        """Work in a folder.

        Args:
            folder: must exist; nothing outside of it is read as a scenario or a run, and nothing is written.
            workers: worker processes, from 1; None for one per core.
            most_attempts: that one call may play, from 1.
        """
        self._folder = folder.resolve()
        self._workers = workers
        self._most = most_attempts

    def check(self, scenario: str, settings: GivenSettings = None) -> ToolAnswer:
        """Validate a scenario without playing it."""
        from sims.advice.usual_mistakes import mistakes_in
        from sims.runs.scenario_notes import notes_of

        chosen = self._scenario(scenario, settings)
        setup = setup_of(chosen, Catalog())
        notes = [*notes_of(chosen, setup), *mistakes_in(chosen, setup)]
        counts = {"players": chosen.form.players.count, "attempts": chosen.work, "fingerprint": chosen.digest}
        return ToolAnswer({"valid": True, **counts, "groups": list(chosen.cohorts), "notes": notes})

    def run(self, scenario: str, settings: GivenSettings = None) -> ToolAnswer:
        """Play a scenario and judge it as a gate does."""
        from sims.runs.execution import run

        chosen = self._affordable(self._scenario(scenario, settings))
        played = run(chosen, out=self._free_path("runs", chosen.name), workers=self._workers)
        content = played.to_json() | {"gate": played.gate().to_json(), "folder": self._name(played.folder)}
        return ToolAnswer(content, (played.report_file,))

    def compare(
        self, before: str, after: str, settings_before: GivenSettings = None, settings_after: GivenSettings = None
    ) -> ToolAnswer:
        """Play two scenarios with the same players and the same luck, and tell what changed."""
        from sims.comparison.comparison import compare

        sides = [
            self._affordable(self._scenario(name, settings))
            for name, settings in ((before, settings_before), (after, settings_after))
        ]
        found = compare(*sides, workers=self._workers)
        name = "-".join(plain_name(side.name) for side in sides)
        folder = numbered_folder(self._path("comparisons"), name)
        found.write(folder)
        return ToolAnswer(found.to_json() | {"folder": self._name(folder)}, (folder / "changes.html",))

    def plan(self, scenario: str, effect: float, settings: GivenSettings = None) -> ToolAnswer:
        """Estimate how many players it takes to notice a change of the win rate."""
        from sims.planning.plan import plan

        if not 0.0 < effect < 1.0:
            raise ScenarioError(f"effect must be above 0 and below 1, such as 0.02 for two points, but {effect} came.")
        chosen = self._affordable(self._scenario(scenario, settings))
        return ToolAnswer(plan(chosen, effect=effect, workers=self._workers).to_json())

    def tune(self, scenario: str, budget: int, settings: GivenSettings = None) -> ToolAnswer:
        """Tune the knobs of a game until every player group is on target."""
        from sims.tuning.tune import tune

        if budget < 1:
            raise ScenarioError(f"budget must be at least 1 attempt, but {budget} came.")
        if budget > self._most:
            raise self._too_much(budget)
        chosen = self._scenario(scenario, settings)  # also where it is a path: what lies outside must not be read
        source = chosen if settings or not self._is_file(scenario) else self._path(scenario)
        out = self._free_path("studies", chosen.name)
        study = tune(source, budget=budget, out=out, workers=self._workers)
        return ToolAnswer(study.to_json() | {"folder": self._name(study.folder)}, (study.folder / REPORT,))

    def describe(self, name: str) -> ToolAnswer:
        """Describe a game, a controller, a persona or a bundled scenario."""
        return ToolAnswer({"name": name, "text": description(Catalog(), name)})

    def installed(self, kind: str | None = None) -> ToolAnswer:
        """List what is installed. kind: scenarios, games, controllers or personas; None for all."""
        if kind not in (None, *_KINDS):
            raise ScenarioError(f"kind is {', '.join(_KINDS)} or nothing, but {kind} came; choose one.")
        groups = _KINDS if kind is None else (kind,)
        return ToolAnswer({"installed": json.loads(listing(Catalog(), groups, True, everything=False))})

    def rows_worth_watching(self, run: str) -> ToolAnswer:
        """List rows of a run that say most, with the commands that replay them."""
        opened = self._run(run)
        file = self._name(opened.rows_file)
        rows = [
            {**asdict(row), "command": f"flowdial replay {file} --row {row.row}"} for row in opened.worth_watching()
        ]
        return ToolAnswer({"run": run, "rows": rows}, (opened.report_file,))

    def _scenario(self, name: str, settings: GivenSettings) -> Scenario:
        source = self._path(name) if self._is_file(name) else name
        if "allow_long" in (settings or {}):
            raise ScenarioError("settings are keys of a scenario, but allow_long came; leave it out.")
        return load_scenario(source, **dict(settings or {}))

    def _affordable(self, scenario: Scenario) -> Scenario:
        if scenario.work > self._most:
            raise self._too_much(scenario.work)
        return scenario

    def _too_much(self, attempts: int) -> ScenarioError:
        return ScenarioError(
            f"a call may play at most {self._most:,} attempts, but this one asks for {attempts:,}; ask for fewer, or "
            "start flowdial mcp with a larger --most-attempts."
        )

    def _run(self, name: str) -> Run:
        path = self._path(name)
        if not path.is_dir():
            raise RunFolderError(f"there is no run {name} in the folder of this server; give the folder that run gave.")
        return read_run(path)

    @staticmethod
    def _is_file(name: str) -> bool:
        return name not in [entry.name for entry in Catalog().scenarios()]

    def _path(self, name: str) -> Path:
        """A path in the folder, links followed; it does not have to exist."""
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ScenarioError(f"paths lie in the folder of this server, but {name} does not; copy it there.")
        return path

    def _name(self, path: Path) -> str:
        return str(path.resolve().relative_to(self._folder))

    def _free_path(self, kind: str, name: str) -> Path:
        """Where a result goes; no other has this name."""
        return free_path(self._path(kind), plain_name(name), PARTIAL)
