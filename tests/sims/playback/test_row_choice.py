"""A row that somebody has edited, or made up, is refused by its name before anything is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RunFolderError
from sims.playback.row_choice import choose_row
from sims.runs.execution import run
from tests.kit.small import scenario

ROW = 3


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[str]:
    """A table of attempts: its header and rows."""
    folder: Path = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
        assert run(scenario(players=2, attempts=10), out=folder / "run", workers=1).faults == {}
    return (folder / "run" / "attempts.csv").read_text().splitlines()


def edited(lines: list[str], column: str, text: str) -> str:
    cells = lines[ROW + 1].split(",")
    cells[lines[0].split(",").index(column)] = text
    return "\n".join([*lines[: ROW + 1], ",".join(cells), *lines[ROW + 2 :]]) + "\n"


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("player", "one", r"row 3, player: expected .*, got 'one'"),
        ("attempt", "-1", r"row 3, attempt: expected .*, got '-1'"),
        ("difficulty", "nan", r"row 3, difficulty: expected .*, got 'nan'"),
        ("game_version", "99", "row 3: it was played by version 99 of logistic, and here is version .*; use the Flow"),
        ("param_difficulty", "1e9", r"row 3(, param_difficulty: expected .*|: .*difficulty.*)1e"),
        ("source", "synthetic,1", r"row 3, has \d+ cells, expected are \d+"),
    ],
)
def test_a_cell_that_cannot_be_is_named(lines, tmp_path, column, text, told):
    path = tmp_path / "attempts.csv"
    path.write_text(edited(lines, column, text))
    assert choose_row(path, row=ROW - 1).address.attempt == ROW - 1
    with pytest.raises(RunFolderError, match=told) as caught:
        choose_row(path, row=ROW)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(("column", "text"), [("progress", "far"), ("start_s", "soon")])
def test_a_column_that_cannot_be_searched_is_told(lines, tmp_path, column, text):
    path = tmp_path / "attempts.csv"
    path.write_text(edited(lines, column, text))
    pick = {"progress": "closest loss", "start_s": "last loss"}[column]
    with pytest.raises(RunFolderError, match=rf"attempts\.csv cannot be read: .*'{text}'"):
        choose_row(path, pick=pick)
