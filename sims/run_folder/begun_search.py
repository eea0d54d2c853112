"""Folders of studies and sweeps: what they began with, whether they only lack their name, and what they answer.

A study and a sweep are resumed by repeating their search with the records of its journal. That is right only where
scenario, request, code and versions are the same as when it began.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.errors import RunFolderError
from engine.user_files.regular_file import read_regular
from sims.run_folder.folder import (
    MANIFEST,
    PARTIAL,
    SCENARIO,
    START,
    Start,
    WorkFolder,
    changed_files,
    changed_line,
    read_manifest,
)

SearchKind = Literal["study", "sweep", "tier-study"]
Work = TypeVar("Work")


def partial_of(target: Path) -> Path:
    """The unfinished folder, given as NAME.partial or NAME."""
    return target if target.name.endswith(PARTIAL) else target.with_name(target.name + PARTIAL)


def journal_seal(start: Start) -> str:
    """The digest that binds a journal to its search."""
    return hashlib.sha256(json.dumps(asdict(start), sort_keys=True).encode()).hexdigest()


def lacks_only_its_name(path: Path, kind: SearchKind) -> bool:
    """Whether a search was stopped just before its folder got its final name.

    Raises RunFolderError where a file was changed since.
    """
    if not (path / MANIFEST).is_file() or (path / START).is_file():
        return False
    changed = changed_files(path, read_manifest(path, kind))
    if changed:
        raise RunFolderError(f"{path / changed[0]} was changed after the {kind} wrote it; start a new {kind}.")
    return True


def begun_work(
    folder: WorkFolder, kind: SearchKind, remake: Callable[[Path, Start], tuple[Work, Start]]
) -> tuple[Work, Start]:
    """What a search began with, which must be what it would begin with now.

    remake: (file of the scenario, what it began with) -> the work, and what it would begin with now. Raises
    RunFolderError where the two differ.
    """
    begun = folder.read_start()
    path = folder.path / SCENARIO
    text = read_regular(path).decode(errors="replace") if os.path.lexists(path) else ""
    difference = changed_line(begun.scenario, text)
    if difference is None:
        work, now = remake(path, begun)
        difference = begun.difference(now)
        if difference is None:
            return work, begun
    raise RunFolderError(f"cannot resume {folder.path}: {difference}; start a new {kind}.")


def answer_in(path: Path, kind: SearchKind, name: str) -> Any:
    """The answer of a complete search, from its file of this name. Raises RunFolderError where it is no such search."""
    try:
        return json.loads(bytes_in(path, kind, name))
    except (ValueError, RecursionError) as fault:
        raise unreadable(path / name, kind, fault) from None


def bytes_in(path: Path, kind: SearchKind, name: str) -> bytes:
    """The bytes of a file of a complete search. Raises RunFolderError where they are not those that it wrote."""
    expected = read_manifest(path, kind)["files"].get(name)
    file = path / name
    data = read_regular(file) if expected is not None and os.path.lexists(file) else b""
    if expected is None or hashlib.sha256(data).hexdigest() != expected["sha256"]:
        raise RunFolderError(f"{file} is missing or was changed after the {kind}; the {kind} cannot be read.")
    return data


def unreadable(file: Path, kind: SearchKind, fault: Exception) -> RunFolderError:
    """The error for an answer that is not as a search writes it."""
    return RunFolderError(
        f"{file} must be as the {kind} wrote it, but: {type(fault).__name__}; the {kind} cannot be read."
    )
