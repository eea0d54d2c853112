"""The files of tuned tiers, beside the folders of their studies.

report.html      the answer as a page
tiers.json       the answer for programs
tuned_NAME.toml  the scenario of a tier: its players with its setting, ready to run
scenario.toml    the scenario that was tuned, complete
manifest.json    versions, digests and checksums; the only file with times
"""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sims.run_folder.files import content_of, write_file, write_json
from sims.run_folder.folder import FORMAT_VERSION, REPORT, SCENARIO, Start, write_manifest
from sims.run_folder.provenance import git_commit
from sims.tuning.study_files import TUNED
from sims.tuning.tiers.tier_answer import TierAnswer
from sims.tuning.tiers.tiers_page import tiers_page

TIERS_JSON: Final = "tiers.json"


def write_tiers(folder: Path, start: Start, answer: TierAnswer, seconds: float) -> None:
    """Write all files; the manifest comes last. seconds: how long this process worked."""
    files = {tier.name: f"{TUNED}_{tier.name}.toml" for tier in answer.tiers}
    for name, option in zip(files.values(), answer.options, strict=True):
        write_file(folder / name, option.scenario.resolved_toml().encode())
    write_json(folder / TIERS_JSON, answer.to_json(files))
    write_file(folder / REPORT, tiers_page(answer).encode())
    _write_manifest(folder, start, answer, [SCENARIO, TIERS_JSON, REPORT, *files.values()], seconds)


def _write_manifest(folder: Path, start: Start, answer: TierAnswer, names: Sequence[str], seconds: float) -> None:
    scenario = answer.scenario
    content: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "flowdial_version": start.flowdial_version,
        "kind": "tier-study",
        "name": start.name,
        "title": scenario.title,
        "scenario_digest": scenario.digest,
        "seed": scenario.seed,
        "game": scenario.form.game.name,
        "study": start.study,
        "files": {name: content_of(folder / name)._asdict() for name in names},
        "code": start.code,
        "versions": start.versions,
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "seconds": round(seconds, 3),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    write_manifest(folder, content)
