"""One process at a time in a folder, also while its file `lock` has gone and the folder waits for its final name.

A lock is one of an open file, so a second one in this process is as good as one in another.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.run_folder import folder as run_folder
from sims.run_folder.folder import PARTIAL, begin
from sims.run_folder.lock import FolderLock
from sims.runs.execution import start_of_run
from tests.kit.small import scenario, setup

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders are locked on POSIX systems")

GONE = "another process has just finished or removed "


@pytest.fixture
def folder(tmp_path) -> Path:
    place: Path = tmp_path / "folder"
    place.mkdir()
    return place


@pytest.fixture
def locking(monkeypatch) -> Callable[[Callable[[int], None]], None]:
    """Let something happen right before a lock is asked for; it may raise what a file system would."""
    import fcntl

    real = fcntl.flock

    def arrange(happen: Callable[[int], None]) -> None:
        def flock(handle: int, how: int) -> None:
            happen(handle)
            real(handle, how)

        monkeypatch.setattr(fcntl, "flock", flock)

    return arrange


def is_folder(handle: int) -> bool:
    return stat.S_ISDIR(os.fstat(handle).st_mode)


def no_folder_locks(handle: int) -> None:
    if is_folder(handle):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def test_the_second_one_is_told_who_has_it_until_it_is_released(folder):
    first = FolderLock(folder)
    with pytest.raises(RunFolderError, match=rf"is in use by process {os.getpid()} on .+; wait until it ends, or stop"):
        FolderLock(folder)
    first.release()
    first.release()
    FolderLock(folder).release()


def test_nobody_gets_in_or_leaves_a_file_where_the_lock_was_removed(folder):
    first = FolderLock(folder)
    first.remove()
    with pytest.raises(RunFolderError, match="is in use by another process"):
        FolderLock(folder)
    assert list(folder.iterdir()) == []
    final = folder.rename(folder.with_name("final"))
    with pytest.raises(RunFolderError, match=GONE):
        FolderLock(folder)
    with pytest.raises(RunFolderError, match="is in use by another process"):
        FolderLock(final)
    assert list(final.iterdir()) == []
    first.release()
    FolderLock(final).release()


@pytest.mark.parametrize("end", [lambda folder: folder.rename(folder.with_name("final")), Path.rmdir])
def test_a_folder_that_went_while_it_was_locked_is_not_the_one_that_was_meant(folder, locking, end):
    def go(handle: int) -> None:
        if folder.exists():
            end(folder)

    locking(go)
    with pytest.raises(RunFolderError, match=GONE):
        FolderLock(folder)
    assert [list(path.iterdir()) for path in folder.parent.iterdir()] in ([[]], [])


def test_where_folders_cannot_be_locked_the_file_keeps_others_out(folder, locking):
    locking(no_folder_locks)
    first = FolderLock(folder)
    with pytest.raises(RunFolderError, match=f"is in use by process {os.getpid()} on "):
        FolderLock(folder)
    first.release()
    FolderLock(folder).release()


@pytest.mark.parametrize("again", [False, True])
def test_there_a_lock_that_was_removed_meanwhile_is_none(folder, locking, again):
    """Its holder has published the folder; another may have begun a new one of that name."""

    def go(handle: int) -> None:
        no_folder_locks(handle)
        (folder / FolderLock.NAME).unlink()
        if again:
            (folder / FolderLock.NAME).touch()

    locking(go)
    with pytest.raises(RunFolderError, match=GONE):
        FolderLock(folder)


def test_a_file_system_without_locks_is_the_environments_fault(folder, locking):
    def go(handle: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    locking(go)
    with pytest.raises(OSError, match="No locks available") as fault:
        FolderLock(folder)
    assert fault.value.filename == str(folder / FolderLock.NAME)


def test_what_was_published_meanwhile_is_not_begun_again(tmp_path, monkeypatch):
    """Another run of that name ends after the name was found to be free, and before the lock was had."""

    class Late(FolderLock):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            (tmp_path / "run").mkdir()

    monkeypatch.setattr(run_folder, "FolderLock", Late)
    with pytest.raises(RunFolderError, match="run already exists; choose another --out"):
        begin(tmp_path / "run", start_of_run(scenario(), setup(), "csv", "run"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_can_neither_be_begun_nor_resumed_is_to_be_removed(tmp_path):
    partial = tmp_path / f"run{PARTIAL}"
    partial.mkdir()
    for name in (FolderLock.NAME, "attempts.csv"):
        (partial / name).touch()
    with pytest.raises(RunFolderError, match="holds an unfinished run; remove it"):
        begin(tmp_path / "run", start_of_run(scenario(), setup(), "csv", "run"))
