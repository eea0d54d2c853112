"""Runs work that would freeze a window, such as a first compilation, in a background thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class BackgroundWork(Generic[_Result]):
    """Work in a daemon thread: a program that ends does not wait for it."""

    def __init__(self, work: Callable[[], _Result]) -> None:
        self._work = work
        self._value: _Result
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the work has returned or raised."""
        return not self._thread.is_alive()

    def result(self) -> _Result:
        """Wait for the work and return its result. Raises what the work raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._value

    def _run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as fault:  # noqa: BLE001 - `result` raises it in the caller
            self._fault = fault
