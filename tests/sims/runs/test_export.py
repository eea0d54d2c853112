"""A run in another form: the same bytes as a run of that form, a workbook without formulas, and the run untouched."""

from __future__ import annotations

import csv
import errno
import gc
import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.errors import EnvironmentFault, FlowdialError, RunFolderError, ScenarioError
from engine.faults import RAISED, Fault
from engine.scenario import parse
from sims.catalog import Catalog
from sims.cli.app import main
from sims.run_folder.data_package import package, read_package
from sims.run_folder.faults_table import write_faults
from sims.run_folder.files import Sink, content_of
from sims.run_folder.folder import PARTIAL, START, read_manifest, write_manifest
from sims.runs import workbook
from sims.runs.execution import run
from sims.runs.export import export
from sims.runs.verification import verify
from tests.kit.faulty_disk import BROKEN, DEATH, FULL, FaultyDisk
from tests.kit.small import TEXT, scenario
from tests.sims.run_folder.test_file_faults import tree
from tests.sims.run_folder.test_old_runs import FORMATS, HERE

CLOCK = ("finished", "durations_s")
SEED = 2**63 - 1


@pytest.fixture(autouse=True, scope="module")
def cheap_report():
    """The report is written as ever, but its charts are not drawn: they take longer than the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: f"{facts.title} {facts.tally.to_json()}\n" * 50)
        yield


def whole_tree(folder: Path) -> dict[str, object]:
    """Hashes of all files; of the manifest all that does not tell of the clock."""
    manifest = read_manifest(folder)
    return {**tree(folder), "manifest.json": {name: manifest[name] for name in manifest if name not in CLOCK}}


@pytest.fixture(scope="module")
def runs(cheap_report, tmp_path_factory) -> dict[str, Path]:
    """One scenario, of several chunks and several blocks of CSV, run in both formats."""
    place = tmp_path_factory.mktemp("runs")
    for name in ("csv", "parquet"):
        assert run(scenario(players=200), out=place / name, workers=1, format=name).faults == {}
    return {name: place / name for name in ("csv", "parquet")}


@pytest.fixture(scope="module")
def small(cheap_report, tmp_path_factory) -> Path:
    """A campaign of gap_runner, with a seed that no spreadsheet can hold, and texts that it would compute."""
    text = TEXT.format(game="gap_runner", controller="weighted_up_down", players=4, attempts=12)
    for before, after in (
        ("seed = 11", f"seed = {SEED}"),
        ('title = "Small"', 'title = "=cmd()"'),
        ('name = "new"', 'name = "new"\nlabel = "@x"'),
        ('name = "old"', 'name = "NA"\nlabel = "\uff1d1+1"'),
        ("[players]", '[levels]\nkind = "campaign"\ncount = 3\n[players]'),
    ):
        assert before in text
        text = text.replace(before, after)
    out: Path = tmp_path_factory.mktemp("small") / "run"
    assert run(parse(text.encode(), "small.toml", Catalog()), out=out, workers=1).faults == {}
    return out


# --- Run folders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("have", ["csv", "parquet"])
@pytest.mark.parametrize("want", ["csv", "parquet"])
def test_a_run_in_another_form_is_a_run_of_that_form(runs, tmp_path, have, want):
    before = whole_tree(runs[have])
    made = export(runs[have], want, tmp_path / "made")
    assert made == tmp_path / "made"
    assert whole_tree(made) == whole_tree(runs[want])
    assert whole_tree(runs[have]) == before
    assert list(tmp_path.iterdir()) == [made]


def test_the_run_is_large_enough_to_be_read_in_several_blocks(runs):
    assert (runs["csv"] / "attempts.csv").stat().st_size > 5_000_000


def test_it_goes_there_and_back(small, tmp_path):
    there = export(small, "parquet", tmp_path / "there")
    assert whole_tree(export(there, "csv", tmp_path / "back")) == whole_tree(small)


@pytest.mark.parametrize("number", FORMATS)
def test_a_run_of_long_ago_keeps_its_rows(tmp_path, capsys, number):
    old = HERE / f"format_{number}"
    there = export(old, "parquet", tmp_path / "there")
    back = export(there, "csv", tmp_path / "back")
    assert verify(there).equal
    assert verify(back).equal
    for name in read_manifest(old)["files"]:
        assert content_of(back / name) == content_of(old / name), name


def test_it_stands_beside_the_run_when_no_name_is_given(small, tmp_path, monkeypatch, capsys):
    shutil.copytree(small, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    for words, name in (
        (("run", "--to", "parquet"), "run-parquet"),
        (("run/", "--to", "csv"), "run-csv"),
        (("run", "--to", "xlsx"), "run.xlsx"),
        (("run", "--to", "xlsx", "--out", "new/book.xlsx"), "new/book.xlsx"),
    ):
        assert main(("export", *words)) == 0
        assert capsys.readouterr().out == f"{name}\n"
        assert Path(name).exists()
    monkeypatch.chdir(tmp_path / "run")
    assert main(("export", ".", "--to", "parquet", "--out", "../again")) == 0
    assert main(("export", ".", "--to", "csv")) == 4
    assert "run-csv already exists; choose another --out or remove it." in capsys.readouterr().err


# --- Workbooks --------------------------------------------------------------------------------------------------------

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Cell = tuple[str, str]  # kind as the format tells it, and text


def cells_of(book: Path) -> dict[str, list[list[Cell]]]:
    """All cells of a workbook by sheet; an empty one is ("", "")."""
    found = {}
    with zipfile.ZipFile(book) as archive:
        names = [
            page.attrib["name"]
            for page in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{SHEET}sheet")
        ]
        for number, name in enumerate(names, start=1):
            page = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            assert [item for item in page.iter() if item.tag.endswith(("}f", "}hyperlink"))] == [], (
                "a formula, or a link"
            )
            found[name] = [_row(row) for row in page.iter(f"{SHEET}row")]
    return found


def _row(row: ElementTree.Element) -> list[Cell]:
    cells: dict[int, Cell] = {}
    for cell in row:
        letters = re.sub(r"[0-9]", "", cell.attrib["r"])
        place = 0
        for letter in letters:
            place = 26 * place + ord(letter) - 64
        cells[place - 1] = (cell.attrib.get("t", "n"), "".join(cell.itertext()))
    return [cells.get(place, ("", "")) for place in range(max(cells) + 1)]


def test_a_workbook_has_the_cells_of_all_tables(small, tmp_path):
    book = cells_of(export(small, "xlsx", tmp_path / "book.xlsx"))
    described = json.loads((small / "datapackage.json").read_text())["resources"]
    assert list(book) == [*(resource["name"] for resource in described), "columns"]
    for resource in described:
        with open(small / resource["path"], newline="", encoding="utf-8") as file:
            expected = list(csv.reader(file))
        fields = resource["schema"]["fields"]
        assert [text for _, text in book[resource["name"]][0]] == [field["name"] for field in fields] == expected[0]
        assert len(book[resource["name"]]) == len(expected) > 1
        for found, wanted in zip(book[resource["name"]][1:], expected[1:], strict=True):
            found += [("", "")] * (len(wanted) - len(found))
            for field, cell, text in zip(fields, found, wanted, strict=True):
                assert same_cell(field, cell, text), (field["name"], cell, text)


def same_cell(field: dict[str, object], cell: Cell, text: str) -> bool:
    kind, shown = cell
    if text == "":
        return cell == ("", "")
    if field["type"] == "boolean":
        return kind == "b" and shown == {"true": "1", "false": "0"}[text]
    if field["type"] == "string" or field["name"] == "seed":
        return kind == "inlineStr" and shown == text
    if field["type"] == "integer":
        return kind == "n" and int(float(shown)) == int(text)
    return kind == "n" and float(shown) == pytest.approx(float(text), rel=1e-15)


def test_a_workbook_explains_its_columns(small, tmp_path):
    head, *rows = cells_of(export(small, "xlsx", tmp_path / "book.xlsx"))["columns"]
    assert [text for _, text in head] == ["table", "column", "type", "unit", "range", "may be empty", "meaning"]
    explained = {tuple(text for _, text in row[:2]): [text for _, text in row[2:]] for row in rows}
    assert explained["attempts", "start_s"][:3] == ["number", "s", "from 0"]
    assert explained["attempts", "param_hazards"][0] == "name"
    assert explained["attempts", "cause"][3] == "yes"
    described = json.loads((small / "datapackage.json").read_text())["resources"]
    assert len(rows) == sum(len(resource["schema"]["fields"]) for resource in described)


def test_the_same_run_gives_the_same_workbook(small, tmp_path):
    first = export(small, "xlsx", tmp_path / "first.xlsx")
    second = export(export(small, "parquet", tmp_path / "there"), "xlsx", tmp_path / "second.xlsx")
    assert first.read_bytes() == second.read_bytes()


def test_no_cell_of_any_table_can_be_taken_for_a_formula(small):
    """Titles and labels begin like formulas, in ASCII and in full width; an apostrophe makes them text."""
    numbers = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")
    tables = [path.read_text(encoding="utf-8").splitlines() for path in small.glob("*.csv")]
    cells = [cell for table in tables for row in csv.reader(table) for cell in row]
    assert len(cells) > 500
    assert "'=cmd()" in cells
    rest = [cell for cell in cells if cell and cell[0] != "'"]
    assert [cell for cell in rest if not cell[0].isalnum() and not numbers.fullmatch(cell)] == []


def test_a_fault_stands_in_a_workbook_as_it_stands_in_its_table(small, tmp_path):
    """A message that begins like a formula keeps its apostrophe, and is text."""
    folder = Path(shutil.copytree(small, tmp_path / "run"))
    found, manifest = read_package(folder), read_manifest(folder)
    faults = write_faults(folder, [Fault(0, 0, 0, RAISED, "Error", "=1+1"), Fault(0, 0, 1, RAISED, "Error", "{=1}")])
    tables = [(t.sheet, t.path, content_of(folder / t.path), t.rows) for t in found.tables]
    described = package(found.name, found.title, [*tables, faults])
    (folder / "datapackage.json").write_text(json.dumps(described))
    for name in ("faults.csv", "datapackage.json"):
        manifest["files"][name] = content_of(folder / name)._asdict()
    write_manifest(folder, manifest)
    rows = cells_of(export(folder, "xlsx", tmp_path / "book.xlsx"))["faults"]
    assert [row[-1] for row in rows[1:]] == [("inlineStr", "'=1+1"), ("inlineStr", "'{=1}")]


def test_more_rows_than_a_sheet_has_are_refused_in_a_sentence(small, tmp_path, monkeypatch):
    assert workbook.ROWS == 2**20
    rows = read_manifest(small)["rows"]
    monkeypatch.setattr(workbook, "ROWS", rows)
    with pytest.raises(
        ScenarioError, match=f"has at most {rows:,} rows with its header, and attempts has {rows:,} rows"
    ):
        export(small, "xlsx", tmp_path / "book.xlsx")
    monkeypatch.setattr(workbook, "ROWS", rows + 1)
    assert len(cells_of(export(small, "xlsx", tmp_path / "book.xlsx"))["attempts"]) == rows + 1


def test_a_sheet_of_gigabytes_is_written_too(small, tmp_path, monkeypatch):
    """As one is whose limit is at 10 kB."""
    whole = cells_of(export(small, "xlsx", tmp_path / "book.xlsx"))
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10_000)
    assert cells_of(export(small, "xlsx", tmp_path / "large.xlsx")) == whole


def test_a_missing_xlsxwriter_is_one_sentence(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(
        EnvironmentFault, match=r"xlsxwriter, which is missing; install it, or the extra flowdial\[xlsx\]"
    ):
        export(small, "xlsx", tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []


# --- What is refused, and what goes wrong ----------------------------------------------------------------------------


def test_a_run_under_way_is_refused_and_the_way_to_go_on_is_told(small, tmp_path):
    for folder in (tmp_path / f"run{PARTIAL}", tmp_path / "renamed"):
        folder.mkdir()
        (folder / START).write_text("{}")
        with pytest.raises(RunFolderError) as caught:
            export(folder, "parquet", tmp_path / "made")
        assert f"run `flowdial resume {folder}` first" in str(caught.value)


def test_whatever_file_is_damaged_it_is_told(small, tmp_path):
    names = sorted(path.name for path in small.iterdir() if path.name != "report.html")
    assert len(names) >= 7
    for name in names:
        for how in (lambda data: data[:-2], lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:], None):
            folder = Path(shutil.copytree(small, tmp_path / "run"))
            path = folder / name
            path.unlink() if how is None else path.write_bytes(how(path.read_bytes()))
            with pytest.raises(RunFolderError, match=re.escape(str(folder))) as caught:
                export(folder, "parquet", tmp_path / "made")
            assert caught.value.exit_code == 4
            assert name in str(caught.value)
            shutil.rmtree(folder)
            assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["../secret.csv", "/secret.csv", "a/../../secret.csv"])
def test_a_run_that_names_files_elsewhere_is_refused(small, tmp_path, form, name):
    """Somebody else's folder could otherwise have any file read, or written over."""
    folder = Path(shutil.copytree(small, tmp_path / "run"))
    (tmp_path / "secret.csv").write_text("a\n")
    manifest = read_manifest(folder)
    described = json.loads((folder / "datapackage.json").read_text())
    for where in ("files", "resources"):
        if where == "files":
            write_manifest(folder, {**manifest, "files": {**manifest["files"], name: {"bytes": 2, "sha256": ""}}})
        else:
            described["resources"][1]["path"] = name
            (folder / "datapackage.json").write_text(json.dumps(described))
            note = content_of(folder / "datapackage.json")._asdict()
            write_manifest(folder, {**manifest, "files": {**manifest["files"], "datapackage.json": note}})
        with pytest.raises(RunFolderError, match=re.escape(repr(name))):
            export(folder, form, tmp_path / "made.xlsx")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "secret.csv"]


@pytest.mark.parametrize(
    ("form", "out", "told", "code"),
    [
        ("parquet", "run", "--out must lie outside of the run", 2),
        ("parquet", "run/inside", "--out must lie outside of the run", 2),
        ("xlsx", "run/../run/book.xlsx", "--out must lie outside of the run", 2),
        ("xlsx", "book.csv", "--out must name a new file that ends in .xlsx, got", 2),
        ("csv", "made.partial", "--out must name a new folder that does not end in .partial", 2),
        ("csv", "there", "there already exists; choose another --out or remove it.", 4),
        ("xlsx", "there.xlsx", "there.xlsx already exists; choose another --out or remove it.", 4),
        ("csv", "file/made", "file: File exists.", 5),
        ("xlsx", "circle.xlsx", "circle.xlsx already exists; choose another --out or remove it.", 4),
    ],
)
def test_an_out_that_cannot_be_is_refused(small, tmp_path, form, out, told, code):
    folder = Path(shutil.copytree(small, tmp_path / "run"))
    (tmp_path / "there").mkdir()
    for name in ("there.xlsx", "file"):
        (tmp_path / name).touch()
    (tmp_path / "circle.xlsx").symlink_to("circle.xlsx")
    before = whole_tree(folder)
    with pytest.raises(FlowdialError, match=re.escape(told)) as caught:
        export(folder, form, tmp_path / out)
    assert caught.value.exit_code == code
    assert whole_tree(folder) == before


@pytest.mark.parametrize("fault", [FULL, BROKEN, DEATH])
def test_whichever_call_to_the_disk_goes_wrong_it_is_whole_or_not_there(small, tmp_path, fault):
    wanted, before = whole_tree(export(small, "parquet", tmp_path / "wanted")), whole_tree(small)
    n = 1
    while True:
        place = tmp_path / str(n)
        place.mkdir()
        disk, told = FaultyDisk(place, n, fault), str(place)
        try:
            with disk.active():
                export(small, "parquet", place / "made")
        except EnvironmentFault as caught:
            told = str(caught)
        except BaseException:
            if not disk.dead:
                raise
        assert str(place) in told, "it must name the file"
        assert not (place / "made").exists() or whole_tree(place / "made") == wanted
        assert whole_tree(small) == before
        if len(disk.calls) < n:
            break
        n += 3
    assert n > 30


def test_a_workbook_for_which_there_is_no_room_is_one_line(small, tmp_path, monkeypatch):
    def full(sink, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Sink, "write", full)
    with pytest.raises(EnvironmentFault, match=r"book\.xlsx: No space left on device; make room and try again\."):
        export(small, "xlsx", tmp_path / "book.xlsx")
    gc.collect()  # what was thrown away says nothing either: a warning would be an error here
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("attempts.csv", ",NA,", ",odd,", "one of new, NA is expected, got odd"),
        ("attempts.csv", ",0,", ",nought,", "invalid value 'nought'"),
        ("attempts.csv", "\n", ",1\n", "Expected .* columns"),
    ],
)
@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_a_table_that_is_not_as_its_package_says_is_told(small, tmp_path, form, name, old, new, told):
    """Somebody's folder, whose checksums are right."""
    folder = Path(shutil.copytree(small, tmp_path / "run"))
    head, *rows = (folder / name).read_text().splitlines(keepends=True)
    assert old in "".join(rows)
    (folder / name).write_text(head + "".join(rows).replace(old, new, 1))
    manifest = read_manifest(folder)
    note = {**manifest["files"][name], **content_of(folder / name)._asdict()}
    write_manifest(folder, {**manifest, "files": {**manifest["files"], name: note}})
    with pytest.raises(RunFolderError, match=rf"{name} must be as datapackage\.json says, but: .*{told}"):
        export(folder, form, tmp_path / "made.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
