"""Translates keys and clicks into a game's actions.

A game that names keys is played with them. Other games are played by swapping neighbouring cells: with two clicks, or
with a cursor. Their actions have names like `c4-d4`, and their picture has a rectangle named after each cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.game import Game, Shape
from sims.window.canvas import Box, Canvas
from sims.window.palette import INK, YELLOW
from sims.window.screen import Event

_WAYS: Final = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0), "down": (0.0, -1.0)}
_TAKE: Final = ("return", "space")


class KeyInput:
    """Keys that stand for actions. In a real-time game a held key repeats its action; a tap lasts one tick."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self._held: list[str] = []
        self._tapped: int | None = None

    def handle(self, event: Event) -> int | None:
        """Process a key event. Returns the action of a press that stands for one."""
        action = self._game.keys.get(event.key)
        if action is None:
            return None
        if event.kind == "release" and event.key in self._held:
            self._held.remove(event.key)
        elif event.kind == "press":
            self._held = [key for key in self._held if key != event.key] + [event.key]
            self._tapped = action
            return action
        return None

    def action(self) -> int:
        """The action of the next tick."""
        tapped, self._tapped = self._tapped, None
        if tapped is not None:
            return tapped
        return self._game.keys[self._held[-1]] if self._held else 0

    def release(self) -> None:
        """Release all keys, as at the start of an attempt."""
        self._held.clear()
        self._tapped = None


class CellInput:
    """Pairs of neighbouring cells that stand for actions."""

    def __init__(self, game: Game) -> None:
        self._actions = {name: action for action, name in enumerate(game.actions)}
        self.cursor: str | None = None
        self.taken: str | None = None

    @staticmethod
    def fits(game: Game) -> bool:
        """Whether a game is played with cells."""
        return not game.keys and any("-" in name for name in game.actions)

    def handle(self, event: Event, shapes: Sequence[Shape], view: Box) -> int | None:
        """Process an event. Returns the action once two cells are chosen."""
        cells = {shape.text: shape for shape in shapes if shape.kind == "rect" and shape.text}
        if not cells:
            return None
        if event.kind == "click" and view.holds(event.x, event.y):
            x, y = (event.x - view.x) / view.width, 1.0 - (event.y - view.y) / view.height
            at = next((n for n, s in cells.items() if s.x <= x < s.x + s.width and s.y <= y < s.y + s.height), None)
            return None if at is None else self._choose(at)
        if event.kind == "press" and event.key in _WAYS:
            return self._move(event.key, cells)
        if event.kind == "press" and event.key in _TAKE:
            return self._choose(self.cursor or next(iter(cells)))
        return None

    def _move(self, key: str, cells: dict[str, Shape]) -> int | None:
        if self.cursor not in cells:
            self.cursor = min(cells, key=lambda name: abs(cells[name].x - 0.3) + abs(cells[name].y - 0.5))
            return None
        here, (dx, dy) = cells[self.cursor], _WAYS[key]
        x, y = here.x + (dx + 0.5) * here.width * 1.04, here.y + (dy + 0.5) * here.height * 1.04
        to = next((n for n, s in cells.items() if s.x <= x < s.x + s.width and s.y <= y < s.y + s.height), None)
        if to is None:
            return None
        if self.taken is not None:
            self.cursor = to
            return self._choose(to)
        self.cursor = to
        return None

    def _choose(self, at: str) -> int | None:
        """Return the action when the cell completes a pair; otherwise take it as the first cell of a new pair."""
        first, self.cursor = self.taken, at
        if first is None:
            self.taken = at
            return None
        self.taken = None
        if first == at:
            return None
        for name in (f"{first}-{at}", f"{at}-{first}"):
            if name in self._actions:
                return self._actions[name]
        self.taken = at
        return None

    def release(self) -> None:
        """Forget the chosen cell."""
        self.taken = None

    def paint(self, canvas: Canvas, shapes: Sequence[Shape], view: Box) -> None:
        """Draw frames around the cursor and the chosen cell."""
        for shape in shapes:
            if shape.kind == "rect" and shape.text and shape.text in (self.cursor, self.taken):
                y = view.y + (1.0 - shape.y - shape.height) * view.height
                box = Box(view.x + shape.x * view.width, y, shape.width * view.width, shape.height * view.height)
                taken = shape.text == self.taken
                canvas.rect(box.inner(-2), YELLOW if taken else INK, radius=7, border=4 if taken else 2)
