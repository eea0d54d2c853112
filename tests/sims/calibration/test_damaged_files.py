"""Damaged files of plays: refused in sentences that name the place, or read without the damage; never a traceback."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.errors import FlowdialError, ScenarioError
from sims.calibration.histories import histories_of
from sims.calibration.play_files.play_file import read_play_file
from sims.calibration.play_files.play_table import read_play_table
from sims.cli.app import main
from tests.kit.plays import Truth, planted

P = planted(80, Truth(levels=4, seed=9), most=15)
FRAME = pd.DataFrame(
    {
        "player": P.player,
        "level": P.level + 1,
        "won": P.won,
        "order": P.order,
        "session": P.session,
        "param_size": 3.0 * P.level + P.order % 2,
    }
)
TEXT = FRAME.to_csv(index=False)
JUNK = [
    "",
    "NaN",
    "-1",
    "1e400",
    "maybe",
    '"',
    "é",
    "\x00",
    "1,1",
    "  ",
    "2024-13-45",
    "0x10",
    "９",
    "=1+1",
    "-",
    "inf",
]


def damaged(kind, dice):
    """One file with one kind of damage."""
    lines = TEXT.splitlines()
    row, column = int(dice.integers(1, len(lines))), int(dice.integers(FRAME.shape[1]))
    match kind:
        case "cell":
            cells = lines[row].split(",")
            cells[column] = JUNK[int(dice.integers(len(JUNK)))]
            lines[row] = ",".join(cells)
        case "byte":
            data = bytearray(TEXT.encode())
            data[int(dice.integers(len(data)))] = int(dice.integers(256))
            return bytes(data)
        case "cut":
            return TEXT.encode()[: int(dice.integers(len(TEXT)))]
        case "header":
            names = lines[0].split(",")
            names[column] = JUNK[int(dice.integers(len(JUNK)))]
            lines[0] = ",".join(names)
        case "column":
            lines = [",".join(cell for j, cell in enumerate(line.split(",")) if j != column) for line in lines]
        case "line":
            lines.insert(row, JUNK[int(dice.integers(len(JUNK)))] * int(dice.integers(1, 9)))
        case "gzip":
            data = bytearray(gzip.compress(TEXT.encode(), mtime=0))
            data[int(dice.integers(len(data)))] ^= 1 << int(dice.integers(8))
            return bytes(data)
        case "parquet":
            buffer = io.BytesIO()
            FRAME.to_parquet(buffer)
            data = bytearray(buffer.getvalue())
            data[int(dice.integers(len(data)))] ^= 1 << int(dice.integers(8))
            return bytes(data)
    return "\n".join(lines).encode()


KINDS = ("cell", "byte", "cut", "header", "column", "line", "gzip", "parquet")


def try_files(count, seed, folder):
    """Read so many damaged files; returns how many were refused."""
    dice = np.random.default_rng(seed)
    path = folder / "plays.csv"
    refused = 0
    for k in range(count):
        kind = KINDS[k % len(KINDS)]
        path.write_bytes(damaged(kind, dice))
        said = ""
        try:
            table = read_play_table(read_play_file(path), {}, keep_ids=k % 2 == 0)
            plays = table.plays
            assert plays is not None
            histories = histories_of(plays)
        except FlowdialError as fault:
            said = str(fault)
        refused += said != ""
        assert all(0 < len(line) < 600 for line in said.split("\n") if said)
        if said:
            assert kind != "cell" or " row " in said, said
            continue
        assert histories.rows <= len(FRAME) + 1
        assert set(np.unique(histories.won)) <= {0, 1}
        assert np.isfinite(histories.features).all()
        assert np.isfinite(table.level_features).all()
        assert len(table.ids) >= (histories.players if k % 2 == 0 else 0)
    return refused


def test_damaged_files_are_refused_in_sentences(tmp_path):
    assert 40 < try_files(240, 5, tmp_path) < 240


@pytest.mark.thorough
def test_two_thousand_damaged_files(tmp_path):
    assert 0 < try_files(2_000, 6, tmp_path) < 2_000


def test_a_text_that_would_fill_the_memory_is_refused(tmp_path):
    """Some kB of Parquet, in which one long text stands in every row: 5 GB when each row gets its own."""
    rows = 50_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * 100_000]))
    columns = {"player": names, "level": np.ones(rows, int), "won": np.ones(rows, int)}
    parquet.write_table(pa.table(columns), tmp_path / "plays.parquet", compression="zstd")
    assert (tmp_path / "plays.parquet").stat().st_size < 100_000
    with pytest.raises(ScenarioError, match="more than 4 GB when it is unpacked"):
        read_play_file(tmp_path / "plays.parquet")


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.csv", "does not exist"), ("~no_such_user/plays.csv", "has no home folder"), (".", "is a directory")],
)
def test_a_path_that_cannot_be_used_is_one_line_and_exit_2(tmp_path, monkeypatch, capsys, name, words):
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", name]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []
