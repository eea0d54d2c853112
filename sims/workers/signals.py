"""Ctrl-C and SIGTERM: the first one unwinds, so that what is finished is kept; the second ends at once."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_AGAIN_S: Final = 0.02  # longer than a callback from C needs to return


class Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came. It is no Exception: nothing but its addressee should catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


class Postponing:
    """While active, a signal waits: for the `Stopping` that begins inside, else for the end.

    Between the making of a folder and the handling of signals, one would say that nothing is kept, which is not so.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._number: int | None = None

    def __enter__(self) -> Postponing:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self.wait) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if fault is None:
            self.deliver()

    def wait(self, number: int, frame: FrameType | None) -> None:
        """The handler of this time."""
        self._number = number

    def deliver(self) -> None:
        """Raise the signal that came, if any, for the handler of now."""
        number, self._number = self._number, None
        if number is not None:
            signal.raise_signal(number)


class Stopping:
    """While active, the first signal raises Stopped in the main thread; the handlers before come back at the end.

    It raises at its beginning when a signal came while it was awaited, see `Postponing`. Where Python can only ignore
    what is raised, as in callbacks from C while kernels are compiled, it is raised again a moment later.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._stopped: Stopped | None = None
        self._hook_before = sys.unraisablehook
        self._again: threading.Timer | None = None  # raises what was ignored once more

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._first) for number in _SIGNALS}
            self._hook_before, sys.unraisablehook = sys.unraisablehook, self._ignored
            try:
                self._take_over()
            except Stopped:
                self._put_back()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()
        if self._stopped is not None and fault is not None and not isinstance(fault, Stopped):
            # A library, as Ray, puts an interrupt of its own in its place; what it tore, as numba's compiling, fails.
            raise self._stopped from fault

    def hold(self) -> None:
        """From now on let the first signal pass by: what follows is short and should not be torn."""
        for number in self._before:
            signal.signal(number, _arm)

    def _take_over(self) -> None:
        for handler in self._before.values():
            postponing = getattr(handler, "__self__", None)
            if isinstance(postponing, Postponing):
                postponing.deliver()

    def _ignored(self, unraisable: sys.UnraisableHookArgs) -> None:
        stopped = unraisable.exc_value
        if not isinstance(stopped, Stopped):
            self._hook_before(unraisable)
            return
        for number in self._before:
            signal.signal(number, self._first)
        self._again = threading.Timer(_AGAIN_S, _thread.interrupt_main, (stopped.exit_code - 128,))
        self._again.daemon = True
        self._again.start()

    def _put_back(self) -> None:
        if self._again is not None:
            self.hold()  # should it still come, it passes by
            self._again.cancel()
            self._again.join()
        if self._before:
            sys.unraisablehook = self._hook_before
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _first(self, number: int, frame: FrameType | None) -> None:
        _arm(number, frame)
        self._stopped = Stopped(number)
        raise self._stopped


def _arm(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, _second)


def _second(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
