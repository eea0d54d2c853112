"""The window: the only module that uses pygame. It opens a screen, paints, reads keys and mouse, and records.

A scene has `handle` and `advance`; `show_scene` runs one with its painter. Painting only reads: it draws no random
number and changes no state of a game. Only pygame's display and font modules are started, so that a machine without a
sound card prints nothing on stderr.
"""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar

from engine.errors import EnvironmentFault, ScenarioError
from engine.game import Shape
from sims.run_folder.files import write_file
from sims.window.palette import FLAT, INK, PAPER, ROLES, SKY_BELOW, SKY_TOP, Colour

WIDTH: Final = 1280
HEIGHT: Final = 720
FRAME_S: Final = 1.0 / 60.0
_SLOWEST_FRAME_S: Final = 0.1  # after a longer pause the scene does not catch up
_CLOCK_ERROR_S: Final = 0.002
_MOST_TEXTS: Final = 1500
_REPAIR: Final = "pip uninstall -y pygame pygame-ce && pip install pygame-ce"
_BUTTONS: Final = {1: "left", 3: "right"}
_REGULAR: Final = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"  # the same font on every machine
_BOLD: Final = _REGULAR.with_name("DejaVuSans-Bold.ttf")

_UNSEEN: Final = ("dummy", "offscreen")  # drivers that draw and show nothing

EventKind = Literal["press", "release", "click", "move", "drop", "hide", "close"]


class Event(NamedTuple):
    """A key or mouse event, or "hide": nobody looks, since the window is hidden or has lost the keyboard.

    Keys have pygame's names; positions are in pixels of the 1280 x 720 picture.
    """

    kind: EventKind
    key: str = ""
    x: float = 0.0
    y: float = 0.0


class Box(NamedTuple):
    """A rectangle in pixels, y downward."""

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


S = TypeVar("S", bound="Scene")


class Scene(Protocol):
    """The state of a window. `show_scene` ends when `done` is true. A separate function paints its picture."""

    done: bool

    def handle(self, event: Event) -> None:
        """Process a key or mouse event."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""


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
    """Paints on a surface in pixels of the 1280 x 720 picture, y downward."""

    def __init__(self, surface: Any) -> None:
        self.surface = surface
        self._pygame = load_pygame()
        self._texts: dict[tuple[str, int, Colour, bool], Any] = {}
        self._fonts: dict[tuple[int, bool], Any] = {}
        self._skies: dict[tuple[int, int], Any] = {}
        self._kept: dict[str, tuple[object, Any]] = {}

    def clear(self, colour: Colour = PAPER) -> None:
        self.surface.fill(colour)

    def rect(self, box: Box, colour: Colour, *, radius: float = 0, border: int = 0) -> None:
        """Paint a filled rectangle; border: only its edge, so many pixels wide."""
        # Both edges are rounded, not the width: neighbours then meet without a gap, whatever their fractions.
        x, y = round(box.x), round(box.y)
        area = (x, y, max(round(box.x + box.width) - x, 1), max(round(box.y + box.height) - y, 1))
        self._pygame.draw.rect(self.surface, colour, area, border, border_radius=int(radius))

    def veil(self, box: Box, colour: Colour, strength: float, *, radius: float = 0) -> None:
        """Paint a translucent rectangle; strength: its opacity in [0, 1]."""
        layer = self._pygame.Surface((max(int(box.width), 1), max(int(box.height), 1)), self._pygame.SRCALPHA)
        self._pygame.draw.rect(layer, (*colour, int(255 * strength)), layer.get_rect(), border_radius=int(radius))
        self.surface.blit(layer, (round(box.x), round(box.y)))

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, width: int = 1) -> None:
        if x1 == x2 or y1 == y2:
            self._pygame.draw.line(self.surface, colour, (x1, y1), (x2, y2), width)
        else:
            self._pygame.draw.aaline(self.surface, colour, (x1, y1), (x2, y2), width)

    def path(self, points: Sequence[tuple[float, float]], colour: Colour, width: int = 2) -> None:
        """Paint a line through points."""
        if len(points) > 1:
            self._pygame.draw.lines(self.surface, colour, False, points, width)
            self._pygame.draw.aalines(self.surface, colour, False, points)

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        self._pygame.draw.polygon(self.surface, colour, points)
        self._pygame.draw.aalines(self.surface, colour, True, points)

    def circle(self, x: float, y: float, radius: float, colour: Colour, *, border: int = 0) -> None:
        self._pygame.draw.aacircle(self.surface, colour, (x, y), max(radius, 1.0), border)

    def text(
        self,
        words: str,
        x: float,
        y: float,
        size: int,
        colour: Colour = INK,
        *,
        align: float = 0.0,
        bold: bool = False,
    ) -> float:
        """Paint letters `size` pixels high from y. align: 0 starts them at x, 1 ends them there. Returns the width."""
        picture = self._lettered(words, size, colour, bold)
        width: int = picture.get_width()
        self.surface.blit(picture, (round(x - align * width), round(y)))
        return width

    def width_of(self, words: str, size: int, *, bold: bool = False) -> float:
        """The width of a text in pixels."""
        width: int = self._font(size, bold).size(words)[0]
        return width

    @contextmanager
    def clipped(self, box: Box) -> Iterator[None]:
        """Limit painting to a box."""
        before = self.surface.get_clip()
        self.surface.set_clip((round(box.x), round(box.y), round(box.width), round(box.height)))
        try:
            yield
        finally:
            self.surface.set_clip(before)

    def grey(self, box: Box) -> None:
        """Remove the colours from a box."""
        part = self.surface.subsurface((round(box.x), round(box.y), round(box.width), round(box.height)))
        part.blit(self._pygame.transform.grayscale(part), (0, 0))

    def kept(self, name: str, version: object, box: Box, paint: Callable[[], None]) -> None:
        """Paint a box only when its version has changed; otherwise copy the last picture of it."""
        last = self._kept.get(name)
        area = self._pygame.Rect(round(box.x), round(box.y), round(box.width), round(box.height))
        if last is not None and last[0] == version and last[1].get_size() == area.size:
            self.surface.blit(last[1], area)
            return
        with self.clipped(box):
            paint()
        self._kept[name] = (version, self.surface.subsurface(area).copy())

    def shapes(self, shapes: Sequence[Shape], box: Box) -> None:
        """Paint a game's picture in a box. The picture's x points right and its y up, both from 0 to 1."""
        with self.clipped(box):
            for shape in shapes:
                self._shape(shape, box)

    def _shape(self, shape: Shape, box: Box) -> None:
        colour = ROLES.get(shape.role, INK)
        x = box.x + shape.x * box.width
        y = box.y + (1.0 - shape.y) * box.height
        width, height = shape.width * box.width, shape.height * box.height
        if shape.kind == "rect" and (width < 0.5 or height < 0.5):
            return  # an empty bar
        if shape.kind == "rect":
            area = Box(x, y - height, width, height)
            if shape.role == "sky" and height > 0.5 * box.height:
                self.surface.blit(self._sky(round(width), round(height)), (round(x), round(y - height)))
            else:
                self.rect(area, colour, radius=0 if shape.role in FLAT else min(width, height, 24.0) * 0.22)
        elif shape.kind == "circle":
            radius = 0.5 * width
            if x + radius < box.x or x - radius > box.x + box.width:
                return
            if shape.role in FLAT:  # soft edges in the background cost more than they show
                self._pygame.draw.circle(self.surface, colour, (x, y), radius)
            else:
                self.circle(x, y, radius, colour)
        elif shape.kind == "line":
            self.line(x, y, x + width, y - height, colour, max(round(box.height / 130), 2))
        elif shape.kind == "triangle":
            self.polygon([(x, y), (x + width, y), (x + 0.5 * width, y - height)], colour)
        else:
            size = max(round(height * 1.25), 7)
            self.text(shape.text, x, y - size, size, colour)

    def _sky(self, width: int, height: int) -> Any:
        """A vertical gradient, made once for each size."""
        found = self._skies.get((width, height))
        if found is None:
            thin = self._pygame.Surface((1, 2))
            thin.set_at((0, 0), SKY_TOP)
            thin.set_at((0, 1), SKY_BELOW)
            found = self._skies[width, height] = self._pygame.transform.smoothscale(thin, (width, height))
        return found

    def _lettered(self, words: str, size: int, colour: Colour, bold: bool) -> Any:
        key = (words, size, colour, bold)
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) >= _MOST_TEXTS:  # texts of changing numbers are not used again
                self._texts.clear()
            found = self._texts[key] = self._font(size, bold).render(words, True, colour)
        return found

    def _font(self, size: int, bold: bool) -> Any:
        found = self._fonts.get((size, bold))
        if found is None:
            # 1.17: the line height of DejaVu Sans in units of its size.
            points = max(round(size / 1.17), 6)
            found = self._fonts[size, bold] = self._pygame.font.Font(_BOLD if bold else _REGULAR, points)
        return found


class Window:
    """An open screen with its canvas."""

    def __init__(self, title: str, *, hidden: bool = False) -> None:
        """Open the window. hidden: paint without a screen. Raises EnvironmentFault when there is no display."""
        driver = "dummy" if hidden else os.environ.get("SDL_VIDEODRIVER", "")
        unseen = driver in _UNSEEN
        no_display = "cannot open a window: no display found; use --record FILE, which needs none."
        if not driver and sys.platform.startswith("linux"):
            if not _display_named():
                raise EnvironmentFault(no_display)
            if not os.environ.get(
                "WAYLAND_DISPLAY"
            ):  # SDL would look for Wayland first, and complain that it is not there
                driver = "x11"
        pygame = self._pygame = load_pygame()
        with _driver(driver):
            try:
                pygame.display.init()
                if not driver and pygame.display.get_driver() in _UNSEEN:  # SDL's way out where a display is not there
                    raise pygame.error(f"the display {_display_named()} does not answer")
                self._small = None if unseen else _small(pygame)
                if self._small is None:
                    flags = 0 if unseen else pygame.SCALED | pygame.RESIZABLE
                    surface = pygame.display.set_mode((WIDTH, HEIGHT), flags)
                else:
                    pygame.display.set_mode(self._small)
                    surface = pygame.Surface((WIDTH, HEIGHT))
            except pygame.error as fault:
                pygame.display.quit()
                raise EnvironmentFault(f"{no_display} ({fault})") from None
        pygame.font.init()
        pygame.display.set_caption(title)
        self.canvas = Canvas(surface)
        self.paced = not unseen
        self._clock = pygame.time.Clock()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the screen."""
        self._pygame.font.quit()
        self._pygame.display.quit()

    def events(self) -> Iterator[Event]:
        """Key and mouse events since the last call."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                yield Event("close")
            elif event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWMINIMIZED, pygame.WINDOWHIDDEN):
                yield Event("hide")
            elif event.type in (pygame.KEYDOWN, pygame.KEYUP):
                yield Event("press" if event.type == pygame.KEYDOWN else "release", pygame.key.name(event.key))
            elif event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP) and event.button in _BUTTONS:
                kind: EventKind = "click" if event.type == pygame.MOUSEBUTTONDOWN else "drop"
                yield Event(kind, _BUTTONS[event.button], *self._place(event.pos))
            elif event.type == pygame.MOUSEMOTION:
                yield Event("move", "", *self._place(event.pos))

    def _place(self, at: tuple[int, int]) -> tuple[float, float]:
        """Convert a position on the screen to one in the picture."""
        if self._small is None:
            return at
        return at[0] * WIDTH / self._small[0], at[1] * HEIGHT / self._small[1]

    def flip(self) -> float:
        """Show the picture. Returns the seconds that the next frame stands for."""
        if self._small is not None:
            screen = self._pygame.display.get_surface()
            self._pygame.transform.smoothscale(self.canvas.surface, self._small, screen)
        self._pygame.display.flip()
        if not self.paced:
            return FRAME_S
        seconds = float(self._clock.tick(60)) / 1000.0
        # The clock counts whole milliseconds: without rounding, some frames would have no tick and some two.
        return FRAME_S if abs(seconds - FRAME_S) < _CLOCK_ERROR_S else min(seconds, _SLOWEST_FRAME_S)


def _small(pygame: Any) -> tuple[int, int] | None:
    """The window's size, in proportion, on a display that is too small for the picture; None where it fits.

    pygame's own scaling (SCALED) only makes a picture larger.
    """
    width, height = pygame.display.get_desktop_sizes()[0]
    shrunk = min(width / WIDTH, height / HEIGHT)
    return None if shrunk >= 1.0 else (int(WIDTH * shrunk), int(HEIGHT * shrunk))


def _display_named() -> str:
    """The display that the environment names; empty for none."""
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""


@contextmanager
def _driver(name: str) -> Iterator[None]:
    """Name SDL's video driver in the environment, where SDL reads it when it starts."""
    before = os.environ.get("SDL_VIDEODRIVER")
    if name:
        os.environ["SDL_VIDEODRIVER"] = name
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SDL_VIDEODRIVER", None)
        else:
            os.environ["SDL_VIDEODRIVER"] = before


def show_scene(
    scene: S, paint: Callable[[S, Canvas], None], title: str, *, record: Path | None = None, frames: int | None = None
) -> None:
    """Run a scene until it is done, its window is closed, or so many frames were shown.

    paint: paints the whole picture of the scene and changes nothing.
    record: a .png (the last frame), .gif or .webp (motion); then no screen is needed.
    Raises ScenarioError for another file type, EnvironmentFault when there is no display.
    A closed window is an event that the scene may ignore. Ctrl-C and SIGTERM take effect after the current frame, so
    that no attempt is cut in two.
    """
    recorder = None if record is None else Recorder(record)
    shown = 0
    with _signals_noted() as noted, Window(title, hidden=record is not None) as window:
        seconds = FRAME_S
        while not scene.done and not noted and (frames is None or shown < frames):
            for event in window.events():
                scene.handle(event)
            scene.advance(seconds)
            paint(scene, window.canvas)
            if recorder is not None:
                recorder.take(window.canvas.surface)
            seconds = window.flip()
            shown += 1
        if recorder is not None:
            recorder.save()  # before the window closes: the last frame is its surface
    if signal.SIGINT in noted:
        raise KeyboardInterrupt
    if noted:
        raise SystemExit(128 + noted[0])


@contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """Note the first Ctrl-C or SIGTERM instead of raising it; a second one is raised at once."""
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not set by Python

    for number in before:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        restore()


class Recorder:
    """Collects frames and writes them to a file."""

    EVERY: Final = 4  # one frame in so many goes into a moving picture: 15 a second
    SIZE: Final = (640, 360)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moving = path.suffix.lower() in (".gif", ".webp")
        if not self._moving and path.suffix.lower() != ".png":
            raise ScenarioError(f"--record needs a file that ends in .png, .webp or .gif, got {path.name}")
        if self._moving and importlib.util.find_spec("PIL") is None:
            raise EnvironmentFault(
                "a .webp or .gif needs the package pillow; install it with: pip install pillow, or record a .png."
            )
        self._pygame = load_pygame()
        self._count = 0
        self._last: Any = None
        self._frames: list[bytes] = []

    def take(self, surface: Any) -> None:
        """Keep a frame if it belongs in the file."""
        self._count += 1
        self._last = surface
        if self._moving and self._count % self.EVERY == 1:
            small = self._pygame.transform.smoothscale(surface, self.SIZE)
            # Compressed at once: a long recording must fit into memory.
            self._frames.append(zlib.compress(self._pygame.image.tobytes(small, "RGB"), 1))

    def save(self) -> None:
        """Write the file. Raises OSError on I/O errors."""
        if self._last is None:
            raise EnvironmentFault(f"cannot record {self._path}: no frame was shown; record at least one frame.")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole = io.BytesIO()  # so that a full disk leaves no half of a picture
        kind = self._path.suffix.lower()[1:]
        if not self._moving:
            self._pygame.image.save(self._last, whole, kind)
        else:
            images = self._images()
            step_ms = round(1000 * self.EVERY * FRAME_S)
            options = {"quality": 40, "method": 4} if kind == "webp" else {}
            next(images).save(whole, kind, save_all=True, append_images=images, duration=step_ms, loop=0, **options)
        write_file(self._path, whole.getvalue())

    def _images(self) -> Iterator[Any]:
        from PIL import Image

        for frame in self._frames:
            image = Image.frombytes("RGB", self.SIZE, zlib.decompress(frame))
            yield image.quantize(64, dither=Image.Dither.NONE) if self._path.suffix.lower() == ".gif" else image
