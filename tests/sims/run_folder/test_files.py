"""Files that get their name when they are whole, on systems that make it hard."""

from __future__ import annotations

import errno
import os
import time

import pytest

from engine.errors import EnvironmentFault
from sims.run_folder.files import file_fault, replace, sync_folder, write_file


@pytest.fixture
def held(monkeypatch):
    """Let a file be held by somebody for so many tries; gives how long was waited, in seconds."""
    pauses: list[float] = []
    real = os.replace

    def arrange(system: str, tries: int) -> list[float]:
        left = tries

        def holding(source, target):
            nonlocal left
            left -= 1
            if left >= 0:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
            real(source, target)

        monkeypatch.setattr(os, "name", system)
        monkeypatch.setattr(os, "replace", holding)
        monkeypatch.setattr(time, "sleep", pauses.append)
        return pauses

    yield arrange
    monkeypatch.undo()


def test_where_an_open_file_cannot_be_replaced_it_is_tried_for_half_a_second(tmp_path, held):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    pauses = held("nt", 9)
    replace(source, target)
    assert pauses == [0.05] * 9
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(("system", "tries", "pauses"), [("nt", 10, 9), ("posix", 1, 0)])
def test_what_is_held_longer_or_is_no_permission_is_raised(tmp_path, held, system, tries, pauses):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"new")
    waited = held(system, tries)
    with pytest.raises(PermissionError):
        replace(source, target)
    assert len(waited) == pauses
    assert not target.exists()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folders_is_good_enough(tmp_path, monkeypatch, number):
    tried = []

    def fsync(handle):
        tried.append(os.fstat(handle).st_ino)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    sync_folder(tmp_path)
    assert tried == [tmp_path.stat().st_ino]


def test_a_folder_that_cannot_be_synced_is_named(tmp_path, monkeypatch):
    def fsync(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    write_file(tmp_path / "a", b"b")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error") as caught:
        sync_folder(tmp_path)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (OSError(errno.EIO, "Input/output error", "a"), "a: Input/output error."),
        (OSError(errno.EFBIG, "File too large", "a"), "a: File too large; make room and try again."),
        (OSError("no number"), "no number."),
    ],
)
def test_a_fault_of_the_disk_is_one_sentence(fault, sentence):
    found = file_fault(fault)
    assert isinstance(found, EnvironmentFault)
    assert str(found) == sentence
