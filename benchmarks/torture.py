"""Kill runs, studies or sweeps at random moments and see whether anything is lost: `python -m benchmarks.torture run`.

For studies: `tune`; for sweeps by one method: `sweep --method pbt`. benchmarks.kills says what is killed, how often.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.kills import Tally, kill, tell, tree, undisturbed
from engine.errors import RunFolderError
from engine.scenario import load, setup_of
from engine.world import chunks
from sims.catalog import Catalog
from sims.run_folder.files import content_of, read_sealed
from sims.run_folder.folder import CHUNKS, MANIFEST, START, read_manifest
from sims.run_folder.lock import FolderLock
from sims.runs.chunks import job_of, play_chunk
from sims.sweeping.sweep_files import SWEEP_JOURNAL
from sims.sweeping.sweep_request import SWEEP_METHODS
from sims.tuning.journal import NAME as JOURNAL

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
[controller]
name = "weighted_up_down"
[players]
count = {players}
[horizon]
days = 20
attempts_per_player = {attempts}
"""
COHORTS: Final = """
[[cohort]]
name = "new"
share = 0.5
[cohort.traits]
skill = { kind = "normal", mean = -0.5, sd = 0.5 }
[[cohort]]
name = "old"
share = 0.5
[cohort.traits]
skill = { kind = "normal", mean = 0.5, sd = 0.5 }
"""

SWEEP_TRIALS: Final = 60  # that the budget of a sweep pays for


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
            elif path.is_file() and path.suffix != ".tmp" and path.name != FolderLock.NAME:
                if content_of(path).sha256 != whole[path.name]:
                    found.append(str(path))
        except RunFolderError:
            found.append(str(path))
    return found


def torture_runs(
    folder: Path, kills: int, *, players: int, game: str = "tile_match", seed: int = 1, talk: bool = False
) -> Tally:
    """Kill so many runs in a folder. seed: of victims and moments, which lie within the time of an undisturbed run."""
    scenario = folder / "torture.toml"
    scenario.write_text(SCENARIO.format(game=game, players=players, attempts=8000), encoding="utf-8")
    words = ("run", scenario)
    known = parts(scenario, folder / "parts")
    undisturbed(words, folder / "first")  # compiles the kernels: moments must lie within a usual run
    reference = undisturbed(words, folder / "reference")
    known |= tree(reference.folder)
    return kill(words, kills, reference, lambda partial: len(torn(partial, known)), seed=seed, talk=talk)


def torn_journal(partial: Path, journal: bytes) -> bool:
    """Whether what is in an unfinished journal, up to its last whole line, is not how the undisturbed one begins."""
    path = partial / JOURNAL
    data = path.read_bytes() if path.is_file() else b""
    return not journal.startswith(data[: data.rfind(b"\n") + 1])


def torture_studies(
    folder: Path, kills: int, *, budget: int, game: str = "gap_runner", method: str = "pooled", seed: int = 1,
    talk: bool = False,
) -> Tally:  # fmt: skip
    """Kill so many studies in a folder. seed: of victims and moments, which lie within an undisturbed study."""
    scenario = folder / "torture.toml"
    scenario.write_text(SCENARIO.format(game=game, players=10, attempts=100) + COHORTS, encoding="utf-8")
    words = ("tune", scenario, "--budget", budget, "--method", method)
    undisturbed(words, folder / "first")  # compiles the kernels
    reference = undisturbed(words, folder / "reference")
    journal = (reference.folder / JOURNAL).read_bytes()
    return kill(
        words, kills, reference, lambda partial: torn_journal(partial, journal), kind="study", seed=seed, talk=talk
    )


def torture_sweeps(folder: Path, kills: int, *, method: str, players: int, seed: int = 1, talk: bool = False) -> Tally:
    """Kill so many sweeps in a folder. seed: of victims and moments, which lie within an undisturbed sweep."""
    words = [
        "sweep", "arena/jump", "--set", f"players.count={players}", "--set", "horizon.attempts_per_player=60",
        "--over", "controller.options.q=log:0.001:0.1", "--method", method, "--budget", SWEEP_TRIALS * 60 * players,
    ]  # fmt: skip
    undisturbed(words, folder / "first")  # compiles the kernels
    reference = undisturbed(words, folder / "reference")
    journal = (reference.folder / SWEEP_JOURNAL).read_bytes()
    return kill(
        words, kills, reference, lambda partial: torn_journal(partial, journal), kind="sweep", seed=seed, talk=talk
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("command", choices=("run", "tune", "sweep"), help="what is killed")
    parser.add_argument("--kills", type=int, metavar="N", help="how many are killed (default: 50 runs, 20 others)")
    parser.add_argument("--players", type=int, default=160, metavar="N", help="of a run or a sweep (default: 160)")
    parser.add_argument("--budget", type=int, default=200_000, metavar="N", help="of a study (default: 200,000)")
    parser.add_argument("--method", choices=SWEEP_METHODS[1:], default="pbt", help="of a sweep (default: pbt)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of victims and moments (default: 1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, seed = Path(name), chosen.seed
        if chosen.command == "run":
            return tell(torture_runs(folder, chosen.kills or 50, players=chosen.players, seed=seed, talk=True))
        if chosen.command == "sweep":
            words = {"method": chosen.method, "players": chosen.players, "seed": seed}
            return tell(torture_sweeps(folder, chosen.kills or 20, **words, talk=True))
        return tell(torture_studies(folder, chosen.kills or 20, budget=chosen.budget, seed=seed, talk=True))


if __name__ == "__main__":
    sys.exit(main())
