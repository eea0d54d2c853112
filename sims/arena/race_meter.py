"""How far a race is: a line on the terminal, and now and then a sentence about what takes long before it begins."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

_LONG_S: Final = 2.0  # whoever waits longer is told for what
_PAUSE_S: Final = 10.0


def meter(quiet: bool) -> Callable[[int, int], None]:
    """Takes attempts done and attempts in all; shows them where stderr is a terminal and nobody asked for quiet."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return lambda done, all_: None
    began = time.monotonic()

    def show(done: int, all_: int) -> None:
        left = (time.monotonic() - began) * (all_ - done) / max(done, 1)
        end = "\n" if done >= all_ else ""
        sys.stderr.write(f"\r{done / max(all_, 1):4.0%}  {done:,} attempts, about {left:.0f} s left   {end}")
        sys.stderr.flush()

    return show


def teller(quiet: bool) -> Callable[[str], None]:
    """Takes sentences of how far something is, and says one now and then once it takes long."""
    due = time.monotonic() + _LONG_S

    def tell(sentence: str) -> None:
        nonlocal due
        now = time.monotonic()
        if not quiet and sys.stderr is not None and now >= due:
            due = now + _PAUSE_S
            sys.stderr.write(f"flowdial: {sentence}\n")

    return tell
