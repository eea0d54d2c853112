"""The tables of a run as pandas DataFrames, with the types that its data package states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.errors import RunFolderError
from engine.record import Column
from engine.user_files.regular_file import open_parquet, read_regular
from sims.run_folder.data_package import column_of, read_package, resource_of
from sims.run_folder.faults_table import NAME as FAULTS_FILE
from sims.run_folder.faults_table import SHEET as FAULTS
from sims.run_folder.files import Content
from sims.run_folder.folder import PACKAGE
from sims.run_folder.saved_csv import open_csv
from sims.run_folder.sound_tables import sound_manifest

if TYPE_CHECKING:
    import pandas as pd

# Whole numbers and booleans of pandas know no missing value, so optional columns have its types that do.
_TYPES: Final = {"integer": "int64", "number": "float64", "boolean": "bool", "string": "category"}
# A run without faults has no such file.
_NO_FAULTS: Final = resource_of(FAULTS, FAULTS_FILE, Content(0, ""), 0)
_WITH_GAPS: Final = {**_TYPES, "integer": "Int64", "boolean": "boolean"}


def read_table(folder: Path, table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A table of a run, bit for bit what was written, from CSV or from Parquet.

    Args:
        folder: of a complete run.
        table: attempts, players, sessions, summary or faults.
        columns: names of the columns to read; None for all.

    Returns:
        A DataFrame with one line for each row of the table. Texts are categories.

    Raises:
        RunFolderError: the run has no such table or column, or a file is damaged or was altered.
    """
    resources = _resources(folder)
    if table not in (*resources, FAULTS.name):
        raise RunFolderError(f"{folder} has no table {table!r}; it has {', '.join(resources)}.")
    resource = resources.get(table) or _NO_FAULTS
    sound_manifest(folder, (PACKAGE, resource["path"]))
    types = {
        field["name"]: (_TYPES if field.get("constraints", {}).get("required") else _WITH_GAPS)[field["type"]]
        for field in resource["schema"]["fields"]
    }
    missing = [name for name in columns or () if name not in types]
    if missing:
        known = ", ".join(types)
        raise RunFolderError(f"the table {table} of {folder} has no column {missing[0]!r}; it has {known}.")
    wanted = {name: types[name] for name in columns} if columns is not None else types
    if table not in resources:
        import pandas as pd

        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in wanted.items()})
    path = folder / resource["path"]
    try:
        if path.suffix == ".parquet":
            return _from_parquet(path, wanted)
        return _from_csv(
            path, wanted, [column_of(item) for item in resource["schema"]["fields"] if item["name"] in wanted]
        )
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as fault:  # Arrow's errors are of these classes
        raise RunFolderError(f"{path} cannot be read: {' '.join(str(fault).split())[:300]}") from None


def _resources(folder: Path) -> dict[str, dict[str, Any]]:
    """The entries of all tables in the data package, by name."""
    read_package(folder)  # is it one?
    return {one["name"]: one for one in json.loads(read_regular(folder / PACKAGE))["resources"]}


def _from_parquet(path: Path, types: dict[str, str]) -> pd.DataFrame:
    texts = [name for name, kind in types.items() if kind == "category"]
    with open_parquet(path, read_dictionary=texts) as file:
        table = file.read(columns=list(types))
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True, ignore_metadata=True)
    return frame.astype({name: kind for name, kind in types.items() if str(frame[name].dtype) != kind})


def _from_csv(path: Path, types: dict[str, str], columns: Sequence[Column]) -> pd.DataFrame:
    """Read with Arrow: it rounds no number, and only an empty cell is missing (pandas takes NA, null and more)."""
    import pandas as pd

    with open_csv(path, columns) as file:
        frame = pd.read_csv(
            file, usecols=list(types), dtype=types, keep_default_na=False, na_values=[""], engine="pyarrow"
        )
    return frame[list(types)]
