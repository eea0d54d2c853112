"""What is known of a run before it begins: whether its controller can be created, and its rows can be written."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

from engine.errors import FlowdialError, ScenarioError
from engine.record import Format
from engine.scenario import Scenario, setup_of
from engine.scenario_file.scenario_faults import printable
from engine.setup import Setup
from sims.catalog import Catalog
from sims.runs.chunks import Job, job_of


def prepare_job(scenario: Scenario, setup: Setup | None = None, file_format: Format = "csv") -> Job:
    """The job of a scenario, still without a folder. setup: the scenario's, where there is one already.

    Raises ScenarioError, naming the file, when the controller refuses the scenario or cannot be created, or when a name
    of a plug-in cannot stand in a table.
    """
    setup = setup or setup_of(scenario, Catalog())
    try:
        with redirect_stdout(sys.stderr):  # what a plug-in prints is a message, not a result
            return job_of(Path(), setup, scenario.after_attempts, file_format)
    except ScenarioError as fault:
        raise ScenarioError(*(f"{printable(scenario.name)}: {line}" for line in fault.lines)) from fault
    except (FlowdialError, ModuleNotFoundError, MemoryError):
        raise
    except (Exception, SystemExit) as fault:  # a plug-in may raise anything
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
        raise ScenarioError(
            printable(f"{scenario.name}: controller.name: cannot create controller {setup.kind.name!r}: {reason}")
        ) from fault
