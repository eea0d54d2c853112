"""The examples of the docs keep what the docs say of them: how long they are, how they are lost, what they draw.

That game and controller keep their contracts, and run, stands in test_stranger.py, where they are installed.
"""

from __future__ import annotations

import runpy
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from docs.examples.coin_river import GAME
from engine.attempt import Result, attempt_of
from engine.contract.game_rules import faculties_at, values_at
from engine.game import LOST
from engine.scenario import parse
from sims.catalog import Catalog
from sims.runs.execution import run
from sims.runs.export import export
from tests.kit.places import ROOT
from tests.kit.small import TEXT, scenario

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"


@pytest.mark.parametrize(
    ("name", "page", "lines"),
    [("coin_river", "game_authors_guide", 150), ("cooling_steps", "controller_authors_guide", 45)],
)
def test_an_example_is_as_short_as_its_guide_says(name, page, lines):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < lines
    assert f"fewer than {lines} lines" in " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())


def test_the_game_can_be_lost_in_both_ways_and_its_progress_is_graded():
    attempt = attempt_of(GAME)
    ended = [
        Result(*attempt(values_at(GAME, difficulty), faculties_at(0.0), 1, 0, player, 0, 0))
        for difficulty in (0.6, 0.7)
        for player in range(200)
    ]
    lost = [result for result in ended if result.outcome == LOST]
    assert {result.cause for result in lost} == {0, 1}
    assert len({result.progress for result in lost}) > 50
    assert max(result.progress for result in lost) < 1.0
    assert min(result.ticks for result in lost) < 0.8 * max(result.ticks for result in lost), "wrecked before the end"


CAMPAIGN = '[levels]\nkind = "campaign"\ncount = 3\n[target]\nlevels = [0.9, 0.7, 0.5]\n'


@pytest.mark.parametrize(("form", "campaign"), [("csv", False), ("parquet", False), ("csv", True)])
def test_the_charts_of_a_run_are_drawn(tmp_path, monkeypatch, form, campaign):
    """From both forms; and from a campaign with a target for each level."""
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    text = TEXT.format(game="gap_runner", controller="weighted_up_down", players=40, attempts=60)
    text = text.replace("[target]\nwin_rate = 0.6\n", CAMPAIGN) if campaign else text
    chosen = parse(text.encode(), "small.toml", Catalog())
    assert run(chosen, out=tmp_path / "run", workers=1, format=form).faults == {}
    picture = tmp_path / "charts.png"
    monkeypatch.setattr(sys, "argv", ["analyse_run.py", str(tmp_path / "run"), str(picture)])
    with mpl.rc_context({"backend": "agg"}):
        found = runpy.run_path(str(EXAMPLES / "analyse_run.py"))
    with Image.open(picture) as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100
    attempts = found["attempts"]
    charts = found["charts"]
    assert [chart.get_title() for chart in charts[0]] == ["new", "old"]
    for column, cohort in enumerate(("new", "old")):
        mine = attempts[attempts["cohort"] == cohort]
        counted = sum(patch.get_height() for patch in charts[2][column].patches)
        assert counted == (~mine["won"]).sum() > 0
        spread = sum(patch.get_height() for patch in charts[1][column].patches[:50])
        assert spread <= mine["player"].nunique()
        assert spread > 0 or campaign, "who finishes a campaign soon is not judged"
        line = charts[0][column].get_lines()[0]
        assert len(line.get_xdata()) > (3 if campaign else 5), "who finishes a campaign soon makes few attempts"


def test_the_example_counts_players_not_attempts(tmp_path, monkeypatch):
    """Its interval against that of the means of players who all made equally many attempts."""
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    assert run(scenario(players=40, attempts=60), out=tmp_path / "run", workers=1).faults == {}
    monkeypatch.setattr(sys, "argv", ["analyse_run.py", str(tmp_path / "run"), str(tmp_path / "charts.png")])
    with mpl.rc_context({"backend": "agg"}):
        win_rate = runpy.run_path(str(EXAMPLES / "analyse_run.py"))["win_rate"]
    won = np.random.default_rng(5).random((30, 50)) < np.linspace(0.2, 0.9, 30)[:, None]
    rows = pd.DataFrame({"replica": 0, "player": np.repeat(np.arange(30), 50), "won": won.ravel()})
    rate, half = win_rate(rows)
    assert rate == pytest.approx(won.mean())
    assert half == pytest.approx(2.04523 * won.mean(axis=1).std(ddof=1) / np.sqrt(30), rel=1e-5)
    assert half > 2.0 * 2.04523 * np.sqrt(rate * (1 - rate) / won.size)


def test_every_table_of_a_run_can_be_loaded_from_both_forms_alike(tmp_path, monkeypatch):
    """A whole number that is missing, as where no further players would help, stays missing and the others whole."""
    monkeypatch.setattr("sims.reports.report.report_page", lambda facts: "cheap")
    assert run(scenario(players=40, attempts=20), out=tmp_path / "run", workers=1).faults == {}
    other = export(tmp_path / "run", "parquet", tmp_path / "other")
    monkeypatch.setattr(sys, "argv", ["analyse_run.py", str(tmp_path / "run"), str(tmp_path / "charts.png")])
    with mpl.rc_context({"backend": "agg"}):
        load = runpy.run_path(str(EXAMPLES / "analyse_run.py"))["load"]
    for table in ("attempts", "sessions", "players", "summary"):
        own, same = load(tmp_path / "run", table), load(other, table)
        # Parquet knows all the words of a column, CSV those that it has.
        words = [name for name in own if own[name].dtype == "category"]
        pd.testing.assert_frame_equal(
            own.astype(dict.fromkeys(words, object)), same.astype(dict.fromkeys(words, object)), check_exact=True
        )
    assert load(tmp_path / "run", "summary")["more_players"].isna().any()
