"""Kill studies at random moments and see whether anything is lost: `python -m benchmarks.tune_torture`.

As benchmarks.torture does with runs: main process, process group or a worker, three in ten killed again while they are
resumed; then resumed to the end and compared, file by file, with a study that nobody disturbed. Linux only.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.torture import VICTIMS, Run, Tally, orphans
from sims.files import content_of
from sims.run_folder import MANIFEST, PARTIAL, START, read_manifest
from sims.tuning.tell_journal import NAME as JOURNAL

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
tolerance = 0.05
[players]
count = 10
[[cohort]]
name = "new"
share = 0.5
[cohort.traits]
skill = {{ kind = "normal", mean = -0.5, sd = 0.5 }}
[[cohort]]
name = "old"
share = 0.5
[cohort.traits]
skill = {{ kind = "normal", mean = 0.5, sd = 0.5 }}
[horizon]
days = 20
attempts_per_player = 100
"""
_TWICE: Final = 3  # of ten


def tree(folder: Path) -> dict[str, str]:
    """Hashes of all files; of the manifest, what does not tell of the clock."""
    found = {path.name: content_of(path).sha256 for path in folder.iterdir() if path.name != MANIFEST}
    manifest = read_manifest(folder, "study")
    return {**found, MANIFEST: json.dumps([manifest["files"], manifest["attempts"], manifest["study"]])}


def torn(partial: Path, journal: bytes) -> bool:
    """Whether what is in an unfinished journal, up to its last whole line, is not how the undisturbed one begins."""
    path = partial / JOURNAL
    data = path.read_bytes() if path.is_file() else b""
    return not journal.startswith(data[: data.rfind(b"\n") + 1])


def torture(
    folder: Path, kills: int, *, budget: int, game: str = "gap_runner", method: str = "pooled", seed: int = 1,
    talk: bool = False,
) -> Tally:  # fmt: skip
    """Kill so many studies in a folder. seed: of victims and moments, which lie within an undisturbed study."""
    chance = random.Random(seed)
    scenario = folder / "torture.toml"
    scenario.write_text(SCENARIO.format(game=game), encoding="utf-8")
    asked = ("tune", scenario, "--budget", budget, "--method", method)
    Run(*asked, "--out", folder / "first").end()  # compiles the kernels, too
    began = time.monotonic()
    said = Run(*asked, "--out", folder / "reference").end()
    length_s = time.monotonic() - began
    if not (folder / "reference").is_dir():
        raise RuntimeError(f"the undisturbed study has failed: {said}")
    wanted = tree(folder / "reference")
    journal = (folder / "reference" / JOURNAL).read_bytes()
    equal = alive = damaged = untouched = 0
    faults: list[str] = []
    for turn in range(kills):
        out = folder / f"study-{turn}"
        partial = out.with_name(out.name + PARTIAL)
        said = ""
        for again in range(2 if turn % 10 < _TWICE else 1):
            if again and out.exists():
                break
            victim = chance.choice(VICTIMS)
            moment_s = chance.uniform(0.0, length_s)
            begun = (partial / START).exists()
            run = Run("resume", partial) if begun else Run(*asked, "--out", out)
            time.sleep(moment_s)
            children = run.kill(victim, chance)
            untouched += children is None
            alive += len(orphans(children or []))
            said = run.end()
            damaged += torn(partial, journal)
        if not out.exists():
            begun = (partial / START).exists() or (partial / MANIFEST).exists()
            said = (Run("resume", partial) if begun else Run(*asked, "--out", out)).end()
        same = out.exists() and tree(out) == wanted
        equal += same
        if not same:
            faults.append(f"{turn}: {victim} after {moment_s:.2f} s: {said}")
        if talk:
            print(f"{turn + 1:>3}  {victim:<14} at {moment_s:5.2f} s  {'equal' if same else 'NOT EQUAL'}", flush=True)
    return Tally(kills, equal, alive, damaged, untouched, length_s, faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="studies that are killed (default: 20)")
    parser.add_argument("--budget", type=int, default=200_000, metavar="N", help="attempts (default: 200,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of victims and moments (default: 1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = torture(Path(folder), chosen.kills, budget=chosen.budget, seed=chosen.seed, talk=True)
    print(f"an undisturbed study took {found.reference_s:.1f} s; {found.untouched} kills came too late")
    print(f"{found.equal} of {found.kills} studies equal, {found.orphans} orphans, {found.torn} torn journals")
    for fault in found.faults:
        print(fault)
    return 0 if (found.equal, found.orphans, found.torn) == (found.kills, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
