"""A run once more with its rows in another form.

As telemetry it is one file with what a game could have logged, to be read by `flowdial calibrate`. As CSV or Parquet
it is a run folder of its own, equal to what `flowdial run --format` leaves, byte for byte where nothing tells of the
clock. As a workbook it is for reading: a spreadsheet keeps 15 digits of a number.

All of it comes from the run folder alone, so neither the game nor the controller need be installed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from engine.errors import RunFolderError, ScenarioError
from engine.record import Format
from sims.reports.report import write_report
from sims.run_folder.data_package import Package, package, read_package
from sims.run_folder.files import Content, append_file, file_fault, new_file, sync_folder, write_json
from sims.run_folder.folder import PACKAGE, PARTIAL, START, write_manifest
from sims.run_folder.new_folder import check_new
from sims.run_folder.sound_tables import batches_of_table, sound_manifest, write_table
from sims.runs.run import read_run
from sims.runs.telemetry import write_telemetry
from sims.runs.workbook import write_workbook

ExportFormat = Literal["csv", "parquet", "xlsx", "telemetry"]

_WORKBOOK: Final = ".xlsx"
_TELEMETRY: Final = "-telemetry.csv"
_ROWS: Final = "attempts"  # the table whose form a run may choose


def export(folder: Path, form: ExportFormat, out: Path | None = None) -> Path:
    """Write a complete run in another format. The new folder or file is complete or absent.

    out: its name, None for one beside the run. Raises RunFolderError when the run is unfinished, is damaged, or `out`
    exists, ScenarioError for what cannot be written there, EnvironmentFault on I/O errors.
    """
    manifest = _finished(folder)
    found = _package(folder, manifest)
    target = _target(folder, form, out)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp") as place:
            made = Path(place, target.name)  # the name it will have, in case the report tells it
            if form == "xlsx":
                write_workbook(made, [(table, batches_of_table(folder, table)) for table in found.tables])
            elif form == "telemetry":
                write_telemetry(made, read_run(folder))
            else:
                made.mkdir()
                _write_run(folder, manifest, found, form, made)
            os.rename(made, target)
        sync_folder(target.parent)
    except OSError as fault:
        raise file_fault(fault) from fault
    return target


def _finished(folder: Path) -> dict[str, Any]:
    """The manifest of a run whose files are all as it says."""
    if folder.name.endswith(PARTIAL) or (folder / START).is_file():
        raise RunFolderError(
            f"only a complete run can be exported, but {folder} is unfinished; run `flowdial resume {folder}` first."
        )
    return sound_manifest(folder)


def _package(folder: Path, manifest: Mapping[str, Any]) -> Package:
    found = read_package(folder)
    for table in found.tables:
        if table.path not in manifest["files"]:
            raise RunFolderError(f"{folder / PACKAGE} must name files of the manifest, got {table.path!r}.")
    return found


def _target(folder: Path, form: ExportFormat, out: Path | None) -> Path:
    """Where the export will be; nothing is there yet."""
    run = folder.resolve()
    endings = {"xlsx": _WORKBOOK, "telemetry": _TELEMETRY}
    name = f"{run.name}{endings.get(form, f'-{form}')}"
    target = out if out is not None else (folder.parent if folder.name else run.parent) / name
    if form == "xlsx" and target.suffix != _WORKBOOK:
        raise ScenarioError(f"--out must name a new file that ends in {_WORKBOOK}, got {target}")
    if not target.name or target.name.endswith(PARTIAL):
        raise ScenarioError(f"--out must name a new folder that does not end in {PARTIAL}, got {target}")
    if Path(os.path.realpath(target)).is_relative_to(run):  # resolve() raises where links lead round in a circle
        raise ScenarioError(f"--out must lie outside of the run, got {target}")
    check_new(target)
    return target


def _write_run(folder: Path, manifest: Mapping[str, Any], found: Package, form: Format, made: Path) -> None:
    """All files of a run, the rows in the form that is wanted, the others as they are."""
    names = {table.path: f"{_ROWS}.{form}" for table in found.tables if table.sheet.name == _ROWS}
    notes = {names.get(name, name): dict(note) for name, note in manifest["files"].items()}
    for name in manifest["files"]:
        if name not in names and name != PACKAGE:
            notes[name] |= _copy(folder / name, made / name)._asdict()
    described = []
    for table in found.tables:
        path = names.get(table.path, table.path)
        if table.path in names:
            with new_file(made / path) as sink:
                write_table(sink, form, table.sheet, batches_of_table(folder, table))
            notes[path] |= sink.content._asdict()
        content = Content(notes[path]["bytes"], notes[path]["sha256"])
        described.append((table.sheet, path, content, table.rows))
    notes[PACKAGE] = write_json(made / PACKAGE, package(found.name, found.title, described))._asdict()
    write_manifest(made, {**manifest, "format": form, "files": notes})
    write_report(made, fresh=True)


def _copy(source: Path, target: Path) -> Content:
    with new_file(target) as sink:
        append_file(sink, source)
    return sink.content
