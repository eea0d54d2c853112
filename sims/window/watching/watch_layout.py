"""The layout of the window of watch, in pixels."""

from __future__ import annotations

from typing import Final

from sims.window.canvas import HEIGHT, WIDTH, Box
from sims.window.panels import (
    MARGIN,
    in_sight,
)

TOP: Final = 68

GAP: Final = 10

VIEW_WIDTH: Final = 288

VIEW_HEIGHT: Final = 162

CAPTION: Final = 28

GRID_WIDTH: Final = 3 * VIEW_WIDTH + 2 * GAP

GRID_HEIGHT: Final = 3 * (VIEW_HEIGHT + CAPTION) + 2 * GAP

LARGE_VIEW: Final = Box(MARGIN, TOP, GRID_WIDTH, round(GRID_WIDTH * 9 / 16))

SIDE: Final = Box(MARGIN + GRID_WIDTH + 14, TOP, WIDTH - 2 * MARGIN - GRID_WIDTH - 14, GRID_HEIGHT)

_MENU_ROW: Final = 48

_MENU_ROWS: Final = 12  # visible; with its header and its keys the menu then fills the screen


def viewport_box(number: int) -> Box:
    """The box of a viewport of the grid, with its caption."""
    row, column = divmod(number, 3)
    return Box(
        MARGIN + column * (VIEW_WIDTH + GAP),
        TOP + row * (VIEW_HEIGHT + CAPTION + GAP),
        VIEW_WIDTH,
        VIEW_HEIGHT + CAPTION,
    )


def menu_boxes(count: int, chosen: int) -> list[tuple[int, Box]]:
    """The visible controllers of the menu: their numbers and boxes."""
    shown = in_sight(count, chosen, _MENU_ROWS)
    top = HEIGHT / 2 - len(shown) * _MENU_ROW / 2
    return [
        (number, Box(WIDTH / 2 - 480, top + place * _MENU_ROW, 960, _MENU_ROW - 4))
        for place, number in enumerate(shown)
    ]
