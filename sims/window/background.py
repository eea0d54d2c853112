"""Work that would let a window stand still, such as a first compilation, in a thread beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Found = TypeVar("_Found")


class BackgroundWork(Generic[_Found]):
    """Something that is being prepared. A program that ends does not wait for it."""

    def __init__(self, work: Callable[[], _Found]) -> None:
        self._work = work
        self._found: _Found
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the result, or a fault, is there."""
        return not self._thread.is_alive()

    def result(self) -> _Found:
        """What came out; waits for it. Raises what the work raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._work()
        except BaseException as fault:  # noqa: BLE001 - `result` raises it where somebody can hear it
            self._fault = fault
