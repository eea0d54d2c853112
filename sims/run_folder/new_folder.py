"""A new folder for results: by the name that was chosen, or by the next free number."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import RunFolderError

_LARGEST: Final = 999_999


def check_new(path: Path) -> None:
    """Raise RunFolderError when there is a file, a folder or a link of this name."""
    if path.exists() or path.is_symlink():
        raise _exists(path)


def new_folder(path: Path) -> Path:
    """Make a folder and those that it lies in. Raises RunFolderError when it exists, OSError when the disk fails."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise _exists(path) from None
    return path


def numbered_folder(parent: Path, name: str, ending: str = "") -> Path:
    """Make parent/<name>-001, -002 ..., the first number after all that are taken.

    ending: of the new folder's name; a number is taken with it and without it. Raises RunFolderError when no number is
    left, OSError when the disk fails.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for number in range(_next_number(parent, name, ending), _LARGEST + 1):
        path = parent / f"{name}-{number:03d}{ending}"
        try:
            path.mkdir()
        except FileExistsError:  # another process took it at the same moment
            continue
        return path
    raise RunFolderError(f"{parent} holds too many folders of {name}; move some away.")


def free_path(parent: Path, name: str, ending: str = "") -> Path:
    """The path that `numbered_folder` would take now, for what makes its folder itself. The parent is made."""
    parent.mkdir(parents=True, exist_ok=True)
    return parent / f"{name}-{_next_number(parent, name, ending):03d}"


def _next_number(parent: Path, name: str, ending: str) -> int:
    """The number after all that are taken."""
    taken = {path.name.removesuffix(ending).removeprefix(f"{name}-") for path in parent.glob(f"{name}-*")}
    return max((int(number) for number in taken if number.isdecimal() and number.isascii()), default=0) + 1


def _exists(path: Path) -> RunFolderError:
    return RunFolderError(f"{path} already exists; choose another --out or remove it.")
