"""Files of a comparison of controllers: a table of score cards, and a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sims.arena.score_card import COLUMNS, ScoreLine, score_row
from sims.run_folder.files import sync_folder, write_file

SCORES: Final = "scores.csv"
SCORE_PAGE: Final = "scores.html"
STANDINGS_PAGE: Final = "arena.html"
GAIN_PAGE: Final = "gains.html"


def write_scores(folder: Path, lines: Sequence[ScoreLine]) -> None:
    """Write the score cards as CSV, one line for each controller on each course, and for each of its cohorts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows([["" if value is None else value for value in score_row(line)] for line in lines])
    write_file(folder / SCORES, text.getvalue().encode())
    sync_folder(folder)


def write_page(path: Path, page: str) -> None:
    """Write a page into a folder."""
    write_file(path, page.encode())
    sync_folder(path.parent)
