"""`python -m sims` and its workers run no code of the folder that they are started in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.kit.places import ROOT

LOUD = "import os\nopen(os.environ['TOUCHED'], 'a').write(__name__ + ' ')\nraise SystemExit(99)\n"
NAMES = ("click", "numpy", "numba", "engine", "games", "tomllib", "socket", "pickle", "tempfile", "sitecustomize2")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "folder"
    place.mkdir()
    for name in NAMES:
        (place / f"{name}.py").write_text(LOUD)
    shutil.copy(ROOT / "sims" / "scenarios" / "quickstart.toml", place / "mine.toml")
    return place


@pytest.mark.parametrize(
    "words",
    [
        ["check", "mine.toml"],
        pytest.param(["run", "mine.toml", "--set", "players.count=9", "--workers", "2"], marks=pytest.mark.thorough),
    ],
)
def test_nothing_of_it_runs(folder, tmp_path, words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOUCHED": str(tmp_path / "touched")}
    # The interpreter itself imports runpy and what that needs before any code of ours: those names it takes from here.
    done = subprocess.run(
        [sys.executable, "-m", "sims", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, (tmp_path / "touched").exists()) == (0, False), done.stderr


def test_the_files_would_be_heard(folder, tmp_path):
    environment = {**os.environ, "TOUCHED": str(tmp_path / "touched")}
    done = subprocess.run([sys.executable, "-c", "import click"], cwd=folder, env=environment, check=False)
    assert (done.returncode, (tmp_path / "touched").read_text()) == (99, "click ")
