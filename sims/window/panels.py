"""The building blocks of scenes: cards, keys, bars, tables and small charts, painted on a canvas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from engine.game import LOST, TIMED_OUT, WON, Game
from engine.parameters import Knob
from sims.window.canvas import HEIGHT, WIDTH, Box, Canvas
from sims.window.palette import CARD, GREEN, INK, LINE, PAPER, QUIET, RAISED, SKY, VERMILLION, WANTED, Colour

MARGIN: Final = 24
TINY: Final = 15
SMALL: Final = 17
BODY: Final = 20
LARGE: Final = 26
TITLE: Final = 30
HUGE: Final = 44

OUTCOME_WORDS: Final[Mapping[int, str]] = {WON: "won", LOST: "lost", TIMED_OUT: "stopped"}
OUTCOME_COLOURS: Final[Mapping[int, Colour]] = {WON: GREEN, LOST: VERMILLION, TIMED_OUT: QUIET}
OUTCOME_MARKS: Final[Mapping[int, str]] = {WON: "✓", LOST: "✗", TIMED_OUT: "■"}
_LEAST_STEP: Final = 16  # between two words of an axis
_KEY_NAMES: Final = {"left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "Esc", "return": "Enter"}
_KEY_NAMES_MORE: Final = {"click": "Click", "space": "Space", "tab": "Tab", "home": "Home", "end": "End"}


class AxisMark(NamedTuple):
    """A labelled event on a chart's x axis."""

    x: float
    words: str


class Span(NamedTuple):
    """Low and high end of an axis."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Relative position of a value: 0 at the low end, 1 at the high end."""
        return (min(max(value, self.low), self.high) - self.low) / max(self.high - self.low, 1e-12)


class Dot(NamedTuple):
    """A point of a chart with its margin."""

    x: float
    y: float
    low: float
    high: float


def backdrop(canvas: Canvas, title: str, subtitle: str = "", right: str = "") -> None:
    """Paint an empty page with its header."""
    canvas.clear(PAPER)
    width = canvas.text(title, MARGIN, 18, TITLE, INK, bold=True)
    canvas.text(subtitle, MARGIN + width + 16, 26, BODY, QUIET)
    canvas.text(right, WIDTH - MARGIN, 26, BODY, QUIET, align=1.0)


def card(canvas: Canvas, box: Box, title: str = "") -> Box:
    """Paint a raised area with a small heading. Returns the free box inside it."""
    canvas.rect(box, CARD, radius=10)
    if not title:
        return box.inner(14)
    canvas.text(title, box.x + 14, box.y + 10, SMALL, QUIET, bold=True)
    return Box(box.x + 14, box.y + 42, box.width - 28, box.height - 52)


def outcome_sign(canvas: Canvas, x: float, y: float, outcome: int, size: float = 4.5, *, border: int = 1) -> None:
    """Mark how an attempt ended: a check mark for a win, a ring otherwise. Games paint hearts and coins as discs."""
    colour = OUTCOME_COLOURS[outcome]
    if outcome == WON:
        canvas.path([(x - size, y), (x - 0.3 * size, y + 0.8 * size), (x + size, y - 0.8 * size)], colour)
    else:
        canvas.circle(x, y, size, colour, border=border)


def key_name(key: str) -> str:
    """A key's name on the screen."""
    return _KEY_NAMES.get(key) or _KEY_NAMES_MORE.get(key) or key.upper()


def key_cap(canvas: Canvas, key: str, x: float, y: float, *, size: int = SMALL) -> float:
    """Paint a key. Returns its width."""
    words = key_name(key)
    width = max(canvas.width_of(words, size, bold=True) + 14, size + 9)
    canvas.rect(Box(x, y, width, size + 9), RAISED, radius=5)
    canvas.rect(Box(x, y, width, size + 9), LINE, radius=5, border=1)
    canvas.text(words, x + width / 2, y + 4, size, INK, align=0.5, bold=True)
    return width


def key_line(canvas: Canvas, pairs: Iterable[tuple[Sequence[str], str]], x: float, y: float) -> float:
    """Paint keys and their meanings in one line. Returns the x of its end."""
    for keys, meaning in pairs:
        for key in keys:
            x += key_cap(canvas, key, x, y, size=TINY) + 4
        x += 4 + canvas.text(meaning, x + 3, y + 4, TINY, QUIET) + 18
    return x


def footer(canvas: Canvas, pairs: Iterable[tuple[Sequence[str], str]]) -> None:
    """Paint the keys of a scene at the lower edge."""
    key_line(canvas, pairs, MARGIN, HEIGHT - 40)


def badge(canvas: Canvas, words: str, x: float, y: float, colour: Colour, *, align: float = 0.0) -> float:
    """Paint a text on a coloured pill. Returns its width."""
    width = canvas.width_of(words, SMALL, bold=True) + 20
    left = x - align * width
    canvas.rect(Box(left, y, width, SMALL + 10), colour, radius=(SMALL + 10) // 2)
    canvas.text(words, left + width / 2, y + 5, SMALL, PAPER, align=0.5, bold=True)
    return width


def bar(canvas: Canvas, box: Box, share: float, colour: Colour) -> None:
    """Paint a bar that is filled up to a share in [0, 1]."""
    canvas.rect(box, RAISED, radius=box.height / 2)
    filled = min(max(share, 0.0), 1.0) * box.width
    if filled >= 1.0:
        canvas.rect(Box(box.x, box.y, max(filled, box.height), box.height), colour, radius=box.height / 2)


def paint_table(
    canvas: Canvas, box: Box, rows: Iterable[tuple[str, str]], *, step: float = 22, size: int = SMALL
) -> float:
    """Paint names on the left and values on the right. Returns the y below the last row."""
    y = box.y
    for name, value in rows:
        canvas.text(name, box.x, y, size, QUIET)
        canvas.text(value, box.x + box.width, y, size, INK, align=1.0)
        y += step
    return y


def paint_heading(canvas: Canvas, words: str, box: Box, y: float) -> float:
    """Paint a small heading inside a card. Returns the y below it."""
    canvas.text(words, box.x, y, SMALL, QUIET, bold=True)
    return y + 25


def format_setting(knob: Knob, value: float) -> str:
    """A parameter's value with its unit."""
    shown = knob.shown(value)
    if isinstance(shown, str):
        return shown.replace("_", " + ")
    text = f"{shown:.3g}" if isinstance(shown, float) else str(shown)
    return text if knob.unit in ("1", "") else f"{text} {knob.unit}"


def setting_rows(game: Game, values: Iterable[float]) -> list[tuple[str, str]]:
    """All parameters of an attempt, as rows of a table."""
    return [
        (knob.name.removesuffix(f"_{knob.unit}").replace("_", " "), format_setting(knob, float(value)))
        for knob, value in zip(game.space, values)  # the numbers of a level made by hand come after them
    ]


def percent(share: float) -> str:
    """A share in whole per cent; a dash for nan."""
    return "–" if math.isnan(share) else f"{100.0 * share:.0f} %"


def wrap_lines(canvas: Canvas, words: str, size: int, width: float) -> list[str]:
    """Break a text into lines of at most this width."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and canvas.width_of(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def shorten(canvas: Canvas, words: str, size: int, width: float) -> str:
    """Cut a text at the end of a word if it is wider than this width."""
    first, *others = wrap_lines(canvas, words, size, width)
    return f"{first} …" if others else first


def in_sight(count: int, chosen: int, most: int) -> range:
    """The rows that a list shows when only `most` of them fit: those around the chosen one."""
    first = min(max(chosen - most // 2, 0), max(count - most, 0))
    return range(first, min(first + most, count))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two; share: of the other, in [0, 1]."""
    red, green, blue = (round((1.0 - share) * a + share * b) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Chart:
    """A plot in a box: both axes, and lines in their units."""

    def __init__(self, canvas: Canvas, box: Box, x: Span, y: Span) -> None:
        self._canvas, self._x, self._y = canvas, x, y
        self.box = box

    def grid(self, lines: Sequence[float], *, as_percent: bool = False) -> None:
        """Paint horizontal lines with their values on the left."""
        before = math.inf
        for value in lines:
            y = self.y(value)
            self._canvas.rect(Box(self.box.x, y, self.box.width, 1), RAISED)
            if abs(y - before) < _LEAST_STEP:
                continue  # its words would be over those of the line before
            before = y
            words = percent(value) if as_percent else f"{value:.2g}"
            self._canvas.text(words, self.box.x - 7, y - 8, 13, QUIET, align=1.0)

    def x(self, value: float) -> float:
        """The pixel position of a value."""
        return self.box.x + self._x.share(value) * self.box.width

    def y(self, value: float) -> float:
        """The pixel position of a value."""
        return self.box.y + (1.0 - self._y.share(value)) * self.box.height

    def band(self, low: float, high: float, colour: Colour = WANTED) -> None:
        """Paint a target range as a solid area."""
        top, bottom = self.y(high), self.y(low)
        self._canvas.rect(Box(self.box.x, top, self.box.width, max(bottom - top, 2)), mixed(CARD, colour, 0.5))

    def ribbon(self, dots: Sequence[Dot], colour: Colour) -> None:
        """The interval of each point, from point to point."""
        if len(dots) < 2:
            return
        upper = [(self.x(dot.x), self.y(dot.high)) for dot in dots]
        lower = [(self.x(dot.x), self.y(dot.low)) for dot in dots]
        self._canvas.haze([*upper, *reversed(lower)], colour, 0.28)

    def curve(self, dots: Sequence[Dot], colour: Colour, *, width: int = 2) -> None:
        """Paint a line through the points, and a dot at its end."""
        points = [(self.x(dot.x), self.y(dot.y)) for dot in dots]
        self._canvas.path(points, colour, width)
        if points:
            self._canvas.circle(*points[-1], 4, colour)

    def marks(self, marks: Sequence[AxisMark], *, named: bool) -> None:
        """Paint a vertical line at each mark; named: with its words, where they fit."""
        end = -math.inf
        for mark in marks:
            if not self._x.low <= mark.x <= self._x.high:
                continue
            x, y = self.x(mark.x), self.box.y
            for k in range(int(self.box.height // 8) + 1):
                self._canvas.rect(Box(x, y + 8 * k, 1, min(5, max(self.box.height - 8 * k, 1))), INK)
            width = self._canvas.width_of(mark.words, 13)
            left = x + 5 if x + 5 + width <= self.box.x + self.box.width else x - 5 - width
            if named and left > end:
                self._canvas.text(mark.words, left, y + self.box.height - 17, 13, INK)
                end = left + width + 6


def knob_for(canvas: Canvas, box: Box, share: float) -> None:
    """Paint a slider."""
    bar(canvas, box, share, SKY)
    canvas.circle(box.x + share * box.width, box.y + box.height / 2, 9, INK)
