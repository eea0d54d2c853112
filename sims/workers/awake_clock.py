"""Seconds for which this process was awake: what deadlines of workers are measured with."""

from __future__ import annotations

import time


class AwakeWatch:
    """Seconds for which this process was awake. It must be looked at every `longest_s`.

    A longer pause was none of the workers' doing: the machine slept, all was stopped, or the clock jumped. Such a pause
    counts as `longest_s`, so that no worker is killed for it.
    """

    def __init__(self, longest_s: float) -> None:
        self.longest_s = longest_s
        self._awake_s = 0.0
        self._before = time.monotonic()

    def look(self) -> float:
        """How many there have been by now."""
        now = time.monotonic()
        self._awake_s += min(max(now - self._before, 0.0), self.longest_s)
        self._before = now
        return self._awake_s
