"""What a process of a Ray cluster does with the tasks that it gets.

It keeps one worker of Flowdial's own pool (sims.workers.pool), which plays the tasks in a process apart. So a task that
hangs, ends its process or finds too little memory has the same end as on one machine. Ray itself decides who works on
what, and repeats what was lost with a process or a node.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import EnvironmentFault, FlowdialError
from sims.catalog import use_game_file
from sims.run_folder.provenance import versions
from sims.workers.pool import Pool

GAME_FOLDER: Final = "game_file"  # of a parcel, beside the packages: the game that the user named


class Recipe(NamedTuple):
    """What the tasks of a pool have in common."""

    prepare: Callable[[Any], Any]
    argument: Any
    work: Callable[[Any, Any], Any]
    options: Mapping[str, Any]  # of the pool
    game: Path | None  # the file of a game that the user named, on the machine of the user
    versions: Mapping[str, str]  # of what the bytes of a result depend on


class TaskReply(NamedTuple):
    """What came of a group of tasks."""

    results: tuple[tuple[int, Any], ...]
    seconds: float | None  # None for the first group of a worker, which starts it and compiles
    fault: FlowdialError | None = None  # what ended the group early


_kept: tuple[str, Pool] | None = None  # the pool of the latest tasks, by the key of its recipe


def work_on(key: str, box: list[Any], group: tuple[tuple[int, Any], ...]) -> TaskReply:
    """In a process of the cluster: work on some tasks.

    Args:
        key: of the recipe; a process asks for a recipe once.
        box: the reference to the recipe, in a list so that Ray does not fetch it for every group.
        group: number and item of each task.

    Returns:
        The results in the order of the group, up to the first fault.
    """
    results: list[tuple[int, Any]] = []
    first = _kept is None or _kept[0] != key
    began = time.perf_counter()
    try:
        results.extend(_pool_for(key, box).run(group))
    except FlowdialError as fault:
        _leave()
        return TaskReply(tuple(results), None, fault)
    return TaskReply(tuple(results), None if first else time.perf_counter() - began)


def _pool_for(key: str, box: list[Any]) -> Pool:
    global _kept
    if _kept is None or _kept[0] != key:
        import ray

        _leave()
        recipe: Recipe = ray.get(box[0])
        _check_versions(recipe.versions)
        use_game_file(_game_here(recipe.game))
        pool = Pool(1, recipe.prepare, recipe.argument, recipe.work, **{**recipe.options, "apart": True})
        _kept = key, pool
    return _kept[1]


def _leave() -> None:
    global _kept
    if _kept is not None:
        _kept[1].__exit__(None, None, None)
        _kept = None


def _game_here(game: Path | None) -> Path | None:
    """The file of the user's game on this machine: that of the parcel, where the packages came in one."""
    if game is None:
        return None
    sent = Path(sys.modules["sims"].__path__[0]).parent / GAME_FOLDER / game.name
    return sent if sent.is_file() else game


def _check_versions(theirs: Mapping[str, str]) -> None:
    """Raise EnvironmentFault where a library that results depend on has another version here."""
    ours = versions(*(name for name in theirs if name != "python"))
    for name, version in theirs.items():
        if ours[name] != version:
            raise EnvironmentFault(
                f"all machines of a cluster need the same versions, but {platform.node() or os.name} has "
                f"{name} {ours[name]} and this one {version}; install the same on all."
            )
