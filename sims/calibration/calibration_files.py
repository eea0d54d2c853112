"""A calibration as a folder: calibration.json, report.html and a scenario to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario
from sims.calibration.calibration_page import calibration_page
from sims.calibration.fit import Fit
from sims.calibration.held_out import HeldOut
from sims.calibration.histories import Histories
from sims.calibration.play_table import PlayTable
from sims.calibration.session_ends import SessionEnds
from sims.run_folder.files import sync_folder, write_file, write_json
from sims.run_folder.folder import REPORT, SCENARIO
from sims.run_folder.names import plain_name
from sims.run_folder.new_folder import check_new, new_folder, numbered_folder

CALIBRATION: Final = "calibration.json"
PARENT: Final = "calibrations"


def check_out(out: Path | None) -> None:
    """Raise RunFolderError for a folder that exists, before the work for it."""
    if out is not None:
        check_new(out)


def write_calibration(
    out: Path | None,
    table: PlayTable,
    histories: Histories,
    fitted: Fit,
    tried: HeldOut | None,
    ends: SessionEnds | None,
    scenario: Scenario,
    content: Mapping[str, Any],
) -> Path:
    """Write the folder.

    Args:
        out: the new folder; None for calibrations/<name>-001, -002 and so on.
        table: what the file says.
        histories: the players.
        fitted: the estimates.
        tried: the error for unseen players.
        ends: how sessions end.
        scenario: the scenario to run.
        content: of calibration.json.
    """
    folder = numbered_folder(Path(PARENT), plain_name(table.source)) if out is None else new_folder(out)
    write_json(folder / CALIBRATION, content)
    write_file(folder / SCENARIO, scenario.resolved_toml().encode())
    write_file(folder / REPORT, calibration_page(table, histories, fitted, tried, ends).encode())
    sync_folder(folder)
    return folder
