"""The folder of a run: NAME.partial while it is under way, NAME when it is complete.

When all chunks are there, their parts are put together in the order of their keys, whichever worker played them. Then
the folder gets its final name by one rename. Only manifest.json and report.html contain anything of the clock.

    NAME.partial/start.json      what was started: scenario, code, versions
                 scenario.toml   the resolved scenario
                 lock            held by the process that works on it
                 chunks/000000.* parts and record of each chunk
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from engine.errors import RunFolderError, ScenarioError
from engine.record import Format
from engine.user_files.regular_file import read_regular
from sims.run_folder.files import (
    Content,
    content_of,
    read_sealed,
    remove_unfinished,
    sync_folder,
    write_file,
    write_json,
    write_sealed,
)
from sims.run_folder.json_types import Name, Text, TextLine
from sims.run_folder.lock import FolderLock
from sims.run_folder.manifest_schema import KINDS, FolderKind, fault_of
from sims.run_folder.new_folder import check_new, new_folder, numbered_folder

PARTIAL: Final = ".partial"
START: Final = "start.json"
SCENARIO: Final = "scenario.toml"
MANIFEST: Final = "manifest.json"
PACKAGE: Final = "datapackage.json"
REPORT: Final = "report.html"
CHUNKS: Final = "chunks"
FORMAT_VERSION: Final = 1
_CHECKSUM: Final = "checksum"  # of the manifest's other entries; it may be missing in one that was made by hand


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Start:
    """What a run began with; a resumed run must begin with the same."""

    format_version: int
    flowdial_version: TextLine
    name: Name  # what the run is called, for people
    scenario: Text  # the resolved scenario
    scenario_digest: TextLine
    format: Format  # of the table of attempts
    code: Mapping[TextLine, TextLine]  # digests of the game, the controller and the engine
    versions: Mapping[TextLine, TextLine]  # of Python and of the libraries that the result depends on
    study: Mapping[str, Any] = field(default_factory=dict)  # what a study is asked for besides; empty for others
    sweep: Mapping[str, Any] = field(default_factory=dict)  # what a sweep is asked for besides; empty for others

    def difference(self, now: Start) -> str | None:
        """The first thing in which two starts differ, in words; None when they agree."""
        for name in ("format_version", "flowdial_version"):
            was, is_ = getattr(self, name), getattr(now, name)
            if was != is_:
                return f"{name} was {was} and is {is_}"
        changed = changed_line(self.scenario, now.scenario)
        if changed is not None:
            return changed
        if self.scenario_digest != now.scenario_digest:
            return f"the fingerprint of the scenario was {self.scenario_digest} and is {now.scenario_digest}"
        for table, what in (("study", "{}"), ("sweep", "{}"), ("versions", "{}"), ("code", "the code of the {}")):
            was_all, is_all = getattr(self, table), getattr(now, table)
            for key in sorted({*was_all, *is_all}):
                was, is_ = was_all.get(key, "not there"), is_all.get(key, "not there")
                if was != is_:
                    return f"{what.format(key)} was {was} and is {is_}"
        return None


def changed_line(before: str, after: str) -> str | None:
    """The first line in which two texts of a scenario differ, in words; None when they are equal."""
    texts = (before.splitlines(), after.splitlines())
    for number in range(max(map(len, texts))):
        was, is_ = (text[number].strip() if number < len(text) else "nothing" for text in texts)
        if was != is_:
            return f"{SCENARIO} line {number + 1} was {was!r} and is {is_!r}"
    return None if before == after else f"the line ends or blanks of {SCENARIO} have changed"


class WorkFolder:
    """A run folder under way, locked by this process until `publish` or `close`."""

    def __init__(self, path: Path, lock: FolderLock) -> None:
        """Use `begin` or `take_up`."""
        self.path = path
        self._lock = lock

    @property
    def final(self) -> Path:
        """The folder's name when it is complete."""
        return self.path.with_name(self.path.name.removesuffix(PARTIAL))

    @property
    def chunks(self) -> Path:
        """Where parts and records of chunks are."""
        return self.path / CHUNKS

    def read_start(self) -> Start:
        """What the run began with. Raises RunFolderError when start.json is missing or damaged."""
        try:
            found = read_sealed(self.path / START)
            newer = found["format_version"] > FORMAT_VERSION
            start = None if newer else Start(**found)
        except FileNotFoundError:
            raise RunFolderError(
                f"{self.path} has no {START}, so there is nothing to resume; start a new run."
            ) from None
        except (RunFolderError, ValueError, TypeError, KeyError, RecursionError):
            newer, start = False, None
        if newer:
            raise _too_new(self.path, found["format_version"])
        if start is None:
            raise RunFolderError(f"{self.path / START} is damaged, so the run cannot be resumed; remove it.")
        return start

    @contextlib.contextmanager
    def closed_on_fault(self) -> Iterator[None]:
        """Close the folder when what follows raises, whatever it is."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the folder as it is, for `resume`."""
        self._lock.release()

    def abandon(self) -> None:
        """Remove the folder, and let it go when nothing is left of it.

        Raises OSError on I/O errors. Whatever ends it early leaves a folder that can be resumed or started again:
        start.json goes after all that it accounts for.
        """
        try:
            for path in self.path.iterdir():
                if path.name in (START, SCENARIO, FolderLock.NAME):
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            for name in (START, SCENARIO):
                (self.path / name).unlink(missing_ok=True)
            self._lock.remove()
            self.path.rmdir()
        finally:
            self._lock.release()

    def publish(self) -> Path:
        """Remove what only a run under way needs and give the folder its final name, which is returned.

        Raises RunFolderError when something of that name exists, OSError on I/O errors: then the folder has one of its
        two names, and is complete.
        """
        if self.final.exists():
            raise RunFolderError(f"{self.final} already exists; move it away and resume {self.path}.")
        if self.chunks.is_dir():
            shutil.rmtree(self.chunks)
        (self.path / START).unlink(missing_ok=True)
        self._lock.remove()
        sync_folder(self.path)
        os.rename(self.path, self.final)
        sync_folder(self.final.parent)
        self._lock.release()
        return self.final

    @property
    def resumable(self) -> bool:
        """Whether `resume` would find what it needs to go on, or to give the folder its final name."""
        return folder_state(self.path) == "begun"

    @property
    def found(self) -> Path:
        """Where the folder is now: it has its final name even if the disk failed right after that."""
        return self.path if self.path.is_dir() else self.final


def begin(out: Path | None, start: Start) -> WorkFolder:
    """Make the working folder of a new run, study or sweep.

    out: its final name, None for runs/<name>-001, -002 ... whichever is free, or the same in studies or
    sweeps.

    Raises RunFolderError when `out` or its working folder exists, OSError when it cannot be made.
    """
    if out is None:
        parent = "studies" if start.study else "sweeps" if start.sweep else "runs"
        path = numbered_folder(Path(parent), start.name, PARTIAL)
    else:
        path = _working_folder(out)
    folder = WorkFolder(path, FolderLock(path))
    if folder_state(path) != "unbegun":
        folder.close()
        raise RunFolderError(f"{path} holds an unfinished run{_way_on(folder, start)}.")
    try:
        check_free(folder.final)  # again, since another process may have published it just now
        remove_unfinished(path)
        folder.chunks.mkdir(exist_ok=True)
        write_file(path / SCENARIO, start.scenario.encode())
        write_sealed(path / START, asdict(start))
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):  # what is left does no harm
            folder.abandon()
        raise
    return folder


def _way_on(folder: WorkFolder, start: Start) -> str:
    """The ending of a sentence about what an earlier start left: what to do with it. start: what is wanted now."""
    if not folder.resumable:
        return "; remove it"
    condition = ""
    if not has_manifest(folder.path):  # otherwise it may be complete, whatever has changed since
        begun = folder.read_start()
        if (begun.scenario, begun.study, begun.sweep) != (start.scenario, start.study, start.sweep):
            condition = " if its code has not changed since"
        elif (difference := begun.difference(start)) is not None:
            return f" that cannot be resumed: {difference}; remove it"
    return f"; run `flowdial resume {folder.path}`{condition}, or remove it"


def check_free(out: Path) -> None:
    """Raise what `begin` would for a folder that exists or cannot be made, before hours of work for it."""
    if not out.name or out.name.endswith(PARTIAL):
        raise ScenarioError(f"--out must name a new folder that does not end in {PARTIAL}, got {out}")
    check_new(out)


def _working_folder(out: Path) -> Path:
    """Make the working folder of a run, or take one that an earlier start left."""
    check_free(out)
    partial = out.with_name(out.name + PARTIAL)
    try:
        return new_folder(partial)
    except RunFolderError:
        if folder_state(partial) in ("absent", "foreign"):
            raise
    return partial


FolderState = Literal["absent", "foreign", "unbegun", "begun", "broken"]


def folder_state(path: Path) -> FolderState:
    """What a working folder holds.

    Args:
        path: of the folder, which ends in .partial.

    Returns:
        "absent": there is no folder. "foreign": it holds files of something else. "unbegun": it holds only what is
        there before a run or study begins; a process that died then leaves it. "begun": it can be resumed, or only
        needs its final name. "broken": it is ours, but what it began with is lost.
    """
    if not path.is_dir():
        return "absent"
    names = {one.name for one in path.iterdir()}
    if names & {START, MANIFEST}:
        return "begun"
    if names and FolderLock.NAME not in names:
        return "foreign"
    parts = path / CHUNKS
    known = {name for name in names if not name.endswith(".tmp")} <= {FolderLock.NAME, CHUNKS, SCENARIO}
    return "unbegun" if known and not parts.is_symlink() and not any(parts.glob("*")) else "broken"


def take_up(target: Path) -> WorkFolder:
    """Lock the working folder of an unfinished run. target: NAME or NAME.partial.

    Raises RunFolderError when there is none, or when another process works on it.
    """
    path = target if target.name.endswith(PARTIAL) else target.with_name(target.name + PARTIAL)
    if folder_state(path) == "absent":
        whole = target.with_name(target.name.removesuffix(PARTIAL))
        if has_manifest(whole):
            raise RunFolderError(f"{whole} is already complete; nothing to resume.")
        raise RunFolderError(f"there is no unfinished run at {path}; name the folder that ends in {PARTIAL}.")
    folder = WorkFolder(path, FolderLock(path))
    with folder.closed_on_fault():
        if folder.chunks.is_symlink():  # files would leave the folder, and others come in
            raise RunFolderError(f"{folder.chunks} must be a folder of its own, got a link; remove {path}.")
        remove_unfinished(path)
        remove_unfinished(folder.chunks)
    return folder


def has_manifest(folder: Path) -> bool:
    """Whether a folder has something of the manifest's name, which `read_manifest` may still refuse."""
    return os.path.lexists(folder / MANIFEST)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest with its own checksum, last of all files: where it is, the others are complete."""
    write_json(folder / MANIFEST, {**manifest, _CHECKSUM: _checksum(manifest)})


def read_manifest(folder: Path, kind: FolderKind = "run") -> dict[str, Any]:
    """The manifest of a complete run, study or sweep.

    It has all entries, of the types that they were written with. Raises RunFolderError when it is missing, damaged, of
    a newer format, or of another kind.
    """
    try:
        found = json.loads(read_regular(folder / MANIFEST), parse_float=_finite, parse_constant=_finite)
        newer = found["format_version"] > FORMAT_VERSION
        sound = found.pop(_CHECKSUM, None) in (None, _checksum(found))
    except FileNotFoundError:
        raise RunFolderError(f"{folder} has no {MANIFEST}, so it is not a complete run; name another folder.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RunFolderError(f"{folder / MANIFEST} is damaged; the {kind} cannot be read.") from None
    if newer:
        raise _too_new(folder, found["format_version"])
    if not sound:
        raise RunFolderError(f"{folder / MANIFEST} is damaged: its checksum differs; the {kind} cannot be read.")
    other = found.get("kind", "run")
    if other != kind:
        what = f"a {other}" if other in KINDS else "of an unknown kind"
        raise RunFolderError(f"{folder} is {what}, but a {kind} is needed; name another folder.")
    fault = fault_of(found, kind)
    if fault is not None:
        raise RunFolderError(f"{folder / MANIFEST} is damaged: {fault}; the {kind} cannot be read.")
    manifest: dict[str, Any] = found
    return manifest


def _finite(text: str) -> float:
    """A number of JSON. Raises ValueError for one that only Python takes for JSON."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"a number of JSON is finite, got {text}")
    return value


def _checksum(manifest: Mapping[str, Any]) -> str:
    """Of all entries but itself, however they are laid out and ordered."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _too_new(folder: Path, version: object) -> RunFolderError:
    return RunFolderError(
        f"{folder} has format {version}, but this Flowdial reads formats up to {FORMAT_VERSION}; update Flowdial."
    )


def changed_files(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Names of files that are not as the manifest says, in its order."""
    names = []
    for name, note in manifest["files"].items():
        path = folder / name
        expected = Content(note["bytes"], note["sha256"])
        if not path.is_file() or path.stat().st_size != expected.bytes or content_of(path) != expected:
            names.append(name)
    return names
