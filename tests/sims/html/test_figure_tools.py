"""The script of a page: its policy lets it run, and nothing else; pictures carry their numbers."""

from __future__ import annotations

import csv
import html
import re
import shutil
import subprocess

import pytest

from sims.html.charts import ChartPoint, Line, band_chart, histogram, line_chart, lines_chart
from sims.html.figure_tools import DIGEST, SCRIPT
from sims.html.forest_plot import Estimate, forest_plot
from sims.html.markup import Markup
from sims.html.page import document, figure
from sims.html.row_charts import Mark, Track, interval_rows, stacked_bars, strips

POINTS = [ChartPoint(1.0, 0.25, 0.125, 0.5), ChartPoint(2.0, 0.75, 0.5, 0.875)]
LABELS = ("attempt", "win rate")
PICTURES = {
    "line": (
        line_chart(POINTS, "rate", LABELS, (0.0, 1.0)),
        [["attempt", "win rate", "low", "high"], ["1", "0.25", "0.125", "0.5"], ["2", "0.75", "0.5", "0.875"]],
    ),
    "lines": (
        lines_chart([Line("a, b", [(1.0, 0.5)]), Line("c", [(2.0, 0.25)])], LABELS),
        [["line", "attempt", "win rate"], ["a, b", "1", "0.5"], ["c", "2", "0.25"]],
    ),
    "band": (
        band_chart(POINTS[:1], [(2.0, 0.5)], LABELS),
        [["what", *LABELS, "low", "high"], ["expected", "1", "0.25", "0.125", "0.5"], ["seen", "2", "0.5", "", ""]],
    ),
    "histogram": (
        histogram([0.25, 0.75], [0.0, 1.0, 2.0], "rate", LABELS),
        [["from", "to", "win rate"], ["0", "1", "0.25"], ["1", "2", "0.75"]],
    ),
    "rows": (
        interval_rows([Track("new", [Mark("before", 0.5, 0.25, 0.75, "rate")])], (0.0, 1.0)),
        [["row", "name", "value", "low", "high"], ["new", "before", "0.5", "0.25", "0.75"]],
    ),
    "bars": (
        stacked_bars([("new", [0.25, 0.75])], ["gap", "spike"]),
        [["row", "part", "share"], ["new", "gap", "0.25"], ["new", "spike", "0.75"]],
    ),
    "strips": (
        strips([("new", [0.25, 0.75])], "rate", "losses"),
        [["row", "from", "to", "share of losses"], ["new", "0", "0.5", "0.25"], ["new", "0.5", "1", "0.75"]],
    ),
    "forest": (
        forest_plot([Estimate("elo", 0.5, float("nan"), float("nan"), "rate", "circle")], (0.0, 1.0), ".2f"),
        [["name", "value", "low", "high"], ["elo", "0.5", "", ""]],
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_carries_its_numbers(name):
    drawn, rows = PICTURES[name]
    (found,) = re.findall(r'data-numbers="([^"]*)"', drawn)
    assert list(csv.reader(html.unescape(found).splitlines())) == rows


def test_the_policy_allows_the_script_of_the_page_and_no_other():
    page = document("Title", figure("Label", PICTURES["line"][0], "meaning"))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src '{DIGEST}'" in html.unescape(policy)
    assert re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL) == [SCRIPT]
    assert not re.search(r"(src|href)=|@import|https?://(?!www\.w3\.org)", SCRIPT)


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_runs_the_script_and_no_other(tmp_path):
    strange = Markup("<script>document.title = 'strange'</script>")
    page = tmp_path / "page.html"
    page.write_text(document("Title", strange, figure("Label", PICTURES["line"][0], "meaning")), encoding="utf-8")
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*words, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert "<title>Title - Flowdial</title>" in done.stdout
    buttons = re.findall(r"<button[^>]*>(\w+)</button>", done.stdout)
    assert buttons == ["SVG", "PNG", "CSV"]
