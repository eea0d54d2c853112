"""The layout of the window of play, in pixels."""

from __future__ import annotations

from typing import Final

from sims.window.canvas import WIDTH, Box
from sims.window.panels import (
    MARGIN,
    in_sight,
)

VIEW: Final = Box(MARGIN, 68, 912, 513)

SIDE: Final = Box(MARGIN + 912 + 16, 68, WIDTH - 2 * MARGIN - 928, 586)

DEMO: Final = Box(MARGIN + 42, 156, 400, 225)

CHOICE: Final = Box(600, 156, 640, 312)

AIM: Final = Box(600, 480, 640, 104)

TARGET: Final = Box(614, 534, 612, 30)  # a click here sets the target; the bar is in its middle

START: Final = Box(600, 600, 640, 48)

_BESIDE: Final = 500  # pixels, of the column left of the choices

_ROWS: Final = 5  # visible controllers

_ROW: Final = 34  # pixels

_SCALE: Final = 3.5  # logits, half the width of the skill scale


def choice_rows(kinds: int, chosen: int) -> list[tuple[int, Box]]:
    """The visible controllers of the start screen: their numbers and boxes."""
    x, y, width = CHOICE.x + 14, CHOICE.y + 42, CHOICE.width - 28
    return [
        (number, Box(x, y + (_ROW + 2) * place, width, _ROW))
        for place, number in enumerate(in_sight(kinds, chosen, _ROWS))
    ]
