"""A comparison as files: changes.csv, changes.html and comparison.json."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any, Final

from engine.inference.multiple_testing import FALSE_DISCOVERY_RATE
from engine.record import Column
from sims.comparison.comparison_page import comparison_page
from sims.comparison.differences import Change, Differences
from sims.comparison.notes import notes
from sims.comparison.sentences import label_of_all, names_of, summary
from sims.run_folder.files import sync_folder, write_file
from sims.run_folder.names import plain_name
from sims.terminal import json_text

CHANGES: Final = "changes.csv"
PAGE: Final = "changes.html"
JSON: Final = "comparison.json"
COLUMNS: Final = (
    Column("comparison", "integer", "1", "number of the scenario that is compared with the first, from 1", low=1),
    Column("scenario", "name", "", "its file's name without the ending"),
    Column("cohort", "name", "", "cohort, by its name in the first scenario; empty for all players", optional=True),
    Column("metric", "name", "", "name of the metric"),
    Column("meaning", "name", "", "what the metric is"),
    Column("unit", "name", "", "unit of before, after, change and its ends"),
    Column("flagged", "boolean", "", "whether the change is significant: p_adjusted is at most 0.05"),
    Column("matters", "boolean", "", "whether it is significant and as large as --least"),
    Column(
        "follows",
        "name",
        "",
        "why it follows from what was changed itself; such a change has no p_adjusted",
        optional=True,
    ),
    Column("paired", "boolean", "", "whether the players before and after are the same"),
    Column(
        "players", "integer", "1", "players that are compared, over all replicas; not paired: of both together", low=0
    ),
    Column("before", "number", "", "in the first scenario", optional=True),
    Column("after", "number", "", "in the other", optional=True),
    Column("change", "number", "", "after less before", optional=True),
    Column("change_low", "number", "", "low end of its interval", optional=True),
    Column("change_high", "number", "", "high end of its interval", optional=True),
    Column("confidence", "number", "1", "of the interval, adjusted for the number of changes"),
    Column(
        "size",
        "number",
        "1",
        "what --least is compared with: the change of a share or of the difficulty, else relative to before",
        optional=True,
        low=0,
    ),
    Column(
        "effect",
        "number",
        "1",
        "change in standard deviations between players; empty if they are all alike",
        optional=True,
    ),
    Column("p_value", "number", "1", "two-sided, of no change", optional=True),
    Column(
        "p_adjusted",
        "number",
        "1",
        "the same, adjusted for all changes in the file (Benjamini and Hochberg)",
        optional=True,
    ),
    Column(
        "pairing_factor",
        "number",
        "1",
        "how many times as many attempts different players would have needed; empty where no luck is left",
        optional=True,
    ),
)


def change_row(differences: Differences, change: Change) -> tuple[str | int | float | bool | None, ...]:
    """A change in the order of COLUMNS; None where there is no value."""
    difference, metric = change.difference, change.metric
    scenario = differences.others[change.number - 1].scenario
    values = (
        change.number, plain_name(scenario.name), change.cohort or None, metric.name, metric.meaning, metric.unit,
        change.flagged, change.matters, change.follows or None, change.paired, change.players, difference.before,
        difference.after, difference.value, difference.low, difference.high, differences.confidence, change.size,
        change.effect, difference.p_value, change.p_adjusted, difference.pairing_factor,
    )  # fmt: skip
    return tuple(None if isinstance(value, float) and not math.isfinite(value) else value for value in values)


def json_content(differences: Differences) -> dict[str, Any]:
    """Everything in plain lists and numbers, with None for unknown values."""
    names = names_of(differences)
    return {
        "before": names[0],
        "seed": differences.seed,
        "calibrated": label_of_all(differences).calibrated,
        "calibration": label_of_all(differences).words,
        "flagged": len(differences.flagged),
        "least": differences.least,
        "mattering": len(differences.mattering),
        "false_discovery_rate": FALSE_DISCOVERY_RATE,
        "confidence": differences.confidence,
        "comparisons": [
            {
                "comparison": one.number,
                "scenario": names[one.number],
                "changed": [key._asdict() for key in one.keys],
                "summary": summary(differences, one),
                "notes": notes(differences, one),
                "standings": [standing.to_json() for standing in one.standings],
                **({"further": [change.to_json() for change in one.further]} if one.further else {}),
                "left": [level.to_json() for level in one.left],
                "place_noun": one.place_noun,
                "places": [place.to_json() for place in one.places],
                "seed": one.seed,
                "paired": not one.strangers,
                "players": {name: pair[0] for name, pair in one.players.items()},
                "players_after": {name: pair[1] for name, pair in one.players.items()},
                "attempts_before": one.attempts[0],
                "attempts_after": one.attempts[1],
            }
            for one in differences.others
        ],
        "changes": [
            dict(zip((column.name for column in COLUMNS), change_row(differences, change), strict=True))
            for change in differences.changes
        ],
    }


def write_files(folder: Path, differences: Differences) -> None:
    """Write changes.csv, changes.html and comparison.json into a folder. Raises OSError on I/O errors."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows([[_cell(value) for value in change_row(differences, change)] for change in differences.changes])
    write_file(folder / CHANGES, text.getvalue().encode())
    write_file(folder / PAGE, comparison_page(differences).encode())
    write_file(folder / JSON, json_text(json_content(differences)).encode())
    sync_folder(folder)


def _cell(value: str | int | float | bool | None) -> str | int | float:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value
