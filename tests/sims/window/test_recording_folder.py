"""The folder of a sitting: its name, and lines that the disk has or has not, but never in part."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.errors import EnvironmentFault, RunFolderError
from sims.window.recording_folder import append, begin_recording, discard
from tests.kit.faulty_disk import BROKEN, FaultyDisk
from tests.kit.small import scenario


def test_folders_without_a_name_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [begin_recording(None, "x", scenario()) for _ in range(2)] == [Path("runs/x-001"), Path("runs/x-002")]


def test_a_folder_that_is_there_is_refused_and_one_that_cannot_be_made_is_one_line(tmp_path):
    begin_recording(tmp_path / "a" / "sitting", "x", scenario())
    with pytest.raises(RunFolderError, match="sitting already exists; choose another --out or remove it"):
        begin_recording(tmp_path / "a" / "sitting", "x", scenario())
    disk = FaultyDisk(tmp_path, 1, BROKEN)
    with disk.active(), pytest.raises(EnvironmentFault, match=r"other: Input/output error\."):
        begin_recording(tmp_path / "other", "x", scenario())


def test_only_a_folder_in_which_nothing_was_played_is_discarded(tmp_path):
    folder = begin_recording(tmp_path / "sitting", "x", scenario())
    (folder / "attempts.csv").touch()
    discard(folder)
    assert folder.is_dir()
    (folder / "attempts.csv").unlink()
    discard(folder)
    assert not folder.exists()


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_cannot_be_appended_whole_is_not_there_at_all(tmp_path, monkeypatch, call):
    path = tmp_path / "attempts.csv"
    path.write_bytes(b"first\n")
    disk = FaultyDisk(tmp_path, {"write": 2, "fsync": 3}[call], BROKEN)
    with disk.active():
        file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed below
        with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
            append(file, b"second\n")
        assert any(one.startswith(call) for one in disk.calls[-2:]), "the one that went wrong, and perhaps the cutting"
        assert caught.value.filename == str(path)
        assert path.read_bytes() == b"first\n"
        append(file, b"third\n")
        file.close()
    assert path.read_bytes() == b"first\nthird\n"
