"""Where the attempts of a run ended, as report, compare and JSON tell it: every loss once, each with a row to watch."""

from __future__ import annotations

from collections import Counter

import pytest

from sims import compare, read_run
from sims.reports.report import write_report
from tests.kit.window import small_run

GAMES = ("gap_runner", "boss_duel")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("places")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("game", GAMES)
def test_losses_by_place_and_cause_are_those_of_the_rows(folder, game, kind):
    run = read_run(small_run(folder, game, format=kind))
    rows = run.attempts(["cohort", "level", "end_place", "cause", "outcome"])
    lost = rows[rows["outcome"] != "won"]
    expected = Counter(zip(lost["cohort"], lost["level"], lost["end_place"], lost["cause"]))
    cells = run.losses()
    found = {(c["cohort"], c["level"], c["place"], c["cause"]): c["losses"] for c in cells}
    assert found == expected
    assert sum(found.values()) == len(lost) > 0
    assert run.to_json()["losses"] == cells
    for cell in cells:
        row = rows.iloc[cell["row"]]
        assert (row["end_place"], row["cause"], row["outcome"]) == (cell["place"], cell["cause"], "lost")
        assert cell["reached"] == ((rows["cohort"] == cell["cohort"]) & (rows["end_place"] >= cell["place"])).sum()


def test_the_page_counts_all_losses_and_names_the_noun(folder):
    path = small_run(folder, "gap_runner")
    losses = sum(cell["losses"] for cell in read_run(path).losses())
    page = write_report(path).read_text()
    assert "At which obstacle attempts end" in page
    assert f"Each of the {losses:,} losses is counted at the obstacle where it came" in page


def test_a_game_without_places_has_no_such_part(folder):
    run = read_run(small_run(folder, "logistic"))
    assert run.losses() == []
    assert "losses" not in run.to_json()
    assert "attempts end</h2>" not in run.report_file.read_text()


def test_a_comparison_has_the_losses_of_both_sides_and_rows_of_runs(folder):
    before = small_run(folder, "gap_runner")
    after = small_run(folder / "harder", "gap_runner", controller="weighted_up_down")
    (one,) = compare(before, after).to_json()["comparisons"]
    for side, path in (("before", before), ("after", after)):
        cells = {(c["cohort"], c["place"], c["cause"]): c for c in read_run(path).losses()}
        told = {(c["cohort"], c["place"], c["cause"]): c for c in one["places"] if c[f"losses_{side}"]}
        assert {key: c[f"losses_{side}"] for key, c in told.items()} == {key: c["losses"] for key, c in cells.items()}
        assert {key: c[f"row_{side}"] for key, c in told.items()} == {key: c["row"] for key, c in cells.items()}
