"""Cached kernels lie in a place that the user named or that is the user's alone, never where others may write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.user_files.cache_folder import cache_folder, is_own_file

VARIABLES = ("FLOWDIAL_CACHE_DIR", "XDG_CACHE_HOME", "HOME")
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX modes, links and owners")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Sets the three variables of a place, the others are not set; temporary files lie in tmp_path."""

    def put(**values: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return put


def beside_temporary_files(tmp_path: Path) -> Path:
    return tmp_path / f"flowdial-kernels-{os.getuid()}"


@POSIX
def test_variables_name_the_place_in_the_order_of_xdg(places, tmp_path):
    places(FLOWDIAL_CACHE_DIR=str(tmp_path / "chosen"), XDG_CACHE_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "chosen"
    assert cache_folder().stat().st_mode & 0o077 == 0
    places(XDG_CACHE_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "xdg" / "flowdial" / "kernels"
    places(HOME=str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "me" / ".cache" / "flowdial" / "kernels"


@POSIX
@pytest.mark.parametrize("value", ["", "relative", "./relative", "~"])
def test_an_empty_or_relative_variable_counts_as_not_set(places, tmp_path, value):
    places(FLOWDIAL_CACHE_DIR=value, XDG_CACHE_HOME=value, HOME=str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "me" / ".cache" / "flowdial" / "kernels"
    places(XDG_CACHE_HOME=value, HOME=value)
    assert cache_folder() == beside_temporary_files(tmp_path)
    assert not (tmp_path / "relative").exists()


@POSIX
def test_no_home_is_needed(places, tmp_path, monkeypatch):
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    places()
    assert cache_folder() == beside_temporary_files(tmp_path)


@POSIX
def test_a_folder_that_cannot_be_made_is_replaced(places, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    places(FLOWDIAL_CACHE_DIR=str(tmp_path / "file" / "below"))
    assert cache_folder() == beside_temporary_files(tmp_path)


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702])
def test_a_folder_that_another_user_may_write_is_not_used(places, tmp_path, mode):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    places(FLOWDIAL_CACHE_DIR=str(shared))
    assert cache_folder() == beside_temporary_files(tmp_path)


@POSIX
def test_a_link_is_not_used_and_nothing_private_left_means_a_folder_of_this_process(places, tmp_path):
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    beside_temporary_files(tmp_path).symlink_to(tmp_path / "mine")
    places(FLOWDIAL_CACHE_DIR=str(tmp_path / "link"))
    folder = cache_folder()
    assert folder.parent == tmp_path
    assert folder not in (tmp_path / "mine", tmp_path / "link", beside_temporary_files(tmp_path))
    assert folder.stat().st_mode & 0o077 == 0
    assert list((tmp_path / "mine").iterdir()) == []


@POSIX
def test_the_folder_of_a_process_is_removed_when_it_ends(tmp_path):
    (tmp_path / f"flowdial-kernels-{os.getuid()}").symlink_to(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "from engine.user_files.cache_folder import cache_folder; print(cache_folder())"],
        env={**os.environ, "TMPDIR": str(tmp_path), "HOME": "", "XDG_CACHE_HOME": "", "FLOWDIAL_CACHE_DIR": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    assert folder.parent == tmp_path
    assert not folder.exists()


@POSIX
def test_a_link_and_a_folder_are_no_files_of_a_cache(tmp_path):
    file = tmp_path / "kernel.nbi"
    file.write_bytes(b"")
    (tmp_path / "link").symlink_to(file)
    assert is_own_file(file)
    assert not is_own_file(tmp_path / "link")
    assert not is_own_file(tmp_path)
    assert not is_own_file(tmp_path / "missing")
