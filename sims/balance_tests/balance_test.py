"""A balance test: a scenario is played, and the test fails unless its targets are met."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import pytest

from engine.errors import FlowdialError
from engine.scenario import Scenario
from sims.catalog import load_scenario
from sims.run_folder.folder import PARTIAL
from sims.run_folder.new_folder import free_path
from sims.runs.execution import run
from sims.runs.run import Run
from sims.terminal import quoted

_LONGEST: Final = 80  # letters of a folder's name


class Request(NamedTuple):
    """What the marker of a test asks for.

    Attributes:
        scenario: to play where the test names none: a path, or the name of a bundled one.
        settings: keys of the scenario and their values.
        skips_unsure: whether a run that cannot tell skips the test instead of failing it.
    """

    scenario: str | Path | None
    settings: Mapping[str, Any]
    skips_unsure: bool


class BalanceTest:
    """What the fixture `flowdial` is.

    Attributes:
        reports: report.html of each run that the test has played, in order.
    """

    def __init__(self, place: Path, name: str, request: Request, *, workers: int = 1) -> None:
        """Prepare a test.

        Args:
            place: folder for run folders; it is made where it is missing.
            name: of the test, from which run folders have their names.
            request: what the marker asks for.
            workers: worker processes, from 1.
        """
        self.reports: list[Path] = []
        self._place = place
        self._name = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[-_LONGEST:].strip("-")
        self._request = request
        self._workers = workers

    def check(self, scenario: Scenario | str | Path | None = None, **settings: Any) -> Run:
        """Play a scenario, and fail the test unless every player group and level is on target.

        Args:
            scenario: a scenario, its path, or the name of a bundled one; None for that of the marker.
            settings: keys of the scenario and their values, as `load_scenario` takes them.

        Returns:
            The run, for more assertions.
        """
        played = self.run(scenario, **settings)
        gate = played.gate()
        if gate.state == "cannot tell" and self._request.skips_unsure:
            pytest.skip(" ".join(gate.sentences))
        if gate.state != "met":
            _fail("\n".join([*played.verdict.sentences, "", *gate.sentences, "", *_ways_to_see(played)]))
        if played.faults:
            number = sum(played.faults.values())
            _fail(f"{number:,} attempts failed in a plug-in; see {played.folder / 'faults.csv'}.")
        return played

    def run(self, scenario: Scenario | str | Path | None = None, **settings: Any) -> Run:
        """Play a scenario without judging it; arguments and result as for `check`."""
        chosen = self._request.scenario if scenario is None else scenario
        if chosen is None:
            _fail("a balance test needs a scenario, but neither the marker balance nor the call names one; name it.")
        try:
            if not isinstance(chosen, Scenario):
                chosen = load_scenario(chosen, **{**self._request.settings, **settings})
            elif self._request.settings or settings:
                _fail("settings need the path of a scenario, but a loaded one came; load it with the settings.")
            played = run(chosen, out=free_path(self._place, self._name, PARTIAL), workers=self._workers)
        except FlowdialError as fault:
            raise pytest.fail.Exception(str(fault), pytrace=False) from None
        self.reports.append(played.report_file)
        return played


def _ways_to_see(played: Run) -> list[str]:
    rows = [
        f"To watch {row.why}: flowdial replay {quoted(played.rows_file)} --row {row.row}"
        for row in played.worth_watching()
    ]
    return [*rows, f"The report: {played.report_file}"]


def _fail(text: str) -> NoReturn:
    pytest.fail(text, pytrace=False)
