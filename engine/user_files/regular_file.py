"""Reading files of a folder that another person may have made: regular files only, of a bounded size, without waiting.

A pipe would block for ever, a device never ends, and a link may lead to any file of the user.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from engine.errors import RunFolderError

LARGEST_TEXT: Final = 64 << 20  # bytes of a file that is read at once
_LARGEST_GROUP: Final = 1 << 22  # rows of a Parquet row group; pandas writes a million
_LARGEST_CELL: Final = 1 << 10  # bytes of a cell on average
_KINDS: Final = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read its bytes. A file that a link leads to is not opened.

    Args:
        path: the file; only its last name must not be a link.

    Returns:
        The open file.

    Raises:
        RunFolderError: if the path is no regular file.
        OSError: if there is none, or it cannot be read.
    """
    _check_kind(path, os.lstat(path).st_mode)
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    try:
        _check_kind(path, os.fstat(file.fileno()).st_mode)  # it may be another one by now
    except BaseException:
        file.close()
        raise
    return file


def _without_waiting(name: str, flags: int) -> int:
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        flags |= getattr(os, flag, 0)
    return os.open(name, flags)


def _check_kind(path: Path, mode: int) -> None:
    kind = next((words for of_kind, words in _KINDS if of_kind(mode)), None)
    if kind is not None:
        raise RunFolderError(f"{path} must be a regular file, got {kind}; put the file there, or remove it.")


def read_regular(path: Path, most: int = LARGEST_TEXT) -> bytes:
    """Read a whole file, see `open_regular`.

    Args:
        path: the file.
        most: bytes that it may have.

    Returns:
        Its bytes.

    Raises:
        RunFolderError: if it is no regular file, or larger.
        OSError: if there is none, or it cannot be read.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise RunFolderError(f"{path} may have at most {most >> 20} MB, but it has more; it is not a file of a run.")
    return data


@contextlib.contextmanager
def open_parquet(path: Path, **options: Any) -> Iterator[Any]:
    """Open a Parquet file whose rows fit into memory group by group.

    Args:
        path: the file, see `open_regular`.
        **options: those of pyarrow.parquet.ParquetFile.

    Yields:
        The pyarrow.parquet.ParquetFile.

    Raises:
        RunFolderError: if the file is no regular one, or a row group would become too large when it is unpacked.
        OSError: on I/O errors, and for what is no Parquet file (ArrowException is of this class or of ValueError).
    """
    from pyarrow import parquet

    with open_regular(path) as source, parquet.ParquetFile(source, **options) as file:
        for i in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(i)
            most = max(group.num_rows, 1) * max(group.num_columns, 1) * _LARGEST_CELL
            if group.num_rows > _LARGEST_GROUP or group.total_byte_size > most:
                raise RunFolderError(f"{path} would become too large when it is read; it is not a table of a run.")
        yield file
