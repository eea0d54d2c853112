"""The layout of two walls side by side, in units of the picture."""

from __future__ import annotations

from typing import Final

from sims.window.canvas import WIDTH, Box
from sims.window.panels import MARGIN

PLACES: Final = 6  # of each side
VIEW_WIDTH: Final = 204
VIEW_HEIGHT: Final = 115
CAPTION: Final = 24
_GAP: Final = 8
_TOP: Final = 104
_COLUMNS: Final = 2
WALL_WIDTH: Final = _COLUMNS * VIEW_WIDTH + (_COLUMNS - 1) * _GAP
WALLS: Final = (float(MARGIN), float(WIDTH - MARGIN - WALL_WIDTH))  # left edges
WALL_END: Final = _TOP + PLACES // _COLUMNS * (VIEW_HEIGHT + CAPTION + _GAP)
MIDDLE: Final = Box(MARGIN + WALL_WIDTH + 14, 68, WIDTH - 2 * (MARGIN + WALL_WIDTH + 14), 598)


def place_box(side: int, number: int) -> Box:
    """The box of a player of one side, with its caption."""
    row, column = divmod(number, _COLUMNS)
    x, y = WALLS[side] + column * (VIEW_WIDTH + _GAP), _TOP + row * (VIEW_HEIGHT + CAPTION + _GAP)
    return Box(x, y, VIEW_WIDTH, VIEW_HEIGHT + CAPTION)


def verdict_box(side: int) -> Box:
    """The box below a wall."""
    return Box(WALLS[side], WALL_END + 2, WALL_WIDTH, MIDDLE.y + MIDDLE.height - WALL_END - 2)
