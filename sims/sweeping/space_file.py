"""A file that says what is swept: a table [sweep] of keys, each with its values as on the command line, or a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import ScenarioError
from engine.scenario_file import toml


def read_space(path: Path) -> dict[str, Any]:
    """Key -> values of a file's [sweep]. Keys may be dotted or tables within tables.

    Raises ScenarioError where the file cannot be read, or holds anything else.
    """
    tree = toml.parse_toml(toml.read(path), str(path)).tree
    table = tree.get("sweep")
    if not isinstance(table, Mapping) or len(tree) > 1:
        raise ScenarioError(f"{path}: must hold one table [sweep] and nothing else, got {', '.join(tree) or 'nothing'}")
    return dict(_flat_keys(table, ""))


def _flat_keys(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat_keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str | list) else str(value)
