"""The card with the verdict table: at the end of a watch, or when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sims.verdict.verdict import HEADINGS
from sims.window.canvas import HEIGHT, WIDTH, Box, Canvas
from sims.window.palette import CARD, INK, LINE, QUIET
from sims.window.panels import LARGE, SMALL, TINY, key_line, wrap_lines
from sims.window.watching.live_verdict import word_of
from sims.window.watching.watch_charts import paint_word, shorten_name

if TYPE_CHECKING:
    from sims.window.watching.watch_scene import WatchScene

_WIDTH: Final = 1140.0
_ROW: Final = 40.0
_MOST_ROWS: Final = 6
_MOST_LINES: Final = 9  # of the sentences
_LINE: Final = 24.0
# Where columns begin, or end where numbers are; in the order of HEADINGS.
_COLUMNS: Final = ((0.0, 0.0), (240.0, 1.0), (265.0, 0.0), (425.0, 0.0), (800.0, 1.0), (965.0, 1.0), (1100.0, 1.0))
_NAME: Final = 150.0
_VERDICT: Final = HEADINGS.index("verdict")


def paint_verdict_card(scene: WatchScene, canvas: Canvas) -> None:
    """Paint the table over the wall, with the words of the charts and the sentences that `run` would say."""
    found = scene.live_verdict.verdict
    canvas.veil(Box(0, 0, WIDTH, HEIGHT), (0, 0, 0), 0.7)
    shown = () if found is None else found.rows[:_MOST_ROWS]
    lines = () if found is None else found.lines
    said = "No attempt was played yet." if found is None else found.text
    sentences = wrap_lines(canvas, said, SMALL, _WIDTH - 60)
    if len(sentences) > _MOST_LINES:
        sentences = [*sentences[: _MOST_LINES - 1], f"{sentences[_MOST_LINES - 1]} …"]
    high = 156 + _ROW * len(shown) + _LINE * len(sentences)
    box = Box((WIDTH - _WIDTH) / 2, (HEIGHT - high) / 2, _WIDTH, high)
    canvas.rect(box, CARD, radius=14)
    canvas.rect(box, LINE, radius=14, border=1)
    x, y = box.x + 20, box.y + 18
    title = "No players left: the verdict" if scene.over else "The verdict so far"
    canvas.text(title, x, y, LARGE, INK, bold=True)
    attempts = f"{scene.rolling_rates[-1].attempts:,} attempts"
    canvas.text(attempts, box.x + box.width - 20, y + 6, SMALL, QUIET, align=1.0)
    y += 48
    for heading, (at, align) in zip(HEADINGS, _COLUMNS, strict=True):
        canvas.text(heading, x + at, y, TINY, QUIET, align=align)
    y += 26
    for row, cells in zip(shown, lines, strict=False):
        canvas.rect(Box(x, y, box.width - 40, 1), LINE)
        for column, (words, (at, align)) in enumerate(zip(cells, _COLUMNS, strict=True)):
            if column == _VERDICT:
                paint_word(canvas, word_of(row), x + at, y + 9, SMALL)
            else:
                named = shorten_name(canvas, words, _NAME, SMALL) if column == 0 else words
                canvas.text(named, x + at, y + 9, SMALL if column < 2 else TINY, INK, align=align, bold=column == 0)
        y += _ROW
    y += 12
    for line in sentences:
        canvas.text(line, x, y, SMALL, INK)
        y += _LINE
    keys = ((("return",), "end"), (("v",), "back to the wall")) if scene.over else ((("v",), "back to the wall"),)
    key_line(canvas, keys, x, box.y + box.height - 38)
