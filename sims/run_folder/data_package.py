"""What the columns mean: datapackage.json of a run, and the page docs/columns.md. Print that page with

python -m sims.run_folder.data_package > docs/columns.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import RunFolderError, ScenarioError
from engine.record import (
    END_PLACE,
    LAYOUT,
    PLAYER_COLUMNS,
    SCORE,
    SESSION_COLUMNS,
    Column,
    Kind,
    Sheet,
    attempt_columns,
)
from engine.scenario_file.scenario_faults import printable
from engine.user_files.regular_file import read_regular
from sims.run_folder.faults_table import SHEET as FAULTS
from sims.run_folder.files import Content
from sims.run_folder.folder import PACKAGE
from sims.run_folder.json_types import is_count, is_number
from sims.verdict.goal import ORIGIN_COLUMNS, SUMMARY_COLUMNS

_TYPES: Final = {"integer": "integer", "number": "number", "boolean": "boolean", "name": "string"}
_KINDS: Final[Mapping[str, Kind]] = {"integer": "integer", "number": "number", "boolean": "boolean", "string": "name"}
_MEDIA: Final = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
_PARENT: Final = {
    "faults": ("replica", "player", "attempt"),
    "attempts": ("replica", "player", "session"),
    "sessions": ("replica", "player"),
}
_ABOVE: Final = {"faults": "attempts", "attempts": "sessions", "sessions": "players"}

SUMMARY: Final = Sheet("summary", (*ORIGIN_COLUMNS, *SUMMARY_COLUMNS), ("scenario", "cohort", "level"), {})


def package(name: str, title: str, sheets: Sequence[tuple[Sheet, str, Content, int]]) -> dict[str, Any]:
    """The description of a run's tables, each as (sheet, file name, content, rows): a Data Package, version 2."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": name,
        "title": title,
        "resources": [resource_of(*item) for item in sheets],
    }


def resource_of(sheet: Sheet, path: str, content: Content, rows: int) -> dict[str, Any]:
    """The entry of one table in a run's data package."""
    ending = path[path.rindex(".") :]
    text = ending == ".csv"
    found: dict[str, Any] = {
        "name": sheet.name,
        "type": "table",
        "path": path,
        "format": ending[1:],
        "mediatype": _MEDIA[ending],
        # Not said of Parquet: frictionless counts the bytes of text only, and finds fault with any other count.
        **({"bytes": content.bytes} if text else {}),
        "hash": f"sha256:{content.sha256}",
        "rowCount": rows,
    }
    if text:
        found["encoding"] = "utf-8"
        found["dialect"] = {"delimiter": ",", "lineTerminator": "\n", "header": True}
    schema: dict[str, Any] = {
        "fields": [_field(column, sheet.words) for column in sheet.columns],
        "missingValues": [""],
        "primaryKey": list(sheet.key),
    }
    if sheet.name in _ABOVE:
        keys = list(_PARENT[sheet.name])
        schema["foreignKeys"] = [{"fields": keys, "reference": {"resource": _ABOVE[sheet.name], "fields": keys}}]
    return {**found, "schema": schema}


def _field(column: Column, words: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": _TYPES[column.kind], "description": column.meaning}
    if column.unit:
        found["unit"] = column.unit
    if column.kind == "boolean":
        found |= {"trueValues": ["true"], "falseValues": ["false"]}
    limits: dict[str, Any] = {} if column.optional else {"required": True}
    whole = column.kind == "integer"
    for key, bound in (("minimum", column.low), ("maximum", column.high)):
        if bound is not None:
            limits[key] = int(bound) if whole else bound
    if column.name in words:
        limits["enum"] = list(words[column.name])
    return {**found, "constraints": limits} if limits else found


class Resource(NamedTuple):
    """One table of a run: a resource of its data package."""

    sheet: Sheet
    path: str  # of its file in the run folder
    rows: int


class Package(NamedTuple):
    """A run's data package."""

    name: str
    title: str
    tables: tuple[Resource, ...]


def read_package(folder: Path) -> Package:
    """Inverse of `package`: unit, range and words of a column come back, but not that it is the same in all rows.

    Raises RunFolderError when the file cannot be read.
    """
    path = folder / PACKAGE
    try:
        found = json.loads(read_regular(path))
        package = Package(found["name"], found["title"], tuple(_table_of(one) for one in found["resources"]))
        _check_package(package)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ScenarioError) as fault:
        reason = " ".join(str(fault).split())[:200]
        raise RunFolderError(
            f"{path} must be as the run wrote it, but: {type(fault).__name__}: {printable(reason)}."
        ) from None
    return package


def _check_package(package: Package) -> None:
    """Raise ValueError for a package that no run writes, although it has all entries."""
    texts: list[Any] = [package.name, package.title]
    for sheet, path, rows in package.tables:
        texts += [sheet.name, path]
        if Path(path).name != path or not is_count(rows):
            raise ValueError(f"the table {sheet.name} must have a file of its own and a number of rows, got {path!r}")
        for column in sheet.columns:
            texts += [column.name, column.unit, column.meaning]
            bounds = (column.low, column.high)
            if not all(bound is None or is_number(bound) for bound in bounds):
                raise ValueError(f"the column {column.name} must have numbers as its bounds")
        texts += [word for words in sheet.words.values() for word in words] + list(sheet.key)
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("names and meanings must be texts that can be printed")
    names = [table.sheet.name for table in package.tables]
    if len(set(names)) < len(names) or len({table.path for table in package.tables}) < len(names):
        raise ValueError("no table may stand twice")


def _table_of(resource: Mapping[str, Any]) -> Resource:
    fields, key = resource["schema"]["fields"], tuple(resource["schema"]["primaryKey"])
    words = {item["name"]: _words(item["constraints"]["enum"]) for item in fields if "enum" in _limits(item)}
    sheet = Sheet(resource["name"], tuple(column_of(item) for item in fields), key, words)
    return Resource(sheet, resource["path"], resource["rowCount"])


def _words(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list):
        raise TypeError(f"enum must be a list, got {type(listed).__name__}")
    return tuple(listed)


def column_of(item: Mapping[str, Any]) -> Column:
    """The column that an entry of a data package describes. Raises KeyError for what is none."""
    limits = _limits(item)
    return Column(
        item["name"],
        _KINDS[item["type"]],
        item.get("unit", ""),
        item["description"],
        optional=not limits.get("required", False),
        low=limits.get("minimum"),
        high=limits.get("maximum"),
    )


def _limits(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = item.get("constraints", {})
    return found


_TOP: Final = """# Columns

Printed from the column lists in `engine/record.py`, `sims/verdict/goal.py` and `sims/run_folder/faults_table.py` by
`python -m sims.run_folder.data_package`; a test keeps this page up to date. Every run also has a `datapackage.json`. It
describes the run's own files in the same way, with the params of its game and the beliefs of its controller.

CSV files are UTF-8 with LF, a header line, commas, `true` and `false`. A missing value is empty. Numbers have the
shortest digits that give the same bits back. Times are simulated; no table contains wall-clock time.
`attempts.parquet` holds the same values as `attempts.csv`. Rows are sorted by replica, player and attempt (or session).

"""
_PARAM: Final = Column(
    "param_<knob>", "number", "the knob's", "one column per knob of the game, in the game's own units"
)
_SCORE: Final = replace(SCORE, meaning=f"{SCORE.meaning}; only of games that rate it")
_LAYOUT: Final = replace(LAYOUT, meaning=f"{LAYOUT.meaning}; only where it is not the seed of the run")
_PLACE: Final = replace(END_PLACE, meaning=f"{END_PLACE.meaning}; only of games that name places")
_BELIEF: Final = Column(
    "belief_<name>",
    "number",
    "the controller's",
    "what the controller believed before the attempt; dial: a length on the dial, which is 1 from easiest to hardest",
    optional=True,
)


def columns_page() -> str:
    """The text of docs/columns.md."""
    tables = (
        (
            "attempts.csv, attempts.parquet",
            "one row per attempt; `win_chance` only where `[record] win_chance = true`",
            attempt_columns([_PARAM], [_SCORE], [_BELIEF], [_LAYOUT], [_PLACE], chance=True),
        ),
        ("players.csv", "one row per player, at the end of the run", PLAYER_COLUMNS),
        ("sessions.csv", "one row per session", SESSION_COLUMNS),
        ("summary.csv", "one row per cohort, and per level of a campaign", SUMMARY.columns),
        ("faults.csv", "one row per failed attempt; a run without any has no such file", FAULTS.columns),
    )
    return _TOP + "\n".join(_table(*table) for table in tables)


def _table(files: str, rows: str, columns: Sequence[Column]) -> str:
    lines = [f"## {files}", "", f"{rows[0].upper()}{rows[1:]}.", ""]
    lines += ["| column | type | unit | range | meaning |", "|---|---|---|---|---|"]
    for column in columns:
        empty = "; may be empty" if column.optional else ""
        lines.append(
            f"| `{column.name}` | {column.kind} | {column.unit} | {range_of(column)} | {column.meaning}{empty} |"
        )
    return "\n".join([*lines, ""])


def range_of(column: Column) -> str:
    """The range of a column's values in words; empty where it has none."""
    low, high = column.low, column.high
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {low:g}"
    return f"{low:g} to {high:g}" if high < 1e6 else f"{low:g} to {high:.0f}"


if __name__ == "__main__":
    sys.stdout.write(columns_page())
