"""report.html: one file for any browser, without scripts and without anything loaded from elsewhere.

It is made from the files of a run folder alone: the tallies and the self-test in the manifest, one pass over the rows,
and nothing from the clock, so the same run gives the same bytes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from engine.errors import RunFolderError
from engine.places.knock_out import PlaceCost
from engine.scenario_file.toml import LARGEST_FILE
from engine.tally import Tally
from engine.user_files.regular_file import read_regular
from sims.reports.changes import read_changes
from sims.reports.facts import Facts
from sims.reports.report_page import report_page
from sims.reports.rows import gather
from sims.run_folder.agreement import refuse_disagreement
from sims.run_folder.files import write_file
from sims.run_folder.folder import REPORT, SCENARIO, read_manifest
from sims.run_folder.sound_tables import sound_manifest
from sims.verdict.goal import goal_of
from sims.verdict.verdict import verdict

_NEEDED = ("format", "cohorts", "knobs", "tallies", "options", "versions")


def write_report(folder: Path, *, fresh: bool = False, costs: Sequence[PlaceCost] = ()) -> Path:
    """Write the report of a run into its folder; an older one is replaced.

    Args:
        folder: of a complete run.
        costs: what each place costs, where it was measured.
        fresh: whether this process has just written the files, so that none can have been altered since.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: the folder is not that of a run, or a file is not as the run wrote it.
        OSError: on I/O errors.
    """
    manifest = read_manifest(folder) if fresh else sound_manifest(folder)
    missing = [name for name in _NEEDED if name not in manifest]
    if missing:
        raise RunFolderError(f"the manifest of {folder} must have {', '.join(missing)}; there is no report without it.")
    if not fresh:
        refuse_disagreement(folder, manifest)
    tally = Tally.from_json(manifest["tallies"])
    goal = goal_of(manifest)
    rows = gather(folder, manifest, tally.scheme)
    cohorts = range(len(goal.cohorts))
    if rows.attempts != [tally.total(cohort, "attempts") + tally.total(cohort, "failed") for cohort in cohorts]:
        raise RunFolderError(f"the attempts in {folder} must be those that the manifest counted; the run is damaged.")
    labels = _labels(folder / SCENARIO)
    facts = Facts(
        title=str(manifest.get("title") or f"{manifest['game']}, controlled by {manifest['controller']}"),
        labels=tuple(labels.get(name, name) for name in goal.cohorts),
        manifest=manifest,
        goal=goal,
        tally=tally,
        verdict=verdict(goal, tally),
        rows=rows,
        changes=read_changes(folder / SCENARIO),
        costs=tuple(costs),
    )
    path = folder / REPORT
    write_file(path, report_page(facts).encode())
    return path


def _labels(path: Path) -> dict[str, str]:
    """What the scenario calls its cohorts before people, where it says so."""
    try:
        cohorts = tomllib.loads(read_regular(path, LARGEST_FILE).decode()).get("cohort", [])
    except (OSError, ValueError, RecursionError):
        return {}
    found = [entry for entry in cohorts if isinstance(entry, dict)] if isinstance(cohorts, list) else []
    pairs = ((entry.get("name"), entry.get("label")) for entry in found)
    return {name: label for name, label in pairs if isinstance(name, str) and isinstance(label, str) and label}
