"""The tables of a run against each other: what was altered is found although every checksum was put right."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.reports.report import write_report
from sims.run_folder.agreement import disagreements
from sims.run_folder.files import content_of
from sims.run_folder.folder import read_manifest, write_manifest
from sims.runs.execution import run
from sims.runs.export import export
from sims.runs.run import read_run
from sims.runs.verification import verify
from tests.kit.small import scenario


@pytest.fixture(scope="module", params=["csv", "parquet"])
def whole(request, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        folder: Path = tmp_path_factory.mktemp(request.param) / "run"
        return run(scenario(players=12, attempts=40), out=folder, workers=1, format=request.param).folder


@pytest.fixture
def folder(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    return Path(shutil.copytree(whole, tmp_path / "run"))


def put_right(folder: Path) -> None:
    """Write the checksums that the files now have."""
    manifest = read_manifest(folder)
    for name, note in manifest["files"].items():
        note |= content_of(folder / name)._asdict()
    write_manifest(folder, manifest)


def alter(folder: Path, name: str, change: Callable[[list[list[str]]], None]) -> None:
    """Alter the rows of a table, the header among them, and put its checksum right."""
    path = folder / name
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    change(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    put_right(folder)


def cell(column: str, row: int, value: str) -> Callable[[list[list[str]]], None]:
    def change(rows):
        rows[row + 1][rows[0].index(column)] = value

    return change


def remove(row: int) -> Callable[[list[list[str]]], None]:
    return lambda rows: rows.pop(row + 1)  # type: ignore[return-value]


def swap(row: int) -> Callable[[list[list[str]]], None]:
    def change(rows):
        rows[row + 1], rows[row + 2] = rows[row + 2], rows[row + 1]

    return change


def test_the_tables_of_a_run_agree(folder):
    assert list(disagreements(folder, read_manifest(folder))) == []
    write_report(folder)


CSV_ALTERED = {
    "a win more": ("attempts.csv", lambda rows: cell("outcome", _first(rows, "outcome", "lost"), "won")(rows), "wins"),
    "a row less": ("attempts.csv", remove(7), "rows, but the manifest says"),
    "rows swapped": ("attempts.csv", swap(7), "attempts.csv, row 8: rows must be sorted"),
    "a row twice": ("attempts.csv", lambda rows: rows.insert(5, rows[5]), "attempts.csv, row 5: rows must be sorted"),
    "another group": ("attempts.csv", cell("cohort", 3, "old"), "players.csv has its player in another group"),
    "a stranger": (
        "attempts.csv",
        lambda rows: cell("player", len(rows) - 2, "19999999")(rows),
        "its player is not in players.csv",
    ),
}
ALTERED = {
    "a player's wins": ("players.csv", cell("wins", 4, "0"), "players.csv, row 4: it says 0 wins, but attempts."),
    "a player less": ("players.csv", remove(11), "players.csv has 11 rows, but the manifest says 12"),
    "a session's wins": ("sessions.csv", cell("wins", 0, "77"), "but sessions.csv has"),
    "a session less": ("sessions.csv", remove(1), "but sessions.csv has"),
    "the summary": (
        "summary.csv",
        cell("wins", 1, "1"),
        "summary.csv, row 1: it must have the players, attempts and wins",
    ),
}


def _first(rows, column, word):
    place = rows[0].index(column)
    return next(i for i, row in enumerate(rows[1:]) if row[place] == word)


@pytest.mark.parametrize("what", [*CSV_ALTERED, *ALTERED])
def test_what_was_altered_is_found_although_its_checksum_is_right(folder, what):
    name, change, words = {**CSV_ALTERED, **ALTERED}[what]
    if not (folder / name).is_file():
        pytest.skip("only text is altered here")
    alter(folder, name, change)
    found = verify(folder, rows=1)
    assert not found.equal
    assert words in "\n".join(found.sentences)
    with pytest.raises(RunFolderError) as caught:
        write_report(folder)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("name", [None, "attempts", "players.csv", "summary.csv", "datapackage.json", "scenario.toml"])
def test_a_manifest_that_lists_no_files_or_not_all_is_damaged(folder, name):
    """A file without a checksum may be anything."""
    manifest = read_manifest(folder)
    wanted = f"attempts.{manifest['format']}" if name == "attempts" else name
    manifest["files"] = {
        one: note for one, note in manifest["files"].items() if None not in (one, name) and one != wanted
    }
    write_manifest(folder, manifest)
    for read in (verify, write_report, read_run, lambda path: export(path, "csv")):
        with pytest.raises(RunFolderError, match=r"manifest\.json is damaged: files lacks"):
            read(folder)


def test_tallies_that_were_altered_are_found(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["checksum"]
    totals = manifest["tallies"]["totals"]
    totals[0][1] += 1  # wins of the first group
    write_manifest(folder, manifest)
    assert "the manifest counts" in "\n".join(verify(folder, rows=1).notes)
