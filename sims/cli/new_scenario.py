"""The text of a new scenario: a bundled one, its comments included, with a few lines changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.errors import RunFolderError, ScenarioError
from engine.scenario_file.toml import format_toml
from sims.catalog import Catalog
from sims.run_folder.files import disk_faults, write_new_file

KINDS: Final[Mapping[str, str]] = {
    "endless": "every attempt is a fresh level",
    "campaign": "numbered levels, each tried again until it is passed",
    "launch": "the first week, when all players come at once",
    "live_service": "new players every day, until the day of a patch",
    "spike": "nine levels of gap_runner made by hand, one of them too hard",
}


def new_file_of(name: str) -> Path:
    """The file of a new scenario: a name without an ending gets .toml.

    Raises ScenarioError when it has another ending.
    """
    path = Path(name)
    if path.suffix not in ("", ".toml"):
        raise ScenarioError(f"a scenario's name must end in .toml, got {name!r}; write {path.with_suffix('.toml')}")
    return path.with_suffix(".toml")


def write_from_template(path: Path, kind: str, changes: Mapping[tuple[str, str], object]) -> None:
    """Write a bundled scenario under a new name.

    Args:
        path: the file, which must not exist yet.
        kind: one of `KINDS`.
        changes: section and key -> value, of lines that the scenario has.

    Raises:
        ScenarioError: if the scenario would be wrong, for example for a game that is not installed.
        RunFolderError: if the file exists.
        EnvironmentFault: if it cannot be written.
    """
    from engine.scenario import parse

    catalog = Catalog()
    text = catalog.scenario(kind).read_text(encoding="utf-8")
    game = changes.get(("game", "name"))
    if game in catalog.names("games") and not catalog.game(str(game)).progression:
        changes = {**changes, ("levels", "progression"): 0.0}
    for (section, key), value in changes.items():
        text = _changed(text, section, key, format_toml(value))
    parse(text.encode(), str(path), catalog)
    with disk_faults():
        try:
            write_new_file(path, text.encode())
        except FileExistsError:
            raise RunFolderError(f"{path} already exists; choose another name, or remove it.") from None


def _changed(text: str, section: str, key: str, value: str) -> str:
    """The text with another value in the first line of a key in its section; what stands behind # stays."""
    before, header, rest = text.partition(f"\n[{section}]") if section else ("", "", text)
    line = re.compile(rf"^{key} = [^#\n]*?( *)(?=#|$)", re.MULTILINE)
    changed = line.sub(lambda found: _padded(f"{key} = {value}", found), rest, count=1)
    return before + header + changed


def _padded(line: str, found: re.Match[str]) -> str:
    """A line as wide as the one that it replaces, where a comment follows."""
    return line.ljust(len(found[0])) if found[1] else line
