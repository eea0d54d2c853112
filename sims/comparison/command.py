"""`flowdial compare` with several scenarios: play them, say what changed, leave files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import PluginFault
from engine.scenario import Scenario
from sims.comparison.comparison import EVERYBODY, BeforeAfter, Change, Comparison, agree
from sims.comparison.comparison import compare as compared
from sims.comparison.files import json_text, write
from sims.comparison.notes import notes
from sims.comparison.sentences import HEADINGS, SAME, caution, cells, names_of, summary
from sims.run_folder.new_folder import new_folder
from sims.terminal import aligned, meter
from sims.workers.cores import cores


def compare(
    scenarios: Sequence[Scenario],
    seed: int | None,
    *,
    workers: int | None = None,
    out: Path | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Compare each scenario with the first one, print what changed; the exit code.

    seed: of all, None for the first one's. Raises ScenarioError for scenarios that cannot be compared, RunFolderError
    when the folder exists, PluginFault when too many attempts failed.
    """
    first, *others = scenarios
    agree(first, others)
    folder = new_folder(out).absolute() if out is not None else None  # a plug-in may change the directory
    found = compared(
        first, others, first.seed if seed is None else seed, workers=workers or cores(), shown=meter(quiet)
    )
    if folder is not None:
        write(folder, found)
    if json:
        sys.stdout.write(json_text(found))
    else:
        sys.stdout.write("\n".join(lines_of(found)) + "\n")
        if folder is not None:
            sys.stdout.write(f"\ntable, page and JSON  {out}\n")
    return PluginFault.exit_code if found.failed else 0


def lines_of(found: BeforeAfter) -> list[str]:
    """Everything for the terminal: what was changed, what that did, the tables, and how to read them."""
    lines = []
    for comparison in found.comparisons:
        lines += [*_one(found, comparison), ""]
    return [*lines, *caution(found)]


def _one(found: BeforeAfter, comparison: Comparison) -> list[str]:
    names = names_of(found)
    players = sum(comparison.players.values())
    own = found.changes_of(comparison)
    flagged = [change for change in own if change.flagged]
    noise = [change for change in own if change.noise]
    lines = [
        f"{names[0]} -> {names[comparison.after]}: {players:,} players, seed {found.seed}; {SAME}",
        "",
        *([f"  {key}" for key in comparison.keys] or ["  nothing that is played was changed"]),
        "",
        *summary(found, comparison),
        *notes(found, comparison),
    ]
    if flagged:
        lines += ["", "Changed beyond noise, the largest effect first", _table(flagged)]
    if noise:
        together = [change for change in noise if change.cohort == EVERYBODY] if len(comparison.pairs) > 1 else noise
        rest = len(noise) - len(together)
        lines += [
            "",
            f"Noise{f' (of all players; {rest:,} more, of single cohorts, with --json or --out)' if rest else ''}",
        ]
        lines += [_table(together)] if together else []
    return lines


def _table(changes: Sequence[Change]) -> str:
    return aligned([HEADINGS, *map(cells, changes)])
