"""A calibration as a folder: calibration.json, report.html and a scenario to run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario
from sims.calibration.calibration_findings import Findings
from sims.calibration.calibration_page import calibration_page
from sims.calibration.histories import FATIGUE, LEARNING
from sims.calibration.kept_players import PLAYERS, players_table
from sims.calibration.sentences import assumed_of
from sims.run_folder.files import sync_folder, write_file, write_json
from sims.run_folder.folder import REPORT, SCENARIO
from sims.run_folder.names import plain_name
from sims.run_folder.new_folder import check_new, new_folder, numbered_folder

CALIBRATION: Final = "calibration.json"
PARENT: Final = "calibrations"
FORMAT_VERSION: Final = 1
_DIGITS: Final = 6  # of the numbers in calibration.json


def check_out(out: Path | None) -> None:
    """Raise RunFolderError for a folder that exists, before the work for it."""
    if out is not None:
        check_new(out)


def write_calibration(out: Path | None, findings: Findings, scenario: Scenario, key: bytes | None = None) -> Path:
    """Write the folder.

    Args:
        out: the new folder; None for calibrations/<name>-001, -002 and so on.
        findings: what was found.
        scenario: the scenario to run.
        key: by which players are named in players.csv; None for no such file.
    """
    folder = numbered_folder(Path(PARENT), plain_name(findings.table.source)) if out is None else new_folder(out)
    try:
        write_json(folder / CALIBRATION, content_of_findings(findings))
        write_file(folder / SCENARIO, scenario.resolved_toml().encode())
        write_file(folder / REPORT, calibration_page(findings).encode())
        if key is not None and findings.histories is not None:
            by_levels = findings.played is None
            table = players_table(findings.fit, findings.histories, findings.table.ids, key, with_skill=by_levels)
            write_file(folder / PLAYERS, table)
        sync_folder(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it was made above, and would be in the way of the next try
        raise
    return folder


def content_of_findings(findings: Findings) -> dict[str, Any]:
    """Everything that was found, as JSON; the same bytes for any order of rows, spelling of ids and threads."""
    table, sizes, fitted = findings.table, findings.sizes, findings.fit
    fits: list[str] = ["difficulty"] if findings.played is None else []
    fits += [name for name in (LEARNING, FATIGUE) if name in fitted.effects]
    fits += ["skill"] if sizes.players is not None else []
    fits += ["quitting"] if fitted.joint else []
    fits += ["sessions"] if findings.session_ends is not None else []
    fits += ["breaks"] if findings.session_times.pauses else []
    fits += ["returns"] if findings.session_times.returns else []
    return {
        "format_version": FORMAT_VERSION,
        "source": table.source,
        "columns": dict(table.mapped),
        "players": sizes.players,
        "attempts": sizes.attempts,
        "days": None if table.dates is None else list(table.dates),
        "left_out": table.left_out,
        "fitted": fits,
        "assumed": list(assumed_of(findings)),
        "estimates": {
            name: dict(zip(("value", "low", "high"), map(_rounded, numbers), strict=True))
            for name, numbers in findings.estimates.items()
        },
        **_curve(findings),
        **_checks(findings),
        "levels": [_level(findings, place) for place in range(len(sizes.levels))],
    }


def _curve(findings: Findings) -> dict[str, Any]:
    """What is behind the difficulties: their own spread, or the rules of a game."""
    fitted, played = findings.fit, findings.played
    if played is None:
        return {"levels_mean": _rounded(fitted.level_mean), "levels_sd": _rounded(fitted.level_sd)}
    assert findings.rules is not None  # checked where a game is given
    return {
        "game": played.game.name,
        "moving": list(played.settings.moving),
        "held_at_default": list(played.settings.assumed),
        "rules": findings.rules.to_json(),
    }


def _checks(findings: Findings) -> dict[str, Any]:
    """How good the fit is; null where the file cannot tell."""
    checks, behaviour = findings.checks, findings.checks.behaviour
    players, levels, late = checks.unseen_players, checks.unseen_levels, checks.last_fifth
    return {
        "unseen_players": None if players is None else players.to_json("level_means"),
        "unseen_levels": None if levels is None else levels.to_json("neighbours"),
        "last_fifth": None if late is None else late.to_json("level_means"),
        "survival": None if checks.survival is None else checks.survival.to_json(),
        "behaviour": {} if behaviour is None else {curve.name: curve.to_json() for curve in behaviour.curves},
    }


def _level(findings: Findings, place: int) -> dict[str, Any]:
    sizes = findings.sizes
    found = {
        "level": sizes.levels[place],
        "players": None if sizes.met is None else int(sizes.met[place]),
        "attempts": int(sizes.tried[place]),
        "win_rate": _rounded(float(sizes.won[place] / sizes.tried[place])),
    }
    if findings.played is None:
        low, high = findings.fit.interval(place)
        found["difficulty"] = _rounded(float(findings.fit.difficulty[place]))
        found |= {"low": _rounded(low), "high": _rounded(high)}
    return found


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
