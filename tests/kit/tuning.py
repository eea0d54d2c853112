"""A small study, for tests of its folder."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from engine.scenario import Scenario
from sims.run_folder.folder import MANIFEST, read_manifest
from sims.tuning.problem import Problem, free_knobs, load_free, problem_of
from tests.kit import small

CHEAP: Final[dict[str, Any]] = {"budget": 40_000, "method": "random", "options": 2}  # what a cheap study is asked for


@cache
def small_problem() -> Problem:
    """The problem of the small scenario: the knobs difficulty and guess, the cohorts new and old."""
    return problem_of(free_knobs(small.scenario()))


def tree(folder: Path) -> dict[str, Any]:
    """Digests of all files, and of the manifest what is not from the clock."""
    digests: dict[str, Any] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    manifest = read_manifest(folder, "study")
    digests[MANIFEST] = {name: manifest[name] for name in ("files", "attempts", "study", "segments", "code")}
    return digests


def scenario_file(folder: Path) -> Path:
    """The small scenario as a file."""
    path = folder / "small.toml"
    path.write_text(small.TEXT.format(game="logistic", controller="kalman", players=40, attempts=2000))
    return path


def freed(folder: Path, *settings: tuple[str, str], locks: tuple[str, ...] = ()) -> Scenario:
    """The scenario of that file with all knobs free but for locks."""
    return load_free(scenario_file(folder), settings, locks)
