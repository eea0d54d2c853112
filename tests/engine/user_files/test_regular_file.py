"""Only regular files of a bounded size are read, and nothing waits for a pipe or follows a link."""

from __future__ import annotations

import os
import socket

import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.errors import RunFolderError
from engine.user_files.regular_file import open_parquet, open_regular, read_regular

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes, sockets and links of POSIX")


def link(path):
    path.symlink_to("/etc/hostname")


def device(path):
    path.symlink_to("/dev/zero")


def sock(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


@pytest.mark.parametrize(
    ("make", "words"),
    [(link, "a link"), (device, "a link"), (os.mkfifo, "a pipe"), (os.mkdir, "a folder"), (sock, "a socket")],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, monkeypatch, make, words):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "players.csv")
    for read in (open_regular, read_regular):
        with pytest.raises(RunFolderError, match=f"must be a regular file, got {words}"):
            read(tmp_path / "players.csv")
    with pytest.raises(RunFolderError), open_parquet(tmp_path / "players.csv"):
        pass


def test_a_device_itself_is_refused():
    from pathlib import Path

    with pytest.raises(RunFolderError, match="got a device"):
        read_regular(Path("/dev/zero"))


def test_a_large_file_is_refused_and_one_of_the_allowed_size_read(tmp_path):
    file = tmp_path / "manifest.json"
    file.write_bytes(b"x" * (2 << 20))
    assert len(read_regular(file, 2 << 20)) == 2 << 20
    file.write_bytes(b"x" * ((2 << 20) + 1))
    with pytest.raises(RunFolderError, match="may have at most 2 MB"):
        read_regular(file, 2 << 20)


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


def test_a_small_parquet_file_that_unpacks_to_gigabytes_is_refused(tmp_path):
    file = tmp_path / "attempts.parquet"
    parquet.write_table(
        pa.table({"a": pa.array(["x" * (1 << 20)] * 64)}), file, compression="zstd", use_dictionary=False
    )
    assert file.stat().st_size < 1 << 20
    with pytest.raises(RunFolderError, match="would become too large"), open_parquet(file):
        pass
    parquet.write_table(pa.table({"a": [1, 2, 3]}), file)
    with open_parquet(file) as opened:
        assert opened.read().num_rows == 3
