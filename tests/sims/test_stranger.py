"""One file from somebody else is enough: a game and a controller that are found by entry point, run and verified.

They are the examples of the docs, so this is also what the guides of their authors promise.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.kit.places import ROOT

pytestmark = pytest.mark.thorough

DOCS = ROOT / "docs"


def blocks(page: str, language: str) -> list[str]:
    """The code of one language in a page of the docs."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("stranger")
    for page, name in (("game_authors_guide.md", "coin_river"), ("controller_authors_guide.md", "cooling_steps")):
        shutil.copy(DOCS / "examples" / f"{name}.py", place)
        project = tomllib.loads(blocks(page, "toml")[0])["project"]
        info = place / f"{name}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        ((group, points),) = project["entry-points"].items()
        (info / "entry_points.txt").write_text(
            "\n".join([f"[{group}]", *(f"{k} = {v}" for k, v in points.items()), ""])
        )
    (place / "river.toml").write_text(
        blocks("game_authors_guide.md", "toml")[1] + 'controller.name = "cooling_steps"\n'
    )
    return place


def flowdial(place, *words, code=0):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(place)])}
    done = subprocess.run(
        [sys.executable, *words], cwd=place, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_they_are_listed_with_their_origin(place):
    found = json.loads(flowdial(place, "-m", "sims", "list", "--json"))
    origins = {entry["name"]: entry["origin"] for entry in [*found["games"], *found["controllers"]]}
    assert (origins["coin_river"], origins["cooling_steps"]) == ("coin-river 1.0", "cooling-steps 1.0")


def test_they_run_with_two_workers_hold_the_target_and_their_rows_replay(place):
    found = json.loads(flowdial(place, "-m", "sims", "run", "river.toml", "--workers", "2", "--out", "run", "--json"))
    assert found["attempts"] > 2000
    assert [row["state"] for row in found["rows"]] == ["in band"]
    said = flowdial(place, "-m", "sims", "verify", "run", "--rows", "300")
    assert "300 of 300" in said


def test_the_contract_suites_of_the_guides_find_nothing_and_then_what_is_wrong(place):
    (game,) = blocks("game_authors_guide.md", "python")
    (controller,) = blocks("controller_authors_guide.md", "python")
    broken = "import dataclasses\nprint(check_game(dataclasses.replace(GAME, causes=())))\n"
    (place / "ask.py").write_text(game + controller + broken)
    *whole, told = flowdial(place, "ask.py").splitlines()
    assert whole == ["[]", "[]"]
    assert "cause" in told
