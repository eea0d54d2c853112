"""docs/python_api.md: its code runs as it stands, in a fresh folder, and results show themselves in a notebook."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from sims import read_run, run
from sims.runs.run import Run
from tests.kit.places import ROOT
from tests.kit.small import scenario

PAGE = (ROOT / "docs" / "python_api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def in_a_fresh_folder(tmp_path, monkeypatch, words, text=None) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = subprocess.run(
        [sys.executable, *words], input=text, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.mark.thorough
def test_the_code_of_the_page_runs_one_block_after_the_other(tmp_path, monkeypatch):
    said = in_a_fresh_folder(tmp_path, monkeypatch, ["-"], "\n".join(BLOCKS))
    assert "newcomers" in said
    assert "120 of 120" in said, "the callback of the page"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["quickstart-001", "quickstart-002"]


def test_the_tour_runs(tmp_path, monkeypatch):
    said = in_a_fresh_folder(tmp_path, monkeypatch, [str(ROOT / "docs" / "examples" / "first_run.py")])
    assert "100 of 100 replayed rows are equal" in said


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Run:
    return run(scenario(players=6, attempts=40), out=tmp_path_factory.mktemp("surface") / "run", workers=1)


def test_a_run_is_one_line_as_text_and_a_table_in_a_notebook(small):
    assert "\n" not in repr(small)
    page = small._repr_html_()
    assert page.count("<tr>") == 3
    assert small.verdict.sentences[0] in page


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_have_the_types_of_the_data_package_in_both_forms(small, tmp_path, form):
    other = run(scenario(players=6, attempts=40), out=tmp_path / "run", workers=1, format=form)
    for name in ("attempts", "players", "sessions", "summary"):
        one, two = getattr(small, name)(), getattr(other, name)()
        assert list(one.columns) == list(two.columns)
        assert [kind.name for kind in one.dtypes] == [kind.name for kind in two.dtypes]
        assert len(one)
        for column in one.columns:
            assert one[column].astype(object).equals(two[column].astype(object)), (name, column)


def test_columns_are_those_that_were_asked_for(small):
    assert list(small.attempts(["won", "cohort"]).columns) == ["won", "cohort"]


def test_a_row_is_played_again_with_its_states(small):
    row = small.row(3)
    assert row.equal
    assert len(row.states) == row.to_json()["ticks"] + 1
    assert row.shapes(0)


def test_an_opened_run_is_the_run_that_was_played(small):
    assert read_run(small.folder) == small
    assert read_run(str(small.folder)).to_json() == small.to_json()
