"""Tables that pandas, R and spreadsheets saved are read as the tables they were; what cannot be is told in one line."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from engine.errors import RunFolderError
from engine.faults import FAULTS, Fault
from engine.record import ATTEMPT_COLUMNS
from sims.cli.app import main
from sims.playback.row_choice import choose_row
from sims.reports.report import write_report
from sims.run_folder.data_package import package
from sims.run_folder.faults_table import write_faults
from sims.run_folder.files import write_json
from sims.run_folder.folder import PACKAGE
from sims.run_folder.row_file import value_of
from sims.run_folder.saved_csv import own_spelling
from sims.run_folder.sound_tables import holds_the_same
from sims.runs.execution import run
from sims.runs.export import export
from sims.runs.run import read_run
from sims.runs.verification import verify
from sims.tracking.folder_results import run_result
from tests.kit.small import scenario


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        folder: Path = tmp_path_factory.mktemp("runs") / "run"
        return run(scenario(players=12, attempts=30), out=folder, workers=1).folder


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def frame_of(path: Path) -> pd.DataFrame:
    """The table as a careful analyst reads it."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def rewritten(path: Path, change: Callable[[list[list[str]]], list[list[str]]], **form) -> str:
    """The table with other cells, or in another form of CSV."""
    text = io.StringIO()
    rows = change(list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")))))
    csv.writer(text, **{"lineterminator": "\n", **form}).writerows(rows)
    return text.getvalue()


def by_pandas(path: Path) -> bytes:
    frame = frame_of(path)
    notes = ("plain", 'with, a "comma"', "two\nlines")
    frame["note"] = [notes[row % len(notes)] for row in range(len(frame))]
    return frame.to_csv().encode()  # with its index


def by_spreadsheet(path: Path) -> bytes:
    words = {"true": "TRUE", "false": "FALSE"}
    text = rewritten(path, lambda rows: [[words.get(cell, cell) for cell in row] for row in rows])
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


def by_r(path: Path) -> bytes:
    whole_columns = {column.name for column in ATTEMPT_COLUMNS if column.kind == "integer"}

    def change(rows):
        header, *rest = rows
        return [header, *([_in_r(cell, name in whole_columns) for name, cell in zip(header, row)] for row in rest)]

    return rewritten(path, change, quoting=csv.QUOTE_NONNUMERIC).encode()


def _in_r(cell: str, whole: bool) -> str:
    if whole and cell.endswith("00"):
        return f"{int(cell.rstrip('0'))}e+{len(cell) - len(cell.rstrip('0')):02d}" if int(cell) else cell
    return {"true": "TRUE", "false": "FALSE"}.get(cell, cell)


def by_numbers(path: Path) -> bytes:
    """Truth values as 1 and 0, whole numbers as 7.0, columns turned round."""
    frame = frame_of(path)
    frame = frame.astype({"won": int, "clipped": float, "ticks": float, "player": float})
    return frame[frame.columns[::-1]].to_csv(index=False).encode()


SAVED = {"pandas": by_pandas, "spreadsheet": by_spreadsheet, "R": by_r, "numbers": by_numbers}


def cells(change: Callable[[str, str], str], **form) -> Callable[[Path], bytes]:
    """A way to save a table: each cell is written otherwise. change: takes the column's name and the cell."""

    def save(path: Path) -> bytes:
        def all_of(rows):
            return [rows[0], *([change(name, cell) for name, cell in zip(rows[0], row)] for row in rows[1:])]

        return rewritten(path, all_of, **form).encode()

    return save


def truths(true: str, false: str) -> Callable[[Path], bytes]:
    words = {"true": true, "false": false}
    return cells(lambda name, cell: words.get(cell, cell) if name in ("won", "clipped") else cell)


def framed(**form) -> Callable[[Path], bytes]:
    return lambda path: frame_of(path).to_csv(**{"index": False, **form}).encode()


def padded(path: Path) -> bytes:
    """With blanks around names and cells, and empty rows at the end."""
    text = rewritten(path, lambda rows: [[f" {cell}  " for cell in row] for row in rows])
    return text.encode() + b"," * text.splitlines()[0].count(",") + b"\n\n"


def in_excels_way(path: Path) -> bytes:
    return b"\xef\xbb\xbfsep=,\r\n" + path.read_bytes().replace(b"\n", b"\r\n")


SPELLINGS = {
    "missing NA": framed(na_rep="NA"),
    "missing <NA>": framed(na_rep="<NA>"),
    "missing #N/A": framed(na_rep="#N/A"),
    "missing null": framed(na_rep="null"),
    "17 digits": framed(float_format="%.17g"),
    "an index of two columns": lambda path: frame_of(path).set_index(["player", "attempt"]).to_csv().encode(),
    "nullable types": lambda path: frame_of(path).convert_dtypes().to_csv(index=False).encode(),
    "all in quotes": cells(lambda name, cell: cell, quoting=csv.QUOTE_ALL, lineterminator="\r\n"),
    "1.0 and 0.0": truths("1.0", "0.0"),
    "T and F": truths("T", "F"),
    "yes and no": truths("yes", "no"),
    "German": truths("WAHR", "FALSCH"),
    "French": truths("VRAI", "FAUX"),
    "Spanish": truths("VERDADERO", "FALSO"),
    "a plus": cells(lambda name, cell: f"+{cell}" if name in ("skill", "ticks") and cell[0] != "-" else cell),
    "a long minus": cells(lambda name, cell: cell.replace("-", "\u2212") if name == "skill" else cell),
    "blanks": padded,
    "sep=": in_excels_way,
    "CR CR LF": lambda path: path.read_bytes().replace(b"\n", b"\r\r\n"),
    "two marks": lambda path: b"\xef\xbb\xbf" * 2 + path.read_bytes(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_other_spellings_of_the_same_values_are_read(folder, tmp_path, spelling):
    lonely = tmp_path / "rows.csv"
    lonely.write_bytes(SPELLINGS[spelling](folder / "attempts.csv"))
    assert lonely.read_bytes() != (folder / "attempts.csv").read_bytes()
    result = verify(lonely, rows=20)
    assert (result.equal, result.replayed) == (True, 20), result.sentences
    (folder / "attempts.csv").write_bytes(lonely.read_bytes())
    rows = read_run(folder).manifest["rows"]
    result = verify(folder, rows=rows)
    assert (result.equal, result.replayed) == (True, rows), result.sentences


def test_a_digit_that_changes_no_bit_is_still_refused(folder):
    path = folder / "attempts.csv"
    exact = float(read_run(folder).attempts()["skill"].iloc[0])
    path.write_bytes(path.read_bytes().replace(f",{exact!r},".encode(), f",{exact!r}01,".encode()))
    assert not verify(folder, rows=1).equal


def test_a_cell_of_any_length_is_told_in_one_short_line(folder, tmp_path, capsys):
    (tmp_path / "rows.csv").write_bytes(
        cells(lambda name, cell: "x" * 50_000 if name == "cause" else cell)(folder / "attempts.csv")
    )
    for words in (["verify", "--rows", "3"], ["replay", "--record", str(tmp_path / "a.png")]):
        assert main([words[0], str(tmp_path / "rows.csv"), *words[1:]]) == 4
        out, err = capsys.readouterr()
        assert max(map(len, (out + err).splitlines())) < 400


@pytest.mark.parametrize("program", SAVED)
def test_every_row_of_a_table_that_another_program_saved_is_equal(folder, tmp_path, program):
    lonely = tmp_path / "rows.csv"
    lonely.write_bytes(SAVED[program](folder / "attempts.csv"))
    result = verify(lonely)
    assert result.equal, result.sentences
    assert (result.replayed, result.faulty) == (read_run(folder).manifest["rows"], 0)
    assert bool(result.remarks) == (program == "pandas")  # of its index and its notes
    assert choose_row(lonely, pick="last attempt").number == choose_row(folder, pick="last attempt").number


@pytest.mark.parametrize("program", SAVED)
def test_all_readers_of_a_run_take_it_while_every_value_is_the_same(folder, program, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    attempts, players = read_run(folder).attempts(), read_run(folder).players()
    for name in ("attempts.csv", "players.csv"):
        if name == "attempts.csv" or program in ("spreadsheet", "R"):
            (folder / name).write_bytes(SAVED[program](folder / name))
    result = verify(folder, rows=20)
    assert result.equal, result.sentences
    assert "attempts.csv was saved by another program, and every value is as the run wrote it" in result.remarks
    pd.testing.assert_frame_equal(read_run(folder).attempts(), attempts)
    pd.testing.assert_frame_equal(read_run(folder).players(), players)
    write_report(folder)
    original = (export(folder, "csv") / "attempts.csv").read_bytes()
    assert original == attempts.to_csv(index=False).encode() or original.count(b"\n") == len(attempts) + 1


@pytest.mark.parametrize("spelling", ["an index", "all in quotes", "sep=", "two marks", "17 digits"])
def test_a_summary_that_another_program_saved_is_the_same(folder, spelling):
    """It has 0.0 where the other tables have 0, so that its checksum needs a writer of its own."""
    save = {**SPELLINGS, "an index": lambda path: frame_of(path).to_csv().encode()}[spelling]
    path = folder / "summary.csv"
    assert b",0.0," in path.read_bytes()
    path.write_bytes(save(path))
    result = verify(folder, rows=5)
    assert result.equal, result.sentences
    assert "summary.csv was saved by another program, and every value is as the run wrote it" in result.remarks
    assert "met" in run_result(read_run(folder)).scores


def test_a_changed_number_in_a_saved_summary_is_found(folder):
    path = folder / "summary.csv"
    for old, new in ((b",0.0,", b",0.5,"), (b",0.0,", b",0.0000,")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(old, new, 1))
        equal = verify(folder, rows=5).equal
        assert equal == (new == b",0.0000,"), new
        path.write_bytes(path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(new, old, 1))


def test_faults_that_another_program_saved_are_the_same(tmp_path):
    sheet, name, content, rows = write_faults(
        tmp_path, [Fault(0, 3, 7, FAULTS.index("raised"), "ValueError", 'no "level", sorry')]
    )
    manifest = {"files": {name: content._asdict()}}
    manifest["files"][PACKAGE] = write_json(
        tmp_path / PACKAGE, package("flowdial-test", "test", [(sheet, name, content, rows)])
    )._asdict()
    (tmp_path / name).write_text(pd.read_csv(tmp_path / name).to_csv(), encoding="utf-8")
    assert holds_the_same(tmp_path, manifest, name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"sorry", b"never"))
    assert not holds_the_same(tmp_path, manifest, name)


def test_parquet_that_pandas_saved(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    kept = export(folder, "parquet")
    attempts = read_run(kept).attempts()
    pandas = attempts.astype(dict.fromkeys(("cohort", "outcome"), str))
    pandas["mine"] = 1
    pandas = pandas[pandas["won"] | ~pandas["won"]]  # an index column of its own
    pandas.index = pandas.index + 5
    pandas.to_parquet(tmp_path / "rows.parquet")
    result = verify(tmp_path / "rows.parquet")
    assert result.equal, result.sentences
    assert "'mine'" in result.remarks[0]
    pandas.to_parquet(kept / "attempts.parquet")
    assert verify(kept, rows=20).equal
    texts = [name for name in attempts if attempts[name].dtype == "category"]
    pd.testing.assert_frame_equal(read_run(kept).attempts().drop(columns=texts), attempts.drop(columns=texts))
    assert read_run(kept).attempts()[texts].astype(str).equals(attempts[texts].astype(str))
    write_report(kept)


def by_way_of_csv(path: Path) -> pd.DataFrame:
    """The whole table as pandas reads a CSV without any option: columns without values become numbers."""
    return pd.read_csv(path)


TYPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as read": lambda frame: frame,
    "categories": lambda frame: frame.astype(
        {name: "category" for name in frame if not pd.api.types.is_numeric_dtype(frame[name])}
    ),
    "bytes": lambda frame: frame.assign(
        **{name: [one.encode() for one in frame[name]] for name in ("game", "outcome", "cohort")}
    ),
    "nullable": lambda frame: frame.convert_dtypes(),
    "small": lambda frame: frame.astype({"won": "int8", "clipped": "float32", "attempt": "uint8", "ticks": "float64"}),
    "objects": lambda frame: frame.astype({"won": object, "fault": object}),
}


@pytest.mark.parametrize("kind", TYPES)
def test_parquet_with_the_types_of_another_program(folder, tmp_path, kind):
    frame = TYPES[kind](by_way_of_csv(folder / "attempts.csv"))
    assert frame["fault"].isna().all()
    frame.to_parquet(tmp_path / "rows.parquet")
    result = verify(tmp_path / "rows.parquet", rows=20)
    assert (result.equal, result.replayed) == (True, 20), result.sentences
    kept = export(folder, "parquet")
    frame.to_parquet(kept / "attempts.parquet")
    assert verify(kept, rows=5).equal
    assert len(read_run(kept).attempts()) == len(frame)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("won", [2], "won is int64: it must be 0 or 1"),
        ("cohort", [1], "cohort is int64: it must be text"),
        ("skill", [{"a": 1}], "skill is struct<a: int64>: Unsupported cast"),
        ("player", [None], "player has no value"),
    ],
)
def test_parquet_whose_type_cannot_be_used_names_the_column(folder, tmp_path, column, values, words, capsys):
    frame = by_way_of_csv(folder / "attempts.csv")
    frame[column] = values * len(frame)
    frame.to_parquet(tmp_path / "rows.parquet")
    assert main(["verify", str(tmp_path / "rows.parquet")]) == 4
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err


@pytest.mark.parametrize(("kind", "digits"), [("float32", 7), ("float16", 3)])
def test_numbers_of_a_short_type_are_told_as_rounded(folder, tmp_path, kind, digits):
    frame = by_way_of_csv(folder / "attempts.csv")
    names = [name for name in frame if frame[name].dtype == "float64" and name != "start_s"]
    frame = frame.astype(dict.fromkeys(names, kind)).assign(start_s=0.5)
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.astype(dict.fromkeys(names, "float64")).to_csv(tmp_path / "long.csv", index=False)
    for name in ("rows.parquet", "long.csv"):
        result = verify(tmp_path / name, rows=20)
        assert [note for note in result.notes if f"keeps at most {digits} digits" in note], result.sentences
        assert "state_hash" not in {item.column for item in result.differences}


def test_one_changed_value_in_a_saved_table_is_still_found(folder, monkeypatch):
    path = folder / "attempts.csv"
    text = by_spreadsheet(path).decode("utf-8-sig")
    path.write_text(text.replace(",lost,FALSE,", ",won,TRUE,", 1), encoding="utf-8", newline="")
    assert not verify(folder, rows=5).equal
    with pytest.raises(RunFolderError, match=r"attempts\.csv is not"):
        read_run(folder).attempts()


def semicolons(path: Path) -> bytes:
    return rewritten(path, lambda rows: rows, delimiter=";").encode()


def german(path: Path) -> bytes:
    def change(rows):
        return [[cell.replace(".", ",") for cell in row] for row in rows]

    return rewritten(path, change, delimiter=";").encode()


def decimal_commas(path: Path) -> bytes:
    return rewritten(
        path, lambda rows: [rows[0], *([cell.replace(".", ",") for cell in row] for row in rows[1:])]
    ).encode()


def thousands(path: Path) -> bytes:
    def change(rows):
        place = rows[0].index("state_hash")
        return [rows[0], *([*row[:place], f"{int(row[place]):,}".replace(",", "\u202f")] for row in rows[1:])]

    return rewritten(path, change).encode()


OTHER = {
    "semicolons": (semicolons, "must have commas between its cells, got semicolons; save it with commas"),
    "German": (german, "got semicolons and decimal commas; save it with commas and decimal points"),
    "tabs": (lambda path: semicolons(path).replace(b";", b"\t"), "got tabs; save it with commas"),
    "decimal commas": (decimal_commas, "has numbers with the separators of another language, such as '"),
    "thousands": (thousands, "has numbers with the separators of another language, such as '"),
    "UTF-16": (lambda path: path.read_text().encode("utf-16"), "must be UTF-8, got UTF-16; save it as CSV UTF-8"),
    "old Mac": (lambda path: path.read_bytes().replace(b"\n", b"\r"), "got CR alone"),
    "UTF-16 without a mark": (lambda path: path.read_text().encode("utf-16-le"), "got bytes of 0, which no text has"),
    "gzip": (lambda path: gzip.compress(path.read_bytes()), "got a file that gzip has compressed; unpack it"),
    "a workbook": (lambda path: b"PK\x03\x04;;;;" + path.read_bytes(), "got a workbook or another ZIP file"),
    "Parquet": (lambda path: b"PAR1\r\r" + path.read_bytes(), "got Parquet; give it a name that ends in .parquet"),
    "blanks": (lambda path: rewritten(path, lambda rows: rows, delimiter=" ").encode(), "got blanks; save it with"),
    "sep=;": (lambda path: b"sep=;\n" + semicolons(path), "got semicolons; save it with commas"),
    "no header": (lambda path: path.read_bytes().split(b"\n", 1)[1], "it has no column named game"),
    "twice": (lambda path: path.read_bytes().replace(b",session,", b",player,", 1), "has the column 'player' twice"),
}


@pytest.mark.parametrize("kind", OTHER)
def test_other_separators_are_named_in_one_line(folder, tmp_path, kind, capsys):
    save, words = OTHER[kind]
    (tmp_path / "rows.csv").write_bytes(save(folder / "attempts.csv"))
    assert main(["verify", str(tmp_path / "rows.csv")]) == 4
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    (folder / "attempts.csv").write_bytes(save(folder / "attempts.csv"))
    assert main(["verify", str(folder)]) == 4
    assert len(capsys.readouterr().out.splitlines()) == 3  # that it has changed, these words, and the count


def rounded(path: Path, digits: int = 15) -> bytes:
    def change(rows):
        return [rows[0], *([_rounded(cell, digits) for cell in row] for row in rows[1:])]

    return rewritten(path, change).encode()


def _rounded(cell: str, digits: int) -> str:
    return f"{float(cell):.{digits}G}" if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", cell) else cell


@pytest.mark.parametrize("digits", [16, 15, 10])
def test_a_rounded_table_is_told_as_that_once(folder, tmp_path, digits, capsys):
    (tmp_path / "rows.csv").write_bytes(rounded(folder / "attempts.csv", digits))
    (folder / "attempts.csv").write_bytes(rounded(folder / "attempts.csv", digits))
    for target in (tmp_path / "rows.csv", folder):
        assert main(["verify", str(target)]) == 4
        said = capsys.readouterr().out
        assert said.count(f"attempts.csv keeps at most {digits} digits" if target == folder else "keeps at most") == 1
        assert "state_hash" not in said


def test_long_numbers_as_excel_shows_them_are_told_as_rounded(folder, tmp_path):
    """Excel saves what its cells show: 10 digits, and whole numbers of more than 11 digits as 3.7072E+13."""

    def shown(name: str, cell: str) -> str:
        if name == "state_hash":
            return f"{float(cell):.5E}"
        found = re.fullmatch(r"-?(\d+)\.\d{9,}", cell)
        return f"{float(cell):.{10 - len(found[1])}f}".rstrip("0") if found else cell

    (folder / "attempts.csv").write_bytes(cells(shown)(folder / "attempts.csv"))
    result = verify(folder, rows=20)
    assert [item for item in result.differences if item.column == "state_hash"] == []
    assert sum("as a spreadsheet does" in note for note in result.notes) == 1


def test_what_else_was_changed_in_a_rounded_table_is_found(folder):
    path = folder / "attempts.csv"
    path.write_bytes(rounded(path).replace(b",lost,false,", b",won,true,", 1))
    assert {item.column for item in verify(folder, rows=5).differences} == {"outcome", "won"}


def test_a_replay_of_a_rounded_row_says_why_it_differs(folder, tmp_path, capsys, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_bytes(rounded(folder / "attempts.csv", 6))
    monkeypatch.setattr("sims.window.replay.show_scene", lambda scene, *rest, **more: None)
    assert main(["replay", str(path), "--row", "3", "--record", str(tmp_path / "a.png")]) == 4
    assert "rows.csv keeps at most 6 digits of a number" in capsys.readouterr().err


def test_words_that_stand_for_nothing_are_missing_only_where_numbers_may_be():
    columns = {column.name: column for column in ATTEMPT_COLUMNS}
    assert value_of(columns["skill"], "NaN", human=True) is None
    assert own_spelling(columns["cause"], "NA") == ""  # a game may not call a cause so
    assert own_spelling(columns["cohort"], "NA") == "NA"  # a scenario may call a group so
    assert own_spelling(columns["ticks"], "NA") == "NA"
    assert value_of(columns["ticks"], "1e+05") == 100_000
    for column, text, words in (("start_s", "1e999", "64 bits"), ("player", "-1", "of 0 or more"), ("lapse", "7", "0")):
        with pytest.raises(ValueError, match=words):
            value_of(columns[column], text)
    for text in ("1.5", "1e-3", "", "0x10", "1e999"):
        with pytest.raises(ValueError, match=r"."):
            value_of(columns["ticks"], text)
