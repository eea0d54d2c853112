"""New folders: by a name that is free, or by the next number."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.run_folder import new_folder as module
from sims.run_folder.folder import PARTIAL
from sims.run_folder.new_folder import check_new, new_folder, numbered_folder

EXISTS = "already exists; choose another --out or remove it\\.$"


def test_a_folder_is_made_with_those_that_it_lies_in(tmp_path):
    path = tmp_path / "a" / "b"
    check_new(path)
    assert new_folder(path) == path
    assert path.is_dir()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_name_that_is_taken_is_refused(tmp_path, kind):
    path = tmp_path / "taken"
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch()
    else:
        path.symlink_to(tmp_path / "nothing")
    for make in (check_new, new_folder):
        with pytest.raises(RunFolderError, match=f"taken {EXISTS}"):
            make(path)


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ((), "small-001"),
        (("small-001",), "small-002"),
        (("small-007", "small-003"), "small-008"),
        (("small-001.partial",), "small-002"),
        (("small-x", "small-\u0663", "smaller-009", "small-009-b"), "small-001"),
        (("small-999",), "small-1000"),
    ],
)
def test_the_number_is_the_first_after_all_that_are_taken(tmp_path, taken, name):
    for one in taken:
        (tmp_path / "runs" / one).mkdir(parents=True)
    assert numbered_folder(tmp_path / "runs", "small", PARTIAL) == tmp_path / "runs" / f"{name}{PARTIAL}"


def test_numbers_that_are_used_up_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_LARGEST", 5)
    Path("runs", "small-004").mkdir(parents=True)
    assert numbered_folder(Path("runs"), "small") == Path("runs", "small-005")
    with pytest.raises(RunFolderError, match="runs holds too many folders of small; move some away"):
        numbered_folder(Path("runs"), "small")
