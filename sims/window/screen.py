"""The window: opens a screen of any size, reads keys and mouse, and runs scenes.

A scene has `handle` and `advance`; `show_scene` runs one with its painter. Painting only reads: it draws no random
number and changes no state of a game. Only pygame's display and font modules are started, so that a machine without a
sound card prints nothing on stderr.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar

from engine.errors import EnvironmentFault, ScenarioError
from sims.window.canvas import HEIGHT, WIDTH, Canvas, load_pygame
from sims.window.recorder import SCENE_FPS, Recorder, size_of

FRAME_S: Final = 1.0 / SCENE_FPS
_SLOWEST_FRAME_S: Final = 0.1  # after a longer pause the scene does not catch up
_CLOCK_ERROR_S: Final = 0.002
_BUTTONS: Final = {1: "left", 3: "right"}

_UNSEEN: Final = ("dummy", "offscreen")  # drivers that draw and show nothing

EventKind = Literal["press", "release", "click", "move", "drop", "hide", "close"]


class Event(NamedTuple):
    """A key or mouse event, or "hide": nobody looks, since the window is hidden or has lost the keyboard.

    Keys have pygame's names; positions are in units of the 1280 x 720 picture. shift: whether that key is down too.
    """

    kind: EventKind
    key: str = ""
    x: float = 0.0
    y: float = 0.0
    shift: bool = False


S = TypeVar("S", bound="Scene")


class Scene(Protocol):
    """The state of a window. `show_scene` ends when `done` is true. A separate function paints its picture."""

    done: bool

    def handle(self, event: Event) -> None:
        """Process a key or mouse event."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""


class Window:
    """An open screen with its canvas."""

    def __init__(
        self, title: str, *, hidden: bool = False, size: tuple[int, int] | None = None, display: int = 0
    ) -> None:
        """Open the window.

        hidden: paint without a screen. size: in pixels; None for 1280 x 720, or less where the display is smaller.
        display: number of the display, from 0. Raises EnvironmentFault when there is no display, ScenarioError when
        there is none of this number.
        """
        driver = "dummy" if hidden else os.environ.get("SDL_VIDEODRIVER", "")
        unseen = driver in _UNSEEN
        no_display = "cannot open a window: no display found; use --record FILE, which needs none."
        if not driver and sys.platform.startswith("linux"):
            if not _display_named():
                raise EnvironmentFault(no_display)
            if not os.environ.get("WAYLAND_DISPLAY"):  # SDL would look for it first, and complain that it is not there
                driver = "x11"
        os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")  # otherwise Windows resamples the picture
        pygame = self._pygame = load_pygame()
        with _driver(driver):
            try:
                pygame.display.init()
                if not driver and pygame.display.get_driver() in _UNSEEN:  # SDL's way out where a display is not there
                    raise pygame.error(f"the display {_display_named()} does not answer")
                self._desktops = pygame.display.get_desktop_sizes()
                if display >= len(self._desktops):
                    several = "there is one display" if len(self._desktops) == 1 else f"there are {len(self._desktops)}"
                    raise ScenarioError(f"--display must be one of the displays, from 0, got {display}: {several}.")
                self._display, self._flags = display, 0 if unseen else pygame.RESIZABLE
                self._windowed = size or ((WIDTH, HEIGHT) if unseen else _usual_size(self._desktops[display]))
                surface = pygame.display.set_mode(self._windowed, self._flags, display=display)
            except pygame.error as fault:
                pygame.display.quit()
                raise EnvironmentFault(f"{no_display} ({fault})") from None
            except ScenarioError:
                pygame.display.quit()
                raise
        self.full = False
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

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size, in pixels."""
        self._windowed, self.full = size, False
        self.canvas.fit(self._pygame.display.set_mode(size, self._flags, display=self._display))

    def toggle_full(self) -> None:
        """Fill the display, or return to the window."""
        if self.full:
            self.resize(self._windowed)
            return
        size = self._desktops[self._display]
        flags = self._pygame.FULLSCREEN if self._flags else 0
        self.canvas.fit(self._pygame.display.set_mode(size, flags, display=self._display))
        self.full = True

    def events(self) -> Iterator[Event]:
        """Key and mouse events since the last call. F11 and Alt+Enter are the window's own: full screen and back."""
        pygame = self._pygame
        found = pygame.event.get()  # where the window has another size, so has its surface from here on
        self._fit()
        for event in found:
            if event.type == pygame.QUIT:
                yield Event("close")
            elif event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWMINIMIZED, pygame.WINDOWHIDDEN):
                yield Event("hide")
            elif event.type == pygame.KEYDOWN and _asks_for_full(pygame, event):
                self.toggle_full()
            elif event.type in (pygame.KEYDOWN, pygame.KEYUP):
                kind: EventKind = "press" if event.type == pygame.KEYDOWN else "release"
                yield Event(kind, pygame.key.name(event.key), shift=bool(_held(event) & pygame.KMOD_SHIFT))
            elif event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP) and event.button in _BUTTONS:
                kind = "click" if event.type == pygame.MOUSEBUTTONDOWN else "drop"
                yield Event(kind, _BUTTONS[event.button], *self.canvas.place(*event.pos))
            elif event.type == pygame.MOUSEMOTION:
                yield Event("move", "", *self.canvas.place(*event.pos))

    def _fit(self) -> None:
        """Paint at the size that the window has now."""
        surface = self._pygame.display.get_surface()
        if surface.get_size() != self.canvas.size:
            self.canvas.fit(surface)
        if not self.full:
            self._windowed = surface.get_size()

    def flip(self) -> float:
        """Show the picture. Returns the seconds that the next frame stands for."""
        self._pygame.display.flip()
        if not self.paced:
            return FRAME_S
        seconds = float(self._clock.tick(60)) / 1000.0
        # The clock counts whole milliseconds: without rounding, some frames would have no tick and some two.
        return FRAME_S if abs(seconds - FRAME_S) < _CLOCK_ERROR_S else min(seconds, _SLOWEST_FRAME_S)


def _asks_for_full(pygame: Any, event: Any) -> bool:
    """Whether a pressed key is F11 or Alt+Enter."""
    return event.key == pygame.K_F11 or (event.key == pygame.K_RETURN and bool(_held(event) & pygame.KMOD_ALT))


def _held(event: Any) -> int:
    """The keys that are held with a pressed one; none where a program made the event."""
    return int(getattr(event, "mod", 0))


def _usual_size(desktop: tuple[int, int]) -> tuple[int, int]:
    """The size of a window for which none was asked: that of the picture, or less on a small display."""
    shrunk = min(desktop[0] / WIDTH, desktop[1] / HEIGHT, 1.0)
    return int(WIDTH * shrunk), int(HEIGHT * shrunk)


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
    scene: S,
    paint: Callable[[S, Canvas], None],
    title: str,
    *,
    record: Path | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    display: int = 0,
) -> None:
    """Run a scene until it is done, its window is closed, or so many frames were shown.

    paint: paints the whole picture of the scene and changes nothing.
    record: a .png (the last frame), .webp, .gif or .mp4 (motion); then no screen is needed.
    size: of the window or the recording, in pixels. fps: of a recording. display: number of the display, from 0.
    Raises ScenarioError for another file type or display, EnvironmentFault when there is no display.
    A closed window is an event that the scene may ignore. Ctrl-C and SIGTERM take effect after the current frame, so
    that no attempt is cut in two.
    """
    recorder = None if record is None else Recorder(record, fps=fps)
    wanted = size if record is None else size_of(record, size)
    shown = 0
    with (
        _signals_noted() as noted,
        Window(title, hidden=record is not None, size=wanted, display=display) as window,
    ):
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
