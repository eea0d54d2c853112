"""Kill studies at random moments and see whether anything is lost: `python -m benchmarks.tune_torture`.

As benchmarks.torture does with runs; what is killed, and how often, is said in benchmarks.kills.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.kills import Tally, kill, tell, undisturbed
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
    scenario = folder / "torture.toml"
    scenario.write_text(SCENARIO.format(game=game), encoding="utf-8")
    words = ("tune", scenario, "--budget", budget, "--method", method)
    undisturbed(words, folder / "first")  # compiles the kernels
    reference = undisturbed(words, folder / "reference")
    journal = (reference.folder / JOURNAL).read_bytes()
    return kill(words, kills, reference, lambda partial: torn(partial, journal), kind="study", seed=seed, talk=talk)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="studies that are killed (default: 20)")
    parser.add_argument("--budget", type=int, default=200_000, metavar="N", help="attempts (default: 200,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of victims and moments (default: 1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return tell(torture(Path(folder), chosen.kills, budget=chosen.budget, seed=chosen.seed, talk=True))


if __name__ == "__main__":
    sys.exit(main())
