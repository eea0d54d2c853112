"""Our packages and the plug-ins of others in one folder, so that Ray takes them to machines that have neither."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

from sims.catalog import DISTRIBUTION, foreign_plugins, game_file
from sims.workers.ray_task import GAME_FOLDER

_HOME: Final = Path(__file__).resolve().parents[2]
_PACKAGES: Final = ("engine", "games", "controllers", "sims")
_NOT: Final = shutil.ignore_patterns("__pycache__", "*.pyc")


def code_parcel(folder: Path) -> None:
    """Copy what plays a scenario to a folder, which a worker then has in front of its path.

    The packages that a plug-in imports besides its own must be installed on all machines of the cluster, like those of
    Flowdial itself.
    """
    for name in _PACKAGES:
        shutil.copytree(_HOME / name, folder / name, ignore=_NOT)
    project = _HOME / "pyproject.toml"
    if project.is_file():  # a checkout, which says there what is ours
        shutil.copy2(project, folder)
    else:
        _copy_entry_points(folder, metadata.distribution(DISTRIBUTION))
    plugins = foreign_plugins()
    for top in sorted({plugin.target.partition(":")[0].partition(".")[0] for plugin in plugins}):
        _copy_module(folder, top)
    for distribution in _distributions(plugin.origin for plugin in plugins):
        _copy_entry_points(folder, distribution)
    game = game_file()
    if game is not None:
        (folder / GAME_FOLDER).mkdir()
        shutil.copy2(game, folder / GAME_FOLDER)


def _distributions(origins: Iterable[str]) -> list[metadata.Distribution]:
    """origins: name and version, or "unknown"."""
    names = sorted({origin.rpartition(" ")[0] for origin in origins} - {""})
    return [metadata.distribution(name) for name in names]


def _copy_module(folder: Path, name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return  # the plug-in cannot be used here either
    if spec.submodule_search_locations:
        shutil.copytree(next(iter(spec.submodule_search_locations)), folder / name, ignore=_NOT)
    elif spec.origin:
        shutil.copy2(spec.origin, folder)


def _copy_entry_points(folder: Path, distribution: metadata.Distribution) -> None:
    """What importlib.metadata reads of an installed distribution."""
    place = folder / f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution.name}\nVersion: {distribution.version}\n", encoding="utf-8"
    )
    (place / "entry_points.txt").write_text(distribution.read_text("entry_points.txt") or "", encoding="utf-8")
