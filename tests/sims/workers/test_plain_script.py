"""A plain script plays with two workers and runs once: with a guard or without, from stdin, in a notebook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from sims.run_folder.folder import MANIFEST, PARTIAL, REPORT
from tests.kit.places import ROOT
from tests.kit.small import TEXT

PLAYERS = 40
LIMIT_S = 600  # for a cold cache on a busy machine; a worker that runs the script again used to take 15 s and fail

COUNT = """
with open("starts.txt", "a") as file:
    file.write("started\\n")
"""
PLAY = """
from sims import load_scenario, run

run(load_scenario("small.toml"), out="played", workers=2)
"""
UNGUARDED = COUNT + PLAY
GUARDED = f'{COUNT}\nif __name__ == "__main__":\n{textwrap.indent(PLAY, "    ")}'
# In a process of its own, so that warnings of Jupyter are no errors here.
NOTEBOOK = """
import sys
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

cells = [new_code_cell(source) for source in sys.stdin.read().split("# next cell")]
NotebookClient(new_notebook(cells=cells), timeout=float(sys.argv[1]), kernel_name="python3").execute()
"""


def write_scenario(place: Path, controller: str) -> None:
    text = TEXT.format(game="logistic", controller=controller, players=PLAYERS, attempts=20)
    (place / "small.toml").write_text(text)


def install_cooling_steps(place: Path) -> None:
    """Put a third-party controller into a folder, with the entry point of an installed distribution."""
    shutil.copy(ROOT / "docs" / "examples" / "cooling_steps.py", place)
    info = place / "cooling_steps-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cooling-steps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowdial.controllers]\ncooling_steps = cooling_steps:CONTROLLER\n")


def python(place: Path, *words: str, source: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder as a user does, with the packages on its path and no settings of the user's Jupyter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(place / ".ipython")}
    environment |= {"JUPYTER_CONFIG_DIR": str(place / ".jupyter"), "JUPYTER_RUNTIME_DIR": str(place / ".jupyter")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=place,
        env=environment,
        input=source,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def assert_played_once(place: Path, done: subprocess.CompletedProcess[str]) -> None:
    """There is a whole run folder, and the script was started once."""
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (place / "starts.txt").read_text() == "started\n"
    manifest = json.loads((place / "played" / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["workers"] == 2
    with open(place / "played" / "players.csv", encoding="utf-8") as file:
        assert len(file.readlines()) == 1 + PLAYERS
    assert (place / "played" / REPORT).is_file()
    assert not (place / f"played{PARTIAL}").exists()


def test_an_unguarded_script_runs_once(tmp_path):
    write_scenario(tmp_path, "constant")
    (tmp_path / "script.py").write_text(UNGUARDED)
    assert_played_once(tmp_path, python(tmp_path, "script.py"))


def test_a_guarded_script_runs_once_and_workers_find_a_plugin_beside_it(tmp_path):
    """The first entry of the caller's sys.path is the folder of the script; workers have it too."""
    tools = tmp_path / "tools"
    tools.mkdir()
    install_cooling_steps(tools)
    write_scenario(tmp_path, "cooling_steps")
    (tools / "script.py").write_text(GUARDED)
    assert_played_once(tmp_path, python(tmp_path, "tools/script.py"))


def test_a_script_from_stdin_runs_once_and_workers_find_a_plugin_in_its_folder(tmp_path):
    """The first entry of the caller's sys.path is empty: the current folder."""
    install_cooling_steps(tmp_path)
    write_scenario(tmp_path, "cooling_steps")
    assert_played_once(tmp_path, python(tmp_path, "-", source=UNGUARDED))


def test_a_notebook_runs_each_cell_once(tmp_path):
    write_scenario(tmp_path, "constant")
    cells = f"{COUNT}# next cell{PLAY}"
    assert_played_once(tmp_path, python(tmp_path, "-c", NOTEBOOK, str(LIMIT_S), source=cells))
