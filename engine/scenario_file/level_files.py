"""[levels] files: levels that were made by hand, read from the folder of the scenario.

Their content takes the place of their names, so that a resolved scenario, its digest and a run folder hold the levels
themselves. No path may lead out of the scenario's folder, and only regular files are opened.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from engine.errors import FlowdialError
from engine.external.external_game import AnyGame
from engine.scenario_file.positions import KeyPath
from engine.scenario_file.scenario_faults import Faults, quote_value
from engine.scenario_file.sections import Campaign, Endless
from engine.user_files.regular_file import read_regular

LARGEST_LEVEL: Final = 64 * 1024  # bytes of a level file
_FILES: KeyPath = ("levels", "files")
_MADE: KeyPath = ("levels", "made")


def with_files(tree: dict[str, Any], folder: Path | None, faults: Faults) -> dict[str, Any]:
    """The tree with the content of level files for their names, and with as many levels as there are files.

    folder: of the scenario; None where it has none, so that no file can be read.
    """
    levels = tree.get("levels")
    names = levels.get("files") if isinstance(levels, dict) else None
    given = levels.get("made") if isinstance(levels, dict) else None
    if isinstance(levels, dict) and names is None and isinstance(given, list):
        return {**tree, "levels": {"count": len(given), **levels}}
    if not isinstance(levels, dict) or not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        return tree
    if "made" in levels:
        faults.add(_FILES, "levels are given by files or by made, got both; remove one of the two")
        return tree
    made = []
    for place, name in enumerate(names):
        try:
            made.append(_content(name, folder))
        except ValueError as fault:
            faults.add((*_FILES, place), str(fault))
    rest = {key: value for key, value in levels.items() if key != "files"}
    if len(made) < len(names):
        return {**tree, "levels": {"count": len(names), **rest}}
    return {**tree, "levels": {"count": len(made), **rest, "made": made}}


def _content(name: str, folder: Path | None) -> dict[str, Any]:
    """The content of a level file. Raises ValueError with a sentence."""
    if folder is None:
        raise ValueError("level files are read from the folder of a scenario file, but this scenario has none")
    path = folder / name
    if not _is_inside(name, folder):
        raise ValueError(
            f"a level file must lie in the folder of the scenario, got {quote_value(name)}; move the file there"
        )
    try:
        data = read_regular(path, LARGEST_LEVEL)
        found = json.loads(data) if path.suffix == ".json" else tomllib.loads(data.decode())
    except FileNotFoundError:
        raise ValueError(f"there is no file {quote_value(name)} in the folder of the scenario") from None
    except (FlowdialError, OSError) as fault:
        raise ValueError(f"a level file must be readable, but {fault}") from None
    except (ValueError, RecursionError) as fault:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        reason = " ".join(str(fault).split())[:200]
        raise ValueError(f"a level file must be {kind}, but {quote_value(name)} is not: {reason}") from None
    if not isinstance(found, dict):
        raise ValueError(f"a level file must hold a table, but {quote_value(name)} holds something else")
    return found


def _is_inside(name: str, folder: Path) -> bool:
    """Whether a name leads to a file below the folder, links of folders included."""
    parts = PurePosixPath(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        return False
    return (folder / name).parent.resolve().is_relative_to(folder.resolve())


def check_made(levels: Endless | Campaign | None, game: AnyGame, faults: Faults) -> None:
    """Every level made by hand is one of the game, and there is one for each level."""
    if not isinstance(levels, Campaign) or levels.made is None:
        return
    if game.read_level is None:
        faults.add(_MADE, f"{game.name} has no levels made by hand; remove files, or choose another game")
        return
    if len(levels.made) != levels.count:
        faults.add(("levels", "count"), f"must be the number of level files, {len(levels.made)}, got {levels.count}")
    for place, content in enumerate(levels.made):
        try:
            level_numbers(game, content)
        except ValueError as fault:
            faults.add((*_MADE, place), f"level {place + 1}: {fault}")


def level_numbers(game: AnyGame, content: Mapping[str, Any]) -> tuple[float, ...]:
    """The numbers of a level file. Raises ValueError with a sentence."""
    if game.read_level is None:
        raise ValueError(f"{game.name} has no levels made by hand; remove the file, or choose another game")
    try:
        return game.read_level(content)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as fault:
        reason = " ".join(str(fault).split())[:100]
        raise ValueError(f"it is not a level of {game.name}: {reason}; correct it") from None
