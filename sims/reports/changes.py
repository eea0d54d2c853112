"""What a scenario sets that is not the default, read from the marks in its resolved file."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from engine.user_files.regular_file import read_regular

_MARK: Final = "  # changed"


class ChangedDefault(NamedTuple):
    """One key that differs from its default."""

    table: str  # as in "controller.options"; "" for the top of the file
    key: str
    value: str  # as it stands in the file


def read_changes(path: Path) -> tuple[ChangedDefault, ...] | None:
    """The marked lines of a scenario.toml, in its order; None where there is no such file, or it is no text."""
    try:
        lines = read_regular(path).decode().splitlines()
    except (OSError, ValueError):
        return None
    table = cohort = ""
    changes = []
    for line in lines:
        key, equals, value = line.partition(" = ")
        if line.startswith("["):
            table = line.strip("[]")
            cohort = "" if not table.startswith("cohort") else cohort
        elif equals and table == "cohort" and key == "name":
            cohort = value.strip('"')
        if equals and line.endswith(_MARK):
            place = table.replace("cohort", f"cohort.{cohort}", 1) if cohort else table
            changes.append(ChangedDefault(place, key, value.removesuffix(_MARK)))
    return tuple(changes)
