"""Colours of the window, and the picture of a scene between two ticks. Does not use pygame.

Chart and game colours are those of Okabe and Ito (2008, "Color Universal Design"), which people with any kind of
colour vision can distinguish. Green and blue are a little brighter here, for a dark background. Colour is never the
only signal: shapes, words and positions repeat it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.game import Shape

Colour = tuple[int, int, int]

PAPER: Final[Colour] = (11, 19, 28)
CARD: Final[Colour] = (19, 31, 43)
RAISED: Final[Colour] = (33, 50, 66)
LINE: Final[Colour] = (58, 78, 96)
INK: Final[Colour] = (236, 241, 245)
QUIET: Final[Colour] = (154, 171, 186)

ORANGE: Final[Colour] = (230, 159, 0)
SKY: Final[Colour] = (86, 180, 233)
GREEN: Final[Colour] = (36, 181, 137)
YELLOW: Final[Colour] = (240, 228, 66)
BLUE: Final[Colour] = (55, 140, 205)
VERMILLION: Final[Colour] = (226, 99, 28)
PURPLE: Final[Colour] = (204, 121, 167)

RATE: Final = SKY
WANTED: Final = GREEN
DIAL: Final = ORANGE

ROLES: Final[dict[str, Colour]] = {
    "player": SKY,
    "danger": VERMILLION,
    "ground": (61, 80, 97),
    "sky": (24, 42, 60),
    "far": (42, 62, 81),
    "good": GREEN,
    "goal": YELLOW,
    "text": INK,
    "accent": ORANGE,
    "neutral": (134, 149, 163),
}
SKY_TOP: Final[Colour] = (16, 28, 43)
SKY_BELOW: Final[Colour] = (35, 60, 82)
FLAT: Final = frozenset(("sky", "ground", "far"))  # the background has square corners

_LARGEST_GLIDE: Final = 0.2  # of the view; shapes farther apart are two objects, not one that moved


def blend(before: Sequence[Shape], after: Sequence[Shape], share: float) -> Sequence[Shape]:
    """Interpolate between the shapes of two states; shapes without a match stay as they were.

    share: [0, 1]; 0 is `before`. Two shapes match when they have the same index in lists of the same length, and the
    same kind, role and text.
    """
    if share <= 0.0 or len(before) != len(after):
        return before
    if share >= 1.0:
        return after
    return [_glided(a, b, share) for a, b in zip(before, after, strict=True)]


def _glided(a: Shape, b: Shape, share: float) -> Shape:
    if a.kind != b.kind or a.role != b.role or a.text != b.text:
        return a
    if abs(a.x - b.x) > _LARGEST_GLIDE or abs(a.y - b.y) > _LARGEST_GLIDE:
        return a
    rest = 1.0 - share
    return Shape(
        a.kind,
        rest * a.x + share * b.x,
        rest * a.y + share * b.y,
        rest * a.width + share * b.width,
        rest * a.height + share * b.height,
        a.role,
        a.text,
    )
