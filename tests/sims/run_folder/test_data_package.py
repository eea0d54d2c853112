"""The page and the data package say what the tables hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet

from engine import record
from engine.errors import RunFolderError
from engine.scenario import parse
from sims.catalog import Catalog
from sims.run_folder.data_package import SUMMARY, columns_page, package, read_package
from sims.run_folder.files import Content
from sims.runs.execution import run
from tests.engine.test_record import SHEET, as_csv, as_parquet, some_rows
from tests.kit.places import ROOT
from tests.kit.small import TEXT, setup

PAGE = ROOT / "docs" / "columns.md"
TYPES = {"integer": "int64", "number": "float64", "boolean": "bool", "string": "str"}
EMPTY_WORDS = ("NA", "null")  # names of cohorts that pandas takes for missing, unless it is told better


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == columns_page(), (
        "python -m sims.run_folder.data_package > docs/columns.md"
    )


def test_the_package_describes_every_column():
    choice = setup(game="gap_runner")
    sheets = [
        record.attempt_sheet(choice, ("mean",)),
        record.player_sheet(choice),
        record.session_sheet(choice),
        SUMMARY,
    ]
    found = package("name", "Title", [(sheet, f"{sheet.name}.csv", Content(5, "ab"), 3) for sheet in sheets])
    assert [resource["name"] for resource in found["resources"]] == ["attempts", "players", "sessions", "summary"]
    for sheet, resource in zip(sheets, found["resources"], strict=True):
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        assert list(fields) == [column.name for column in sheet.columns]
        assert set(resource["schema"]["primaryKey"]) <= set(fields)
        assert (resource["bytes"], resource["hash"], resource["rowCount"]) == (5, "sha256:ab", 3)
        for key in resource["schema"].get("foreignKeys", []):
            parent = next(other for other in found["resources"] if other["name"] == key["reference"]["resource"])
            assert parent["schema"]["primaryKey"] == key["reference"]["fields"]
    attempts = {field["name"]: field for field in found["resources"][0]["schema"]["fields"]}
    assert attempts["outcome"]["constraints"] == {"required": True, "enum": ["won", "lost", "timed_out", "failed"]}
    assert attempts["param_speed"]["unit"] == "m/s"
    assert attempts["param_hearts"] == {
        "name": "param_hearts",
        "type": "integer",
        "description": "mistakes that end the attempt",
        "unit": "1",
        "constraints": {"required": True, "minimum": 1, "maximum": 3},
    }
    assert attempts["belief_mean"].get("constraints") is None


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """A campaign of gap_runner in both formats: choices, whole numbers, beliefs, causes, missing values."""
    text = TEXT.format(game="gap_runner", controller="kalman", players=30, attempts=60)
    for before, after in zip(('"new"', '"old"'), EMPTY_WORDS, strict=True):
        text = text.replace(before, f'"{after}"')
    scenario = parse(
        text.replace("[players]", '[levels]\nkind = "campaign"\ncount = 6\n[players]').encode(), "a", Catalog()
    )
    place = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        for name in ("csv", "parquet"):
            assert run(scenario, out=place / name, workers=1, format=name).faults == {}
    return {name: place / name for name in ("csv", "parquet")}


def resources(folder: Path) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads((folder / "datapackage.json").read_text())["resources"]}


@pytest.mark.filterwarnings("ignore")  # of another's package
@pytest.mark.parametrize("name", ["csv", pytest.param("parquet", marks=pytest.mark.thorough)])
def test_frictionless_finds_nothing_wrong_with_a_run_and_then_what_is(runs, tmp_path, name):
    import frictionless

    whole = frictionless.Package(str(runs[name] / "datapackage.json")).validate()
    assert whole.valid, whole.flatten(["name", "type", "note"])
    assert {task.name: task.stats["rows"] for task in whole.tasks} == {
        name: resource["rowCount"] for name, resource in resources(runs[name]).items()
    }
    for path in runs[name].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    described = json.loads((tmp_path / "datapackage.json").read_text())
    described["resources"][0]["schema"]["fields"][-1]["constraints"]["maximum"] = 1  # of the state hash
    described["resources"][1]["hash"] = f"sha256:{0:064}"
    (tmp_path / "datapackage.json").write_text(json.dumps(described))
    wrong = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert {task.name for task in wrong.tasks if not task.valid} >= {"attempts", "players"}


def test_pandas_reads_from_csv_what_stands_in_parquet_bit_for_bit(runs):
    described = {name: resources(folder)["attempts"] for name, folder in runs.items()}
    fields = described["csv"]["schema"]["fields"]
    assert fields == described["parquet"]["schema"]["fields"]
    found = read_both(runs["csv"] / "attempts.csv", runs["parquet"] / "attempts.parquet", fields)
    assert len(found) == described["csv"]["rowCount"] > 100
    assert {name for name in found if found[name].isna().any()} == {"cause", "fault"}
    assert set(found["cohort"]) == set(EMPTY_WORDS)
    assert found["state_hash"].max() > 2**40
    assert set(found["won"]) == {True, False}
    assert found["belief_skill"].nunique() > 30


def test_pandas_reads_numbers_of_all_sizes_and_missing_beliefs_bit_for_bit(tmp_path):
    batches = [record.attempt_batch(SHEET, some_rows(3000))]
    (tmp_path / "rows.csv").write_bytes(as_csv(batches))
    (tmp_path / "rows.parquet").write_bytes(as_parquet(batches))
    fields = package("a", "", [(SHEET, "rows.csv", Content(1, ""), 3000)])["resources"][0]["schema"]["fields"]
    found = read_both(tmp_path / "rows.csv", tmp_path / "rows.parquet", fields)
    assert {name for name in found if found[name].isna().any()} == {"cause", "fault", "belief_mean", "belief_sd"}
    assert found["skill"].abs().max() > 1e308


def read_both(text: Path, binary: Path, fields: list[dict[str, Any]]) -> pd.DataFrame:
    """The CSV file as pandas reads it with these types, after it was found to be equal to the Parquet file."""
    types = {field["name"]: TYPES[field["type"]] for field in fields}
    found = pd.read_csv(text, dtype=types, keep_default_na=False, na_values=[""], engine="pyarrow")
    table = parquet.read_table(binary)
    assert list(found.columns) == table.column_names == list(types)
    for name, kind in types.items():
        assert str(found[name].dtype) == kind
        left = [None if pd.isna(value) else value for value in found[name].tolist()]
        right = table[name].to_pylist()
        assert [type(value) for value in left] == [type(value) for value in right], name
        assert [bits(value) for value in left] == [bits(value) for value in right], name
    return found


def bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) else value


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_package_is_read_as_it_was_written(runs, name):
    found = read_package(runs[name])
    contents = [Content((runs[name] / table.path).stat().st_size, "") for table in found.tables]
    tables = [
        (table.sheet, table.path, content, table.rows) for table, content in zip(found.tables, contents, strict=True)
    ]
    again = package(found.name, found.title, tables)
    for one, other in zip(again["resources"], resources(runs[name]).values(), strict=True):
        assert {**one, "hash": ""} == {**other, "hash": ""}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "a", "title": "b", "resources": [{}]}', "\xff"])
def test_a_package_that_is_none_is_told_so(tmp_path, text):
    (tmp_path / "datapackage.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunFolderError, match=r"datapackage\.json must be as the run wrote it, but: "):
        read_package(tmp_path)
