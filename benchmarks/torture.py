"""Kill runs at random moments and see whether anything is lost: `python -m benchmarks.torture`.

Each time a run of the command line is started and killed with SIGKILL at a random moment: its main process, its whole
process group, or one of its workers. Three in ten are killed again while they are resumed. Then the run is resumed to
its end, and every file is compared with that of a run that nobody disturbed. Linux only, since it looks into /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.fresh import ROOT
from engine.errors import RunFolderError
from engine.scenario import load, setup_of
from engine.world import chunks
from sims.catalog import Catalog
from sims.chunks import job_of, play_chunk
from sims.files import content_of, read_sealed
from sims.run_folder import CHUNKS, MANIFEST, PARTIAL, START, read_manifest

SCENARIO: Final = """
format = 1
title = "Torture"
seed = 20261122
[game]
name = "{game}"
[dial]
floor = 0.0
ceiling = 1.0
[target]
win_rate = 0.6
[controller]
name = "weighted_up_down"
[players]
count = {players}
[horizon]
days = 20
attempts_per_player = 8000
"""
VICTIMS: Final = ("main process", "process group", "a worker")
ORPHAN_S: Final = 5.0
_TWICE: Final = 3  # of ten


class Tally(NamedTuple):
    """What came of all the kills."""

    kills: int
    equal: int  # resumed trees that equal the reference
    orphans: int  # processes that lived ORPHAN_S after their main process
    torn: int  # files that had their name and were not whole
    untouched: int  # moments at which the run had ended
    reference_s: float
    faults: list[str]


class Run:
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
        return [number for number in self.children() if b"spawn_main" in _command(number)]

    def kill(self, victim: str, chance: random.Random) -> list[int] | None:
        """Kill it, or what of it; the children that must be gone soon, None when the run has ended.

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


def _command(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


def _alive(number: int) -> bool:
    """Whether a process does anything yet: a zombie does not, and keeps no number busy for long."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def orphans(children: list[int]) -> list[int]:
    """Those that still live after ORPHAN_S."""
    until = time.monotonic() + ORPHAN_S
    while time.monotonic() < until:
        if not any(map(_alive, children)):
            return []
        time.sleep(0.02)
    return [number for number in children if _alive(number)]


def tree(folder: Path) -> dict[str, str]:
    """Hashes of all files; of the manifest, what does not tell of the clock."""
    found = {path.name: content_of(path).sha256 for path in folder.iterdir() if path.name != MANIFEST}
    manifest = read_manifest(folder)
    return {**found, MANIFEST: json.dumps([manifest["files"], manifest["tallies"], manifest["scenario_digest"]])}


def parts(scenario: Path, folder: Path) -> dict[str, str]:
    """Hashes of the parts of all chunks, as they must be."""
    loaded = load(scenario, Catalog())
    setup = setup_of(loaded, Catalog())
    (folder / CHUNKS).mkdir(parents=True)
    job = job_of(folder, setup, loaded.after_attempts, "csv")
    for chunk in chunks(setup):
        play_chunk(job, chunk)
    return {path.name: content_of(path).sha256 for path in (folder / CHUNKS).iterdir()}


def torn(folder: Path, whole: dict[str, str]) -> list[str]:
    """Names of files that have their name and are not whole. whole: hashes of tables and parts."""
    found = []
    for path in [*folder.glob("*"), *folder.glob(f"{CHUNKS}/*")]:
        try:
            if path.name == MANIFEST:
                read_manifest(folder)
            elif path.name == START:
                read_sealed(path)
            elif path.is_file() and path.suffix != ".tmp" and path.name != "lock":
                if hashlib.sha256(path.read_bytes()).hexdigest() != whole[path.name]:
                    found.append(str(path))
        except RunFolderError:
            found.append(str(path))
    return found


def torture(
    folder: Path, kills: int, *, players: int, game: str = "tile_match", seed: int = 1, talk: bool = False
) -> Tally:
    """Kill so many runs in a folder. seed: of victims and moments, which lie within the time of an undisturbed run."""
    chance = random.Random(seed)
    scenario = folder / "torture.toml"
    scenario.write_text(SCENARIO.format(game=game, players=players), encoding="utf-8")
    known = parts(scenario, folder / "parts")  # compiles the kernels, too
    began = time.monotonic()
    reference = Run("run", scenario, "--out", folder / "reference")
    reference.end()
    length_s = time.monotonic() - began
    wanted = tree(folder / "reference")
    equal = alive = untouched = 0
    damaged: list[str] = []
    faults: list[str] = []
    for turn in range(kills):
        out = folder / f"run-{turn}"
        partial = out.with_name(out.name + PARTIAL)
        words: tuple[object, ...] = ("run", scenario, "--out", out)
        said = ""
        for again in range(2 if turn % 10 < _TWICE else 1):
            victim = chance.choice(VICTIMS)
            moment_s = chance.uniform(0.0, length_s)
            if again:
                words = ("resume", partial) if (partial / START).exists() else words
                if out.exists():
                    break
            run = Run(*words)
            time.sleep(moment_s)
            children = run.kill(victim, chance)
            untouched += children is None
            alive += len(orphans(children or []))
            said = run.end()
            damaged += torn(partial, {**known, **wanted})
        if not out.exists():
            begun = (partial / START).exists() or (partial / MANIFEST).exists()
            said = Run("resume", partial).end() if begun else Run("run", scenario, "--out", out).end()
        same = out.exists() and tree(out) == wanted
        equal += same
        if not same:
            faults.append(f"{turn}: {victim} after {moment_s:.2f} s: {said}")
        if talk:
            print(f"{turn + 1:>3}  {victim:<14} at {moment_s:5.2f} s  {'equal' if same else 'NOT EQUAL'}", flush=True)
    return Tally(kills, equal, alive, len(damaged), untouched, length_s, faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="runs that are killed (default: 50)")
    parser.add_argument("--players", type=int, default=160, metavar="N", help="players of a run (default: 160)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of victims and moments (default: 1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = torture(Path(folder), chosen.kills, players=chosen.players, seed=chosen.seed, talk=True)
    print(f"an undisturbed run took {found.reference_s:.1f} s; {found.untouched} kills came too late")
    print(f"{found.equal} of {found.kills} trees equal, {found.orphans} orphans, {found.torn} torn files")
    for fault in found.faults:
        print(fault)
    return 0 if (found.equal, found.orphans, found.torn) == (found.kills, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
