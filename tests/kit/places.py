"""Where the repository and the recorded files of the tests are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests"
SCENARIOS: Final = TESTS / "scenarios"
OLD_RUNS: Final = TESTS / "old_runs"
PLAYTHROUGHS: Final = TESTS / "playthroughs"
PICTURES: Final = TESTS / "pictures"
GOLDENS: Final = TESTS / "goldens"
