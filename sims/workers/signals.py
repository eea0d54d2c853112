"""Ctrl-C and SIGTERM: the first one unwinds, so that what is finished is kept; the second ends at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came. It is no Exception: nothing but its addressee should catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


class Stopping:
    """While active, the first signal raises Stopped in the main thread; the handlers before come back at the end."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._stopped: Stopped | None = None

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._first) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._stopped is not None and isinstance(fault, KeyboardInterrupt) and not isinstance(fault, Stopped):
            raise self._stopped from fault  # a library, as Ray, has put an interrupt of its own in its place

    def hold(self) -> None:
        """From now on let the first signal pass by: what follows is short and should not be torn."""
        for number in self._before:
            signal.signal(number, _arm)

    def _first(self, number: int, frame: FrameType | None) -> None:
        _arm(number, frame)
        self._stopped = Stopped(number)
        raise self._stopped


def _arm(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, _second)


def _second(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
