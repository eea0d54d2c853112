"""Names of registered games. A catalog asks for them in every command, so nothing heavy is imported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from engine.user_files.configuration_folder import configuration_folder

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_FOLDER: Final = "games"


def games_folder(*, make: bool = False) -> Path | None:
    """Where registered games are kept; None where there are none. Raises EnvironmentFault."""
    folder = configuration_folder(make=make)
    return None if folder is None else folder / _FOLDER


def registered_names() -> list[str]:
    """Names of all registered games, in order. Raises EnvironmentFault when the folder is not safe to read."""
    folder = games_folder()
    if folder is None:
        return []
    try:
        names = [path.stem for path in folder.iterdir() if path.suffix == ".json"]
    except OSError:
        return []
    return sorted(name for name in names if NAME.fullmatch(name))
