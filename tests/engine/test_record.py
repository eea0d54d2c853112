"""Rows keep their bits on the way to a file and back, in both formats."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import struct
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine import record
from engine.errors import ScenarioError
from engine.game import LOST, OUTCOMES, WON, Faculties
from engine.players import LEAVINGS, PLAYER, QUIT, TRAIT_NAMES
from engine.record import ATTEMPT_COLUMNS, PLAYER_COLUMNS, SESSION, SESSION_COLUMNS, row_type
from engine.world import belief_columns
from sims.catalog import Catalog
from tests.kit.places import ROOT
from tests.kit.small import setup

NASTY = [0.0, -0.0, 1.0, 0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e-5, 123456789.125]
SETUP = setup(game="gap_runner")
BELIEFS = ("mean", "sd")
SHEET = record.attempt_sheet(SETUP, BELIEFS)


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def some_rows(count: int, seed: int = 1) -> np.ndarray:
    """Rows with every outcome and cause, floats of all sizes, missing beliefs, params at their ends."""
    space, dice = SETUP.space, np.random.default_rng(seed)
    rows = np.zeros(count, row_type(len(space), len(BELIEFS)))
    for name in rows.dtype.names or ():
        if rows[name].ndim == 1 and rows[name].dtype == np.float64:
            rows[name] = dice.choice([*NASTY, *dice.standard_normal(50)], count)
    rows["player"] = np.arange(count) // 10
    rows["attempt"] = np.arange(count) % 10
    rows["cohort"] = rows["player"] % 2
    rows["clipped"] = dice.integers(0, 2, count)
    rows["outcome"] = dice.integers(WON, len(OUTCOMES), count)
    rows["cause"] = np.where(rows["outcome"] == LOST, dice.integers(0, 3, count), -1)
    rows["state_hash"] = dice.integers(0, 2**48, count)
    rows["beliefs"] = np.where(dice.random((count, 2)) < 0.3, math.nan, dice.standard_normal((count, 2)))
    low = [knob.low for knob in space]
    rows["params"] = np.floor(low + dice.random((count, len(space))) * [k.high + 1 - k.low for k in space])
    rows["params"][:, 0] = dice.random(count) + 5.0
    return rows


def as_csv(batches) -> bytes:
    text = io.BytesIO()
    text.write(record.csv_header(SHEET.columns))
    record.write_csv(text, batches)
    return text.getvalue()


def as_parquet(batches) -> bytes:
    file = io.BytesIO()
    record.write_parquet(file, SHEET.columns, batches)
    return file.getvalue()


def test_columns_have_different_names_and_say_what_they_mean():
    for columns in (SHEET.columns, PLAYER_COLUMNS, SESSION_COLUMNS):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(name == name.lower() and name.isidentifier() for name in names)
        assert all(column.meaning for column in columns)
        assert all(
            column.unit for column in columns if column.kind in ("integer", "number") and "belief" not in column.name
        )
        assert [c.name for c in columns if c.name.endswith("_s") and "belief" not in c.name and c.unit != "s"] == []


def test_params_stand_before_skill_and_beliefs_before_the_hash():
    names = [column.name for column in SHEET.columns]
    place = names.index("skill")
    assert names[place - 7 : place] == [f"param_{knob.name}" for knob in SETUP.game.space]
    assert names[-3:] == ["belief_mean", "belief_sd", "state_hash"]
    assert names[names.index("cause") - 1] == "score"
    assert names[names.index("ticks") - 1] == "end_place"
    assert len(names) == len(ATTEMPT_COLUMNS) + 11


def test_values_are_what_people_read():
    rows = some_rows(200)
    table = pa.Table.from_batches([record.attempt_batch(SHEET, rows)])
    kinds = {column.name: column.kind for column in SHEET.columns}
    assert kinds["param_hazards"] == "name"
    assert kinds["param_obstacles"] == "integer"
    shown = table.to_pylist()
    for raw, row in zip(rows, shown, strict=True):
        assert row["game"] == "gap_runner"
        assert row["seed"] == 11
        assert row["source"] == "synthetic"
        assert row["cohort"] == SETUP.cohorts[raw["cohort"]]
        assert row["outcome"] == OUTCOMES[raw["outcome"]]
        assert row["won"] is bool(raw["outcome"] == WON)
        assert row["cause"] == (SETUP.game.causes[raw["cause"]] if raw["outcome"] == LOST else None)
        assert row["clipped"] is bool(raw["clipped"])
        for j, knob in enumerate(SETUP.game.space):
            assert row[f"param_{knob.name}"] == knob.shown(raw["params"][j])
        for j, name in enumerate(BELIEFS):
            value = row[f"belief_{name}"]
            assert value is None if math.isnan(raw["beliefs"][j]) else value == raw["beliefs"][j]


def test_csv_floats_give_the_same_bits_back():
    rows = some_rows(3000)
    text = as_csv([record.attempt_batch(SHEET, rows)])
    assert b"\r" not in text
    assert text.endswith(b"\n")
    read = list(csv.DictReader(io.StringIO(text.decode())))
    assert len(read) == len(rows)
    for name in ("start_s", "skill", "mood", "progress", "score"):
        assert [bits(float(row[name])) for row in read] == [bits(value) for value in rows[name]]
    assert {row["won"] for row in read} == {"true", "false"}
    assert {row["cause"] for row in read} == {"", *SETUP.game.causes}
    assert [row["belief_sd"] == "" for row in read] == list(np.isnan(rows["beliefs"][:, 1]))


def test_csv_and_parquet_hold_the_same_values(tmp_path):
    batches = [record.attempt_batch(SHEET, some_rows(700, seed)) for seed in (1, 2)]
    tables = []
    for name, content in (("rows.csv", as_csv(batches)), ("rows.parquet", as_parquet(batches))):
        (tmp_path / name).write_bytes(content)
        tables.append(pa.Table.from_batches(record.read_batches(tmp_path / name, SHEET.columns)))
    assert [field.type for field in tables[0].schema] == [field.type for field in record.schema_of(SHEET.columns)]
    assert tables[0].schema.equals(tables[1].schema) or tables[0].schema.names == tables[1].schema.names
    for name in tables[0].column_names:
        left, right = (table[name].to_pylist() for table in tables)
        if isinstance(left[0], float):
            left, right = ([None if value is None else bits(value) for value in side] for side in (left, right))
        assert left == right, name


def test_parquet_bytes_do_not_depend_on_how_rows_arrive():
    rows = some_rows(5000)
    whole = as_parquet([record.attempt_batch(SHEET, rows)])
    parts = as_parquet(record.attempt_batch(SHEET, rows[first : first + 700]) for first in range(0, 5000, 700))
    assert whole == parts


def test_parquet_groups_are_large_and_all_rows_are_there(monkeypatch):
    assert record.ROW_GROUP >= 250_000
    monkeypatch.setattr(record, "ROW_GROUP", 1000)
    rows = some_rows(3300)
    content = as_parquet(record.attempt_batch(SHEET, rows[first : first + 400]) for first in range(0, 3300, 400))
    file = parquet.ParquetFile(io.BytesIO(content), page_checksum_verification=True)
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == [1000, 1000, 1000, 300]
    assert file.read()["state_hash"].to_pylist() == rows["state_hash"].tolist()


def test_a_table_without_rows_still_has_its_columns(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(as_parquet([]))
    assert parquet.read_schema(tmp_path / "rows.parquet").names == [column.name for column in SHEET.columns]
    (tmp_path / "rows.csv").write_bytes(as_csv([record.attempt_batch(SHEET, some_rows(0))]))
    assert (tmp_path / "rows.csv").read_bytes() == record.csv_header(SHEET.columns)


def test_a_stream_comes_back_as_it_was(tmp_path):
    batches = [record.attempt_batch(SHEET, some_rows(50, seed)) for seed in (1, 2)]
    with open(tmp_path / "part.arrow", "wb") as file:
        record.write_stream(file, SHEET.columns, batches)
    assert [batch.equals(other) for batch, other in zip(record.read_stream(tmp_path / "part.arrow"), batches)] == [
        True,
        True,
    ]


def test_a_file_with_other_columns_is_refused(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    with pytest.raises((ValueError, KeyError)):
        list(record.read_batches(tmp_path / "rows.csv", SHEET.columns))


@pytest.mark.parametrize("word", ["a,b", 'a"b', "a\nb", "=1+1", "-1", "+1", "@x", "", "\ufeffa", "a" * 201])
def test_a_word_that_could_break_a_table_is_refused(word):
    with pytest.raises(ScenarioError, match="cause: a word in a row must begin with"):
        record.Sheet("attempts", ATTEMPT_COLUMNS, (), {"cause": (word,)})


@pytest.mark.parametrize("names", [("a,b",), ("two words",), ("mean", "mean"), ("=1",)])
def test_a_belief_that_is_no_name_of_a_column_is_refused(names):
    with pytest.raises(ScenarioError, match="attempts: the names of columns are different words") as caught:
        record.attempt_sheet(SETUP, names)
    assert f"got 'belief_{names[0]}'" in str(caught.value)


def test_what_a_person_can_do_is_not_known():
    rows = some_rows(3)
    for name in Faculties._fields:
        rows[name] = math.nan
    shown = record.attempt_batch(SHEET, rows).to_pylist()
    assert {row[name] for row in shown for name in Faculties._fields} == {None}
    unknown = {column.name for column in ATTEMPT_COLUMNS if "empty for a person" in column.meaning}
    assert unknown == set(Faculties._fields)
    assert all(column.optional for column in ATTEMPT_COLUMNS if column.name in unknown)
    assert as_parquet([record.attempt_batch(SHEET, rows)])


def test_batches_load_no_pandas():
    """It would cost each worker half a second and 70 MB."""
    code = (
        "import sys; import numpy as np; from engine import record; from tests.kit.small import setup; "
        "record.session_batch(record.session_sheet(setup()), 0, np.zeros(3, record.SESSION)); "
        "print(sorted({'pandas', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "['pyarrow']\n"


@pytest.mark.parametrize("missing", [(), (2,), range(11)])
def test_arrays_made_of_buffers_are_those_that_pyarrow_makes(missing):
    mask = np.isin(np.arange(11), missing)
    for values in (
        np.linspace(-1.0, 1.0, 22)[::2],
        np.arange(11),
        np.arange(11, dtype=np.int32),
        np.arange(11) % 3 > 0,
    ):
        made = record._array(values, mask)
        made.validate(full=True)
        assert made.equals(pa.array(values, mask=mask))
        assert record._array(values[:0]).equals(pa.array(values[:0]))
    words = record._words(("a", "Größe", "long one"))
    words.validate(full=True)
    assert words.equals(pa.array(["a", "Größe", "long one"]))


def test_players_and_sessions_add_up():
    players = np.zeros(3, PLAYER)
    players["player"], players["cohort"] = [0, 1, 10_000_000], [0, 0, 1]
    players["attempts"], players["left"] = [5, 0, 2], [QUIT, QUIT + 2, QUIT]
    for name in TRAIT_NAMES:
        players[name] = [0.5, math.nan, 1.5]
    sessions = np.zeros(3, SESSION)
    sessions["player"], sessions["cohort"] = [0, 0, 10_000_000], [0, 0, 1]
    sessions["attempts"], sessions["wins"] = [3, 2, 2], [1, 2, 0]
    sessions["end_s"], sessions["ended_by"] = [50.0, 900.0, 70.0], [1, QUIT, QUIT]
    sheet = record.player_sheet(SETUP)
    rows = record.player_batch(sheet, 4, players, np.array([1.0, 2.0, 3.0]), sessions).to_pylist()
    assert [row["wins"] for row in rows] == [3, 0, 0]
    assert [row["sessions"] for row in rows] == [2, 0, 1]
    assert [row["end_s"] for row in rows] == [900.0, 2.0, 70.0]
    assert [row["left"] for row in rows] == [LEAVINGS[QUIT], LEAVINGS[QUIT + 2], LEAVINGS[QUIT]]
    assert [row["cohort"] for row in rows] == ["new", "new", "old"]
    assert [row["trait_slip"] for row in rows] == [0.5, None, 1.5]
    assert {row["replica"] for row in rows} == {4}
    visits = record.session_batch(record.session_sheet(SETUP), 4, sessions).to_pylist()
    assert [row["ended_by"] for row in visits] == ["session_end", "quit", "quit"]
    assert [row["session"] for row in visits] == [0, 0, 0]


def test_every_belief_of_a_built_in_controller_has_a_unit():
    catalog, logistic = Catalog(), setup()
    seen = set()
    for entry in catalog.controllers():
        kind = catalog.controller(entry.name)
        choice = dataclasses.replace(logistic, kind=kind, options=kind.options(), scope=kind.scopes[0])
        for column in record.attempt_sheet(choice, belief_columns(choice)).columns:
            if column.name.startswith("belief_"):
                assert column.unit, f"{entry.name}: {column.name}"
                seen.add(column.unit)
    assert seen == {"1", "dial", "dial^2"}


def test_a_belief_without_a_known_unit_is_no_plain_number():
    assert (record.belief_column("luck").unit, record.belief_column("luck", {"luck": "dial"}).unit) == ("", "dial")
