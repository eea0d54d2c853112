"""The column win_chance: on request only, the closed form of each row, and nothing else changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.scenario import parse
from sims.catalog import Catalog
from sims.playback.row_choice import choose_row
from sims.run_folder.data_package import read_package
from sims.runs.execution import resume, run
from sims.runs.verification import verify
from tests.kit.small import TEXT

ASKED = "\n[record]\nwin_chance = true\n"


def small(game="logistic", record=ASKED, controller="kalman"):
    text = TEXT.format(game=game, controller=controller, players=20, attempts=40) + record
    return parse(text.encode(), "small.toml", Catalog())


@pytest.fixture(autouse=True)
def cheap_pages(monkeypatch):
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")


def test_it_changes_nothing_but_the_column_and_no_digest(tmp_path):
    plain, asked = (
        run(small(record=record), out=tmp_path / name, workers=1) for name, record in (("plain", ""), ("asked", ASKED))
    )
    assert small(record="").digest == small().digest
    assert "[record]" not in small(record="").resolved_toml()
    assert "win_chance = true" in small().resolved_toml()
    frame = asked.attempts()
    assert list(frame.columns).index("win_chance") + 1 == list(frame.columns).index("outcome")
    assert frame.drop(columns="win_chance").equals(plain.attempts())
    assert "win_chance" not in (plain.folder / "datapackage.json").read_text()
    for name in ("players.csv", "sessions.csv", "summary.csv"):
        assert (plain.folder / name).read_bytes() == (asked.folder / name).read_bytes()


def test_it_is_the_chance_at_the_setting_played(tmp_path):
    result = run(small(), out=tmp_path / "run", workers=1, format="parquet")
    frame = result.attempts()
    guess = frame["param_guess"]
    ability = 1.0 / (1.0 + np.exp(-frame["slope"] * (frame["skill"] - frame["param_difficulty"])))
    np.testing.assert_allclose(frame["win_chance"], guess + (1.0 - guess - frame["lapse"]) * ability, rtol=1e-9)
    sizes = np.sqrt((frame["win_chance"] * (1.0 - frame["win_chance"])).sum()) / len(frame)
    assert abs(frame["won"].mean() - frame["win_chance"].mean()) < 4.0 * sizes
    (column,) = (one for one in read_package(result.folder).tables[0].sheet.columns if one.name == "win_chance")
    assert (column.unit, column.low, column.high, column.optional) == ("1", 0, 1, True)


def test_its_rows_can_be_verified_replayed_and_resumed(tmp_path):
    folder = run(small(), out=tmp_path / "run", workers=1).folder
    assert verify(folder).equal
    assert choose_row(folder, row=7).cells["win_chance"] > 0.0
    again = folder.rename(tmp_path / "again.partial")
    assert resume(again, workers=1).folder == tmp_path / "again"


def test_a_game_without_a_closed_form_leaves_it_empty_and_says_why(tmp_path):
    said: list[str] = []
    result = run(small("gap_runner"), out=tmp_path / "run", workers=1, on_message=said.append)
    assert result.attempts(["win_chance"])["win_chance"].isna().all()
    assert any("win_chance is empty: gap_runner has no closed form" in sentence for sentence in said)
    assert verify(result.folder, rows=20).equal
    assert math.isnan(result.attempts()["win_chance"].mean())
