"""Kill commands at random moments, resume them to their end, and see whether anything is lost.

Each time a command is started and killed with SIGKILL at a random moment: its main process, its whole process group, or
one of its workers. Three in ten are killed again while they are resumed. Then what is left is resumed to its end, and
every file is compared with that of a command that nobody disturbed. Linux only, since it looks into /proc.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.fresh import ROOT
from sims.run_folder.files import content_of
from sims.run_folder.folder import MANIFEST, PARTIAL, START, read_manifest
from sims.run_folder.manifest_schema import FolderKind

VICTIMS: Final = ("main process", "process group", "a worker")
ORPHAN_S: Final = 5.0
_TWICE: Final = 3  # of ten


class Tally(NamedTuple):
    """What came of all the kills."""

    kills: int  # commands that were killed, once or twice
    equal: int  # resumed trees that equal the reference
    orphans: int  # processes that lived ORPHAN_S after their main process
    torn: int  # files that had their name and were not whole
    untouched: int  # moments at which the command had ended
    reference_s: float
    faults: list[str]


class Command:
    """One process group of the command line."""

    def __init__(self, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sims", *map(str, words), "--workers", "2", "--quiet"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: str | None = None

    def children(self) -> list[int]:
        """Processes that the main process has started: workers, and a helper of the standard library's."""
        try:
            words = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except OSError:
            return []
        return [int(word) for word in words]

    def workers(self) -> list[int]:
        return [number for number in self.children() if b"spawn_main" in _words_of(number)]

    def kill(self, victim: str, chance: random.Random) -> list[int] | None:
        """Kill it, or what of it; the children that must be gone soon, None when the command has ended.

        Where no worker is, the main process dies for it.
        """
        children = self.children()
        workers = self.workers()
        if self.process.poll() is not None:
            return None
        if victim == "a worker" and workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            return []
        if victim == "process group":
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            os.kill(self.process.pid, signal.SIGKILL)
        self.end()
        return children

    def end(self) -> str:
        """Wait for it; what it said on stderr."""
        if self.said is None:
            self.said = self.process.communicate(timeout=600)[1]
        return self.said


class Undisturbed(NamedTuple):
    """A command that nobody has killed."""

    folder: Path  # what it has left
    seconds: float


def undisturbed(words: Sequence[object], folder: Path) -> Undisturbed:
    """Let a command end. words: without --out. Raises RuntimeError when it leaves no folder."""
    began = time.monotonic()
    said = Command(*words, "--out", folder).end()
    seconds = time.monotonic() - began
    if not folder.is_dir():
        raise RuntimeError(f"a command that nobody disturbed has failed: {said}")
    return Undisturbed(folder, seconds)


def tree(folder: Path, kind: FolderKind = "run") -> dict[str, str]:
    """Hashes of all files; of the manifest, what does not tell of the clock."""
    found = {path.name: content_of(path).sha256 for path in folder.iterdir() if path.name != MANIFEST}
    manifest = read_manifest(folder, kind)
    sums = manifest["tallies"] if kind == "run" else [manifest.get("attempts"), manifest[kind]]
    return {**found, MANIFEST: json.dumps([manifest["files"], sums, manifest["scenario_digest"]])}


def kill(
    words: Sequence[object],
    kills: int,
    reference: Undisturbed,
    torn: Callable[[Path], int],
    *,
    kind: FolderKind = "run",
    seed: int = 1,
    talk: bool = False,
) -> Tally:
    """Kill so many commands beside the reference. words: without --out; torn: files of an unfinished folder that are.

    seed: of victims and moments, which lie within the time of the reference.
    """
    chance = random.Random(seed)
    wanted = tree(reference.folder, kind)
    equal = alive = damaged = untouched = 0
    faults: list[str] = []
    for turn in range(kills):
        out = reference.folder.with_name(f"killed-{turn}")
        partial = out.with_name(out.name + PARTIAL)
        said = ""
        for _ in range(2 if turn % 10 < _TWICE else 1):
            victim = chance.choice(VICTIMS)
            moment_s = chance.uniform(0.0, reference.seconds)
            if out.exists():
                break
            command = _next(words, out, partial)
            time.sleep(moment_s)
            children = command.kill(victim, chance)
            untouched += children is None
            alive += len(orphans(children or []))
            said = command.end()
            damaged += torn(partial)
        if not out.exists():
            said = _next(words, out, partial).end()
        same = out.exists() and tree(out, kind) == wanted
        equal += same
        if not same:
            faults.append(f"{turn}: {victim} after {moment_s:.2f} s: {said}")
        if talk:
            print(f"{turn + 1:>3}  {victim:<14} at {moment_s:5.2f} s  {'equal' if same else 'NOT EQUAL'}", flush=True)
    return Tally(kills, equal, alive, damaged, untouched, reference.seconds, faults)


def _next(words: Sequence[object], out: Path, partial: Path) -> Command:
    """What a person would type now."""
    if (partial / START).exists() or (partial / MANIFEST).exists():
        return Command("resume", partial)
    return Command(*words, "--out", out)


def orphans(children: list[int]) -> list[int]:
    """Those that still live after ORPHAN_S."""
    until = time.monotonic() + ORPHAN_S
    while time.monotonic() < until:
        if not any(map(_alive, children)):
            return []
        time.sleep(0.02)
    return [number for number in children if _alive(number)]


def _alive(number: int) -> bool:
    """Whether a process does anything yet: a zombie does not, and keeps no number busy for long."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _words_of(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


def tell(found: Tally) -> int:
    """Print what came of it; the exit code."""
    print(f"undisturbed it took {found.reference_s:.1f} s; {found.untouched} kills came too late")
    print(f"{found.equal} of {found.kills} trees equal, {found.orphans} orphans, {found.torn} torn files")
    for fault in found.faults:
        print(fault)
    return 0 if (found.equal, found.orphans, found.torn) == (found.kills, 0, 0) else 1
