"""A canvas that notes every word: what is too small, cut, covered, or over other words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sims.window.canvas import Box, Canvas
from sims.window.palette import PAPER, Colour

THIN: Final = 4  # pixels; a line may cross a word
STRONG: Final = 0.5  # a veil so strong makes words below it a background


class Word(NamedTuple):
    """Painted letters: what they say, and the pixels that they ink."""

    said: str
    area: Any


class NotedCanvas(Canvas):
    """Paints as a canvas does, keeps no picture of a box, and notes faults of its words."""

    def __init__(self, surface: Any) -> None:
        super().__init__(surface)
        self.words: list[Word] = []
        self.faults: list[str] = []
        self.smallest = 1000

    def clear(self, colour: Colour = PAPER) -> None:
        self.words.clear()
        super().clear(colour)

    def _lettered(self, words: str, points: int, colour: Colour, bold: bool) -> Any:
        picture = super()._lettered(words, points, colour, bold)
        self._said = words
        self._by_picture = {**getattr(self, "_by_picture", {}), id(picture): words}
        self.smallest = min(self.smallest, points)
        return picture

    def _write(self, picture: Any, left: int, top: int) -> None:
        super()._write(picture, left, top)
        said = self._by_picture[id(picture)]
        if not said.strip():
            return
        area = picture.get_bounding_rect().move(left, top)
        if not self.surface.get_clip().contains(area):
            self.faults.append(f"cut: {said!r}")
        self.faults += [f"over each other: {one.said!r}, {said!r}" for one in self.words if one.area.colliderect(area)]
        self.words.append(Word(said, area))

    def rect(self, box: Box, colour: Colour, *, radius: float = 0, border: float = 0) -> None:
        super().rect(box, colour, radius=radius, border=border)
        area = self._area(box).clip(self.surface.get_clip())
        if border or min(area.size) < THIN:
            return
        for word in [one for one in self.words if one.area.colliderect(area)]:
            self.words.remove(word)
            if not area.contains(word.area):
                self.faults.append(f"covered in part: {word.said!r}")

    def veil(self, box: Box, colour: Colour, strength: float, *, radius: float = 0) -> None:
        super().veil(box, colour, strength, radius=radius)
        if strength >= STRONG:
            area = self._area(box)
            self.words = [one for one in self.words if not area.contains(one.area)]

    def kept(self, name: str, version: object, box: Box, paint: Callable[[], None]) -> None:
        with self.clipped(box):
            paint()
