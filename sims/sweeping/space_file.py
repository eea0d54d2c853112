"""What is swept as files say it: a table [sweep] of keys, each with its values as on the command line, or a list.

The table stands in the scenario itself, or alone in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import ScenarioError
from engine.scenario import SweptEntry, swept_entries
from engine.scenario_file import toml
from engine.scenario_file.scenario_faults import printable


def read_space(path: Path) -> tuple[SweptEntry, ...]:
    """The keys of a file's [sweep].

    Raises ScenarioError where the file cannot be read, or holds anything else.
    """
    document = toml.parse_toml(toml.read(path), str(path))
    table = document.tree.get("sweep")
    if not isinstance(table, Mapping) or len(document.tree) > 1:
        found = ", ".join(document.tree) or "nothing"
        raise ScenarioError(printable(f"{path}: must hold one table [sweep] and nothing else, got {found}"))
    return tuple(swept_entries(table, document.lines, str(path)))


def over_of(entries: Iterable[SweptEntry]) -> dict[str, Any]:
    """Key -> values as `sweep` takes them: text or a list. A single number stands for itself, and is refused there."""
    return {one.key: one.values if isinstance(one.values, str | list) else str(one.values) for one in entries}


def placed(fault: ScenarioError, entries: Iterable[SweptEntry]) -> ScenarioError:
    """The same error with file and line in the place of --over."""
    places = {f"--over {one.key}: ": f"{one.place}: sweep.{one.key}: " for one in entries}
    lines = []
    for line in fault.lines:
        option = next((option for option in places if line.startswith(option)), "")
        lines.append(places.get(option, "") + line.removeprefix(option))
    return ScenarioError(*lines)
