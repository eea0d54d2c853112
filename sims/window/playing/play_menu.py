"""The menu of play: it stops the game, and is left by a choice. Arrow keys and Enter choose, and so does a click."""

from __future__ import annotations

from typing import Final, Literal

from sims.window.canvas import Box
from sims.window.playing.play_layout import VIEW
from sims.window.screen import Event

MenuChoice = Literal["go on", "restart this level", "save and end"]

CHOICES: Final[tuple[MenuChoice, ...]] = ("go on", "restart this level", "save and end")
READY_S: Final = 1.8  # from the menu back to a game in real time: three, two, one
_BACK: Final = ("escape", "p")
_TAKE: Final = ("return", "space")
_TOP: Final = 196.0  # of the first row, from the upper end of the picture
_ROW: Final = 44.0
_WIDTH: Final = 320.0


class PlayMenu:
    """The rows of an open menu."""

    def __init__(self, choices: tuple[MenuChoice, ...] = CHOICES) -> None:
        self.choices = choices
        self.at = 0  # the row that Enter chooses

    def rows(self) -> list[tuple[MenuChoice, Box]]:
        """Each choice and where it stands."""
        x = VIEW.x + (VIEW.width - _WIDTH) / 2.0
        return [(choice, Box(x, VIEW.y + _TOP + i * _ROW, _WIDTH, _ROW - 6.0)) for i, choice in enumerate(self.choices)]

    def handle(self, event: Event) -> MenuChoice | None:
        """Process an event. Returns what was chosen."""
        if event.kind == "press" and event.key in ("up", "down"):
            self.at = (self.at + (1 if event.key == "down" else -1)) % len(self.choices)
        elif event.kind == "press" and event.key in _TAKE:
            return self.choices[self.at]
        elif event.kind == "press" and event.key in _BACK:
            return "go on"
        elif event.kind == "press" and event.key == "r" and "restart this level" in self.choices:
            return "restart this level"
        elif event.kind in ("move", "click"):
            for place, (choice, box) in enumerate(self.rows()):
                if box.holds(event.x, event.y):
                    self.at = place
                    return choice if event.kind == "click" and event.key == "left" else None
        return None
