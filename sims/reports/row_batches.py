"""A run's tables as arrays, a record batch at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.record import Column, Kind
from engine.user_files.regular_file import open_parquet
from sims.run_folder.saved_csv import csv_head, open_csv

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_BATCH: Final = 65_536  # rows
_CSV_BLOCK: Final = 1 << 20  # bytes: with four times that, the rows of a long run take 120 MiB more
_REPLICA_SHIFT: Final = 30  # a player's number is below 2**30
_DECIMALS: Final = frozenset({"difficulty", "progress", "trait_skill"})
_TYPES: Final = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "double": np.float64}
_KINDS: Final[Mapping[str, Kind]] = {"int64": "integer", "double": "number"}
_WORDS: Final = frozenset({"cohort", "left", "outcome", "cause"})


class BatchArrays:
    """A record batch as arrays; cohorts as places in the manifest's list."""

    def __init__(self, batch: Any, cohorts: Sequence[str]) -> None:
        self._batch = batch
        words, codes = self.words("cohort")
        self.cohort = np.array([cohorts.index(word) for word in words], np.int64)[codes]

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def numbers(self, name: str) -> Any:
        """A column of numbers; NaN where there is none."""
        return _array(self._batch.column(name), math.nan)

    def words(self, name: str) -> tuple[list[str], Integers]:
        """A column of names: the different words, and for each row the place of its word; "" where there is none."""
        import pyarrow as pa

        column = self._batch.column(name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        words = [word or "" for word in column.dictionary.to_pylist()]
        if column.indices.null_count:
            words.append("")
        return words, _array(column.indices, len(words) - 1).astype(np.int64)

    def keys(self) -> Integers:
        """Replica and player in one number, which sorts as the rows do."""
        keys: Integers = (self.numbers("replica") << _REPLICA_SHIFT) + self.numbers("player")
        return keys


def _array(column: Any, missing: float) -> Any:
    """An Arrow array of numbers as a numpy array, from its buffers: Arrow's own way imports pandas, for half a second.

    missing: stands for a null.
    """
    valid, data = column.buffers()
    here = slice(column.offset, column.offset + len(column))
    values = np.frombuffer(data, _TYPES[str(column.type)])[here] if data is not None else np.zeros(0)
    if not column.null_count:
        return values
    known = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[here].astype(bool)
    return np.where(known, values, values.dtype.type(missing))


def column_types(names: Sequence[str]) -> dict[str, Any]:
    """Arrow types of CSV columns that are read."""
    import pyarrow as pa

    words = pa.dictionary(pa.int32(), pa.string())
    return {name: pa.float64() if name in _DECIMALS else words if name in _WORDS else pa.int64() for name in names}


def column_names(path: Path) -> list[str]:
    """Names of the columns of a table of attempts."""
    if path.suffix == ".parquet":
        with open_parquet(path) as opened:
            return list(opened.schema_arrow.names)
    return csv_head(path, "game").names


def batches(path: Path, names: Sequence[str], params: Mapping[str, bool], belief: str | None) -> Iterator[Any]:
    """Record batches of a table of attempts with these columns. params: column -> whether it holds names."""
    import pyarrow as pa

    chosen = [*names, *params, *([belief] if belief is not None else [])]
    if path.suffix == ".parquet":
        with open_parquet(path, pre_buffer=False) as file:  # ahead of need, it would hold the whole file
            yield from file.iter_batches(batch_size=_BATCH, columns=chosen)
        return
    from pyarrow import csv

    words = pa.dictionary(pa.int32(), pa.string())
    types = column_types(names) | {name: words if choice else pa.float64() for name, choice in params.items()}
    if belief is not None:
        types[belief] = pa.float64()
    convert = csv.ConvertOptions(include_columns=chosen, column_types=types)
    options = csv.ReadOptions(block_size=_CSV_BLOCK)
    empty = ("cause", belief)  # in which a cell may be
    columns = [Column(name, _KINDS.get(str(types[name]), "name"), "", "", optional=name in empty) for name in chosen]
    with open_csv(path, columns) as source, csv.open_csv(source, options, convert_options=convert) as reader:
        yield from reader
