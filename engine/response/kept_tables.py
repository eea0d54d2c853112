"""Tables that are kept between processes in the cache folder, by the content of all they depend on."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.user_files.cache_folder import cache_folder, prune

Numbers = npt.NDArray[np.float64]


def kept_file(key: str) -> Path:
    """Where the tables of a key are kept. key: hex digits."""
    return cache_folder() / f"map-{key}.npz"


def read_tables(key: str, names: Sequence[str], shape: tuple[int, ...]) -> dict[str, Numbers] | None:
    """The tables kept under a key, all of one shape; None where there are none, or none that are whole."""
    try:
        # From memory: numpy leaves a file open that is no whole archive.
        with np.load(io.BytesIO(kept_file(key).read_bytes()), allow_pickle=False) as found:
            tables = {name: found[name] for name in names}
    except Exception:  # noqa: BLE001 - reading a damaged or foreign file may raise anything; it is made again
        return None
    sound = all(t.dtype == np.float64 and t.shape == shape and np.isfinite(t).all() for t in tables.values())
    return tables if sound else None


def keep_tables(key: str, tables: dict[str, Numbers]) -> None:
    """Keep tables under a key: whole or not at all. A full disk costs the same work next time, nothing else."""
    file = kept_file(key)
    whole = io.BytesIO()
    np.savez(whole, **tables)  # type: ignore[arg-type] # mypy takes the names for numpy's own options
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".map-")
        try:
            with os.fdopen(handle, "wb") as part:
                part.write(whole.getvalue())
            os.replace(name, file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        prune(file.parent, "map-*.npz")
