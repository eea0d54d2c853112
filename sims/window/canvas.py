"""The canvas of the window: paints in units of a 1280 x 720 picture, on a surface of any size and shape.

Every coordinate, font and line is converted to the pixels of the surface before it is painted, so nothing is ever
resampled. A surface of another shape shows the whole picture in its middle. No letter is painted smaller than
`SMALLEST_LETTERS`; texts of a game that would have to grow too much for that are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import EnvironmentFault
from engine.game import Shape
from sims.window.palette import FLAT, INK, PAPER, ROLES, SKY_BELOW, SKY_TOP, Colour

WIDTH: Final = 1280  # of the picture, in its own units
HEIGHT: Final = 720
SMALLEST_LETTERS: Final = 9  # pixels of the surface, the size of a font
_MOST_GROWN: Final = 1.45  # a game's text that must grow more than this to be readable is left out
_SMALL_DISC: Final = 0.1  # of the width of a game's picture
_BETWEEN: Final = 4  # pixels between two texts on a line
_LINE_HEIGHT: Final = 1.17  # of DejaVu Sans, in units of its size
_MOST_TEXTS: Final = 1500
_REPAIR: Final = "pip uninstall -y pygame pygame-ce && pip install pygame-ce"
_REGULAR: Final = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"  # the same font on every machine
_BOLD: Final = _REGULAR.with_name("DejaVuSans-Bold.ttf")


class Box(NamedTuple):
    """A rectangle in units of the picture, y downward."""

    x: float
    y: float
    width: float
    height: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def inner(self, margin: float) -> Box:
        """The box without a margin on all sides."""
        return Box(self.x + margin, self.y + margin, self.width - 2 * margin, self.height - 2 * margin)


def load_pygame() -> Any:
    """Import pygame. Raises EnvironmentFault with the repair when it is missing, or installed beside pygame-ce."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    repair = f"the window needs pygame-ce without the package pygame beside it; repair with: {_REPAIR}"
    try:
        import pygame
    except ImportError:
        raise EnvironmentFault(repair) from None
    if not getattr(pygame, "IS_CE", False) or not getattr(pygame, "__file__", None) or _both_installed():
        raise EnvironmentFault(repair)
    return pygame


@lru_cache(maxsize=1)
def _both_installed() -> bool:
    from importlib import metadata

    try:
        metadata.distribution("pygame")
    except metadata.PackageNotFoundError:
        return False
    return True


class Canvas:
    """Paints on a surface. All positions and sizes are in units of the 1280 x 720 picture, y downward."""

    def __init__(self, surface: Any) -> None:
        self._pygame = load_pygame()
        self._texts: dict[tuple[str, int, Colour, bool], Any] = {}
        self._fonts: dict[tuple[int, bool], Any] = {}
        self._skies: dict[tuple[int, int], Any] = {}
        self._kept: dict[str, tuple[object, Any]] = {}
        self.fit(surface)

    def fit(self, surface: Any) -> None:
        """Paint on this surface from now on: the whole picture, as large as its shape allows, in the middle."""
        self.surface = surface
        self.size: tuple[int, int] = surface.get_size()
        width, height = self.size
        self.scale: float = min(width / WIDTH, height / HEIGHT)  # pixels of the surface in a unit of the picture
        self._left, self._top = round(0.5 * (width - self.scale * WIDTH)), round(0.5 * (height - self.scale * HEIGHT))
        for of_another_size in (self._texts, self._skies, self._kept):
            of_another_size.clear()

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The position in the picture of a pixel of the surface."""
        return (x - self._left) / self.scale, (y - self._top) / self.scale

    def clear(self, colour: Colour = PAPER) -> None:
        self.surface.fill(colour)

    def rect(self, box: Box, colour: Colour, *, radius: float = 0, border: float = 0) -> None:
        """Paint a filled rectangle; border: only its edge, so wide."""
        rounded = int(radius * self.scale)
        self._pygame.draw.rect(self.surface, colour, self._area(box), self._thick(border), border_radius=rounded)

    def veil(self, box: Box, colour: Colour, strength: float, *, radius: float = 0) -> None:
        """Paint a translucent rectangle; strength: its opacity in [0, 1]."""
        area = self._area(box)
        layer = self._pygame.Surface(area.size, self._pygame.SRCALPHA)
        rounded = int(radius * self.scale)
        self._pygame.draw.rect(layer, (*colour, int(255 * strength)), layer.get_rect(), border_radius=rounded)
        self.surface.blit(layer, area)

    def haze(self, points: Sequence[tuple[float, float]], colour: Colour, strength: float) -> None:
        """Paint a translucent polygon; strength: its opacity in [0, 1]."""
        pixels = [self._point(*point) for point in points]
        left, top = (int(min(pixel[axis] for pixel in pixels)) for axis in (0, 1))
        right, bottom = (int(max(pixel[axis] for pixel in pixels)) + 2 for axis in (0, 1))
        layer = self._pygame.Surface((right - left, bottom - top), self._pygame.SRCALPHA)
        shifted = [(x - left, y - top) for x, y in pixels]
        self._pygame.draw.polygon(layer, (*colour, int(255 * strength)), shifted)
        self.surface.blit(layer, (left, top))

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, width: float = 1) -> None:
        draw = self._pygame.draw.line if x1 == x2 or y1 == y2 else self._pygame.draw.aaline
        draw(self.surface, colour, self._point(x1, y1), self._point(x2, y2), self._thick(width))

    def path(self, points: Sequence[tuple[float, float]], colour: Colour, width: float = 2) -> None:
        """Paint a line through points."""
        if len(points) > 1:
            pixels = [self._point(*point) for point in points]
            self._pygame.draw.lines(self.surface, colour, False, pixels, self._thick(width))
            self._pygame.draw.aalines(self.surface, colour, False, pixels)

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        pixels = [self._point(*point) for point in points]
        self._pygame.draw.polygon(self.surface, colour, pixels)
        self._pygame.draw.aalines(self.surface, colour, True, pixels)

    def circle(self, x: float, y: float, radius: float, colour: Colour, *, border: float = 0) -> None:
        wide = max(radius * self.scale, 1.0)
        self._pygame.draw.aacircle(self.surface, colour, self._point(x, y), wide, self._thick(border))

    def text(
        self,
        words: str,
        x: float,
        y: float,
        size: float,
        colour: Colour = INK,
        *,
        align: float = 0.0,
        bold: bool = False,
    ) -> float:
        """Paint letters `size` units high from y. align: 0 starts them at x, 1 ends them there. Returns the width."""
        picture = self._lettered(words, self._points(size), colour, bold)
        width = float(picture.get_width())
        across, down = self._point(x, y)
        grown = max(picture.get_height() - round(size * self.scale) - 2, 0)  # letters that may not be smaller
        self._write(picture, round(across - align * width), round(down - 0.5 * grown))
        return width / self.scale

    def _write(self, picture: Any, left: int, top: int) -> None:
        """Paint letters on pixels of the surface: the one way in which words come on a picture."""
        self.surface.blit(picture, (left, top))

    def width_of(self, words: str, size: float, *, bold: bool = False) -> float:
        """The width of a text."""
        return float(self._font(self._points(size), bold).size(words)[0]) / self.scale

    @contextmanager
    def clipped(self, box: Box) -> Iterator[None]:
        """Limit painting to a box."""
        before = self.surface.get_clip()
        self.surface.set_clip(self._area(box))
        try:
            yield
        finally:
            self.surface.set_clip(before)

    def grey(self, box: Box) -> None:
        """Remove the colours from a box."""
        part = self.surface.subsurface(self._area(box))
        part.blit(self._pygame.transform.grayscale(part), (0, 0))

    def kept(self, name: str, version: object, box: Box, paint: Callable[[], None]) -> None:
        """Paint a box only when its version has changed; otherwise copy the last picture of it."""
        last = self._kept.get(name)
        area = self._area(box)
        if last is not None and last[0] == version and last[1].get_size() == area.size:
            self.surface.blit(last[1], area)
            return
        with self.clipped(box):
            paint()
        self._kept[name] = (version, self.surface.subsurface(area).copy())

    def shapes(self, shapes: Sequence[Shape], box: Box, *, letters: bool = True) -> None:
        """Paint a game's picture in a box. The picture's x points right and its y up, both from 0 to 1.

        letters: whether its texts are painted, as far as they are readable at this size.
        """
        with self.clipped(box):
            for shape in shapes:
                if shape.kind != "text":
                    self._shape(shape, box)
            if letters:
                small = [shape for shape in shapes if shape.kind == "circle" and shape.width < _SMALL_DISC]
                discs = [self._disc(shape, box) for shape in small]
                self._paint_texts([shape for shape in shapes if shape.kind == "text" and shape.text], box, discs)

    def _shape(self, shape: Shape, box: Box) -> None:
        colour = ROLES.get(shape.role, INK)
        x = box.x + shape.x * box.width
        y = box.y + (1.0 - shape.y) * box.height
        width, height = shape.width * box.width, shape.height * box.height
        if shape.kind == "rect" and min(width, height) * self.scale < 0.5:
            return  # an empty bar
        if shape.kind == "rect":
            area = Box(x, y - height, width, height)
            if shape.role == "sky" and height > 0.5 * box.height:
                pixels = self._area(area)
                self.surface.blit(self._sky(*pixels.size), pixels)
            else:
                self.rect(area, colour, radius=0 if shape.role in FLAT else min(width, height, 24.0) * 0.22)
        elif shape.kind == "circle":
            radius = 0.5 * width
            if x + radius < box.x or x - radius > box.x + box.width:
                return
            if shape.role in FLAT:  # soft edges in the background cost more than they show
                self._pygame.draw.circle(self.surface, colour, self._point(x, y), max(radius * self.scale, 1.0))
            else:
                self.circle(x, y, radius, colour)
        elif shape.kind == "line":
            self.line(x, y, x + width, y - height, colour, max(round(box.height / 130), 2))
        else:
            self.polygon([(x, y), (x + width, y), (x + 0.5 * width, y - height)], colour)

    def _disc(self, shape: Shape, box: Box) -> Any:
        """The pixels of a circle."""
        across, down = self._point(box.x + shape.x * box.width, box.y + (1.0 - shape.y) * box.height)
        wide = shape.width * box.width * self.scale
        return self._pygame.Rect(round(across - 0.5 * wide), round(down - 0.5 * wide), round(wide), round(wide))

    def _paint_texts(self, texts: Sequence[Shape], box: Box, discs: Sequence[Any]) -> None:
        """Paint a game's texts. Those on one line are painted together or not at all: three of four names mislead.

        discs: small circles, as of potions; a text that would grow over one of them is left out.
        """
        taken: list[Any] = []
        lines: dict[tuple[float, float], list[Shape]] = {}
        for shape in texts:
            lines.setdefault((shape.height, shape.y), []).append(shape)
        whole = self._area(box)
        for (high, up), line in sorted(lines.items(), reverse=True):
            natural = 1.25 * high * box.height * self.scale / _LINE_HEIGHT
            points = max(round(natural), SMALLEST_LETTERS)
            if natural * _MOST_GROWN < SMALLEST_LETTERS:
                continue
            pictures = [self._lettered(one.text, points, ROLES.get(one.role, INK), False) for one in line]
            places = []
            for one, picture in zip(line, pictures, strict=True):
                across, below = self._point(box.x + one.x * box.width, box.y + (1.0 - up) * box.height)
                places.append(picture.get_rect(left=round(across), top=round(below - points * _LINE_HEIGHT)))
            grown = points > natural + 0.5
            if grown and not _fits(places, taken, whole):
                continue  # these letters have no room here
            for picture, area in zip(pictures, places, strict=True):
                if not (grown and area.collidelist(discs) >= 0):
                    self._write(picture, *area.topleft)
                    taken.append(area)

    def _sky(self, width: int, height: int) -> Any:
        """A vertical gradient, made once for each size."""
        found = self._skies.get((width, height))
        if found is None:
            thin = self._pygame.Surface((1, 2))
            thin.set_at((0, 0), SKY_TOP)
            thin.set_at((0, 1), SKY_BELOW)
            found = self._skies[width, height] = self._pygame.transform.smoothscale(thin, (width, height))
        return found

    def _point(self, x: float, y: float) -> tuple[float, float]:
        """The pixels of a position."""
        return self._left + x * self.scale, self._top + y * self.scale

    def _area(self, box: Box) -> Any:
        """The pixels of a box, at least one."""
        # Both edges are rounded, not the width: neighbours then meet without a gap, whatever their fractions.
        left, top = (round(one) for one in self._point(box.x, box.y))
        right, bottom = (round(one) for one in self._point(box.x + box.width, box.y + box.height))
        return self._pygame.Rect(left, top, max(right - left, 1), max(bottom - top, 1))

    def _thick(self, width: float) -> int:
        """The pixels of a line's width; 0 stays 0, which fills."""
        return max(round(width * self.scale), 1) if width else 0

    def _points(self, size: float) -> int:
        """The size of the font for letters of a height."""
        return max(round(size * self.scale / _LINE_HEIGHT), SMALLEST_LETTERS)

    def _lettered(self, words: str, points: int, colour: Colour, bold: bool) -> Any:
        key = (words, points, colour, bold)
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) >= _MOST_TEXTS:  # texts of changing numbers are not used again
                self._texts.clear()
            found = self._texts[key] = self._font(points, bold).render(words, True, colour)
        return found

    def _font(self, points: int, bold: bool) -> Any:
        found = self._fonts.get((points, bold))
        if found is None:
            found = self._fonts[points, bold] = self._pygame.font.Font(_BOLD if bold else _REGULAR, points)
        return found


def _fits(places: Sequence[Any], taken: Sequence[Any], whole: Any) -> bool:
    """Whether areas lie within a whole one, and over no other."""
    others = [*taken]
    for area in places:
        if not whole.contains(area) or area.inflate(2 * _BETWEEN, 0).collidelist(others) >= 0:
            return False
        others.append(area)
    return True
