"""The folder of a run: what two starts differ in, and names that are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.run_folder.folder import CHUNKS, PARTIAL, Start, begin, folder_state, take_up

START = Start(
    format_version=1,
    flowdial_version="1.0",
    name="small",
    scenario="seed = 1\ntitle = 2\n",
    scenario_digest="aa",
    format="csv",
    code={"game": "bb"},
    versions={"numpy": "2.4"},
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"name": "other", "format": "parquet"}, None),  # what a start is called is nobody's business
        ({"format_version": 2}, "format_version was 1 and is 2"),
        ({"flowdial_version": "1.1", "versions": {}}, "flowdial_version was 1.0 and is 1.1"),
        ({"scenario": "seed = 2\ntitle = 2\n"}, "scenario.toml line 1 was 'seed = 1' and is 'seed = 2'"),
        ({"scenario": "seed = 1\n"}, "scenario.toml line 2 was 'title = 2' and is 'nothing'"),
        ({"scenario": "seed = 1\n\ttitle = 2\n"}, "the line ends or blanks of scenario.toml have changed"),
        ({"scenario_digest": "ab"}, "the fingerprint of the scenario was aa and is ab"),
        ({"study": {"method": "random"}}, "method was not there and is random"),
        ({"versions": {"numpy": "2.4", "optuna": "5"}}, "optuna was not there and is 5"),
        ({"versions": {}}, "numpy was 2.4 and is not there"),
        ({"code": {"game": "bc"}}, "the code of the game was bb and is bc"),
    ],
)
def test_the_first_thing_in_which_two_starts_differ_is_told(change, words):
    assert START.difference(replace(START, **change)) == words


def test_a_name_that_is_taken_meanwhile_is_not_written_over(tmp_path):
    folder = begin(tmp_path / "run", START)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").touch()
    with pytest.raises(RunFolderError, match=r"run already exists; move it away and resume .*run\.partial"):
        folder.publish()
    folder.close()
    assert folder.chunks.is_dir(), "nothing was removed"
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    again = take_up(tmp_path / "run")
    assert again.publish() == tmp_path / "run"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["scenario.toml"]


def test_two_runs_that_start_at_the_same_moment_get_numbers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    real = Path.glob

    def late(self, pattern):
        """The other one makes its folder after this one has looked, and before it makes its own."""
        found = list(real(self, pattern))
        if pattern == "small-*":
            (self / f"small-001{PARTIAL}").mkdir()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Path, "glob", late)
        folder = begin(None, START)
    assert folder.path == Path("runs", f"small-002{PARTIAL}")
    folder.abandon()
    assert [path.name for path in Path("runs").iterdir()] == [f"small-001{PARTIAL}"]


def test_what_is_abandoned_is_gone_with_all_that_is_in_it(tmp_path):
    folder = begin(tmp_path / "run", START)
    (folder.chunks / "deep").mkdir()
    (folder.path / "crash.log").touch()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letter.txt").touch()
    (folder.path / "link").symlink_to(tmp_path / "precious")
    folder.abandon()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["letter.txt", "precious"]
    assert CHUNKS not in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (None, "absent"),
        ((), "unbegun"),
        (("lock", "chunks/", "scenario.toml", ".start.json.7.tmp"), "unbegun"),
        (("lock", "chunks/", "chunks/000000.csv"), "broken"),
        (("lock", "notes.txt"), "broken"),
        (("letter.txt",), "foreign"),
        (("lock", "start.json"), "begun"),
        (("manifest.json",), "begun"),
    ],
)
def test_a_working_folder_is_in_one_of_five_states(tmp_path, names, state):
    folder = tmp_path / "run.partial"
    if names is not None:
        folder.mkdir()
    for name in names or ():
        (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()
    assert folder_state(folder) == state
