"""A file of plays as a table of texts: CSV, with or without gzip, or Parquet."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.errors import ScenarioError
from engine.scenario_file.scenario_faults import printable
from sims.calibration.play_files.delimited_text import read_delimited

STDIN: Final = "-"
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_LONGEST_NAME: Final = 100  # characters of a file's name that are said
_LARGEST: Final = 4 << 30  # bytes of a file, unpacked


@dataclass
class PlayFile:
    """Columns of text, and the number that each row has in the file."""

    name: str  # for messages, without the folder
    columns: dict[str, Any]  # name -> pyarrow array of texts
    numbers: npt.NDArray[np.int64]  # of the rows: of the line in a text file, the header being 1
    ragged: list[tuple[int, str]] = field(default_factory=list)  # rows with too few or too many cells, and what came

    @property
    def rows(self) -> int:
        return len(self.numbers)


def read_play_file(path: Path | str) -> PlayFile:
    """Read a file of plays.

    Args:
        path: the file; "-" for standard input.

    Raises:
        ScenarioError: it is empty, damaged, or no table of text.
        OSError: it cannot be read.
    """
    name = "standard input" if str(path) == STDIN else printable(Path(path).name)[:_LONGEST_NAME]
    data = _read(path)
    if len(data) > _LARGEST:
        raise ScenarioError(f"{name} may have at most {_LARGEST >> 30} GB; give a part of it.")
    if data.startswith(_GZIP):
        data = _unpacked(data, name)
    if not data.strip():
        raise ScenarioError(f"{name} must hold a header and rows, but it is empty.")
    return PlayFile(name, *(_parquet(data, name) if data.startswith(_PARQUET) else read_delimited(data, name)))


def _read(path: Path | str) -> bytes:
    """At most one byte more than a file may have: a device would never end."""
    if str(path) != STDIN:
        with open(path, "rb") as file:
            return file.read(_LARGEST + 1)
    if sys.stdin is None:
        raise ScenarioError("standard input must be open, but it is closed; name a file.")
    return sys.stdin.buffer.read(_LARGEST + 1)


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            found = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as fault:
        raise ScenarioError(f"{name} must be whole, but its gzip data is damaged: {fault}.") from None
    if len(found) > _LARGEST:
        raise ScenarioError(f"{name} may have at most {_LARGEST >> 30} GB when it is unpacked; give a part of it.")
    return found


def _parquet(data: bytes, name: str) -> tuple[dict[str, Any], npt.NDArray[np.int64]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(io.BytesIO(data)) as opened:
            groups = [opened.metadata.row_group(i) for i in range(opened.metadata.num_row_groups)]
            if sum(group.total_byte_size for group in groups) > _LARGEST:
                raise ValueError(f"it has more than {_LARGEST >> 30} GB when it is unpacked")
            texts = [field.name for field in opened.schema_arrow if pa.types.is_string(field.type)]
        table = parquet.read_table(io.BytesIO(data), read_dictionary=texts)  # a text may stand in every row
        columns = {printable(name): _texts(table.column(name)) for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise ScenarioError(f"{name} cannot be read as Parquet: {' '.join(str(fault).split())[:200]}.") from None
    return columns, np.arange(1, table.num_rows + 1)


def _texts(column: Any) -> Any:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.array([""] * len(column), pa.string())
    if pa.types.is_dictionary(column.type):
        texts = [one.dictionary.cast(pa.string()) for one in column.chunks]
        lengths = [compute.max(compute.binary_length(one)).as_py() for one in texts]
        if max((length or 0 for length in lengths), default=0) * len(column) > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST >> 30} GB when it is unpacked")
        column = column.cast(column.type.value_type)
    return compute.fill_null(column.cast(pa.string()), "").combine_chunks()
